//! Compaction on any backend: a long conversation becomes a summary that a model wrote, and what must stay word for word.
//!
//! Three ways lead here: `POST /responses/compact`, a `compaction_trigger` as the last item of the input, and
//! `context_management` with a threshold. Each makes one `compaction` item, whose content is sealed: a checkpoint of
//! the summary, the operator's items, the user's newest messages, and where the turn stands (calls that wait for an
//! answer, calls just answered, and, for `context_management`, the new input).
//!
//! A run does, with the whole conversation in hand:
//!
//! 1. [`opened`]: what the model is to see. The latest item of ours is replaced by what it holds.
//! 2. [`wants`]: whether this request compacts, and why.
//! 3. [`plan`]: what to ask a model, and what stays verbatim.
//! 4. [`summary`] of what the model said, then [`finish`]: the item.
//!
//! # What an item covers
//!
//! What stands before a compaction item means one of two things, and the item itself tells which: it remembers how many
//! items it was made of, and the last of them.
//!
//! - It stands where it was made, after exactly these: the chain goes on, or a client replays all it has. Everything
//!   before is covered and is dropped; operator's items, user's messages and the turn come from the seal.
//! - Else the client has composed the input and put there what it wants kept, as Codex does (`[developer…, user…,
//!   compaction]`), as does who sends the output of `/compact`. Messages of the user and the operator's items stay;
//!   everything else is covered. From the seal come the operator's items of a kind that is not there (a client that sends
//!   its developer messages anew may have changed them), and the user's messages that are not there yet.
//!
//! Both follow from the conversation alone, so a chain that goes on shows the model the same prefix each time. The order
//! is always: operator, summary, user, the turn, what came later. The summary stands where the operator's items end,
//! because many chat templates take what an operator says at the beginning and nowhere else.

mod checkpoint;
mod estimate;
mod opened;
mod plan;
mod say;
mod shorten;
mod wants;

pub(crate) use estimate::estimate_tokens;
pub(crate) use opened::{Opened, opened};
pub(crate) use plan::{Plan, finish, plan, summary};
pub(crate) use say::{added, compact_response, compacting, done};
pub(crate) use wants::wants;

/// Why a conversation is compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// `POST /responses/compact`.
    Asked,
    /// A `compaction_trigger` at the end of the input.
    Trigger,
    /// `context_management`: the conversation is over this many tokens, and the turn goes on with what is left.
    Threshold(u64),
}

/// Every bound of a compaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The threshold, in tokens, of `context_management` that names none.
    pub(crate) threshold: u64,
    /// Bytes of the user's messages that stay word for word, the newest first.
    pub(crate) said_bytes: usize,
    /// Bytes of the operator's items that stay.
    pub(crate) standing_bytes: usize,
    /// Bytes of the conversation that the summarising model is shown: its beginning, and the newest.
    pub(crate) asked_bytes: usize,
    /// Bytes of one item of it; longer ones lose their middle, and their images.
    pub(crate) item_bytes: usize,
    /// How long a summary may be, in tokens; thoughts count.
    pub(crate) summary_tokens: u64,
    /// Bytes of a summary; a longer one loses its middle.
    pub(crate) summary_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threshold: 100_000,
            said_bytes: 64 << 10,
            standing_bytes: 512 << 10,
            asked_bytes: 512 << 10,
            item_bytes: 32 << 10,
            summary_tokens: 16_384,
            summary_bytes: 64 << 10,
        }
    }
}

#[cfg(test)]
mod tests;
