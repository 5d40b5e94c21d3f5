//! Server-sent events, decoded as the bytes come in.
//!
//! Bytes are pushed in pieces of any size; events come out whole, the same for every way of cutting. A line that fits
//! in a piece is not copied. Memory is bounded by the limit, whatever the other end sends.

use crate::json::{WireError, utf8};

/// How large one event may be, unless told otherwise: images travel in events.
pub const MAX_EVENT: usize = 64 << 20;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// All `data` lines, joined by line feeds.
    pub data: &'a str,
}

impl SseEvent<'_> {
    /// Whether this is the end mark that some servers send.
    pub fn is_done(&self) -> bool {
        self.data == "[DONE]"
    }
}

/// Decodes a stream of server-sent events. After an error it stays in error: the stream cannot be trusted again.
#[derive(Debug)]
pub struct SseDecoder {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The data of an event whose end has not come.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a carriage return: a line feed next belongs to it.
    after_return: bool,
    /// Nothing was decoded yet: a byte order mark may come.
    fresh: bool,
    limit: usize,
    failed: Option<WireError>,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limit(MAX_EVENT)
    }
}

impl SseDecoder {
    /// A decoder that refuses events larger than `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_return: false,
            fresh: true,
            limit,
            failed: None,
        }
    }

    /// Takes the next bytes and hands each event they complete to `each`.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(SseEvent<'_>)) -> Result<(), WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let outcome = self.decode(bytes, &mut each);
        if let Err(error) = &outcome {
            self.failed = Some(error.clone());
            self.line = Vec::new();
            self.data = Vec::new();
        }
        outcome
    }

    fn decode<'c>(&mut self, mut rest: &'c [u8], each: &mut impl FnMut(SseEvent<'_>)) -> Result<(), WireError> {
        // The data of a one-line event that began in this piece: most events never leave it.
        let mut whole: Option<&'c [u8]> = None;
        loop {
            if self.after_return && !rest.is_empty() {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                self.after_return = false;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else { break };
            let (head, tail) = rest.split_at(end);
            self.after_return = tail.first() == Some(&b'\r');
            rest = tail.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.check(head.len())?;
                self.take_line(head, &mut whole, each)?;
            } else {
                self.check(self.line.len() + head.len())?;
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(head);
                // The line does not outlive this turn of the loop, so its data must be copied.
                let mut copied = None;
                self.keep(&mut whole)?;
                self.take_line(&line, &mut copied, each)?;
                self.keep(&mut copied)?;
                line.clear();
                self.line = line;
            }
        }
        self.check(self.line.len() + rest.len())?;
        self.line.extend_from_slice(rest);
        self.keep(&mut whole)
    }

    fn take_line<'c>(
        &mut self,
        mut line: &'c [u8],
        whole: &mut Option<&'c [u8]>,
        each: &mut impl FnMut(SseEvent<'_>),
    ) -> Result<(), WireError> {
        if std::mem::take(&mut self.fresh) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(whole, each);
        }
        // Comments, `event:`, `id:` and `retry:` carry nothing: the JSON repeats the type.
        let Some(value) = line.strip_prefix(b"data") else { return Ok(()) };
        let value = match value.split_first() {
            None => value,
            Some((b':', value)) => value.strip_prefix(b" ").unwrap_or(value),
            Some(_) => return Ok(()),
        };
        self.keep(whole)?;
        if self.has_data {
            self.append(value)
        } else {
            *whole = Some(value);
            Ok(())
        }
    }

    fn dispatch(&mut self, whole: &mut Option<&[u8]>, each: &mut impl FnMut(SseEvent<'_>)) -> Result<(), WireError> {
        if let Some(data) = whole.take() {
            each(SseEvent { data: utf8(data)? });
        } else if std::mem::take(&mut self.has_data) {
            each(SseEvent { data: utf8(&self.data)? });
            self.data.clear();
        }
        Ok(())
    }

    /// Copies the data of an event that does not end where it began.
    fn keep(&mut self, whole: &mut Option<&[u8]>) -> Result<(), WireError> {
        whole.take().map_or(Ok(()), |value| self.append(value))
    }

    fn append(&mut self, value: &[u8]) -> Result<(), WireError> {
        self.check(self.data.len() + value.len() + 1)?;
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }

    fn check(&self, bytes: usize) -> Result<(), WireError> {
        if bytes > self.limit {
            return Err(WireError::Limit { what: "the size of one server-sent event", limit: self.limit });
        }
        Ok(())
    }
}
