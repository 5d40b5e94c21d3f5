//! `sqlite3`: a query that only selects looks, and everything else is code: its shell has commands of its own.

use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::Nothing;
use crate::command::options::{Args, Opt, flag, value};
use crate::effects::Nature::{Code, Looks};

static OPTIONS: &[Opt] = &[
    flag(
        "readonly json csv column header noheader line list markdown box table html quote tabs ascii bail batch",
        Nothing,
    ),
    value("separator nullvalue newline", Nothing),
];

/// Commands of its shell that only look at the tables.
const LOOKS: &[&str] = &[".tables", ".schema", ".indexes", ".databases"];

/// Functions that compute with what a query gives them.
const FUNCTIONS: &[&str] = &[
    "abs",
    "avg",
    "cast",
    "coalesce",
    "count",
    "date",
    "datetime",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json_extract",
    "length",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "printf",
    "replace",
    "round",
    "rtrim",
    "strftime",
    "substr",
    "sum",
    "time",
    "total",
    "trim",
    "typeof",
    "upper",
];

/// Words after which a parenthesis calls nothing.
const WORDS: &[&str] = &[
    "and", "as", "between", "by", "exists", "from", "in", "join", "like", "not", "on", "or", "over", "select",
    "values", "where",
];

/// Tables that are files and folders.
const FILES: &[&str] = &["fsdir", "lsdir", "zipfile", "sqlite_dbpage", "load_extension", "readfile", "writefile"];

pub(super) fn sqlite(call: &mut Call<'_, '_>) {
    // Its options have one dash.
    let words: Vec<Field> = call.words.iter().map(two_dashes).collect();
    let args = Args::all(&words, OPTIONS);
    let looks = |word: &Field| word.text().is_some_and(only_looks);
    match args.operands.split_first() {
        Some((base, queries))
            if !queries.is_empty()
                && queries.iter().all(looks)
                && args.strange.is_empty()
                && args.loose.is_empty()
                && base.text().is_some_and(|name| !name.starts_with("file:")) =>
        {
            call.run(Looks, None);
            call.read(base, false);
        }
        _ => call.run(Code, None),
    }
}

fn two_dashes(word: &Field) -> Field {
    match word.strip("-") {
        Some(rest) if !rest.start.starts_with('-') => Field { start: format!("--{}", rest.start), ..rest },
        _ => word.clone(),
    }
}

/// Whether a text is one query that selects by functions that are known, or a command that only looks.
fn only_looks(text: &str) -> bool {
    let text = text.trim().trim_end_matches(';').to_lowercase();
    if let Some(command) = text.split_whitespace().next().filter(|word| word.starts_with('.')) {
        let name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ' ' | '.');
        return LOOKS.contains(&command) && text.chars().all(name);
    }
    let selects = text.strip_prefix("select").is_some_and(|rest| rest.starts_with([' ', '\n', '\t']));
    let commands = text.lines().any(|line| line.trim_start().starts_with('.'));
    let odd = commands || text.contains([';', '"', '`', '[', '\\']) || text.contains("--") || text.contains("/*");
    selects && !odd && !FILES.iter().any(|name| text.contains(name)) && calls_known(&text)
}

/// Whether each parenthesis that follows a name calls a function that is known. Texts in quotes may make this stricter,
/// never milder.
fn calls_known(text: &str) -> bool {
    text.match_indices('(').all(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii();
        let name = before.rsplit(|letter| !is_part(letter)).next().unwrap_or_default();
        name.is_empty() || FUNCTIONS.contains(&name) || WORDS.contains(&name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_selects_only_looks() {
        for (text, expected) in [
            ("select 1", true),
            ("SELECT count(*), max(x) FROM t WHERE a IN (1, 2);", true),
            ("select * from (select a from t) where b = 'x y'", true),
            (".tables", true),
            (".schema users", true),
            (".shell rm -rf ~", false),
            (".schema x\n.shell y", false),
            (".read x", false),
            ("select load_extension('x')", false),
            ("select load_extension ('x')", false),
            ("select readfile('/home/u/.ssh/id_rsa')", false),
            ("select writefile('x', 'y')", false),
            ("select edit(a, 'sh -c evil') from t", false),
            ("select * from fsdir where path = '/'", false),
            ("select data from \"fsdir\"", false),
            ("select 1; drop table t", false),
            ("select 1;\n.shell x", false),
            ("select 1\n.shell x", false),
            ("delete from t", false),
            ("pragma writable_schema = 1", false),
            ("attach 'x' as y", false),
            ("with x as (select 1) delete from t", false),
            ("selection", false),
            ("select eval('x')", false),
            ("select 1 -- x", false),
        ] {
            assert_eq!(only_looks(text), expected, "{text}");
        }
    }
}
