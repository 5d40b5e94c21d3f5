//! Many who write and read at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use journal::disk::Machine;
use journal::log::{Found, Line, Observer, Place, Reader, Reserved, Sharing, Torn, Writer};
use tempfile::TempDir;
use tokio::task::{JoinSet, yield_now};

use crate::simulated::{Random, Simulated, place};

/// All bodies of a log, which has no damage.
fn bodies(disk: &Simulated) -> Vec<String> {
    let mut reader = Reader::open(disk, &place()).unwrap();
    let mut bodies = Vec::new();
    while let Some(found) = reader.next().unwrap() {
        let Found::Line(line) = found else { panic!("{found:?}") };
        bodies.push(line.body.to_owned());
    }
    bodies
}

fn simulated() -> Simulated {
    let disk = Simulated::new(0);
    disk.make_folder(place().parent().unwrap());
    disk
}

/// Hands lines over, waits for some of them or not, gives way to others by chance. The places it was told, in the order
/// in which it handed them over.
async fn appender(writer: Writer, name: u64, seed: u64) -> Vec<(String, Place)> {
    let mut random = Random::new(seed * 100 + name);
    let (mut waiting, mut told) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let body = format!("{name} {number} {}", "x".repeat(random.up_to(300)));
        match random.below(4) {
            0 => writer.note(body).await.unwrap(),
            1 => waiting.push((body.clone(), writer.hand_over(body).await.unwrap())),
            2 => {
                let reserved = writer.reserve().await.unwrap();
                waiting.push((body.clone(), reserved.write(body).unwrap()));
            }
            _ => {
                waiting.push((body.clone(), writer.hand_over(body).await.unwrap()));
                for (body, receipt) in waiting.drain(..) {
                    told.push((body, receipt.on_disk().await.unwrap()));
                }
            }
        }
        if random.chance(3) {
            yield_now().await;
        }
    }
    for (body, receipt) in waiting {
        told.push((body, receipt.on_disk().await.unwrap()));
    }
    told
}

#[tokio::test]
async fn whoever_writes_together_makes_one_chain_in_the_order_of_each() {
    for (seed, sharing) in (0..20).zip([Sharing::Own, Sharing::Shared].into_iter().cycle()) {
        let disk = simulated();
        let open = || Writer::open(disk.disk(), &place(), sharing, None).unwrap().0;
        let first = open();
        let second = if sharing == Sharing::Shared { open() } else { first.clone() };
        let mut tasks = JoinSet::new();
        for name in 0..6 {
            let writer = if name % 2 == 0 { first.clone() } else { second.clone() };
            tasks.spawn(appender(writer, name, seed));
        }
        let told = tasks.join_all().await;
        first.close().await.unwrap();
        if sharing == Sharing::Shared {
            second.close().await.unwrap();
        }
        let bodies = bodies(&disk);
        assert_eq!(bodies.len(), 6 * 40);
        for (body, place) in told.iter().flatten() {
            assert_eq!(bodies.get(usize::try_from(place.seq).unwrap()), Some(body), "seed {seed}");
        }
        for told in &told {
            assert!(told.is_sorted_by_key(|(_, place)| place.seq), "seed {seed}");
        }
        for name in 0..6 {
            let numbers = bodies.iter().filter_map(|body| body.strip_prefix(&format!("{name} ")));
            let numbers = numbers.map(|rest| rest.split(' ').next().unwrap().parse::<u64>().unwrap());
            assert!(numbers.eq(0..40), "seed {seed}: each in its order, nothing twice");
        }
    }
}

/// Writes its last line however it ends.
struct Ending(Option<Reserved>);

impl Drop for Ending {
    fn drop(&mut self) {
        drop(self.0.take().unwrap().write("ended".to_owned()));
    }
}

#[tokio::test]
async fn a_reserved_line_is_written_from_a_drop_while_a_panic_unwinds() {
    let disk = simulated();
    let (writer, _) = Writer::open(disk.disk(), &place(), Sharing::Own, None).unwrap();
    let ending = Ending(Some(writer.reserve().await.unwrap()));
    let fallen = catch_unwind(AssertUnwindSafe(|| {
        let _ending = ending;
        panic!("something went wrong");
    }));
    assert!(fallen.is_err());
    writer.append("after".to_owned()).await.unwrap();
    assert_eq!(bodies(&disk), ["ended", "after"]);
}

#[tokio::test]
async fn what_is_reserved_is_written_though_others_fill_the_queue_and_the_writer_is_dropped() {
    let disk = simulated();
    let (writer, _) = Writer::open(disk.disk(), &place(), Sharing::Own, None).unwrap();
    let mut reserved = Vec::new();
    for _ in 0..100 {
        reserved.push(writer.reserve().await.unwrap());
    }
    for number in 0..3000 {
        writer.note(format!("note {number}")).await.unwrap();
    }
    drop(writer);
    let mut last = None;
    for (number, reserved) in reserved.into_iter().enumerate() {
        last = Some(reserved.write(format!("reserved {number}")).unwrap());
    }
    let place = last.unwrap().on_disk().await.unwrap();
    assert_eq!((place.seq, bodies(&disk).len()), (3099, 3100));
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_what_is_reserved_but_not_for_ever() {
    let disk = simulated();
    let (writer, _) = Writer::open(disk.disk(), &place(), Sharing::Own, None).unwrap();
    let (kept, back) = (writer.reserve().await.unwrap(), writer.reserve().await.unwrap());
    drop(back);
    let error = writer.close().await.unwrap_err().to_string();
    assert!(error.contains("1 line is") && error.contains("10 s"), "{error}");
    kept.write("late".to_owned()).unwrap().on_disk().await.unwrap();
    assert_eq!(bodies(&disk), ["late"], "it is not lost");
}

#[tokio::test]
async fn a_reader_that_follows_finds_no_damage_in_what_is_being_written() {
    const LINES: u64 = 3000;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let (writer, _) = Writer::open(Arc::new(Machine), &path, Sharing::Own, None).unwrap();
    let follower = std::thread::spawn({
        let path: PathBuf = path.clone();
        move || {
            let mut reader = Reader::open(&Machine, &path).unwrap();
            while reader.stopped().seq < LINES {
                if let Some(found) = reader.next().unwrap() {
                    assert!(matches!(found, Found::Line(_)), "{found:?}");
                }
            }
        }
    });
    let mut random = Random::new(1);
    for number in 0..LINES {
        writer.note("f".repeat(random.up_to(30_000))).await.unwrap();
        if number % 100 == 0 {
            writer.append("a".to_owned()).await.unwrap();
        }
    }
    writer.close().await.unwrap();
    follower.join().unwrap();
}

struct Seen(std::sync::mpsc::SyncSender<Option<String>>);

impl Observer for Seen {
    fn line(&mut self, line: Line<'_>) {
        self.0.send(Some(line.body.to_owned())).unwrap();
    }

    fn synced(&mut self) -> std::io::Result<()> {
        self.0.send(None).map_err(std::io::Error::other)
    }

    fn cut_off(&mut self, torn: &Torn) -> String {
        format!("cut off {} bytes", torn.bytes.len())
    }
}

#[tokio::test]
async fn an_observer_sees_every_line_of_a_shared_log_once_and_in_order() {
    let disk = simulated();
    let (seen, shown) = std::sync::mpsc::sync_channel(1000);
    let open = |observer| Writer::open(disk.disk(), &place(), Sharing::Shared, observer).unwrap().0;
    let one = open(Some(Box::new(Seen(seen))));
    let two = open(None);
    for round in 0..20 {
        two.append(format!("{round} two")).await.unwrap();
        if round % 3 == 0 {
            one.append(format!("{round} one")).await.unwrap();
        }
    }
    one.append("last".to_owned()).await.unwrap();
    let seen: Vec<_> = shown.try_iter().collect();
    assert_eq!(seen.last(), Some(&None), "told that it is on the disk");
    assert_eq!(seen.into_iter().flatten().collect::<Vec<_>>(), bodies(&disk));
}

#[tokio::test]
async fn what_is_cut_off_is_named_before_all_else_though_writing_that_fails_at_first() {
    let mut failures = 0;
    for after in 0.. {
        let disk = simulated();
        let (seen, _shown) = std::sync::mpsc::sync_channel(1000);
        let observer: Option<Box<dyn Observer>> = Some(Box::new(Seen(seen)));
        let writer = Writer::open(disk.disk(), &place(), Sharing::Shared, observer).unwrap().0;
        writer.append("one".to_owned()).await.unwrap();
        let mut text = disk.read(&place()).unwrap();
        let end = text.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        text[end..end + 4].copy_from_slice(b"half");
        disk.put(&place(), &text);
        disk.fail(after);
        let first = writer.append("two".to_owned()).await;
        disk.heal();
        if first.is_err() {
            failures += 1;
            // After a sync that failed nothing more is written, and whoever opens it next names what is torn.
            if writer.append("two".to_owned()).await.is_err() {
                continue;
            }
        }
        assert_eq!(bodies(&disk), ["one", "cut off 4 bytes", "two"], "operation {after}: {:?}", disk.failed());
        if disk.failed().is_empty() {
            break;
        }
    }
    assert!(failures > 2);
}
