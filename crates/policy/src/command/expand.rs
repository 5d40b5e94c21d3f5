//! What a shell makes of a word before a program gets it: braces, the home, patterns.

use super::field::{Field, Rest, may_lead_up};
use super::syntax::{Does, Part, Variable, Word};
use super::{MAX_BRACED, MAX_EXPANDED};

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    /// A letter that may mean something.
    Bare(char),
    /// A letter that means itself.
    Fixed(char),
    /// Nothing, in quotes: the word is there all the same.
    Empty,
    /// A text that the surroundings tell: a home.
    Known(String),
    /// What a pattern finds, one name of it.
    Found(String),
    /// A text that depends on the run.
    Unknown { splits: bool },
}

/// More opening braces in a word than this are not expanded.
const MAX_BRACES: usize = 32;

/// The words that a shell makes of this one, or why that cannot be told. `known` is the value of a variable, if anybody
/// knows it.
pub(crate) fn fields(
    word: &Word,
    home: &str,
    known: impl Fn(&Variable) -> Option<Field>,
) -> Result<Vec<Field>, &'static str> {
    let atoms = atoms(word, &known);
    let braces = atoms.iter().filter(|atom| **atom == Atom::Bare('{')).count();
    if braces > MAX_BRACES {
        return Err("there are too many braces in it");
    }
    let words = if braces == 0 { vec![atoms] } else { braced(&atoms, 0)? };
    // A word of which nothing is left is none, unless it has quotes.
    Ok(words.iter().filter(|atoms| !atoms.is_empty()).map(|atoms| field(atoms, word, home)).collect())
}

/// The same without braces: redirections and values have one word.
pub(crate) fn single(word: &Word, home: &str, known: impl Fn(&Variable) -> Option<Field>) -> Field {
    field(&atoms(word, &known), word, home)
}

fn atoms(word: &Word, known: &impl Fn(&Variable) -> Option<Field>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    // Braces come first: what they put after a name belongs to it.
    let braces = word.parts.iter().any(|part| matches!(part, Part::Bare(text) if text.contains('{')));
    for part in &word.parts {
        match part {
            Part::Bare(text) => atoms.extend(text.chars().map(Atom::Bare)),
            Part::Fixed(text) if text.is_empty() => atoms.push(Atom::Empty),
            Part::Fixed(text) => atoms.extend(text.chars().map(Atom::Fixed)),
            Part::Variable(variable) => {
                let many = !variable.quoted || variable.name == "@" || !variable.rest.is_empty();
                match known(variable).filter(|_| variable.does == Does::Plain && !braces) {
                    None => atoms.push(Atom::Unknown { splits: many }),
                    Some(value) => {
                        atoms.push(Atom::Known(value.start));
                        atoms.extend((value.rest == Rest::Pattern).then_some(Atom::Found(value.glob)));
                    }
                }
            }
            Part::Command { quoted, .. } => atoms.push(Atom::Unknown { splits: !quoted }),
            Part::Arithmetic(_) => atoms.push(Atom::Unknown { splits: false }),
            Part::Process(_) => atoms.push(Atom::Known("/dev/fd/63".to_owned())),
        }
    }
    atoms
}

/// All words that braces make of one.
fn braced(atoms: &[Atom], from: usize) -> Result<Vec<Vec<Atom>>, &'static str> {
    let open = atoms.iter().skip(from).position(|atom| *atom == Atom::Bare('{')).map(|at| at + from);
    let Some(open) = open else { return Ok(vec![atoms.to_vec()]) };
    let Some(choices) = choices(atoms, open)? else { return braced(atoms, open + 1) };
    let before = atoms.get(..open).unwrap_or_default();
    let after = atoms.get(choices.end..).unwrap_or_default();
    let afters = braced(after, 0)?;
    let (mut words, mut letters) = (Vec::new(), 0_usize);
    for choice in choices.texts {
        for middle in braced(&choice, 0)? {
            for after in &afters {
                letters += before.len() + middle.len() + after.len();
                if words.len() >= MAX_BRACED || letters > MAX_EXPANDED {
                    return Err("its braces make too many words");
                }
                words.push([before, &middle, after].concat());
            }
        }
    }
    Ok(words)
}

/// What stands between braces, and where the text after them begins.
struct Choices {
    texts: Vec<Vec<Atom>>,
    end: usize,
}

/// What the brace at this place offers; nothing if it means itself.
fn choices(atoms: &[Atom], open: usize) -> Result<Option<Choices>, &'static str> {
    let mut depth = 0_usize;
    let mut texts = vec![Vec::new()];
    for (at, atom) in atoms.iter().enumerate().skip(open + 1) {
        match atom {
            Atom::Bare(',') if depth == 0 => {
                texts.push(Vec::new());
                continue;
            }
            Atom::Bare('{') => depth += 1,
            Atom::Bare('}') if depth == 0 => {
                if let [only] = texts.as_slice() {
                    return Ok(sequence(only)?.map(|texts| Choices { texts, end: at + 1 }));
                }
                return Ok(Some(Choices { texts, end: at + 1 }));
            }
            Atom::Bare('}') => depth -= 1,
            _ => {}
        }
        if let Some(text) = texts.last_mut() {
            text.push(atom.clone());
        }
    }
    Ok(None)
}

/// `1..10`, `a..e`. Those with steps or leading zeros are not guessed.
fn sequence(atoms: &[Atom]) -> Result<Option<Vec<Vec<Atom>>>, &'static str> {
    let mut text = String::new();
    for atom in atoms {
        match atom {
            Atom::Bare(letter) => text.push(*letter),
            Atom::Fixed(letter) => text.extend(['\\', *letter]),
            Atom::Empty => {}
            Atom::Known(_) | Atom::Found(_) | Atom::Unknown { .. } => text.push('$'),
        }
    }
    let Some((from, to)) = text.split_once("..") else { return Ok(None) };
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    if let (Some(from), Some(to)) = (number(from), number(to)) {
        let count = usize::try_from(from.abs_diff(to)).unwrap_or(usize::MAX);
        if count >= MAX_BRACED {
            return Err("its braces make too many words");
        }
        let mut numbers: Vec<i64> = (from.min(to)..=from.max(to)).collect();
        if from > to {
            numbers.reverse();
        }
        return Ok(Some(numbers.iter().map(|number| number.to_string().chars().map(Atom::Fixed).collect()).collect()));
    }
    let letter = |text: &str| text.chars().next().filter(|letter| text.len() == 1 && letter.is_ascii_alphabetic());
    if let (Some(from), Some(to)) = (letter(from), letter(to))
        && from.is_ascii_lowercase() == to.is_ascii_lowercase()
    {
        let mut letters: Vec<char> = (from.min(to)..=from.max(to)).collect();
        if from > to {
            letters.reverse();
        }
        return Ok(Some(letters.into_iter().map(|letter| vec![Atom::Fixed(letter)]).collect()));
    }
    Err("a sequence in braces that is not understood")
}

/// One word, as its program gets it.
fn field(atoms: &[Atom], word: &Word, home: &str) -> Field {
    let mut field = Field { written: word.written.clone(), ..Field::fixed("") };
    let mut atoms = tilde(atoms, home, &mut field);
    while let Some((atom, rest)) = atoms.split_first() {
        atoms = rest;
        let text = match atom {
            Atom::Unknown { splits } => {
                field.rest = Rest::Unknown;
                field.splits |= splits;
                continue;
            }
            Atom::Bare('*') => "*",
            Atom::Bare('?') => "?",
            Atom::Found(glob) => glob.as_str(),
            Atom::Bare('[') if atoms.iter().any(closes) => {
                let (found, after) = brackets(atoms);
                atoms = after;
                if matches!(atoms.first(), Some(Atom::Known(_) | Atom::Found(_) | Atom::Unknown { .. })) {
                    field.rest = Rest::Unknown;
                }
                found
            }
            Atom::Bare(letter) | Atom::Fixed(letter) => {
                push(&mut field, letter.encode_utf8(&mut [0; 4]));
                continue;
            }
            Atom::Known(text) => {
                push(&mut field, text);
                continue;
            }
            Atom::Empty => continue,
        };
        field.splits = true;
        if field.rest == Rest::Nothing {
            field.rest = Rest::Pattern;
        }
        field.glob.push_str(text);
    }
    // After a pattern, `..` leads out of the folder, and so may a dot with more pattern behind it.
    if field.rest == Rest::Pattern && field.glob.split('/').skip(1).any(may_lead_up) {
        field.rest = Rest::Unknown;
    }
    field
}

/// A text that means itself.
fn push(field: &mut Field, text: &str) {
    match field.rest {
        Rest::Nothing => field.start.push_str(text),
        Rest::Pattern => field.glob.push_str(&text.replace(['*', '?'], "?")),
        Rest::Unknown => {}
    }
}

/// Whether this may be the end of brackets.
fn closes(atom: &Atom) -> bool {
    matches!(atom, Atom::Bare(']') | Atom::Unknown { .. } | Atom::Known(_) | Atom::Found(_))
}

/// What brackets find, and what follows them. Where their end is not plain, all up to the next slash may be anything.
fn brackets(atoms: &[Atom]) -> (&'static str, &[Atom]) {
    let plain =
        |atom: &&Atom| matches!(atom, Atom::Bare(letter) if letter.is_ascii_alphanumeric() || "-_!^".contains(*letter));
    let count = atoms.iter().take_while(plain).count();
    let says =
        atoms.iter().take(count).any(|atom| matches!(atom, Atom::Bare(letter) if letter.is_ascii_alphanumeric()));
    if says && atoms.get(count) == Some(&Atom::Bare(']')) {
        return ("?", atoms.get(count + 1..).unwrap_or_default());
    }
    let ends = |atom: &Atom| !matches!(atom, Atom::Bare(letter) | Atom::Fixed(letter) if *letter != '/');
    let end = atoms.iter().position(ends).unwrap_or(atoms.len());
    ("?*", atoms.get(end..).unwrap_or_default())
}

/// Replaces a tilde at the beginning. What another user's name or a stack of folders stands for is not known.
fn tilde<'a>(atoms: &'a [Atom], home: &str, field: &mut Field) -> &'a [Atom] {
    // Bash replaces it also after `name=` in a word, other shells do not.
    let assigned = atoms.windows(2).position(|pair| matches!(pair, [Atom::Bare('=' | ':'), Atom::Bare('~')]));
    if assigned.is_some() {
        field.rest = Rest::Unknown;
    }
    if atoms.first() != Some(&Atom::Bare('~')) {
        return atoms;
    }
    let rest = atoms.get(1..).unwrap_or_default();
    let name: Vec<&Atom> = rest.iter().take_while(|atom| **atom != Atom::Bare('/')).collect();
    if name.is_empty() {
        field.start.push_str(home);
        return rest;
    }
    if name.iter().all(|atom| matches!(atom, Atom::Bare(_))) {
        field.rest = Rest::Unknown;
    }
    atoms
}
