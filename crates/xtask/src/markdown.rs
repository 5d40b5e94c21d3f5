//! As much of Markdown as the documents of this repository are checked for: headings, links, code.

/// A document, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The anchors of its headings, as GitHub makes them.
    pub(crate) anchors: Vec<String>,
    /// The targets of its links and images.
    pub(crate) links: Vec<Piece>,
    /// Its inline code spans.
    pub(crate) spans: Vec<Piece>,
    /// The lines of its fenced blocks that may hold commands: shell, or no language.
    pub(crate) commands: Vec<Piece>,
    /// The lines of its other fenced blocks.
    pub(crate) listings: Vec<Piece>,
}

/// A part of a document with its line.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece {
    /// What is written there.
    pub(crate) text: String,
    /// Where.
    pub(crate) line: usize,
}

const SHELLS: [&str; 5] = ["", "bash", "console", "sh", "shell"];

/// Takes a document apart.
pub(crate) fn parse(text: &str) -> Document {
    let mut document = Document::default();
    let mut paragraph = Paragraph::default();
    let mut fence: Option<Fence> = None;
    for (text, line) in text.lines().zip(1..) {
        if let Some(open) = &fence {
            if open.is_closed_by(text) {
                fence = None;
            } else {
                let block = if open.is_shell { &mut document.commands } else { &mut document.listings };
                block.push(Piece { text: text.to_owned(), line });
            }
            continue;
        }
        fence = Fence::opened_by(text);
        let heading = heading(text);
        if fence.is_some() || heading.is_some() || text.trim().is_empty() {
            paragraph.close(&mut document);
        }
        if fence.is_none() {
            paragraph.add(text, line);
        }
        if let Some(heading) = heading {
            paragraph.close(&mut document);
            document.add_anchor(&slug(heading));
        }
    }
    paragraph.close(&mut document);
    document
}

impl Document {
    /// The second heading of the same name gets `-1`, and so on.
    fn add_anchor(&mut self, slug: &str) {
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let mut names = std::iter::once(slug.to_owned()).chain(numbered);
        self.anchors.extend(names.find(|name| !self.anchors.contains(name)));
    }
}

struct Fence {
    mark: String,
    is_shell: bool,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let line = line.trim_start();
        let rest = ["```", "~~~"].iter().find(|mark| line.starts_with(**mark))?;
        let letter = rest.chars().next()?;
        let language = line.trim_start_matches(letter);
        let mark = line.strip_suffix(language)?.to_owned();
        let is_fence = letter != '`' || !language.contains('`');
        let word = language.split([' ', ',']).find(|word| !word.is_empty()).unwrap_or_default();
        is_fence.then(|| Self { mark, is_shell: SHELLS.contains(&word) })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.starts_with(&self.mark) && self.mark.chars().next().is_some_and(|mark| line.chars().all(|c| c == mark))
    }
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim().trim_end_matches('#').trim_end())
}

/// GitHub's rule: small letters, spaces become dashes, other signs go; a link counts by its text.
fn slug(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    while let Some((before, target)) = rest.split_once("](") {
        text.push_str(before);
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let letters = text.chars().flat_map(char::to_lowercase);
    let letters = letters.filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// Lines which belong together: a code span may begin on one and end on the next.
#[derive(Default)]
struct Paragraph {
    text: String,
    line: usize,
}

impl Paragraph {
    fn add(&mut self, text: &str, line: usize) {
        if self.text.is_empty() {
            self.line = line;
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn close(&mut self, document: &mut Document) {
        let text = std::mem::take(&mut self.text);
        let mut line = self.line;
        let mut prose = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find('`') {
            let (before, from) = rest.split_at(start);
            let ticks: String = from.chars().take_while(|letter| *letter == '`').collect();
            let inside = from.trim_start_matches('`');
            prose.push_str(before);
            line += before.matches('\n').count();
            rest = inside;
            if let Some((code, after)) = split_at_run(inside, &ticks) {
                document.spans.push(Piece { text: code.replace('\n', " ").trim().to_owned(), line });
                let lines = code.matches('\n').count();
                prose.push_str(&"\n".repeat(lines));
                line += lines;
                rest = after;
            }
        }
        prose.push_str(rest);
        document.links.extend(links(&prose, self.line));
    }
}

/// Splits at the first run of exactly these backticks.
fn split_at_run<'a>(text: &'a str, ticks: &str) -> Option<(&'a str, &'a str)> {
    let is_whole = |start: usize| {
        let (before, from) = text.split_at(start);
        let run = from.len() - from.trim_start_matches('`').len();
        run == ticks.len() && !before.ends_with('`')
    };
    let (start, _) = text.match_indices('`').find(|(start, _)| is_whole(*start))?;
    let (code, rest) = text.split_at(start);
    Some((code, rest.strip_prefix(ticks)?))
}

fn links(prose: &str, first_line: usize) -> Vec<Piece> {
    let mut links = Vec::new();
    for (text, line) in prose.split('\n').zip(first_line..) {
        for after in text.split("](").skip(1) {
            let target = after.split_once(')').map_or(after, |(target, _)| target);
            let target = target.split_whitespace().next().unwrap_or_default();
            links.push(Piece { text: target.trim_matches(['<', '>']).to_owned(), line });
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(pieces: &[Piece]) -> Vec<(&str, usize)> {
        pieces.iter().map(|piece| (piece.text.as_str(), piece.line)).collect()
    }

    #[test]
    fn anchors_follow_the_rule_of_github() {
        let text = "# One: two, *three*!\n## `Chain` & [the link](a.md#b) it_has\n### Ünï 4-5 ##\n# One: two, three\n";
        let expected = ["one-two-three", "chain--the-link-it_has", "ünï-4-5", "one-two-three-1"];
        assert_eq!(parse(text).anchors, expected);
        assert!(parse("#hash\n####### seven\n```\n# shell comment\n```\n").anchors.is_empty());
    }

    #[test]
    fn a_code_span_may_wrap_and_keeps_its_line() {
        let text = "a `one`\nand ``two ` ticks`` and `three\nfour` `five`\n\nan open ` tick\n\n`six`";
        let expected = [("one", 1), ("two ` ticks", 2), ("three four", 2), ("five", 3), ("six", 7)];
        assert_eq!(pieces(&parse(text).spans), expected);
    }

    #[test]
    fn links_and_images_are_found_but_not_in_code() {
        let text = "[a](b.md#c) ![d](<e.png> \"title\")\n[wrapped\ntext](f.md) `[g](h.md)`\n```\n[i](j.md)\n```\n- [`k`](l.md)";
        let expected = [("b.md#c", 1), ("e.png", 1), ("f.md", 3), ("l.md", 7)];
        assert_eq!(pieces(&parse(text).links), expected);
    }

    #[test]
    fn fenced_lines_are_commands_or_listings_by_their_language() {
        let text = "```sh\njust test\n```\n~~~rust\nlet a;\n```\n~~~\n````\n```\njust ci\n````\nend";
        let document = parse(text);
        assert_eq!(pieces(&document.commands), [("just test", 2), ("```", 9), ("just ci", 10)]);
        assert_eq!(pieces(&document.listings), [("let a;", 5), ("```", 6)]);
    }
}
