//! Reading a session from its beginning, with the past that it shares, in constant memory.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Lines, MAX_DEPTH, SessionError, SessionId, Sessions, Until};
use crate::blobs::{Attached, Blobs, Lost, Reference, attach, references};
use crate::disk::Disk;
use crate::log::{Found, Hash};
use crate::record::{Head, Record, Stamped};

/// Something found in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record.
    Entry(Box<Entry>),
    /// Something that was not written there. What can be read after it follows.
    Damage {
        /// In which session: this one, or one whose past it shares.
        session: SessionId,
        /// The number a record has there.
        seq: u64,
        /// What is wrong.
        what: String,
    },
}

/// A record where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// In which session: this one, or one whose past it shares.
    pub session: SessionId,
    /// Its number there.
    pub seq: u64,
    /// Its hash, and with it the hash of all before it there.
    pub hash: Hash,
    /// When it was, in milliseconds since 1970.
    pub at: u64,
    /// What happened.
    pub record: Record,
    /// The record as it is written, fields that are not known here among it.
    pub text: String,
    /// Strings of it that are lost; a note stands in the place of each.
    pub lost: Vec<(Reference, Lost)>,
}

/// Reads a session record by record. What is written meanwhile is read too, if it is there in time.
pub struct History {
    disk: Arc<dyn Disk>,
    segments: VecDeque<Segment>,
    current: Option<(Segment, Lines)>,
    /// The longest string that is put back.
    longest: u64,
    /// How much stood after the last line.
    unfinished: u64,
}

/// A session, or the part of one that another shares.
struct Segment {
    id: SessionId,
    log: PathBuf,
    blobs: Arc<Blobs>,
    until: Option<Until>,
}

/// A line of a log as it stands there.
pub(super) struct RawLine {
    pub(super) session: SessionId,
    pub(super) seq: u64,
    pub(super) hash: Hash,
    pub(super) body: String,
    /// Where the strings are that it names.
    pub(super) blobs: Arc<Blobs>,
}

pub(super) enum RawStep {
    Line(RawLine),
    Damage { session: SessionId, seq: u64, what: String },
}

/// What was found when all of a session was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many records are as they were written, shared ones included.
    pub records: u64,
    /// How many strings are kept beside them.
    pub blobs: u64,
    /// How many bytes stand after the last record: of one that is being written, that was never whole, or that was the
    /// last and is damaged. Nothing in the log tells which.
    pub unfinished: u64,
    /// What is not as it was written.
    pub damage: Vec<String>,
}

/// How many things that are wrong are named.
const MAX_NAMED: usize = 100;

/// A past of more sessions than are read.
pub(super) fn too_deep() -> SessionError {
    SessionError::Limit {
        what: "the number of sessions in a past",
        found: MAX_DEPTH as u64 + 1,
        limit: MAX_DEPTH as u64,
        next: "export the session and go on from a new one",
    }
}

impl Sessions {
    /// Reads a session from the beginning of its past on.
    pub fn read(&self, id: SessionId) -> Result<History, SessionError> {
        let mut segments = VecDeque::new();
        let (mut next, mut until) = (id, None);
        loop {
            if segments.len() == MAX_DEPTH {
                return Err(too_deep());
            }
            let blobs = Arc::new(Blobs::new(Arc::clone(&self.disk), &self.place(next)));
            segments.push_front(Segment { id: next, log: self.log(next), blobs, until });
            let head = self.head(next)?;
            let Some(forked) = head.forked else { break };
            (next, until) = (forked.from, Some(forked.into()));
        }
        Ok(History {
            disk: Arc::clone(&self.disk),
            segments,
            current: None,
            longest: self.limits.record_bytes,
            unfinished: 0,
        })
    }

    /// How a session begins.
    pub fn head(&self, id: SessionId) -> Result<Head, SessionError> {
        if !self.is_there(id)? {
            return Err(SessionError::NotFound { name: id.to_string() });
        }
        let mut lines = Lines::open(&self.disk, &self.log(id))?;
        let Some(Found::Line(line)) = lines.next()? else { return Err(SessionError::NoHead { id }) };
        let blobs = Blobs::new(Arc::clone(&self.disk), &self.place(id));
        let Record::Session(head) = Stamped::parse(&attach(line.body, |reference| blobs.get(reference)).text).record
        else {
            return Err(SessionError::NoHead { id });
        };
        if head.id == id { Ok(head) } else { Err(SessionError::NoHead { id }) }
    }

    /// Reads all of a session and says whether it is as it was written.
    pub fn verify(&self, id: SessionId) -> Result<Verified, SessionError> {
        let mut verified = Verified::default();
        let mut history = self.read(id)?;
        let mut damaged = |what: String| {
            if verified.damage.len() < MAX_NAMED {
                verified.damage.push(what);
            }
        };
        while let Some(step) = history.next_raw()? {
            match step {
                RawStep::Damage { session, what, .. } => damaged(format!("{session}: {what}")),
                RawStep::Line(line) => {
                    verified.records += 1;
                    for reference in references(&line.body) {
                        verified.blobs += 1;
                        if let Err(why) = line.blobs.get(reference) {
                            let RawLine { session, seq, .. } = line;
                            damaged(format!("{session}: the string {} of record {seq} is {why}", reference.hash));
                        }
                    }
                }
            }
        }
        verified.unfinished = history.unfinished;
        Ok(verified)
    }
}

impl History {
    /// How many bytes stood after the last record when it was reached: see [`Verified::unfinished`].
    pub fn unfinished(&self) -> u64 {
        self.unfinished
    }

    /// How many sessions it goes through.
    pub(super) fn depth(&self) -> usize {
        self.segments.len()
    }

    /// The next line as it stands in its log.
    pub(super) fn next_raw(&mut self) -> Result<Option<RawStep>, SessionError> {
        loop {
            if self.current.is_none() {
                let Some(segment) = self.segments.pop_front() else { return Ok(None) };
                let lines = Lines::open(&self.disk, &segment.log)?;
                self.current = Some((segment, lines));
            }
            let Some((segment, lines)) = &mut self.current else { return Ok(None) };
            let session = segment.id;
            let step = match lines.next()? {
                Some(Found::Line(line)) => RawStep::Line(RawLine {
                    session,
                    seq: line.seq,
                    hash: line.hash,
                    body: line.body.to_owned(),
                    blobs: Arc::clone(&segment.blobs),
                }),
                Some(Found::Damage(damage)) => RawStep::Damage { session, seq: damage.seq, what: damage.to_string() },
                None => {
                    let ended_early = segment.until.map(|until| until.seq);
                    self.unfinished = lines.unfinished()?;
                    self.current = None;
                    let Some(seq) = ended_early else { continue };
                    let what = format!("it ends before record {seq}, which another shares");
                    return Ok(Some(RawStep::Damage { session, seq, what }));
                }
            };
            return Ok(Some(self.up_to_the_end(step)));
        }
    }

    /// Ends the part of a session that is shared with its last record.
    fn up_to_the_end(&mut self, step: RawStep) -> RawStep {
        let until = self.current.as_ref().and_then(|(segment, _)| segment.until);
        let (Some(until), RawStep::Line(line)) = (until, &step) else { return step };
        if line.seq < until.seq {
            return step;
        }
        self.current = None;
        if line.seq == until.seq && line.hash == until.hash {
            return step;
        }
        let what = format!("record {} is not the one that another session shares", until.seq);
        RawStep::Damage { session: line.session, seq: until.seq, what }
    }

    /// The next record, without the strings that stand beside the log, as long as it can be read without them.
    pub(super) fn next_detached(&mut self) -> Result<Option<Step>, SessionError> {
        let longest = self.longest;
        Ok(self.next_raw()?.map(|step| match step {
            RawStep::Damage { session, seq, what } => Step::Damage { session, seq, what },
            RawStep::Line(line) => Step::Entry(Box::new(line.entry(glance(&line.body, &line.blobs, 0, longest)))),
        }))
    }
}

impl RawLine {
    fn entry(&self, Attached { text, lost }: Attached) -> Entry {
        let Stamped { at, record } = Stamped::parse(&text);
        let Self { session, seq, hash, .. } = *self;
        Entry { session, seq, hash, at, record, text, lost }
    }
}

/// A record from its line, with the strings that are not longer than a bound.
fn attached(body: &str, blobs: &Blobs, longest: u64) -> Attached {
    attach(body, |reference| if reference.bytes > longest { Err(Lost::TooLong) } else { blobs.get(reference) })
}

/// The same for one who wants to look at short strings only: a record is put back whole if it cannot be read otherwise.
pub(crate) fn glance(body: &str, blobs: &Blobs, short: u64, longest: u64) -> Attached {
    let glanced = attached(body, blobs, short);
    let is_in_a_blob =
        !glanced.lost.is_empty() && matches!(Stamped::parse(&glanced.text).record, Record::Unknown { .. });
    if is_in_a_blob { attached(body, blobs, longest) } else { glanced }
}

impl Iterator for History {
    type Item = Result<Step, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let longest = self.longest;
        match self.next_raw() {
            Ok(step) => step.map(|step| match step {
                RawStep::Damage { session, seq, what } => Ok(Step::Damage { session, seq, what }),
                RawStep::Line(line) => {
                    Ok(Step::Entry(Box::new(line.entry(attached(&line.body, &line.blobs, longest)))))
                }
            }),
            Err(error) => {
                self.segments.clear();
                self.current = None;
                Some(Err(error))
            }
        }
    }
}
