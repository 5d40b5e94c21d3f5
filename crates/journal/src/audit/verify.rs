//! Is the log as it was written? Read once, in constant memory, with nothing but the public key.
//!
//! The chain of hashes finds what was changed by accident or by somebody who knows no better. It has no key, so whoever
//! may write the file can make a new one that is whole; what cannot be made is a signature. So at every checkpoint the
//! tree of the records so far is compared with the one that was signed, and what differs is named as narrowly as two
//! checkpoints and the peaks of the tree allow.

mod acts;
mod finding;

use std::ops::Range;
use std::path::Path;

use policy::act::Hash;

use super::AuditError;
use super::checkpoint::{Checkpoint, PublicKey};
use super::merkle::{self, Frontier};
use super::source::{Mark, Marks, Source};
use crate::disk::Disk;
use crate::log::{Damage, Found, Line, Reader};
use acts::Acts;
use finding::MAX_UNSIGNED;

pub use acts::{Act, MAX_ACTS_SHOWN};
pub use finding::{Finding, MAX_FINDINGS, Why};

/// What is trusted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// The key. Without it, the one that lies beside the log: then whoever wrote the log anew may have put it there.
    pub key: Option<&'a PublicKey>,
    /// The text of a checkpoint that was kept elsewhere.
    pub since: Option<&'a str>,
}

/// What was found out.
#[derive(Debug, Clone)]
pub struct Report {
    /// The key that the signatures were compared with.
    pub key: PublicKey,
    /// How many records there are.
    pub entries: u64,
    /// What is wrong, in the order of the log; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more_findings: u64,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// The one that covers most.
    pub latest: Option<Checkpoint>,
    /// How many records no checkpoint covers.
    pub newer: u64,
    /// How many bytes stand after the last record: of one that was never whole.
    pub unfinished: usize,
    /// Acts that have begun and not ended, or not yet; at most [`MAX_ACTS_SHOWN`].
    pub open: Vec<Act>,
    /// How many there are.
    pub open_count: u64,
    /// Ends of acts that were not open: they had ended before, or their begin could not be written.
    pub loose: Vec<Act>,
    /// How many there are.
    pub loose_count: u64,
    /// How many records are of no kind that this version knows.
    pub unknown: u64,
}

impl Report {
    /// Whether all is as it was signed. What is newer than the latest checkpoint does not count.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies the audit folder of a home.
pub fn folder(on: &dyn Disk, folder: &Path, trust: Trust<'_>) -> Result<Report, AuditError> {
    verify(on, Source::folder(on, folder, trust.key)?, trust)
}

/// Verifies an export.
pub fn bundle(on: &dyn Disk, file: &Path, trust: Trust<'_>) -> Result<Report, AuditError> {
    verify(on, Source::bundle(on, file, trust.key)?, trust)
}

fn verify(on: &dyn Disk, source: Source, trust: Trust<'_>) -> Result<Report, AuditError> {
    let key = trust.key.unwrap_or(&source.own_key).clone();
    let since = trust.since.map(|note| Checkpoint::read(note.trim_end_matches('\0'), &key));
    let mut walk = Walk::new(&source, since.transpose().map_err(AuditError::Since)?);
    if key != source.own_key {
        walk.found(Finding::OtherKey);
    }
    let (mut reader, mut marks) = source.open(on)?;
    let mut mark = walk.mark(&mut marks)?;
    loop {
        walk.at = reader.stopped().at - walk.base;
        while let Some(due) = mark.take_if(|mark| mark.size() <= walk.next) {
            walk.compare(&due);
            mark = walk.mark(&mut marks)?;
        }
        if let Some(since) = walk.since.take_if(|since| since.size() <= walk.next) {
            walk.compare(&since);
        }
        if reader.stopped().at >= walk.end {
            break;
        }
        match reader.next()? {
            Some(Found::Line(line)) => walk.line(&line),
            Some(Found::Damage(damage)) => walk.damaged(&damage),
            None => break,
        }
        walk.next = reader.stopped().seq;
    }
    while mark.is_some() {
        mark = walk.mark(&mut marks)?;
    }
    Ok(walk.report(key, &reader))
}

/// The way through a log.
struct Walk {
    base: u64,
    end: u64,
    /// The number of the next record, and where it begins.
    next: u64,
    at: u64,
    /// The tree of the records so far, if all of them are known.
    tree: Option<Frontier>,
    /// The hash of the last record, as long as nothing was wrong.
    chain: Option<Hash>,
    /// Up to here the tree was compared with one that was signed.
    compared: u64,
    since: Option<Checkpoint>,
    latest: Option<Checkpoint>,
    /// How many records the last checkpoint covers that was read.
    order: u64,
    entries: u64,
    checkpoints: u64,
    findings: Vec<Finding>,
    more: u64,
    acts: Acts,
}

impl Walk {
    fn new(source: &Source, since: Option<Checkpoint>) -> Self {
        Self {
            base: source.base,
            end: source.end,
            next: 0,
            at: 0,
            tree: Some(Frontier::EMPTY),
            chain: Some(Checkpoint::EMPTY.chain),
            compared: 0,
            latest: since.clone(),
            since,
            order: 0,
            entries: 0,
            checkpoints: 0,
            findings: Vec::new(),
            more: 0,
            acts: Acts::default(),
        }
    }

    fn found(&mut self, finding: Finding) {
        let joined = self.findings.last_mut().is_some_and(|last| last.joins(&finding));
        if joined {
            return;
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// The next checkpoint that is one.
    fn mark(&mut self, marks: &mut Marks) -> Result<Option<Checkpoint>, AuditError> {
        while let Some(Mark { file, at, read }) = marks.next()? {
            match read {
                Ok((checkpoint, _)) => {
                    self.checkpoints += 1;
                    let size = checkpoint.size();
                    if size < self.order {
                        self.found(Finding::Checkpoint { file, at, why: Why::Order });
                    }
                    self.order = size;
                    if self.latest.as_ref().is_none_or(|latest| latest.size() <= size) {
                        self.latest = Some(checkpoint.clone());
                    }
                    return Ok(Some(checkpoint));
                }
                Err(why) => {
                    let why = why.map_or(Why::Missing, Why::Note);
                    self.found(Finding::Checkpoint { file, at, why });
                }
            }
        }
        Ok(None)
    }

    fn line(&mut self, line: &Line<'_>) {
        self.entries += 1;
        if let Some(tree) = &mut self.tree {
            tree.push(merkle::leaf(line.body.as_bytes()));
        }
        if let Some(chain) = &mut self.chain {
            *chain = line.hash;
        }
        self.acts.see(line.seq, line.body);
    }

    fn damaged(&mut self, damage: &Damage) {
        self.tree = None;
        self.chain = None;
        let at = damage.at - self.base;
        self.found(Finding::Record(Damage { at, ..damage.clone() }));
    }

    /// Compares what was read with what was signed when the log had come to here.
    fn compare(&mut self, signed: &Checkpoint) {
        if signed.size() != self.next {
            // Something was wrong, and the place passed where they could be compared.
            return;
        }
        let since = self.compared;
        let same_tree = self.tree.as_ref().is_none_or(|tree| *tree == signed.tree);
        let same_chain = self.chain.is_none_or(|chain| chain == signed.chain && self.at == signed.bytes);
        if !same_tree || !same_chain {
            let differs = self.tree.as_ref().and_then(|tree| differing(tree, &signed.tree));
            let whole = since..signed.size();
            let differs =
                differs.map_or(whole.clone(), |differs| differs.start.max(whole.start)..differs.end.min(whole.end));
            // What was compared before is as it was signed then, by the same key, and not as it was signed now.
            let records = if differs.is_empty() { 0..signed.size() } else { differs };
            self.found(Finding::Rewritten { records, size: signed.size() });
            self.chain = None;
        }
        self.tree = Some(signed.tree.clone());
        self.compared = signed.size();
    }

    /// Compares what is there with what was signed when the log was longer: the full trees that both begin with.
    fn compare_beginning(&mut self, signed: &Checkpoint) {
        let Some(tree) = self.tree.take() else { return };
        for ((range, one), (other, signed_one)) in peaks(&tree).zip(peaks(&signed.tree)) {
            if range != other {
                break;
            }
            let records = range.start.max(self.compared)..range.end;
            if one != signed_one && !records.is_empty() {
                self.found(Finding::Rewritten { records, size: signed.size() });
            }
            self.compared = self.compared.max(range.end);
        }
    }

    fn report(mut self, key: PublicKey, reader: &Reader) -> Report {
        let unfinished = usize::try_from(self.end.saturating_sub(reader.stopped().at)).unwrap_or(usize::MAX);
        let latest = self.latest.take();
        let covered = latest.as_ref().map_or(0, Checkpoint::size);
        if let Some(latest) = latest.as_ref().filter(|_| covered > self.next) {
            self.compare_beginning(latest);
            self.found(Finding::Missing { records: self.next..covered, unproved: self.compared, unfinished });
        }
        if latest.is_none() && self.entries > 0 {
            self.found(Finding::Unsigned);
        }
        let newer = self.next.saturating_sub(covered);
        if latest.is_some() && newer > MAX_UNSIGNED {
            self.found(Finding::Unvouched { records: covered..self.next });
        }
        let (open, open_count) = self.acts.open();
        Report {
            key,
            entries: self.entries,
            findings: self.findings,
            more_findings: self.more,
            checkpoints: self.checkpoints,
            newer,
            latest,
            unfinished,
            open,
            open_count,
            loose_count: self.acts.loose_count,
            unknown: self.acts.unknown,
            loose: self.acts.loose,
        }
    }
}

/// The leaves in which two trees of one size differ: below the peaks that are not the same.
fn differing(one: &Frontier, other: &Frontier) -> Option<Range<u64>> {
    let both = peaks(one).zip(peaks(other));
    let ranges = both.filter(|((_, one), (_, other))| one != other).map(|((range, _), _)| range);
    ranges.reduce(|first, last| first.start..last.end)
}

fn peaks(tree: &Frontier) -> impl Iterator<Item = (Range<u64>, &Hash)> {
    tree.ranges().zip(tree.peaks())
}
