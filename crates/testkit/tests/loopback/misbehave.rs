//! Each fault by name does what its name says.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use testkit::{Fault, FaultPlan, Happened, On, Refusal};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{
    Ended, Socket, after, body, create, events, fold, misbehaving, nothing_from, said, send, soon, stream, user,
    with_fault,
};

#[tokio::test]
async fn an_upgrade_is_refused_with_a_status_and_a_hint_and_the_next_is_not() {
    let model = with_fault(On::Connection(1), Fault::RefuseUpgrade { status: 426, retry_after: Some(9) }).await;
    let Err(Error::Http(response)) = Socket::try_open(&model).await else { panic!() };
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].as_bytes()), (426, &b"9"[..]));
    assert_eq!(said(&Socket::open(&model).await.ask(&create(&user("hi"))).await), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn an_upgrade_is_never_answered() {
    let model = with_fault(On::EveryConnection, Fault::HangUpgrade).await;
    assert!(nothing_from(Socket::try_open(&model)).await);
    let (texts, _) = stream(&model, &user("over http it answers")).await;
    assert_eq!(said(&fold(&texts)), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn a_silent_server_still_answers_pings() {
    let model = with_fault(On::Connection(1), Fault::SilentAfter(2)).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    assert!(socket.next().await.unwrap().contains("response.created"));
    assert!(socket.next().await.unwrap().contains("response.in_progress"));
    socket.0.send(Message::Ping(vec![1].into())).await.unwrap();
    assert_eq!(soon(socket.0.next()).await.unwrap().unwrap(), Message::Pong(vec![1].into()));
    assert!(nothing_from(socket.next()).await);
    model.stop().await;
}

#[tokio::test]
async fn a_half_open_line_neither_speaks_nor_hears_nor_closes() {
    let model = with_fault(On::Connection(1), Fault::HalfOpenAfter(3)).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    for _ in 0..3 {
        socket.next().await.unwrap();
    }
    socket.0.send(Message::Ping(vec![1].into())).await.unwrap();
    assert!(nothing_from(socket.0.next()).await);
    assert!(!model.log().on_connection(1).contains(&Happened::Ping));
    model.stop().await;
}

#[tokio::test]
async fn a_stream_falls_silent_or_freezes_and_does_not_end() {
    let plan = FaultPlan::default()
        .on(On::Request(1), Fault::SilentAfter(2))
        .on(On::Request(2), Fault::HalfOpenAfter(2))
        .on(On::Request(3), Fault::SilentAfter(0));
    let model = misbehaving(plan).await;
    for expected in [2, 2, 0] {
        let request = r#"{"stream":true,"input":"hi"}"#;
        let mut body = send(&model, "POST", "/v1/responses", request).await.into_body();
        let mut text = String::new();
        while events(&text).len() < expected {
            let frame = soon(body.frame()).await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        assert!(nothing_from(body.frame()).await);
        assert_eq!(events(&text).len(), expected);
    }
    model.stop().await;
}

#[tokio::test]
async fn pings_go_unanswered_while_all_else_goes_on() {
    let model = with_fault(On::Connection(1), Fault::PingsUnanswered).await;
    let mut socket = Socket::open(&model).await;
    socket.0.send(Message::Ping(vec![1].into())).await.unwrap();
    socket.send(&create(&user("hi"))).await;
    let mut kinds = Vec::new();
    for _ in 0..9 {
        kinds.push(soon(socket.0.next()).await.unwrap().unwrap());
    }
    assert!(kinds.iter().all(Message::is_text), "{kinds:?}");
    assert!(model.log().on_connection(1).contains(&Happened::Ping));
    model.stop().await;
}

#[tokio::test]
async fn a_socket_is_closed_with_a_code_and_a_stream_just_ends() {
    let fault = || Fault::CloseAfter { frames: 2, code: 1012 };
    let model = with_fault(On::EveryRequest, fault()).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    let (texts, ended) = socket.rest().await;
    assert_eq!((texts.len(), ended), (2, Ended::Closed(Some(1012))));
    let (texts, whole) = stream(&model, &user("hi")).await;
    assert_eq!((texts.len(), whole), (2, true));
    model.stop().await;
}

#[tokio::test]
async fn a_large_message_closes_with_1009() {
    let model = with_fault(On::EveryConnection, Fault::LargestMessage(200)).await;
    let mut socket = Socket::open(&model).await;
    socket.ask(&create(&user("short"))).await;
    socket.send(&create(&user(&"long".repeat(50)))).await;
    assert_eq!(socket.rest().await, (vec![], Ended::Closed(Some(1009))));
    model.stop().await;
}

#[tokio::test]
async fn a_connection_is_too_old_at_its_limit() {
    let model = with_fault(On::Connection(1), Fault::AgeLimit(Duration::from_millis(10))).await;
    let mut socket = Socket::open(&model).await;
    assert_eq!(socket.rest().await.1, Ended::Closed(Some(1001)));
    Socket::open(&model).await.ask(&create(&user("hi"))).await;
    model.stop().await;
}

#[tokio::test]
async fn a_slow_reader_reads_all_in_the_end() {
    let fault = Fault::SlowReader { bytes: 64, pause: Duration::from_micros(100) };
    let model = with_fault(On::EveryConnection, fault).await;
    let long = "x".repeat(5_000);
    let mut socket = Socket::open(&model).await;
    socket.ask(&create(&user(&long))).await;
    stream(&model, &user(&long)).await;
    for seen in model.log().seen() {
        assert!(seen.items()[0].text().contains(&long));
    }
    model.stop().await;
}

#[tokio::test]
async fn a_frame_comes_twice() {
    let model = with_fault(On::EveryRequest, Fault::Duplicate(5)).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    let over_socket = socket.response().await;
    let (over_http, _) = stream(&model, &user("hi")).await;
    for texts in [over_socket, over_http] {
        assert_eq!(texts[4], texts[5]);
        assert_eq!(said(&fold(&texts)), "hello there");
    }
    model.stop().await;
}

#[tokio::test]
async fn a_frame_is_overtaken_by_the_next_even_by_the_last() {
    let plan =
        FaultPlan::default().on(On::EveryRequest, Fault::Swap(9)).on(On::EveryRequest, Fault::TerminalWithoutOutput);
    let model = misbehaving(plan).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    let mut over_socket = socket.response().await;
    over_socket.push(socket.next().await.unwrap());
    let (over_http, _) = stream(&model, &user("hi")).await;
    for texts in [over_socket, over_http] {
        assert!(texts[8].contains("response.completed") && texts[9].contains("output_item.done"), "{texts:?}");
        assert_eq!(said(&fold(&texts)), "hello there");
    }
    model.stop().await;
}

#[tokio::test]
async fn the_previous_response_is_forgotten_once_and_the_resend_takes_the_turn() {
    let model = with_fault(On::Request(2), Fault::ForgetPrevious).await;
    let mut socket = Socket::open(&model).await;
    let first = socket.ask(&create(&user("one"))).await;
    socket.send(&create(&(after(&first) + &user("two")))).await;
    assert!(socket.response().await[0].contains("previous_response_not_found"));
    assert_eq!(said(&socket.ask(&create(&user("one and two"))).await), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn an_error_comes_in_place_of_the_model() {
    let refusal = Refusal::new(503, "server_is_overloaded", "full").retry_after(1);
    let plan = FaultPlan::default()
        .on(On::Request(1), Fault::Refuse(refusal.clone()))
        .on(On::Request(2), Fault::Refuse(refusal))
        .on(On::Request(2), Fault::FlatErrors);
    let model = misbehaving(plan).await;
    let refused = send(&model, "POST", "/v1/responses", r#"{"input":"hi"}"#).await;
    assert_eq!(refused.status(), 503);
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    let texts = socket.response().await;
    assert!(texts[0].contains(r#""status":503,"code":"server_is_overloaded""#), "{texts:?}");
    assert_eq!(said(&socket.ask(&create(&user("hi"))).await), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn a_proxy_answers_with_a_page() {
    let model = with_fault(On::EveryRequest, Fault::HtmlError(502)).await;
    let refused = send(&model, "POST", "/v1/responses", r#"{"input":"hi"}"#).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["content-type"].as_bytes()), (502, &b"text/html"[..]));
    assert!(body(refused).await.0.starts_with("<html>"));
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    assert!(socket.response().await[0].contains(r#""status":502"#));
    model.stop().await;
}

#[tokio::test]
async fn a_stream_has_no_events() {
    let model = with_fault(On::EveryRequest, Fault::EmptyStream).await;
    assert_eq!(stream(&model, &user("hi")).await, (vec![], true));
    model.stop().await;
}

#[tokio::test]
async fn items_come_only_when_they_are_done_and_under_other_names() {
    let plan = FaultPlan::default().on(On::Request(1), Fault::ItemsOnlyDone).on(On::Request(2), Fault::RotatedIds);
    let model = misbehaving(plan).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    let texts = socket.response().await;
    assert_eq!((texts.len(), said(&fold(&texts))), (4, "hello there".to_owned()));
    socket.send(&create(&user("hi"))).await;
    let texts = socket.response().await;
    assert_eq!(texts.iter().filter(|text| text.contains("rotated_")).count(), 7);
    assert_eq!(said(&fold(&texts)), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn a_fault_that_cannot_happen_is_refused_at_the_start() {
    let plan = FaultPlan::default().on(On::Request(1), Fault::HangUpgrade);
    let model = testkit::FakeModel::respond_with(|_| testkit::Turn::new()).with_faults(plan);
    let error = model.start_loopback().await.unwrap_err();
    assert!(error.to_string().contains("only on connections"), "{error}");
}
