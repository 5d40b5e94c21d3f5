//! Commands that hold commands.

use std::rc::Rc;

use super::{Parser, Read, is_blank};
use crate::command::syntax::{Command, Kind, Part, Script, Word};

impl Parser<'_> {
    /// What begins with this reserved word.
    pub(super) fn compound(&mut self, word: &'static str) -> Read<Command> {
        let start = self.cursor.at();
        self.cursor.eat(word);
        let kind = match word {
            "{" => {
                let script = self.script()?;
                self.close("}")?;
                Kind::Group(script)
            }
            "if" => self.conditions()?,
            "while" | "until" => {
                let head = self.script()?;
                Kind::While { head, body: self.body()? }
            }
            "for" | "select" => self.each(word == "select")?,
            "case" => self.case()?,
            "[[" => self.test()?,
            "coproc" => {
                self.blanks();
                return self.command();
            }
            "function" => {
                self.cursor.eat_while(is_blank);
                let name = self.word()?.unwrap_or_default();
                let Some(name) = name.bare() else { return self.fault(start, "a function has no plain name") };
                self.cursor.eat_while(is_blank);
                if self.cursor.eat("(") {
                    self.cursor.eat_while(is_blank);
                    self.close(")")?;
                }
                return self.function_body(name.to_owned());
            }
            _ => return self.fault(start, "this word stands where a command is to begin"),
        };
        self.with_redirects(kind)
    }

    fn with_redirects(&mut self, kind: Kind) -> Read<Command> {
        let mut redirects = Vec::new();
        loop {
            self.cursor.eat_while(is_blank);
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(Command { kind, redirects }),
            }
        }
    }

    fn close(&mut self, sign: &str) -> Read<()> {
        let at = self.cursor.at();
        if self.cursor.eat(sign) { Ok(()) } else { self.fault(at, "something that was begun does not end") }
    }

    /// The reserved word that must stand here.
    fn expect(&mut self, word: &str) -> Read<()> {
        if self.reserved() == Some(word) && self.cursor.eat(word) {
            return Ok(());
        }
        self.here("something that was begun does not go on as it must")
    }

    /// `do … done`
    fn body(&mut self) -> Read<Script> {
        self.expect("do")?;
        let body = self.script()?;
        self.expect("done")?;
        Ok(body)
    }

    fn conditions(&mut self) -> Read<Kind> {
        let mut scripts = vec![self.script()?];
        loop {
            match self.reserved() {
                Some(word @ ("then" | "elif" | "else")) => {
                    self.cursor.eat(word);
                    scripts.push(self.script()?);
                }
                _ => {
                    self.expect("fi")?;
                    return Ok(Kind::If(scripts));
                }
            }
        }
    }

    fn each(&mut self, chosen: bool) -> Read<Kind> {
        self.cursor.eat_while(is_blank);
        if self.cursor.eat("((") {
            let parts = self.arithmetic()?;
            self.separator()?;
            let head = Word { parts, written: "((".to_owned() };
            return Ok(Kind::Count { head, body: self.body()? });
        }
        let at = self.cursor.at();
        let name = self.word()?.unwrap_or_default();
        let Some(name) = name.bare().map(str::to_owned) else { return self.fault(at, "a loop has no plain variable") };
        self.gap()?;
        let mut words = Vec::new();
        if self.cursor.clone().eat_while(|letter| letter.is_ascii_alphabetic()) == "in" {
            self.cursor.eat("in");
            self.cursor.eat_while(is_blank);
            while let Some(word) = self.word()? {
                words.push(word);
                self.cursor.eat_while(is_blank);
            }
        }
        self.separator()?;
        Ok(Kind::For { name, words, chosen, body: self.body()? })
    }

    /// An optional `;`, and ends of lines.
    fn separator(&mut self) -> Read<()> {
        self.blanks();
        self.cursor.eat(";");
        self.gap()
    }

    fn case(&mut self) -> Read<Kind> {
        self.cursor.eat_while(is_blank);
        let at = self.cursor.at();
        let Some(subject) = self.word()? else { return self.fault(at, "a case has nothing to compare") };
        let mut words = vec![subject];
        let mut arms = Vec::new();
        self.gap()?;
        if !self.cursor.eat("in") {
            return self.here("a case has no \"in\"");
        }
        loop {
            self.gap()?;
            if self.reserved() == Some("esac") {
                self.cursor.eat("esac");
                return Ok(Kind::Case { words, arms });
            }
            self.cursor.eat("(");
            loop {
                self.cursor.eat_while(is_blank);
                match self.word()? {
                    Some(word) => words.push(word),
                    None => return self.here("a case has no pattern"),
                }
                self.cursor.eat_while(is_blank);
                if self.cursor.eat(")") {
                    break;
                }
                self.close("|")?;
            }
            arms.push(self.script()?);
            if !(self.cursor.eat(";;&") || self.cursor.eat(";;") || self.cursor.eat(";&")) {
                self.gap()?;
                if self.reserved() != Some("esac") {
                    return self.here("a case does not end");
                }
            }
        }
    }

    /// `[[ … ]]`: its operators are no words.
    fn test(&mut self) -> Read<Kind> {
        let mut words = Vec::new();
        loop {
            self.gap()?;
            if let Some(word) = self.word()? {
                if word.bare() == Some("]]") {
                    return Ok(Kind::Test(words));
                }
                words.push(word);
            } else if !["&&", "||", "(", ")", "<", ">", "|"].into_iter().any(|sign| self.cursor.eat(sign)) {
                return self.here("a test does not end");
            }
        }
    }

    /// `( … )` or `(( … ))`.
    pub(super) fn parenthesis(&mut self) -> Read<Command> {
        let kind = if self.cursor.eat("((") {
            let parts = self.arithmetic()?;
            Kind::Arithmetic(Word { parts, written: "((".to_owned() })
        } else {
            self.cursor.eat("(");
            let script = self.script()?;
            self.close(")")?;
            Kind::Subshell(script)
        };
        self.with_redirects(kind)
    }

    pub(super) fn function_body(&mut self, name: String) -> Read<Command> {
        self.gap()?;
        let at = self.cursor.at();
        let body = Rc::new(self.command()?);
        if matches!(body.kind, Kind::Simple { .. }) {
            return self.fault(at, "the body of a function is no group of commands");
        }
        self.functions.push((name.clone(), Rc::clone(&body)));
        Ok(Command { kind: Kind::Function { name, body }, redirects: Vec::new() })
    }

    /// A substitution: a script up to the parenthesis that closes it.
    pub(super) fn substituted(&mut self) -> Read<Script> {
        self.nothing_awaited()?;
        self.within(|parser| {
            let script = parser.script()?;
            parser.nothing_awaited()?;
            parser.close(")")?;
            Ok(script)
        })
    }

    /// A substitution in backquotes: what is between them is a text of its own, one level of backslashes less.
    pub(super) fn backquoted(&mut self, quoted: bool) -> Read<Script> {
        self.nothing_awaited()?;
        let at = self.cursor.at();
        let mut text = String::new();
        loop {
            match self.cursor.take_raw() {
                Some('`') => break,
                Some('\\') => match self.cursor.take_raw() {
                    Some(letter @ ('`' | '\\' | '$')) => text.push(letter),
                    Some('"') if quoted => text.push('"'),
                    Some('"') if !self.quotes => return self.fault(at, "an escaped quote is not understood here"),
                    Some(letter) => text.extend(['\\', letter]),
                    None => return self.fault(at, "a backquote does not end"),
                },
                Some(letter) => text.push(letter),
                None => return self.fault(at, "a backquote does not end"),
            }
        }
        self.within(|parser| {
            let parsed = super::parse(&text, parser.depth);
            parser.functions.extend(parsed.functions);
            parsed.fault.map_or(Ok(parsed.script), Err)
        })
    }

    /// Texts with variables and substitutions, but without quotes: here-documents.
    pub(super) fn expanded(&mut self, text: &str) -> Read<Vec<Part>> {
        let mut parser = Parser {
            cursor: crate::command::cursor::Cursor::new(text),
            depth: self.depth,
            awaited: Vec::new(),
            functions: Vec::new(),
            quotes: false,
        };
        let mut parts = Vec::new();
        parser.double_quoted(&mut parts, None)?;
        self.functions.append(&mut parser.functions);
        Ok(parts)
    }
}
