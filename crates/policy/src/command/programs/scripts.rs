//! Programs with a language of their own that can do more than change text: sed, awk.

use super::Program;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::{Nothing, Unclear};
use crate::command::options::{Args, Opt, flag, maybe, value};
use crate::effects::Nature;

pub(super) fn find(name: &str) -> Option<Program> {
    match name {
        "sed" | "gsed" => Some(Program::Own(sed)),
        "awk" | "gawk" | "mawk" | "nawk" => Some(Program::Own(awk)),
        "find" | "gfind" => Some(Program::Own(super::find::find)),
        _ => None,
    }
}

static SED: &[Opt] = &[
    flag("n quiet silent E r regexp-extended s separate u unbuffered z null-data posix debug sandbox", Nothing),
    value("e expression", Nothing),
    value("f file", Unclear("the script is in a file")),
    maybe("i in-place", Nothing),
    value("l line-length", Nothing),
];

fn sed(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, SED);
    let changes = args.has("i in-place");
    call.run(if changes { Nature::Targets } else { Nature::Looks }, None);
    call.options(&args, SED, true);
    let mut scripts: Vec<Field> = args.values("e expression").cloned().collect();
    let mut files = args.operands.as_slice();
    if scripts.is_empty()
        && !args.has("f file")
        && let Some((script, rest)) = files.split_first()
    {
        scripts.push(script.clone());
        files = rest;
    }
    for script in &scripts {
        if !script.text().is_some_and(is_harmless_sed) {
            call.unclear(&script.written, "this script of sed may run a command or write a file");
        }
    }
    let backup = args.value("i in-place").is_some();
    for file in files {
        call.read(file, false);
        if changes {
            call.write(file, false);
        }
        if backup && let Some(value) = args.value("i in-place") {
            backup_of(call, file, value);
        }
    }
}

/// `-i.bak` keeps the file under another name; with a slash or a star in it, nobody knows where.
fn backup_of(call: &mut Call<'_, '_>, file: &Field, suffix: &Field) {
    match (file.text(), suffix.text()) {
        (Some(file), Some(suffix)) if !suffix.contains(['/', '*']) => {
            call.write(&Field::fixed(&format!("{file}{suffix}")), false);
        }
        (None, Some(suffix)) if !suffix.contains(['/', '*']) => call.write(file, false),
        _ => call.unclear(&suffix.written, "it is not known where the copies go"),
    }
}

/// Whether all commands of a script are among those that change text only.
fn is_harmless_sed(script: &str) -> bool {
    let mut letters = script.chars().peekable();
    while let Some(letter) = letters.next() {
        let fine = match letter {
            letter if letter.is_ascii_whitespace() => true,
            ';'
            | '{'
            | '}'
            | '!'
            | ','
            | '$'
            | '~'
            | '+'
            | '0'..='9'
            | '='
            | 'd'
            | 'D'
            | 'p'
            | 'P'
            | 'n'
            | 'N'
            | 'h'
            | 'H'
            | 'g'
            | 'G'
            | 'x'
            | 'q'
            | 'Q'
            | 'l'
            | 'z' => true,
            '/' => up_to(&mut letters, '/') && flags(&mut letters, "IM"),
            '\\' => match letters.next() {
                Some(end) if end != '\n' && end != '\\' => up_to(&mut letters, end) && flags(&mut letters, "IM"),
                _ => false,
            },
            's' => match letters.next() {
                Some(end) if end != '\n' && end != '\\' => {
                    up_to(&mut letters, end) && up_to(&mut letters, end) && flags(&mut letters, "gpiIMm0123456789")
                }
                _ => false,
            },
            'y' => match letters.next() {
                Some(end) if end != '\n' && end != '\\' => up_to(&mut letters, end) && up_to(&mut letters, end),
                _ => false,
            },
            '#' => {
                letters.by_ref().find(|letter| *letter == '\n');
                true
            }
            'b' | 't' | 'T' | ':' => {
                while letters.next_if(|letter| !matches!(letter, ';' | '\n' | '}')).is_some() {}
                true
            }
            'a' | 'i' | 'c' => text(&mut letters),
            _ => false,
        };
        if !fine {
            return false;
        }
    }
    true
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads to the letter that ends a pattern; whether there is one.
fn up_to(letters: &mut Letters<'_>, end: char) -> bool {
    let mut bracket = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            // Seds differ on whether the end may stand in brackets.
            letter if letter == end => return !bracket,
            '[' => bracket = true,
            ']' => bracket = false,
            _ => {}
        }
    }
    false
}

/// Reads flags; whether what follows cannot be another one.
fn flags(letters: &mut Letters<'_>, known: &str) -> bool {
    while letters.next_if(|letter| known.contains(*letter)).is_some() {}
    known == "IM" || letters.peek().is_none_or(|letter| matches!(letter, ';' | '\n' | '}' | ' ' | '#'))
}

/// Reads a text that is added, up to the end of its line.
fn text(letters: &mut Letters<'_>) -> bool {
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '\n' => return true,
            _ => {}
        }
    }
    true
}

static AWK: &[Opt] = &[
    value("F field-separator v assign", Nothing),
    value("f file", Unclear("the program is in a file")),
    value("i include l load e source E exec", Unclear("it loads code")),
    maybe("d dump-variables o pretty-print p profile D debug", Unclear("it writes a file of its own")),
];

fn awk(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, AWK);
    call.run(Nature::Looks, None);
    call.options(&args, AWK, true);
    let (mut files, mut program) = (args.operands.as_slice(), None);
    if !args.has("f file")
        && let Some((first, rest)) = files.split_first()
    {
        program = Some(first);
        files = rest;
    }
    if let Some(program) = program
        && !program.text().is_some_and(is_harmless_awk)
    {
        call.unclear(&program.written, "this program of awk may run a command, or write or read a file");
    }
    // `name=value` among the files sets a variable.
    for file in files {
        if file.split('=').is_none_or(|(name, _)| name.contains('/')) {
            call.read(file, false);
        }
    }
}

/// Whether a program cannot start anything, and names no file.
fn is_harmless_awk(program: &str) -> bool {
    let pipes = program.replace("||", "").contains('|');
    let starts = ["system", "getline", "@", "ARGV", "ARGC", "PROCINFO", "extension", "close"];
    // After the first `print`, a `>` may lead into a file; before it, it compares.
    let prints = program.find("print").and_then(|at| program.get(at..)).is_some_and(|rest| rest.contains('>'));
    !pipes && !prints && !starts.iter().any(|word| program.contains(word))
}
