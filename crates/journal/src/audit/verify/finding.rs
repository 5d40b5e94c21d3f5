//! What can be wrong, and how it is said.

use std::fmt;
use std::ops::Range;

use crate::audit::checkpoint::NoteError;
use crate::audit::home::EVERY;
use crate::log::{Damage, MAX_WAITING};

/// The most findings that a report names.
pub const MAX_FINDINGS: usize = 100;

/// The most records without a checkpoint that a crash leaves: the latest checkpoint is lost, and a batch after it.
pub(super) const MAX_UNSIGNED: u64 = EVERY + MAX_WAITING as u64;

/// Something that is not as it was written or signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The chain of hashes shows it.
    Record(Damage),
    /// The chain is whole, but these are not the records that were signed; the one that was changed, added or taken away
    /// is among them.
    Rewritten {
        /// The narrowest range that the checkpoints allow.
        records: Range<u64>,
        /// How many records the checkpoint covers that shows it.
        size: u64,
    },
    /// There are fewer than were signed: the log was cut.
    Missing {
        /// Which numbers are not there.
        records: Range<u64>,
        /// From this record on no checkpoint says what was there: if the chain of hashes was made anew, any of those may
        /// be the one that was taken away.
        unproved: u64,
        /// What is left of the first, in bytes.
        unfinished: usize,
    },
    /// A checkpoint is none.
    Checkpoint {
        /// The name of the file.
        file: &'static str,
        /// Where.
        at: u64,
        /// What is wrong with it.
        why: Why,
    },
    /// The key beside the log is not the one that was given.
    OtherKey,
    /// There are records, and nothing was signed.
    Unsigned,
    /// More records have no checkpoint than a crash leaves.
    Unvouched {
        /// Which.
        records: Range<u64>,
    },
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It cannot be read, or its signature does not fit.
    Note(NoteError),
    /// It covers less than the one before it.
    Order,
    /// It is not there.
    Missing,
}

impl Finding {
    /// Takes in a finding that goes on where this one ends.
    pub(super) fn joins(&mut self, next: &Self) -> bool {
        let (Self::Rewritten { records, size }, Self::Rewritten { records: then, size: larger }) = (self, next) else {
            return false;
        };
        let joins = records.end == then.start;
        if joins {
            records.end = then.end;
            *size = *larger;
        }
        joins
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(damage) => damage.fmt(to),
            Self::Rewritten { records, size } => {
                let named = named(records);
                write!(
                    to,
                    "{named} not as signed when the log had {size} records: changed, added or taken away there, and the \
                     chain of hashes made anew"
                )
            }
            Self::Missing { records, unproved, unfinished } => {
                write!(to, "{} missing at the end: the log was cut after it was signed", named(records))?;
                if *unfinished > 0 {
                    write!(to, ", and {unfinished} bytes are left of record {}", records.start)?;
                }
                if *unproved < records.start {
                    write!(
                        to,
                        "; from record {unproved} on nothing proves that those that are there are the signed ones"
                    )?;
                }
                Ok(())
            }
            Self::Checkpoint { file, at, why: Why::Note(error) } => {
                write!(to, "the checkpoint at byte {at} of the file `{file}`: {error}")
            }
            Self::Checkpoint { file, at, why: Why::Order } => {
                write!(to, "the checkpoint at byte {at} of the file `{file}` covers less than the one before it")
            }
            Self::Checkpoint { file, why: Why::Missing, .. } => {
                write!(to, "the file `{file}` is empty or gone: the checkpoints in it were taken away")
            }
            Self::OtherKey => {
                to.write_str("the key beside the log is not the key that was given: the log may have been begun anew")
            }
            Self::Unvouched { records } => {
                write!(
                    to,
                    "{} not signed, and a crash leaves {MAX_UNSIGNED} at most: checkpoints were taken away, or records added",
                    named(records)
                )
            }
            Self::Unsigned => to.write_str("nothing was signed: there is no checkpoint"),
        }
    }
}

fn named(records: &Range<u64>) -> String {
    let Range { start, end } = records;
    if end - start == 1 { format!("record {start} is") } else { format!("records {start} to {} are", end - 1) }
}
