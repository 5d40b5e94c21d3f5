//! One response being told: events one by one, and an end that may come early.

use std::collections::VecDeque;
use std::time::Duration;

use responses::fold::IncompleteReason;
use responses::item::Item;
use responses::usage::Usage;

use crate::events::{self, Effect, Ending, Event, Head, Place};
use crate::fault::Fault;

/// A response in the making.
#[derive(Debug)]
pub(crate) struct Play {
    head: Head,
    usage: Usage,
    faults: Vec<Fault>,
    events: VecDeque<Event>,
    /// The wait before the first event.
    opening: Duration,
    /// The wait before each event.
    pause: Duration,
    told: u64,
    whole: Vec<Item>,
    /// The item that has begun and is not whole.
    open: Option<Place>,
    ended: bool,
}

/// One event on its way.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    /// It is the last.
    pub(crate) end: Option<Ending>,
}

impl Play {
    pub(crate) fn new(head: Head, usage: Usage, events: Vec<Event>, faults: Vec<Fault>) -> Self {
        Self {
            events: events::alter(events, &faults).into(),
            head,
            usage,
            faults,
            opening: Duration::ZERO,
            pause: Duration::ZERO,
            told: 0,
            whole: Vec::new(),
            open: None,
            ended: false,
        }
    }

    /// The same, with a wait before each event.
    pub(crate) fn paced(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The same, with a longer wait before the first.
    pub(crate) fn after(self, opening: Duration) -> Self {
        Self { opening, ..self }
    }

    /// The wait before the next event.
    pub(crate) fn wait(&self) -> Duration {
        if self.told == 0 { self.opening + self.pause } else { self.pause }
    }

    /// The next event. None if the response has ended, or will not.
    pub(crate) fn next(&mut self) -> Option<Told> {
        let event = self.events.pop_front()?;
        let text = event.text(self.told);
        self.told += 1;
        let mut end = None;
        match event.effect {
            Effect::None => self.open = event.item.or(self.open.take()),
            Effect::Whole(item) => {
                self.whole.push(item);
                self.open = None;
            }
            Effect::End(ending) => {
                self.ended = true;
                end = Some(ending);
            }
        }
        Some(Told { text, end })
    }

    /// Whether there is nothing left to say.
    pub(crate) fn is_silent(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether the last event was told.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The items that were told whole.
    pub(crate) fn items(&self) -> &[Item] {
        &self.whole
    }

    /// Which response this is.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Ends early: the item that has begun is told to its end, the rest is not told.
    pub(crate) fn end_early(&mut self) {
        let open = self.open.take();
        self.events.retain(|event| match &event.item {
            Some(place) => open.as_ref() == Some(place),
            None => &*event.kind == "response.in_progress",
        });
        let mut items = self.whole.clone();
        items.extend(self.events.iter().filter_map(|event| match &event.effect {
            Effect::Whole(item) => Some(item.clone()),
            _ => None,
        }));
        self.open = open;
        let end = events::incomplete(&self.head, &IncompleteReason::Steered, &items, self.usage);
        self.end_with(vec![end]);
    }

    /// Stops at once: the item that has begun is given up.
    pub(crate) fn interrupt(&mut self) {
        self.events.retain(|event| &*event.kind == "response.in_progress");
        let mut end: Vec<_> = self.open.take().iter().map(|place| events::interrupted(&self.head, place)).collect();
        end.push(events::incomplete(&self.head, &IncompleteReason::Interrupted, &self.whole, self.usage));
        self.end_with(end);
    }

    fn end_with(&mut self, events: Vec<Event>) {
        self.events.extend(events::alter(events, &self.faults));
    }
}
