//! What the documents name must be there: files, headings, commands, crates.

use crate::command::COMMANDS;
use crate::finding::Finding;
use crate::markdown::{self, Document, Piece};
use crate::repository::{Repository, SourceFile};
use crate::rules::{DocumentRules, Rules};

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Every name in a document that leads nowhere, and every document that should be there and is not.
pub(crate) fn check(repository: &Repository, rules: &Rules) -> Vec<Finding> {
    let known = Known::new(repository, &rules.documents);
    let mut findings = known.missing(&rules.documents.required);
    for file in repository.ending(".md") {
        let document = markdown::parse(&file.text);
        findings.extend(document.links.iter().filter_map(|link| known.link(file, link)));
        findings.extend(document.spans.iter().filter_map(|span| known.path(file, span)));
        let code = document.spans.iter().chain(&document.commands);
        findings.extend(code.flat_map(|piece| known.commands(file, piece)));
        if file.path == ARCHITECTURE {
            findings.extend(architecture(file, &document, repository, rules.limits.architecture_lines));
        }
    }
    findings
}

/// What a document may name.
struct Known<'a> {
    repository: &'a Repository,
    /// Names at the root.
    top_level: Vec<&'a str>,
    /// Folders and files which tools write and git does not take.
    ignored: Vec<&'a str>,
    recipes: Vec<&'a str>,
}

impl<'a> Known<'a> {
    fn new(repository: &'a Repository, rules: &'a DocumentRules) -> Self {
        let present = repository.files.iter().filter_map(|file| file.path.split('/').next());
        let listed = rules.top_level.iter().chain(&rules.required).map(String::as_str);
        let lines = |path| repository.text(path).unwrap_or_default().lines();
        let ignored = lines(".gitignore").filter_map(|line| line.strip_prefix('/'));
        Self {
            repository,
            top_level: present.chain(listed).collect(),
            ignored: ignored.map(|path| path.trim_end_matches(['/', '*'])).collect(),
            recipes: lines("justfile").filter_map(recipe).collect(),
        }
    }

    fn missing(&self, required: &[String]) -> Vec<Finding> {
        let missing = required.iter().filter(|path| !self.repository.has(path));
        missing.map(|path| Finding::new(path, 1, "the document is missing: write it")).collect()
    }

    fn link(&self, file: &SourceFile, link: &Piece) -> Option<Finding> {
        let target = link.text.as_str();
        if target.contains("://") || target.starts_with("mailto:") {
            return None;
        }
        let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let found = |message: String| Some(Finding::new(&file.path, link.line, message));
        let Some(path) = resolve(&file.path, path).filter(|path| self.repository.has(path)) else {
            return found(format!("the link `{target}` leads nowhere: correct or remove it"));
        };
        let anchor = anchor?;
        let anchors = self.repository.text(&path).map(|text| markdown::parse(text).anchors).unwrap_or_default();
        if anchors.iter().any(|one| one == anchor) {
            return None;
        }
        found(format!("the link `{target}` leads to no heading: `{path}` has no `#{anchor}`; correct or remove it"))
    }

    /// A span that looks like a path from the root must be one.
    fn path(&self, file: &SourceFile, span: &Piece) -> Option<Finding> {
        let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '.' | '_' | '-');
        let path = span.text.trim_end_matches('/');
        let top = path.split('/').next()?;
        let is_word = !span.text.contains(['/', '.']);
        if is_word || !span.text.chars().all(is_plain) || !self.top_level.contains(&top) {
            return None;
        }
        if self.repository.has(path) || self.ignored.iter().any(|ignored| path.starts_with(ignored)) {
            return None;
        }
        let message = format!("`{}` is not in the repository: correct or remove the path", span.text);
        Some(Finding::new(&file.path, span.line, message))
    }

    fn commands(&self, file: &SourceFile, piece: &Piece) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |message| findings.push(Finding::new(&file.path, piece.line, message));
        for command in piece.text.split(['|', ';', '&']) {
            let words = command.split_whitespace().skip_while(|word| *word == "$" || word.contains('='));
            let words: Vec<&str> = words.collect();
            match words.as_slice() {
                ["just", name, ..] if is_name(name) && !self.recipes.contains(name) => {
                    found(format!("`just {name}` is no recipe: `just --list` shows them all"));
                }
                ["cargo", "xtask", name, ..] if is_name(name) && !COMMANDS.iter().any(|(known, _)| known == name) => {
                    found(format!("`cargo xtask {name}` is no command: `cargo xtask help` shows them all"));
                }
                _ => {}
            }
        }
        findings
    }
}

fn architecture(file: &SourceFile, document: &Document, repository: &Repository, limit: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    if lines > limit {
        let message = format!("{lines} lines, the limit is {limit}: move detail to the crate it belongs to");
        findings.push(Finding::new(ARCHITECTURE, limit + 1, message));
    }
    let code = || document.spans.iter().chain(&document.commands).chain(&document.listings);
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    for krate in &repository.crates {
        let folder = krate.directory.rsplit('/').next().unwrap_or_default();
        if !code().any(|piece| piece.text.split(|letter| !is_part(letter)).any(|word| word == folder)) {
            let message = format!("`{}` is not named: say in one line what it is for", krate.directory);
            findings.push(Finding::new(ARCHITECTURE, 1, message));
        }
    }
    findings
}

/// A link's target as a path from the root; none when it climbs out of the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The name of the recipe which begins on this line of a justfile.
fn recipe(line: &str) -> Option<&str> {
    let (head, body) = line.split_once(':')?;
    let name = head.split_whitespace().next()?.trim_start_matches('@');
    (line.starts_with(name) || line.starts_with('@'))
        .then_some(name)
        .filter(|name| is_name(name) && !body.starts_with('='))
}

fn is_name(word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    word.starts_with(|letter: char| letter.is_ascii_alphabetic()) && word.chars().all(is_part)
}

#[cfg(test)]
mod tests;
