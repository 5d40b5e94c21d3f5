//! Memory: what was said and done, in a hash-chained log that nobody can change unseen.
//!
//! [`log`] is the heart: lines in a file, each bound to the one before it, written by one thread and acknowledged when
//! they are on the disk. [`disk`] is what it needs of a file system, so that a test can put one below it that fails and
//! forgets.
//!
//! [`sessions`] are made of it: a [`record`] a line, long strings beside it ([`blobs`]), secrets taken out before they are
//! written ([`redact`]). The [`index`] is a cache of what sessions say, for lists and searches.

pub mod audit;
pub mod blobs;
pub mod disk;
pub mod index;
pub mod log;
pub mod record;
pub mod recorder;
pub mod redact;
pub mod sessions;
mod strings;
