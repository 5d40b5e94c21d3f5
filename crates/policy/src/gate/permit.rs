//! Leave to do something once, and the promise that its end is written down.

use std::fmt;

use super::record::{Ended, Outcome, Receipt, Ticket};
use crate::act::Hash;

/// Leave to do `A` once, with exactly these arguments. That it begins is written down already. Who does `A` takes this by
/// value; if it is dropped instead, the act ends as [`Outcome::Abandoned`].
#[must_use = "a permit that is dropped ends its act as abandoned"]
pub struct Permit<A> {
    guard: Guard,
    payload: A,
}

impl<A> Permit<A> {
    pub(super) fn new(payload: A, guard: Guard) -> Self {
        Self { guard, payload }
    }

    /// The hash of the arguments to which it is bound, as the log has it.
    pub fn hash(&self) -> Hash {
        self.guard.hash
    }

    /// What is to be done now, and the act that runs from here on.
    pub fn open(self) -> (A, Open) {
        let Self { mut guard, payload } = self;
        guard.otherwise = Outcome::Interrupted;
        (payload, Open { guard })
    }
}

/// Without the arguments: they may be long, or secret.
impl<A> fmt::Debug for Permit<A> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Permit").field("hash", &self.guard.hash).finish_non_exhaustive()
    }
}

/// An act that runs. If it is dropped, by a panic or because its turn was cancelled, the act ends as
/// [`Outcome::Interrupted`].
#[must_use = "an act that is dropped ends as interrupted: finish it"]
pub struct Open {
    guard: Guard,
}

impl Open {
    /// Ends the act. The end is on its way to the log; who must know that it is there awaits the receipt.
    pub fn finish(self, ended: Ended) -> Receipt {
        self.guard.end(ended)
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Open").field("hash", &self.guard.hash).finish_non_exhaustive()
    }
}

/// Ends an act once, whatever happens.
pub(super) struct Guard {
    /// Gone as soon as it was used.
    ticket: Option<Box<dyn Ticket>>,
    hash: Hash,
    otherwise: Outcome,
}

impl Guard {
    pub(super) fn new(ticket: Box<dyn Ticket>, hash: Hash) -> Self {
        Self { ticket: Some(ticket), hash, otherwise: Outcome::Abandoned }
    }

    fn end(mut self, ended: Ended) -> Receipt {
        self.ticket.take().map_or_else(Receipt::nothing, |ticket| ticket.end(ended))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            // The end is on its way; nobody is left who could wait for it.
            drop(ticket.end(Ended::without_output(self.otherwise)));
        }
    }
}
