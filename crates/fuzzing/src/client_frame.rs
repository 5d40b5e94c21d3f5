//! Each line is one message of a client.

use responses::chain::{Connection, ConnectionEffect, ConnectionLimits, Context, Powers, RunEvent, Time};
use responses::frame::ClientFrame;
use responses::item::Item;
use responses::json::{Json, Object};

use crate::lines;

/// A message reads the same after it was written; a connection answers every message, and lives.
///
/// # Panics
///
/// If that does not hold.
pub fn client_frame(data: &[u8]) {
    let powers = Powers { steer: true, inject: true, interrupt: true };
    let mut connection = Connection::new(Time::default(), ConnectionLimits::default(), powers);
    for line in lines(data) {
        let read = ClientFrame::parse(line);
        if let Ok(frame) = &read {
            let written = Json::of(frame);
            assert_eq!(ClientFrame::parse(written.text()).as_ref(), Ok(frame), "written as {written:?}");
        }
        let waits = matches!(read, Ok(ClientFrame::Create(_)));
        let says_nothing = matches!(&read, Ok(ClientFrame::Unknown { kind, .. }) if &**kind == "response.processed");
        connection.handle_frame(Time::default(), line);
        let effects = drain(&mut connection);
        // A request may wait behind others, a steer for the end of what it steers; all else is answered at once.
        let waits = waits || effects.is_empty() && matches!(read, Ok(ClientFrame::Steer { .. }));
        assert!(waits || says_nothing || !effects.is_empty(), "no answer to {line}");
        if read.is_err() {
            assert!(effects.iter().any(is_bad_request), "no refusal of {line}: {effects:?}");
        }
        for effect in effects {
            run(&mut connection, effect, line);
        }
        drain(&mut connection);
    }
    // Whatever was said before, it still listens.
    connection.handle_frame(Time::default(), r#"{"type":"response.interrupt","response_id":"of nobody"}"#);
    assert!(!drain(&mut connection).is_empty(), "the connection does not listen any more");
}

fn drain(connection: &mut Connection) -> Vec<ConnectionEffect> {
    std::iter::from_fn(|| connection.poll_effect()).collect()
}

fn is_bad_request(effect: &ConnectionEffect) -> bool {
    let ConnectionEffect::Send(text) = effect else { return false };
    let object = Object::parse(text).unwrap_or_default();
    object.get("type") == Some(r#""error""#) && object.get("status") == Some("400")
}

/// The owner's part: memory is found or not, runs end or are left to run, as the length of the line has it.
fn run(connection: &mut Connection, effect: ConnectionEffect, line: &str) {
    const ENDS: &[&str] = &[
        r#"{"type":"response.completed","response":{"id":"resp_1","output":[]}}"#,
        r#"{"type":"response.completed","response":{"id":"resp_2","output":[{"type":"function_call","call_id":"c","name":"f","arguments":""}]}}"#,
        r#"{"type":"response.failed","response":{"id":"resp_3","error":{"code":"server_error","message":"m"}}}"#,
        r#"{"type":"response.created","response":{"id":"resp_4"}}"#,
    ];
    match effect {
        ConnectionEffect::Recall(run, _) => {
            let found = line.len().is_multiple_of(2).then(|| Context::from_iter([Item::user("before")]));
            connection.handle_recalled(run, found);
        }
        ConnectionEffect::Begin(run, request) => {
            assert!(request.new_items <= request.context.len());
            let say = ENDS.get(line.len() % (ENDS.len() + 1));
            connection.handle_run(run, say.map_or(RunEvent::Gone, |text| RunEvent::Event(text)));
        }
        _ => {}
    }
}
