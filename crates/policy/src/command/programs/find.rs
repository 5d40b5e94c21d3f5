//! `find`: where it looks, and what it does with what it finds.

use crate::command::call::Call;
use crate::command::field::Field;
use crate::effects::Nature;

/// Tests, actions and options without a value.
const ALONE: &[&str] = &[
    "-print",
    "-print0",
    "-ls",
    "-quit",
    "-prune",
    "-depth",
    "-d",
    "-xdev",
    "-mount",
    "-follow",
    "-empty",
    "-true",
    "-false",
    "-not",
    "-and",
    "-or",
    "-a",
    "-o",
    "!",
    "(",
    ")",
    ",",
    "-noleaf",
    "-daystart",
    "-readable",
    "-writable",
    "-executable",
    "-nouser",
    "-nogroup",
    "-warn",
    "-nowarn",
    "-ignore_readdir_race",
    "-noignore_readdir_race",
    "-help",
    "-version",
];

/// Those with one.
const VALUED: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-iwholename",
    "-lname",
    "-ilname",
    "-regex",
    "-iregex",
    "-type",
    "-xtype",
    "-size",
    "-mtime",
    "-mmin",
    "-atime",
    "-amin",
    "-ctime",
    "-cmin",
    "-newer",
    "-anewer",
    "-cnewer",
    "-newermt",
    "-newerct",
    "-newerat",
    "-perm",
    "-user",
    "-group",
    "-uid",
    "-gid",
    "-links",
    "-inum",
    "-samefile",
    "-maxdepth",
    "-mindepth",
    "-regextype",
    "-fstype",
    "-printf",
    "-used",
    "-context",
];

/// Tests that keep the folders from which it starts out of what is found.
const FILTERS: &[&str] =
    &["-name", "-iname", "-path", "-ipath", "-type", "-regex", "-iregex", "-mindepth", "-lname", "-xtype"];

pub(super) fn find(call: &mut Call<'_, '_>) {
    call.run(Nature::Looks, None);
    let mut words = call.words;
    while let Some((word, rest)) = words.split_first() {
        match word.text() {
            Some("-H" | "-L" | "-P" | "-O1" | "-O2" | "-O3") => words = rest,
            _ => break,
        }
    }
    let is_test = |word: &Field| word.text().is_some_and(|text| text.starts_with('-') || text == "(" || text == "!");
    let at = words.iter().position(is_test).unwrap_or(words.len());
    let (roots, tests) = words.split_at(at);
    for root in roots {
        if root.may_be_option() {
            call.unclear(&root.written, "this may become an action of find");
        }
    }
    let roots = if roots.is_empty() { vec![Field::fixed(".")] } else { roots.to_vec() };
    call.reads(&roots, true);
    let filtered = tests.iter().any(|word| word.text().is_some_and(|text| FILTERS.contains(&text)))
        && !tests.iter().any(|word| matches!(word.text(), Some("-o" | "-or" | "," | "!" | "-not")));
    let mut found: Vec<Field> = Vec::new();
    for root in &roots {
        found.push(root.text().map_or_else(|| Field::unknown(&root.written), Field::within));
        if !filtered {
            found.push(root.clone());
        }
    }
    actions(call, tests, &found);
}

fn actions(call: &mut Call<'_, '_>, mut words: &[Field], found: &[Field]) {
    while let Some((word, rest)) = words.split_first() {
        words = match word.text() {
            Some("-exec" | "-ok") => exec(call, rest, found),
            Some("-execdir" | "-okdir") => exec(call, rest, &[Field::unknown("{}")]),
            Some("-delete") => {
                for word in found {
                    call.delete(word, true);
                }
                rest
            }
            Some("-fprint" | "-fprint0" | "-fls") => {
                rest.iter().take(1).for_each(|file| call.write(file, false));
                rest.get(1..).unwrap_or_default()
            }
            Some("-fprintf") => {
                rest.iter().take(1).for_each(|file| call.write(file, false));
                rest.get(2..).unwrap_or_default()
            }
            Some("-files0-from") => {
                call.unclear(&word.written, "it reads the names of its folders from a file");
                rest.get(1..).unwrap_or_default()
            }
            Some(text) if ALONE.contains(&text) => rest,
            Some(text) if VALUED.contains(&text) => rest.get(1..).unwrap_or_default(),
            _ => {
                call.unclear(&word.written, "a word for find that is not understood");
                rest
            }
        };
    }
}

/// The command up to `;` or `{} +`, with what is found in its place.
fn exec<'a>(call: &mut Call<'_, '_>, words: &'a [Field], found: &[Field]) -> &'a [Field] {
    let mut inner: Vec<Field> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let after_braces = at > 0 && words.get(at - 1).and_then(Field::text) == Some("{}");
        match word.text() {
            Some("{}") if inner.is_empty() => inner.push(Field { splits: false, ..Field::unknown("{}") }),
            Some("{}") if call.walk.may_make(inner.len() + found.len(), 1) => inner.extend_from_slice(found),
            Some(";") => return run(call, &inner, words, at),
            Some("+") if after_braces => return run(call, &inner, words, at),
            Some(text) if text.contains("{}") => inner.push(Field { splits: false, ..Field::unknown(text) }),
            _ => inner.push(word.clone()),
        }
    }
    call.unclear("find -exec", "the command of find does not end");
    run(call, &inner, &[], 0)
}

fn run<'a>(call: &mut Call<'_, '_>, inner: &[Field], words: &'a [Field], at: usize) -> &'a [Field] {
    call.walk.inner(inner);
    words.get(at + 1..).unwrap_or_default()
}
