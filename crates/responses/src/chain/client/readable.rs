//! What of a transcript a server can read that has none of it.

use std::borrow::Cow;

use crate::item::{Item, ItemView, Reasoning, Role};

/// All items but thoughts that the service would refuse: those without the item they led to, and, where it keeps
/// nothing, those that are only a name. Nearly always that is all items, and nothing is copied.
pub fn readable(items: &[Item], store: bool) -> Cow<'_, [Item]> {
    // From the end: whether what was seen last is something a thought can have led to.
    let mut leads_on = false;
    let read = items.iter().rev().map(|item| match item.view() {
        ItemView::Reasoning(thought) => leads_on && (store || has_content(&thought)),
        _ => {
            leads_on = is_said_by_the_model(item);
            true
        }
    });
    let read: Vec<bool> = read.collect();
    if read.iter().all(|read| *read) {
        return Cow::Borrowed(items);
    }
    items.iter().zip(read.iter().rev()).filter(|(_, read)| **read).map(|(item, _)| item.clone()).collect()
}

fn has_content(thought: &Reasoning<'_>) -> bool {
    let shown = thought.content.as_ref().is_some_and(|content| !content.to_text().is_empty());
    thought.encrypted_content.is_some() || shown
}

fn is_said_by_the_model(item: &Item) -> bool {
    match item.view() {
        ItemView::Message(message) => message.role == Role::Assistant,
        _ => item.answers().is_none() && !item.kind().is_only_said_to_the_model(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(items: &[&str], store: bool) -> usize {
        let items: Vec<Item> = items.iter().map(|text| Item::parse(text).unwrap()).collect();
        readable(&items, store).len()
    }

    const THOUGHT: &str = r#"{"type":"reasoning","summary":[],"encrypted_content":"x"}"#;
    const NAME: &str = r#"{"type":"reasoning","id":"rs_1","summary":[]}"#;
    const SAID: &str = r#"{"type":"message","role":"assistant","content":"a"}"#;
    const CALL: &str = r#"{"type":"custom_tool_call","call_id":"c","name":"f","input":""}"#;
    const ANSWER: &str = r#"{"type":"custom_tool_call_output","call_id":"c","output":""}"#;
    const USER: &str = r#"{"role":"user","content":"u"}"#;

    #[test]
    fn thoughts_travel_with_what_they_led_to() {
        assert_eq!(read(&[USER, THOUGHT, SAID, USER, THOUGHT, THOUGHT, CALL, ANSWER], false), 8);
        assert_eq!(read(&[USER, THOUGHT, USER, THOUGHT], false), 2);
        assert_eq!(read(&[CALL, THOUGHT, ANSWER], false), 2);
    }

    #[test]
    fn a_thought_that_is_only_a_name_is_understood_where_it_is_kept() {
        assert_eq!(read(&[USER, NAME, SAID], false), 2);
        assert_eq!(read(&[USER, NAME, SAID], true), 3);
    }
}
