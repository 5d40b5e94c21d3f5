//! Turns at a server.

use std::task::Poll;

use responses::chain::Transport;
use responses::error::ApiError;
use testkit::{ChatModel, FakeModel, Fault, FaultPlan, Happened, On, Refusal, RunningModel, Script, Turn};

use super::*;
use crate::backend::may_fail_over;

const SOCKETS: &str = "supports_websockets = true\ntransport = \"ws\"";

async fn counting() -> RunningModel {
    FakeModel::respond_with(|seen| Turn::new().message(format!("answer {}", seen.number)))
        .start_loopback()
        .await
        .unwrap()
}

async fn model(turn: Turn) -> RunningModel {
    FakeModel::scripted(Script::new([turn]).repeating_last()).start_loopback().await.unwrap()
}

async fn faulty(on: On, fault: Fault) -> RunningModel {
    let turn = Turn::new().message("what I have to say");
    let script = Script::new([turn]).repeating_last();
    FakeModel::scripted(script).with_faults(FaultPlan::default().on(on, fault)).start_loopback().await.unwrap()
}

fn at(model: &RunningModel, more: &str) -> Backends {
    backends(&settings(&east(&model.base_url(), more)))
}

fn failed(turned: Turned) -> ApiError {
    match turned.end {
        Err(Said::Failed(error)) => *error,
        other => panic!("{other:?}"),
    }
}

/// How each request came, how many items were sent, and how many the model saw.
fn seen(model: &RunningModel) -> Vec<(Transport, usize, usize)> {
    let one = |seen: testkit::Seen| (seen.transport, seen.new_items, seen.context.len());
    model.log().seen().into_iter().map(one).collect()
}

#[tokio::test]
async fn a_chain_keeps_its_line_and_sends_only_what_is_new() {
    let model = counting().await;
    let backends = at(&model, SOCKETS);
    let mut talk = Talk::with(&backends);
    for (turn, id) in ["resp_a", "resp_b", "resp_c"].into_iter().enumerate() {
        talk.turn_as("go on", id).await;
        assert_eq!(seen(&model)[turn], (Transport::WebSocket, 1, 2 * turn + 1));
        assert_eq!(backends.parked(), 1);
    }
    assert_eq!(
        model
            .log()
            .requests()
            .iter()
            .filter(|request| request.method == "GET" && !request.path.contains("models"))
            .count(),
        1
    );
}

#[tokio::test]
async fn who_goes_on_first_has_the_line_and_a_fork_begins_anew() {
    let model = counting().await;
    let backends = at(&model, SOCKETS);
    let mut talk = Talk::with(&backends);
    talk.turn_as("hello", "resp_a").await;
    let mut fork = talk.fork();
    talk.turn_as("one way", "resp_b").await;
    fork.turn_as("another way", "resp_c").await;
    let ws = Transport::WebSocket;
    assert_eq!(seen(&model), [(ws, 1, 1), (ws, 1, 3), (ws, 3, 3)]);
    assert_eq!(model.log().seen()[2].items(), fork.items[..3]);
}

#[tokio::test]
async fn a_line_that_heard_something_else_is_not_gone_on_from() {
    let model = counting().await;
    let backends = at(&model, SOCKETS);
    let mut talk = Talk::with(&backends);
    talk.turn_as("hello", "resp_a").await;
    talk.items = vec![Item::user("a summary of what was said")];
    talk.turn_as("go on", "resp_b").await;
    assert_eq!(seen(&model)[1], (Transport::WebSocket, 2, 2));
    assert_eq!(model.log().seen()[1].items(), talk.items[..2]);
}

#[tokio::test]
async fn nothing_waits_where_the_server_remembers_nothing() {
    let model = counting().await;
    let backends = at(&model, "");
    let mut talk = Talk::with(&backends);
    talk.turn_as("hello", "resp_a").await;
    talk.turn_as("go on", "resp_b").await;
    assert_eq!(seen(&model), [(Transport::Http, 1, 1), (Transport::Http, 3, 3)]);
    assert_eq!(backends.parked(), 0);
}

#[tokio::test]
async fn a_line_whose_socket_is_lost_while_it_waits_is_let_go() {
    let model = counting().await;
    let backends = at(&model, SOCKETS);
    let mut talk = Talk::with(&backends);
    talk.turn_as("hello", "resp_a").await;
    assert_eq!(backends.parked(), 1);
    let port = model.address().port();
    model.stop().await;
    let again = FakeModel::respond_with(|_| Turn::new().message("hi")).start_on(port).await.unwrap();
    talk.turn_as("go on", "resp_b").await;
    assert_eq!(seen(&again), [(Transport::WebSocket, 3, 3)], "all of it is said again");
}

#[tokio::test]
async fn one_answer_without_tools_is_not_worth_a_socket() {
    let model = counting().await;
    let backends = at(&model, "supports_websockets = true");
    let mut talk = Talk::asking(&backends, r#"{"model":"gpt"}"#);
    talk.turn_as("hello", "resp_a").await;
    assert_eq!(seen(&model), [(Transport::Http, 1, 1)]);
}

#[tokio::test]
async fn a_cut_before_the_first_item_is_asked_again_in_silence() {
    for table in ["", SOCKETS] {
        let model = faulty(On::Request(1), Fault::CutAfterFrames(2)).await;
        let backends = at(&model, table);
        let turned = Talk::with(&backends).turn("hello").await;
        let created = turned.events.iter().filter(|kind| *kind == "response.created").count();
        assert_eq!((created, seen(&model).len()), (1, 2), "{table:?}");
        assert!(turned.end.is_ok_and(|response| response.output().len() == 1), "{table:?}");
    }
}

#[tokio::test]
async fn a_cut_after_the_first_word_of_an_item_is_a_failure_of_the_backend() {
    for table in ["", SOCKETS] {
        let model = faulty(On::EveryRequest, Fault::CutAfterFrames(4)).await;
        let backends = at(&model, table);
        let turned = Talk::with(&backends).turn("hello").await;
        assert!(turned.events.contains(&"response.output_item.added".to_owned()), "{:?}", turned.events);
        let error = failed(turned);
        assert_eq!((error.status, error.code.as_deref()), (Some(502), Some("backend_broke_off")), "{table:?}");
        assert!(error.message.contains("east") && !error.message.contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn what_the_request_is_refused_for_is_told_in_the_servers_words() {
    for (refusal, status, code) in [
        (Refusal::new(400, "context_length_exceeded", "too long"), 400, "context_length_exceeded"),
        (Refusal::new(404, "model_not_found", "no such model"), 404, "model_not_found"),
        (Refusal::new(429, "insufficient_quota", "no credit"), 429, "insufficient_quota"),
    ] {
        let model = model(Turn::new().error(refusal.clone())).await;
        let error = failed(Talk::with(&at(&model, "")).turn("hello").await);
        assert_eq!((error.status, error.code.as_deref()), (Some(status), Some(code)));
        assert_eq!(*error.message, *refusal.message);
        assert_eq!(seen(&model).len(), 1, "it is not asked again");
    }
}

#[tokio::test]
async fn a_limit_is_told_with_the_time_to_wait() {
    let model = model(Turn::new().error(Refusal::new(429, "rate_limit_exceeded", "later").retry_after(30))).await;
    for table in ["", SOCKETS] {
        let error = failed(Talk::with(&at(&model, table)).turn("hello").await);
        assert_eq!((error.status, error.wait), (Some(429), Some(Duration::from_secs(30))), "{table:?}");
        assert!(may_fail_over(&error));
    }
}

#[tokio::test]
async fn a_response_that_fails_is_a_failure_and_no_event() {
    let model = model(Turn::new().failed("invalid_prompt", "not this")).await;
    let turned = Talk::with(&at(&model, "")).turn("hello").await;
    assert!(!turned.events.iter().any(|kind| kind == "response.failed" || kind == "error"), "{:?}", turned.events);
    let error = failed(turned);
    assert_eq!((error.status, error.code.as_deref()), (Some(400), Some("invalid_prompt")));
}

#[tokio::test]
async fn a_key_that_is_refused_is_nothing_the_client_could_mend() {
    let model = FakeModel::respond_with(|_| Turn::new()).with_key("sk-planted-9").start_loopback().await.unwrap();
    let error = failed(Talk::with(&at(&model, "")).turn("hello").await);
    assert_eq!((error.status, error.code.as_deref()), (Some(502), Some("backend_auth")));
    assert!(may_fail_over(&error));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_given_up_soon() {
    let model = counting().await;
    let backends = at(&model, "");
    model.stop().await;
    let error = failed(Talk::with(&backends).turn("hello").await);
    assert_eq!((error.status, error.code.as_deref()), (Some(503), Some("backend_unavailable")));
    assert!(!error.message.contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_run_that_is_dropped_stops_the_server() {
    for table in ["", SOCKETS] {
        let model = model(Turn::new().message("hello").silence()).await;
        let backends = at(&model, table);
        let mut source = Talk::with(&backends).ask("hello").await;
        assert!(matches!(next(&mut source).await, Said::Event(_)));
        let connection = model.log().seen()[0].connection;
        drop(source);
        let gone = |log: &testkit::Log| log.on_connection(connection).contains(&Happened::Gone);
        tokio::time::timeout(PATIENCE, model.log().until(gone)).await.expect("the server is left");
    }
}

#[tokio::test]
async fn a_server_is_heard_to_the_end_though_nobody_has_room_for_what_it_says() {
    let model = model(Turn::new().message("word ".repeat(2000))).await;
    let backends = at(&model, SOCKETS);
    let mut source = Talk::with(&backends).ask("hello").await;
    let heard = std::future::poll_fn(|cx| {
        let Poll::Pending = std::pin::pin!(source.keep_up()).poll(cx);
        let Source::Upstream(upstream) = &source else { panic!("it is at a server") };
        if upstream.is_heard() { Poll::Ready(()) } else { Poll::Pending }
    });
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
    model.stop().await;
    let turned = listen(source).await;
    assert!(turned.events.len() > 1000 && turned.end.is_ok(), "{} events", turned.events.len());
}

#[tokio::test]
async fn but_not_without_end() {
    let model = model(Turn::new().message("word ".repeat(900_000)).pace(1 << 16, Duration::ZERO)).await;
    let backends = at(&model, "");
    let mut source = Talk::with(&backends).ask("hello").await;
    let heard = std::future::poll_fn(|cx| {
        let Poll::Pending = std::pin::pin!(source.keep_up()).poll(cx);
        let Source::Upstream(upstream) = &source else { panic!("it is at a server") };
        if upstream.is_full() { Poll::Ready(()) } else { Poll::Pending }
    });
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
    assert!(matches!(&source, Source::Upstream(upstream) if !upstream.is_heard()));
    assert!(listen(source).await.end.is_ok(), "the rest comes when there is room");
}

#[tokio::test]
async fn a_steer_ends_a_response_where_the_server_takes_steers() {
    let model = model(Turn::new().message("hello").silence()).await;
    let backends = at(&model, &format!("{SOCKETS}\nsupports_steering = true"));
    assert!(candidate(&backends, "east/m").await.steers());
    let mut source = Talk::with(&backends).ask("hello").await;
    assert!(matches!(next(&mut source).await, Said::Event(_)));
    assert!(source.end_early());
    let end = loop {
        match next(&mut source).await {
            Said::Event(_) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Said::Steered), "{end:?}");
}

#[tokio::test]
async fn elsewhere_it_is_not_taken() {
    let model = model(Turn::new().message("hello").silence()).await;
    let backends = at(&model, SOCKETS);
    assert!(!candidate(&backends, "east/m").await.steers());
    let mut source = Talk::with(&backends).ask("hello").await;
    assert!(matches!(next(&mut source).await, Said::Event(_)));
    assert!(!source.end_early());
}

#[tokio::test]
async fn a_call_without_an_output_is_the_clients_fault() {
    let model = counting().await;
    let backends = at(&model, "");
    let call = Item::parse(r#"{"type":"function_call","call_id":"call_7","name":"do","arguments":"{}"}"#).unwrap();
    let source = Talk::with(&backends).ask_with(vec![Item::user("do"), call]).await;
    let error = failed(listen(source).await);
    assert_eq!((error.status, error.param.as_deref()), (Some(400), Some("input")));
    assert!(error.message.contains("call_7") && !may_fail_over(&error), "{error}");
    assert_eq!(seen(&model).len(), 0);
}

#[tokio::test]
async fn the_server_is_told_what_is_its_business() {
    let model = counting().await;
    let backends = at(&model, SOCKETS);
    let request = r#"{"model":"alias","stream":true,"background":true,"stream_id":"lane","temperature":0.5,"store":false,
        "context_management":[{"type":"compaction"}],"client_metadata":{"installation":"planted"},"tools":[{"type":"function","name":"do"}]}"#;
    let mut talk = Talk::asking(&backends, request);
    talk.turn_as("hello", "resp_a").await;
    talk.turn_as("go on", "resp_b").await;
    let frames = model.log().frames();
    assert!(frames.iter().all(|frame| frame.contains(r#""model":"m""#) && frame.contains(r#""temperature":0.5"#)));
    for never in ["alias", "planted", "background", r#""lane""#, "context_management", "resp_a"] {
        assert!(!frames.iter().any(|frame| frame.contains(never)), "{never}: {frames:?}");
    }
    let keys = model.log().seen().into_iter().map(|seen| seen.request.service.prompt_cache_key.clone());
    let keys: Vec<_> = keys.collect();
    assert!(keys[0].is_some() && keys[0] == keys[1], "the same for all turns of a chain: {keys:?}");
}

#[tokio::test]
async fn a_server_of_chat_completions_answers_in_the_words_of_responses() {
    let chunk = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}"#;
    let model = ChatModel::scripted([[chunk]]).start_loopback().await.unwrap();
    let backends = backends(&settings(&east(&model.base_url(), "wire_api = \"chat\"")));
    let turned = Talk::with(&backends).turn("hi").await;
    assert_eq!(turned.events.first().map(String::as_str), Some("response.created"));
    let response = turned.end.unwrap();
    assert!(response.output()[0].text().contains("hello"), "{response:?}");
    let posts: Vec<_> = model.requests().into_iter().filter(|request| request.method == "POST").collect();
    assert!(posts.len() == 1 && posts[0].body.contains(r#""model":"m""#), "{posts:?}");
}
