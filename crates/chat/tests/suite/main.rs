//! One binary for all integration tests of the crate.

#[cfg(test)]
mod support;

#[cfg(test)]
mod calls;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod speech;
#[cfg(test)]
mod written;
