//! Reach a model, and never lose a turn: dial, TLS, proxies, WebSocket, server-sent events, credentials.
