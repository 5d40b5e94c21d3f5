//! Chat Completions as the Responses API: pure translators, no clock, no socket.
