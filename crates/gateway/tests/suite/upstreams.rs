//! The gateway in front of servers that speak otherwise, are slow, refuse, break off, or are not there.

use std::net::{Ipv4Addr, SocketAddr};

use hyper::Method;
use responses::chain::Transport;
use responses::json::Json;
use testkit::{ChatModel, FakeModel, Fault, FaultPlan, On, Refusal, RunningChatModel, RunningModel, Script, Turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{Running, events, of, said, soon, text_of, whole};

const SOCKETS: &str = "supports_websockets = true\ntransport = \"ws\"";

/// The table of a backend.
fn backend(name: &str, base_url: &str, more: &str) -> String {
    format!("[model_providers.{name}]\nbase_url = \"{base_url}\"\n{more}\n")
}

/// A gateway with one backend, `east`.
fn before(base_url: &str, more: &str) -> Running {
    Running::with(&backend("east", base_url, more))
}

/// A gateway whose model `m` is had at `east`, and if not there, at `west`.
fn before_both(east: &str, west: &str) -> Running {
    let route = "gateway.models.m = [\"east/m\", \"west/m\"]\n";
    Running::with(&format!("{route}{}{}", backend("east", east, ""), backend("west", west, "")))
}

async fn saying(text: &str) -> RunningModel {
    scripted(Turn::new().message(text)).await
}

async fn scripted(turn: Turn) -> RunningModel {
    FakeModel::scripted(Script::new([turn]).repeating_last()).start_loopback().await.unwrap()
}

async fn faulty(on: On, fault: Fault) -> RunningModel {
    let script = Script::new([Turn::new().message("all that I have to say")]).repeating_last();
    FakeModel::scripted(script).with_faults(FaultPlan::default().on(on, fault)).start_loopback().await.unwrap()
}

async fn chat<Chunk: Into<String>>(turns: impl IntoIterator<Item = Vec<Chunk>>) -> RunningChatModel {
    ChatModel::scripted(turns).start_loopback().await.unwrap()
}

fn chunk(delta: &str, finish: &str) -> String {
    format!(r#"{{"id":"c","model":"local","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#)
}

/// The bodies of what a server of Chat Completions was asked.
fn bodies(model: &RunningChatModel) -> Vec<String> {
    model.requests().into_iter().filter(|request| request.method == "POST").map(|request| request.body).collect()
}

async fn post(gateway: &Running, model: &str, fields: &str) -> (u16, String) {
    let body = format!(r#"{{"model":"{model}",{fields}}}"#);
    let (status, text) = gateway.ask(Method::POST, "/v1/responses", &body).await;
    (status.as_u16(), text)
}

/// A place where nobody listens.
async fn nowhere() -> String {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    format!("http://{address}/v1")
}

/// A server that says the same to everybody and hangs up; or takes what is asked and never says anything.
struct Rude {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Rude {
    async fn saying(text: Option<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((mut io, _)) = listener.accept().await {
                let text = text.clone();
                clients.spawn(async move {
                    let mut request = vec![0; 1 << 16];
                    // A client that leaves is none of our business.
                    let _ = io.read(&mut request).await;
                    if let Some(text) = text {
                        let _ = io.write_all(text.as_bytes()).await;
                        let _ = io.shutdown().await;
                    }
                    while io.read(&mut request).await.is_ok_and(|read| read > 0) {}
                });
            }
        });
        Self { address, _tasks: tasks }
    }

    fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

#[tokio::test]
async fn tools_go_to_and_fro_before_a_server_of_chat_completions() {
    let call = |index: u8, name: &str, arguments: &str| {
        format!(
            r#"{{"tool_calls":[{{"index":{index},"id":"call_{index}","type":"function","function":{{"name":"{name}","arguments":{arguments}}}}}]}}"#
        )
    };
    let patch = call(1, "patch", r#""{\"input\":\"*** Begin\\n+ line\"}""#);
    let usage = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}"#;
    let model = chat([
        vec![
            chunk(&call(0, "add", r#""{\"a\":""#), "null"),
            chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#, "null"),
            chunk(&patch, "null"),
            chunk("{}", r#""tool_calls""#),
            usage.to_owned(),
        ],
        vec![chunk(r#"{"content":"it is "}"#, "null"), chunk(r#"{"content":"done"}"#, r#""stop""#)],
    ])
    .await;
    let gateway = before(&model.base_url(), "wire_api = \"chat\"");
    let tools =
        r#""tools":[{"type":"function","name":"add","parameters":{"type":"object"}},{"type":"custom","name":"patch"}]"#;
    let mut socket = gateway.socket().await;
    let create =
        |fields: &str| format!(r#"{{"type":"response.create","model":"east/m","store":false,{tools},{fields}}}"#);
    socket.say(create(r#""input":"go""#)).await;
    let heard = socket.answer().await;
    let first: Json = of(heard.last().unwrap(), "response");
    let first = first.text();
    assert_eq!(text_of(first, "status"), "completed", "{first}");
    assert_eq!(
        (text_of(first, "output.0.type"), text_of(first, "output.0.arguments")),
        ("function_call".into(), r#"{"a":1}"#.into())
    );
    assert_eq!(
        (text_of(first, "output.1.type"), text_of(first, "output.1.input")),
        ("custom_tool_call".into(), "*** Begin\n+ line".into())
    );
    assert_eq!([of::<u64>(first, "usage.input_tokens"), of(first, "usage.output_tokens")], [9, 4]);
    let deltas = |kind: &str| heard.iter().filter(|event| text_of(event, "type") == kind).count();
    assert!(deltas("response.function_call_arguments.delta") >= 2, "{heard:?}");
    assert_eq!(deltas("response.custom_tool_call_input.done"), 1);
    let outputs = format!(
        r#"[{{"type":"function_call_output","call_id":"{}","output":"two"}},{{"type":"custom_tool_call_output","call_id":"{}","output":"patched"}}]"#,
        text_of(first, "output.0.call_id"),
        text_of(first, "output.1.call_id")
    );
    socket.say(create(&format!(r#""previous_response_id":"{}","input":{outputs}"#, text_of(first, "id")))).await;
    let heard = socket.answer().await;
    assert_eq!(said(of::<Json>(heard.last().unwrap(), "response").text()), "it is done");
    let bodies = bodies(&model);
    assert_eq!(bodies.len(), 2);
    for part in [r#""go""#, r#""role":"assistant""#, r#""role":"tool""#, "two", "patched", r#""name":"patch""#] {
        assert!(bodies[1].contains(part), "{part} is not in {}", bodies[1]);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn images_a_schema_and_limits_pass_through_to_chat_completions() {
    let model = chat([vec![chunk(r#"{"content":"{\"n\":1}"}"#, r#""stop""#)]]).await;
    let gateway = before(&model.base_url(), "wire_api = \"chat\"");
    let image = r#"{"type":"input_image","image_url":"data:image/png;base64,aGVsbG8="}"#;
    let schema = r#""text":{"format":{"type":"json_schema","name":"number","strict":true,"schema":{"type":"object","properties":{"n":{"type":"integer"}}}}}"#;
    let input =
        format!(r#""input":[{{"role":"user","content":[{{"type":"input_text","text":"what is this"}},{image}]}}]"#);
    let fields = format!(r#"{input},{schema},"temperature":0.25,"max_output_tokens":77,"instructions":"be brief""#);
    let (status, text) = post(&gateway, "east/m", &fields).await;
    assert_eq!((status, said(&text)), (200, r#"{"n":1}"#.into()), "{text}");
    let bodies = bodies(&model);
    for part in [
        r#""image_url""#,
        "data:image/png;base64,aGVsbG8=",
        r#""json_schema""#,
        r#""strict":true"#,
        r#""properties":{"n":{"type":"integer"}}"#,
        "0.25",
        "77",
        "be brief",
        "what is this",
    ] {
        assert!(bodies[0].contains(part), "{part} is not in {}", bodies[0]);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_stream_of_chat_completions_that_breaks_is_told_with_a_code() {
    let begun = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let word = chunk(r#"{"content":"half of"}"#, "null");
    for (what, stream, expected) in [
        ("cut in the middle", format!("data: {word}\n\n"), "backend_broke_off"),
        ("cut within a chunk", format!("data: {word}\n\ndata: {{\"id\""), "backend_broke_off"),
        ("no json", format!("data: {word}\n\ndata: <html>\n\n"), "server_error"),
    ] {
        let rude = Rude::saying(Some(format!("{begun}{stream}"))).await;
        let gateway = before(&rude.base_url(), "wire_api = \"chat\"");
        let (status, text) = post(&gateway, "east/m", r#""input":"go","stream":true"#).await;
        assert_eq!(status, 200, "{what}: {text}");
        let heard = events(&text);
        let last = heard.last().unwrap();
        assert_eq!(text_of(last, "type"), "response.failed", "{what}: {text}");
        assert_eq!(text_of(last, "response.error.code"), expected, "{what}: {last}");
        assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("127.0.0.1"), "{what}: {text}");
        let (status, folded) = post(&gateway, "east/m", r#""input":"go""#).await;
        assert_eq!((status, text_of(&folded, "status")), (200, "failed".into()), "{what}: {folded}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_chain_goes_over_one_socket_of_the_backend_and_only_what_is_new_is_sent() {
    let model = FakeModel::respond_with(|seen| Turn::new().message(format!("answer {}", seen.number)));
    let model = model.start_loopback().await.unwrap();
    let gateway = before(&model.base_url(), SOCKETS);
    let tools = r#""tools":[{"type":"function","name":"do"}]"#;
    let mut previous = "null".to_owned();
    for turn in 1..=6 {
        let fields = format!(r#""input":"turn {turn}",{tools},"previous_response_id":{previous}"#);
        let (status, made) = post(&gateway, "east/m", &fields).await;
        assert_eq!((status, said(&made)), (200, format!("answer {turn}")), "{made}");
        previous = of::<Json>(&made, "id").text().to_owned();
    }
    let seen = model.log().seen();
    let sent: Vec<_> = seen.iter().map(|seen| (seen.transport, seen.new_items, seen.context.len())).collect();
    let expected: Vec<_> = (0..6).map(|turn| (Transport::WebSocket, 1, 2 * turn + 1)).collect();
    assert_eq!(sent, expected);
    let upgrades = model.log().requests().iter().filter(|request| request.header("upgrade").is_some()).count();
    assert_eq!(upgrades, 1);
    gateway.stop().await;
}

#[tokio::test]
async fn another_backend_answers_where_one_cannot_and_nobody_notices() {
    let west = saying("from the west").await;
    let refusing = async |status, code| scripted(Turn::new().error(Refusal::new(status, code, "no"))).await;
    let page = faulty(On::EveryRequest, Fault::HtmlError(503)).await;
    let cut = faulty(On::EveryConnection, Fault::CutAfterFrames(0)).await;
    let (broken, limited) = (refusing(500, "server_error").await, refusing(429, "rate_limit_exceeded").await);
    let (stranger, other) = (refusing(401, "invalid_api_key").await, refusing(404, "model_not_found").await);
    let failing = scripted(Turn::new().failed("server_error", "no")).await;
    let east = [&broken, &limited, &stranger, &other, &failing, &page, &cut].map(RunningModel::base_url);
    for east in east.into_iter().chain([nowhere().await]) {
        let gateway = before_both(&east, &west.base_url());
        let (status, made) = post(&gateway, "m", r#""input":"hi""#).await;
        assert_eq!((status, said(&made)), (200, "from the west".into()), "{made}");
        let (status, stream) = post(&gateway, "m", r#""input":"hi","stream":true"#).await;
        assert_eq!(status, 200, "{stream}");
        let kinds: Vec<String> = events(&stream).iter().map(|event| text_of(event, "type")).collect();
        assert_eq!(kinds.iter().filter(|kind| *kind == "response.created").count(), 1, "{kinds:?}");
        assert_eq!(kinds.last().unwrap(), "response.completed");
        let (_, counted) = gateway.get("/metrics").await;
        assert!(counted.contains("capstan_failovers_total{backend=\"east\"} 2\n"), "{counted}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn what_is_the_requests_own_fault_is_asked_nowhere_else() {
    let west = saying("from the west").await;
    for (status, code) in
        [(400, "invalid_prompt"), (400, "context_length_exceeded"), (413, "request_too_large"), (422, "no")]
    {
        let east = scripted(Turn::new().error(Refusal::new(status, code, "in its own words"))).await;
        let gateway = before_both(&east.base_url(), &west.base_url());
        let (told, text) = post(&gateway, "m", r#""input":"hi""#).await;
        assert_eq!((told, text_of(&text, "error.code")), (status, code.into()), "{text}");
        assert_eq!(text_of(&text, "error.message"), "in its own words");
        gateway.stop().await;
    }
    assert_eq!(west.log().seen().len(), 0);
}

#[tokio::test]
async fn a_backend_that_breaks_off_in_an_item_is_a_failed_response_and_the_chain_goes_on() {
    for table in ["", SOCKETS] {
        let model = faulty(On::Request(2), Fault::CutAfterFrames(5)).await;
        let gateway = before(&model.base_url(), table);
        let mut socket = gateway.socket().await;
        let say = |fields: &str| {
            format!(
                r#"{{"type":"response.create","model":"east/m","tools":[{{"type":"function","name":"do"}}],{fields}}}"#
            )
        };
        socket.say(say(r#""input":"one""#)).await;
        let heard = socket.answer().await;
        let id = text_of(heard.last().unwrap(), "response.id");
        socket.say(say(&format!(r#""input":"two","previous_response_id":"{id}""#))).await;
        let heard = socket.answer().await;
        let last = heard.last().unwrap();
        assert!(heard.iter().any(|event| text_of(event, "type") == "response.output_item.added"), "{heard:?}");
        assert_eq!(text_of(last, "type"), "response.failed", "{last}");
        assert_eq!(text_of(last, "response.error.code"), "backend_broke_off", "{last}");
        assert!(!last.contains("127.0.0.1"), "{last}");
        let failed = text_of(last, "response.id");
        assert_eq!(text_of(&gateway.get(&format!("/v1/responses/{failed}")).await.1, "status"), "failed");
        socket.say(say(&format!(r#""input":"three","previous_response_id":"{id}""#))).await;
        let heard = socket.answer().await;
        assert_eq!(text_of(heard.last().unwrap(), "type"), "response.completed", "{table:?} {heard:?}");
        let seen = model.log().seen().pop().unwrap();
        let texts: Vec<String> = seen.items().iter().map(|item| item.text().to_owned()).collect();
        assert!(texts.len() == 3 && texts[2].contains("three"), "{texts:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_backend_that_fails_again_and_again_is_asked_last_and_its_state_is_shown() {
    let east = scripted(Turn::new().error(Refusal::new(500, "server_error", "no"))).await;
    let west = saying("from the west").await;
    let gateway = before_both(&east.base_url(), &west.base_url());
    for _ in 0..3 {
        assert_eq!(post(&gateway, "m", r#""input":"hi""#).await.0, 200);
    }
    let asked = east.log().requests().len();
    let (_, ready) = gateway.get("/readyz").await;
    assert_eq!(
        (text_of(&ready, "backends.0.name"), text_of(&ready, "backends.0.state")),
        ("east".into(), "ill".into())
    );
    assert_eq!(text_of(&ready, "backends.1.state"), "well");
    assert_eq!(post(&gateway, "m", r#""input":"hi""#).await.0, 200);
    assert_eq!(east.log().requests().len(), asked, "the one that works is asked first");
    gateway.stop().await;
}

#[tokio::test]
async fn who_wants_a_backend_that_fails_and_no_other_gets_its_own_word() {
    let east = scripted(Turn::new().error(Refusal::new(500, "server_error", "no"))).await;
    let gateway = before(&east.base_url(), "");
    for _ in 0..4 {
        let (status, text) = post(&gateway, "east/m", r#""input":"hi""#).await;
        assert_eq!((status, text_of(&text, "error.code")), (502, "server_error".into()), "{text}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_limit_of_the_backend_reaches_the_client_with_the_time_to_wait() {
    let refusal = Refusal::new(429, "rate_limit_exceeded", "come back later").retry_after(37);
    let model = scripted(Turn::new().error(refusal)).await;
    for table in ["", SOCKETS] {
        let gateway = before(&model.base_url(), table);
        for stream in [true, false] {
            let body = format!(r#"{{"model":"east/m","input":"hi","stream":{stream}}}"#);
            let reply = gateway.send(Method::POST, "/v1/responses", &[], &body).await;
            assert_eq!(reply.status(), 429);
            assert_eq!(reply.headers()["retry-after"], "37");
            let text = whole(reply).await;
            assert_eq!(
                (text_of(&text, "error.code"), text_of(&text, "error.message")),
                ("rate_limit_exceeded".into(), "come back later".into())
            );
        }
        let mut socket = gateway.socket().await;
        socket.say(r#"{"type":"response.create","model":"east/m","input":"hi"}"#).await;
        let event = socket.hear().await.unwrap();
        assert_eq!((text_of(&event, "type"), of::<u64>(&event, "status")), ("error".into(), 429), "{event}");
        assert!(event.contains("37"), "{event}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_key_that_the_backend_refuses_is_the_operators_business_and_is_shown_to_nobody() {
    let model = FakeModel::respond_with(|_| Turn::new()).with_key("sk-right-planted").start_loopback().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "sk-wrong-planted\n").unwrap();
    let key = format!("key_file = '{}'", file.display());
    for table in [key.clone(), format!("{key}\n{SOCKETS}")] {
        let gateway = before(&model.base_url(), &table);
        let (status, text) = post(&gateway, "east/m", r#""input":"hi""#).await;
        assert_eq!((status, text_of(&text, "error.code")), (502, "backend_auth".into()), "{text}");
        let mut socket = gateway.socket().await;
        socket.say(r#"{"type":"response.create","model":"east/m","input":"hi"}"#).await;
        let event = socket.hear().await.unwrap();
        assert_eq!((of::<u64>(&event, "status"), text_of(&event, "error.code")), (502, "backend_auth".into()));
        let (ready, counted) = (gateway.get("/readyz").await.1, gateway.get("/metrics").await.1);
        for shown in [text, event, ready, counted] {
            assert!(!shown.contains("planted") && !shown.contains("127.0.0.1"), "{shown}");
        }
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_model_is_found_by_its_alias_by_a_pattern_and_by_its_backend() {
    let (east, west) = (saying("from the east").await, saying("from the west").await);
    let routes = "gateway.models.fast = [\"west/qwen3\"]\ngateway.models.\"gpt-*\" = [\"east\"]\ngateway.models.demo = [\"scripted\"]\n";
    let tables = format!("{}{}", backend("east", &east.base_url(), ""), backend("west", &west.base_url(), ""));
    let gateway = Running::with(&format!("{routes}{tables}"));
    for (model, text, asked_for) in [
        ("fast", "from the west", Some((&west, "qwen3"))),
        ("gpt-7-mini", "from the east", Some((&east, "gpt-7-mini"))),
        ("west/meta/llama", "from the west", Some((&west, "meta/llama"))),
        ("demo", "hello", None),
        ("scripted/any", "hello", None),
    ] {
        let (status, made) = post(&gateway, model, r#""input":"say hello""#).await;
        assert_eq!((status, said(&made)), (200, text.into()), "{model}: {made}");
        assert_eq!(text_of(&made, "model"), model, "a response names the model as it was asked for");
        if let Some((server, name)) = asked_for {
            let seen = server.log().seen().pop().unwrap();
            assert_eq!(seen.request.model().as_deref(), Some(name), "{model}");
        }
    }
    for (model, advice) in
        [("fats", "did you mean \"fast\"?"), ("scriptde", "did you mean \"scripted\"?"), ("no-such", "/v1/models")]
    {
        let (status, text) = post(&gateway, model, r#""input":"hi""#).await;
        assert_eq!((status, text_of(&text, "error.code")), (404, "model_not_found".into()), "{text}");
        assert!(text_of(&text, "error.message").contains(advice), "{text}");
        let mut socket = gateway.socket().await;
        socket.say(format!(r#"{{"type":"response.create","model":"{model}","input":"hi"}}"#)).await;
        let event = socket.hear().await.unwrap();
        assert_eq!((of::<u64>(&event, "status"), text_of(&event, "error.code")), (404, "model_not_found".into()));
    }
    let (_, list) = gateway.get("/v1/models").await;
    for name in ["fast", "demo", "scripted"] {
        assert!(list.contains(&format!("\"id\":\"{name}\"")), "{list}");
    }
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_takes_its_time_is_accepted_for_in_ten_seconds() {
    let rude = Rude::saying(None).await;
    for more in ["", "wire_api = \"chat\""] {
        let gateway = before(&rude.base_url(), more);
        let mut socket = gateway.socket().await;
        let began = Instant::now();
        socket.say(r#"{"type":"response.create","model":"east/m","input":"hi","store":false}"#).await;
        assert_eq!(text_of(&socket.hear().await.unwrap(), "type"), "response.created");
        assert_eq!(text_of(&socket.hear().await.unwrap(), "type"), "response.in_progress");
        assert_eq!(began.elapsed().as_secs(), 10, "{more}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_before_that_is_an_answer_and_after_it_a_failed_response() {
    let gateway = Running::start();
    for (pause, fails) in [(9_000, false), (11_000, true)] {
        let input = format!(r#""input":"pause {pause}\nreject 429 slow_down later","store":false,"stream":true"#);
        let (status, text) = soon(gateway.post(&input)).await;
        if fails {
            let heard = events(&text);
            let kinds: Vec<String> = heard.iter().map(|event| text_of(event, "type")).collect();
            assert_eq!(kinds, ["response.created", "response.in_progress", "response.failed"]);
            assert_eq!(text_of(heard.last().unwrap(), "response.error.code"), "slow_down");
        } else {
            assert_eq!((status.as_u16(), text_of(&text, "error.code")), (429, "slow_down".into()));
        }
    }
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_asked_again_under_the_same_name() {
    let model = FakeModel::respond_with(|seen| match seen.number {
        1 => Turn::new().error(Refusal::new(429, "rate_limit_exceeded", "later").retry_after(37)),
        _ => Turn::new().message("now"),
    });
    let model = model.start_loopback().await.unwrap();
    let gateway = before(&model.base_url(), "");
    let fields = r#""input":"hi","idempotency_key":"once""#;
    assert_eq!(post(&gateway, "east/m", fields).await.0, 429);
    let (status, made) = post(&gateway, "east/m", fields).await;
    assert_eq!((status, said(&made)), (200, "now".into()), "{made}");
    assert_eq!(post(&gateway, "east/m", fields).await.1, made, "and once it was made, it is that one");
    gateway.stop().await;
}
