//! How much memory a long session takes.

use allocation_counter::measure;
use journal::index::{Filter, Index};

use super::{home, id, new, said};

/// What reading a session may take, however long it is: some chunks of the file, a record, and what a record is read
/// into.
const MOST: u64 = 4 << 20;

#[test]
fn a_session_of_64_megabytes_is_opened_read_and_indexed_in_a_few() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let home = home();
    runtime.block_on(async {
        let session = home.sessions.create(new(1)).await.unwrap();
        for number in 0..64 {
            for _ in 0..128 {
                session.append(1, journal::record::Record::Title("word ".repeat(1700))).await.unwrap();
            }
            session.append(1, said(&format!("input {number}"))).await.unwrap();
        }
        session.close().await.unwrap();
    });
    let log = home.sessions.folder().join(id(1).to_string()).join("log");
    assert!(std::fs::metadata(log).unwrap().len() > 64 << 20);
    let mut records = 0;
    let read = measure(|| records = home.sessions.read(id(1)).unwrap().map(Result::unwrap).count());
    assert_eq!(records, 64 * 129 + 1);
    assert!(read.bytes_max < MOST, "reading took {} bytes", read.bytes_max);
    let verified = measure(|| assert_eq!(home.sessions.verify(id(1)).unwrap().damage, [] as [String; 0]));
    assert!(verified.bytes_max < MOST, "verifying took {} bytes", verified.bytes_max);
    let forked = measure(|| drop(runtime.block_on(home.sessions.fork(id(1), None, new(2))).unwrap()));
    assert!(forked.bytes_max < MOST, "forking took {} bytes", forked.bytes_max);
    let mut listed = 0;
    let indexed = measure(|| listed = Index::of(&home.sessions).unwrap().list(&Filter::default()).unwrap().len());
    assert_eq!(listed, 2);
    assert!(indexed.bytes_max < MOST, "indexing took {} bytes", indexed.bytes_max);
}
