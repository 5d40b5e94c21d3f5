//! Sessions begun, gone on with, and forked.

use std::sync::Arc;

use super::error::disk;
use super::history::{Step, too_deep};
use super::pending::Pending;
use super::session::{Kept, Session};
use super::{Lines, MAX_DEPTH, New, SessionError, SessionId, Sessions};
use crate::blobs::Blobs;
use crate::log::{Found, LogError, Opened, Sharing, Start, Torn, Writer, make_sure};
use crate::record::{FORMAT, Forked, Head, Record};

/// How much of what was torn off is kept in the record about it.
const MAX_TORN: usize = 4 << 10;

/// What was found when a session was opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// How it begins.
    pub head: Head,
    /// What stood at its end and was never whole. It is written down as a record.
    pub torn: Option<Torn>,
    /// What was begun and has no end, in the shared past too.
    pub pending: Pending,
}

impl Sessions {
    /// Begins a session. It is there, and stays there, when this returns.
    pub async fn create(&self, new: New) -> Result<Session, SessionError> {
        self.begin(new, None).await
    }

    async fn begin(&self, new: New, forked: Option<Forked>) -> Result<Session, SessionError> {
        let New { id, at, version, cwd } = new;
        let place = self.place(id);
        self.disk.create_folder(&place).map_err(disk("making", &place))?;
        let (writer, opened) = self.writer(id)?;
        if opened.next != Start::FIRST {
            return Err(SessionError::Exists { id });
        }
        let session = self.session(id, writer, 0);
        let head = Record::Session(Head { format: FORMAT, version, id, cwd, forked });
        let begun = match self.disk.sync_folder(&self.folder).map_err(disk("writing", &self.folder)) {
            Ok(()) => session.append(at, head).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            // What went wrong first is told; the session is given up either way.
            let _ = session.close().await;
            return Err(error);
        }
        Ok(session)
    }

    /// Goes on with a session: nobody else may write it until it is closed.
    pub async fn resume(&self, id: SessionId, at: u64) -> Result<(Session, Resumed), SessionError> {
        let sessions = self.clone();
        let (head, writer, Opened { next, torn }) = blocking(move || sessions.reopen(id)).await?;
        let sessions = self.clone();
        let found = blocking(move || Ok((sessions.pending(id)?, sessions.beside(id)?))).await;
        let (session, found) = match found {
            Ok((pending, beside)) => (self.session(id, writer, next.at + beside), Ok(pending)),
            Err(error) => (self.session(id, writer, next.at), Err(error)),
        };
        // It is cut off already: whatever else is wrong, it is written down.
        let named = match &torn {
            Some(torn) => session.append(at, torn_record(torn)).await.map(drop),
            None => Ok(()),
        };
        match found.and_then(|pending| named.map(|()| pending)) {
            Ok(pending) => Ok((session, Resumed { head, torn, pending })),
            Err(error) => {
                let _ = session.close().await;
                Err(error)
            }
        }
    }

    fn reopen(&self, id: SessionId) -> Result<(Head, Writer, Opened), SessionError> {
        let head = self.head(id)?;
        if head.format > FORMAT {
            return Err(SessionError::Newer { id, version: head.version, format: head.format });
        }
        let (writer, opened) = self.writer(id)?;
        if opened.next == Start::FIRST {
            return Err(SessionError::NotFound { name: id.to_string() });
        }
        Ok((head, writer, opened))
    }

    /// How much stands beside the log of a session.
    fn beside(&self, id: SessionId) -> Result<u64, SessionError> {
        let place = self.place(id);
        Blobs::new(Arc::clone(&self.disk), &place).bytes().map_err(disk("reading", &place))
    }

    /// Begins a session that shares the past of another up to a record, or up to its last. The other one may be open.
    pub async fn fork(&self, from: SessionId, at_seq: Option<u64>, new: New) -> Result<Session, SessionError> {
        let sessions = self.clone();
        let left = move || {
            let nobody_removes_it = sessions.lock()?;
            Ok((sessions.leave(from, at_seq)?, nobody_removes_it))
        };
        let (forked, _nobody_removes_it) = blocking(left).await?;
        self.begin(new, Some(forked)).await
    }

    /// Finds the record where another session is left, and makes sure that it stays.
    fn leave(&self, from: SessionId, at_seq: Option<u64>) -> Result<Forked, SessionError> {
        if self.read(from)?.depth() == MAX_DEPTH {
            return Err(too_deep());
        }
        let mut lines = Lines::open(&self.disk, &self.log(from))?;
        let mut last = None;
        while last.is_none_or(|(seq, _)| at_seq.is_none_or(|wanted| seq < wanted)) {
            match lines.next()? {
                Some(Found::Line(line)) => last = Some((line.seq, line.hash)),
                Some(Found::Damage(damage)) => {
                    return Err(Self::damaged(from, damage.seq, damage.to_string()));
                }
                None => break,
            }
        }
        let (seq, hash) = last.ok_or(SessionError::NoHead { id: from })?;
        if let Some(wanted) = at_seq.filter(|wanted| *wanted != seq) {
            return Err(SessionError::NoSuchRecord { id: from, seq: wanted, last: seq });
        }
        make_sure(&*self.disk, &self.log(from))?;
        Ok(Forked { from, seq, hash })
    }

    /// Reads all of a session for what has no end.
    fn pending(&self, id: SessionId) -> Result<Pending, SessionError> {
        let mut pending = Pending::default();
        let mut history = self.read(id)?;
        while let Some(step) = history.next_detached()? {
            match step {
                Step::Entry(entry) => pending.take(&entry.record)?,
                Step::Damage { session, seq, what } => return Err(Self::damaged(session, seq, what)),
            }
        }
        Ok(pending)
    }

    fn damaged(id: SessionId, seq: u64, what: String) -> SessionError {
        let next = match seq.checked_sub(1) {
            Some(good) => format!("use `capstan sessions fork {id} --at {good}` to go on from what is whole"),
            None => format!("use `capstan sessions export {id}` to keep what can be read"),
        };
        SessionError::Damaged { id, what, next }
    }

    fn writer(&self, id: SessionId) -> Result<(Writer, Opened), SessionError> {
        let opened = Writer::open(Arc::clone(&self.disk), &self.log(id), Sharing::Own, None);
        opened.map_err(|error| match error {
            LogError::InUse { .. } => SessionError::InUse { id },
            LogError::Damaged { damage, .. } => Self::damaged(id, damage.seq, damage.to_string()),
            other => other.into(),
        })
    }

    fn session(&self, id: SessionId, writer: Writer, bytes: u64) -> Session {
        let place = self.place(id);
        let blobs = Blobs::new(Arc::clone(&self.disk), &place);
        let kept = Kept { blobs, redactor: Arc::clone(&self.redactor), place };
        Session::new(id, writer, kept, (bytes, self.limits))
    }
}

fn torn_record(Torn { at: offset, bytes }: &Torn) -> Record {
    let text = String::from_utf8_lossy(bytes.get(..MAX_TORN).unwrap_or(bytes)).into_owned();
    Record::Torn { offset: *offset, bytes: bytes.len() as u64, text }
}

/// Does what may wait for the disk.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, SessionError> + Send + 'static,
) -> Result<T, SessionError> {
    tokio::task::spawn_blocking(act).await.map_err(|_| SessionError::Ending)?
}
