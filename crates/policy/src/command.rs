//! A command line, read into what it may do.
//!
//! `parse` reads the text as bash does (a POSIX shell understands less of it) into a tree of `syntax`. `walk` goes
//! through the tree as a shell would, keeping track of the folder it is in; `expand` makes words into `field`s, and
//! `programs` says what each program does with them. Nothing is guessed: what is not understood is unclear.

mod call;
mod cursor;
mod expand;
mod field;
mod options;
mod parse;
mod programs;
mod syntax;
#[cfg(test)]
mod tests;
mod variables;
mod walk;

use crate::effects::{Effects, Unclear};
use crate::place::Surroundings;
use crate::shown::shown_up_to;

/// The longest command line that is read, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// How deep substitutions, compound commands and shells within shells may lie in one another.
const MAX_DEPTH: usize = 16;

/// How many commands are gone through at most, those in loops and functions each time they are.
const MAX_STEPS: usize = 4096;

/// How much is gone through at most: letters and words, again each time they are.
const MAX_WORK: usize = 4 * 1024 * 1024;

/// How many words one program may make of its own: what is found for each `{}`, what is packed from each folder.
const MAX_WORDS: usize = 4096;

/// How many letters braces may make of one word.
const MAX_EXPANDED: usize = 64 * 1024;

/// How many words braces may make of one.
const MAX_BRACED: usize = 256;

/// Through how many values a loop is gone one by one.
const MAX_VALUES: usize = 8;

/// How many folders a command may be in before it counts as being anywhere.
const MAX_FOLDERS: usize = 8;

/// How much of a text is shown in an [`Unclear`], in characters.
const MAX_SHOWN: usize = 80;

/// What a command line for a POSIX shell or bash may do. Total: any text has an answer, and what cannot be told is in
/// [`Effects::unclear`].
pub fn effects(line: &str, around: &Surroundings) -> Effects {
    if line.len() > MAX_LINE {
        return Effects {
            unclear: vec![unclear(line, "the command line is too long to be read")],
            ..Effects::default()
        };
    }
    walk::Walk::new(around).whole(line)
}

fn unclear(text: &str, why: &str) -> Unclear {
    Unclear { text: shortened(text), why: why.to_owned() }
}

/// The beginning of a text, on one line: what is approved is what is seen, so a line break is no space.
fn shortened(text: &str) -> String {
    // What is written out may be longer than it was.
    shown_up_to(MAX_SHOWN, &shown_up_to(MAX_SHOWN, text.trim()))
}

/// Why a line with this character is not read at all, if so: a person who is asked would not see what the shell sees.
fn hidden(letter: char) -> Option<&'static str> {
    match letter {
        '\n' | '\t' => None,
        letter if letter.is_control() => Some("there is a control character in it"),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{e0000}'..='\u{e0fff}' => Some("there is an invisible character in it"),
        letter if letter != ' ' && letter.is_whitespace() => Some("there is a space in it that is none to a shell"),
        _ => None,
    }
}
