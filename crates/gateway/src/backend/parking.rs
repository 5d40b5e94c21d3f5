//! Lines that wait for their chain to go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use responses::id::ResponseId;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use transport::Drive;

/// How long a line waits.
const MAX_WAIT: Duration = Duration::from_mins(10);

/// How many lines wait. The one that waited longest goes first.
const MAX_PARKED: usize = 512;

/// How many bytes of conversation wait with them.
const MAX_PARKED_BYTES: usize = 512 << 20;

/// What a line is found by: the chain goes on from this response, with this model, at this backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) backend: Arc<str>,
    pub(super) model: Box<str>,
    pub(super) response: ResponseId,
}

/// Who takes a line.
type Taker = oneshot::Sender<Box<Drive>>;

/// Owns the lines that wait. Each is driven by a task of its own: servers want their pings answered.
#[derive(Debug)]
pub(super) struct Parking {
    lot: watch::Sender<Lot>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _ends: DropGuard,
}

/// The places, the oldest first.
#[derive(Debug, Default)]
struct Lot {
    places: VecDeque<Place>,
}

#[derive(Debug)]
struct Place {
    ticket: Ticket,
    bytes: usize,
    /// Where to say who takes it.
    wanted: oneshot::Sender<Taker>,
}

impl Parking {
    pub(super) fn new() -> Self {
        let stop = CancellationToken::new();
        let ends = stop.clone().drop_guard();
        Self { lot: watch::Sender::new(Lot::default()), tasks: TaskTracker::new(), stop, _ends: ends }
    }

    /// Lets a line wait.
    pub(super) fn park(&self, ticket: Ticket, drive: Box<Drive>) {
        let (wanted, asked) = oneshot::channel();
        let bytes = drive.chain().transcript().bytes();
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(mind(drive, asked)));
        self.change(|lot| lot.put(Place { ticket, bytes, wanted }));
    }

    /// The line that waits for this, if there is one. It comes at once, or not at all. Whoever asks first has it.
    pub(super) fn take(&self, ticket: &Ticket) -> Option<oneshot::Receiver<Box<Drive>>> {
        let place = self.change(|lot| lot.take(ticket)).flatten()?;
        let (taker, drive) = oneshot::channel();
        place.wanted.send(taker).ok()?;
        Some(drive)
    }

    /// How many lines wait.
    pub(super) fn len(&self) -> usize {
        self.lot.borrow().places.iter().filter(|place| !place.wanted.is_closed()).count()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Lot) -> T) -> Option<T> {
        let mut outcome = None;
        self.lot.send_if_modified(|lot| {
            outcome = Some(change(lot));
            false
        });
        outcome
    }
}

impl Lot {
    fn put(&mut self, place: Place) {
        // Lines that were lost meanwhile, or waited too long.
        self.places.retain(|place| !place.wanted.is_closed());
        self.places.push_back(place);
        while self.places.len() > MAX_PARKED || self.bytes() > MAX_PARKED_BYTES {
            self.places.pop_front();
        }
    }

    fn take(&mut self, ticket: &Ticket) -> Option<Place> {
        let at = self.places.iter().position(|place| place.ticket == *ticket)?;
        self.places.remove(at)
    }

    fn bytes(&self) -> usize {
        self.places.iter().map(|place| place.bytes).sum()
    }
}

/// Drives a line until somebody takes it, nobody wants it any more, or the server has forgotten what made it worth it.
async fn mind(mut drive: Box<Drive>, mut wanted: oneshot::Receiver<Taker>) {
    let too_long = sleep(MAX_WAIT);
    tokio::pin!(too_long);
    while drive.chain().anchor().is_some() {
        tokio::select! {
            biased;
            taker = &mut wanted => {
                // Whoever wanted it may have left meanwhile.
                let _ = taker.map(|taker| taker.send(drive));
                return;
            }
            () = &mut too_long => return,
            _ = drive.next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(response: &str, bytes: usize) -> (Place, oneshot::Receiver<Taker>) {
        let (wanted, asked) = oneshot::channel();
        (Place { ticket: ticket(response), bytes, wanted }, asked)
    }

    fn ticket(response: &str) -> Ticket {
        Ticket { backend: "b".into(), model: "m".into(), response: ResponseId::from(response.to_owned()) }
    }

    #[test]
    fn a_line_is_taken_once() {
        let (mut lot, (first, _asked)) = (Lot::default(), place("r1", 1));
        lot.put(first);
        for other in
            [ticket("r2"), Ticket { model: "n".into(), ..ticket("r1") }, Ticket { backend: "c".into(), ..ticket("r1") }]
        {
            assert!(lot.take(&other).is_none(), "{other:?}");
        }
        assert!(lot.take(&ticket("r1")).is_some());
        assert!(lot.take(&ticket("r1")).is_none());
    }

    #[test]
    fn the_one_that_waited_longest_goes_first_when_there_are_too_many() {
        let mut lot = Lot::default();
        let mut asked = Vec::new();
        for at in 0..=MAX_PARKED {
            let (place, kept) = place(&at.to_string(), 1);
            lot.put(place);
            asked.push(kept);
        }
        assert_eq!(lot.places.len(), MAX_PARKED);
        assert!(lot.take(&ticket("0")).is_none() && lot.take(&ticket("1")).is_some());
    }

    #[test]
    fn or_when_they_have_too_much_to_say() {
        let mut lot = Lot::default();
        let (one, _one) = place("r1", MAX_PARKED_BYTES / 2 + 1);
        let (two, _two) = place("r2", MAX_PARKED_BYTES / 2 + 1);
        lot.put(one);
        lot.put(two);
        assert!(lot.take(&ticket("r1")).is_none() && lot.take(&ticket("r2")).is_some());
    }

    #[test]
    fn a_line_that_was_lost_makes_room() {
        let mut lot = Lot::default();
        let (left, gone) = place("r1", 1);
        lot.put(left);
        drop(gone);
        let (next, _asked) = place("r2", 1);
        lot.put(next);
        assert_eq!(lot.places.len(), 1);
    }
}
