//! Whose a response is.

use std::sync::Arc;

/// Whose a response is: whoever has the API key of this id. Where no keys are asked for, all is nobody's.
///
/// What belongs to one owner does not exist for another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(Arc<str>);

impl Owner {
    /// The owner where no keys are asked for.
    pub fn nobody() -> Self {
        Self(Arc::from(""))
    }

    /// The holder of the key of this id.
    pub fn of_key(id: &str) -> Self {
        Self(Arc::from(id))
    }

    /// The id of the key; empty for nobody.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
