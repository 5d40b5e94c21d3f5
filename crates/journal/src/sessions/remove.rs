//! Sessions removed: those that are named, and those that are too old or too many.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::error::disk;
use super::{NEW, NEW_LOG, SessionError, SessionId, Sessions};
use crate::blobs::{Blobs, listed};
use crate::disk::{File, How};
use crate::log::MAX_BODY;
use crate::record::Stamped;

/// How long what was begun and never made is left alone: somebody may be making it.
const UNMADE: Duration = Duration::from_hours(24);

/// What is kept of all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Those that changed within this time.
    pub age: Option<Duration>,
    /// Of these the latest, up to so many bytes in all.
    pub bytes: Option<u64>,
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// The sessions.
    pub removed: Vec<SessionId>,
    /// How much of the disk they had.
    pub bytes: u64,
    /// Sessions that are too old or too many, and in use.
    pub in_use: Vec<SessionId>,
}

/// What is known of a session to judge whether it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    id: SessionId,
    changed: u64,
    bytes: u64,
    past: Option<SessionId>,
}

impl Sessions {
    /// Removes sessions, and those that share their past if that is wanted. Says which are gone.
    pub fn remove(&self, ids: &[SessionId], with_forks: bool) -> Result<Vec<SessionId>, SessionError> {
        let _nobody_forks = self.lock()?;
        let forks = self.forks(ids)?;
        let mut gone: Vec<SessionId> = Vec::new();
        let mut next: Vec<SessionId> = ids.to_vec();
        while let Some(id) = next.pop() {
            if gone.contains(&id) {
                continue;
            }
            let others: Vec<_> =
                forks.get(&id).into_iter().flatten().filter(|fork| !ids.contains(fork)).copied().collect();
            if !others.is_empty() && !with_forks {
                return Err(SessionError::HasForks { id, forks: others });
            }
            next.extend(forks.get(&id).into_iter().flatten());
            gone.push(id);
        }
        let held = gone.iter().map(|id| self.hold(*id)?.ok_or(SessionError::InUse { id: *id }));
        let held = held.collect::<Result<Vec<_>, _>>()?;
        // A past goes after what shares it. Forks are younger than what they fork; ids are sorted by time.
        let mut held: Vec<_> = gone.iter().copied().zip(held).collect();
        held.sort_by_key(|(id, _)| depth(*id, &forks));
        for (id, file) in held {
            self.erase(id)?;
            drop(file);
        }
        Ok(gone)
    }

    /// Which sessions share the past of which. Of those that are removed anyway it need not be known.
    fn forks(&self, removed: &[SessionId]) -> Result<BTreeMap<SessionId, Vec<SessionId>>, SessionError> {
        let mut forks: BTreeMap<SessionId, Vec<SessionId>> = BTreeMap::new();
        for id in self.ids()? {
            let past = match self.past(id) {
                Err(_) if removed.contains(&id) => None,
                past => past?,
            };
            if let Some(past) = past {
                forks.entry(past).or_default().push(id);
            }
        }
        Ok(forks)
    }

    /// The session whose past another shares. What cannot be read now may share one, and is an error.
    fn past(&self, id: SessionId) -> Result<Option<SessionId>, SessionError> {
        match self.head(id) {
            Ok(head) => Ok(head.forked.map(|forked| forked.from)),
            Err(SessionError::NotFound { .. } | SessionError::NoHead { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps others from writing a session; `None` if somebody does.
    fn hold(&self, id: SessionId) -> Result<Option<Box<dyn File>>, SessionError> {
        if !self.is_there(id)? {
            return Err(SessionError::NotFound { name: id.to_string() });
        }
        let path = self.log(id);
        let file = self.disk.open(&path, How::Write).map_err(disk("opening", &path))?;
        let free = file.try_lock().and_then(|free| Ok(free && file.is_named(&path)?));
        Ok(free.map_err(disk("locking", &path))?.then_some(file))
    }

    /// Removes a session: its log first, so that a part of one is none.
    fn erase(&self, id: SessionId) -> Result<(), SessionError> {
        let (place, log) = (self.place(id), self.log(id));
        self.disk.remove(&log).map_err(disk("removing", &log))?;
        self.disk.sync_folder(&place).map_err(disk("removing", &log))?;
        self.disk.remove_folder(&place).map_err(disk("removing", &place))?;
        self.disk.sync_folder(&self.folder).map_err(disk("removing", &place))
    }

    /// Removes what is too old, and the oldest of what is too much: never what is open, and never the past of what is
    /// kept. With `only_say`, says what would be removed.
    pub fn prune(&self, now: u64, keep: &Keep, only_say: bool) -> Result<Pruned, SessionError> {
        let _nobody_forks = self.lock()?;
        let mut all = Vec::new();
        for id in self.ids()? {
            all.extend(self.facts(id, now, only_say)?);
        }
        let mut pruned = Pruned::default();
        let mut plan = Plan::new(&all, now, keep);
        while let Some(facts) = plan.next() {
            let Some(_held) = self.hold(facts.id)? else {
                // What is in use stays, and so does its past: then others may have to go.
                pruned.in_use.push(facts.id);
                continue;
            };
            if !only_say {
                self.erase(facts.id)?;
            }
            pruned.bytes += facts.bytes;
            pruned.removed.push(facts.id);
            plan.is_gone(facts);
        }
        Ok(pruned)
    }

    /// What is known of a session; of what was never made, nothing, and it is removed if it is old.
    fn facts(&self, id: SessionId, now: u64, only_say: bool) -> Result<Option<Facts>, SessionError> {
        let place = self.place(id);
        if !self.is_there(id)? {
            let is_old = now.saturating_sub(id.began()) > milliseconds(UNMADE);
            if is_old && !only_say && self.is_left_alone(id)? {
                self.disk.remove_folder(&place).map_err(disk("removing", &place))?;
            }
            return Ok(None);
        }
        if !only_say {
            self.sweep(id)?;
        }
        let log = self.log(id);
        let file = self.disk.open(&log, How::Read).map_err(disk("reading", &log))?;
        let length = file.len().map_err(disk("reading", &log))?;
        let changed = last_time(&*file, length).map_err(disk("reading", &log))?.unwrap_or(id.began());
        let blobs = Blobs::new(Arc::clone(&self.disk), &place).bytes().map_err(disk("reading", &place))?;
        let past = self.past(id)?;
        Ok(Some(Facts { id, changed, bytes: length + blobs, past }))
    }

    /// Removes what an import that did not come to its end has left beside a log. One that is under way has the lock.
    fn sweep(&self, id: SessionId) -> Result<(), SessionError> {
        let place = self.place(id);
        let names = listed(&*self.disk, &place).map_err(disk("listing", &place))?;
        let is_there = |name: &str| names.iter().any(|found| found == name);
        if !is_there(NEW_LOG) && !is_there(NEW) {
            return Ok(());
        }
        let path = place.join(NEW_LOG);
        let remove = || {
            let file = self.disk.open(&path, How::Write)?;
            if !file.try_lock()? || !file.is_named(&path)? {
                return Ok(());
            }
            if is_there(NEW) {
                self.disk.remove_folder(&place.join(NEW))?;
            }
            self.disk.remove(&path)
        };
        remove().map_err(disk("removing", &path))
    }

    /// Whether nobody imports a session of this name.
    fn is_left_alone(&self, id: SessionId) -> Result<bool, SessionError> {
        let path = self.place(id).join(NEW_LOG);
        match self.disk.open(&path, How::Read).and_then(|file| file.try_lock()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            free => free.map_err(disk("locking", &path)),
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How many generations of forks a session has: those that have none go first.
fn depth(id: SessionId, forks: &BTreeMap<SessionId, Vec<SessionId>>) -> usize {
    let mut depth = 0;
    let mut level = vec![id];
    while depth <= super::MAX_DEPTH {
        level = level.iter().filter_map(|id| forks.get(id)).flatten().copied().collect();
        if level.is_empty() {
            break;
        }
        depth += 1;
    }
    depth
}

/// Says what is removed, in the order in which it can be: what shares a past before that past.
struct Plan {
    all: BTreeMap<SessionId, Facts>,
    /// By how many each is shared.
    shared: BTreeMap<SessionId, usize>,
    /// Those that nothing shares, by when they changed.
    free: BTreeSet<(u64, SessionId)>,
    /// How much all have that are not gone.
    bytes: u64,
    most: Option<u64>,
    oldest: Option<u64>,
}

impl Plan {
    fn new(all: &[Facts], now: u64, keep: &Keep) -> Self {
        let mut shared: BTreeMap<SessionId, usize> = BTreeMap::new();
        for past in all.iter().filter_map(|facts| facts.past) {
            *shared.entry(past).or_default() += 1;
        }
        let free = all.iter().filter(|facts| !shared.contains_key(&facts.id)).map(|facts| (facts.changed, facts.id));
        Self {
            free: free.collect(),
            shared,
            bytes: all.iter().map(|facts| facts.bytes).sum(),
            all: all.iter().map(|facts| (facts.id, *facts)).collect(),
            most: keep.bytes,
            oldest: keep.age.map(|age| now.saturating_sub(milliseconds(age))),
        }
    }

    /// The next that is to go. It is named once, and stays if nobody says that it is gone.
    fn next(&mut self) -> Option<Facts> {
        let (changed, id) = *self.free.first()?;
        let too_much = self.most.is_some_and(|most| self.bytes > most);
        let is_due = too_much || self.oldest.is_some_and(|oldest| changed < oldest);
        self.free.pop_first().filter(|_| is_due)?;
        self.all.get(&id).copied()
    }

    fn is_gone(&mut self, facts: Facts) {
        self.bytes -= facts.bytes;
        let Some(past) = facts.past.and_then(|past| self.all.get(&past)) else { return };
        let Some(left) = self.shared.get_mut(&past.id) else { return };
        *left -= 1;
        if *left == 0 {
            self.free.insert((past.changed, past.id));
        }
    }
}

/// When the last record of a log was written that can be found near its end.
fn last_time(file: &dyn File, length: u64) -> io::Result<Option<u64>> {
    const LOOK: usize = 4 * MAX_BODY;
    let mut look = 64 << 10;
    loop {
        let from = length.saturating_sub(look as u64);
        let mut window = vec![0; look];
        let read = file.read_at(from, &mut window)?;
        window.truncate(read);
        let found = window.split(|byte| *byte == b'\n').rev().find_map(time_of);
        if found.is_some() || from == 0 || look >= LOOK {
            return Ok(found);
        }
        look *= 4;
    }
}

/// When the record of a line was written; `None` for what is no whole line.
fn time_of(line: &[u8]) -> Option<u64> {
    let body = str::from_utf8(line).ok()?.splitn(4, ' ').nth(3)?;
    Some(Stamped::parse(body).at).filter(|at| *at > 0)
}

#[cfg(test)]
mod tests;
