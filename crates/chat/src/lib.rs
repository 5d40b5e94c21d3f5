//! Chat Completions as the Responses API: pure translators, no clock, no socket.
//!
//! A client speaks Responses; the server has only `/chat/completions`. [`request`] turns the body that was meant for
//! `POST /responses` into one that such a server takes, and says in [`ChatRequest::left_out`] what it could not carry.
//! [`Decoder`] turns the chunks that come back into the events of a response, in the order and with the numbers that
//! the Responses API gives them. What servers do differently from each other ends here.

mod decode;
mod request;

pub use decode::{Decoder, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS};
pub use request::{ChatRequest, LeftOut, NotChat, request};
