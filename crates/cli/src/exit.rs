//! How a run ends, in a number.

use std::process::ExitCode;

/// What the exit code says: the cause, so that a script need not read the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// It was asked for in a wrong way, or the settings are wrong.
    Usage = 2,
    /// It is not allowed.
    Refused = 3,
    /// The provider cannot be used.
    Provider = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
