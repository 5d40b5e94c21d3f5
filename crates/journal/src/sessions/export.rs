//! A session as one file: every line of it, of the past it shares, and every string they name.
//!
//! ```text
//! {"capstan":"session","format":1,"id":"…"}
//! {"session":"…"}                                 once for each session of the past, the oldest first, and for this one
//! {"blob":"HASH","text":"…"}                      before the first line that names it
//! {"blob":"HASH","lost":"missing"}                in its place, if it is lost
//! {"seq":0,"hash":"…","record":{…}}               a line of the log; its hash is that of its chain
//! {"damage":"…"}                                  what cannot be read
//! {"end":"…","records":2}
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use responses::json::{ObjectWriter, quote};

use super::error::disk;
use super::history::{RawLine, RawStep};
use super::{SessionError, SessionId, Sessions};
use crate::blobs::{Lost, Reference, references};
use crate::record::FORMAT;

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many records, shared ones included.
    pub records: u64,
    /// How many strings that stand beside them.
    pub blobs: u64,
    /// How many bytes stand after the last record and are not in the export: see [`Verified::unfinished`].
    ///
    /// [`Verified::unfinished`]: super::Verified::unfinished
    pub unfinished: u64,
    /// What is damaged or lost. An export of a damaged session cannot be imported; one that lacks strings can.
    pub damage: Vec<String>,
}

/// How much that is wrong is named.
const MAX_NAMED: usize = 100;

struct Exporter<'a> {
    to: &'a mut dyn io::Write,
    done: Exported,
    session: Option<SessionId>,
    /// The strings of this session that are out.
    out: BTreeSet<Reference>,
    line: String,
}

impl Sessions {
    /// Writes all of a session, with the past that it shares.
    pub fn export(&self, id: SessionId, to: &mut dyn io::Write) -> Result<Exported, SessionError> {
        let mut history = self.read(id)?;
        let mut exporter =
            Exporter { to, done: Exported::default(), session: None, out: BTreeSet::new(), line: String::new() };
        exporter.said(|out| {
            let mut object = ObjectWriter::begin(out);
            object.field("capstan", "session").field("format", &FORMAT).field("id", &id);
            object.end();
        })?;
        while let Some(step) = history.next_raw()? {
            exporter.step(&step)?;
        }
        let records = exporter.done.records;
        exporter.said(|out| {
            let mut object = ObjectWriter::begin(out);
            object.field("end", &id).field("records", &records);
            object.end();
        })?;
        exporter.to.flush().map_err(writing)?;
        exporter.done.unfinished = history.unfinished();
        Ok(exporter.done)
    }
}

fn writing(error: io::Error) -> SessionError {
    disk("writing", Path::new("the export"))(error)
}

impl Exporter<'_> {
    fn step(&mut self, step: &RawStep) -> Result<(), SessionError> {
        let (RawStep::Line(RawLine { session, .. }) | RawStep::Damage { session, .. }) = step;
        if self.session != Some(*session) {
            self.session = Some(*session);
            self.out.clear();
            self.said(|out| {
                let mut object = ObjectWriter::begin(out);
                object.field("session", session);
                object.end();
            })?;
        }
        match step {
            RawStep::Line(line) => self.line(line),
            RawStep::Damage { what, .. } => {
                self.damaged(format!("{session}: {what}"));
                self.said(|out| {
                    let mut object = ObjectWriter::begin(out);
                    object.field("damage", what);
                    object.end();
                })
            }
        }
    }

    fn line(&mut self, line: &RawLine) -> Result<(), SessionError> {
        for reference in references(&line.body) {
            if self.out.insert(reference) {
                self.blob(line, reference)?;
            }
        }
        self.done.records += 1;
        self.said(|out| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{{\"seq\":{},\"hash\":\"{}\",\"record\":{}}}", line.seq, line.hash, line.body);
        })
    }

    fn blob(&mut self, line: &RawLine, reference: Reference) -> Result<(), SessionError> {
        let found = line.blobs.get(reference);
        match &found {
            Ok(_) => self.done.blobs += 1,
            // What cannot be read now may be read another time: it is not lost.
            Err(Lost::Unreadable(why)) => {
                return Err(disk("reading beside", Path::new("the log"))(io::Error::other(why.clone())));
            }
            Err(why) => {
                self.damaged(format!(
                    "{}: the string {} of record {} is {why}",
                    line.session, reference.hash, line.seq
                ));
            }
        }
        self.said(|out| {
            // Writing to a String cannot fail. What stood between quotes stands between quotes again.
            let _ = match &found {
                Ok(text) => write!(out, "{{\"blob\":\"{}\",\"text\":\"{text}\"}}", reference.hash),
                Err(why) => {
                    let _ = write!(out, "{{\"blob\":\"{}\",\"lost\":", reference.hash);
                    quote(&why.to_string(), out);
                    out.write_char('}')
                }
            };
        })
    }

    fn damaged(&mut self, what: String) {
        if self.done.damage.len() < MAX_NAMED {
            self.done.damage.push(what);
        }
    }

    fn said(&mut self, line: impl FnOnce(&mut String)) -> Result<(), SessionError> {
        self.line.clear();
        line(&mut self.line);
        self.line.push('\n');
        self.to.write_all(self.line.as_bytes()).map_err(writing)
    }
}
