//! The journal as its users see it.

#[cfg(test)]
mod log;
