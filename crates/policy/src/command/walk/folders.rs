//! The folder a command runs in: whether a change of it succeeds is not known, so there may be several.

use crate::command::MAX_FOLDERS;
use crate::command::field::{Field, Rest, pattern_folder};
use crate::effects::Target;
use crate::place::Path;

/// The folders a command may run in; none is known if it may be any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folders(Option<Vec<Path>>);

impl Folders {
    pub(crate) fn one(path: Path) -> Self {
        Self(Some(vec![path]))
    }

    pub(crate) fn any() -> Self {
        Self(None)
    }

    /// These and those.
    pub(crate) fn with(mut self, others: &Self) -> Self {
        let (Some(folders), Some(others)) = (&mut self.0, &others.0) else { return Self::any() };
        for other in others {
            if !folders.contains(other) {
                folders.push(other.clone());
            }
        }
        if folders.len() > MAX_FOLDERS { Self::any() } else { self }
    }

    /// The only one.
    pub(crate) fn only(&self) -> Option<&Path> {
        match self.0.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// The folders that a word leads to from here.
    pub(crate) fn led(&self, word: &Field) -> Self {
        match (word.text(), &self.0) {
            (Some(text), _) if text.starts_with('/') => Self::one(Path::absolute(text)),
            (Some(text), Some(folders)) => {
                let led = folders.iter().map(|folder| Path::resolve(folder, text)).collect();
                Self(Some(led))
            }
            _ => Self::any(),
        }
    }

    /// What a word names from here.
    pub(crate) fn targets(&self, word: &Field, deep: bool) -> Vec<Target> {
        let unknown = || vec![Target::Unknown(word.written.clone())];
        let text = match word.rest {
            Rest::Unknown => return unknown(),
            Rest::Pattern => pattern_folder(&word.start),
            Rest::Nothing => word.start.clone(),
        };
        let target = |path: Path| match word.rest {
            Rest::Nothing => Target::Path { path, deep },
            Rest::Pattern | Rest::Unknown => Target::Within(path),
        };
        match &self.0 {
            _ if text.starts_with('/') => vec![target(Path::absolute(&text))],
            Some(folders) => folders.iter().map(|folder| target(Path::resolve(folder, &text))).collect(),
            None => unknown(),
        }
    }
}
