//! Stories from a seed.
