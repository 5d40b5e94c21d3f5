//! Distance in front of a model: what goes through, what is counted, what a cut does.

use std::time::Duration;

use futures_util::SinkExt;
use testkit::{Happened, Relay, RunningModel};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Ended, Socket, create, hello, said, soon, user};

const NEAR: Duration = Duration::from_millis(2);

async fn through(relay: &Relay, model: &RunningModel) -> Socket {
    let io = soon(TcpStream::connect(relay.address())).await.unwrap();
    Socket(soon(client_async(model.websocket_url(), io)).await.unwrap().0)
}

#[tokio::test]
async fn everything_goes_through_and_is_counted() {
    let model = hello().await;
    let relay = Relay::start(model.address(), NEAR).await.unwrap();
    let mut socket = through(&relay, &model).await;
    let (up, down) = (relay.bytes_up(), relay.bytes_down());
    let frame = create(&user("hi"));
    assert_eq!(said(&socket.ask(&frame).await), "hello there");
    // A short frame of a client begins with two bytes and a mask of four.
    assert_eq!(relay.bytes_up() - up, frame.len() as u64 + 6);
    assert!(relay.bytes_down() - down > 500);
    socket.0.send(Message::Close(None)).await.unwrap();
    assert_eq!(socket.rest().await.1, Ended::Closed(None));
    soon(model.log().until(|log| log.on_connection(1).last() == Some(&Happened::Gone))).await;
    assert_eq!(relay.connections(), 1);
    relay.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn a_cut_breaks_all_connections_and_the_next_is_sound() {
    let model = hello().await;
    let relay = Relay::start(model.address(), NEAR).await.unwrap();
    let (mut one, mut two) = (through(&relay, &model).await, through(&relay, &model).await);
    relay.cut();
    assert_eq!((one.next().await, two.next().await), (Err(Ended::Broke), Err(Ended::Broke)));
    let gone = |log: &testkit::Log| [1, 2].iter().all(|at| log.on_connection(*at).contains(&Happened::Gone));
    soon(model.log().until(gone)).await;
    assert_eq!(said(&through(&relay, &model).await.ask(&create(&user("hi"))).await), "hello there");
    assert_eq!(relay.connections(), 3);
    relay.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_relay() {
    let model = hello().await;
    let before = Handle::current().metrics().num_alive_tasks();
    let relay = Relay::start(model.address(), NEAR).await.unwrap();
    let mut socket = through(&relay, &model).await;
    socket.ask(&create(&user("hi"))).await;
    relay.stop().await;
    assert_eq!(socket.next().await, Err(Ended::Broke));
    soon(model.log().until(|log| log.on_connection(1).contains(&Happened::Gone))).await;
    soon(async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    model.stop().await;
}

#[tokio::test]
async fn where_nobody_listens_the_line_breaks() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let relay = Relay::start(nobody, NEAR).await.unwrap();
    let mut io = TcpStream::connect(relay.address()).await.unwrap();
    assert!(!matches!(soon(io.read(&mut [0])).await, Ok(1..)));
    relay.stop().await;
}
