//! Calls as Python writes them: `[f(city="Paris", days=2), g()]`.

use responses::json::{ObjectWriter, Raw, Write, quote};

use super::body::Written;

/// How deep values may nest.
const MAX_NESTING: usize = 32;

/// Reads a list of calls. Arguments need their names: the order of parameters is not known.
pub(super) fn calls(text: &str, is_declared: impl Fn(&str) -> bool) -> Option<Vec<Written>> {
    let mut reader = Reader { rest: text };
    let calls = reader.many('[', ']', |reader| {
        let name = reader.word().filter(|name| is_declared(name))?;
        let mut fields = Vec::new();
        reader.many('(', ')', |reader| {
            let key = reader.word()?;
            reader.sign('=')?;
            fields.push((key.to_owned(), reader.value(0)?));
            Some(())
        })?;
        Some(Written { name: name.into(), arguments: object(&fields)? })
    })?;
    (reader.rest.trim().is_empty() && !calls.is_empty()).then_some(calls)
}

/// An object, if no key is there twice.
fn object(fields: &[(String, String)]) -> Option<String> {
    let is_twice = |at: usize, key: &str| fields.iter().take(at).any(|(other, _)| other == key);
    if fields.iter().enumerate().any(|(at, (key, _))| is_twice(at, key)) {
        return None;
    }
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    for (key, value) in fields {
        object.raw(key, value);
    }
    object.end();
    Some(out)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn sign(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }

    /// Things between two signs, with commas between them, perhaps one after the last.
    fn many<T>(&mut self, open: char, close: char, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.sign(open)?;
        let mut all = Vec::new();
        while self.sign(close).is_none() {
            all.push(each(self)?);
            if self.sign(',').is_none() {
                self.sign(close)?;
                break;
            }
        }
        Some(all)
    }

    /// A name, dotted perhaps.
    fn word(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let end = text.find(|sign: char| !is_of_name(sign)).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// A value, as JSON.
    fn value(&mut self, depth: usize) -> Option<String> {
        if depth > MAX_NESTING {
            return None;
        }
        match self.rest.trim_start().chars().next()? {
            quote @ ('"' | '\'') => self.string(quote),
            '[' => self.list('[', ']', depth),
            '(' => self.list('(', ')', depth),
            '{' => {
                let fields = self.many('{', '}', |reader| {
                    let quote = reader.rest.trim_start().chars().next()?;
                    let key = reader.text(quote)?;
                    reader.sign(':')?;
                    Some((key, reader.value(depth + 1)?))
                })?;
                object(&fields)
            }
            _ => self.plain(),
        }
    }

    fn list(&mut self, open: char, close: char, depth: usize) -> Option<String> {
        let values = self.many(open, close, |reader| reader.value(depth + 1))?;
        let mut out = String::new();
        values.iter().map(|value| Raw(value)).collect::<Vec<_>>().write(&mut out);
        Some(out)
    }

    fn plain(&mut self) -> Option<String> {
        let word = self.word_or_number()?;
        let json = match word {
            "True" | "true" => "true",
            "False" | "false" => "false",
            "None" | "null" => "null",
            number if number.starts_with(|sign: char| sign.is_ascii_digit() || sign == '-') => {
                serde_json::from_str::<serde_json::Number>(number).ok()?;
                number
            }
            _ => return None,
        };
        Some(json.to_owned())
    }

    fn word_or_number(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let end = text.find(|sign: char| !is_of_name(sign) && !matches!(sign, '+' | '-')).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        self.rest = rest;
        Some(word)
    }

    fn string(&mut self, mark: char) -> Option<String> {
        let mut out = String::new();
        quote(&self.text(mark)?, &mut out);
        Some(out)
    }

    fn text(&mut self, mark: char) -> Option<String> {
        if !matches!(mark, '"' | '\'') {
            return None;
        }
        self.sign(mark)?;
        let mut text = String::new();
        let mut signs = self.rest.chars();
        loop {
            match signs.next()? {
                '\\' => text.push_str(&escaped(&mut signs)?),
                sign if sign == mark => break,
                sign => text.push(sign),
            }
        }
        self.rest = signs.as_str();
        Some(text)
    }
}

/// Whether a sign is of a name. Tools have dashes, unlike what Python names.
pub(super) fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '.' | '-')
}

/// What follows a backslash. What Python does not know it leaves as it is.
fn escaped(signs: &mut std::str::Chars<'_>) -> Option<String> {
    let sign = signs.next()?;
    let code = |signs: &mut std::str::Chars<'_>, digits: usize| {
        let text = signs.as_str().get(..digits)?;
        let code = u32::from_str_radix(text, 16).ok()?;
        *signs = signs.as_str().get(digits..)?.chars();
        char::from_u32(code).map(String::from)
    };
    match sign {
        'n' => Some("\n".to_owned()),
        't' => Some("\t".to_owned()),
        'r' => Some("\r".to_owned()),
        '\n' => Some(String::new()),
        '\\' | '\'' | '"' => Some(sign.to_string()),
        'x' => code(signs, 2),
        'u' => code(signs, 4),
        'U' => code(signs, 8),
        other => Some(format!("\\{other}")),
    }
}
