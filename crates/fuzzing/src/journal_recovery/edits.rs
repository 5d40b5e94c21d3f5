//! A good log, and what is done to it.

use journal::log::Hash;

/// How long a line is that a script asks for, at most.
const LONGEST: usize = 16;

/// A log that is as long as that is not changed any more.
const LARGEST: usize = 64 << 10;

/// How many zeros are added at once, at most.
const MOST_ZEROS: usize = 4096;

/// How much is zeroed at once, at most.
const BLOCK: usize = 512;

/// Each byte before the first line break is a line, marked if it is odd, as long as it says. Each four bytes after that
/// are something that is done.
pub(super) fn edited(script: &[u8]) -> Vec<u8> {
    let mut halves = script.splitn(2, |byte| *byte == b'\n');
    let (lines, edits) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let mut log = good(lines);
    for edit in edits.chunks_exact(4) {
        if let [kind, high, low, value] = edit
            && log.len() < LARGEST
        {
            change(&mut log, *kind, usize::from(*high) << 8 | usize::from(*low), *value);
        }
    }
    log
}

fn good(lines: &[u8]) -> Vec<u8> {
    let (mut log, mut before) = (String::new(), Hash([0; 32]));
    for (seq, byte) in lines.iter().enumerate() {
        let mark = if byte % 2 == 1 { '=' } else { '-' };
        let bound = format!("{seq} {mark} {}", "word ".repeat(usize::from(*byte) % LONGEST));
        before = Hash::of(&[&before.0, bound.as_bytes()].concat());
        log = format!("{log}{before} {bound}\n");
    }
    log.into_bytes()
}

fn change(log: &mut Vec<u8>, kind: u8, place: usize, value: u8) {
    let at = place % (log.len() + 1);
    let end = at.saturating_add(usize::from(value)).min(log.len());
    match kind % 9 {
        0 => log.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
        1 => log.truncate(at),
        2 => log.insert(at, value),
        3 => drop(log.drain(at..end)),
        4 => log.extend_from_within(at..end),
        5 => log.resize(log.len() + place % MOST_ZEROS, 0),
        6 => {
            let from = at / BLOCK * BLOCK;
            log.iter_mut().skip(from).take(BLOCK).for_each(|byte| *byte = 0);
        }
        7 => on_lines(log, |lines| {
            let at = place % lines.len();
            let line = lines.remove(at);
            if value > 0 {
                lines.insert(usize::from(value) % (lines.len() + 1), line);
            }
        }),
        _ => on_lines(log, |lines| {
            let line = lines.get(place % lines.len()).cloned().unwrap_or_default();
            lines.insert(usize::from(value) % (lines.len() + 1), line);
        }),
    }
}

/// Does something to the lines of a log that has some.
fn on_lines(log: &mut Vec<u8>, act: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut lines: Vec<_> = log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if !lines.is_empty() {
        act(&mut lines);
        *log = lines.concat();
    }
}
