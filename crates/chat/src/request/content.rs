//! What messages and outputs contain.

use std::borrow::Cow;

use responses::item::{Content, ImageDetail, Part};
use responses::json::{Object, ObjectWriter};

use super::left_out::LeftOuts;
use super::{BETWEEN, NotChat};

const INLINE: &str = "send it inline, as a data URL";
const LEAVE: &str = "leave it out or use a provider of the Responses API";

/// Text and what stands beside it.
#[derive(Debug, Default)]
pub(super) struct Mixed {
    /// Each part as chat completions writes it.
    parts: Vec<String>,
    /// Those parts that are not text.
    pub(super) attached: Vec<String>,
    texts: Vec<String>,
}

impl Mixed {
    /// Reads content that may hold images and files.
    pub(super) fn read(content: &Content<'_>, left_out: &mut LeftOuts) -> Result<Self, NotChat> {
        let mut mixed = Self::default();
        match content {
            Content::Text(text) => mixed.say(text),
            Content::Parts(parts) => {
                for part in parts {
                    match text(part) {
                        Some(text) => mixed.say(text),
                        None => mixed.attach(attachment(part, left_out)?),
                    }
                }
            }
        }
        Ok(mixed)
    }

    /// Adds what comes after it.
    pub(super) fn append(&mut self, mut more: Self) {
        self.parts.append(&mut more.parts);
        self.attached.append(&mut more.attached);
        self.texts.append(&mut more.texts);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn say(&mut self, text: &str) {
        self.parts.push(text_part(text));
        self.texts.push(text.to_owned());
    }

    pub(super) fn attach(&mut self, part: String) {
        self.parts.push(part.clone());
        self.attached.push(part);
    }

    /// All the text.
    pub(super) fn text(&self) -> String {
        self.texts.join(BETWEEN)
    }

    /// Puts it into a message: as a string where it is only text, because not every template takes a list.
    pub(super) fn put(&self, message: &mut ObjectWriter<'_>) {
        if self.attached.is_empty() {
            message.field("content", &self.text());
        } else {
            message.raw("content", &format!("[{}]", self.parts.join(",")));
        }
    }
}

/// A part that is text.
fn text_part(text: &str) -> String {
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    object.field("type", "text").field("text", text);
    object.end();
    out
}

/// Reads content where only text can stand.
pub(super) fn only_text<'a>(content: &'a Content<'_>, place: &'static str) -> Result<Cow<'a, str>, NotChat> {
    match content {
        Content::Text(text) => Ok(Cow::Borrowed(text)),
        Content::Parts(parts) => {
            let texts: Result<Vec<_>, _> =
                parts.iter().map(|part| text(part).ok_or_else(|| misplaced(part, place, LEAVE))).collect();
            Ok(Cow::Owned(texts?.join(BETWEEN)))
        }
    }
}

/// That the model declined is something it said. Chat completions has a field for it, which few servers know.
fn text<'a>(part: &'a Part<'_>) -> Option<&'a str> {
    match part {
        Part::InputText(text) | Part::OutputText(text) => Some(&text.text),
        Part::Refusal(text) | Part::ReasoningText(text) | Part::SummaryText(text) => Some(text),
        Part::InputImage { .. } | Part::InputFile { .. } | Part::Unknown(_) => None,
    }
}

fn attachment(part: &Part<'_>, left_out: &mut LeftOuts) -> Result<String, NotChat> {
    const PLACE: &str = "a message";
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    match part {
        Part::InputImage { image_url: Some(url), detail, .. } => {
            object.field("type", "image_url");
            let mut image = ObjectWriter::begin(object.open("image_url"));
            image.field("url", url).field("detail", &detail.as_ref().map(|detail| known_detail(detail, left_out)));
            image.end();
        }
        Part::InputFile { file_data: Some(data), filename, .. } => {
            object.field("type", "file");
            let mut file = ObjectWriter::begin(object.open("file"));
            file.field("filename", filename).field("file_data", data);
            file.end();
        }
        Part::InputImage { .. } | Part::InputFile { .. } => return Err(misplaced(part, PLACE, INLINE)),
        _ => return Err(misplaced(part, PLACE, LEAVE)),
    }
    object.end();
    Ok(out)
}

/// Servers check the value against the three old names.
fn known_detail<'a>(detail: &'a ImageDetail, left_out: &mut LeftOuts) -> &'a str {
    match detail {
        ImageDetail::Low | ImageDetail::High | ImageDetail::Auto => detail.as_str(),
        ImageDetail::Original | ImageDetail::Other(_) => {
            left_out.field(&format!("input_image.detail.{}", detail.as_str()));
            ImageDetail::High.as_str()
        }
    }
}

fn misplaced(part: &Part<'_>, place: &'static str, instead: &'static str) -> NotChat {
    let part = match part {
        Part::InputImage { image_url: None, .. } => "input_image without image_url".into(),
        Part::InputImage { .. } => "input_image".into(),
        Part::InputFile { file_data: None, .. } => "input_file without file_data".into(),
        Part::InputFile { .. } => "input_file".into(),
        Part::Unknown(raw) => kind_of(raw.0),
        _ => "text".into(),
    };
    NotChat::Content { part, place, instead }
}

/// The `type` of something this version does not know.
pub(super) fn kind_of(text: &str) -> Box<str> {
    let kind = Object::parse(text).and_then(|object| object.read::<Box<str>>("type"));
    kind.unwrap_or_else(|_| "unknown".into())
}
