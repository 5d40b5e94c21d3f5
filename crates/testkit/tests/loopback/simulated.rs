//! The same code on a simulated network.

use futures_util::{SinkExt, StreamExt, stream};
use testkit::{FakeModel, Script, Turn};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use turmoil::net::{TcpListener, TcpStream};

use crate::support::{create, ends, fold, said, user};

#[test]
fn a_model_serves_on_a_simulated_network() {
    let mut sim = turmoil::Builder::new().build();
    sim.host("model", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        let incoming = stream::unfold(listener, |listener| async {
            let accepted = listener.accept().await.map(|(io, _)| io);
            Some((accepted, listener))
        });
        let model = FakeModel::scripted(Script::new([Turn::new().message("hello there")]));
        Ok(model.serve(incoming, CancellationToken::new()).await?)
    });
    sim.client("client", async {
        let io = TcpStream::connect("model:80").await?;
        let (mut socket, _) = client_async("ws://model/v1/responses", io).await?;
        socket.send(Message::text(create(&user("hi")))).await?;
        let mut texts = Vec::new();
        while !texts.last().is_some_and(|text: &String| ends(text)) {
            texts.push(socket.next().await.unwrap()?.into_text()?.to_string());
        }
        assert_eq!(said(&fold(&texts)), "hello there");
        Ok(())
    });
    sim.run().unwrap();
}
