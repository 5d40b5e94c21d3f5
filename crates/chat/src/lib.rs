//! Chat Completions as the Responses API: pure translators, no clock, no socket.
//!
//! A client speaks Responses; the server has only `/chat/completions`. [`request`] turns the body that was meant for
//! `POST /responses` into one that such a server takes, and says in [`ChatRequest::left_out`] what it could not carry.
//! [`Decoder`] turns the chunks that come back into the events of a response, in the order and with the numbers that
//! the Responses API gives them. What servers do differently from each other ends here.
//!
//! Models also write into their text what servers have fields for. Thoughts in tags become reasoning, and calls of tools
//! that the request offers become calls, in each of the forms that models were trained to write them in; what only
//! looks like a call stays text.
//!
//! ```
//! let request = chat::request(r#"{"model":"qwen3","input":"hi"}"#)?;
//! assert!(request.body.starts_with(r#"{"model":"qwen3","messages":[{"role":"user","content":"hi"}]"#));
//!
//! let mut decoder = chat::Decoder::new(&request, "resp_1", 1_700_000_000);
//! let mut events = Vec::new();
//! for data in [r#"{"choices":[{"delta":{"content":"hello"},"finish_reason":"stop"}]}"#, "[DONE]"] {
//!     decoder.push(data, |event| events.push(event));
//! }
//! assert!(events.iter().any(|event| event.contains("response.output_text.delta")));
//! assert!(decoder.is_finished());
//! # Ok::<(), chat::NotChat>(())
//! ```

mod decode;
mod request;

pub use decode::{Decoder, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS};
pub use request::{ChatRequest, LeftOut, NotChat, request};
