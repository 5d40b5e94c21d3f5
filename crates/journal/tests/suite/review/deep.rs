//! Items as deep as items may be.

use journal::record::{Outcome, Record, Status};
use responses::id::CallId;
use responses::item::Item;
use responses::json::MAX_DEPTH;

use crate::sessions::{home, id, kinds, new, stamped};

#[tokio::test]
async fn an_item_that_can_be_had_is_read_as_it_was_written() {
    let home = home();
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH - 1), "]".repeat(MAX_DEPTH - 1));
    let item = Item::parse(&format!(
        "{{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":\"x\",\"more\":{deep}}}"
    ))
    .unwrap();
    let outcome = Record::Outcome(Outcome {
        call: CallId::from("a"),
        status: Status::Done,
        output: Some(item.clone()),
        exit: None,
        truncated: false,
        changed: vec![],
    });
    let input = Record::Input { items: vec![item] };
    let session = home.sessions.create(new(1)).await.unwrap();
    for record in [kinds::intent("a"), outcome.clone(), input.clone()] {
        session.append(1, record).await.unwrap();
    }
    session.close().await.unwrap();
    let (session, resumed) = home.sessions.resume(id(1), 2).await.unwrap();
    session.close().await.unwrap();
    assert!(resumed.pending.is_empty(), "the call has an outcome: {:?}", resumed.pending);
    let found: Vec<_> = stamped(&home.sessions, id(1)).into_iter().map(|stamped| stamped.record).collect();
    assert_eq!(found[1..], [outcome, input]);
}
