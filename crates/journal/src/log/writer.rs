//! The one who writes a log: a thread that takes what has gathered, writes it at once, and says when it is on the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use policy::act::Hash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::appender::Appender;
use super::line::{AROUND_BODY, Line, MAX_LINE, Start};
use super::tail::Torn;
use super::{LogError, MAX_BODY};
use crate::disk::Disk;

/// How many lines may wait to be written, and how many are written at once.
pub(crate) const MAX_WAITING: usize = 1024;

/// How many of them may be reserved.
const MAX_RESERVED: usize = MAX_WAITING / 2;

/// How many bytes may wait to be written, reserved lines aside.
const MAX_WAITING_BYTES: usize = 16 << 20;

/// How much is written at once, at most.
pub(super) const MAX_BATCH: usize = 4 << 20;

/// How long the end of a log is waited for when there are lines that were reserved and not written.
pub(super) const LAST_LINES: Duration = Duration::from_secs(10);

/// How many lines wait at most that say what was cut off.
const MAX_CUT_OFF: usize = 64;

/// Who may write a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// This writer and nobody else, until it ends.
    Own,
    /// Whoever has the file's lock, for one batch at a time.
    Shared,
}

/// Sees every line of a log in their order, whoever wrote it.
pub trait Observer: Send {
    /// A line that is there.
    fn line(&mut self, line: Line<'_>);
    /// All lines seen so far are on the disk; in a shared log, nobody else writes until this returns.
    fn synced(&mut self) -> io::Result<()>;
    /// Another process has left this at the end of a shared log, and it was cut off. The body of the line that says so,
    /// which is written before all others.
    fn cut_off(&mut self, torn: &Torn) -> String;
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub seq: u64,
    /// Its hash, and with it the hash of all before it.
    pub hash: Hash,
    /// Where the line after it begins.
    pub end: u64,
}

/// What was found when a log was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where the next line goes.
    pub next: Start,
    /// What was dropped.
    pub torn: Option<Torn>,
}

/// Writes a log. When the last of its clones is dropped what waits is written, and the file is closed.
#[derive(Clone)]
pub struct Writer {
    orders: mpsc::Sender<Order>,
    bytes: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    path: Arc<PathBuf>,
}

/// Room kept for one line, so that it can be written from where nothing can be waited for.
pub struct Reserved {
    slot: mpsc::OwnedPermit<Order>,
    path: Arc<PathBuf>,
    _one_of_them: OwnedSemaphorePermit,
}

/// When a line that was handed over is on the disk.
#[must_use = "what nobody waits for may not be on the disk yet"]
pub struct Receipt {
    told: oneshot::Receiver<Result<Place, LogError>>,
    path: Arc<PathBuf>,
}

enum Order {
    Append { body: String, told: Option<oneshot::Sender<Result<Place, LogError>>>, room: Option<OwnedSemaphorePermit> },
    Close(oneshot::Sender<Result<Place, LogError>>),
}

impl Writer {
    /// Opens a log, or makes it, and starts its thread.
    pub fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        sharing: Sharing,
        observer: Option<Box<dyn Observer>>,
    ) -> Result<(Self, Opened), LogError> {
        let (appender, torn) = Appender::open(&*disk, path, sharing == Sharing::Own)?;
        let opened = Opened { next: appender.end(), torn };
        let (orders, taken) = mpsc::channel(MAX_WAITING);
        let keeper = Keeper { appender, disk, sharing, observer, cut_off: Vec::new(), lost: None };
        let named = thread::Builder::new().name("journal".to_owned());
        named.spawn(move || keeper.run(taken)).map_err(|error| LogError::Disk {
            what: "starting a thread for",
            path: path.to_owned(),
            error: Arc::new(error),
        })?;
        let bytes = Arc::new(Semaphore::new(MAX_WAITING_BYTES));
        let reserved = Arc::new(Semaphore::new(MAX_RESERVED));
        Ok((Self { orders, bytes, reserved, path: Arc::new(path.to_owned()) }, opened))
    }

    /// Writes a line, and returns when it is on the disk.
    pub async fn append(&self, body: String) -> Result<Place, LogError> {
        self.hand_over(body).await?.on_disk().await
    }

    /// Hands a line over; the receipt says when it is on the disk.
    pub async fn hand_over(&self, body: String) -> Result<Receipt, LogError> {
        let (told, receipt) = oneshot::channel();
        self.order(body, Some(told)).await?;
        Ok(Receipt { told: receipt, path: Arc::clone(&self.path) })
    }

    /// Hands over a line that may be lost with the machine's power until one after it was asked to be on the disk. If it
    /// cannot be written, the next line that is asked for says so.
    pub async fn note(&self, body: String) -> Result<(), LogError> {
        self.order(body, None).await
    }

    async fn order(
        &self,
        body: String,
        told: Option<oneshot::Sender<Result<Place, LogError>>>,
    ) -> Result<(), LogError> {
        let length = checked(&body)?;
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(length).await.map_err(|_| self.closed())?;
        let order = Order::Append { body, told, room: Some(bytes) };
        self.orders.send(order).await.map_err(|_| self.closed())
    }

    /// Keeps room for one line.
    pub async fn reserve(&self) -> Result<Reserved, LogError> {
        let one = Arc::clone(&self.reserved).acquire_owned().await.map_err(|_| self.closed())?;
        let slot = self.orders.clone().reserve_owned().await.map_err(|_| self.closed())?;
        Ok(Reserved { slot, path: Arc::clone(&self.path), _one_of_them: one })
    }

    /// Writes what waits and what is reserved, ends the file with its last line, and says which that is. Clones cannot
    /// write any more. What is reserved and not written in time is written when it comes: then the file ends.
    pub async fn close(self) -> Result<Place, LogError> {
        self.reserved.close();
        let out = MAX_RESERVED - self.reserved.available_permits();
        let (told, receipt) = oneshot::channel();
        self.orders.send(Order::Close(told)).await.map_err(|_| self.closed())?;
        let ended = Receipt { told: receipt, path: Arc::clone(&self.path) }.on_disk();
        if out == 0 {
            return ended.await;
        }
        let late = |_| LogError::StillOpen { path: (*self.path).clone(), lines: out };
        tokio::time::timeout(LAST_LINES, ended).await.map_err(late)?
    }

    fn closed(&self) -> LogError {
        LogError::Closed { path: (*self.path).clone() }
    }
}

impl Reserved {
    /// Writes the line. It does not wait; the receipt may be waited for or not.
    pub fn write(self, body: String) -> Result<Receipt, LogError> {
        checked(&body)?;
        let (told, receipt) = oneshot::channel();
        drop(self.slot.send(Order::Append { body, told: Some(told), room: None }));
        Ok(Receipt { told: receipt, path: self.path })
    }
}

/// How long a body is, if it can be one.
fn checked(body: &str) -> Result<u32, LogError> {
    if body.contains('\n') {
        return Err(LogError::NotOneLine);
    }
    let too_long = LogError::TooLong { bytes: body.len() };
    u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_BODY).ok_or(too_long)
}

impl Receipt {
    /// Waits until the line is on the disk.
    pub async fn on_disk(self) -> Result<Place, LogError> {
        let closed = LogError::Closed { path: (*self.path).clone() };
        self.told.await.unwrap_or(Err(closed))
    }

    /// The same where there is no runtime to wait with.
    pub fn block(self) -> Result<Place, LogError> {
        let closed = LogError::Closed { path: (*self.path).clone() };
        self.told.blocking_recv().unwrap_or(Err(closed))
    }
}

/// What the thread has.
struct Keeper {
    appender: Appender,
    disk: Arc<dyn Disk>,
    sharing: Sharing,
    observer: Option<Box<dyn Observer>>,
    /// Lines that say what was cut off, and are not written yet.
    cut_off: Vec<String>,
    /// Why lines were lost that nobody waited for.
    lost: Option<LogError>,
}

/// Lines that are written at once, and who waits for them.
#[derive(Default)]
struct Batch {
    bodies: Vec<String>,
    told: Vec<(usize, oneshot::Sender<Result<Place, LogError>>)>,
    bytes: usize,
    held: Vec<OwnedSemaphorePermit>,
    close: Option<oneshot::Sender<Result<Place, LogError>>>,
}

impl Batch {
    fn take(&mut self, order: Order) {
        match order {
            Order::Append { body, told, room } => {
                self.told.extend(told.map(|told| (self.bodies.len(), told)));
                self.held.extend(room);
                self.bytes += body.len() + AROUND_BODY;
                self.bodies.push(body);
            }
            Order::Close(told) => self.close = Some(told),
        }
    }

    /// Takes out the first line that somebody waits for, and tells why: it is not there, so it can be written again.
    fn refuse_first(&mut self, error: LogError) {
        if self.told.is_empty() {
            return;
        }
        let (first, told) = self.told.remove(0);
        self.bodies.remove(first);
        self.told.iter_mut().for_each(|(index, _)| *index -= 1);
        let _ = told.send(Err(error));
    }

    /// Whether there are lines after the last that somebody waits for.
    fn ends_with_notes(&self) -> bool {
        self.told.last().is_none_or(|(index, _)| index + 1 < self.bodies.len())
    }

    fn is_full(&self) -> bool {
        self.bytes > MAX_BATCH - MAX_LINE || self.bodies.len() == MAX_WAITING || self.close.is_some()
    }
}

impl Keeper {
    /// Ends when nobody can write any more: no writer is left, or one was closed, and what was reserved has come.
    fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut closing = None;
        while let Some(first) = orders.blocking_recv() {
            let mut batch = Batch::default();
            batch.take(first);
            while !batch.is_full() {
                let Ok(order) = orders.try_recv() else { break };
                batch.take(order);
            }
            if let Some(told) = batch.close.take() {
                orders.close();
                closing = closing.or(Some(told));
            }
            self.write(batch);
        }
        let closed = self.close();
        // Whoever is told may open it again.
        drop(self);
        let _ = closing.map(|told| told.send(closed));
    }

    /// Writes a batch and tells those who wait.
    fn write(&mut self, mut batch: Batch) {
        if let Some(error) = self.lost.take_if(|_| !batch.told.is_empty()) {
            batch.refuse_first(error);
        }
        if batch.bodies.is_empty() {
            return;
        }
        let durable = !batch.told.is_empty();
        let done = self.locked(|keeper| keeper.place_all(&batch.bodies, durable));
        if let Err(error) = &done
            && batch.ends_with_notes()
        {
            self.lost = Some(error.clone());
        }
        for (index, told) in batch.told {
            let place = done.as_ref().map(|places| places.get(index).copied()).map_err(Clone::clone);
            if let Some(place) = place.transpose() {
                let _ = told.send(place);
            }
        }
    }

    /// Does something while nobody else writes.
    fn locked<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, LogError>) -> Result<T, LogError> {
        if self.sharing == Sharing::Own {
            return act(self);
        }
        let observer = &mut self.observer;
        let seen = |line: Line<'_>| observer.iter_mut().for_each(|observer| observer.line(line));
        let torn = self.appender.lock(&*self.disk, seen)?;
        if let (Some(torn), Some(observer)) = (torn, &mut self.observer)
            && self.cut_off.len() < MAX_CUT_OFF
        {
            self.cut_off.push(observer.cut_off(&torn));
        }
        let done = act(self);
        self.appender.unlock();
        done
    }

    fn place_all(&mut self, bodies: &[String], durable: bool) -> Result<Vec<Place>, LogError> {
        let appender = &mut self.appender;
        let place = |body: &String| {
            let seq = appender.end().seq;
            let after = appender.push(body);
            Place { seq, hash: after.before, end: after.at }
        };
        let mut places: Vec<_> = self.cut_off.iter().chain(bodies).map(place).collect();
        self.appender.write()?;
        let cut_off = std::mem::take(&mut self.cut_off);
        if let Some(observer) = &mut self.observer {
            for (place, body) in places.iter().zip(cut_off.iter().chain(bodies)) {
                observer.line(Line { seq: place.seq, hash: place.hash, body });
            }
        }
        places.drain(..cut_off.len());
        if durable || self.sharing == Sharing::Shared || self.appender.is_due() {
            self.sync()?;
        }
        Ok(places)
    }

    fn sync(&mut self) -> Result<(), LogError> {
        self.appender.sync()?;
        let Some(observer) = &mut self.observer else { return Ok(()) };
        observer.synced().map_err(|error| self.appender.failed("writing beside", error))
    }

    fn close(&mut self) -> Result<Place, LogError> {
        let closed = self.locked(|keeper| {
            if !keeper.cut_off.is_empty() {
                keeper.place_all(&[], true)?;
            }
            keeper.appender.close()?;
            let next = keeper.appender.end();
            Ok(Place { seq: next.seq.saturating_sub(1), hash: next.before, end: next.at })
        });
        // A process started in this moment holds the file open, and would hold its lock.
        self.appender.unlock();
        self.lost.take().map_or(closed, Err)
    }
}
