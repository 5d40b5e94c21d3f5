//! Which ways a conversation goes, and why. What a way that fails leads to, the chain decides.

use std::fmt;

use responses::chain::Mode;

use crate::provider::{Provider, Wire};

/// Which ways a conversation goes, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The ways.
    pub mode: Mode,
    /// The reason.
    pub why: Why,
}

/// Why those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// This run was told to.
    Run,
    /// The provider's settings say so.
    Settings,
    /// The server speaks Chat Completions.
    Chat,
    /// The server has no WebSocket.
    NoWebSocket,
    /// There will be one answer: a socket would not pay.
    SingleAnswer,
    /// Nothing speaks against a socket.
    Usual,
}

impl Choice {
    /// What was said outright is kept to, whatever the server is said to do.
    pub fn of(provider: &Provider, wanted: Option<Mode>, single: bool) -> Self {
        let said = wanted.map(|mode| (mode, Why::Run)).or(provider.transport.map(|mode| (mode, Why::Settings)));
        let (mode, why) = match said {
            _ if provider.wire == Wire::Chat => (Mode::Http, Why::Chat),
            Some((mode @ (Mode::Http | Mode::WebSocket), why)) => (mode, why),
            Some((Mode::Auto, _)) | None if !provider.can.websocket => (Mode::Http, Why::NoWebSocket),
            Some((Mode::Auto, _)) | None if single => (Mode::Http, Why::SingleAnswer),
            Some((Mode::Auto, why)) => (Mode::Auto, why),
            None => (Mode::Auto, Why::Usual),
        };
        Self { mode, why }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways = match self.mode {
            Mode::Auto => "websocket, and http where it does not work",
            Mode::WebSocket => "websocket only",
            Mode::Http => "http",
        };
        let reason = match self.why {
            Why::Run => "this run asks for it",
            Why::Settings => "the provider's settings ask for it",
            Why::Chat => "the server speaks chat completions",
            Why::NoWebSocket => "the server has no websocket: if it has, set supports_websockets",
            Why::SingleAnswer => "there will be one answer, for which a socket does not pay",
            Why::Usual => "nothing speaks against it",
        };
        write!(f, "{ways}: {reason}")
    }
}
