//! The floor: who reads the same bytes at the same pace with the same runtime and the same WebSocket library, and does
//! nothing with them.

use futures_util::{SinkExt, StreamExt};
use responses::json::quote;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::client::Outcomes;

/// How much is read at once: as much as the client does.
const READ_AT_ONCE: usize = 4 << 10;

/// A socket, and the response to go on from.
pub(crate) struct Bare {
    socket: WebSocketStream<TcpStream>,
    previous: Option<String>,
}

impl Bare {
    pub(crate) async fn connect(base_url: &str) -> Outcomes<Self> {
        let place = base_url.strip_prefix("http://").ok_or("the floor is measured over TCP only")?;
        let (address, _) = place.split_once('/').ok_or("an address without a path")?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_AT_ONCE);
        let (socket, _) = client_async_with_config(format!("ws://{place}/responses"), stream, Some(config)).await?;
        Ok(Self { socket, previous: None })
    }

    /// One turn: as much as the client says, and all that the server answers.
    pub(crate) async fn turn(&mut self, said: &str) -> Outcomes<()> {
        let previous =
            self.previous.as_ref().map(|id| format!(r#""previous_response_id":"{id}","#)).unwrap_or_default();
        let mut text = String::new();
        quote(said, &mut text);
        let input = format!(r#"[{{"type":"message","role":"user","content":{text}}}]"#);
        let frame = format!(r#"{{"type":"response.create","model":"m","store":false,{previous}"input":{input}}}"#);
        self.socket.send(Message::text(frame)).await?;
        while let Some(message) = self.socket.next().await {
            let Message::Text(event) = message? else { continue };
            if event.starts_with(r#"{"type":"response.completed""#) {
                // The first name in it is that of the response.
                let id = event.split_once(r#""id":""#).and_then(|(_, rest)| rest.split_once('"'));
                self.previous = Some(id.ok_or("a response without a name")?.0.to_owned());
                return Ok(());
            }
        }
        Err("the server has closed".into())
    }
}
