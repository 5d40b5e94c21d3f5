//! Identifiers. All are opaque; only the name of a lane has a syntax.

use std::borrow::Cow;

use crate::json::{Read, WireError};
use crate::macros::identifier;

identifier! {
    /// The id of a response, and the name by which a server remembers everything up to and including it.
    ResponseId, from any text
}

identifier! {
    /// What ties a tool call to its answer.
    CallId, from any text
}

identifier! {
    /// The name of a lane on a socket (`stream_id` on the wire): 1 to 256 characters of `A-Z a-z 0-9 _ . -`.
    LaneId
}

/// How long the name of a lane may be.
pub const MAX_LANE_ID: usize = 256;

/// The name of a lane breaks the syntax.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a lane name is 1 to {MAX_LANE_ID} characters of A-Z a-z 0-9 _ . -")]
pub struct InvalidLaneId;

impl LaneId {
    /// Checks the syntax.
    pub fn parse(text: &str) -> Result<Self, InvalidLaneId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if (1..=MAX_LANE_ID).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidLaneId)
        }
    }
}

impl<'a> Read<'a> for LaneId {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let name: Cow<'a, str> = Read::read(text)?;
        Self::parse(&name).map_err(|_| WireError::shape("1 to 256 characters of A-Z a-z 0-9 _ . -", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_name_keeps_to_its_syntax_and_length() {
        for good in ["a", "lane-1", "A.b_C-9", &"x".repeat(256)] {
            assert_eq!(LaneId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "ä", "a/b", "a\n", &"x".repeat(257)] {
            assert_eq!(LaneId::parse(bad), Err(InvalidLaneId), "{bad:?}");
        }
    }
}
