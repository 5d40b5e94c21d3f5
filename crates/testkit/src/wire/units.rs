//! Where messages begin and end in the bytes a server sends, found as the bytes go by.

/// What a run of bytes belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The head of an HTTP answer.
    Head,
    /// A message: a text frame of a socket, or an event of a stream.
    Message,
    /// A pong.
    Pong,
    /// Any other frame of a socket.
    Control,
}

/// Bytes that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) kind: Kind,
    /// How many bytes of the unit went by before.
    pub(super) offset: usize,
    /// How many bytes of what was given belong to it.
    pub(super) len: usize,
    /// Whether it ends with them.
    pub(super) ends: bool,
}

/// Follows one direction of a connection.
#[derive(Debug, Clone)]
pub(super) struct Units {
    mode: Mode,
    offset: usize,
    /// The last bytes of the unit, to find its end across writes.
    tail: [u8; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The head of an answer; what follows is a socket, or a body.
    Head { upgrading: bool },
    /// A body. The events of a stream end with an empty line.
    Body,
    /// Frames: the header of one, as far as it went by, then its payload.
    Frames { header: [u8; 10], have: usize, payload: Option<u64> },
}

impl Mode {
    const FRAME: Self = Self::Frames { header: [0; 10], have: 0, payload: None };
}

impl Default for Units {
    fn default() -> Self {
        Self { mode: Mode::Head { upgrading: false }, offset: 0, tail: [0; 4] }
    }
}

impl Units {
    /// The next bytes begin the head of an answer.
    pub(super) fn begin_answer(&mut self, upgrading: bool) {
        *self = Self { mode: Mode::Head { upgrading }, ..Self::default() };
    }

    /// Whether the head of the answer is out.
    pub(super) fn is_past_head(&self) -> bool {
        !matches!(self.mode, Mode::Head { .. })
    }

    /// Goes on to the end of the unit or of the bytes, whichever comes first.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Unit {
        let offset = self.offset;
        let (kind, len, ends) = match self.mode {
            Mode::Head { upgrading } => {
                let (len, ends) = self.find(bytes, b"\r\n\r\n");
                if ends {
                    self.mode = if upgrading { Mode::FRAME } else { Mode::Body };
                }
                (Kind::Head, len, ends)
            }
            Mode::Body => {
                let (len, ends) = self.find(bytes, b"\n\n");
                (Kind::Message, len, ends)
            }
            Mode::Frames { .. } => self.step_frame(bytes),
        };
        self.offset += len;
        if ends {
            self.offset = 0;
            self.tail = [0; 4];
        }
        Unit { kind, offset, len, ends }
    }

    fn find(&mut self, bytes: &[u8], end: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            self.tail.rotate_left(1);
            if let Some(last) = self.tail.last_mut() {
                *last = *byte;
            }
            if self.tail.ends_with(end) {
                return (at + 1, true);
            }
        }
        (bytes.len(), false)
    }

    fn step_frame(&mut self, bytes: &[u8]) -> (Kind, usize, bool) {
        let Mode::Frames { mut header, mut have, mut payload } = self.mode else { return (Kind::Control, 0, false) };
        let mut len = 0;
        while payload.is_none() {
            let (Some(byte), Some(slot)) = (bytes.get(len), header.get_mut(have)) else { break };
            *slot = *byte;
            have += 1;
            len += 1;
            payload = payload_length(header.get(..have).unwrap_or_default());
        }
        let kind = match header.first().map(|first| first & 0x0f) {
            Some(0x0 | 0x1) => Kind::Message,
            Some(0xa) => Kind::Pong,
            _ => Kind::Control,
        };
        let rest = bytes.len().saturating_sub(len);
        let taken = payload.map_or(0, |payload| usize::try_from(payload).unwrap_or(usize::MAX).min(rest));
        let payload = payload.map(|payload| payload - taken as u64);
        let ends = payload == Some(0);
        self.mode = if ends { Mode::FRAME } else { Mode::Frames { header, have, payload } };
        (kind, len + taken, ends)
    }
}

/// The length of the payload, once the header is whole. A server does not mask.
fn payload_length(header: &[u8]) -> Option<u64> {
    match header {
        [_, short @ 0..=125] => Some(u64::from(*short)),
        [_, 126, high, low] => Some(u64::from(u16::from_be_bytes([*high, *low]))),
        [_, 127, long @ ..] => long.try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The units of a text, however it is cut.
    fn units(start: &Units, bytes: &[u8], piece: usize) -> Vec<(Kind, usize)> {
        let mut units = start.clone();
        let mut found = Vec::new();
        for mut bytes in bytes.chunks(piece) {
            while !bytes.is_empty() {
                let unit = units.step(bytes);
                assert!(unit.len > 0);
                if unit.ends {
                    found.push((unit.kind, unit.offset + unit.len));
                }
                bytes = &bytes[unit.len..];
            }
        }
        found
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let mut start = Units::default();
        start.begin_answer(true);
        let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\na: b\r\n\r\n".to_vec();
        let head = bytes.len();
        bytes.extend([0x81, 2, b'h', b'i']);
        bytes.extend([0x8a, 0]);
        bytes.extend([0x81, 126, 1, 0]);
        bytes.extend([b'x'; 256]);
        bytes.extend([0x88, 2, 3, 232]);
        let expected =
            [(Kind::Head, head), (Kind::Message, 4), (Kind::Pong, 2), (Kind::Message, 260), (Kind::Control, 4)];
        for piece in 1..bytes.len() {
            assert_eq!(units(&start, &bytes, piece), expected, "pieces of {piece}");
        }
    }

    #[test]
    fn events_are_found_however_the_bytes_are_cut() {
        let bytes = b"HTTP/1.1 200 OK\r\n\r\n10\r\nevent: a\ndata: {}\n\n\r\n10\r\nevent: b\ndata: {}\n\n\r\n0\r\n\r\n";
        for piece in 1..bytes.len() {
            let found = units(&Units::default(), bytes, piece);
            assert_eq!(found, [(Kind::Head, 19), (Kind::Message, 23), (Kind::Message, 25)], "pieces of {piece}");
        }
    }
}
