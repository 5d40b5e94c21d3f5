//! Programs that run code: shells, and interpreters of languages that are not read here.

use super::Program;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::walk::Stdin;
use crate::effects::Nature::{Builds, Code, Looks, Targets, Unknown};

pub(super) fn find(name: &str) -> Option<Program> {
    Some(Program::Own(match name {
        "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "rbash" | "mksh" => shell,
        "python" | "python2" | "python3" | "pypy" | "pypy3" => python,
        "node" | "nodejs" | "deno" | "bun" | "ts-node" | "tsx" | "ruby" | "irb" | "perl" | "php" | "lua" | "luajit"
        | "Rscript" | "R" | "julia" | "tclsh" | "guile" | "groovy" | "scala" | "elixir" | "erl" | "ghci" | "runghc"
        | "swift" | "java" | "kotlin" | "dc" | "expect" | "octave" | "sbcl" | "racket" | "osascript" | "pwsh"
        | "powershell" | "fish" | "csh" | "tcsh" | "nu" | "xonsh" | "elvish" | "m4" | "gdb" | "lldb" => script,
        name if name.starts_with("python3.") || name.starts_with("python2.") => python,
        "sqlite3" => super::sqlite::sqlite,
        "bc" => bc,
        "vim" | "vi" | "nvim" | "view" | "ex" | "ed" | "red" | "emacs" | "nano" | "pico" | "joe" | "micro" | "hx"
        | "code" | "vimdiff" | "gvim" | "rvim" => editor,
        _ => return None,
    }))
}

/// Options of shells that take a value and change nothing that matters here.
const OPTIONS: [&str; 2] = ["-o", "+o"];

/// A shell: the text after `-c`, a script, or what it is piped.
fn shell(call: &mut Call<'_, '_>) {
    let (mut words, mut text, mut from_input) = (call.words, false, false);
    while let Some((word, rest)) = words.split_first() {
        let Some(option) = word.text() else {
            if word.may_be_option() {
                call.unclear(&word.written, "what the shell is to run is known only when it runs");
                return call.run(Unknown, None);
            }
            break;
        };
        match option {
            "--" | "-" => {
                words = rest;
                break;
            }
            "--version" | "--help" => return call.run(Looks, None),
            "--rcfile" | "--init-file" => {
                call.unclear(option, "the shell runs files of its own first");
            }
            _ if OPTIONS.contains(&option) => {
                words = rest.get(1..).unwrap_or_default();
                continue;
            }
            "--norc" | "--noprofile" | "--login" | "--posix" | "--restricted" | "--verbose" => {}
            option if option.starts_with("--") || option.starts_with('+') => {
                call.unclear(option, "an option of the shell that is not known here");
            }
            option if option.starts_with('-') => {
                let letters = option.trim_start_matches('-');
                text |= letters.contains('c');
                from_input |= letters.contains('s');
                if letters.contains('o') {
                    words = rest.get(1..).unwrap_or_default();
                    continue;
                }
                if !letters.chars().all(|letter| "acefhiklmnpstuvxBCEHPT".contains(letter)) {
                    call.unclear(option, "an option of the shell that is not known here");
                }
            }
            _ => break,
        }
        words = rest;
    }
    match (text, words.first()) {
        (true, Some(command)) => {
            call.run(Targets, None);
            inner_text(call, command, "the text that the shell runs is known only when it runs");
        }
        (true, None) => call.run(Looks, None),
        (false, Some(file)) if !from_input => runs_file(call, file),
        (false, _) => piped(call),
    }
}

fn inner_text(call: &mut Call<'_, '_>, text: &Field, why: &str) {
    match text.text() {
        Some(text) => call.walk.shell(text),
        None => call.unclear(&text.written, why),
    }
}

fn piped(call: &mut Call<'_, '_>) {
    match call.walk.stdin.clone() {
        Stdin::Text(text) => {
            call.run(Targets, None);
            let before = std::mem::replace(&mut call.walk.stdin, Stdin::Given);
            call.walk.shell(&text);
            call.walk.stdin = before;
        }
        Stdin::Given | Stdin::Names | Stdin::Inherited => {
            call.run(Unknown, None);
            call.unclear(call.name, "it runs what it is piped");
        }
    }
}

/// A script in the workspace is what the workspace holds.
fn runs_file(call: &mut Call<'_, '_>, file: &Field) {
    call.run(Builds, None);
    call.starts_file(file);
    call.read(file, false);
    if !call.walk.is_own_program(file) {
        call.unclear(&file.written, "it runs a file that is not surely in the workspace");
    }
    if file.start.contains("://") {
        call.unclear(&file.written, "it runs a file that it fetches");
    }
    call.reads_what_leads_out();
    call.works_in(&Field::fixed("."));
}

fn python(call: &mut Call<'_, '_>) {
    let mut words = call.words;
    while let Some((word, rest)) = words.split_first() {
        match word.text() {
            Some("-V" | "--version" | "-VV" | "-h" | "--help") => return call.run(Looks, None),
            Some("-W" | "-X") => words = rest.get(1..).unwrap_or_default(),
            Some("-m") => return module(call, rest),
            Some(option) if option.starts_with("-m") => {
                let module_words: Vec<Field> = std::iter::once(word.after(2)).chain(rest.iter().cloned()).collect();
                return module(call, &module_words);
            }
            Some(option) if option.starts_with('-') && option.contains(['c', 'm']) => return call.run(Code, None),
            Some(option) if option.len() > 1 && option.starts_with('-') => words = rest,
            Some("-") | None => return call.run(Code, None),
            Some(_) => return runs_file(call, word),
        }
    }
    call.run(Code, None);
}

/// A module that runs as a program; some are known as programs.
fn module(call: &mut Call<'_, '_>, words: &[Field]) {
    let Some((name, rest)) = words.split_first() else { return call.run(Code, None) };
    match name.text() {
        Some(
            program @ ("pip" | "pytest" | "mypy" | "black" | "ruff" | "flake8" | "isort" | "pylint" | "poetry"
            | "twine" | "tox" | "nox" | "coverage" | "pyright"),
        ) => {
            let inner: Vec<Field> = std::iter::once(Field::fixed(program)).chain(rest.iter().cloned()).collect();
            call.walk.inner(&inner);
        }
        Some("http.server" | "smtpd") => call.of_nature(crate::effects::Nature::Publishes, Some("-m http.server")),
        Some("json.tool") => {
            call.run(Targets, Some("-m json.tool"));
            let plain: Vec<Field> = rest.iter().filter(|word| !word.start.starts_with('-')).cloned().collect();
            call.reads(plain.get(..1).unwrap_or_default(), false);
            plain.iter().skip(1).for_each(|word| call.write(word, false));
        }
        Some("venv" | "virtualenv") => {
            call.builds(Some("-m venv"));
            rest.iter().filter(|word| !word.start.starts_with('-')).for_each(|word| call.write(word, true));
        }
        Some(name @ ("unittest" | "compileall" | "py_compile" | "doctest")) => {
            let verb = format!("-m {name}");
            call.builds(Some(&verb));
        }
        _ => call.run(Code, Some("-m")),
    }
}

/// Another interpreter: a script in the workspace, or code.
fn script(call: &mut Call<'_, '_>) {
    if matches!(call.words, [word] if matches!(word.text(), Some("--version" | "-v" | "-V" | "--help" | "-version"))) {
        return call.run(Looks, None);
    }
    // What they are given is text for them more often than a file of code.
    if matches!(call.name, "gdb" | "lldb" | "dc") {
        return call.run(Code, None);
    }
    if call.name == "deno" || call.name == "bun" {
        match call.first() {
            Some("test" | "fmt" | "lint" | "check" | "bench" | "build") => {
                return call.builds(call.first().map(str::to_owned).as_deref());
            }
            Some("install" | "i" | "add" | "upgrade" | "x" | "update" | "create") => {
                return call.of_nature(crate::effects::Nature::Fetches, call.first().map(str::to_owned).as_deref());
            }
            Some("publish" | "deploy") => return call.of_nature(crate::effects::Nature::Publishes, Some("publish")),
            Some("run" | "start") => return call.builds(Some("run")),
            _ => {}
        }
    }
    if call.name == "node" && call.first() == Some("--test") {
        call.builds(Some("--test"));
        call.words.iter().skip(1).filter(|word| word.start.starts_with('-')).for_each(|word| {
            call.walk.unclear(&word.written, "an option of the interpreter that is not known here");
        });
        return;
    }
    match call.words.first() {
        Some(file)
            if file.text().is_some_and(|text| {
                !text.starts_with('-') && text.contains('.') && !text.contains(['(', ' ', ';'])
            }) =>
        {
            runs_file(call, &file.clone());
        }
        _ => call.run(Code, None),
    }
}

fn bc(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let files: Vec<Field> = call.words.iter().filter(|word| !word.start.starts_with('-')).cloned().collect();
    call.reads(&files, false);
}

/// An editor runs commands, those of files it opens among them.
fn editor(call: &mut Call<'_, '_>) {
    call.run(Code, None);
    for word in call.words {
        if word.start.starts_with(['-', '+']) {
            call.walk.unclear(&word.written, "an editor runs commands");
        } else {
            call.walk.read(word, false);
            call.walk.write(word, false);
        }
    }
}
