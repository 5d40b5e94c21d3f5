//! Words: quotes, variables, substitutions.

use super::{Parser, Read, is_meta};
use crate::command::syntax::{Does, Part, Variable, Word};

/// What ends an unquoted text that is no word: braces of a variable, arithmetic.
const UNQUOTED_SIGNS: [char; 5] = ['\'', '"', '\\', '$', '`'];

impl Parser<'_> {
    /// The word that begins here, if one does.
    pub(super) fn word(&mut self) -> Read<Option<Word>> {
        let start = self.cursor.at();
        let mut parts = Vec::new();
        if self.cursor.peek() == Some('#') {
            return self.here("a comment stands where none is understood");
        }
        while let Some(letter) = self.cursor.peek() {
            let process = self.cursor.looks_at("<(") || self.cursor.looks_at(">(");
            if process {
                self.cursor.eat("<");
                self.cursor.eat(">");
                self.cursor.eat("(");
                parts.push(Part::Process(self.substituted()?));
            } else if is_meta(letter) {
                break;
            } else if UNQUOTED_SIGNS.contains(&letter) {
                self.sign(letter, &mut parts)?;
            } else {
                let text = self.cursor.eat_while(|letter| !is_meta(letter) && !UNQUOTED_SIGNS.contains(&letter));
                push(&mut parts, Part::Bare(text));
            }
        }
        if parts.is_empty() {
            return Ok(None);
        }
        Ok(Some(Word { parts, written: crate::command::shortened(self.cursor.since(start)) }))
    }

    /// A quote, a backslash, a dollar or a backquote outside of quotes.
    fn sign(&mut self, letter: char, parts: &mut Vec<Part>) -> Read<()> {
        match letter {
            '$' => return self.dollar(false, parts),
            '\'' => {
                self.cursor.take();
                let text = self.single_quoted()?;
                push(parts, Part::Fixed(text));
            }
            '"' => {
                self.cursor.take();
                self.double_quoted(parts, Some('"'))?;
            }
            '`' => {
                self.cursor.take();
                let script = self.backquoted(false)?;
                parts.push(Part::Command { script, quoted: false });
            }
            _ => {
                self.cursor.take();
                match self.cursor.take_raw() {
                    Some(letter) => push(parts, Part::Fixed(letter.to_string())),
                    None => return self.here("a backslash stands at the end"),
                }
            }
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Read<String> {
        let at = self.cursor.at();
        let mut text = String::new();
        loop {
            match self.cursor.take_raw() {
                Some('\'') => return Ok(text),
                Some('\n') => {
                    self.nothing_awaited()?;
                    text.push('\n');
                }
                Some(letter) => text.push(letter),
                None => return self.fault(at, "a quote does not end"),
            }
        }
    }

    /// The text up to the quote that ends it, or to the end of everything.
    pub(super) fn double_quoted(&mut self, parts: &mut Vec<Part>, end: Option<char>) -> Read<()> {
        let at = self.cursor.at();
        push(parts, Part::Fixed(String::new()));
        let mut text = String::new();
        loop {
            match self.cursor.peek() {
                letter if letter == end => {
                    self.cursor.take();
                    push(parts, Part::Fixed(text));
                    return Ok(());
                }
                None => return self.fault(at, "a quote does not end"),
                Some('$') => {
                    push(parts, Part::Fixed(std::mem::take(&mut text)));
                    self.dollar(true, parts)?;
                }
                Some('`') => {
                    push(parts, Part::Fixed(std::mem::take(&mut text)));
                    self.cursor.take();
                    let script = self.backquoted(end.is_some())?;
                    parts.push(Part::Command { script, quoted: true });
                }
                Some('\\') => {
                    self.cursor.take();
                    match self.cursor.raw() {
                        Some(letter) if matches!(letter, '$' | '`' | '\\') || Some(letter) == end => {
                            self.cursor.take_raw();
                            text.push(letter);
                        }
                        _ => text.push('\\'),
                    }
                }
                Some(letter) => {
                    if letter == '\n' {
                        self.nothing_awaited()?;
                    }
                    self.cursor.take();
                    text.push(letter);
                }
            }
        }
    }

    fn dollar(&mut self, quoted: bool, parts: &mut Vec<Part>) -> Read<()> {
        let at = self.cursor.at();
        self.cursor.take();
        match self.cursor.peek() {
            Some('(') if self.cursor.eat("((") => {
                let inner = self.within(Self::arithmetic)?;
                parts.push(Part::Arithmetic(inner));
            }
            Some('(') => {
                self.cursor.take();
                let script = self.substituted()?;
                parts.push(Part::Command { script, quoted });
            }
            Some('{') => {
                self.cursor.take();
                let variable = self.within(|parser| parser.braced(at, quoted))?;
                parts.push(Part::Variable(variable));
            }
            Some('[') => return self.fault(at, "arithmetic in square brackets is not understood"),
            Some('\'') if !quoted => {
                self.cursor.take();
                let text = self.escaped(at)?;
                push(parts, Part::Fixed(text));
            }
            Some('"') if !quoted => {
                self.cursor.take();
                self.double_quoted(parts, Some('"'))?;
            }
            Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => {
                let name = self.cursor.eat_while(is_name);
                parts.push(Part::Variable(Variable { name, does: Does::Plain, rest: Vec::new(), quoted }));
            }
            Some(letter) if letter.is_ascii_digit() || is_special(letter) => {
                self.cursor.take();
                let name = letter.to_string();
                parts.push(Part::Variable(Variable { name, does: Does::Plain, rest: Vec::new(), quoted }));
            }
            // Bash puts braces in before it looks for variables.
            Some(',' | '}') if !quoted => return self.fault(at, "a dollar that braces may give a name to"),
            _ => push(parts, Part::Fixed("$".to_owned())),
        }
        Ok(())
    }

    /// What stands in `${ … }`.
    fn braced(&mut self, at: usize, quoted: bool) -> Read<Variable> {
        let mut does = Does::Plain;
        let mut name = String::new();
        if !self.cursor.looks_at("!}") && self.cursor.eat("!") {
            does = Does::Computes;
        } else if !self.cursor.looks_at("#}") && self.cursor.eat("#") {
            does = Does::Changes;
        }
        match self.cursor.peek() {
            Some(letter) if is_name(letter) => name = self.cursor.eat_while(is_name),
            Some(letter) if is_special(letter) => {
                self.cursor.take();
                name.push(letter);
            }
            _ => return self.fault(at, "braces after a dollar that hold no variable"),
        }
        let after = self.cursor.at();
        let mut rest = Vec::new();
        self.up_to_brace(at, quoted, &mut rest)?;
        let text = self.cursor.since(after).trim_end_matches('}');
        let transforms = text.char_indices().rev().nth(1).is_some_and(|(from, letter)| {
            letter == '@'
                && text.get(from + 1..).is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()))
        });
        if transforms {
            return self.fault(at, "an expansion that may run its value");
        }
        if does == Does::Computes && !["", "*", "@", "[*]", "[@]"].contains(&text) {
            return self.fault(at, "a variable named by a variable");
        }
        let does = match text.strip_prefix(':').unwrap_or(text).chars().next() {
            None => does,
            Some('=') => Does::Assigns,
            Some('-' | '+' | '?' | '#' | '%' | '/' | '^' | ',') => Does::Changes,
            Some(_) => Does::Computes,
        };
        Ok(Variable { name, does, rest, quoted })
    }

    fn up_to_brace(&mut self, at: usize, quoted: bool, parts: &mut Vec<Part>) -> Read<()> {
        loop {
            match self.cursor.peek() {
                None => return self.fault(at, "braces after a dollar do not end"),
                Some('}') => {
                    self.cursor.take();
                    return Ok(());
                }
                Some('\'') if quoted => return self.fault(at, "a quote in braces in quotes is not understood"),
                Some(letter) if UNQUOTED_SIGNS.contains(&letter) => self.brace_sign(letter, quoted, parts)?,
                Some(_) if self.cursor.looks_at("<(") || self.cursor.looks_at(">(") => {
                    return self.fault(at, "a substitution in braces that is not understood");
                }
                Some('\n') => {
                    self.nothing_awaited()?;
                    self.cursor.take();
                }
                Some(letter) => {
                    self.cursor.take();
                    push(parts, Part::Bare(letter.to_string()));
                }
            }
        }
    }

    fn brace_sign(&mut self, letter: char, quoted: bool, parts: &mut Vec<Part>) -> Read<()> {
        match letter {
            '$' => self.dollar(quoted, parts),
            '`' => {
                self.cursor.take();
                let script = self.backquoted(quoted)?;
                parts.push(Part::Command { script, quoted });
                Ok(())
            }
            letter => self.sign(letter, parts),
        }
    }

    /// Arithmetic up to the two parentheses that close it. The one parser of a shell that finds them elsewhere would have to
    /// take it for a subshell, which is not understood here.
    pub(super) fn arithmetic(&mut self) -> Read<Vec<Part>> {
        let at = self.cursor.at();
        self.nothing_awaited()?;
        let mut parts = Vec::new();
        let mut open = 0_usize;
        loop {
            match self.cursor.peek() {
                None => return self.fault(at, "arithmetic does not end"),
                Some(')') if open == 0 => {
                    if self.cursor.eat("))") {
                        return Ok(parts);
                    }
                    return self.fault(at, "two parentheses open, and not two close: put a space between them");
                }
                Some('\'' | '\\' | '#') => {
                    return self.fault(at, "a quote or a comment in arithmetic is not understood");
                }
                Some(letter @ ('"' | '$' | '`')) => self.sign(letter, &mut parts)?,
                Some(letter) => {
                    open = match letter {
                        '(' => open + 1,
                        ')' => open - 1,
                        _ => open,
                    };
                    self.cursor.take();
                    push(&mut parts, Part::Bare(letter.to_string()));
                }
            }
        }
    }

    /// `$'…'`, decoded.
    fn escaped(&mut self, at: usize) -> Read<String> {
        let mut text = String::new();
        loop {
            let letter = match self.cursor.take_raw() {
                None => return self.fault(at, "a quote does not end"),
                Some('\'') => return Ok(text),
                Some('\n') => {
                    self.nothing_awaited()?;
                    Some('\n')
                }
                Some('\\') => self.escape(&mut text),
                letter => letter,
            };
            match letter {
                Some(letter) => text.push(letter),
                None => return self.fault(at, "an escape that is not understood"),
            }
        }
    }

    /// What a backslash and the letters after it stand for. A backslash that means itself is put in the text.
    fn escape(&mut self, text: &mut String) -> Option<char> {
        Some(match self.cursor.take_raw()? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' | 'E' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            letter @ ('\\' | '\'' | '"' | '?') => letter,
            'x' => self.number(16, 2, "", 0x7f)?,
            'u' => self.number(16, 4, "", u32::MAX)?,
            'U' => self.number(16, 8, "", u32::MAX)?,
            digit @ '0'..='7' => self.number(8, 2, &digit.to_string(), 0x7f)?,
            'c' => return None,
            letter => {
                text.push('\\');
                letter
            }
        })
    }

    /// A character by its number: a byte that is no ASCII is a piece of one, and zero ends the word in the shell.
    fn number(&mut self, radix: u32, most: usize, first: &str, greatest: u32) -> Option<char> {
        let mut digits = first.to_owned();
        for _ in 0..most {
            match self.cursor.raw().filter(|letter| letter.is_digit(radix)) {
                Some(digit) => {
                    digits.push(digit);
                    self.cursor.take_raw();
                }
                None => break,
            }
        }
        let number = u32::from_str_radix(&digits, radix).ok().filter(|number| (1..=greatest).contains(number))?;
        char::from_u32(number)
    }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn is_special(letter: char) -> bool {
    matches!(letter, '@' | '*' | '#' | '?' | '-' | '$' | '!')
}

/// Adds a part, to the one before it if they are of a kind.
fn push(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (Some(Part::Bare(before)), Part::Bare(text)) | (Some(Part::Fixed(before)), Part::Fixed(text)) => {
            before.push_str(&text);
        }
        (_, part) => parts.push(part),
    }
}
