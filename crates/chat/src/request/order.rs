//! Where the answers to calls stand.
//!
//! The Responses API lets others speak between a call and its answer. Servers of chat completions refuse that: the
//! answers move up to their calls, and everything else keeps its order. Where an item goes depends only on items before
//! it, so what is added to a conversation whose calls are all answered comes after all of it.

use std::collections::BTreeMap;

use responses::id::CallId;
use responses::item::{Item, ItemView, Role};

/// The items, with the answers to the calls of a turn at the end of the turn.
pub(super) fn answers_at_once(items: &[Item]) -> Vec<&Item> {
    let mut turns = Turns::default();
    let mut placed: Vec<_> = items.iter().enumerate().map(|(at, item)| (turns.place(at, item), item)).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, item)| item).collect()
}

/// A position in the conversation, and whether the item is the one that stands there; an answer that moved up is not,
/// and comes before it.
type Place = (usize, bool);

#[derive(Default)]
struct Turns {
    /// The position of the first item after each turn of the model.
    ends: Vec<usize>,
    /// In which turns a call was made that has no answer yet: some servers use an id again.
    open: BTreeMap<CallId, Vec<usize>>,
}

impl Turns {
    fn place(&mut self, at: usize, item: &Item) -> Place {
        match item.view() {
            ItemView::FunctionCall(call) => self.open(call.call_id),
            ItemView::CustomToolCall(call) => self.open(call.call_id),
            ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => {
                self.ends.push(at);
                if let Some(end) = output.call_id.and_then(|call| self.close(&call)) {
                    return (end, false);
                }
            }
            ItemView::Message(message) if message.role != Role::Assistant => self.ends.push(at),
            _ => {}
        }
        (at, true)
    }

    fn open(&mut self, call: CallId) {
        self.open.entry(call).or_default().push(self.ends.len());
    }

    /// Where the turn ended that made the call.
    fn close(&mut self, call: &CallId) -> Option<usize> {
        let turn = self.open.get_mut(call)?.pop()?;
        self.ends.get(turn).copied()
    }
}
