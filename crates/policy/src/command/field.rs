//! Words as a program gets them, as far as their text tells.

/// A word that a program gets, or several: what a variable holds may be split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// The text up to what depends on the run.
    pub(crate) start: String,
    pub(crate) rest: Rest,
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
        Self { start: text.to_owned(), rest: Rest::Nothing, splits: false, written: super::shortened(text) }
    }

    /// Any number of words that nothing is known of.
    pub(crate) fn unknown(written: &str) -> Self {
        let written = super::shortened(written);
        Self { start: String::new(), rest: Rest::Unknown, splits: true, written }
    }

    /// Anything in a folder.
    pub(crate) fn within(folder: &str) -> Self {
        let start = format!("{}/", folder.trim_end_matches('/'));
        let written = super::shortened(&start);
        Self { start, rest: Rest::Pattern, splits: true, written }
    }

    /// All of it, if it is known.
    pub(crate) fn text(&self) -> Option<&str> {
        (self.rest == Rest::Nothing).then_some(self.start.as_str())
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

/// The folder in which a pattern finds names, from its fixed beginning: `src` of `src/*.rs`. A name that begins with a dot
/// may be that of the folder above.
pub(crate) fn pattern_folder(start: &str) -> String {
    let (folder, name) = match start.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => ("./".to_owned(), start),
    };
    if name.starts_with('.') { format!("{folder}..") } else { folder }
}
