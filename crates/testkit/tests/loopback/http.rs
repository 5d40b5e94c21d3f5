//! Over HTTP: streamed and whole, stored and looked up.

use responses::chain::Transport;
use responses::item::Item;
use responses::json::Object;
use testkit::{FakeModel, Refusal, Script, Turn};

use crate::support::{body, events, fold, hello, said, scripted, send, stream, user};

#[tokio::test]
async fn a_streamed_turn_is_the_whole_response_event_by_event() {
    let model = hello().await;
    let (texts, whole) = stream(&model, &user("hi")).await;
    assert!(whole);
    assert_eq!(said(&fold(&texts)), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn the_stream_names_its_events_and_says_when_it_is_done() {
    let model = hello().await;
    let response = send(&model, "POST", "/responses", r#"{"stream":true,"input":"hi"}"#).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    let (text, _) = body(response).await;
    assert!(text.starts_with("event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,"));
    assert!(text.ends_with("\n\ndata: [DONE]\n\n"));
    model.stop().await;
}

#[tokio::test]
async fn a_whole_turn_is_the_fold_of_the_streamed_one() {
    let script = || Script::new([Turn::new().reasoning("hm", "sealed").function_call("f", "{}")]);
    let (streamed, whole) = (
        FakeModel::scripted(script()).start_loopback().await.unwrap(),
        FakeModel::scripted(script()).start_loopback().await.unwrap(),
    );
    let (texts, _) = stream(&streamed, r#","input":"hi""#).await;
    let response = send(&whole, "POST", "/v1/responses", r#"{"model":"m","input":"hi"}"#).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(body(response).await.0, fold(&texts).json().text());
    streamed.stop().await;
    whole.stop().await;
}

#[tokio::test]
async fn a_stored_response_can_be_continued_and_looked_up() {
    let model = hello().await;
    let (first, _) = stream(&model, &user("one")).await;
    let first = fold(&first);
    let (second, _) = stream(&model, &format!(r#","previous_response_id":"{}"{}"#, first.id(), user("two"))).await;
    let seen = model.log().seen();
    let expected = [Item::user("one"), first.output()[0].clone(), Item::user("two")];
    assert_eq!(seen[1].items(), expected);
    assert_eq!((seen[1].transport, seen[1].new_items), (Transport::Http, 1));
    assert_eq!(seen[1].response, *fold(&second).id());
    let found = send(&model, "GET", &format!("/v1/responses/{}", first.id()), "").await;
    assert_eq!(body(found).await.0, first.json().text());
    model.stop().await;
}

#[tokio::test]
async fn what_is_not_stored_cannot_be_continued() {
    let model = hello().await;
    let (first, _) = stream(&model, r#","store":false,"input":"one""#).await;
    let id = fold(&first).id().clone();
    let request = format!(r#"{{"previous_response_id":"{id}","input":"two"}}"#);
    let refused = send(&model, "POST", "/v1/responses", &request).await;
    assert_eq!(refused.status(), 400);
    assert!(body(refused).await.0.contains("previous_response_not_found"));
    assert_eq!(send(&model, "GET", &format!("/v1/responses/{id}"), "").await.status(), 404);
    assert_eq!(model.log().seen().len(), 1);
    model.stop().await;
}

#[tokio::test]
async fn a_prewarm_takes_no_turn() {
    let model = scripted([Turn::new().message("only once")]).await;
    let (texts, _) = stream(&model, r#","prompt_cache_options":{"prewarm":true},"input":"hi""#).await;
    assert!(fold(&texts).output().is_empty());
    let (texts, _) = stream(&model, r#","input":"hi""#).await;
    assert_eq!(said(&fold(&texts)), "only once");
    model.stop().await;
}

#[tokio::test]
async fn a_script_without_turns_left_says_so() {
    let model = scripted([]).await;
    let refused = send(&model, "POST", "/v1/responses", r#"{"stream":true,"input":"hi"}"#).await;
    assert_eq!(refused.status(), 400);
    assert!(body(refused).await.0.contains("script_exhausted"));
    model.stop().await;
}

#[tokio::test]
async fn a_turn_that_is_only_an_error_has_its_status_and_hints() {
    let model = scripted([Turn::new().error(Refusal::new(429, "rate_limit_exceeded", "later").retry_after(7))]).await;
    let refused = send(&model, "POST", "/v1/responses", r#"{"stream":true,"input":"hi"}"#).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].as_bytes()), (429, &b"7"[..]));
    let (text, _) = body(refused).await;
    assert_eq!(
        text,
        r#"{"error":{"message":"later","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#
    );
    model.stop().await;
}

#[tokio::test]
async fn models_come_in_the_shape_the_client_reads() {
    let model = hello().await;
    let public = send(&model, "GET", "/v1/models", "").await;
    assert!(public.headers().get("etag").is_none());
    assert!(Object::parse(&body(public).await.0).unwrap().get("data").is_some());
    let codex = send(&model, "GET", "/models?client_version=0.169.0", "").await;
    assert!(codex.headers().get("etag").is_some());
    assert!(Object::parse(&body(codex).await.0).unwrap().get("models").is_some());
    model.stop().await;
}

#[tokio::test]
async fn nonsense_is_refused_and_points_at_the_field() {
    let model = hello().await;
    for (request, field) in [("{", "null"), (r#"{"input":7}"#, "input"), (r#"{"background":true}"#, "background")] {
        let refused = send(&model, "POST", "/v1/responses", request).await;
        assert_eq!(refused.status(), 400);
        let (text, _) = body(refused).await;
        assert!(
            text.contains(&format!(
                "\"param\":{}",
                if field == "null" { "null".into() } else { format!("\"{field}\"") }
            )),
            "{text}"
        );
    }
    assert_eq!(send(&model, "POST", "/v1/embeddings", "{}").await.status(), 404);
    assert!(events("").is_empty());
    model.stop().await;
}
