//! Every bound and every patience of a client chain, by name.

use std::time::Duration;

/// How long a chain waits for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For a line to open.
    pub connect: Duration,
    /// For a line to open before a turn that waits for it goes over HTTP, where it may.
    pub race: Duration,
    /// For a sign of life.
    pub beat: Beat,
    /// For a word from a peer that does not answer pings.
    pub silence: Duration,
    /// For a word from a peer that does: a model that thinks is left to think.
    pub silence_of_live_peer: Duration,
    /// For a word over HTTP, where there are no pings.
    pub silence_over_http: Duration,
    /// For a warm-up, once a turn waits behind it.
    pub warm_up: Duration,
    /// For an interrupt to take effect, before the line is dropped.
    pub interrupt: Duration,
    /// For the server's word on a steer, after the response it steers has ended.
    pub steer: Duration,
    /// For events that the last one of a response has overtaken.
    pub settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            race: Duration::from_secs(2),
            beat: Beat { every: Duration::from_secs(15), within: Duration::from_secs(5), misses: 2 },
            silence: Duration::from_mins(5),
            silence_of_live_peer: Duration::from_mins(15),
            silence_over_http: Duration::from_mins(15),
            warm_up: Duration::from_secs(2),
            interrupt: Duration::from_millis(800),
            steer: Duration::from_secs(10),
            settle: Duration::from_millis(250),
        }
    }
}

/// How often a peer is asked whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Between pings.
    pub every: Duration,
    /// For the answer to a ping.
    pub within: Duration,
    /// Pings in a row without an answer after which the line is dead.
    pub misses: u32,
}

/// What the server at the other end can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// It takes steers.
    pub steers: bool,
    /// It takes interrupts.
    pub interrupts: bool,
    /// It can go on from a stored response, on any line.
    pub stores: bool,
    /// The largest message it takes over a socket.
    pub frame_bytes: usize,
    /// The age at which it ends a socket.
    pub line_age: Duration,
}

impl Peer {
    /// How much younger than the server's limit a line is replaced: a turn that begins on it should be able to end.
    const AGE_MARGIN: u32 = 12;

    /// The age at which a line is replaced, between turns.
    pub(crate) fn rotate_at(&self) -> Duration {
        self.line_age.saturating_sub(self.line_age / Self::AGE_MARGIN)
    }
}

impl Default for Peer {
    /// The public service: 60 minutes, messages under 16 MiB.
    fn default() -> Self {
        Self {
            steers: false,
            interrupts: false,
            stores: true,
            frame_bytes: (16 << 20) - 1,
            line_age: Duration::from_hours(1),
        }
    }
}
