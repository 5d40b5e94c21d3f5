//! Who may do what: judgement of acts, rules, grants, budgets, and the permit without which nothing runs. No clock, no
//! socket, no disk, no runtime: what is known of the world is an argument.
//!
//! An [`act`] is what somebody wants to do. [`command`] reads a command line into its [`effects`]: what it may run,
//! read, write, delete and reach.

pub mod act;
pub mod command;
pub mod effects;
pub mod place;
pub mod verdict;
