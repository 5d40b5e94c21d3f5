//! Chat Completions in the place of the Responses API: the same exchange, translated both ways.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use responses::error::ApiError;

use crate::link::Post;
use crate::sse_link::Decode;

/// Turns the chunks of a chat completion into events of the Responses API.
pub(crate) struct Chat {
    decoder: chat::Decoder,
    left_out: Vec<Box<str>>,
}

impl Chat {
    /// The same request for Chat Completions, and what reads its answer.
    pub(crate) fn of(post: Post) -> Result<(Post, Self), ApiError> {
        let request = chat::request(&post.body)
            .map_err(|error| ApiError::report(400, Some("not_for_chat"), None, error.to_string()))?;
        let left_out = request.left_out.iter().map(|part| part.to_string().into()).collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let id = format!("resp_{:016x}", RandomState::new().hash_one(now));
        let decoder = chat::Decoder::new(&request, &id, now.as_secs());
        Ok((Post { body: request.body, ..post }, Self { decoder, left_out }))
    }
}

impl Decode for Chat {
    fn push(&mut self, data: &str, say: &mut dyn FnMut(String)) {
        self.decoder.push(data, say);
    }

    fn left_out(&self) -> Vec<Box<str>> {
        self.left_out.clone()
    }

    fn done(&mut self, say: &mut dyn FnMut(String)) {
        self.decoder.push("[DONE]", say);
    }

    fn whole(&mut self, body: &str, say: &mut dyn FnMut(String)) -> Result<(), ApiError> {
        self.decoder.push(body, &mut *say);
        self.decoder.push("[DONE]", &mut *say);
        self.decoder.finish(say);
        Ok(())
    }

    fn finish(&mut self, say: &mut dyn FnMut(String)) {
        self.decoder.finish(say);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_one_piece_is_understood() {
        let body =
            r#"{"model":"m","stream":true,"input":[{"role":"user","content":"hi"}],"tools":[{"type":"web_search"}]}"#;
        let (post, mut chat) = Chat::of(Post { body: body.to_owned(), turn_state: None }).unwrap();
        assert!(post.body.contains(r#""messages""#));
        assert!(chat.left_out().iter().any(|part| part.contains("web_search")), "{:?}", chat.left_out());
        let whole = r#"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}"#;
        let mut texts = Vec::new();
        chat.whole(whole, &mut |text| texts.push(text)).unwrap();
        assert!(texts.last().unwrap().contains("response.completed") && texts.last().unwrap().contains("hello"));
    }
}
