//! Lists and searches.

use std::sync::Arc;

use journal::index::{Filter, Index, State};
use journal::record::{Record, Status};
use journal::sessions::SessionId;

use super::{Home, fork, home, id, kinds, new, said, session};

fn index(home: &Home) -> Index {
    Index::of(&home.sessions).unwrap()
}

fn titles(home: &Home) -> Vec<(SessionId, Option<String>)> {
    index(home).list(&Filter::default()).unwrap().into_iter().map(|listed| (listed.id, listed.title)).collect()
}

fn found(home: &Home, text: &str) -> Vec<SessionId> {
    index(home).search(text, 10).unwrap().into_iter().map(|hit| hit.session.id).collect()
}

#[tokio::test]
async fn what_is_listed_is_what_is_in_the_logs_also_after_they_have_changed() {
    let home = home();
    assert_eq!(titles(&home), []);
    session(&home, 1, &["fix the bug\nand more"]).await;
    assert_eq!(titles(&home), [(id(1), Some("fix the bug".to_owned()))]);
    let session = home.sessions.create(new(2)).await.unwrap();
    let listed = index(&home).list(&Filter { limit: Some(1), ..Filter::default() }).unwrap().remove(0);
    assert_eq!((listed.id, listed.title, listed.state), (id(2), None, State::Open));
    for record in kinds::all() {
        session.append(1_795_289_600_000, record).await.unwrap();
    }
    session.append(1_795_289_600_001, kinds::wait()).await.unwrap();
    let listed = index(&home).list(&Filter::default()).unwrap().remove(0);
    assert_eq!((listed.title.as_deref(), listed.cwd.as_str()), (Some("a title"), "/work"));
    assert_eq!((listed.created, listed.changed), (1_795_289_538_002, 1_795_289_600_001));
    let counts = listed.counts;
    assert_eq!((counts.records, counts.inputs, counts.outputs, counts.calls), (19, 1, 2, 1));
    assert_eq!((counts.input_tokens, counts.output_tokens, counts.cost), (100, 20, 1250));
    assert!(matches!(listed.state, State::Waiting { until: Some(1_795_293_138_000), .. }));
    session.append(1_795_289_600_002, kinds::waited()).await.unwrap();
    session.close().await.unwrap();
    let listed = index(&home).list(&Filter::default()).unwrap().remove(0);
    assert_eq!((listed.state, listed.counts.records, listed.counts.inputs), (State::Ended, 20, 1));
    home.sessions.remove(&[id(2)], false).unwrap();
    assert_eq!(titles(&home), [(id(1), Some("fix the bug".to_owned()))]);
    assert_eq!(found(&home, "title"), []);
}

#[tokio::test]
async fn lists_are_by_folder_time_and_number_the_latest_first() {
    let home = home();
    for number in 0..5 {
        let mut new = new(number);
        new.cwd = format!("/work/{}", number % 2);
        home.sessions.create(new).await.unwrap().close().await.unwrap();
    }
    let list = |filter: &Filter| -> Vec<_> {
        index(&home).list(filter).unwrap().into_iter().map(|listed| listed.id).collect()
    };
    assert_eq!(list(&Filter { limit: Some(2), ..Filter::default() }), [id(4), id(3)]);
    assert_eq!(list(&Filter { cwd: Some("/work/1".to_owned()), ..Filter::default() }), [id(3), id(1)]);
    let since = Some(id(3).began());
    assert_eq!(list(&Filter { since, ..Filter::default() }), [id(4), id(3)]);
}

#[tokio::test]
async fn words_are_found_in_what_was_said_and_in_titles_and_nowhere_else() {
    let home = home();
    session(&home, 1, &["the quick brown fox", "jumps über den Zaun"]).await;
    let session = home.sessions.create(new(2)).await.unwrap();
    session.append(5, kinds::outcome("quick", Status::Done)).await.unwrap();
    session.append(5, Record::Title("a foxtrot".to_owned())).await.unwrap();
    let long = format!("{}needle", "hay ".repeat(10_000));
    session.append(5, said(&long)).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(found(&home, "quick brown"), [id(1)]);
    assert_eq!(found(&home, "Quick zaun"), [], "words of different records do not stand together");
    assert_eq!(found(&home, "UBER"), [id(1)]);
    assert_eq!(found(&home, "needle"), [id(2)], "also in what stands beside the log");
    let mut both = found(&home, "fox");
    both.sort_unstable();
    assert_eq!(both, [id(1), id(2)], "the last word may be a beginning");
    let hit = index(&home).search("brown", 5).unwrap().remove(0);
    assert_eq!((hit.seq, hit.kind.as_str(), hit.snippet.trim()), (1, "input", "the quick [brown] fox"));
    for text in ["", " ", "\"", "AND OR NOT", "a* NEAR(b)", "'; DROP TABLE words", "-", "{col}: x"] {
        assert_eq!(found(&home, text), [], "{text}");
    }
}

#[tokio::test]
async fn a_damaged_session_is_listed_with_its_damage_and_hides_no_other() {
    let home = home();
    session(&home, 1, &["one", "two", "three"]).await;
    session(&home, 2, &["other"]).await;
    session(&home, 3, &["third"]).await;
    let log = |number| home.sessions.folder().join(id(number).to_string()).join("log");
    let text = std::fs::read_to_string(log(1)).unwrap();
    std::fs::write(log(1), text.replace("two", "TWO")).unwrap();
    std::fs::write(log(3), "").unwrap();
    let listed = index(&home).list(&Filter::default()).unwrap();
    let states: Vec<_> = listed.into_iter().map(|listed| (listed.id, listed.state)).collect();
    assert_eq!(states[0].0, id(2));
    assert_eq!(states.len(), 3);
    for (listed, state) in &states[1..] {
        assert!(matches!(state, State::Damaged(what) if !what.is_empty()), "{listed}: {state:?}");
    }
    std::fs::write(log(1), text).unwrap();
    std::fs::remove_file(home.sessions.folder().join("index.sqlite")).unwrap();
    assert_eq!(titles(&home).len(), 3);
    assert_eq!(found(&home, "two"), [id(1)]);
}

#[tokio::test]
async fn a_log_that_is_another_one_now_is_read_anew() {
    let home = home();
    session(&home, 1, &["first"]).await;
    assert_eq!(found(&home, "first"), [id(1)]);
    home.sessions.remove(&[id(1)], false).unwrap();
    session(&home, 1, &["second", "and longer than the first"]).await;
    assert_eq!(found(&home, "second"), [id(1)]);
    assert_eq!(found(&home, "first").len(), 1);
    home.sessions.remove(&[id(1)], false).unwrap();
    session(&home, 1, &["3"]).await;
    assert_eq!(found(&home, "second"), []);
    assert_eq!(titles(&home), [(id(1), Some("3".to_owned()))]);
}

#[tokio::test]
async fn a_file_that_is_no_index_is_made_anew() {
    let home = home();
    session(&home, 1, &["one"]).await;
    let path = home.sessions.folder().join("index.sqlite");
    let expected = titles(&home);
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[5000..].iter_mut().for_each(|byte| *byte = !*byte);
    for bytes in [&b"no database"[..], b"", &good[..good.len() / 2], &flipped] {
        std::fs::write(&path, bytes).unwrap();
        for beside in ["index.sqlite-wal", "index.sqlite-shm"] {
            let _ = std::fs::remove_file(home.sessions.folder().join(beside));
        }
        assert_eq!(titles(&home), expected);
        assert_eq!(found(&home, "one"), [id(1)]);
    }
    std::fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
    assert_eq!(titles(&home), expected);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(titles(&home), expected, "where there can be none, it is made in memory");
}

#[tokio::test]
async fn who_lists_while_another_reads_waits_or_sees_what_is_there() {
    let home = Arc::new(home());
    for number in 0..40 {
        session(&home, number, &["one", "two"]).await;
    }
    let lists = (0..4).map(|_| {
        let home = Arc::clone(&home);
        std::thread::spawn(move || titles(&home).len())
    });
    for list in lists.collect::<Vec<_>>() {
        assert_eq!(list.join().unwrap(), 40);
    }
}

#[tokio::test]
async fn a_fork_is_called_like_its_past_until_it_says_something() {
    let home = home();
    session(&home, 1, &["the past"]).await;
    fork(&home, 1, None, 2, &[]).await.unwrap().close().await.unwrap();
    let title = || index(&home).list(&Filter::default()).unwrap().remove(0).title.unwrap();
    assert_eq!(title(), "the past");
    let session = home.sessions.resume(id(2), 1).await.unwrap().0;
    session.append(1_795_289_600_000, said("its own")).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(title(), "its own");
}
