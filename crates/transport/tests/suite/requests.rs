//! What a request carries, and what is done with what comes back beside the answer.

use std::sync::Arc;
use std::time::Duration;

use responses::chain::{Failure, Fault as Fell, Mode, Notice, Outcome};
use responses::item::Item;
use testkit::{FakeModel, Fault, FaultPlan, On, Refusal, Turn};
use transport::Told;

use crate::memory::Place;
use crate::support::{PLANTED, Talk, answered};

const KEYED: &str = "supports_websockets = true\nsupports_lanes = true\nenv_key = \"PLANTED_KEY\"\n";

fn model() -> FakeModel {
    FakeModel::respond_with(|seen| Turn::new().message(format!("answer {}", seen.number)))
}

fn talk(place: &Place, mode: Mode) -> Talk {
    Talk::with(&place.client, mode).patiently()
}

#[tokio::test(start_paused = true)]
async fn the_key_goes_where_it_belongs_and_headers_and_parameters_with_it() {
    let table = format!(
        "{KEYED}query_params = {{ api-version = \"2026 x\" }}\nhttp_headers = {{ X-Team = \"red\" }}\n\
         env_http_headers = {{ X-Secret = \"PLANTED_KEY\", X-Absent = \"NOT_SET\" }}"
    );
    let place = Place::new(model().with_key(PLANTED), &table);
    for mode in [Mode::WebSocket, Mode::Http] {
        let outcome = talk(&place, mode).turn("hello").await;
        assert!(answered(&outcome), "{outcome:?}");
    }
    let requests = place.log.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.path, "/v1/responses?api-version=2026%20x");
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {PLANTED}")));
        assert_eq!((request.header("x-team"), request.header("x-secret")), (Some("red"), Some(PLANTED)));
        assert_eq!(request.header("x-absent"), None);
        assert!(request.header("user-agent").unwrap().starts_with("capstan/"));
    }
}

#[tokio::test]
async fn a_key_that_was_renewed_is_used_by_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "old\n").unwrap();
    let model = model().with_key("old").start_loopback().await.unwrap();
    let table = format!("supports_websockets = true\nkey_file = {:?}", file.to_str().unwrap());
    let client = crate::support::client(&model.base_url(), &table);
    let mut over_http = Talk::with(&client, Mode::Http);
    assert!(answered(&over_http.turn("one").await));
    model.accept_key("new");
    std::fs::write(&file, "new\n").unwrap();
    assert!(answered(&over_http.turn("two").await));
    assert!(answered(&Talk::with(&client, Mode::WebSocket).turn("three").await));
    model.accept_key("other");
    let outcome = over_http.turn("four").await;
    let Outcome::Failed(Failure::Refused(error)) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(error.status, Some(401));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_there_is_named_and_nothing_is_sent() {
    let place = Place::new(model(), "supports_websockets = true\nenv_key = \"NOT_SET\"");
    for mode in [Mode::Auto, Mode::WebSocket, Mode::Http] {
        let outcome = talk(&place, mode).turn("hello").await;
        let Outcome::Failed(failure) = &outcome else { panic!("{outcome:?}") };
        assert!(failure.to_string().contains("set NOT_SET"), "{failure}");
    }
    assert_eq!(place.log.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn turn_state_is_said_again_within_a_turn_and_in_no_other() {
    let model = FakeModel::respond_with(|seen| {
        let turn = Turn::new().message(format!("answer {}", seen.number));
        if seen.number % 2 == 1 { turn.function_call("do", "{}") } else { turn }
    });
    let place = Place::new(model.with_header("x-codex-turn-state", PLANTED), "");
    let mut talk = talk(&place, Mode::Http);
    for _ in 0..2 {
        let outcome = talk.turn("do it").await;
        let Outcome::Answered(response) = &outcome else { panic!("{outcome:?}") };
        let call = response.output().iter().find_map(Item::call).unwrap();
        assert!(answered(&talk.turn_with(vec![Item::function_output(&call, "done")]).await));
    }
    let states: Vec<bool> =
        place.log.requests().iter().map(|request| request.header("x-codex-turn-state") == Some(PLANTED)).collect();
    assert_eq!(states, [false, true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn turn_state_told_by_event_is_said_again_over_the_socket() {
    let metadata = r#"{"type":"response.metadata","headers":{"x-codex-turn-state":"state-7"}}"#;
    let model = FakeModel::respond_with(move |seen| {
        let turn = Turn::new().event(responses::json::Json::parse(metadata).unwrap());
        if seen.number % 2 == 1 { turn.function_call("do", "{}") } else { turn.message("done") }
    });
    let place = Place::new(model, "supports_websockets = true");
    let mut talk = talk(&place, Mode::WebSocket);
    for _ in 0..2 {
        let outcome = talk.turn("do it").await;
        let Outcome::Answered(response) = &outcome else { panic!("{outcome:?}") };
        let call = response.output().iter().find_map(Item::call).unwrap();
        assert!(answered(&talk.turn_with(vec![Item::function_output(&call, "done")]).await));
    }
    let said: Vec<bool> = place.log.frames().iter().map(|frame| frame.contains("state-7")).collect();
    assert_eq!(said, [false, true, false, true]);
    assert_eq!(talk.sent().last().unwrap().1, 1, "it costs no full send");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_compressed_where_the_provider_takes_it_and_they_are_large() {
    let place = Place::new(model(), "supports_zstd = true");
    let mut talk = talk(&place, Mode::Http);
    assert!(answered(&talk.turn("short").await));
    assert!(answered(&talk.turn(&"a long story ".repeat(10_000)).await));
    let requests = place.log.requests();
    let facts: Vec<(bool, bool)> = requests.iter().map(|one| (one.is_compressed(), one.wire_bytes < 10_000)).collect();
    assert_eq!(facts, [(false, true), (true, true)]);
    assert!(requests[1].body.len() > 100_000, "what the server unpacks is the whole");
}

#[tokio::test(start_paused = true)]
async fn limits_and_ids_told_beside_the_answer_are_data() {
    let model = model()
        .with_header("x-ratelimit-remaining-requests", "41")
        .with_header("x-ratelimit-reset-requests", "6m0s")
        .with_header("openai-model", "m-2026");
    let place = Place::new(model, "supports_websockets = true");
    for mode in [Mode::WebSocket, Mode::Http] {
        let mut talk = talk(&place, mode);
        assert!(answered(&talk.turn("hello").await));
        let Some(Told::Head(head)) = talk.heard.iter().find(|told| matches!(told, Told::Head(_))) else {
            panic!("{mode:?}: nothing was told");
        };
        let requests = head.rate_limits.requests.as_ref().unwrap();
        assert_eq!((requests.remaining, requests.reset_after), (Some(41), Some(Duration::from_mins(6))));
        assert_eq!(head.model.as_deref(), Some("m-2026"));
        assert!(head.request_id.as_deref().is_some_and(|id| id.starts_with("req_")), "{head:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_told_by_event_are_data() {
    let event = r#"{"type":"codex.rate_limits","plan_type":"pro","rate_limits":{"primary":{"used_percent":42.5}}}"#;
    let model = FakeModel::respond_with(move |_| {
        Turn::new().event(responses::json::Json::parse(event).unwrap()).message("hello")
    });
    let place = Place::new(model, "supports_websockets = true");
    for mode in [Mode::WebSocket, Mode::Http] {
        let mut talk = talk(&place, mode);
        assert!(answered(&talk.turn("hello").await));
        let Some(Told::RateLimits(limits)) = talk.heard.iter().find(|told| matches!(told, Told::RateLimits(_))) else {
            panic!("{mode:?}: nothing was told");
        };
        let used = limits.plans[0].primary.as_ref().unwrap().used_percent;
        assert!((used - 42.5).abs() < f64::EPSILON);
    }
}

#[tokio::test(start_paused = true)]
async fn every_error_has_the_id_of_its_request() {
    let refusals = [Refusal::new(400, "invalid_value", "no"), Refusal::new(500, "server_error", "oops")];
    for refusal in refusals {
        for mode in [Mode::WebSocket, Mode::Http] {
            let plan = FaultPlan::default().on(On::EveryRequest, Fault::Refuse(refusal.clone()));
            let place = Place::new(
                model().with_faults(plan).with_header("x-request-id", "req-7"),
                "supports_websockets = true",
            );
            let mut talk = talk(&place, mode);
            let outcome = talk.turn("hello").await;
            assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
            let errors = talk.notices().filter_map(|notice| match notice {
                Notice::Waiting { fault: Fell::Api(error), .. }
                | Notice::Dropped { fault: Fell::Api(error), .. }
                | Notice::Ended { outcome: Outcome::Failed(Failure::Refused(error)), .. }
                | Notice::Ended { outcome: Outcome::Failed(Failure::GaveUp(Fell::Api(error))), .. } => Some(error),
                _ => None,
            });
            let ids: Vec<_> = errors.map(|error| error.request_id.as_deref()).collect();
            assert!(!ids.is_empty() && ids.iter().all(|id| *id == Some("req-7")), "{mode:?}: {ids:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn service_tier_and_cache_key_go_out_unless_the_request_says_otherwise() {
    let place = Place::new(model(), "supports_websockets = true\nservice_tier = \"flex\"");
    let request = |text: &str| responses::request::Request::parse(text).unwrap();
    let mine = place.client.settings(request(r#"{"model":"m","store":false}"#), "session-1");
    let own = place.client.settings(
        request(r#"{"model":"m","store":false,"service_tier":"priority","prompt_cache_key":"mine"}"#),
        "session-1",
    );
    let mut talk = talk(&place, Mode::Http);
    for settings in [mine, own] {
        talk.conversation.submit(vec![Item::user("hello")], Arc::clone(&settings)).await.unwrap().unwrap();
        assert!(answered(&talk.ended().await));
    }
    let bodies: Vec<String> = place.log.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies[0].contains(r#""service_tier":"flex""#) && bodies[0].contains(r#""prompt_cache_key":"session-1""#));
    assert!(bodies[1].contains(r#""service_tier":"priority""#) && bodies[1].contains(r#""prompt_cache_key":"mine""#));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_page_is_an_error_that_says_so() {
    let plan = FaultPlan::default().on(On::EveryRequest, Fault::HtmlError(502));
    let place = Place::new(model().with_faults(plan), "");
    let outcome = talk(&place, Mode::Http).turn("hello").await;
    let Outcome::Failed(failure) = &outcome else { panic!("{outcome:?}") };
    assert!(failure.to_string().starts_with("gave up: a web page in place of an answer"), "{failure}");
    assert!(!failure.to_string().contains('<'), "{failure}");
}
