//! Words as a program gets them, as far as their text tells.

use crate::place::{Meets, meets};

/// A word that a program gets, or several: what a variable holds may be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// The text up to what depends on the run.
    pub(crate) start: String,
    pub(crate) rest: Rest,
    /// What follows of a pattern: `*` is any text, `?` any letter, a part `**` any folders.
    pub(crate) glob: String,
    /// It may be none or several words.
    pub(crate) splits: bool,
    /// How it is written, shortened.
    pub(crate) written: String,
}

/// What follows the fixed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    /// Names of files that a pattern finds, in the folder of the fixed text or deeper.
    Pattern,
    /// Anything.
    Unknown,
}

impl Field {
    /// A word that is known.
    pub(crate) fn fixed(text: &str) -> Self {
        let written = super::shortened(text);
        Self { start: text.to_owned(), rest: Rest::Nothing, glob: String::new(), splits: false, written }
    }

    /// Any number of words that nothing is known of.
    pub(crate) fn unknown(written: &str) -> Self {
        let written = super::shortened(written);
        Self { start: String::new(), rest: Rest::Unknown, glob: String::new(), splits: true, written }
    }

    /// Anything in a folder.
    pub(crate) fn within(folder: &str) -> Self {
        let start = format!("{}/", folder.trim_end_matches('/'));
        let written = super::shortened(&start);
        Self { start, rest: Rest::Pattern, glob: "**".to_owned(), splits: true, written }
    }

    /// Whatever begins like this.
    pub(crate) fn beginning(self) -> Self {
        let rest = if self.rest == Rest::Nothing { Rest::Pattern } else { self.rest };
        Self { rest, glob: format!("{}*", self.glob), ..self }
    }

    /// All of it, if it is known.
    pub(crate) fn text(&self) -> Option<&str> {
        (self.rest == Rest::Nothing).then_some(self.start.as_str())
    }

    /// The folder in which a pattern finds names, and the names: `src` and `*.rs` of `src/*.rs`. A name that may be two dots
    /// leads to all of the folder above.
    pub(crate) fn pattern(&self) -> (String, String) {
        let (folder, name) = match self.start.rsplit_once('/') {
            Some((folder, name)) => (format!("{folder}/"), name),
            None => ("./".to_owned(), self.start.as_str()),
        };
        // A letter in quotes that means something without them is itself, and so is found by any letter.
        let names = format!("{}{}", name.replace(['*', '?'], "?"), self.glob);
        let first = names.split('/').next().unwrap_or_default();
        if may_lead_up(first) { (format!("{folder}.."), "**".to_owned()) } else { (folder, names) }
    }

    /// Whether it may begin like an option.
    pub(crate) fn may_be_option(&self) -> bool {
        self.start.starts_with('-') || (self.start.is_empty() && self.rest != Rest::Nothing)
    }

    /// What is left of it after so many bytes of its fixed text.
    pub(crate) fn after(&self, bytes: usize) -> Self {
        Self { start: self.start.get(bytes..).unwrap_or_default().to_owned(), ..self.clone() }
    }

    /// What is left of it after this text, if it begins so.
    pub(crate) fn strip(&self, prefix: &str) -> Option<Self> {
        self.start.starts_with(prefix).then(|| self.after(prefix.len()))
    }

    /// Both sides of the first such letter in its fixed text.
    pub(crate) fn split(&self, at: char) -> Option<(String, Self)> {
        let (left, _) = self.start.split_once(at)?;
        Some((left.to_owned(), self.after(left.len() + at.len_utf8())))
    }
}

/// Whether a part of a pattern may find the folder above.
pub(crate) fn may_lead_up(part: &str) -> bool {
    meets(part, "..") == Meets::Points
}
