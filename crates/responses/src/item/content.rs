//! What messages and tool outputs contain.

use std::borrow::Cow;

use crate::json::{Object, ObjectWriter, Raw, Read, WireError, Write};
use crate::macros::open_enum;

open_enum! {
    /// How closely a model looks at an image.
    pub enum ImageDetail {
        /// A small version is enough.
        Low = "low",
        /// The usual resolution.
        High = "high",
        /// The server chooses.
        Auto = "auto",
        /// The pixels as they are.
        Original = "original",
    }
}

/// Content is a string, or a list of parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// The short form.
    Text(Cow<'a, str>),
    /// The long form.
    Parts(Vec<Part<'a>>),
}

impl Content<'_> {
    /// All text of the content, parts joined; images and files leave no trace in it.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Parts(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::InputText(text) | Part::OutputText(text) => Some(text.text.as_ref()),
                    Part::Refusal(text) | Part::ReasoningText(text) | Part::SummaryText(text) => Some(text.as_ref()),
                    _ => None,
                })
                .collect(),
        }
    }
}

impl<'a> Read<'a> for Content<'a> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        match text.as_bytes().first() {
            Some(b'"') => Ok(Self::Text(Read::read(text)?)),
            Some(b'[') => Ok(Self::Parts(Read::read(text)?)),
            _ => Err(WireError::shape("a string or a list of parts", text)),
        }
    }
}

impl Write for Content<'_> {
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => text.write(out),
            Self::Parts(parts) => parts.write(out),
        }
    }
}

/// One part of content.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<'a> {
    /// Text given to the model.
    InputText(PartText<'a>),
    /// Text from the model.
    OutputText(PartText<'a>),
    /// The model declines.
    Refusal(Cow<'a, str>),
    /// Reasoning as it was, from models that show it.
    ReasoningText(Cow<'a, str>),
    /// A summary of reasoning.
    SummaryText(Cow<'a, str>),
    /// An image, by address (data URLs included) or by file.
    InputImage {
        /// Where it is.
        image_url: Option<Cow<'a, str>>,
        /// Or its id at the server.
        file_id: Option<Cow<'a, str>>,
        /// How closely to look.
        detail: Option<ImageDetail>,
    },
    /// A file, by id, address or content.
    InputFile {
        /// Its id at the server.
        file_id: Option<Cow<'a, str>>,
        /// Where it is.
        file_url: Option<Cow<'a, str>>,
        /// Its content as a data URL.
        file_data: Option<Cow<'a, str>>,
        /// What to call it.
        filename: Option<Cow<'a, str>>,
    },
    /// A part this version does not know, as it came.
    Unknown(Raw<'a>),
}

/// Text with what hangs on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartText<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Citations, on text from the model.
    pub annotations: Vec<Annotation<'a>>,
}

/// A citation; what it points at depends on its kind, so it is carried.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation<'a> {
    /// `url_citation`, `file_citation`, `container_file_citation`, `file_path`, or newer.
    pub kind: Cow<'a, str>,
    /// All of it.
    pub raw: Raw<'a>,
}

impl<'a> Read<'a> for Annotation<'a> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        Ok(Self { kind: Object::split(text)?.read("type")?, raw: Raw(text) })
    }
}

impl Write for Annotation<'_> {
    fn write(&self, out: &mut String) {
        self.raw.write(out);
    }
}

impl<'a> Read<'a> for Part<'a> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let object = Object::split(text)?;
        let kind: Cow<'a, str> = object.read("type")?;
        let with_annotations = || {
            let annotations = object.read::<Option<Vec<_>>>("annotations")?.unwrap_or_default();
            Ok::<_, WireError>(PartText { text: object.read("text")?, annotations })
        };
        Ok(match &*kind {
            "input_text" => Self::InputText(PartText { text: object.read("text")?, annotations: Vec::new() }),
            "output_text" => Self::OutputText(with_annotations()?),
            "refusal" => Self::Refusal(object.read("refusal")?),
            "reasoning_text" => Self::ReasoningText(object.read("text")?),
            "summary_text" => Self::SummaryText(object.read("text")?),
            "input_image" => Self::InputImage {
                image_url: object.read("image_url")?,
                file_id: object.read("file_id")?,
                detail: object.read("detail")?,
            },
            "input_file" => Self::InputFile {
                file_id: object.read("file_id")?,
                file_url: object.read("file_url")?,
                file_data: object.read("file_data")?,
                filename: object.read("filename")?,
            },
            _ => Self::Unknown(Raw(text)),
        })
    }
}

impl Write for Part<'_> {
    fn write(&self, out: &mut String) {
        if let Self::Unknown(raw) = self {
            return raw.write(out);
        }
        let mut object = ObjectWriter::begin(out);
        match self {
            Self::InputText(part) => object.field("type", "input_text").field("text", &part.text),
            Self::OutputText(part) => {
                object.field("type", "output_text").field("text", &part.text);
                object.field("annotations", &part.annotations)
            }
            Self::Refusal(text) => object.field("type", "refusal").field("refusal", text),
            Self::ReasoningText(text) => object.field("type", "reasoning_text").field("text", text),
            Self::SummaryText(text) => object.field("type", "summary_text").field("text", text),
            Self::InputImage { image_url, file_id, detail } => {
                object.field("type", "input_image").field("image_url", image_url);
                object.field("file_id", file_id).field("detail", detail)
            }
            Self::InputFile { file_id, file_url, file_data, filename } => {
                object.field("type", "input_file").field("file_id", file_id).field("file_url", file_url);
                object.field("file_data", file_data).field("filename", filename)
            }
            Self::Unknown(_) => &mut object,
        };
        object.end();
    }
}
