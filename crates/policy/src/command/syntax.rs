//! The tree of a command line.

use std::rc::Rc;

/// Commands one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Script(pub(crate) Vec<Entry>);

/// Pipelines joined by `&&` and `||`, up to the next `;`, `&` or end of line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Link, Pipeline)>,
    pub(crate) background: bool,
}

/// When the next pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    And,
    Or,
}

/// Commands whose output is the next one's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pipeline(pub(crate) Vec<Command>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) kind: Kind,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Simple {
        assigns: Vec<Assign>,
        words: Vec<Word>,
    },
    /// `( … )`
    Subshell(Script),
    /// `{ …; }`
    Group(Script),
    /// Conditions and what follows from them, in the order of the text.
    If(Vec<Script>),
    /// `while` and `until`.
    While {
        head: Script,
        body: Script,
    },
    /// `for` and `select` over words.
    For {
        name: String,
        words: Vec<Word>,
        /// Somebody chooses among the words, or something else: `select`.
        chosen: bool,
        body: Script,
    },
    /// `for (( … ))`
    Count {
        head: Word,
        body: Script,
    },
    Case {
        /// What is compared, and all patterns.
        words: Vec<Word>,
        arms: Vec<Script>,
    },
    Function {
        name: String,
        body: Rc<Command>,
    },
    /// `[[ … ]]`
    Test(Vec<Word>),
    /// `(( … ))`
    Arithmetic(Word),
}

/// `name=value`, `name+=value`, `name=(values)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assign {
    pub(crate) name: String,
    pub(crate) values: Vec<Word>,
    /// One value, which is the whole of it.
    pub(crate) plain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// The number of the stream, if one is written.
    pub(crate) stream: Option<String>,
    pub(crate) aim: Aim,
    pub(crate) word: Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// `<`
    Read,
    /// `>`, `>>`, `>|`, `&>`, `&>>`
    Write,
    /// `<>`
    Both,
    /// `<&`
    CopyIn,
    /// `>&`
    CopyOut,
    /// `<<`, `<<-`, `<<<`: the word is the text.
    Here,
}

/// A word as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) parts: Vec<Part>,
    pub(crate) written: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Without quotes: `*`, `{`, `~` mean something.
    Bare(String),
    /// In quotes or after a backslash: every letter means itself.
    Fixed(String),
    /// `$name`, `${name…}`.
    Variable(Variable),
    /// `$( … )`, `` ` … ` ``.
    Command { script: Script, quoted: bool },
    /// `$(( … ))`
    Arithmetic(Vec<Part>),
    /// `<( … )`, `>( … )`
    Process(Script),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) does: Does,
    /// What stands after the name in the braces.
    pub(crate) rest: Vec<Part>,
    pub(crate) quoted: bool,
}

/// What an expansion does beside giving a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// It is the value of the name: `$x`, `${x}`.
    Plain,
    /// It makes another text of it: `${x:-y}`, `${#x}`, `${x%y}`.
    Changes,
    /// It may set the name: `${x:=y}`.
    Assigns,
    /// It computes: `${x[y]}`, `${x:y}`.
    Computes,
}

impl Word {
    /// The text of a word without quotes or anything that is expanded; reserved words and names are such.
    pub(crate) fn bare(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Bare(text)] => Some(text),
            _ => None,
        }
    }
}
