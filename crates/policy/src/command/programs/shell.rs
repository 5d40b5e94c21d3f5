//! What a shell does itself.

use super::Program;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::walk::Folders;
use crate::effects::Nature::{Builds, Looks, Unknown};

pub(super) fn find(name: &str) -> Option<Program> {
    Some(Program::Own(match name {
        "cd" | "chdir" => cd,
        "pushd" | "popd" => stack,
        "echo" | "true" | "false" | ":" | "pwd" | "break" | "continue" | "exit" | "return" | "shift" | "wait"
        | "jobs" | "dirs" | "type" | "times" | "umask" | "ulimit" | "fg" | "bg" | "disown" | "logout" | "suspend"
        | "caller" | "help" | "history" => silent,
        "[" | "test" => test,
        "printf" => printf,
        "read" | "mapfile" | "readarray" | "getopts" | "let" | "unset" => sets,
        "export" | "readonly" | "declare" | "typeset" | "local" => declares,
        "set" | "shopt" | "setopt" => options,
        "eval" => eval,
        "exec" | "command" | "builtin" | "noglob" | "nocorrect" => starts,
        "source" | "." => source,
        "trap" => trap,
        "alias" | "unalias" | "enable" | "hash" | "bind" | "complete" | "compgen" | "compopt" | "fc" | "autoload"
        | "zmodload" => changes,
        _ => return None,
    }))
}

fn silent(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
}

fn cd(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let words: Vec<&Field> =
        call.words.iter().filter(|word| !matches!(word.text(), Some("-P" | "-L" | "-e" | "--"))).collect();
    call.walk.folders = match words.as_slice() {
        [] => Folders::one(call.walk.around.home.clone()),
        [word] if word.text() != Some("-") && word.text() != Some("") => call.walk.folders.led(word),
        _ => Folders::any(),
    };
}

fn stack(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    call.walk.folders = match call.words {
        [word] if call.name == "pushd" && !word.start.starts_with(['-', '+']) => call.walk.folders.led(word),
        _ => Folders::any(),
    };
}

/// Whether a text holds something that a shell would run if it computed with it.
fn hides_code(word: &Field) -> bool {
    word.start.contains("$(") || word.start.contains('`') || (word.text().is_none() && word.start.contains('['))
}

/// `-v` looks at a variable, whose subscript is computed.
fn test(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let looks = call.words.iter().any(|word| matches!(word.text(), Some("-v" | "-R")));
    for word in call.words {
        if looks && (hides_code(word) || word.text().is_none()) {
            call.walk.unclear(&word.written, "a test that may run what is in this text");
        }
    }
}

fn printf(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    match call.words {
        [option, name, ..] if option.text() == Some("-v") => set(call, name),
        [option, ..] if option.text() != Some("-v") && option.start.starts_with("-v") => set(call, &option.after(2)),
        [option, ..] if option.text().is_none() && option.may_be_option() => {
            call.unclear(&option.written, "this may become an option of printf");
        }
        _ => {}
    }
}

/// A variable of this name gets a value that is not known.
fn set(call: &mut Call<'_, '_>, name: &Field) {
    match name.text() {
        Some(text) if !text.contains(['[', '$', '`']) => call.walk.variable(text, None),
        _ => call.unclear(&name.written, "which variable is set is known only when it runs"),
    }
}

fn sets(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    for word in call.words {
        if hides_code(word) {
            call.walk.unclear(&word.written, "it may run what is in this text");
        }
    }
    if matches!(call.name, "mapfile" | "readarray")
        && call.words.iter().any(|word| word.start.starts_with('-') && word.start.contains('C'))
    {
        call.unclear(call.name, "it runs a command for each line");
    }
    if call.name == "let" {
        for word in call.words {
            if word.text().is_none() {
                call.walk.unclear(&word.written, "arithmetic that is known only when it runs");
            }
            call.walk.computes(&word.start);
        }
        return;
    }
    for word in call.words {
        if !word.start.starts_with('-') || word.text().is_none() {
            set(call, word);
        }
    }
}

fn declares(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let hands =
        call.name == "export" || call.words.iter().any(|word| word.start.starts_with('-') && word.start.contains('x'));
    for word in call.words {
        if hides_code(word) {
            call.walk.unclear(&word.written, "it may run what is in this text");
        }
        let flags = word.start.starts_with('-') && word.start.contains(['n', 'i', 'f', 'F']);
        if flags || (word.text().is_none() && word.may_be_option()) {
            call.walk.unclear(&word.written, "this makes variables or functions mean something else");
        } else if let Some((name, value)) = word.split('=') {
            let name = name.trim_end_matches('+');
            if hands {
                call.walk.hand(name, Some(&value));
            } else {
                call.walk.variable(name, value.text());
            }
        } else if hands && !word.start.starts_with('-') {
            match word.text() {
                Some(name) => call.walk.handed_on(name),
                None => call.walk.unclear(&word.written, "which variable is set is known only when it runs"),
            }
        } else if !word.start.starts_with('-') && call.name != "export" && call.name != "readonly" {
            set(call, word);
        }
    }
}

/// Options of the shell: some change how everything after them is read.
fn options(call: &mut Call<'_, '_>) {
    const KNOWN: [&str; 12] = ["-e", "-u", "-x", "-eu", "-ex", "-eux", "+e", "+x", "+u", "-euo", "-euxo", "-o"];
    call.run(Looks, None);
    for word in call.words {
        let known = word
            .text()
            .is_some_and(|text| KNOWN.contains(&text) || matches!(text, "pipefail" | "errexit" | "nounset" | "xtrace"));
        if !(call.name == "set" && known) {
            call.walk.unclear(&word.written, "this changes how the shell reads what follows");
        }
    }
}

fn eval(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let words = match call.words {
        [first, rest @ ..] if first.text() == Some("--") => rest,
        words => words,
    };
    let texts: Option<Vec<&str>> = words.iter().map(Field::text).collect();
    match texts {
        Some(texts) => call.walk.evaluated(&texts.join(" ")),
        None => call.unclear("eval", "the text that is run is known only when it runs"),
    }
}

/// The words after it are a program.
fn starts(call: &mut Call<'_, '_>) {
    let mut words = call.words;
    while let Some((word, rest)) = words.split_first() {
        match word.text() {
            Some("-v" | "-V") if call.name == "command" => return call.run(Looks, None),
            Some("-p" | "-c" | "-l" | "--") => words = rest,
            Some("-a") if call.name == "exec" => words = rest.get(1..).unwrap_or_default(),
            _ if word.start.starts_with('-') => {
                call.unclear(&word.written, "an option that is not known here");
                return;
            }
            _ => break,
        }
    }
    call.run(Looks, None);
    // `command cd` changes the folder all the same.
    call.walk.again(words);
}

/// A file is run in this very shell.
fn source(call: &mut Call<'_, '_>) {
    let words: Vec<Field> = call.words.iter().filter(|word| word.text() != Some("--")).cloned().collect();
    let Some(file) = words.first() else { return call.run(Looks, None) };
    call.run(Builds, None);
    call.starts_file(file);
    call.read(file, false);
    // Without a slash it is looked for among the programs first.
    let found = file.text().is_some_and(|text| text.contains('/'));
    if !found || !call.walk.is_own_program(file) {
        call.unclear(&file.written, "it runs a file that is not surely in the workspace");
    }
    // What python makes to choose its packages goes nowhere; of another file that is not known.
    if !(call.walk.is_own_program(file) && file.start.ends_with("/bin/activate")) {
        call.walk.folders = Folders::any();
    }
    call.walk.forget();
}

/// What runs at the end, or when something happens.
fn trap(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let words: Vec<Field> = call.words.iter().filter(|word| word.text() != Some("--")).cloned().collect();
    match words.as_slice() {
        [] | [_] => {}
        [text, ..] => match text.text() {
            Some("-" | "" | "-p" | "-l") => {}
            Some(text) => {
                let before = call.walk.folders.clone();
                call.walk.shell(text);
                // By then the folder may be another.
                call.walk.folders = Folders::any();
                call.walk.shell(text);
                call.walk.folders = before;
            }
            None => call.unclear(&text.written, "the text that is run is known only when it runs"),
        },
    }
}

fn changes(call: &mut Call<'_, '_>) {
    call.run(Unknown, None);
    if !call.words.is_empty() {
        call.unclear(call.name, "it changes what names mean, or runs commands of another kind");
    }
}
