//! A thousand clients, and clients that read nothing, before a process whose memory and descriptors can be counted.

use std::fs;

use testkit::{FakeModel, Script, Turn};
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use super::client::{Served, Socket, ask, begin, body, response_of, said, soon, text_of};
use crate::support::Room;

/// How many clients there are at once.
const CLIENTS: usize = 1000;

/// How many read nothing, half of them over sockets.
const SLOW: u64 = 8;

/// What an answer has that no buffer on the way can hold.
const FLOOD: usize = 50_000_000;

/// What the gateway may hold for each of them: what the buffers of the system took, the window, and what it heard ahead
/// of its backend, some of it more than once. The whole answer would be held more than once, too.
const MOST_HELD: u64 = 32 << 20;

/// How many descriptors the process has open.
fn descriptors(served: &Served) -> usize {
    fs::read_dir(format!("/proc/{}/fd", served.pid())).unwrap().count()
}

/// How many bytes of it are in memory.
fn memory(served: &Served) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", served.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Makes a response in the way of the client of this number, and looks whether it is its own.
async fn one_of_many(address: String, number: usize) {
    let text = format!("I am client {number}");
    let fields = format!(r#""input":"say {text}","store":{}"#, number.is_multiple_of(2));
    match number % 3 {
        0 => {
            let (status, made) = soon(ask(&address, "POST", "/v1/responses", &body(&fields))).await.unwrap();
            assert_eq!((status, said(&made)), (200, text), "{made}");
        }
        1 => {
            let streamed = body(&format!(r#"{fields},"stream":true"#));
            let (status, stream) = soon(ask(&address, "POST", "/v1/responses", &streamed)).await.unwrap();
            assert!(status == 200 && stream.ends_with("data: [DONE]\n\n"), "{stream}");
            assert!(stream.contains(&format!(r#""text":"{text}""#)), "{stream}");
        }
        _ => {
            let mut socket = soon(Socket::open(&address)).await.unwrap();
            socket.create(&fields).await.unwrap();
            let made = response_of(&soon(socket.answer()).await.unwrap());
            assert_eq!(said(&made), text);
            let previous = text_of(&made, "id");
            socket.create(&format!(r#""input":"recall","previous_response_id":"{previous}""#)).await.unwrap();
            assert_eq!(said(&response_of(&soon(socket.answer()).await.unwrap())), format!("say {text}"));
        }
    }
}

/// A thousand clients at once.
async fn crowd(served: &Served) {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(one_of_many(served.address.clone(), number));
    }
    while let Some(ended) = soon(clients.join_next()).await {
        ended.unwrap();
    }
    served.until_idle().await;
}

#[tokio::test]
async fn a_thousand_clients_at_once_get_their_answers_and_leave_nothing_open() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let served = Served::start(&room, data.path(), &["-c", "gateway.limits.concurrency=512"]).await;
    // The first crowd opens what stays open: the readers of the store, for instance.
    crowd(&served).await;
    let before = descriptors(&served);
    crowd(&served).await;
    soon(async {
        while descriptors(&served) > before {
            served.get("/readyz").await;
        }
    })
    .await;
    let (_, ready) = served.get("/readyz").await;
    assert!(ready.contains(r#""running":0"#), "{ready}");
    served.kill().await;
}

#[tokio::test]
async fn what_nobody_reads_is_not_made_and_what_was_made_is_let_go() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let script = Script::new([Turn::new().message("x".repeat(FLOOD)).pace(1024, std::time::Duration::ZERO)]);
    let model = FakeModel::scripted(script.repeating_last()).start_loopback().await.unwrap();
    let east = format!("model_providers.east.base_url='{}'", model.base_url());
    let served = Served::start(&room, data.path(), &["-c", &east, "-c", "gateway.limits.grace_seconds=0"]).await;
    for number in 0..20 {
        one_of_many(served.address.clone(), number).await;
    }
    let (held, open) = (memory(&served), descriptors(&served));
    let flood = r#"{"model":"east/m","input":"go","store":false,"stream":true}"#;
    let (mut sockets, mut streams) = (Vec::new(), Vec::new());
    for _ in 0..SLOW / 2 {
        let mut socket = served.socket().await;
        socket.say(1, flood.replacen('{', r#"{"type":"response.create","#, 1).as_bytes()).await.unwrap();
        sockets.push(socket);
        streams.push(soon(begin(&served.address, "POST", "/v1/responses", flood)).await.unwrap());
    }
    // Others get their answers meanwhile.
    for number in 0..90 {
        one_of_many(served.address.clone(), number).await;
    }
    // On a busy machine a socket that answers no pings may have been let go by now; a stream has longer.
    assert!(served.number("capstan_responses_running").await >= SLOW / 2);
    let each = memory(&served).saturating_sub(held) / SLOW;
    assert!(each < MOST_HELD, "{} KiB for each", each >> 10);
    // One of them reads after all, and gets all of it.
    let mut stream = streams.pop().unwrap();
    let (mut into, mut bytes) = (vec![0; 1 << 16], 0);
    while bytes < FLOOD {
        bytes += soon(stream.read(&mut into)).await.unwrap();
    }
    drop((sockets, streams, stream));
    served.until_idle().await;
    soon(async {
        // The lines to the backend are kept for a while.
        while descriptors(&served) > open + usize::try_from(SLOW).unwrap() {
            served.get("/readyz").await;
        }
    })
    .await;
    served.kill().await;
}
