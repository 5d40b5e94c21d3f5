//! What was said and done in a session, for people.

use journal::record::{Outcome, Record};
use journal::sessions::{Entry, Step};
use responses::item::{Item, ItemView, Role};

use crate::time::shown;

/// How much is shown of what may be of any length and is read by nobody to its end.
const SHORT: usize = 200;

/// A record, or what is there in its place. Nothing, if there is nothing to be said of it.
pub(super) fn step(step: &Step) -> String {
    match step {
        Step::Entry(entry) => {
            let lost = if entry.lost.is_empty() { "" } else { "! a part of the next record is lost\n" };
            format!("{lost}{}", record(entry))
        }
        Step::Damage { session, what, .. } => format!("! {session} is damaged: {}\n", clean(what)),
    }
}

fn record(entry: &Entry) -> String {
    let line = |who: &str, what: &str| format!("{who}: {}\n", clean(what));
    match &entry.record {
        Record::Session(head) => {
            let forked = head.forked.map(|forked| format!(", forked from {} at {}", forked.from, forked.seq));
            let when = shown(entry.at / 1000);
            line("session", &format!("{} in {}, {when}{}", head.id, head.cwd, forked.unwrap_or_default()))
        }
        Record::Input { items: said } | Record::Output { items: said, .. } => items(said),
        Record::Compacted { items: said, .. } => format!("compacted to:\n{}", items(said)),
        Record::Outcome(outcome) => line("outcome", &outcome_of(outcome)),
        Record::Asked(asked) => line("asked", &asked.text),
        Record::Answered(answered) => line("answered", &format!("{} by {}", answered.answer, answered.by)),
        Record::Wait { why, until } => {
            let until = until.map(|until| format!(", until {}", shown(until / 1000))).unwrap_or_default();
            line("waits", &format!("{why}{until}"))
        }
        Record::Waited { how } => line("waited", how),
        Record::Route { way, why } => line("route", &format!("{way}, {why}")),
        Record::Usage(spent) => line("tokens", &format!("{} read, {} written", spent.usage.input, spent.usage.output)),
        Record::Title(title) => line("title", title),
        Record::Torn { bytes, .. } => line("torn", &format!("{bytes} bytes at the end were never whole")),
        Record::Unknown { kind, .. } => line("unknown", kind),
        Record::Begun(_) | Record::Ended { .. } | Record::Intent(_) | Record::Delta(_) => String::new(),
    }
}

fn items(items: &[Item]) -> String {
    items.iter().map(item).collect()
}

fn item(item: &Item) -> String {
    let kind = item.kind().tag().unwrap_or("unknown");
    match item.view() {
        ItemView::Message(message) => {
            let who = match &message.role {
                Role::Assistant => "model",
                role => role.as_str(),
            };
            format!("{}: {}\n", clean(who), clean(&message.content.to_text()))
        }
        ItemView::Reasoning(reasoning) => {
            let parts = reasoning.summary.unwrap_or_default();
            parts.iter().map(|part| format!("thought: {}\n", clean(&part.text))).collect::<Vec<_>>().concat()
        }
        ItemView::FunctionCall(call) => format!("call: {} {}\n", clean(&call.name), short(&call.arguments)),
        ItemView::CustomToolCall(call) => format!("call: {} {}\n", clean(&call.name), short(&call.input)),
        ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => {
            format!("output: {}\n", short(&output.output.to_text()))
        }
        _ => format!("{kind}\n"),
    }
}

fn outcome_of(outcome: &Outcome) -> String {
    let exit = outcome.exit.map(|exit| format!(", exit {exit}")).unwrap_or_default();
    let changed = outcome.changed.iter().map(|changed| format!(", {}", changed.path)).collect::<Vec<_>>().concat();
    let output = outcome.output.as_ref().map(item).unwrap_or_default();
    format!("{}{exit}{changed}\n{}", outcome.status.name(), output.trim_end())
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let beginning: String = text.chars().take(SHORT).map(|letter| if letter == '\n' { ' ' } else { letter }).collect();
    let more = if text.chars().nth(SHORT).is_some() { "…" } else { "" };
    clean(&format!("{beginning}{more}"))
}

/// Text that does to a terminal what text does, and nothing else.
fn clean(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() && !matches!(letter, '\n' | '\t') { ' ' } else { letter };
    text.trim_end().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_shown_and_moves_no_cursor() {
        let call = Item::parse(r#"{"type":"function_call","call_id":"1","name":"shell","arguments":"{\n}"}"#).unwrap();
        let said = [Item::user("look\u{1b}[2J\nhere"), Item::message(&Role::Assistant, "yes"), call];
        assert_eq!(items(&said), "user: look [2J\nhere\nmodel: yes\ncall: shell { }\n");
        assert_eq!(short(&"x".repeat(300)).chars().count(), SHORT + 1);
    }
}
