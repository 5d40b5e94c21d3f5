//! Settings to be read.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use crate::error::ConfigError;
use crate::key::dotted;
use crate::nearest::nearest;
use crate::node::{Branch, Data, Node};
use crate::origin::Origin;
use crate::secret::is_secret;
use crate::value::{Mismatch, Value};

/// A merged table whose values know where they come from. It remembers which keys were asked for: read all there are,
/// then [`finish`](Self::finish).
#[must_use = "a table that is not finished lets mistyped keys pass"]
pub struct Table {
    path: Vec<String>,
    origin: Option<Origin>,
    branch: Branch,
    asked: BTreeSet<&'static str>,
}

/// One setting, for a list of them.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its dotted key.
    pub key: String,
    /// Its value as TOML on one line; `"…"` if it may be secret.
    pub value: String,
    /// What set it.
    pub origin: Origin,
}

impl Table {
    pub(crate) fn root(branch: Branch) -> Self {
        Self { path: Vec::new(), origin: None, branch, asked: BTreeSet::new() }
    }

    fn inner(&self, parts: &[&str], node: Option<(&Node, &Branch)>) -> Self {
        let path = self.path.iter().map(String::as_str).chain(parts.iter().copied()).map(str::to_owned).collect();
        let (origin, branch) =
            node.map_or_else(Default::default, |(node, branch)| (Some(node.origin.clone()), branch.clone()));
        Self { path, origin, branch, asked: BTreeSet::new() }
    }

    fn ask(&mut self, key: &'static str) -> Option<&Node> {
        self.asked.insert(key);
        self.branch.get(key)
    }

    fn table_at(&self, key: &str) -> Result<Option<(&Node, &Branch)>, ConfigError> {
        self.branch.get(key).map(|node| Ok((node, table_of(node)?))).transpose()
    }

    /// The value of a key, if it is set.
    pub fn read<T: Value>(&mut self, key: &'static str) -> Result<Option<T>, ConfigError> {
        self.ask(key).map(|node| T::read(node).map_err(ConfigError::from)).transpose()
    }

    /// The value of a key which is text of a certain form. `expected` names the form: `auto, ws or http`.
    pub fn read_with<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(node) = self.ask(key) else { return Ok(None) };
        let text: String = value_of(node).map_err(|mismatch| Mismatch { expected: expected.to_owned(), ..mismatch })?;
        let other = || at_value(&node.origin, format!("expected {expected}"));
        parse(&text).map(Some).ok_or_else(other)
    }

    /// The table of a key; empty if it is not set.
    pub fn table(&mut self, key: &'static str) -> Result<Self, ConfigError> {
        self.asked.insert(key);
        Ok(self.inner(&[key], self.table_at(key)?))
    }

    /// The tables within the table of a key, by names which the user gave them.
    pub fn tables(&mut self, key: &'static str) -> Result<Vec<(String, Self)>, ConfigError> {
        self.asked.insert(key);
        let Some((_, named)) = self.table_at(key)? else { return Ok(Vec::new()) };
        let inner = |(name, node): (&String, &Node)| {
            Ok((name.clone(), self.inner(&[key, name], Some((node, table_of(node)?)))))
        };
        named.iter().map(inner).collect()
    }

    /// The fields of the table of a key, by names which the user gave them. Numbers and the like become text.
    pub fn map(&mut self, key: &'static str) -> Result<Vec<(String, String)>, ConfigError> {
        self.asked.insert(key);
        let Some((_, fields)) = self.table_at(key)? else { return Ok(Vec::new()) };
        let field = |(name, node): (&String, &Node)| {
            let text = value_of(node).ok().or_else(|| node.data.text());
            let text = text.ok_or_else(|| Mismatch::new(node, "a string, a number, or true or false"))?;
            Ok((name.clone(), text))
        };
        fields.iter().map(field).collect()
    }

    /// The fields of the table of a key, by names which the user gave them: each a string, or a list of strings.
    pub fn lists(&mut self, key: &'static str) -> Result<Vec<(String, Vec<String>)>, ConfigError> {
        self.asked.insert(key);
        let Some((_, fields)) = self.table_at(key)? else { return Ok(Vec::new()) };
        let field = |(name, node): (&String, &Node)| {
            let one = value_of(node).map(|text| vec![text]);
            let list = one.or_else(|_: Mismatch| value_of(node));
            let expected = match node.data {
                // `gpt-5.6 = …` is a table, and nobody means one.
                Data::Table(_) => "a string or a list of strings (a name with dots in it needs quotes)",
                _ => "a string or a list of strings",
            };
            Ok((name.clone(), list.map_err(|_: Mismatch| Mismatch::new(node, expected))?))
        };
        fields.iter().map(field).collect()
    }

    /// What set a key.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.branch.get(key).map(|node| &node.origin)
    }

    /// An error at the value of a key which can be read but is not valid, or at the table if the key is not set. The
    /// message must not repeat what may be secret.
    pub fn refuse(&self, key: &str, message: impl Into<String>) -> ConfigError {
        match (self.branch.get(key), &self.origin) {
            (Some(node), _) => at_value(&node.origin, message),
            (None, Some(origin)) => at_key(origin, message),
            (None, None) => ConfigError::without_line(self.label(), message),
        }
    }

    /// Ends the reading. A key nobody asked for is an error.
    pub fn finish(self) -> Result<(), ConfigError> {
        let Some((key, node)) = self.branch.iter().find(|(key, _)| !self.asked.contains(key.as_str())) else {
            return Ok(());
        };
        let place = if self.path.is_empty() { String::new() } else { format!(" in {}", self.label()) };
        let advice = match nearest(key, self.asked.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "remove it, or move it to the table where it belongs".to_owned(),
        };
        let message = format!("unknown key `{}`{place}: {advice}", dotted([key.as_str()]));
        Err(at_key(&node.origin, message))
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.branch.is_empty()
    }

    /// Every setting, in the order of their keys. A list is one setting.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut path = self.path.iter().map(String::as_str).collect();
        collect(&self.branch, &mut path, &mut entries);
        entries
    }

    fn label(&self) -> String {
        if self.path.is_empty() {
            "settings".to_owned()
        } else {
            format!("[{}]", dotted(self.path.iter().map(String::as_str)))
        }
    }
}

/// Without secrets.
impl fmt::Debug for Table {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_list().entries(self.entries()).finish()
    }
}

fn collect<'a>(branch: &'a Branch, path: &mut Vec<&'a str>, to: &mut Vec<Entry>) {
    for (name, node) in branch {
        path.push(name);
        match &node.data {
            Data::Table(inner) if !inner.is_empty() => collect(inner, path, to),
            data => to.push(Entry {
                key: dotted(path.iter().copied()),
                value: data.toml(path.iter().any(|part| is_secret(part))),
                origin: node.origin.clone(),
            }),
        }
        path.pop();
    }
}

fn value_of<T: Value>(node: &Node) -> Result<T, Mismatch> {
    T::read(node)
}

fn table_of(node: &Node) -> Result<&Branch, ConfigError> {
    match &node.data {
        Data::Table(branch) => Ok(branch),
        _ => Err(Mismatch::new(node, "a table").into()),
    }
}

fn at_key(origin: &Origin, message: impl Into<String>) -> ConfigError {
    at(origin, &origin.key, message)
}

fn at_value(origin: &Origin, message: impl Into<String>) -> ConfigError {
    at(origin, &origin.value, message)
}

fn at(origin: &Origin, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
    ConfigError::at(&origin.document, span, message)
}

impl From<Mismatch> for ConfigError {
    fn from(mismatch: Mismatch) -> Self {
        let Mismatch { origin, expected, found } = mismatch;
        at_value(&origin, format!("expected {expected}, found {found}"))
    }
}
