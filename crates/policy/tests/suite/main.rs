//! What holds for judgement as others use it.

mod always;
#[cfg(test)]
mod bounds;
mod corpus;
mod evasion;
mod example_file;
#[cfg(test)]
mod harm;
mod loading;
mod matrix;
mod replaying;
mod shown_text;
mod support;
