//! Who may do what: judgement of acts, rules, grants, budgets, and the permit without which nothing runs. No clock, no
//! socket, no disk, no runtime: what is known of the world is an argument.
//!
//! An [`act`] is what somebody wants to do. [`command`] reads a command line into its [`effects`]: what it may run,
//! read, write, delete and reach. [`judge`] says what is to become of it: by the matrix of [`decide`], by [`rules`] and
//! by [`grants`]. A [`gate`] makes a permit, a question or a refusal of that. [`replay`] says what other rules would have
//! made of what was done.

pub mod act;
pub mod approval;
pub mod budget;
pub mod command;
pub mod decide;
pub mod effects;
pub mod gate;
pub mod grants;
pub mod judge;
pub mod place;
pub mod replay;
pub mod report;
pub mod rules;
mod shown;
pub mod verdict;
