//! A server that has Chat Completions and nothing else: its users lose nothing.

use responses::chain::{Mode, Outcome, Transport};
use responses::item::Item;
use testkit::ChatModel;

use crate::support::{Talk, answered, client};

const CHUNK: &str = r#"{"id":"c","object":"chat.completion.chunk","model":"local","choices":[{"index":0,"delta":"#;

fn chunk(delta: &str, finish: Option<&str>) -> String {
    let finish = finish.map_or_else(|| "null".to_owned(), |finish| format!("\"{finish}\""));
    format!("{CHUNK}{delta},\"finish_reason\":{finish}}}]}}")
}

#[tokio::test]
async fn tool_calls_and_answers_go_to_and_fro() {
    let call = r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"do","arguments":"{\"n\":"}}]}"#;
    let rest = r#"{"tool_calls":[{"index":0,"function":{"arguments":"7}"}}]}"#;
    let usage = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}"#;
    let turns = [
        vec![chunk(call, None), chunk(rest, None), chunk("{}", Some("tool_calls")), usage.to_owned()],
        vec![chunk(r#"{"content":"it is "}"#, None), chunk(r#"{"content":"done"}"#, None), chunk("{}", Some("stop"))],
    ];
    let model = ChatModel::scripted(turns).start_loopback().await.unwrap();
    // A chat server is never asked for a socket, whatever is wanted.
    for mode in [Mode::WebSocket] {
        let client = client(&model.base_url(), "wire_api = \"chat\"");
        let mut talk = Talk::with(&client, mode);
        let outcome = talk.turn("do it seven times").await;
        let Outcome::Answered(response) = &outcome else { panic!("{outcome:?}") };
        assert_eq!(response.usage().map(|usage| usage.total), Some(13));
        let call = response.output().iter().find_map(Item::call).unwrap();
        let outcome = talk.turn_with(vec![Item::function_output(&call, "seven times")]).await;
        let Outcome::Answered(response) = &outcome else { panic!("{outcome:?}") };
        assert!(response.output()[0].text().contains("it is done"));
        assert_eq!(talk.sent(), [(Transport::Http, 1), (Transport::Http, 3)]);
    }
    let requests = model.requests();
    assert_eq!(requests.len(), 2);
    for part in [r#""role":"assistant""#, r#""tool_call_id":"call_1""#, "seven times", r#""name":"do""#] {
        assert!(requests[1].body.contains(part), "{part} is not in {}", requests[1].body);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_asked_for_again() {
    let whole = vec![chunk(r#"{"content":"all of it"}"#, None), chunk("{}", Some("stop"))];
    let model = ChatModel::scripted([whole.clone(), whole]).start_loopback().await.unwrap();
    let relay = testkit::Relay::start(model.address(), std::time::Duration::ZERO).await.unwrap();
    let client = client(&format!("http://{}/v1", relay.address()), "wire_api = \"chat\"");
    let mut talk = Talk::with(&client, Mode::Auto);
    assert!(answered(&talk.turn("one").await));
    relay.cut();
    assert!(answered(&talk.turn("two").await));
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn what_chat_cannot_carry_is_refused_in_words() {
    let model = ChatModel::scripted([vec![String::new()]]).start_loopback().await.unwrap();
    let client = client(&model.base_url(), "wire_api = \"chat\"");
    let mut talk = Talk::with(&client, Mode::Auto);
    let item = Item::parse(r#"{"type":"computer_call_output","call_id":"c","output":{}}"#).unwrap();
    let outcome = talk.turn_with(vec![Item::user("look"), item]).await;
    let Outcome::Failed(failure) = &outcome else { panic!("{outcome:?}") };
    assert!(failure.to_string().contains("computer_call_output"), "{failure}");
    assert_eq!(model.requests().len(), 0);
}
