//! A value with its origin.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::key;
use crate::origin::Origin;
use crate::secret::{HIDDEN, has_user, is_secret, names_secret};

/// The content of a table.
pub(crate) type Branch = BTreeMap<String, Node>;

/// A value, and where it was set.
#[derive(Clone)]
pub struct Node {
    pub(crate) origin: Origin,
    pub(crate) data: Data,
}

/// Numbers and dates are kept as they are written: whoever reads them knows how large they may be.
#[derive(Clone)]
pub(crate) enum Data {
    Text(String),
    Whole { shown: String, number: Option<i128> },
    Fraction(String),
    Truth(bool),
    Date(String),
    List(Vec<Node>),
    Table(Branch),
}

impl Data {
    /// What a user would call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Whole { .. } => "a whole number",
            Self::Fraction(_) => "a number with a fraction",
            Self::Truth(_) => "true or false",
            Self::Date(_) => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// A scalar as text, without quotes.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Whole { shown: text, .. } | Self::Fraction(text) | Self::Date(text) => {
                Some(text.clone())
            }
            Self::Truth(truth) => Some(truth.to_string()),
            Self::List(_) | Self::Table(_) => None,
        }
    }

    /// As TOML on one line, without what is secret.
    pub(crate) fn toml(&self, hide: bool) -> String {
        let hide_text = |text: &str| hide || has_user(text) || (text.contains("://") && names_secret(text));
        match self {
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.data.toml(hide)).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Table(branch) if branch.is_empty() => "{}".to_owned(),
            Self::Table(branch) => {
                let field = |(name, node): (&String, &Node)| {
                    format!("{} = {}", key::part(name), node.data.toml(hide || is_secret(name)))
                };
                format!("{{ {} }}", branch.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            Self::Text(text) if hide_text(text) => key::quoted(HIDDEN),
            Self::Text(text) => key::quoted(text),
            _ if hide => key::quoted(HIDDEN),
            scalar => scalar.text().unwrap_or_default(),
        }
    }
}

/// Lays one table over another: tables merge key by key, anything else replaces.
pub(crate) fn lay(under: &mut Branch, over: Branch) {
    for (name, node) in over {
        let mut below = match under.entry(name) {
            Entry::Vacant(free) => {
                free.insert(node);
                continue;
            }
            Entry::Occupied(below) => below,
        };
        match (below.get_mut(), node) {
            (Node { origin, data: Data::Table(below) }, Node { origin: latest, data: Data::Table(over) }) => {
                *origin = latest;
                lay(below, over);
            }
            (_, node) => {
                below.insert(node);
            }
        }
    }
}
