//! Request bodies, smaller.

use bytes::Bytes;

/// Bodies up to this size are sent as they are: the gain would not pay for the work.
pub(crate) const WORTH_IT: usize = 4 << 10;

/// The level at which time and size are in balance.
const LEVEL: i32 = 3;

/// A body under `content-encoding: zstd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compressed {
    /// What is sent.
    pub(crate) bytes: Bytes,
    /// How many bytes it was.
    pub(crate) from: usize,
}

impl Compressed {
    /// How many bytes it is.
    pub(crate) fn to(&self) -> usize {
        self.bytes.len()
    }
}

/// Compresses a body that is worth it; none if it is too small, or would not become smaller.
///
/// This keeps a core busy, a few milliseconds for each megabyte: do it aside if the body is large.
pub(crate) fn compress(body: &[u8]) -> Option<Compressed> {
    if body.len() <= WORTH_IT {
        return None;
    }
    let bytes = zstd::bulk::compress(body, LEVEL).ok()?;
    (bytes.len() < body.len()).then(|| Compressed { bytes: bytes.into(), from: body.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_becomes_smaller_and_comes_back_whole() {
        let body = r#"{"type":"message","role":"user","content":"again"},"#.repeat(1000);
        let compressed = compress(body.as_bytes()).unwrap();
        assert_eq!(compressed.from, body.len());
        assert!(compressed.to() * 4 < body.len(), "{}", compressed.to());
        assert_eq!(zstd::bulk::decompress(&compressed.bytes, body.len()).unwrap(), body.as_bytes());
    }

    #[test]
    fn a_small_body_is_sent_as_it_is() {
        assert_eq!(compress("x".repeat(WORTH_IT).as_bytes()), None);
        assert!(compress("x".repeat(WORTH_IT + 1).as_bytes()).is_some());
    }
}
