//! The programs that are known, and what each does with its words.

mod archives;
mod builds;
mod files;
mod find;
mod git;
mod interpreters;
mod looks;
mod network;
mod rewrites;
mod scripts;
mod services;
mod shell;
mod sqlite;
mod system;
mod tools;
mod verbs;
mod wrappers;

pub(crate) use network::normal_host;

use super::call::Call;
use super::field::Field;
use super::options::Spec;
use super::walk::Walk;
use crate::effects::Nature;
use verbs::Verbs;

/// How a program is known.
pub(crate) enum Program {
    /// By its options and operands.
    Table(&'static Spec),
    /// By the word that says what is done: `build` of `cargo build`.
    Verbs(&'static Verbs),
    /// By code.
    Own(fn(&mut Call<'_, '_>)),
}

/// Folders whose programs are those of the same name.
const USUAL_FOLDERS: [&str; 8] = [
    "/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/sbin",
    "/usr/sbin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
    "/run/current-system/sw/bin",
];

/// Starts a program.
pub(crate) fn start(walk: &mut Walk<'_>, name: &str, words: &[Field]) {
    let bare = match name.rsplit_once('/') {
        None => Some(name),
        Some((folder, bare)) => USUAL_FOLDERS.contains(&folder).then_some(bare),
    };
    let Some(bare) = bare else { return by_path(walk, name, words) };
    let mut call = Call { walk, name: bare, words };
    match find(bare) {
        Some(Program::Table(spec)) => call.table(spec),
        Some(Program::Verbs(verbs)) => call.verbs(verbs),
        Some(Program::Own(start)) => start(&mut call),
        None => call.run(Nature::Unknown, None),
    }
}

fn find(name: &str) -> Option<Program> {
    shell::find(name)
        .or_else(|| looks::find(name))
        .or_else(|| files::find(name))
        .or_else(|| rewrites::find(name))
        .or_else(|| scripts::find(name))
        .or_else(|| builds::find(name))
        .or_else(|| wrappers::find(name))
        .or_else(|| interpreters::find(name))
        .or_else(|| network::find(name))
        .or_else(|| archives::find(name))
        .or_else(|| services::find(name))
        .or_else(|| system::find(name))
}

/// A program that is named by its path: one of the workspace is what it holds, another is anything.
fn by_path(walk: &mut Walk<'_>, name: &str, words: &[Field]) {
    let word = Field::fixed(name);
    let own = walk.is_own_program(&word);
    let wrapped = name.rsplit('/').next().filter(|name| matches!(*name, "gradlew" | "mvnw"));
    // In which of several folders it is looked for is not known: it may be any of these programs.
    let paths: Vec<String> = walk.folders.led(&word).all().iter().map(|path| path.as_str().to_owned()).collect();
    for program in if paths.is_empty() { vec![name.to_owned()] } else { paths } {
        let mut call = Call { walk: &mut *walk, name: &program, words };
        if own && wrapped.is_some() {
            builds::jvm(&mut call);
        } else if own {
            call.run(Nature::Builds, None);
            rewrites::rewrites(&mut call, name.rsplit('/').next().unwrap_or_default(), words);
            call.reads_what_leads_out();
            call.works_in(&Field::fixed("."));
        } else {
            call.run(Nature::Unknown, None);
        }
    }
}
