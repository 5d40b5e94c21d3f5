//! Strings, brackets and dots of TOML, followed line by line. The text need not be sound: it is cut into tokens as the
//! parser cuts it, and where it is broken, statements seem longer and depths larger than they are.

const BASIC: &str = "\"\"\"";
const LITERAL: &str = "'''";

#[derive(Default)]
pub(crate) struct Scan {
    /// The quotes that end the string of several lines it is in.
    string: Option<&'static str>,
    /// What closes each bracket that is open, and the dots in the key before it.
    open: Vec<(char, usize)>,
    /// The dots in the key it is in.
    dots: usize,
    /// How deep the brackets and dots make it.
    depth: usize,
}

impl Scan {
    /// Whether the next line begins a statement.
    pub(crate) fn is_between_statements(&self) -> bool {
        self.open.is_empty() && self.string.is_none()
    }

    /// Reads a line and gives the depth of its deepest place.
    pub(crate) fn line(&mut self, line: &str) -> usize {
        if self.is_between_statements() {
            self.end_key();
        }
        let mut deepest = self.depth;
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            rest = self.token(first, rest);
            deepest = deepest.max(self.depth);
        }
        deepest
    }

    fn token<'a>(&mut self, first: char, rest: &'a str) -> &'a str {
        if let Some(quotes) = self.string {
            return self.within_string(first, rest, quotes);
        }
        if let Some((quotes, after)) =
            [BASIC, LITERAL].iter().find_map(|quotes| Some((quotes, rest.strip_prefix(quotes)?)))
        {
            self.string = Some(quotes);
            return after;
        }
        match first {
            '#' => return rest.trim_start_matches(|letter| !matches!(letter, '\r' | '\n')),
            '"' | '\'' => return after_string(first, skip(rest, 1)),
            '[' => self.open(']'),
            '{' => self.open('}'),
            ']' | '}' => self.close(first),
            '.' => (self.dots, self.depth) = (self.dots + 1, self.depth + 1),
            ',' => self.end_key(),
            ' ' | '\t' | '\r' | '\n' | '=' => {}
            _ => return rest.trim_start_matches(|letter| !".=,[]{} \t#\r\n".contains(letter)),
        }
        skip(rest, 1)
    }

    fn within_string<'a>(&mut self, first: char, rest: &'a str, quotes: &str) -> &'a str {
        let Some(mut after) = rest.strip_prefix(quotes) else {
            return skip(rest, if first == '\\' && quotes == BASIC { 2 } else { 1 });
        };
        self.string = None;
        // Two more quotes may belong to the string.
        for _ in 0..2 {
            after = after.strip_prefix(first).unwrap_or(after);
        }
        after
    }

    fn open(&mut self, closing: char) {
        self.open.push((closing, self.dots));
        self.dots = 0;
        self.depth += 1;
    }

    fn close(&mut self, closing: char) {
        if let Some((_, outer)) = self.open.pop_if(|(expected, _)| *expected == closing) {
            self.depth = self.depth.saturating_sub(self.dots + 1);
            self.dots = outer;
        }
    }

    fn end_key(&mut self) {
        self.depth = self.depth.saturating_sub(self.dots);
        self.dots = 0;
    }
}

fn after_string(quote: char, mut rest: &str) -> &str {
    while let Some(letter) = rest.chars().next() {
        rest = skip(rest, if letter == '\\' && quote == '"' { 2 } else { 1 });
        if letter == quote {
            break;
        }
    }
    rest
}

fn skip(text: &str, letters: usize) -> &str {
    let mut rest = text.chars();
    rest.by_ref().take(letters).for_each(drop);
    rest.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The depths of the lines, and whether a statement ends with the last.
    fn scan(text: &str) -> (Vec<usize>, bool) {
        let mut scan = Scan::default();
        let depths = text.split_inclusive('\n').map(|line| scan.line(line)).collect();
        (depths, scan.is_between_statements())
    }

    #[test]
    fn brackets_and_dots_of_keys_make_depth() {
        for (text, depths) in [
            ("a = 1", &[0][..]),
            ("a.b.c = 1\nd.e = 2\n", &[2, 1]),
            ("[a.b]\na.b.c = 1", &[2, 2]),
            ("a = [1.5, 2.5, 3.5]", &[2]),
            ("a.b = { c.d = [[\n], []], e.f = 1 }\n", &[5, 5]),
            ("a = '[' # [\nb = \"\\\"[.\"\n", &[0, 0]),
            ("# \r[", &[1]),
            ("a = it's [", &[1]),
        ] {
            assert_eq!(scan(text).0, depths, "{text}");
        }
    }

    #[test]
    fn a_statement_ends_when_its_brackets_and_strings_are_closed() {
        for text in [
            "a = [\n]",
            "a = {}",
            "a = '''\n'''''",
            "a = \"\"\"\\\"\"\"\n\"\"\"",
            "a = 'x\n",
            "a = \"x\\\n",
            "]",
            "a = [\"]\"]",
            "''''''''''",
        ] {
            assert!(scan(text).1, "{text}");
        }
        for text in ["a = [", "a = [}", "a = {]", "a = '''", "a = \"\"\"\\\"\"\"", "a = [ # ]", "''''''''''''"] {
            assert!(!scan(text).1, "{text}");
        }
    }
}
