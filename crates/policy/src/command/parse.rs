//! The text of a command line, read into its tree. Whatever is outside the grammar that is understood here is a fault.

mod compound;
mod heredoc;
mod word;

use std::rc::Rc;

use super::MAX_DEPTH;
use super::cursor::Cursor;
use super::syntax::{Aim, Assign, Command, Entry, Kind, Link, Pipeline, Redirect, Script, Word};

/// Why a text could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) text: String,
    pub(crate) why: &'static str,
}

type Read<T> = Result<T, Fault>;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The commands up to the fault, if there is one.
    pub(crate) script: Script,
    /// Every function that is defined anywhere in the text.
    pub(crate) functions: Vec<(String, Rc<Command>)>,
    pub(crate) fault: Option<Fault>,
}

/// Reads a text that lies so deep in others.
pub(crate) fn parse(text: &str, depth: usize) -> Parsed {
    if let Some((at, why)) = text.char_indices().find_map(|(at, letter)| Some((at, super::hidden(letter)?))) {
        let text = text.get(at..).unwrap_or_default().to_owned();
        return Parsed { fault: Some(Fault { text, why }), ..Parsed::default() };
    }
    let mut parser =
        Parser { cursor: Cursor::new(text), depth, awaited: Vec::new(), functions: Vec::new(), quotes: true };
    let mut script = Script::default();
    let fault = parser.whole(&mut script).err();
    Parsed { script, functions: parser.functions, fault }
}

/// Words that mean something where a command may begin.
const RESERVED: [&str; 19] = [
    "!", "{", "}", "if", "then", "elif", "else", "fi", "while", "until", "for", "select", "do", "done", "case", "esac",
    "function", "[[", "coproc",
];

/// Those that end the commands before them.
const CLOSING: [&str; 8] = ["}", "then", "elif", "else", "fi", "do", "done", "esac"];

pub(crate) struct Parser<'text> {
    cursor: Cursor<'text>,
    depth: usize,
    /// Here-documents whose text begins at the next line.
    awaited: Vec<heredoc::Awaited>,
    functions: Vec<(String, Rc<Command>)>,
    /// Quotes mean something in this text.
    quotes: bool,
}

impl Parser<'_> {
    fn fault<T>(&self, at: usize, why: &'static str) -> Read<T> {
        let mut from = self.cursor.clone();
        from.back(at);
        let shown = super::shortened(from.rest());
        Err(Fault { text: shown, why })
    }

    fn here<T>(&self, why: &'static str) -> Read<T> {
        self.fault(self.cursor.at(), why)
    }

    /// One level deeper.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return self.here("it is nested too deeply");
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Everything, as far as it can be read.
    fn whole(&mut self, script: &mut Script) -> Read<()> {
        self.gap()?;
        while self.cursor.peek().is_some() {
            if self.at_end() {
                return self.here("this ends something that was not begun");
            }
            let entry = self.entry()?;
            let background = self.after_entry()?;
            script.0.push(Entry { background, ..entry });
            self.gap()?;
        }
        Ok(())
    }

    /// Commands up to a closing word or sign, which is left there.
    fn script(&mut self) -> Read<Script> {
        let mut script = Script::default();
        self.gap()?;
        while !self.at_end() {
            let entry = self.entry()?;
            let background = self.after_entry()?;
            script.0.push(Entry { background, ..entry });
            self.gap()?;
        }
        Ok(script)
    }

    fn at_end(&mut self) -> bool {
        matches!(self.cursor.peek(), None | Some(')'))
            || self.cursor.looks_at(";;")
            || self.cursor.looks_at(";&")
            || self.reserved().is_some_and(|word| CLOSING.contains(&word))
    }

    /// Blanks, comments and ends of lines.
    fn gap(&mut self) -> Read<()> {
        loop {
            self.blanks();
            if self.cursor.peek() != Some('\n') {
                return Ok(());
            }
            self.end_of_line()?;
        }
    }

    fn blanks(&mut self) {
        self.cursor.eat_while(is_blank);
        if self.cursor.peek() == Some('#') {
            while self.cursor.raw().is_some_and(|letter| letter != '\n') {
                self.cursor.take_raw();
            }
        }
    }

    /// Reads what ends an entry; whether that sends it to the background.
    fn after_entry(&mut self) -> Read<bool> {
        self.blanks();
        if self.at_end() || self.cursor.peek() == Some('\n') {
            return Ok(false);
        }
        if self.cursor.eat(";") {
            return Ok(false);
        }
        if self.cursor.eat("&") { Ok(true) } else { self.here("a command does not end here as one does") }
    }

    fn entry(&mut self) -> Read<Entry> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let link = if self.cursor.eat("&&") {
                Link::And
            } else if self.cursor.eat("||") {
                Link::Or
            } else {
                return Ok(Entry { first, rest, background: false });
            };
            self.gap()?;
            rest.push((link, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Read<Pipeline> {
        self.blanks();
        while self.reserved() == Some("!") {
            self.cursor.eat("!");
            self.blanks();
        }
        let mut commands = vec![self.command()?];
        loop {
            self.blanks();
            let joined = !self.cursor.looks_at("||") && (self.cursor.eat("|&") || self.cursor.eat("|"));
            if !joined {
                return Ok(Pipeline(commands));
            }
            self.gap()?;
            commands.push(self.command()?);
        }
    }

    /// The reserved word that stands here.
    fn reserved(&mut self) -> Option<&'static str> {
        let at = self.cursor.at();
        let word = self.cursor.eat_while(|letter| !is_meta(letter));
        self.cursor.back(at);
        RESERVED.into_iter().find(|reserved| *reserved == word)
    }

    fn command(&mut self) -> Read<Command> {
        self.blanks();
        match (self.reserved(), self.cursor.peek()) {
            (Some(word), _) => self.within(|parser| parser.compound(word)),
            (None, Some('(')) => self.within(Self::parenthesis),
            (None, _) => self.simple(),
        }
    }

    fn simple(&mut self) -> Read<Command> {
        let start = self.cursor.at();
        let (mut assigns, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.cursor.eat_while(is_blank);
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let at = self.cursor.at();
            if words.is_empty()
                && let Some(assign) = self.assign()?
            {
                assigns.push(assign);
                continue;
            }
            if self.cursor.peek() == Some('#') {
                break;
            }
            let Some(word) = self.word()? else { break };
            if self.cursor.peek() == Some('(') || self.opens_function(&words, &assigns, &redirects) {
                return self.function_or_fault(at, &word, words.is_empty() && assigns.is_empty());
            }
            words.push(word);
        }
        if assigns.is_empty() && words.is_empty() && redirects.is_empty() {
            return self.fault(start, "a command is missing here");
        }
        Ok(Command { kind: Kind::Simple { assigns, words }, redirects })
    }

    /// Whether `(` follows the first word after blanks.
    fn opens_function(&self, words: &[Word], assigns: &[Assign], redirects: &[Redirect]) -> bool {
        let mut ahead = self.cursor.clone();
        ahead.eat_while(is_blank);
        words.is_empty() && assigns.is_empty() && redirects.is_empty() && ahead.peek() == Some('(')
    }

    fn function_or_fault(&mut self, at: usize, name: &Word, first: bool) -> Read<Command> {
        self.cursor.eat_while(is_blank);
        let empty = self.cursor.eat("(") && {
            self.cursor.eat_while(is_blank);
            self.cursor.eat(")")
        };
        match name.bare() {
            Some(name) if first && empty => self.within(|parser| parser.function_body(name.to_owned())),
            _ => self.fault(at, "a parenthesis stands where none is understood"),
        }
    }

    /// `name=value` where a command may begin.
    fn assign(&mut self) -> Read<Option<Assign>> {
        let at = self.cursor.at();
        let name = self.cursor.eat_while(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let named = !name.is_empty() && !name.starts_with(|letter: char| letter.is_ascii_digit());
        if named && self.cursor.peek() == Some('[') {
            return self.fault(at, "setting a part of an array is not understood");
        }
        if !named || !(self.cursor.eat("=") || self.cursor.eat("+=")) {
            self.cursor.back(at);
            return Ok(None);
        }
        if !self.cursor.eat("(") {
            let value = self.word()?.unwrap_or_default();
            let plain = !self.cursor.since(at).contains("+=");
            if self.cursor.peek() == Some('(') {
                return self.here("a parenthesis stands where none is understood");
            }
            return Ok(Some(Assign { name, values: vec![value], plain }));
        }
        let mut values = Vec::new();
        loop {
            self.gap()?;
            if self.cursor.eat(")") {
                return Ok(Some(Assign { name, values, plain: false }));
            }
            match self.word()? {
                Some(word) => values.push(word),
                None => return self.here("the values of an array do not end"),
            }
        }
    }

    fn redirect(&mut self) -> Read<Option<Redirect>> {
        const SIGNS: [(&str, Aim); 12] = [
            ("&>>", Aim::Write),
            ("&>", Aim::Write),
            ("<<<", Aim::Here),
            ("<<-", Aim::Here),
            ("<<", Aim::Here),
            ("<>", Aim::Both),
            ("<&", Aim::CopyIn),
            (">>", Aim::Write),
            (">|", Aim::Write),
            (">&", Aim::CopyOut),
            ("<", Aim::Read),
            (">", Aim::Write),
        ];
        let at = self.cursor.at();
        let number = self.cursor.eat_while(|letter| letter.is_ascii_digit());
        let process = self.cursor.looks_at("<(") || self.cursor.looks_at(">(");
        let sign = SIGNS.into_iter().find(|(sign, _)| !process && self.cursor.looks_at(sign));
        let Some((sign, aim)) = sign.filter(|(sign, _)| number.is_empty() || !sign.starts_with('&')) else {
            self.cursor.back(at);
            return Ok(None);
        };
        self.cursor.eat(sign);
        self.cursor.eat_while(is_blank);
        let stream = Some(number).filter(|number| !number.is_empty());
        if sign == "<<" || sign == "<<-" {
            return self.heredoc(at, stream, sign == "<<-").map(Some);
        }
        let both = (sign == "&>" || sign == "&>>") && stream.is_none();
        match self.word()? {
            Some(word) => Ok(Some(Redirect { stream: stream.or_else(|| both.then(|| "&".to_owned())), aim, word })),
            None => self.fault(at, "a redirection leads nowhere"),
        }
    }
}

fn is_blank(letter: char) -> bool {
    letter == ' ' || letter == '\t'
}

/// Letters that end a word without quotes.
fn is_meta(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}
