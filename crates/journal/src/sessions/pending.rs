//! What was begun in a session and has no end there.

use std::collections::BTreeMap;

use responses::id::CallId;

use super::SessionError;
use crate::record::{Asked, Begun, Intent, Record};

/// How much may be pending.
const MAX_PENDING: usize = 1 << 16;

/// What was begun and has no end. Whoever goes on must say of each what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// Calls that were about to be run and have no outcome.
    pub intents: BTreeMap<CallId, Intent>,
    /// Permits that began and have not ended.
    pub permits: BTreeMap<String, Begun>,
    /// Questions without an answer.
    pub questions: BTreeMap<String, Asked>,
    /// A wait that has no end: why, and until when.
    pub wait: Option<(String, Option<u64>)>,
}

impl Pending {
    /// Takes the next record.
    pub fn take(&mut self, record: &Record) -> Result<(), SessionError> {
        match record {
            Record::Intent(intent) => drop(self.intents.insert(intent.call.clone(), intent.clone())),
            Record::Outcome(outcome) => drop(self.intents.remove(&outcome.call)),
            Record::Begun(begun) => drop(self.permits.insert(begun.permit.clone(), begun.clone())),
            Record::Ended { permit, .. } => drop(self.permits.remove(permit)),
            Record::Asked(asked) => drop(self.questions.insert(asked.question.clone(), asked.clone())),
            Record::Answered(answered) => drop(self.questions.remove(&answered.question)),
            Record::Wait { why, until } => self.wait = Some((why.clone(), *until)),
            Record::Waited { .. } => self.wait = None,
            _ => {}
        }
        let found = self.intents.len() + self.permits.len() + self.questions.len();
        if found <= MAX_PENDING {
            return Ok(());
        }
        Err(SessionError::Limit {
            what: "the number of things that have no end in a session",
            found: found as u64,
            limit: MAX_PENDING as u64,
            next: "fork the session before them",
        })
    }

    /// Whether everything that was begun has an end.
    pub fn is_empty(&self) -> bool {
        self.intents.is_empty() && self.permits.is_empty() && self.questions.is_empty() && self.wait.is_none()
    }
}
