//! One way to a server, by name and by kind.

/// One line to a server, or one request to it. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Over a socket.
    WebSocket,
    /// Over HTTP, answered by server-sent events.
    Http,
}
