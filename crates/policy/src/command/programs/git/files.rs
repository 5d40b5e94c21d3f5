//! The files that the options and words of git name.

use super::is_message;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::programs::rewrites::{changes, changes_all};
use crate::effects::Nature;

/// What follows one of the wanted letters among short options, where others may take the rest.
pub(super) fn cluster(word: &Field, wanted: &str, others: &str) -> Option<(char, Field)> {
    if !word.start.starts_with('-') || word.start.starts_with("--") {
        return None;
    }
    let mut at = 1;
    for letter in word.start.chars().skip(1) {
        at += letter.len_utf8();
        if wanted.contains(letter) {
            return Some((letter, word.after(at)));
        }
        if others.contains(letter) {
            return None;
        }
    }
    None
}

/// Long options whose value is a file that is read, for any verb.
const READ: &[&str] = &["--file", "--pathspec-from-file", "--exclude-from", "--ignore-revs-file", "--contents"];

/// Long options whose value is a text, also one that looks like a path.
const TEXTS: &[&str] = &[
    "--format",
    "--pretty",
    "--grep",
    "--author",
    "--src-prefix",
    "--dst-prefix",
    "--message",
    "--committer",
    "--date",
    "--trailer",
    "--subject-prefix",
    "--output",
    "--output-directory",
    "--since",
    "--until",
    "--before",
    "--after",
    "--file",
    "--pathspec-from-file",
    "--exclude-from",
    "--ignore-revs-file",
    "--exec",
    "--prefix",
];

/// Verbs whose words are places that are told elsewhere.
const PLACES: &[&str] = &[
    "archive",
    "bisect",
    "bundle",
    "clone",
    "config",
    "fetch",
    "init",
    "ls-remote",
    "pull",
    "push",
    "rebase",
    "remote",
    "rm",
    "submodule",
    "worktree",
];

/// Files that words name: those of options that are read, and those that lie outside.
pub(super) fn files(call: &mut Call<'_, '_>, name: &str, words: &[Field]) {
    for (at, word) in words.iter().enumerate() {
        let next = || words.get(at + 1).cloned().unwrap_or_else(|| Field::unknown(&word.written));
        let option = word.start.split('=').next().unwrap_or_default();
        let (wanted, others) = match name {
            "commit" => ("Ft", "mcCuS"),
            "tag" | "merge" | "notes" => ("F", "muSsX"),
            "ls-files" => ("X", "x"),
            "grep" => ("f", "eABCmO"),
            _ => ("", ""),
        };
        if option.len() > 4 && READ.iter().any(|known| known.starts_with(option)) {
            let value = word.split('=').map_or_else(next, |(_, value)| value);
            call.read(&value, false);
        } else if let Some((_, value)) = cluster(word, wanted, others) {
            let value = if value.text() == Some("") { next() } else { value };
            call.read(&value, false);
        } else if word.start.starts_with("--") && !TEXTS.contains(&option) && call.leads_out(word) {
            call.unclear(&word.written, "this option names something that is not surely in the workspace");
        } else if word.start.starts_with('/') || word.start.starts_with("../") {
            let message = at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(is_message);
            if !message && !call.walk.in_workspace(word) && !PLACES.contains(&name) {
                call.read(word, true);
            }
        }
    }
}

/// The files of the workspace that its words change.
pub(super) fn worktree(call: &mut Call<'_, '_>, name: &str, nature: Nature, words: &[Field], plain: &[&Field]) {
    let has = |options: &[&str]| words.iter().any(|word| word.text().is_some_and(|text| options.contains(&text)));
    match name {
        "mv" => {
            let Some((last, first)) = plain.split_last() else { return };
            for word in first {
                call.delete(word, true);
            }
            call.write(last, true);
        }
        "clean" if nature == Nature::Destroys => plain.iter().for_each(|word| call.delete(word, true)),
        "apply" if has(&["--check", "--stat", "--numstat", "--summary", "--cached"]) => {}
        "apply" | "am" => changes_all(call),
        "reset" | "switch" | "read-tree" | "checkout-index" if nature == Nature::Destroys => changes_all(call),
        "checkout" | "restore" if has(&["-f", "--force", "-p", "--patch"]) => changes_all(call),
        "checkout" if has(&["-b", "-B", "--orphan"]) => {}
        "restore" if nature != Nature::Destroys => {}
        // A word may be a branch or a file; where both are, git asks for `--` itself.
        "checkout" | "restore" => plain.iter().for_each(|word| changes(call, word)),
        _ => {}
    }
}
