//! The responses a server has stored.

use std::collections::VecDeque;

use responses::chain::Context;
use responses::id::ResponseId;

/// How many responses are stored; the oldest is forgotten first.
const MAX_STORED: usize = 1024;

/// What is stored of a response.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// All of it, as `GET` answers it.
    pub(crate) response: String,
    /// Everything up to and including it.
    pub(crate) context: Context,
    /// Whether one can go on from it.
    pub(crate) well: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    stored: VecDeque<(ResponseId, Stored)>,
}

impl Memory {
    pub(crate) fn store(&mut self, id: ResponseId, stored: Stored) {
        if self.stored.len() == MAX_STORED {
            self.stored.pop_front();
        }
        self.stored.push_back((id, stored));
    }

    pub(crate) fn get(&self, id: &ResponseId) -> Option<Stored> {
        self.stored.iter().find(|(other, _)| other == id).map(|(_, stored)| stored.clone())
    }
}
