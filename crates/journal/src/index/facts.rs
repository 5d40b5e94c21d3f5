//! What the index knows of one session, and how a record changes it.

use std::borrow::Cow;

use responses::item::{Item, ItemView};

use super::Counts;
use crate::record::{Record, Stamped};
use crate::sessions::SessionId;

/// The longest title, in characters.
const MAX_TITLE: usize = 80;

/// How much of a text is searched.
const MAX_TEXT: usize = 64 << 10;

/// What is known of one session.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) title: Option<String>,
    /// Whether the title was given, not taken from how the session begins.
    pub(super) named: bool,
    pub(super) cwd: String,
    pub(super) created: u64,
    pub(super) changed: u64,
    pub(super) counts: Counts,
    pub(super) wait: Option<(String, Option<u64>)>,
    pub(super) past: Option<SessionId>,
    pub(super) damage: Option<String>,
}

impl Facts {
    /// Takes the next record, and gives what of it is searched.
    pub(super) fn take(&mut self, Stamped { at, record }: &Stamped) -> Option<String> {
        self.changed = self.changed.max(*at);
        let counts = &mut self.counts;
        match record {
            Record::Session(head) => {
                self.created = *at;
                self.cwd.clone_from(&head.cwd);
                self.past = head.forked.map(|forked| forked.from);
            }
            Record::Input { items } => {
                counts.inputs += 1;
                let text = text_of(items);
                if self.title.is_none() {
                    self.title = text.as_deref().and_then(title);
                }
                return text;
            }
            Record::Output { items, .. } => {
                counts.outputs += 1;
                return text_of(items);
            }
            Record::Intent(_) => counts.calls += 1,
            Record::Usage(spent) => {
                counts.input_tokens = counts.input_tokens.saturating_add(spent.usage.input);
                counts.output_tokens = counts.output_tokens.saturating_add(spent.usage.output);
                counts.cost = counts.cost.saturating_add(spent.cost.unwrap_or_default());
            }
            Record::Wait { why, until } => self.wait = Some((why.clone(), *until)),
            Record::Waited { .. } => self.wait = None,
            Record::Title(text) => {
                self.title = title(text);
                self.named = true;
                return Some(text.clone());
            }
            _ => {}
        }
        None
    }
}

/// The first line that says something, shortened.
fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let plain: String = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    Some(match plain.char_indices().nth(MAX_TITLE) {
        Some((end, _)) => format!("{}…", plain.get(..end).unwrap_or_default()),
        None => plain,
    })
}

/// What is said in messages.
fn text_of(items: &[Item]) -> Option<String> {
    let mut text = String::new();
    for item in items {
        let view = item.view();
        let said = match &view {
            ItemView::Message(message) => message.content.to_text(),
            ItemView::AgentMessage(message) => message.content.to_text(),
            _ => Cow::Borrowed(""),
        };
        if !said.is_empty() && text.len() < MAX_TEXT {
            text.push_str(&said);
            text.push('\n');
        }
    }
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_line_that_says_something_shortened() {
        assert_eq!(title("\n  fix the\tbug \nmore").as_deref(), Some("fix the bug"));
        assert_eq!(title(" \n"), None);
        let long = title(&"ä".repeat(100)).unwrap();
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_TITLE + 1, true));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = text_of(&[Item::user(&"ä".repeat(MAX_TEXT)), Item::user("more")]).unwrap();
        assert_eq!(text.len(), MAX_TEXT);
    }
}
