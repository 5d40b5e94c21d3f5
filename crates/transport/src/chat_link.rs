//! Chat Completions in the place of the Responses API: the same exchange, translated both ways.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use responses::error::ApiError;

use crate::link::Post;
use crate::sse_link::Decode;

/// Turns the chunks of a chat completion into events of the Responses API.
pub(crate) struct Chat(chat::Decoder);

impl Chat {
    /// The same request for Chat Completions, and what reads its answer.
    pub(crate) fn of(post: Post) -> Result<(Post, Self), ApiError> {
        let request = chat::request(&post.body)
            .map_err(|error| ApiError::report(400, Some("not_for_chat"), None, error.to_string()))?;
        for left_out in &request.left_out {
            tracing::warn!(%left_out, "chat completions cannot carry this");
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let id = format!("resp_{:016x}", RandomState::new().hash_one(now));
        let decoder = chat::Decoder::new(&request, &id, now.as_secs());
        Ok((Post { body: request.body, ..post }, Self(decoder)))
    }
}

impl Decode for Chat {
    fn push(&mut self, data: &str, say: &mut dyn FnMut(String)) {
        self.0.push(data, say);
    }

    fn done(&mut self, say: &mut dyn FnMut(String)) {
        self.0.push("[DONE]", say);
    }

    fn finish(&mut self, say: &mut dyn FnMut(String)) {
        self.0.finish(say);
    }
}
