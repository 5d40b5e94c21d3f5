//! The body of a request: bounded, and unpacked if it came packed.

use std::io::Read;

use http_body_util::{BodyExt, Limited};
use hyper::HeaderMap;
use hyper::body::{Body, Bytes};
use hyper::header::CONTENT_ENCODING;

use crate::refusal::Refusal;

/// The largest body taken, as it travels and unpacked.
const MAX_BODY: usize = 64 << 20;

/// A body that came.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// What it says; empty if it cannot be read.
    pub(crate) text: String,
    /// How many bytes travelled.
    pub(crate) wire_bytes: usize,
    /// Why it cannot be read.
    pub(crate) refusal: Option<Refusal>,
}

pub(crate) async fn receive<B>(headers: &HeaderMap, body: B) -> Received
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Received { refusal: Some(refusal(413, "the body is too large or incomplete")), ..Received::default() };
    };
    let bytes = body.to_bytes();
    let encoding = headers.get(CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap_or("unreadable"));
    let (text, refusal) = match unpack(encoding, &bytes) {
        Ok(text) => (text, None),
        Err(refusal) => (String::new(), Some(refusal)),
    };
    Received { text, wire_bytes: bytes.len(), refusal }
}

fn unpack(encoding: &str, bytes: &[u8]) -> Result<String, Refusal> {
    match encoding {
        "identity" => Ok(String::from_utf8_lossy(bytes).into_owned()),
        "zstd" => {
            let broken = |_| refusal(400, "the body is not what `content-encoding: zstd` promises");
            let mut text = Vec::new();
            let unpacking = zstd::stream::read::Decoder::with_buffer(bytes).map_err(broken)?;
            // One byte more than is taken tells a body that fits from one that does not.
            unpacking.take(MAX_BODY as u64 + 1).read_to_end(&mut text).map_err(broken)?;
            if text.len() > MAX_BODY {
                return Err(refusal(413, "the body is too large once it is unpacked"));
            }
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        _ => Err(refusal(415, "send the body as it is, or with `content-encoding: zstd`")),
    }
}

fn refusal(status: u16, message: &str) -> Refusal {
    Refusal { code: None, ..Refusal::new(status, "", message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_body_is_unpacked_within_its_bound() {
        let pack = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
        assert_eq!(unpack("zstd", &pack(b"{}")).unwrap(), "{}");
        let bomb = pack(&vec![b' '; MAX_BODY + 1]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(unpack("zstd", &bomb).unwrap_err().status, 413);
        let whole = pack(b"a whole sentence");
        assert_eq!(unpack("zstd", &whole[..whole.len() - 4]).unwrap_err().status, 400);
        assert_eq!(unpack("zstd", b"{}").unwrap_err().status, 400);
        assert_eq!(unpack("br", b"{}").unwrap_err().status, 415);
        assert_eq!(unpack("identity", b"{}").unwrap(), "{}");
    }
}
