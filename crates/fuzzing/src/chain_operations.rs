//! Bytes as what may happen to a chain, in an order nobody would think of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use responses::chain::{Chain, Config, Effect, LinkId, Mode, Notice, Peer, Time, Trouble, TroubleKind, TurnId};
use responses::error::ApiError;
use responses::item::Item;
use responses::request::{Request, Settings};

/// The first byte is the configuration; each of the others is something that happens, some with arguments after them.
/// After each, what the chain did is checked; in the end everything is refused, and it must come to rest.
///
/// # Panics
///
/// If that does not hold.
pub fn chain_operations(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut world = World::new(bytes.next());
    while !bytes.0.is_empty() {
        world.step(&mut bytes);
        world.check();
    }
    world.come_to_rest();
}

/// What is left of the input; after its end, zeros.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// One of several.
    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(usize::from(self.next()) % of.len().max(1)).copied()
    }

    /// Up to the end of the line.
    fn line(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at_checked(end).unwrap_or((self.0, &[]));
        self.0 = rest;
        line
    }
}

/// How far a link is, as its owner knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Opening,
    Open,
    Posted,
    /// The other end is gone.
    Gone,
    /// The chain closed it.
    Closed,
}

struct World {
    chain: Chain,
    now: Time,
    settings: Arc<Settings>,
    links: BTreeMap<LinkId, Link>,
    running: BTreeSet<TurnId>,
    ended: BTreeSet<TurnId>,
    /// The transcript as it was.
    before: Vec<Item>,
    rewritten: bool,
    said: u32,
}

impl World {
    fn new(configuration: u8) -> Self {
        let bit = |place: u8| configuration & (1 << place) != 0;
        let mode = match (bit(0), bit(1)) {
            (false, _) => Mode::Auto,
            (true, false) => Mode::WebSocket,
            (true, true) => Mode::Http,
        };
        let frame_bytes = if bit(5) { 2_000 } else { Peer::default().frame_bytes };
        let peer = Peer { steers: bit(2), interrupts: bit(3), stores: bit(4), frame_bytes, ..Peer::default() };
        Self {
            chain: Chain::new(Config { mode, peer, seed: u64::from(configuration), ..Config::default() }),
            now: Time::default(),
            settings: settings(bit(4)),
            links: BTreeMap::new(),
            running: BTreeSet::new(),
            ended: BTreeSet::new(),
            before: Vec::new(),
            rewritten: false,
            said: 0,
        }
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.next() {
            b's' => self.submit(),
            b'w' => {
                let turn = self.chain.warm_up(self.now, &self.settings);
                self.running.extend(turn);
            }
            b'x' => self.settings = settings(bytes.next().is_multiple_of(2)),
            b't' => {
                let items = self.something_new();
                let _given_back = self.chain.steer(items);
            }
            b'c' => {
                let busy = !self.chain.is_idle();
                assert_eq!(self.chain.cancel(self.now), busy, "a cancel stops what is on its way");
            }
            b'n' => self.chain.connect(self.now),
            b'r' => {
                let items = self.something_new();
                self.rewritten = self.chain.rewrite(items).is_ok();
            }
            b'd' => self.deadline(),
            b'j' => self.now = self.now.after(Duration::from_millis(1 << (bytes.next() % 40))),
            b'o' => self.on_link(bytes, &[Link::Opening, Link::Posted], Some(Link::Open), Chain::handle_open),
            b'f' => {
                let error = ApiError { status: status(bytes), ..ApiError::default() };
                self.on_link(bytes, &[Link::Opening, Link::Posted], Some(Link::Gone), |chain, now, link| {
                    chain.handle_refused(now, link, error);
                });
            }
            b'u' => self.on_link(bytes, &[Link::Opening, Link::Posted], Some(Link::Gone), |chain, now, link| {
                chain.handle_unreachable(now, link, Trouble::new(TroubleKind::Connect, ""));
            }),
            b'k' => {
                let code = bytes.pick(&[None, Some(1000), Some(1001), Some(1006), Some(1009), Some(1011)]).flatten();
                let at_any_time = &[Link::Opening, Link::Open, Link::Posted];
                self.on_link(bytes, at_any_time, Some(Link::Gone), |chain, now, link| {
                    chain.handle_closed(now, link, code);
                });
            }
            b'p' => self.on_link(bytes, &[Link::Open], None, |chain, _, link| chain.handle_pong(link)),
            b'e' => {
                let text = event(bytes);
                self.hear_text(bytes, &text);
            }
            b'g' => {
                let text = String::from_utf8_lossy(bytes.line()).into_owned();
                self.hear_text(bytes, &text);
            }
            _ => {}
        }
    }

    fn something_new(&mut self) -> Vec<Item> {
        self.said += 1;
        vec![Item::user(&format!("said {}", self.said))]
    }

    fn submit(&mut self) {
        let open = self.chain.transcript().unanswered();
        let mut items: Vec<Item> = open.iter().map(|call| Item::function_output(call, "done")).collect();
        items.append(&mut self.something_new());
        if let Ok(turn) = self.chain.submit(self.now, items, &self.settings) {
            assert!(self.running.insert(turn), "{turn:?} twice");
        }
    }

    /// Something happens on a link, the newest or any that ever was, where it can happen. What is gone stays gone,
    /// whatever is still said of it.
    fn on_link(
        &mut self,
        bytes: &mut Bytes<'_>,
        can_be: &[Link],
        becomes: Option<Link>,
        then: impl FnOnce(&mut Chain, Time, LinkId),
    ) {
        let at = usize::from(bytes.next().wrapping_sub(b'0'));
        let newest = self.links.len().saturating_sub(1);
        let Some((link, state)) = self.links.iter_mut().rev().nth(at.min(newest)) else { return };
        let is_over = matches!(state, Link::Gone | Link::Closed);
        if !is_over && !can_be.contains(state) {
            return;
        }
        // A request that is accepted is still a request.
        let accepted = *state == Link::Posted && becomes == Some(Link::Open);
        if !is_over && !accepted {
            *state = becomes.unwrap_or(*state);
        }
        then(&mut self.chain, self.now, *link);
    }

    fn hear_text(&mut self, bytes: &mut Bytes<'_>, text: &str) {
        self.on_link(bytes, &[Link::Open, Link::Posted], None, |chain, now, link| {
            let _heard = chain.handle_text(now, link, text);
        });
    }

    fn deadline(&mut self) {
        let Some(deadline) = self.chain.poll_deadline() else { return };
        self.now = self.now.max(deadline);
        self.chain.handle_deadline(self.now);
        let next = self.chain.poll_deadline();
        assert!(next.is_none_or(|next| next > self.now), "woken at {:?}, to be woken at {next:?}", self.now);
    }

    fn check(&mut self) {
        while let Some(effect) = self.chain.poll_effect() {
            self.take(effect);
        }
        let items = self.chain.transcript().items();
        if !std::mem::take(&mut self.rewritten) {
            assert!(items.starts_with(&self.before), "the transcript changed under its reader");
        }
        self.before = items.to_vec();
        if self.chain.is_idle() {
            assert!(self.running.is_empty(), "idle, and {:?} did not end", self.running);
        } else {
            assert!(!self.running.is_empty(), "busy with nothing");
        }
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Open(link) => assert_eq!(self.links.insert(link, Link::Opening), None, "{link:?} used twice"),
            Effect::Post(link, _) => assert_eq!(self.links.insert(link, Link::Posted), None, "{link:?} used twice"),
            Effect::Send(link, _) | Effect::Ping(link) => {
                assert_eq!(self.links.get(&link), Some(&Link::Open), "{link:?} is not open");
            }
            Effect::Close(link) => {
                let state = self.links.insert(link, Link::Closed);
                assert!(!matches!(state, None | Some(Link::Closed)), "{link:?} is not there to be closed");
            }
            Effect::Tell(notice) => self.hear(&notice),
        }
    }

    fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::Ended { turn, outcome } => {
                assert!(self.running.remove(turn), "{turn:?} ended and did not run: {outcome:?}");
                assert!(self.ended.insert(*turn), "{turn:?} ended twice");
            }
            Notice::Sent { turn, .. }
            | Notice::Item { turn, .. }
            | Notice::Dropped { turn, .. }
            | Notice::Waiting { turn, .. }
            | Notice::Steered { turn, .. } => assert!(self.running.contains(turn), "told of {turn:?}: {notice:?}"),
            Notice::WebSocketOff { .. } | Notice::WebSocketOn | Notice::SteerReturned { .. } => {}
        }
    }

    /// Everything is refused, for good. No turn may survive that, and none may take for ever.
    fn come_to_rest(&mut self) {
        const MOST_ROUNDS: u32 = 20;
        for _ in 0..MOST_ROUNDS {
            self.check();
            if self.chain.is_idle() {
                break;
            }
            let links: Vec<(LinkId, Link)> = self.links.iter().map(|(link, state)| (*link, *state)).collect();
            for (link, state) in links {
                self.refuse(link, state);
            }
            self.deadline();
        }
        self.check();
        assert!(self.chain.is_idle(), "the chain does not come to rest");
        self.submit();
        assert!(!self.running.is_empty(), "the chain takes no turn any more");
    }

    fn refuse(&mut self, link: LinkId, state: Link) {
        const REFUSAL: &str = r#"{"type":"error","status":400,"error":{"code":"invalid_prompt","message":"no"}}"#;
        const DENIED: u16 = 401;
        match state {
            Link::Open => {
                let _heard = self.chain.handle_text(self.now, link, REFUSAL);
            }
            Link::Opening | Link::Posted => {
                self.links.insert(link, Link::Gone);
                let denied = ApiError { status: Some(DENIED), ..ApiError::default() };
                self.chain.handle_refused(self.now, link, denied);
            }
            Link::Gone | Link::Closed => {}
        }
        self.check();
    }
}

fn settings(store: bool) -> Arc<Settings> {
    let text = if store { r#"{"model":"m"}"# } else { r#"{"model":"m","store":false}"# };
    Arc::new(Settings::new(&Request::parse(text).unwrap_or_default()))
}

fn status(bytes: &mut Bytes<'_>) -> Option<u16> {
    bytes
        .pick(&[Some(400), Some(401), Some(403), Some(404), Some(426), Some(429), Some(500), Some(503), None])
        .flatten()
}

/// An event as a server would write it, at a moment at which it would not.
fn event(bytes: &mut Bytes<'_>) -> String {
    let kind = bytes.next();
    let id = bytes.pick(&["resp_1", "resp_2", "resp_3"]).unwrap_or_default();
    let index = bytes.next() % 4;
    let item = match index {
        0 => r#"{"type":"reasoning","summary":[]}"#.to_owned(),
        1 => r#"{"type":"message","role":"assistant","content":"hello"}"#.to_owned(),
        _ => format!(r#"{{"type":"function_call","call_id":"call_{id}_{index}","name":"f","arguments":""}}"#),
    };
    let code = ERRORS.get(usize::from(index)).copied().unwrap_or_default();
    let steer = format!(r#""steer":{{"id":"steer_1","previous_response_id":"{id}"}}"#);
    let body = match kind {
        b'c' => format!(r#""response.created","response":{{"id":"{id}"}}"#),
        b'p' => format!(r#""response.in_progress","response":{{"id":"{id}"}}"#),
        b'a' => format!(r#""response.output_item.added","output_index":{index},"item":{{}}"#),
        b'd' => format!(r#""response.output_item.done","output_index":{index},"item":{item}"#),
        b't' => format!(r#""response.output_text.delta","output_index":{index},"delta":"x""#),
        b'q' => format!(r#""response.output_text.delta","sequence_number":{index},"output_index":0,"delta":"x""#),
        b'z' => format!(r#""response.completed","response":{{"id":"{id}","output":[]}}"#),
        b'w' => format!(r#""response.completed","sequence_number":9,"response":{{"id":"{id}","output":[{item}]}}"#),
        b'g' => format!(r#""response.completed","sequence_number":9,"response":{{"id":"{id}"}}"#),
        b'i' => {
            let reason = ["max_output_tokens", "steered", "interrupted", "?"].get(usize::from(index)).copied();
            let reason = reason.unwrap_or_default();
            format!(r#""response.incomplete","response":{{"id":"{id}","incomplete_details":{{"reason":"{reason}"}}}}"#)
        }
        b'f' => format!(r#""response.failed","response":{{"id":"{id}","error":{{"code":"{code}","message":"m"}}}}"#),
        b'e' => format!(r#""error","status":400,"error":{{"code":"{code}","message":"m"}}"#),
        b's' => format!(r#""response.steer.accepted",{steer}"#),
        b'h' => format!(r#""response.steer.pending",{steer},"reason":"waiting_for_required_input""#),
        b'n' => format!(r#""response.steer.failed",{steer},"error":{{"code":"response_not_active","message":"m"}}"#),
        b'y' => format!(r#""response.interrupt.accepted","response_id":"{id}""#),
        b'm' => r#""response.interrupt.failed","error":{"code":"interrupt_not_supported","message":"m"}"#.to_owned(),
        b'l' => format!(r#""response.created","stream_id":"another","response":{{"id":"{id}"}}"#),
        _ => r#""keepalive""#.to_owned(),
    };
    format!(r#"{{"type":{body}}}"#)
}

const ERRORS: [&str; 4] =
    ["previous_response_not_found", "websocket_connection_limit_reached", "rate_limit_exceeded", "server_error"];
