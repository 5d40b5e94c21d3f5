//! Bodies of requests, as they come.

use std::io::Read;
use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header::CONTENT_ENCODING;
use responses::error::ApiError;

/// How long a client may be silent in the middle of a body.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a whole body may take.
const WHOLE: Duration = Duration::from_mins(30);

/// Reads a body of at most so many bytes, unpacked.
pub(crate) async fn receive(headers: &HeaderMap, body: Incoming, most: usize) -> Result<String, ApiError> {
    tokio::time::timeout(WHOLE, read(headers, body, most)).await.unwrap_or_else(|_| Err(too_slow()))
}

async fn read(headers: &HeaderMap, mut body: Incoming, most: usize) -> Result<String, ApiError> {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    let packed = match encoding.as_deref() {
        None | Some("" | "identity") => false,
        Some("zstd") => true,
        Some(_) => return Err(encoding_not_taken()),
    };
    let mut bytes = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        if bytes.len() + data.len() > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&data);
    }
    let bytes = if packed { unpacked(&bytes, most)? } else { bytes.into() };
    String::from_utf8(bytes).map_err(|_| invalid("the body is not UTF-8: send JSON"))
}

fn unpacked(bytes: &[u8], most: usize) -> Result<Vec<u8>, ApiError> {
    let no_zstd = |_| invalid("the body is not zstd, which its content-encoding says it is");
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(no_zstd)?;
    let mut unpacked = Vec::new();
    decoder.take(most as u64 + 1).read_to_end(&mut unpacked).map_err(no_zstd)?;
    if unpacked.len() > most { Err(too_large(most)) } else { Ok(unpacked) }
}

fn invalid(message: impl Into<Box<str>>) -> ApiError {
    ApiError::report(400, None, None, message)
}

fn broken(error: &hyper::Error) -> ApiError {
    invalid(format!("the body broke off: {error}"))
}

fn too_slow() -> ApiError {
    let message = "the body comes too slowly: send it again";
    ApiError::report(408, None, None, message)
}

fn too_large(most: usize) -> ApiError {
    let message = format!("the body has more than {most} bytes: compact the conversation, or send less at a time");
    ApiError::report(413, Some("request_too_large"), None, message)
}

fn encoding_not_taken() -> ApiError {
    ApiError::report(415, None, None, "bodies are taken as they are or under zstd, in no other content-encoding")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_body_is_no_way_around_the_limit() {
        let bomb = zstd::encode_all(" ".repeat(100_000).as_bytes(), 3).unwrap();
        assert!(bomb.len() < 1000);
        assert_eq!(unpacked(&bomb, 100_000).unwrap().len(), 100_000);
        assert_eq!(unpacked(&bomb, 99_999).unwrap_err().status, Some(413));
        assert_eq!(unpacked(b"no", 10).unwrap_err().status, Some(400));
    }
}
