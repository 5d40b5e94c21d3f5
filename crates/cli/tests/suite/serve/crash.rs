//! A crash under load: what a client was told to be there is there, and its chain goes on.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::{Served, Socket, ask, body, response_of, said, soon, text_of};
use crate::support::Room;

/// How often it is killed, unless the variable of this name says otherwise.
const ROUNDS: usize = 10;
const ROUNDS_VARIABLE: &str = "CAPSTAN_CRASH_ROUNDS";

/// How many clients there are, half of them over sockets, and after how many answers at the latest it is killed.
const CLIENTS: usize = 8;
const MOST_ANSWERS: u64 = 60;

/// How many answers are on their way to whoever keeps the record.
const UNRECORDED: usize = 1 << 10;

/// A response that a client was told has completed.
struct Acknowledged {
    client: usize,
    input: String,
    response: String,
}

/// One client's chain, as far as it knows it.
#[derive(Clone, Default)]
struct Chain {
    inputs: Vec<String>,
    latest: Option<String>,
}

impl Chain {
    fn create(&self, input: &str) -> String {
        let previous = self.latest.as_ref().map_or("null".to_owned(), |id| format!("\"{id}\""));
        format!(r#""input":"{input}","previous_response_id":{previous}"#)
    }

    fn take(&mut self, acknowledged: &Acknowledged) {
        self.inputs.push(acknowledged.input.clone());
        self.latest = Some(text_of(&acknowledged.response, "id"));
    }
}

/// Asks for one response after the other until the gateway is gone, and tells of each that has completed.
async fn goes_on(address: String, client: usize, round: usize, mut chain: Chain, told: mpsc::Sender<Acknowledged>) {
    let mut socket = if client.is_multiple_of(2) { Socket::open(&address).await.ok() } else { None };
    for turn in 0.. {
        let input = format!("say client {client} round {round} turn {turn}");
        let fields = chain.create(&input);
        let response = match &mut socket {
            Some(socket) => {
                let Ok(()) = socket.create(&fields).await else { return };
                let Some(event) = socket.answer().await else { return };
                assert_eq!(text_of(&event, "type"), "response.completed", "{event}");
                response_of(&event)
            }
            None => {
                let Ok((status, text)) = ask(&address, "POST", "/v1/responses", &body(&fields)).await else { return };
                assert_eq!(status, 200, "{text}");
                text
            }
        };
        let acknowledged = Acknowledged { client, input, response };
        chain.take(&acknowledged);
        told.send(acknowledged).await.unwrap();
    }
}

/// Lets the clients go on until it is killed in the middle of it; gives what they were told.
async fn killed_under_load(served: Served, round: usize, chains: &[Chain]) -> Vec<Acknowledged> {
    let (tell, mut told) = mpsc::channel(UNRECORDED);
    let mut clients = JoinSet::new();
    for (client, chain) in chains.iter().enumerate() {
        clients.spawn(goes_on(served.address.clone(), client, round, chain.clone(), tell.clone()));
    }
    drop(tell);
    let answers = 1 + RandomState::new().hash_one(round) % MOST_ANSWERS;
    let mut acknowledged = Vec::new();
    for _ in 0..answers {
        acknowledged.push(soon(told.recv()).await.expect("all clients are gone before it is killed"));
    }
    served.kill().await;
    // What they were told in the meantime counts too.
    while let Some(more) = soon(told.recv()).await {
        acknowledged.push(more);
    }
    while let Some(ended) = soon(clients.join_next()).await {
        ended.unwrap();
    }
    acknowledged
}

#[tokio::test]
async fn a_crash_under_load_loses_nothing_that_was_acknowledged() {
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let mut chains = vec![Chain::default(); CLIENTS];
    let mut all = HashMap::new();
    for round in 0..rounds {
        let served = Served::start(&room, data.path(), &[]).await;
        let acknowledged = killed_under_load(served, round, &chains).await;
        let served = Served::start(&room, data.path(), &[]).await;
        for acknowledged in acknowledged {
            chains[acknowledged.client].take(&acknowledged);
            all.insert(text_of(&acknowledged.response, "id"), acknowledged.response);
        }
        for (id, response) in &all {
            let (status, text) = served.get(&format!("/v1/responses/{id}")).await;
            assert_eq!((status, &text), (200, response), "round {round}");
        }
        for chain in chains.iter().filter(|chain| chain.latest.is_some()) {
            let made = served.create(&chain.create("recall")).await;
            assert_eq!(said(&made), chain.inputs.join("\n"), "round {round}");
        }
        served.kill().await;
    }
    assert!(all.len() >= rounds, "{} responses", all.len());
}

#[tokio::test]
async fn a_response_in_the_background_that_a_crash_ended_is_told_to_have_failed() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let served = Served::start(&room, data.path(), &[]).await;
    let begun = served.create(r#""input":"say a\npause 3000000\nsay b","background":true"#).await;
    let id = text_of(&begun, "id");
    served.kill().await;
    let served = Served::start(&room, data.path(), &[]).await;
    let (status, text) = served.get(&format!("/v1/responses/{id}")).await;
    assert_eq!((status, text_of(&text, "status")), (200, "failed".into()), "{text}");
    assert!(!text_of(&text, "error.code").is_empty() && !text_of(&text, "error.message").is_empty(), "{text}");
    let (status, stream) = served.get(&format!("/v1/responses/{id}?stream=true")).await;
    assert!(
        status == 200 && stream.contains("event: response.failed") && stream.ends_with("data: [DONE]\n\n"),
        "{stream}"
    );
    served.kill().await;
}
