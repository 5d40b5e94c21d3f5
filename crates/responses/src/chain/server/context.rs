//! All that a model is to see, shared between those who went on from the same point.

use std::sync::Arc;

use crate::item::Item;

/// Items in order, as a chain of segments. Going on from it, or forking it, costs the new items only.
#[derive(Debug, Clone, Default)]
pub struct Context {
    last: Option<Arc<Segment>>,
    /// Whether something of it was said not to be stored.
    unstored: bool,
}

#[derive(Debug)]
struct Segment {
    before: Option<Arc<Segment>>,
    items: Vec<Item>,
    /// Items up to and including this segment.
    len: usize,
    /// Their bytes.
    bytes: usize,
}

impl Context {
    /// The same, and these items after it.
    #[must_use]
    pub fn with(&self, items: Vec<Item>) -> Self {
        if items.is_empty() {
            return self.clone();
        }
        let bytes = self.bytes() + items.iter().map(|item| item.text().len()).sum::<usize>();
        let len = self.len() + items.len();
        let last = Some(Arc::new(Segment { before: self.last.clone(), items, len, bytes }));
        Self { last, unstored: self.unstored }
    }

    /// The same, not to be stored anywhere; and so is all that goes on from it.
    #[must_use]
    pub fn unstored(self) -> Self {
        Self { unstored: true, ..self }
    }

    /// Whether something of it is not to be stored.
    pub fn is_unstored(&self) -> bool {
        self.unstored
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.last.as_ref().map_or(0, |segment| segment.len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the items have.
    pub fn bytes(&self) -> usize {
        self.last.as_ref().map_or(0, |segment| segment.bytes)
    }

    /// The newest of the items, so many of them, in order. Costs what is asked for, not what is there.
    pub fn newest(&self, count: usize) -> Vec<Item> {
        let mut newest: Vec<Item> = Vec::with_capacity(count.min(self.len()));
        let mut next = self.last.as_ref();
        while let Some(segment) = next.filter(|_| newest.len() < count) {
            newest.extend(segment.items.iter().rev().take(count - newest.len()).cloned());
            next = segment.before.as_ref();
        }
        newest.reverse();
        newest
    }

    /// What there was before the newest of the items, so many of them.
    #[must_use]
    pub fn without_newest(&self, count: usize) -> Self {
        let mut before = self.clone();
        let mut left = count;
        while let Some(segment) = before.last.clone().filter(|_| left > 0) {
            before.last.clone_from(&segment.before);
            if segment.items.len() > left {
                let kept = segment.items.iter().take(segment.items.len() - left);
                return before.with(kept.cloned().collect());
            }
            left -= segment.items.len();
        }
        before
    }

    /// All items in order.
    pub fn to_vec(&self) -> Vec<Item> {
        let mut segments = Vec::new();
        let mut next = self.last.as_ref();
        while let Some(segment) = next {
            segments.push(&segment.items);
            next = segment.before.as_ref();
        }
        segments.into_iter().rev().flatten().cloned().collect()
    }
}

impl FromIterator<Item> for Context {
    fn from_iter<T: IntoIterator<Item = Item>>(items: T) -> Self {
        Self::default().with(items.into_iter().collect())
    }
}

impl Drop for Segment {
    /// One after the other: a chain of a hundred thousand turns must not need a stack as deep.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut segment) = next.and_then(Arc::into_inner) {
            next = segment.before.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_shares_the_past_and_not_the_future() {
        let root: Context = [Item::user("a")].into_iter().collect();
        let (left, right) = (root.with(vec![Item::user("b")]), root.with(vec![Item::user("c"), Item::user("d")]));
        assert_eq!(left.to_vec(), [Item::user("a"), Item::user("b")]);
        assert_eq!(right.to_vec(), [Item::user("a"), Item::user("c"), Item::user("d")]);
        assert_eq!((root.len(), left.len(), right.len()), (1, 2, 3));
        assert!(Context::default().is_empty() && !root.is_empty());
        let newest = |count| right.newest(count).iter().map(|item| item.text().to_owned()).collect::<Vec<_>>();
        let all = right.to_vec().iter().map(|item| item.text().to_owned()).collect::<Vec<_>>();
        let before = |count| right.without_newest(count).to_vec();
        assert_eq!((before(0), before(1), before(2)), (right.to_vec(), right.to_vec()[..2].to_vec(), root.to_vec()));
        let private = root.clone().unstored().with(vec![Item::user("e")]);
        assert!(private.is_unstored() && private.without_newest(2).is_unstored() && !right.is_unstored());
        assert!(before(3).is_empty() && before(9).is_empty());
        assert_eq!((newest(0), newest(2), newest(9)), (vec![], all[1..].to_vec(), all));
        assert_eq!(left.bytes(), left.to_vec().iter().map(|item| item.text().len()).sum::<usize>());
    }

    #[test]
    fn a_very_long_chain_is_dropped_without_a_deep_stack() {
        let mut context = Context::default();
        for _ in 0..300_000 {
            context = context.with(vec![Item::user("x")]);
        }
        assert_eq!(context.len(), 300_000);
    }
}
