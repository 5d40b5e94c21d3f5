//! A conversation that drives itself: a task with a chain, and a handle to it.

use std::collections::VecDeque;
use std::sync::Arc;

use responses::chain::{NotSteered, NotSubmitted, TurnId};
use responses::item::Item;
use responses::request::Settings;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::drive::{Drive, Told};
use crate::route::Choice;

/// How many orders wait.
const MAX_ORDERS: usize = 16;

/// How many things wait to be read by whoever watches, within the channel and before it.
const MAX_TOLD: usize = 256;

/// Events beyond this many that wait are passed over: what they add up to is told with the item.
const MAX_EVENTS: usize = 1024;

/// And so are events beyond this many bytes.
const MAX_EVENT_BYTES: usize = 16 << 20;

/// If so much waits that must not be passed over, nobody reads any more, and the conversation ends.
const MAX_WAITING: usize = 16 * 1024;

/// A conversation. Dropping it ends it, and what is on its way.
#[derive(Debug)]
pub struct Conversation {
    orders: mpsc::Sender<Order>,
    told: mpsc::Receiver<Heard>,
    _task: JoinSet<()>,
}

/// What is heard of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Something was told.
    Told(Told),
    /// So many events were passed over, because nobody read them in time. What they were about is told whole.
    PassedOver(u64),
}

/// The conversation has ended: nobody read what it told for too long, or its client is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the conversation has ended: begin another one with what was said so far")]
pub struct Ended;

#[derive(Debug)]
enum Order {
    Connect,
    WarmUp(Arc<Settings>),
    Submit(Vec<Item>, Arc<Settings>, oneshot::Sender<Result<TurnId, NotSubmitted>>),
    Steer(Vec<Item>, oneshot::Sender<Result<(), NotSteered>>),
    Cancel(oneshot::Sender<bool>),
    Rewrite(Vec<Item>, oneshot::Sender<Result<(), NotSubmitted>>),
    Transcript(oneshot::Sender<Vec<Item>>),
}

impl Conversation {
    pub(crate) fn start(choice: Choice, drive: Drive) -> Self {
        let (orders, taken) = mpsc::channel(MAX_ORDERS);
        let (tells, told) = mpsc::channel(MAX_TOLD);
        let mut task = JoinSet::new();
        task.spawn(run(choice, drive, taken, tells));
        Self { orders, told, _task: task }
    }

    /// The next thing that is heard; none when it has ended. Nothing is lost if this is left before it is ready.
    pub async fn next(&mut self) -> Option<Heard> {
        self.told.recv().await
    }

    /// Opens the line before it is needed, where a line is wanted.
    pub async fn connect(&self) -> Result<(), Ended> {
        self.orders.send(Order::Connect).await.map_err(|_| Ended)
    }

    /// Lets the server read what is there already.
    pub async fn warm_up(&self, settings: Arc<Settings>) -> Result<(), Ended> {
        self.orders.send(Order::WarmUp(settings)).await.map_err(|_| Ended)
    }

    /// Says something to the model. How it ends is heard, in every case. If this is left before it is ready, it may have
    /// been said all the same: [`Conversation::transcript`] knows.
    pub async fn submit(
        &self,
        items: Vec<Item>,
        settings: Arc<Settings>,
    ) -> Result<Result<TurnId, NotSubmitted>, Ended> {
        self.ask(|answer| Order::Submit(items, settings, answer)).await
    }

    /// Says something to the response that is running.
    pub async fn steer(&self, items: Vec<Item>) -> Result<Result<(), NotSteered>, Ended> {
        self.ask(|answer| Order::Steer(items, answer)).await
    }

    /// Stops the turn on its way. Says whether there was one.
    pub async fn cancel(&self) -> Result<bool, Ended> {
        self.ask(Order::Cancel).await
    }

    /// Writes the conversation anew: compacted, redacted. Only between turns.
    pub async fn rewrite(&self, items: Vec<Item>) -> Result<Result<(), NotSubmitted>, Ended> {
        self.ask(|answer| Order::Rewrite(items, answer)).await
    }

    /// What was said so far.
    pub async fn transcript(&self) -> Result<Vec<Item>, Ended> {
        self.ask(Order::Transcript).await
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, Ended> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}

/// Drives, whether or not anybody reads: others may share the socket, and the server wants its pings.
async fn run(choice: Choice, mut drive: Drive, mut orders: mpsc::Receiver<Order>, tells: mpsc::Sender<Heard>) {
    let mut waiting = Waiting::default();
    waiting.push(Told::Chosen(choice));
    while !waiting.is_too_much() {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(order) => take(&mut drive, order),
                None => return,
            },
            room = tells.reserve(), if !waiting.is_empty() => match room {
                Ok(room) => if let Some(heard) = waiting.pop() { room.send(heard) },
                Err(_) => return,
            },
            told = drive.next() => waiting.push(told),
        }
        while let Some(told) = drive.next_ready() {
            waiting.push(told);
        }
        while let Ok(room) = tells.try_reserve()
            && let Some(heard) = waiting.pop()
        {
            room.send(heard);
        }
    }
}

fn take(drive: &mut Drive, order: Order) {
    // Whoever does not wait for the answer does not want it.
    match order {
        Order::Connect => drive.connect(),
        Order::WarmUp(settings) => {
            drive.warm_up(&settings);
        }
        Order::Submit(items, settings, answer) => drop(answer.send(drive.submit(items, &settings))),
        Order::Steer(items, answer) => drop(answer.send(drive.steer(items))),
        Order::Cancel(answer) => drop(answer.send(drive.cancel())),
        Order::Rewrite(items, answer) => drop(answer.send(drive.rewrite(items))),
        Order::Transcript(answer) => drop(answer.send(drive.chain().transcript().items().to_vec())),
    }
}

/// What was told and not read yet.
#[derive(Debug, Default)]
struct Waiting {
    heard: VecDeque<Heard>,
    event_bytes: usize,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    fn is_too_much(&self) -> bool {
        self.heard.len() > MAX_WAITING
    }

    fn pop(&mut self) -> Option<Heard> {
        let heard = self.heard.pop_front()?;
        if let Heard::Told(Told::Event(text)) = &heard {
            self.event_bytes -= text.len();
        }
        Some(heard)
    }

    fn push(&mut self, told: Told) {
        if let Told::Event(text) = &told {
            if self.heard.len() >= MAX_EVENTS || self.event_bytes + text.len() > MAX_EVENT_BYTES {
                return self.pass_over();
            }
            self.event_bytes += text.len();
        }
        self.heard.push_back(Heard::Told(told));
    }

    fn pass_over(&mut self) {
        match self.heard.back_mut() {
            Some(Heard::PassedOver(events)) => *events += 1,
            _ => self.heard.push_back(Heard::PassedOver(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use responses::chain::Notice;

    use super::*;
    use crate::link::Text;

    #[test]
    fn events_that_nobody_reads_are_passed_over_and_counted_and_nothing_else_is() {
        let mut waiting = Waiting::default();
        for _ in 0..MAX_EVENTS + 5 {
            waiting.push(Told::Event(Text::from("{}".to_owned())));
        }
        waiting.push(Told::Notice(Notice::WebSocketOn));
        waiting.push(Told::Event(Text::from("{}".to_owned())));
        let tail: Vec<Heard> = waiting.heard.drain(MAX_EVENTS..).collect();
        let on = Heard::Told(Told::Notice(Notice::WebSocketOn));
        assert_eq!(tail, [Heard::PassedOver(5), on, Heard::PassedOver(1)]);
    }

    #[test]
    fn large_events_are_passed_over_before_they_fill_the_memory() {
        let mut waiting = Waiting::default();
        for _ in 0..5 {
            waiting.push(Told::Event(Text::from("x".repeat(MAX_EVENT_BYTES / 3))));
        }
        assert_eq!((waiting.heard.len(), waiting.heard.back()), (4, Some(&Heard::PassedOver(2))));
        while waiting.pop().is_some() {}
        assert_eq!(waiting.event_bytes, 0);
    }
}
