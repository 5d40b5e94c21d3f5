//! Bytes in pieces, events whole.

use responses::json::WireError;
use responses::sse::SseDecoder;

/// What the decoder keeps at most.
const LIMIT: usize = 256;

type Decoded = (Vec<String>, Result<(), WireError>);

/// The first line says how the rest is cut: each of its bytes is the length of a piece (modulo 32), over and over. However it is
/// cut, the same events come out, none larger than the limit, and an error stays.
///
/// # Panics
///
/// If that does not hold.
pub fn sse(data: &[u8]) {
    let mut halves = data.splitn(2, |byte| *byte == b'\n');
    let (cuts, stream) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let whole = decode(std::iter::once(stream));
    assert_eq!(decode(stream.chunks(1)), whole, "byte by byte");
    assert_eq!(decode(pieces(stream, cuts)), whole, "cut by {cuts:?}");
    for event in &whole.0 {
        assert!(event.len() <= LIMIT, "an event of {} bytes", event.len());
    }
}

fn pieces<'a>(mut stream: &'a [u8], cuts: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    const LONGEST: usize = 32;
    let mut lengths = cuts.iter().map(|cut| usize::from(*cut) % LONGEST).chain([LONGEST]).cycle();
    std::iter::from_fn(move || {
        let length = lengths.next().filter(|_| !stream.is_empty())?;
        let (piece, rest) = stream.split_at_checked(length).unwrap_or((stream, &[]));
        stream = rest;
        Some(piece)
    })
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Decoded {
    let (mut decoder, mut events, mut outcome) = (SseDecoder::with_limit(LIMIT), Vec::new(), Ok(()));
    for piece in pieces {
        let pushed = decoder.push(piece, |event| {
            assert!(outcome.is_ok(), "an event after an error");
            events.push(event.data.to_owned());
        });
        if outcome.is_err() {
            assert_eq!(pushed, outcome, "an error does not go away");
        }
        outcome = pushed;
    }
    (events, outcome)
}
