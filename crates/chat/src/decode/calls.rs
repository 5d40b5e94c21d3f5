//! Calls that are being made: several at once, their parts in any order.

mod call;
mod unwrap;

use responses::error::ApiError;

use super::chunk::CallDelta;
use super::output::{MAX_RESPONSE_ITEMS, Output, too_large};
use crate::request::Names;
use call::Call;

/// All calls of a response, in the order in which they began.
#[derive(Default)]
pub(super) struct Calls(Vec<Call>);

/// What calls are written to, and named by.
pub(super) struct Scene<'a> {
    pub(super) names: &'a Names,
    pub(super) response: &'a str,
    pub(super) output: &'a mut Output,
}

impl Calls {
    /// Takes more of a call.
    pub(super) fn take(&mut self, delta: &CallDelta<'_>, scene: &mut Scene<'_>) -> Result<(), ApiError> {
        let at = self.find(delta).unwrap_or(self.0.len());
        if at == self.0.len() {
            if at >= MAX_RESPONSE_ITEMS {
                return Err(too_large(&format!("more than {MAX_RESPONSE_ITEMS} calls")));
            }
            self.0.push(Call::new(delta));
        }
        let is_taken = self.uses_id_of(at);
        let Some(call) = self.0.get_mut(at) else { return Ok(()) };
        call.add(delta);
        if call.is_ready() {
            call.begin(at, is_taken, scene)?;
        }
        call.tell(scene.output);
        Ok(())
    }

    /// Takes a call that is whole: it is told of, and ended, at once.
    pub(super) fn take_whole(&mut self, delta: &CallDelta<'_>, scene: &mut Scene<'_>) -> Result<(), ApiError> {
        let mut call = Call::new(delta);
        call.add(delta);
        call.begin(self.0.len(), false, scene)?;
        call.tell(scene.output);
        call.end(false, scene.output);
        self.0.push(call);
        Ok(())
    }

    /// Ends all of them. Of a response that was cut off, those are marked that may lack a part: the last, and any that
    /// cannot be read.
    pub(super) fn end(mut self, is_cut: bool, scene: &mut Scene<'_>) -> Result<(), ApiError> {
        let last = self.0.len().saturating_sub(1);
        for at in 0..self.0.len() {
            let is_taken = self.uses_id_of(at);
            if let Some(call) = self.0.get_mut(at) {
                if !call.has_begun() {
                    call.begin(at, is_taken, scene)?;
                    call.tell(scene.output);
                }
                call.end(is_cut && (at == last || !call.is_whole()), scene.output);
            }
        }
        Ok(())
    }

    /// Which call a delta goes on with; none, if it begins one.
    fn find(&self, delta: &CallDelta<'_>) -> Option<usize> {
        let last = self.0.len().checked_sub(1);
        let candidate = match (delta.index, delta.id.as_deref()) {
            (Some(_), _) => self.0.iter().rposition(|call| call.number == delta.index),
            (None, Some(id)) => self.0.iter().rposition(|call| call.given_id.as_deref() == Some(id)).or(last),
            (None, None) => last,
        };
        candidate.filter(|at| self.0.get(*at).is_some_and(|call| call.goes_on_with(delta)))
    }

    /// Whether another call has the id the server gave this one: some servers count anew, or use the tool's name.
    fn uses_id_of(&self, at: usize) -> bool {
        let id = self.0.get(at).and_then(|call| call.given_id.as_deref());
        id.is_some() && self.0.iter().take(at).any(|call| call.given_id.as_deref() == id)
    }
}
