//! Where a log ends: found from its end, in constant memory, however long it is.

use std::io;

use super::line::{Claimed, MAX_LINE, Start};
use super::reader::{Damage, Fault};
use super::{MAX_UNSYNCED, writer::MAX_BATCH};
use crate::disk::File;

/// How much of the end is looked at first. Doubled until a line is found before which all is known to be on the disk.
const FIRST_LOOK: u64 = 64 << 10;

/// The most that stands from a mark to the next, or to the end.
const MAX_UNSURE: u64 = MAX_UNSYNCED + MAX_BATCH as u64;

/// The most that has to be looked at: what may be unsure, its mark torn, what was sure before it, and the two lines
/// before that.
const LAST_LOOK: u64 = 2 * MAX_UNSURE + 2 * MAX_LINE as u64;

/// What was written and never whole: nobody was told that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Where it stood.
    pub at: u64,
    /// What is left of it.
    pub bytes: Vec<u8>,
}

/// The end of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Where the next line goes.
    pub(super) next: Start,
    /// The lines before that which are perhaps only in the memory of the machine: after a sync that failed they are read
    /// all the same.
    pub(super) unsure: Vec<u8>,
    /// What stands there and is dropped.
    pub(super) torn: Option<Torn>,
}

/// Finds the end of a log. The inner error is damage before the tail.
pub(super) fn find(file: &dyn File) -> io::Result<Result<Tail, Damage>> {
    let end = end_of_text(file)?;
    let mut look = FIRST_LOOK;
    loop {
        let from = end.saturating_sub(look);
        let mut window = vec![0; usize::try_from(end - from).unwrap_or(usize::MAX)];
        let read = file.read_at(from, &mut window)?;
        window.truncate(read);
        if let Some(found) = within(&window, from) {
            return Ok(found);
        }
        if from == 0 || look >= LAST_LOOK {
            let damage = Damage { seq: 0, at: from, fault: Fault::Garbled };
            return Ok(Err(damage));
        }
        look = (look * 2).min(LAST_LOOK);
    }
}

/// The end of what is not zeros.
pub(crate) fn end_of_text(file: &dyn File) -> io::Result<u64> {
    let mut end = file.len()?;
    let mut chunk = vec![0; 64 << 10];
    while end > 0 {
        let from = end.saturating_sub(chunk.len() as u64);
        let read = file.read_at(from, &mut chunk)?;
        // A file cut meanwhile is shorter than it said.
        let wanted = usize::try_from(end - from).unwrap_or(usize::MAX).min(read);
        if let Some(last) = chunk.iter().take(wanted).rposition(|byte| *byte != 0) {
            return Ok(from + last as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

/// The last part of a log from some place on. `None`: too little of it is in the window to tell.
fn within(window: &[u8], from: u64) -> Option<Result<Tail, Damage>> {
    let lines = lines(window, from);
    // Where it does not begin with the log the first line is believed; the next one proves it.
    let believed = lines.first().and_then(|(_, line)| line.as_ref()).filter(|_| from > 0);
    let mut next = believed.map_or(Start::FIRST, |claimed| Start {
        at: lines.get(1).map_or(from, |(at, _)| *at),
        seq: claimed.line.seq + 1,
        before: claimed.line.hash,
    });
    let (mut index, mut mark) = (usize::from(believed.is_some()), (from == 0).then_some(0));
    while let Some((at, Some(claimed))) = lines.get(index) {
        if claimed.line.seq != next.seq || !claimed.follows(&next.before) {
            break;
        }
        if claimed.marked {
            mark = Some(*at);
        }
        index += 1;
        let end = lines.get(index).map_or(window.len() as u64 + from, |(after, _)| *after);
        next = Start { at: end, seq: next.seq + 1, before: claimed.line.hash };
    }
    let torn = part(window, next.at.saturating_sub(from), u64::MAX);
    // A mark after what is broken, or after what is not there: that had been whole once.
    let mut rest = lines.iter().skip(index).enumerate();
    let is_later = |(after, line): (usize, &Claimed<'_>)| line.marked && (after > 0 || line.line.seq != next.seq);
    let marked_later = rest.any(|(after, (_, line))| line.as_ref().is_some_and(|line| is_later((after, line))));
    if marked_later || mark.is_some() && torn.len() as u64 > MAX_UNSURE {
        return Some(Err(Damage { seq: next.seq, at: next.at, fault: Fault::Garbled }));
    }
    let unsure = part(window, mark? - from, next.at - from).to_vec();
    let torn = (!torn.is_empty()).then(|| Torn { at: next.at, bytes: torn.to_vec() });
    Some(Ok(Tail { next, unsure, torn }))
}

fn part(window: &[u8], from: u64, to: u64) -> &[u8] {
    let place = |at: u64| usize::try_from(at).map_or(window.len(), |at| at.min(window.len()));
    window.get(place(from)..place(to)).unwrap_or_default()
}

/// What stands between line breaks, with its place; `None` for what is no line, or has no end. Where the window does not
/// begin with the log, its first part belongs to a line that began before.
fn lines(window: &[u8], from: u64) -> Vec<(u64, Option<Claimed<'_>>)> {
    let mut found = Vec::new();
    let mut at = from;
    for text in window.split_inclusive(|byte| *byte == b'\n') {
        let whole = text.strip_suffix(b"\n").and_then(Claimed::parse);
        if at > from || from == 0 {
            found.push((at, whole));
        }
        at += text.len() as u64;
    }
    found
}
