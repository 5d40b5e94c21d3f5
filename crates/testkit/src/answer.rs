//! What a model answers: by its script, or by a function of what it sees.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::record::Seen;
use crate::refusal::Refusal;
use crate::script::{Script, Turn};

/// Where turns come from.
pub(crate) enum Mind {
    Script { turns: Vec<Turn>, repeat_last: bool, taken: AtomicUsize },
    Function(Box<dyn Fn(&Seen) -> Turn + Send + Sync>),
}

impl Mind {
    pub(crate) fn of(script: Script) -> Self {
        Self::Script { turns: script.turns, repeat_last: script.repeat_last, taken: AtomicUsize::new(0) }
    }

    /// The next turn.
    pub(crate) fn turn(&self, seen: &Seen) -> Result<Turn, Refusal> {
        match self {
            Self::Function(answer) => Ok(answer(seen)),
            Self::Script { turns, repeat_last, taken } => {
                let at = taken.fetch_add(1, Ordering::Relaxed);
                let last = turns.last().filter(|_| *repeat_last);
                turns.get(at).or(last).cloned().ok_or_else(|| Refusal::exhausted(turns.len(), at + 1))
            }
        }
    }
}

impl fmt::Debug for Mind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script { turns, .. } => write!(f, "a script of {} turns", turns.len()),
            Self::Function(_) => f.write_str("a function"),
        }
    }
}
