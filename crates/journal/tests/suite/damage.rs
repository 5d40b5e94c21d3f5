//! What was changed behind the log's back is named, and nothing is made worse by opening it.

use std::path::Path;

use journal::log::{Damage, Fault, Found, LogError, Opened, Reader, Sharing, Writer};

use crate::format::Text;
use crate::simulated::{Simulated, place};

/// What a reader finds: the numbers of lines, what is wrong, and how much stands after them.
struct Seen {
    lines: Vec<u64>,
    damage: Vec<Damage>,
    unfinished: usize,
}

fn disk(bytes: &[u8]) -> Simulated {
    let disk = Simulated::new(0);
    disk.put(&place(), bytes);
    disk
}

fn see(bytes: &[u8]) -> Seen {
    let mut reader = Reader::open(&disk(bytes), &place()).unwrap();
    let (mut lines, mut damage) = (Vec::new(), Vec::new());
    while let Some(found) = reader.next().unwrap() {
        match found {
            Found::Line(line) => lines.push(line.seq),
            Found::Damage(what) => damage.push(what),
        }
    }
    Seen { lines, damage, unfinished: reader.unfinished() }
}

fn open(disk: &Simulated, path: &Path) -> Result<Opened, LogError> {
    Writer::open(disk.disk(), path, Sharing::Own, None).map(|(_, opened)| opened)
}

/// Opens what is damaged: the first damage is named and the file is left as it is.
fn refused(bytes: &[u8], seq: u64) {
    let disk = disk(bytes);
    let refused = open(&disk, &place());
    let Err(LogError::Damaged { damage, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(damage.seq, seq);
    assert_eq!(disk.read(&place()).unwrap(), bytes, "nothing was written");
}

/// Opens what has a damaged end, or damage so far from it that nobody looks there.
fn opened(bytes: &[u8]) -> Opened {
    open(&disk(bytes), &place()).unwrap()
}

#[test]
fn every_flipped_byte_is_named_or_in_a_tail_that_may_be_torn() {
    let text = Text::marked("=--=-==--");
    let last_mark = 6;
    let whole = text.bytes();
    for at in 0..whole.len() {
        let line = text.line_of(at);
        for new in [whole[at] ^ 1, whole[at] ^ 0x80, 0, b'\n', b' ', b'0', b'='] {
            let mut bytes = whole.clone();
            bytes[at] = new;
            if bytes == whole {
                continue;
            }
            let context = format!("byte {at} of line {line} is {new}");
            let Seen { lines, damage, unfinished } = see(&bytes);
            match damage.first() {
                Some(damage) => assert_eq!(damage.seq, line as u64, "{context}"),
                None => assert!(line == 8 && unfinished > 0, "{context}"),
            }
            // A line that lost its end takes the next with it; one whose hash was changed shows in the next; one that
            // says that it is the next makes the real one look wrong, and what follows that.
            let around = line as u64..line as u64 + 3;
            assert!((0..9).all(|seq| around.contains(&seq) || lines.contains(&seq)), "{context}: {lines:?}");
            match open(&disk(&bytes), &place()) {
                Err(LogError::Damaged { damage: told, .. }) => {
                    // The last mark itself, with another number, says that something is missing.
                    assert!(line <= last_mark, "{context}");
                    assert_eq!(Some(&told), damage.first(), "{context}");
                }
                // Without its end the line before takes the last mark with it.
                Ok(opened) => {
                    assert!(line >= last_mark || at + 1 == text.start(last_mark), "{context}");
                    assert_eq!(opened.next.seq, line as u64, "{context}");
                }
                Err(other) => panic!("{context}: {other}"),
            }
        }
    }
}

#[test]
fn a_log_cut_at_any_byte_ends_with_its_last_whole_line() {
    let text = Text::marked("=--=-=-");
    let whole = text.bytes();
    for cut in 0..whole.len() {
        let lines = text.line_of(cut);
        let rest = cut - text.start(lines);
        for zeros in [0, 1, 5000] {
            let bytes = [&whole[..cut], &vec![0; zeros]].concat();
            let seen = see(&bytes);
            assert_eq!((seen.lines.len(), seen.damage.len(), seen.unfinished), (lines, 0, rest), "cut at {cut}");
            let opened = opened(&bytes);
            assert_eq!(opened.next.seq, lines as u64, "cut at {cut}");
            assert_eq!(opened.torn.map_or(0, |torn| torn.bytes.len()), rest, "cut at {cut}");
        }
    }
}

#[test]
fn a_line_that_is_missing_is_named() {
    for gone in 0..6 {
        let mut text = Text::marked("=-====-");
        text.lines.remove(gone);
        let seen = see(&text.bytes());
        let named = Damage { seq: gone as u64, at: text.start(gone) as u64, fault: Fault::Instead(gone as u64 + 1) };
        assert_eq!(seen.damage, [named]);
        assert_eq!(seen.lines.len(), 6, "the others are read");
        if gone < 5 {
            refused(&text.bytes(), gone as u64);
        } else {
            assert_eq!(opened(&text.bytes()).next.seq, 5, "no mark says that it had been there");
        }
    }
}

#[test]
fn lines_in_another_order_are_named() {
    for at in 0..5 {
        let mut text = Text::marked("=-====-");
        text.lines.swap(at, at + 1);
        let seen = see(&text.bytes());
        assert_eq!(seen.damage.first().unwrap().fault, Fault::Instead(at as u64 + 1));
        assert_eq!(seen.damage.get(1).unwrap().fault, Fault::Instead(at as u64));
        assert_eq!(seen.damage.len(), 2, "what follows is as it was: {:?}", seen.damage);
    }
}

#[test]
fn a_line_that_is_there_twice_or_was_added_is_named() {
    for at in 0..6 {
        let mut text = Text::marked("=-====-");
        let twice = text.lines[at].clone();
        text.lines.insert(at + 1, twice);
        let seen = see(&text.bytes());
        let fault = Fault::Instead(at as u64);
        assert_eq!(seen.damage, [Damage { seq: at as u64 + 1, at: text.start(at + 1) as u64, fault }]);
        assert_eq!(seen.lines.len(), 7);
        text.lines[at + 1] = b"anything\n".to_vec();
        let seen = see(&text.bytes());
        assert_eq!(seen.damage.first().map(|damage| damage.fault), Some(Fault::Garbled));
        assert_eq!((seen.damage.len(), seen.lines.len()), (1, 7));
    }
}

#[test]
fn a_line_of_another_log_is_named() {
    let mut text = Text::marked("=-====-");
    let mut other = Text::marked("=");
    (0..6).for_each(|_| other.push('=', "another"));
    text.lines[3].clone_from(&other.lines[3]);
    let seen = see(&text.bytes());
    let changed = |seq: usize| Damage { seq: seq as u64, at: text.start(seq) as u64, fault: Fault::Changed };
    assert_eq!(seen.damage, [changed(3), changed(4)]);
    refused(&text.bytes(), 3);
}

#[test]
fn what_cannot_be_read_may_have_any_number_of_line_breaks() {
    let mut text = Text::marked("=-====-");
    text.lines[2] = b"\n\nsome\n\n\xff thing\n\0\n".to_vec();
    let seen = see(&text.bytes());
    assert_eq!(seen.lines, [0, 1, 3, 4, 5, 6], "all others are read");
    assert!(seen.damage.iter().all(|damage| damage.seq == 2 && damage.fault == Fault::Garbled));
    refused(&text.bytes(), 2);
}

#[test]
fn a_zeroed_page_before_a_mark_is_named_and_nothing_is_written() {
    let mut text = Text::new();
    (0..40).for_each(|line| text.push(if line % 7 == 0 { '=' } else { '-' }, &"text ".repeat(line * 3)));
    let whole = text.bytes();
    let last_mark = text.start(35);
    for page in 0..last_mark / 512 {
        let mut bytes = whole.clone();
        bytes[page * 512..(page + 1) * 512].fill(0);
        let (first, last) = (text.line_of(page * 512), text.line_of((page + 1) * 512 - 1));
        let seen = see(&bytes);
        assert_eq!(seen.damage.first().unwrap().seq, first as u64);
        let others: Vec<_> = (0..40).filter(|line| !(first..=last).contains(line)).map(|line| line as u64).collect();
        assert_eq!(seen.lines, others);
        refused(&bytes, first as u64);
    }
}

#[test]
fn damage_before_the_last_mark_is_refused_and_after_it_is_a_torn_tail() {
    let text = Text::marked("=-==-=--");
    for line in 0..8 {
        for (from, offset) in [(0, 5), (text.lines[line].len(), 3)] {
            let mut bytes = text.bytes();
            bytes[text.start(line) + from.abs_diff(offset)] ^= 1;
            assert_eq!(see(&bytes).damage.first().unwrap().seq, line as u64);
            if line < 5 {
                refused(&bytes, line as u64);
            } else {
                assert_eq!(opened(&bytes).next.seq, line as u64);
            }
        }
    }
}

#[test]
fn damage_far_from_the_end_is_found_by_whoever_reads_it() {
    let mut text = Text::new();
    (0..100).for_each(|_| text.push('=', &"far ".repeat(900)));
    let mut bytes = text.bytes();
    bytes[text.start(7) + 80] ^= 1;
    assert_eq!(opened(&bytes).next.seq, 100, "opening looks at the end only");
    assert_eq!(see(&bytes).damage, [Damage { seq: 7, at: text.start(7) as u64, fault: Fault::Changed }]);
}

#[test]
fn the_largest_number_is_no_reason_to_fall() {
    let mut text = Text::marked("=-");
    for number in [u64::MAX, u64::MAX - 1, 1 << 63] {
        let hash = "0".repeat(64);
        text.lines.push(format!("{hash} {number} = x\n").into_bytes());
    }
    text.lines.push(b"anything\n".to_vec());
    assert!(see(&text.bytes()).damage.len() >= 3);
    assert!(open(&disk(&text.bytes()), &place()).is_err());
}

#[test]
fn what_never_was_a_log_is_not_emptied() {
    let disk = disk(&b"some other file of somebody's\n".repeat(300_000));
    let before = disk.read(&place());
    assert!(matches!(open(&disk, &place()), Err(LogError::Damaged { .. })));
    assert_eq!(disk.read(&place()), before);
}
