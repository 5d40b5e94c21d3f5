//! Which acts are open.

use std::collections::HashMap;

use crate::audit::entry::{Entry, Recorded};

/// The most acts of a kind that a report names.
pub const MAX_ACTS_SHOWN: usize = 100;

/// The most open acts that are kept in mind. Far fewer can be under way at once; more are left by crashes only.
const MAX_OPEN: usize = 1 << 16;

/// An act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The record that begins it, or ends it.
    pub record: u64,
    /// What it is called.
    pub act: String,
}

/// What the records say about acts.
#[derive(Debug, Default)]
pub(super) struct Acts {
    open: HashMap<String, u64>,
    pub(super) loose: Vec<Act>,
    pub(super) loose_count: u64,
    pub(super) unknown: u64,
}

impl Acts {
    pub(super) fn see(&mut self, record: u64, body: &str) {
        match Recorded::read(body).map(|recorded| recorded.entry) {
            Ok(Entry::Begun(act, _)) if self.open.len() < MAX_OPEN => {
                self.open.insert(act.into_owned(), record);
            }
            Ok(Entry::Ended(act, _)) if self.open.remove(&*act).is_none() && self.open.len() < MAX_OPEN => {
                self.loose_count += 1;
                if self.loose.len() < MAX_ACTS_SHOWN {
                    self.loose.push(Act { record, act: act.into_owned() });
                }
            }
            Ok(Entry::Other(_)) | Err(_) => self.unknown += 1,
            Ok(_) => {}
        }
    }

    /// The open ones in their order, and how many.
    pub(super) fn open(&mut self) -> (Vec<Act>, u64) {
        let count = self.open.len() as u64;
        let mut open: Vec<_> = self.open.drain().map(|(act, record)| Act { record, act }).collect();
        open.sort_by_key(|act| act.record);
        open.truncate(MAX_ACTS_SHOWN);
        (open, count)
    }
}
