//! Secrets that come in pieces.

use journal::record::{Delta, Record};
use responses::id::ResponseId;

use crate::sessions::{KEY, home, id, kinds, new, said};

const SECRET: &str = "sk-0123456789ABCDEFGHIJklmnop";

fn delta(response: &str, text: &str) -> Record {
    Record::Delta(Delta { response: Some(ResponseId::from(response)), parts: vec![(0, text.to_owned())] })
}

/// What is said in the deltas of a log, one after the other.
async fn written(records: Vec<Record>) -> String {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    for (at, record) in (1..).zip(records) {
        session.append(at, record).await.unwrap();
    }
    session.close().await.unwrap();
    let mut said = String::new();
    for step in home.sessions.read(id(1)).unwrap() {
        if let journal::sessions::Step::Entry(entry) = step.unwrap()
            && let Record::Delta(delta) = entry.record
        {
            said.extend(delta.parts.into_iter().map(|(_, text)| text));
        }
    }
    said
}

#[tokio::test]
async fn a_secret_is_not_cut_in_two_by_another_record_between_its_pieces() {
    let (one, two) = SECRET.split_at(12);
    for between in [said("and"), kinds::outcome("a", journal::record::Status::Done), Record::Title("t".to_owned())] {
        let said = written(vec![delta("1", one), between, delta("1", two)]).await;
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[tokio::test]
async fn a_secret_is_not_cut_in_two_by_the_pieces_of_another_response() {
    for secret in [SECRET, KEY] {
        let (one, two) = secret.split_at(12);
        let said = written(vec![delta("1", one), delta("2", "else "), delta("1", two), delta("2", "more")]).await;
        assert!(!said.contains(two), "{said}");
    }
}

#[tokio::test]
async fn a_secret_is_not_cut_in_two_where_a_line_is_long() {
    for before in 16_350..16_390 {
        let (one, two) = SECRET.split_at(12);
        let line = format!("{} ", "x".repeat(before));
        let said = written(vec![delta("1", &line), delta("1", one), delta("1", two)]).await;
        assert!(!said.contains(SECRET), "{before}");
    }
}
