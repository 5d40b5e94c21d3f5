//! Streaming, not streaming, background, the same key twice: one response, seen in many ways.

use hyper::Method;

use crate::support::{Running, events, of, quoted, said, text_of, whole};

#[tokio::test]
async fn a_folded_answer_is_the_last_event_of_the_streamed_one() {
    let gateway = Running::start();
    let body = r#"{"model":"scripted","input":"think hard\nsay hello\ncall f {\"a\":1}","stream":true}"#;
    let reply = gateway.send(Method::POST, "/v1/responses", &[], body).await;
    assert_eq!(reply.headers()["content-type"], "text/event-stream; charset=utf-8");
    let events = events(&whole(reply).await);
    let last: responses::json::Json = of(events.last().unwrap(), "response");
    let id = text_of(last.text(), "id");
    let (status, retrieved) = gateway.get(&format!("/v1/responses/{id}")).await;
    assert_eq!((status.as_u16(), retrieved.as_str()), (200, last.text()));
    let kinds: Vec<String> = responses::json::elements(of::<responses::json::Json>(last.text(), "output").text())
        .unwrap()
        .into_iter()
        .map(|item| text_of(item, "type"))
        .collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_chain_is_the_same_over_http_and_over_a_socket() {
    let gateway = Running::start();
    let first = gateway.create(r#""input":"my name is Ada""#).await;
    let mut socket = gateway.socket().await;
    let id = text_of(&first, "id");
    let second = socket.made(&format!(r#""input":"my dog is Bo","previous_response_id":"{id}""#)).await;
    let id = text_of(&second, "id");
    let third = gateway.create(&format!(r#""input":"recall","previous_response_id":"{id}""#)).await;
    assert_eq!(said(&third), "my name is Ada\nmy dog is Bo");
    let other = socket.made(&format!(r#""input":"recall","previous_response_id":"{}""#, text_of(&first, "id"))).await;
    assert_eq!(said(&other), "my name is Ada", "a fork knows nothing of the other branch");
    gateway.stop().await;
}

#[tokio::test]
async fn the_same_key_twice_is_one_generation_and_one_answer() {
    let gateway = Running::start();
    let body = r#"{"model":"scripted","input":"say once","store":false}"#;
    let ask = async |key: &str, body: &str| {
        let reply = gateway.send(Method::POST, "/v1/responses", &[("idempotency-key", key)], body).await;
        (reply.status().as_u16(), whole(reply).await)
    };
    let (first, again, other) = (ask("k", body).await, ask("k", body).await, ask("l", body).await);
    assert_eq!(first, again);
    assert_ne!(text_of(&first.1, "id"), text_of(&other.1, "id"));
    let (status, text) = ask("k", &body.replace("once", "twice")).await;
    assert_eq!((status, text_of(&text, "error.code")), (422, "idempotency_key_reused".into()));
    // Over a socket there are no headers: the key is a field.
    let mut socket = gateway.socket().await;
    let first = socket.made(r#""input":"say here","idempotency_key":"s""#).await;
    let again = socket.made(r#""input":"say here","idempotency_key":"s""#).await;
    assert_eq!(first, again);
    gateway.stop().await;
}

#[tokio::test]
async fn a_background_response_is_polled_listened_to_and_cancelled() {
    let gateway = Running::start();
    let begun = gateway.create(r#""input":"say a\npause 60000\nsay b","background":true"#).await;
    assert!(["queued", "in_progress"].contains(&&*text_of(&begun, "status")), "{begun}");
    let id = text_of(&begun, "id");
    let (status, text) = gateway.ask(Method::POST, &format!("/v1/responses/{id}/cancel"), "").await;
    assert_eq!((status.as_u16(), text_of(&text, "status")), (200, "cancelled".into()), "{text}");
    let (_, again) = gateway.ask(Method::POST, &format!("/v1/responses/{id}/cancel"), "").await;
    assert_eq!(again, text, "to cancel twice is to cancel once");
    let stream = events(&gateway.get(&format!("/v1/responses/{id}?stream=true")).await.1);
    let kinds: Vec<String> = stream.iter().map(|event| text_of(event, "type")).collect();
    assert_eq!(kinds[..2], ["response.created", "response.queued"]);
    assert_eq!(kinds.last().unwrap(), "response.incomplete");
    gateway.stop().await;
}

#[tokio::test]
async fn input_items_are_listed_page_by_page() {
    let gateway = Running::start();
    let items: Vec<String> = (0..45).map(|n| format!(r#"{{"role":"user","content":"m{n}"}}"#)).collect();
    let made = gateway.create(&format!(r#""input":[{}]"#, items.join(","))).await;
    let id = text_of(&made, "id");
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let (status, page) =
            gateway.get(&format!("/v1/responses/{id}/input_items?limit=20&order=asc&after={after}")).await;
        assert_eq!(status, 200, "{page}");
        let data: Vec<responses::json::Json> = of(&page, "data");
        seen.extend(data.iter().map(|item| text_of(item.text(), "content.0.text")));
        after = text_of(&page, "last_id");
        if !of::<bool>(&page, "has_more") {
            break;
        }
    }
    assert_eq!(seen, (0..45).map(|n| format!("m{n}")).collect::<Vec<_>>());
    gateway.stop().await;
}

#[tokio::test]
async fn a_conversation_is_compacted_in_all_three_ways_and_its_facts_survive() {
    let gateway = Running::start();
    let first = gateway.create(r#""input":"the code is 4711""#).await;
    let id = text_of(&first, "id");
    // By the endpoint.
    let (status, compacted) = gateway
        .ask(Method::POST, "/v1/responses/compact", &format!(r#"{{"model":"scripted","previous_response_id":"{id}"}}"#))
        .await;
    assert_eq!((status.as_u16(), text_of(&compacted, "object")), (200, "response.compaction".into()), "{compacted}");
    let output: responses::json::Json = of(&compacted, "output");
    let window = output.text().trim_end_matches(']');
    let next = gateway.create(&format!(r#""input":{window},{{"role":"user","content":"recall"}}]"#)).await;
    assert!(said(&next).contains("4711"), "{next}");
    // By the trigger.
    let mut socket = gateway.socket().await;
    let made =
        socket.made(&format!(r#""previous_response_id":"{id}","input":[{{"type":"compaction_trigger"}}]"#)).await;
    assert_eq!(text_of(&made, "output.0.type"), "compaction");
    let chained = socket.made(&format!(r#""previous_response_id":"{}","input":"recall""#, text_of(&made, "id"))).await;
    assert!(said(&chained).contains("4711"), "{chained}");
    // By itself.
    let long = quoted(&"remember this. ".repeat(400));
    let limit = r#""context_management":[{"type":"compaction","compact_threshold":1000}]"#;
    let one = gateway.create(&format!(r#""input":{long},{limit}"#)).await;
    let two = gateway
        .create(&format!(r#""input":"say done","previous_response_id":"{}",{limit}"#, text_of(&one, "id")))
        .await;
    let kinds = [text_of(&two, "output.0.type"), text_of(&two, "output.1.type")];
    assert_eq!(kinds, ["compaction", "message"], "{two}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_delta_that_leaves_out_tools_or_instructions_is_told_so() {
    let gateway = Running::start();
    let tools = r#""tools":[{"type":"function","name":"f"}],"instructions":"be brief""#;
    let first = gateway.create(&format!(r#""input":"say a",{tools}"#)).await;
    let id = text_of(&first, "id");
    assert!(!first.contains("left_behind"));
    let second = gateway.create(&format!(r#""input":"say b","previous_response_id":"{id}""#)).await;
    assert!(second.contains(r#""left_behind":["tools","instructions"]"#), "{second}");
    let third = gateway.create(&format!(r#""input":"say c","previous_response_id":"{id}",{tools}"#)).await;
    assert!(!third.contains("left_behind"), "{third}");
    let mut socket = gateway.socket().await;
    let fourth = socket.made(&format!(r#""input":"say d","previous_response_id":"{id}","instructions":null"#)).await;
    assert!(fourth.contains(r#""left_behind":["tools"]"#), "{fourth}");
    gateway.stop().await;
}
