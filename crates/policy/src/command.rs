//! A command line, read into what it may do.

use crate::effects::Effects;
use crate::place::Surroundings;

/// What a command line for a POSIX shell or bash may do. Total: any text has an answer, and what cannot be told is in
/// [`Effects::unclear`].
pub fn effects(line: &str, around: &Surroundings) -> Effects {
    let _ = (line, around);
    Effects::default()
}
