//! Which backends there are, and which are asked.

use std::io;
use std::net::Ipv4Addr;

use responses::error::ApiError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::backend::{FoundServer, Standing};

/// A server that lists models, and does nothing else.
struct Lister {
    base_url: String,
    port: u16,
    _tasks: JoinSet<()>,
}

impl Lister {
    async fn of(models: &[&str]) -> Self {
        Self::on(0, models).await.unwrap()
    }

    async fn on(port: u16, models: &[&str]) -> io::Result<Self> {
        let data: Vec<_> = models.iter().map(|id| format!(r#"{{"id":"{id}","object":"model","created":5}}"#)).collect();
        let body = format!(r#"{{"object":"list","data":[{}]}}"#, data.join(","));
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
        let answer = format!("{head} {}\r\n\r\n{body}", body.len());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // A client that leaves is none of our business.
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Ok(Self { base_url: format!("http://127.0.0.1:{port}/v1"), port, _tasks: tasks })
    }
}

/// A port where nobody listens.
async fn nobody() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
}

/// Servers on this machine that are looked for: the name and the port of each.
fn looking_for(places: &[(&str, u16)]) -> Settings {
    let table =
        |(name, port): &(&str, u16)| format!("[model_providers.{name}]\nbase_url = \"http://127.0.0.1:{port}/v1\"\n");
    let mut settings = settings(&places.iter().map(table).collect::<String>());
    for planned in &mut settings.backends {
        planned.discovered = true;
    }
    settings
}

/// Time passes, and what is due happens.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

async fn names(backends: &Backends, model: &str) -> Vec<String> {
    let candidates = backends.candidates(model).await.unwrap_or_default();
    candidates.iter().map(|candidate| format!("{}/{}", candidate.backend(), candidate.model())).collect()
}

fn broke() -> ApiError {
    ApiError::report(502, Some("backend_broke_off"), None, "broke off")
}

#[tokio::test]
async fn servers_on_this_machine_are_found_by_themselves() {
    let lister = Lister::of(&["gemma", "qwen3"]).await;
    let backends = backends(&looking_for(&[("ollama", lister.port), ("vllm", nobody().await)]));
    let found = backends.found_by_themselves().await;
    let address = format!("127.0.0.1:{}", lister.port);
    let expected = FoundServer { name: "Ollama".into(), address: address.clone().into(), models: 2 };
    assert_eq!(found, [expected]);
    assert_eq!(found[0].to_string(), format!("Ollama at {address} with 2 models"));
    assert_eq!(names(&backends, "gemma").await, ["ollama/gemma"]);
    assert_eq!(names(&backends, "vllm/gemma").await, [""; 0], "it is not there");
    let offered: Vec<_> = backends.models().into_iter().map(|model| (model.id, model.owner, model.created)).collect();
    let expected = [("gemma", "ollama", 5), ("qwen3", "ollama", 5), ("scripted", "capstan", 0)];
    assert_eq!(offered, expected.map(|(id, owner, created)| (id.into(), owner.into(), created)));
}

#[tokio::test]
async fn they_leave_when_they_are_gone_and_come_back() {
    let lister = Lister::of(&["gemma"]).await;
    let port = lister.port;
    let backends = backends(&looking_for(&[("ollama", port)]));
    assert_eq!(backends.found_by_themselves().await.len(), 1);
    drop(lister);
    pass(Duration::from_secs(31)).await;
    tokio::time::timeout(PATIENCE, backends.lists.looked(2)).await.unwrap();
    assert_eq!(backends.models().len(), 1, "only the scripted one is left");
    let _lister = Lister::on(port, &["gemma"]).await.unwrap();
    pass(Duration::from_secs(6)).await;
    assert_eq!(names(&backends, "gemma").await, ["ollama/gemma"], "who asks for it has it looked for");
}

#[tokio::test]
async fn who_asks_for_nonsense_does_not_make_the_gateway_ask_all_the_time() {
    let lister = Lister::of(&["gemma"]).await;
    let backends = backends(&looking_for(&[("ollama", lister.port)]));
    backends.found_by_themselves().await;
    let error = backends.candidates("gemna").await.unwrap_err();
    assert!(error.message.contains("did you mean \"gemma\"?"), "{error}");
    assert_eq!(backends.lists.looks(), 1);
}

#[tokio::test]
async fn a_backend_that_fails_again_and_again_is_asked_last_until_it_works() {
    let (one, two) = (Lister::of(&["m"]).await, Lister::of(&["m"]).await);
    let text = format!("{}[model_providers.west]\nbase_url = \"{}\"", east(&one.base_url, ""), two.base_url);
    let backends = backends(&settings(&text));
    backends.found_by_themselves().await;
    assert_eq!(names(&backends, "m").await, ["east/m", "west/m"]);
    let east = candidate(&backends, "m").await;
    for _ in 0..3 {
        backends.failed(&east, &ApiError::report(429, None, None, "limit"));
    }
    assert_eq!(names(&backends, "m").await, ["east/m", "west/m"], "a limit is not its fault");
    for _ in 0..3 {
        backends.failed(&east, &broke());
    }
    assert_eq!(names(&backends, "m").await, ["west/m", "east/m"]);
    let health = backends.health();
    assert_eq!((health[0].standing, health[0].failures, health[0].models), (Standing::Ill, 3, 1));
    assert_eq!(health[1].standing, Standing::Well);
    backends.succeeded(&east);
    assert_eq!(names(&backends, "m").await, ["east/m", "west/m"]);
}

#[tokio::test]
async fn the_scripted_one_is_always_there() {
    let backends = backends(&settings(""));
    assert_eq!(names(&backends, "scripted").await, ["scripted/scripted"]);
    assert!(candidate(&backends, "scripted").await.steers());
    assert_eq!(backends.health(), []);
    assert_eq!(backends.found_by_themselves().await, []);
}

#[tokio::test]
async fn a_configured_backend_stays_though_it_lists_nothing() {
    let port = nobody().await;
    let backends = backends(&settings(&east(&format!("http://127.0.0.1:{port}/v1"), "")));
    backends.found_by_themselves().await;
    assert_eq!(names(&backends, "east/m").await, ["east/m"]);
    let health = backends.health();
    assert!(health[0].present && health[0].problem.is_some(), "{health:?}");
}

#[tokio::test]
async fn a_key_stands_in_nothing_that_is_shown() {
    let lister = Lister::of(&["m"]).await;
    let backends = backends(&settings(&east(&lister.base_url, "http_headers = { x-key = \"planted-key\" }")));
    backends.found_by_themselves().await;
    let shown = format!("{backends:?} {:?} {:?}", backends.health(), backends.models());
    assert!(!shown.contains("planted"), "{shown}");
}
