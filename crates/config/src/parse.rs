//! From text to values that know where they stand in it.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue, Error};

use crate::error::ConfigError;
use crate::node::{Branch, Data, Node};
use crate::origin::{Document, Origin, Source};
use crate::scan::Scan;
use crate::{MAX_BYTES, MAX_DEPTH};

/// Reads a whole file.
pub(crate) fn file(source: Source, text: &str) -> Result<Branch, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = document(source, text)?;
    let reader = Reader { document: &document };
    if let Some(place) = too_deep(&document.text) {
        return Err(reader.too_deep(&place));
    }
    let (table, errors) = DeTable::parse_recoverable(&document.text);
    // The parser finds strings without an end after everything else. What comes before an error must be sound: by that
    // we know what is secret around it.
    match errors.iter().min_by_key(|error| error.span().map_or(usize::MAX, |span| span.start)) {
        Some(first) => Err(reader.refuse(first)),
        None => reader.branch(table.get_ref(), 0),
    }
}

/// Reads one value at a path: TOML if it is such, else the text itself.
pub(crate) fn value(source: Source, path: Vec<String>, text: &str) -> Result<Branch, ConfigError> {
    let document = document(source, text.trim())?;
    let reader = Reader { document: &document };
    let whole = 0..document.text.len();
    if path.len() > MAX_DEPTH {
        return Err(reader.too_deep(&whole));
    }
    let value = if too_deep(&document.text).is_none() {
        DeValue::parse(&document.text).ok()
    } else if document.text.starts_with(['[', '{']) {
        return Err(reader.too_deep(&whole));
    } else {
        None
    };
    let node = match value {
        Some(value) => reader.node(&whole, &value, path.len())?,
        None => reader.place(&whole, &whole, Data::Text(document.text.clone())),
    };
    let mut parts = path.into_iter().rev();
    let innermost = Branch::from([(parts.next().unwrap_or_default(), node)]);
    let around = |inner, part| Branch::from([(part, reader.place(&whole, &whole, Data::Table(inner)))]);
    Ok(parts.fold(innermost, around))
}

fn document(source: Source, text: &str) -> Result<Arc<Document>, ConfigError> {
    if text.len() > MAX_BYTES {
        let message = format!("{} bytes of settings, and at most {MAX_BYTES} are read: use less", text.len());
        return Err(ConfigError::without_line(source.to_string(), message));
    }
    Ok(Arc::new(Document::new(source, text)))
}

/// The line which is surely too deep. The parser counts only brackets, and lets go of what it read by recursion: dots
/// in brackets would take all of the stack.
fn too_deep(text: &str) -> Option<Range<usize>> {
    // The dots of the number in the innermost place, and of the header, and the bracket of the header are not levels.
    let limit = MAX_DEPTH + 2;
    let mut scan = Scan::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if scan.line(line) > limit {
            return Some(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    None
}

struct Reader<'a> {
    document: &'a Arc<Document>,
}

impl Reader<'_> {
    fn place(&self, key: &Range<usize>, value: &Range<usize>, data: Data) -> Node {
        let origin = Origin { document: Arc::clone(self.document), key: key.clone(), value: value.clone() };
        Node { origin, data }
    }

    fn refuse(&self, error: &Error) -> ConfigError {
        let span = error.span().unwrap_or_default();
        ConfigError::at(self.document, &span, format!("not valid TOML: {}", error.message()))
    }

    fn too_deep(&self, span: &Range<usize>) -> ConfigError {
        let message = format!("tables and lists stand in one another more than {MAX_DEPTH} deep: use fewer levels");
        ConfigError::at(self.document, span, message)
    }

    fn branch(&self, table: &DeTable<'_>, depth: usize) -> Result<Branch, ConfigError> {
        let mut branch = Branch::new();
        for (key, value) in table {
            let node = self.node(&key.span(), value, depth + 1)?;
            branch.insert(key.get_ref().to_string(), node);
        }
        Ok(branch)
    }

    fn node(&self, key: &Range<usize>, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, ConfigError> {
        if depth > MAX_DEPTH {
            return Err(self.too_deep(key));
        }
        let data = match value.get_ref() {
            DeValue::String(text) => Data::Text(text.to_string()),
            DeValue::Integer(number) => Data::Whole { shown: number.to_string(), number: whole(number) },
            DeValue::Float(number) => Data::Fraction(number.to_string()),
            DeValue::Boolean(truth) => Data::Truth(*truth),
            DeValue::Datetime(date) => Data::Date(date.to_string()),
            DeValue::Array(items) => {
                let item = |item: &Spanned<DeValue<'_>>| self.node(&item.span(), item, depth + 1);
                Data::List(items.iter().map(item).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Data::Table(self.branch(table, depth)?),
        };
        Ok(self.place(key, &value.span(), data))
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}
