//! What holds for judgement as others use it.

mod corpus;
mod example_file;
mod loading;
mod matrix;
mod replaying;
mod support;
