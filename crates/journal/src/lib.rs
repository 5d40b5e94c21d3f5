//! Memory: what was said and done, in a hash-chained log that nobody can change unseen.
//!
//! [`log`] is the heart: lines in a file, each bound to the one before it, written by one thread and acknowledged when
//! they are on the disk. [`disk`] is what it needs of a file system, so that a test can put one below it that fails and
//! forgets.

pub mod disk;
pub mod log;
