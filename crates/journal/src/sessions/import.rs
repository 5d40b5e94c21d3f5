//! A session brought from a file that [`Sessions::export`] wrote: checked line by line, and there only when all of it is.

mod staged;

use std::collections::BTreeSet;
use std::io::{BufRead, Read};
use std::path::Path;

use responses::json::Object;

use super::error::disk;
use super::{MAX_DEPTH, SessionError, SessionId, Sessions};
use crate::blobs::{Reference, references, unhex};
use crate::log::{Hash, MAX_BODY};
use crate::record::{FORMAT, Record, Stamped};
use staged::{Staged, Verdict};

/// How much of a line of an export is not the string or the record in it.
const AROUND: u64 = 1 << 10;

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The session that was exported.
    pub id: SessionId,
    /// Sessions that were not here, or less of them: its past, and itself.
    pub new: Vec<SessionId>,
    /// Those that were here as they are in the export, or with more.
    pub there: Vec<SessionId>,
}

/// One line of an export.
enum Line<'a> {
    Begin { id: SessionId },
    Session(SessionId),
    Blob { hash: Hash, text: Option<&'a str> },
    Record { seq: u64, hash: Hash, body: &'a str },
    Damage(String),
    End { id: SessionId, records: u64 },
}

struct Importer<'a> {
    sessions: &'a Sessions,
    id: Option<SessionId>,
    staged: Vec<Staged>,
    /// Strings of the session that is being read.
    delivered: BTreeSet<Hash>,
    records: u64,
    ended: bool,
}

impl Sessions {
    /// Takes in a session with its past, line by line as it was. What is here already must be the same, or the
    /// beginning of it, or more.
    pub fn import(&self, from: &mut dyn BufRead) -> Result<Imported, SessionError> {
        let mut importer = Importer {
            sessions: self,
            id: None,
            staged: Vec::new(),
            delivered: BTreeSet::new(),
            records: 0,
            ended: false,
        };
        let done = importer.read(from).and_then(|id| importer.publish(id));
        if done.is_err() {
            for staged in importer.staged {
                staged.forget(self);
            }
        }
        done
    }
}

impl Importer<'_> {
    fn read(&mut self, from: &mut dyn BufRead) -> Result<SessionId, SessionError> {
        let most = self.sessions.limits.record_bytes.max(MAX_BODY as u64) + AROUND;
        let (mut buffer, mut number) = (Vec::new(), 0);
        loop {
            number += 1;
            buffer.clear();
            let read = Read::take(&mut *from, most).read_until(b'\n', &mut buffer);
            let read = read.map_err(disk("reading", Path::new("the export")))?;
            let wrong = |what: String| SessionError::Import { line: number, what };
            if read == 0 {
                let id = self.id.filter(|_| self.ended);
                return id.ok_or_else(|| wrong("it ends before its end: it was cut off".to_owned()));
            }
            let text = str::from_utf8(&buffer).ok().and_then(|text| text.strip_suffix('\n'));
            let line =
                text.and_then(Line::parse).ok_or_else(|| wrong("it is not as exports are written".to_owned()))?;
            self.take(line).map_err(|error| match error {
                Wrong::Line(what) => wrong(what),
                Wrong::Session(error) => error,
            })?;
        }
    }

    fn take(&mut self, line: Line<'_>) -> Result<(), Wrong> {
        if self.ended || self.id.is_none() != matches!(line, Line::Begin { .. }) {
            return Err(Wrong::line("it does not belong there"));
        }
        match line {
            Line::Begin { id } => self.id = Some(id),
            Line::Session(id) => {
                self.finish_section()?;
                self.delivered.clear();
                if self.staged.len() == MAX_DEPTH {
                    return Err(Wrong::line("the past of the session is of more sessions than are read"));
                }
                self.staged.push(Staged::begin(self.sessions, id)?);
            }
            Line::Blob { hash, text } => self.blob(hash, text)?,
            Line::Record { seq, hash, body } => self.record(seq, hash, body)?,
            Line::Damage(what) => {
                return Err(Wrong::Line(format!("the session was damaged where it was exported: {what}")));
            }
            Line::End { id, records } => {
                self.finish_section()?;
                let is_the_last = self.staged.last().is_some_and(|staged| staged.id == id) && self.id == Some(id);
                if !is_the_last || records != self.records {
                    return Err(Wrong::line("it does not end what began: something is missing"));
                }
                self.ended = true;
            }
        }
        Ok(())
    }

    fn finish_section(&mut self) -> Result<(), Wrong> {
        if let Some(staged) = self.staged.last_mut() {
            if staged.next.seq == 0 {
                return Err(Wrong::line("a session without records stands before it"));
            }
            staged.finish()?;
        }
        Ok(())
    }

    fn blob(&mut self, hash: Hash, text: Option<&str>) -> Result<(), Wrong> {
        let staged = self.staged.last_mut().ok_or_else(|| Wrong::line("it belongs to no session"))?;
        if let Some(text) = text {
            if Hash::of(text.as_bytes()) != hash {
                return Err(Wrong::line("the string is not what its hash says"));
            }
            staged.put(Reference { hash, bytes: text.len() as u64 }, text)?;
        }
        self.delivered.insert(hash);
        Ok(())
    }

    fn record(&mut self, seq: u64, hash: Hash, body: &str) -> Result<(), Wrong> {
        if let Some(missing) = references(body).iter().find(|reference| !self.delivered.contains(&reference.hash)) {
            return Err(Wrong::Line(format!("it names the string {}, which did not come before it", missing.hash)));
        }
        if seq == 0 {
            self.check_head(body)?;
        }
        let staged = self.staged.last_mut().ok_or_else(|| Wrong::line("it belongs to no session"))?;
        staged.line(seq, hash, body)?;
        self.records += 1;
        Ok(())
    }

    /// The first record names its session, and the one before it in the export as its past.
    fn check_head(&self, body: &str) -> Result<(), Wrong> {
        let mut last = self.staged.iter().rev();
        let (this, past) = (last.next().map(|staged| staged.id), last.next());
        let Record::Session(head) = Stamped::parse(body).record else {
            return Err(Wrong::line("a session does not begin like this"));
        };
        let past = past.map(|past| (past.id, past.next.seq.checked_sub(1), past.next.before));
        let forked = head.forked.map(|forked| (forked.from, Some(forked.seq), forked.hash));
        if Some(head.id) == this && past == forked {
            return Ok(());
        }
        Err(Wrong::line("the session is another one, or its past is not what stands before it"))
    }

    /// Puts all of it in its place, once nothing stands against any of it.
    fn publish(&mut self, id: SessionId) -> Result<Imported, SessionError> {
        let mut imported = Imported { id, new: Vec::new(), there: Vec::new() };
        let sessions = self.sessions;
        let _nobody_removes_a_past = sessions.lock()?;
        let verdicts = self.staged.iter_mut().map(|staged| staged.verdict(sessions)).collect::<Result<Vec<_>, _>>()?;
        for (staged, verdict) in self.staged.drain(..).zip(verdicts) {
            match verdict {
                Verdict::New => imported.new.push(staged.id),
                Verdict::There => imported.there.push(staged.id),
            }
            staged.publish(self.sessions, verdict)?;
        }
        Ok(imported)
    }
}

/// Why a line cannot be taken.
enum Wrong {
    Line(String),
    Session(SessionError),
}

impl Wrong {
    fn line(what: &str) -> Self {
        Self::Line(what.to_owned())
    }
}

impl From<SessionError> for Wrong {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl<'a> Line<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("{\"seq\":") {
            let (seq, rest) = rest.split_once(",\"hash\":\"")?;
            let (hash, body) = rest.split_once("\",\"record\":")?;
            let body = body.strip_suffix('}')?;
            return Some(Self::Record { seq: seq.parse().ok()?, hash: unhex(hash)?, body });
        }
        if let Some(rest) = text.strip_prefix("{\"blob\":\"") {
            let (hash, rest) = rest.split_once("\",\"")?;
            let hash = unhex(hash)?;
            let text = rest.strip_prefix("text\":\"").and_then(|text| text.strip_suffix("\"}"));
            let is_whole = text.is_some() || rest.starts_with("lost\":");
            return is_whole.then_some(Self::Blob { hash, text });
        }
        let object = Object::parse(text).ok()?;
        let id = |key| object.read::<SessionId>(key).ok();
        if object.get("capstan").is_some() {
            let is_ours = object.get("capstan") == Some("\"session\"") && object.read::<u32>("format") == Ok(FORMAT);
            return id("id").filter(|_| is_ours).map(|id| Self::Begin { id });
        }
        if object.get("end").is_some() {
            return Some(Self::End { id: id("end")?, records: object.read("records").ok()? });
        }
        if let Some(damage) = object.get("damage") {
            return Some(Self::Damage(damage.to_owned()));
        }
        id("session").map(Self::Session)
    }
}
