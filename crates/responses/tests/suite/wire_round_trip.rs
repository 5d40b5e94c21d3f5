//! What we do not understand goes on as it came; what the protocol names, we understand.

mod content;
mod events;
mod items;
pub(crate) mod json_text;
mod requests;
mod unknown;
