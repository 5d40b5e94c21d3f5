//! What a setting can be read as.

use crate::node::{Data, Node};
use crate::origin::Origin;

/// A type that a setting can be read as: `String`, `bool`, `u64`, `u32`, `usize`, `f64`, and a `Vec` of these.
pub trait Value: read::Read {}

impl<T: read::Read> Value for T {}

/// A setting is something else than was asked for.
pub struct Mismatch {
    pub(crate) origin: Origin,
    pub(crate) expected: String,
    pub(crate) found: &'static str,
}

impl Mismatch {
    pub(crate) fn new(node: &Node, expected: impl Into<String>) -> Self {
        Self { origin: node.origin.clone(), expected: expected.into(), found: node.data.kind() }
    }
}

pub(crate) mod read {
    use super::{Mismatch, Node};

    /// How a setting is read. Not for other crates: what can be read is decided here.
    pub trait Read: Sized {
        /// What one and many of these are called.
        fn names() -> (String, String);

        /// Reads it.
        fn read(node: &Node) -> Result<Self, Mismatch>;
    }
}

impl read::Read for String {
    fn names() -> (String, String) {
        ("a string".to_owned(), "strings".to_owned())
    }

    fn read(node: &Node) -> Result<Self, Mismatch> {
        match (&node.data, node.origin.typed()) {
            (Data::Text(text), _) => Ok(text.clone()),
            // `-c model=5`: nobody quotes a number twice, once for the shell and once for TOML.
            (data, Some(typed)) if data.text().is_some() => Ok(typed.to_owned()),
            _ => Err(Mismatch::new(node, Self::names().0)),
        }
    }
}

impl read::Read for bool {
    fn names() -> (String, String) {
        ("true or false".to_owned(), "true or false".to_owned())
    }

    fn read(node: &Node) -> Result<Self, Mismatch> {
        match node.data {
            Data::Truth(truth) => Ok(truth),
            _ => Err(Mismatch::new(node, Self::names().0)),
        }
    }
}

impl read::Read for f64 {
    fn names() -> (String, String) {
        ("a number".to_owned(), "numbers".to_owned())
    }

    fn read(node: &Node) -> Result<Self, Mismatch> {
        let written = match &node.data {
            Data::Fraction(text) => text.parse().ok().filter(|number: &Self| number.is_finite()),
            Data::Whole { number: Some(number), .. } => number.to_string().parse().ok(),
            _ => return Err(Mismatch::new(node, Self::names().0)),
        };
        let too_large = || Mismatch { found: "one that is not finite", ..Mismatch::new(node, "a finite number") };
        written.ok_or_else(too_large)
    }
}

/// A whole number which is not negative.
fn whole<T: TryFrom<i128> + std::fmt::Display>(node: &Node, largest: &T) -> Result<T, Mismatch> {
    let Data::Whole { number, shown } = &node.data else {
        return Err(Mismatch::new(node, "a whole number"));
    };
    let out_of_range = || {
        let found = if shown.starts_with('-') { "a negative one" } else { "a larger one" };
        Mismatch { found, ..Mismatch::new(node, format!("a whole number from 0 to {largest}")) }
    };
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(out_of_range)
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        impl read::Read for $kind {
            fn names() -> (String, String) {
                ("a whole number".to_owned(), "whole numbers".to_owned())
            }

            fn read(node: &Node) -> Result<Self, Mismatch> {
                whole(node, &Self::MAX)
            }
        }
    )*};
}

whole!(u32, u64, usize);

impl<T: read::Read> read::Read for Vec<T> {
    fn names() -> (String, String) {
        let (_, many) = T::names();
        (format!("a list of {many}"), format!("lists of {many}"))
    }

    fn read(node: &Node) -> Result<Self, Mismatch> {
        match &node.data {
            Data::List(items) => items.iter().map(T::read).collect(),
            _ => Err(Mismatch::new(node, Self::names().0)),
        }
    }
}
