//! One socket: `responses::chain::Connection` decides, this carries out. It only listens to its responses.

mod traffic;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, FuturesUnordered, SelectAll};
use futures_util::{FutureExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use responses::chain::{Connection, ConnectionEffect, Context, Powers, RunEvent, RunId, RunRequest, Time};
use responses::id::ResponseId;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Job};
use crate::keys::Holder;
use crate::response::log::{Heard, Live, Order};
use crate::response::runs::Idempotency;
use traffic::{Came, Traffic};

/// How long a loop sleeps when nothing has a deadline.
const A_WHILE: std::time::Duration = std::time::Duration::from_hours(1);

/// What the connections of a gateway can do where nobody said otherwise: any response can be stopped.
const POWERS: Powers = Powers { steer: true, inject: false, interrupt: true };

/// Serves one socket until it ends. `stop` asks it to come to an end.
pub(crate) async fn serve(io: TokioIo<Upgraded>, engine: Arc<Engine>, holder: Holder, stop: CancellationToken) {
    let traffic = Traffic::new(io, engine.limits.connection.frame_bytes).await;
    let connection = Connection::new(Time::default(), engine.limits.connection.clone(), POWERS);
    let born = Instant::now();
    let alarm = Box::pin(tokio::time::sleep(A_WHILE));
    let (told, sought) = (SelectAll::new(), FuturesUnordered::new());
    let socket = Socket { traffic, connection, runs: Vec::new(), told, sought, engine, holder, born, alarm };
    socket.run(stop).await;
}

/// A response that this socket listens to.
struct Running {
    run: RunId,
    live: Arc<Live>,
    /// Ends the listening.
    leave: CancellationToken,
}

/// What was looked for, and found or not.
enum Sought {
    Context(RunId, Option<Context>),
    Response(RunId, Option<Arc<Live>>),
}

struct Socket {
    traffic: Traffic,
    connection: Connection,
    runs: Vec<Running>,
    /// What the responses say, in turns.
    told: SelectAll<BoxStream<'static, (RunId, Heard)>>,
    sought: FuturesUnordered<BoxFuture<'static, Sought>>,
    engine: Arc<Engine>,
    holder: Holder,
    born: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl Socket {
    fn now(&self) -> Time {
        Time::at(self.born.elapsed())
    }

    async fn run(mut self, stop: CancellationToken) {
        let mut draining = false;
        loop {
            self.carry_out();
            if self.connection.is_closed() {
                return self.traffic.finish().await;
            }
            self.set_alarm();
            tokio::select! {
                biased;
                () = stop.cancelled(), if !draining => {
                    draining = true;
                    self.connection.drain(self.now());
                }
                () = self.alarm.as_mut() => {
                    if self.traffic.has_moved() {
                        self.connection.handle_progress();
                    }
                    self.connection.handle_deadline(self.now());
                }
                came = self.traffic.next() => self.hear(came),
                Some(sought) = self.sought.next() => self.found(sought),
                // What is said waits in its log until the socket has taken what was said before.
                Some((run, heard)) = self.told.next(), if self.traffic.is_clear() => self.tell(run, heard),
            }
        }
    }

    /// The alarm is moved only when it would ring too late: most deadlines are never reached.
    fn set_alarm(&mut self) {
        let deadline = self.connection.poll_deadline().map(|deadline| self.born + deadline.since_beginning());
        let deadline = deadline.unwrap_or_else(|| Instant::now() + A_WHILE);
        if self.alarm.is_elapsed() || deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(deadline);
        }
    }

    fn hear(&mut self, came: Came) {
        match came {
            Came::Text(text) => {
                self.engine.metrics.socket_read(text.len());
                self.connection.handle_frame(self.now(), &text);
            }
            Came::Pong => self.connection.handle_pong(),
            Came::Alive => self.connection.handle_progress(),
            Came::Binary => self.connection.handle_frame(self.now(), BINARY),
            Came::TooLarge => self.connection.handle_oversize(),
            Came::Gone => self.connection.handle_closed(),
            Came::Written => {}
        }
    }

    fn tell(&mut self, run: RunId, heard: Heard) {
        match heard {
            Heard::Events(events) => {
                if let Some(running) = self.running(run) {
                    let powers = running.live.powers();
                    self.connection.grant(run, powers);
                }
                for event in events {
                    self.connection.handle_run(run, RunEvent::Event(&event.text));
                }
            }
            Heard::Refused(error) => {
                self.connection.handle_run(run, RunEvent::Event(&error.to_event(None)));
                self.leave(run);
            }
            Heard::Ended(_) => self.leave(run),
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.connection.poll_effect() {
            match effect {
                ConnectionEffect::Send(text) => {
                    self.engine.metrics.socket_written(text.len());
                    self.traffic.send(text);
                }
                ConnectionEffect::Begin(run, request) => self.begin(run, *request),
                ConnectionEffect::Recall(run, id) => self.recall(run, id),
                ConnectionEffect::Rejoin(run, id) => self.rejoin(run, id),
                ConnectionEffect::EndEarly(run) => self.order(run, Order::Steer),
                ConnectionEffect::Interrupt(run) => self.order(run, Order::Interrupt),
                ConnectionEffect::Cancel(run) => self.order(run, Order::Cancel),
                // Nobody was granted that.
                ConnectionEffect::Inject(..) => {}
                ConnectionEffect::Unwatched(run) => self.leave(run),
                ConnectionEffect::Ping => self.traffic.ping(),
                ConnectionEffect::Close(why) => self.traffic.close(why),
            }
        }
    }

    fn begin(&mut self, run: RunId, request: RunRequest) {
        let asked = Idempotency::of(&request.request, None, || request.context.newest(request.new_items));
        match self.engine.begin(&self.holder, Job { run: request, asked }) {
            Ok(live) => self.listen(run, live),
            Err(error) => self.connection.handle_run(run, RunEvent::Event(&error.to_event(None))),
        }
    }

    fn listen(&mut self, run: RunId, live: Arc<Live>) {
        let leave = CancellationToken::new();
        let watch = live.watch(0);
        self.runs.push(Running { run, live, leave: leave.clone() });
        let heard = stream::unfold(Some((watch, leave)), move |listening| async move {
            let (mut watch, leave) = listening?;
            let heard = tokio::select! {
                biased;
                () = leave.cancelled() => return None,
                heard = watch.next() => heard,
            };
            let next = matches!(heard, Heard::Events(_)).then_some((watch, leave));
            Some(((run, heard), next))
        });
        self.told.push(heard.boxed());
    }

    fn running(&self, run: RunId) -> Option<&Running> {
        self.runs.iter().find(|running| running.run == run)
    }

    fn order(&self, run: RunId, order: Order) {
        if let Some(running) = self.running(run) {
            running.live.order(order);
        }
    }

    /// The response goes on for a while: its client may come back.
    fn leave(&mut self, run: RunId) {
        if let Some(running) = self.running(run) {
            running.leave.cancel();
        }
        self.runs.retain(|running| running.run != run);
    }

    fn recall(&self, run: RunId, id: ResponseId) {
        let (engine, owner) = (Arc::clone(&self.engine), self.holder.owner.clone());
        let key = self.connection.request_of(run).and_then(|request| Idempotency::field(request));
        if let Some(before) = key.and_then(|key| engine.runs.named(&owner, &key)) {
            // The same request came before, over a line that remembered what this one does not.
            let past = before.run.context.without_newest(before.run.new_items);
            self.sought.push(std::future::ready(Sought::Context(run, Some(past))).boxed());
            return;
        }
        let recall = async move { Sought::Context(run, engine.recall(&owner, &id).await.unwrap_or_default()) };
        self.sought.push(recall.boxed());
    }

    fn rejoin(&mut self, run: RunId, id: ResponseId) {
        if let Err(error) = self.engine.holder(&self.holder) {
            return self.connection.handle_run(run, RunEvent::Event(&error.to_event(None)));
        }
        let (engine, owner) = (Arc::clone(&self.engine), self.holder.owner.clone());
        let find = async move { Sought::Response(run, engine.find(&owner, &id).await.unwrap_or_default()) };
        self.sought.push(find.boxed());
    }

    fn found(&mut self, sought: Sought) {
        match sought {
            Sought::Context(run, context) => self.connection.handle_recalled(run, context),
            Sought::Response(run, None) => self.connection.handle_rejoined(run, None),
            Sought::Response(run, Some(live)) => {
                self.connection.handle_rejoined(run, Some(live.run.clone()));
                self.listen(run, live);
            }
        }
    }
}

/// What a message that is no text is like to the protocol: no JSON.
const BINARY: &str = "";
