//! The conversation, as the model is to see it.

use crate::id::CallId;
use crate::item::Item;

/// Which writing of a transcript this is. Appending keeps it; rewriting makes a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(u64);

/// Items in order. It grows at the end and nowhere else: what the model has seen cannot change under it.
#[derive(Debug, Clone)]
pub struct Transcript {
    generation: Generation,
    items: Vec<Item>,
    /// Bytes of all items up to and including each, so that any tail is sized in one subtraction.
    ends: Vec<usize>,
    unanswered: Vec<CallId>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self { generation: Generation(0), items: Vec::new(), ends: Vec::new(), unanswered: Vec::new() }
    }
}

impl Transcript {
    /// Appends an item.
    pub fn push(&mut self, item: Item) {
        const COMMA: usize = 1;
        self.ends.push(self.bytes() + item.text().len() + COMMA);
        self.unanswered = self.unanswered_after(std::slice::from_ref(&item));
        self.items.push(item);
    }

    /// Another writing of the conversation: compacted, redacted. What servers remember of the old one is void.
    #[must_use]
    pub fn rewritten(&self, items: impl IntoIterator<Item = Item>) -> Self {
        let mut new = Self { generation: Generation(self.generation.0 + 1), ..Self::default() };
        new.extend(items);
        new
    }

    /// Which writing this is.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// All items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The items from `start` on.
    pub fn since(&self, start: usize) -> &[Item] {
        self.items.get(start..).unwrap_or_default()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing was said yet.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The size of all items on the wire.
    pub fn bytes(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The size on the wire of the items from `start` on.
    pub fn bytes_since(&self, start: usize) -> usize {
        let before = start.checked_sub(1).and_then(|last| self.ends.get(last).copied()).unwrap_or(0);
        self.bytes().saturating_sub(if start > self.len() { self.bytes() } else { before })
    }

    /// The calls that would be unanswered if `items` were appended.
    pub fn unanswered_after(&self, items: &[Item]) -> Vec<CallId> {
        let mut open = self.unanswered.clone();
        for item in items {
            match item.answers() {
                Some(call) => open.retain(|other| *other != call),
                None => open.extend(item.call()),
            }
        }
        open
    }

    /// Calls of the model that no item answers yet. The service takes no request while there are any.
    pub fn unanswered(&self) -> &[CallId] {
        &self.unanswered
    }
}

impl Extend<Item> for Transcript {
    fn extend<T: IntoIterator<Item = Item>>(&mut self, items: T) {
        for item in items {
            self.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CallId;

    fn call(id: &str) -> Item {
        Item::parse(&format!(r#"{{"type":"function_call","call_id":"{id}","name":"f","arguments":""}}"#)).unwrap()
    }

    #[test]
    fn any_tail_has_the_size_of_its_items_and_their_commas() {
        let mut transcript = Transcript::default();
        transcript.extend(["a", "bb", "ccc"].map(Item::user));
        for start in 0..5 {
            let expected: usize = transcript.since(start).iter().map(|item| item.text().len() + 1).sum();
            assert_eq!(transcript.bytes_since(start), expected, "from {start}");
        }
    }

    #[test]
    fn a_call_is_unanswered_until_its_answer_comes() {
        let mut transcript = Transcript::default();
        transcript.extend([call("a"), call("b")]);
        transcript.push(Item::function_output(&CallId::from("a"), "done"));
        assert_eq!(transcript.unanswered(), [CallId::from("b")]);
    }

    #[test]
    fn a_rewriting_is_a_new_generation_and_leaves_the_old_one_alone() {
        let mut old = Transcript::default();
        old.push(Item::user("a"));
        let new = old.rewritten([Item::user("b")]);
        assert_ne!(old.generation(), new.generation());
        assert_eq!((old.items(), new.items()), (&[Item::user("a")][..], &[Item::user("b")][..]));
    }
}
