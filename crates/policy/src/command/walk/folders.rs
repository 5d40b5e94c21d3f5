//! The folder a command runs in: whether a change of it succeeds is not known, so there may be several.

use crate::command::MAX_FOLDERS;
use crate::command::field::{Field, Rest};
use crate::effects::Target;
use crate::place::{Path, Pattern};

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

    /// All of them; none if it may be any.
    pub(crate) fn all(&self) -> &[Path] {
        self.0.as_deref().unwrap_or_default()
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
        let (folder, names) = match word.rest {
            Rest::Unknown => return unknown(),
            Rest::Pattern => word.pattern(),
            Rest::Nothing => (word.start.clone(), String::new()),
        };
        let target = |path: Path| match word.rest {
            Rest::Nothing => Target::Path { path, deep },
            Rest::Pattern | Rest::Unknown => Target::Within(Pattern::new(path, &names, deep)),
        };
        match &self.0 {
            _ if folder.starts_with('/') => vec![target(Path::absolute(&folder))],
            Some(folders) => folders.iter().map(|from| target(Path::resolve(from, &folder))).collect(),
            None => unknown(),
        }
    }
}
