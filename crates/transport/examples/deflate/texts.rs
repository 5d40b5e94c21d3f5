//! Real text from this repository, and noise from a seed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use responses::json::Json;

/// Tool outputs are whole lines of source, about so many bytes.
const OUTPUT: (usize, usize) = (1 << 10, 8 << 10);

/// What is read where in the repository, and how far it was used.
pub(crate) struct Texts {
    prose: String,
    /// Lines of source with their file, for the outputs of tools.
    lines: std::vec::IntoIter<String>,
    /// Sentences from comments of another crate, for what the model says.
    sentences: std::vec::IntoIter<String>,
    files: Vec<String>,
    random: Random,
}

impl Texts {
    pub(crate) fn read(workspace: &Path) -> Result<Self> {
        let read = |name: &str| fs::read_to_string(workspace.join(name)).with_context(|| name.to_owned());
        let prose = ["STYLE.md", "ARCHITECTURE.md", "README.md", "CONTRIBUTING.md", "SECURITY.md"];
        let prose = prose.into_iter().map(read).collect::<Result<Vec<_>>>()?.join("\n");
        let sources = sources_below(&workspace.join("crates/responses/src"))?;
        let lines = sources.iter().flat_map(|(_, text)| text.lines()).map(str::to_owned).collect::<Vec<_>>();
        let files = sources.iter().map(|(path, _)| path.strip_prefix(workspace).unwrap_or(path).display().to_string());
        let files = files.collect();
        let sentences = sentences(&comments(&sources_below(&workspace.join("crates/testkit/src"))?));
        Ok(Self { prose, lines: lines.into_iter(), sentences: sentences.into_iter(), files, random: Random::new(1) })
    }

    pub(crate) fn instructions(&self, len: usize) -> String {
        let end = (0..=len).rev().find(|at| self.prose.is_char_boundary(*at)).unwrap_or_default();
        self.prose.get(..end).unwrap_or(&self.prose).to_owned()
    }

    /// The next stretch of source, as a tool shows it: with the numbers of the lines.
    pub(crate) fn output(&mut self) -> String {
        let len = self.random.between(OUTPUT.0, OUTPUT.1);
        let mut output = String::new();
        for (number, line) in (1..).zip(self.lines.by_ref()) {
            let _ = writeln!(output, "{number:>5}\t{line}");
            if output.len() >= len {
                break;
            }
        }
        output
    }

    pub(crate) fn sentences(&mut self, number: usize) -> String {
        self.sentences.by_ref().take(number).collect::<Vec<_>>().join(" ")
    }

    /// A call of one of the tools, about one of the files.
    pub(crate) fn call(&mut self, number: usize) -> (String, String) {
        let at = self.random.between(0, self.files.len() - 1);
        let path = Json::of(&self.files.get(at).map_or("", String::as_str));
        let (path, line) = (path.text(), self.random.between(1, 400));
        let (name, arguments) = match number % 4 {
            0 => (
                "search_text",
                format!(r#"{{"pattern":"fn \\w+_{line}|handle_\\w+","path":{path},"mode":"lines","after":6}}"#),
            ),
            1 => (
                "run_command",
                format!(
                    r#"{{"command":"sed -n {line},{}p $FILE && cargo check --package responses","environment":{{"FILE":{path}}},"timeout_ms":300000}}"#,
                    line + 80
                ),
            ),
            _ => ("read_file", format!(r#"{{"path":{path},"offset":{line},"limit":200}}"#)),
        };
        (name.to_owned(), arguments)
    }
}

/// The comments of these sources that are for readers, as one text.
fn comments(sources: &[(PathBuf, String)]) -> String {
    let lines = sources.iter().flat_map(|(_, text)| text.lines());
    let comments = lines.filter_map(|line| line.trim().strip_prefix("///").or(line.trim().strip_prefix("//!")));
    comments.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn sentences(text: &str) -> Vec<String> {
    text.split_inclusive(". ")
        .map(|sentence| sentence.trim().to_owned())
        .filter(|sentence| sentence.len() > 20)
        .collect()
}

/// All Rust sources below a directory, by path.
fn sources_below(directory: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(sources_below(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path)?;
            found.push((path, text));
        }
    }
    Ok(found)
}

/// The same noise from the same seed (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of this range, its end included.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        let span = u64::try_from(most - least + 1).unwrap_or(u64::MAX);
        least + usize::try_from(self.next() % span).unwrap_or_default()
    }

    /// As base64 has them.
    pub(crate) fn letters(&mut self, len: usize) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..len).map(|_| char::from(*LETTERS.get(self.between(0, 63)).unwrap_or(&b'A'))).collect()
    }
}
