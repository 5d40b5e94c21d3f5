//! A line that breaks, at every place there is.

use testkit::{Fault, FaultPlan, On};

use crate::support::{Ended, Socket, body, create, events, misbehaving, send, try_send, user, with_fault};

/// The text messages of one undisturbed response.
const MESSAGES: usize = 10;

#[tokio::test]
async fn a_socket_breaks_after_any_number_of_frames() {
    for frames in 0..=MESSAGES {
        let model = with_fault(On::Connection(1), Fault::CutAfterFrames(frames)).await;
        let mut socket = Socket::open(&model).await;
        if frames > 0 {
            socket.send(&create(&user("hi"))).await;
        }
        let (texts, ended) = socket.rest().await;
        assert_eq!((texts.len(), ended), (frames, Ended::Broke));
        model.stop().await;
    }
}

#[tokio::test]
async fn a_stream_breaks_after_any_number_of_events() {
    for frames in 0..MESSAGES {
        let model = with_fault(On::Request(1), Fault::CutAfterFrames(frames)).await;
        let response = send(&model, "POST", "/v1/responses", r#"{"stream":true,"input":"hi"}"#).await;
        let (text, whole) = body(response).await;
        assert_eq!((events(&text).len(), whole), (frames, false));
        model.stop().await;
    }
}

#[tokio::test]
async fn the_second_request_of_a_socket_breaks_and_not_the_first() {
    let model = with_fault(On::Request(2), Fault::CutAfterFrames(3)).await;
    let mut socket = Socket::open(&model).await;
    socket.ask(&create(&user("one"))).await;
    socket.send(&create(&user("two"))).await;
    assert_eq!(socket.rest().await.0.len(), 3);
    Socket::open(&model).await.ask(&create(&user("three"))).await;
    model.stop().await;
}

#[tokio::test]
async fn the_fault_of_a_request_that_ended_before_does_not_touch_the_next() {
    let plan = FaultPlan::default()
        .on(On::Request(1), Fault::CutAfterFrames(MESSAGES + 3))
        .on(On::Request(2), Fault::SilentAfter(MESSAGES));
    let model = misbehaving(plan).await;
    let mut socket = Socket::open(&model).await;
    for _ in 0..3 {
        socket.ask(&create(&user("hi"))).await;
    }
    model.stop().await;
}

#[tokio::test]
async fn a_line_breaks_in_the_middle_of_a_message() {
    let model = with_fault(On::EveryRequest, Fault::CutInFrame(2)).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("hi"))).await;
    let (texts, ended) = socket.rest().await;
    assert_eq!((texts.len(), ended), (2, Ended::Broke));
    let response = send(&model, "POST", "/v1/responses", r#"{"stream":true,"input":"hi"}"#).await;
    let (text, whole) = body(response).await;
    assert_eq!((events(&text).len(), whole), (2, false));
    let last = text.rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: res") && !last.contains('\n'), "{last:?}");
    model.stop().await;
}

#[tokio::test]
async fn a_line_breaks_after_any_number_of_bytes() {
    for bytes in (0..2_000).step_by(61) {
        let model = with_fault(On::EveryConnection, Fault::CutAfterBytes(bytes)).await;
        if let Ok(mut socket) = Socket::try_open(&model).await {
            socket.send(&create(&user("hi"))).await;
            let (texts, ended) = socket.rest().await;
            let sent: usize = texts.iter().map(String::len).sum();
            assert!(sent as u64 <= bytes, "{sent} of {bytes}");
            assert_eq!(ended, Ended::Broke);
        }
        if let Ok(response) = try_send(&model, "POST", "/v1/responses", r#"{"stream":true,"input":"hi"}"#).await {
            let (text, whole) = body(response).await;
            assert!(text.len() as u64 <= bytes && !whole);
        }
        model.stop().await;
    }
}

#[tokio::test]
async fn every_connection_can_break_and_each_is_numbered() {
    let plan = FaultPlan::default()
        .on(On::Connection(1), Fault::CutAfterFrames(1))
        .on(On::Connection(2), Fault::CutAfterFrames(2));
    let model = misbehaving(plan).await;
    for expected in [1, 2] {
        let mut socket = Socket::open(&model).await;
        socket.send(&create(&user("hi"))).await;
        assert_eq!(socket.rest().await.0.len(), expected);
    }
    Socket::open(&model).await.ask(&create(&user("hi"))).await;
    model.stop().await;
}
