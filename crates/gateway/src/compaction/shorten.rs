//! Items that are too long, with their middle left out.

use std::fmt::Write as _;

use responses::item::{Content, Item, ItemView, Part};
use responses::json::ObjectWriter;

/// Room for what is said of a gap, and for the fields of an item beside its text.
const FRAME: usize = 256;

/// The item within so many bytes, or as it is where it has no text that could be shortened. Images and files give way
/// first; of what is left the beginning and the end stay.
pub(super) fn shortened(item: &Item, limit: usize) -> Item {
    if item.text().len() <= limit {
        return item.clone();
    }
    let room = limit.saturating_sub(FRAME);
    let with = |key, value: &str| item.with(key, &value.to_owned()).unwrap_or_else(|_| item.clone());
    match item.view() {
        ItemView::Message(message) => Item::message(&message.role, &cut(&plain(&message.content), room)),
        ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => {
            with("output", &cut(&plain(&output.output), room))
        }
        ItemView::LocalShellCallOutput(output) => with("output", &cut(&output.output, room)),
        ItemView::ApplyPatchCallOutput(output) => with("output", &cut(&output.output.unwrap_or_default(), room)),
        ItemView::CustomToolCall(call) => with("input", &cut(&call.input, room)),
        ItemView::FunctionCall(call) => with("arguments", &still_an_object(&cut(&call.arguments, room / 2))),
        _ => item.clone(),
    }
}

/// Arguments must be an object still, for servers that read them. It is quoted twice: hence half the room.
fn still_an_object(arguments: &str) -> String {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("shortened", arguments);
    object.end();
    text
}

/// Beginning and end of a text, of which JSON takes at most so many bytes, and a word about the gap.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().map(written).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let head = within(text.chars(), limit / 3 * 2);
    let tail = within(text.chars().rev(), limit / 3);
    let gone = text.len().saturating_sub(head + tail);
    let (head, tail) = (text.get(..head).unwrap_or_default(), text.get(head + gone..).unwrap_or_default());
    format!("{head}\n[{gone} bytes are left out here]\n{tail}")
}

/// The bytes of as many characters as JSON has room for.
fn within(characters: impl Iterator<Item = char>, mut room: usize) -> usize {
    let fits = |c: &char| {
        let fits = written(*c) <= room;
        room = room.saturating_sub(written(*c));
        fits
    };
    characters.take_while(fits).map(char::len_utf8).sum()
}

/// How many bytes a character takes in a JSON string.
fn written(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..' ' => 6,
        c => c.len_utf8(),
    }
}

/// Content as text, with a word for each thing that is none.
fn plain(content: &Content<'_>) -> String {
    let parts = match content {
        Content::Text(text) => return text.clone().into_owned(),
        Content::Parts(parts) => parts,
    };
    let mut text = String::new();
    for part in parts {
        match part {
            Part::InputText(part) | Part::OutputText(part) => text.push_str(&part.text),
            Part::Refusal(part) | Part::ReasoningText(part) | Part::SummaryText(part) => text.push_str(part),
            Part::InputImage { .. } => text.push_str("\n[an image is left out here]\n"),
            Part::InputFile { filename, .. } => {
                // Writing to a String cannot fail.
                let _ =
                    write!(text, "\n[the file {} is left out here]\n", filename.as_deref().unwrap_or("of this place"));
            }
            Part::Unknown(_) => text.push_str("\n[something is left out here]\n"),
        }
    }
    text
}
