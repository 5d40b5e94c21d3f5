//! The server's half, rule by rule.

mod lanes;
mod lifetime;
mod rejoin;
mod saying;

use std::time::Duration;

use responses::chain::{
    Connection, ConnectionEffect, ConnectionLimits, Context, Powers, RunEvent, RunId, RunRequest, Shutdown, Time,
};
use responses::json::{Json, Object, Read};

/// A connection, and what it has asked for and said.
pub(crate) struct Server {
    connection: Connection,
    now: Time,
    pub(crate) said: Vec<String>,
    pub(crate) begun: Vec<(RunId, RunRequest)>,
    pub(crate) other: Vec<ConnectionEffect>,
    pub(crate) closed: Option<Shutdown>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(ConnectionLimits::default(), Powers::default())
    }

    pub(crate) fn with(limits: ConnectionLimits, powers: Powers) -> Self {
        let connection = Connection::new(Time::default(), limits, powers);
        let (said, begun, other) = (Vec::new(), Vec::new(), Vec::new());
        Self { connection, now: Time::default(), said, begun, other, closed: None }
    }

    fn drain(&mut self) {
        while let Some(effect) = self.connection.poll_effect() {
            match effect {
                ConnectionEffect::Send(text) => self.said.push(text),
                ConnectionEffect::Begin(run, request) => self.begun.push((run, *request)),
                ConnectionEffect::Close(why) => self.closed = Some(why),
                other => self.other.push(other),
            }
        }
    }

    pub(crate) fn hear(&mut self, text: &str) {
        self.connection.handle_frame(self.now, text);
        self.drain();
    }

    /// A create with these fields; gives the run if one began at once.
    pub(crate) fn create(&mut self, fields: &str) -> Option<RunId> {
        let before = self.begun.len();
        let comma = if fields.is_empty() { "" } else { "," };
        self.hear(&format!(r#"{{"type":"response.create","model":"m"{comma}{fields}}}"#));
        self.begun.get(before).map(|(run, _)| *run)
    }

    pub(crate) fn event(&mut self, run: RunId, text: &str) {
        self.connection.handle_run(run, RunEvent::Event(text));
        self.drain();
    }

    pub(crate) fn gone(&mut self, run: RunId) {
        self.connection.handle_run(run, RunEvent::Gone);
        self.drain();
    }

    pub(crate) fn recalled(&mut self, run: RunId, context: Option<Context>) {
        self.connection.handle_recalled(run, context);
        self.drain();
    }

    pub(crate) fn rejoined(&mut self, run: RunId, found: Option<RunRequest>) {
        self.connection.handle_rejoined(run, found);
        self.drain();
    }

    pub(crate) fn grant(&mut self, run: RunId, powers: Powers) {
        self.connection.grant(run, powers);
    }

    /// The run begins to speak.
    pub(crate) fn start(&mut self, run: RunId, id: &str) {
        for stage in ["created", "in_progress"] {
            self.event(
                run,
                &format!(r#"{{"type":"response.{stage}","response":{{"id":"{id}","status":"in_progress"}}}}"#),
            );
        }
    }

    /// The run says one thing and ends well.
    pub(crate) fn answer(&mut self, run: RunId, id: &str) {
        self.answer_with(run, id, &[&message(id)]);
    }

    pub(crate) fn answer_with(&mut self, run: RunId, id: &str, items: &[&str]) {
        self.start(run, id);
        for (index, item) in items.iter().enumerate() {
            self.event(run, &format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{item}}}"#));
        }
        self.event(run, &format!(r#"{{"type":"response.completed","response":{{"id":"{id}","status":"completed"}}}}"#));
    }

    pub(crate) fn fail(&mut self, run: RunId, id: &str) {
        self.start(run, id);
        let error = r#"{"code":"server_error","message":"scripted"}"#;
        self.event(
            run,
            &format!(r#"{{"type":"response.failed","response":{{"id":"{id}","status":"failed","error":{error}}}}}"#),
        );
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.now.after(Duration::from_secs(seconds));
        while let Some(next) = self.connection.poll_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.connection.handle_deadline(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn pong(&mut self) {
        self.connection.handle_pong();
    }

    pub(crate) fn begin_drain(&mut self) {
        self.connection.drain(self.now);
        self.drain();
    }

    /// What the model of the newest run sees.
    pub(crate) fn context(&self) -> Vec<String> {
        let (_, request) = self.begun.last().expect("nothing was begun");
        request.context.to_vec().iter().map(|item| item.text().to_owned()).collect()
    }

    /// A field of the last thing said, by its path.
    pub(crate) fn last(&self, path: &str) -> String {
        field(self.said.last().expect("nothing was said"), path)
    }

    pub(crate) fn last_is_error(&self, status: u16, code: &str) {
        let said = self.said.last().expect("nothing was said");
        assert_eq!(
            (self.last("type"), self.last("status"), self.last("error.code")),
            ("error".into(), status.to_string(), code.into()),
            "{said}"
        );
    }
}

pub(crate) fn message(id: &str) -> String {
    format!(
        r#"{{"type":"message","role":"assistant","id":"msg_{id}","content":[{{"type":"output_text","text":"{id}"}}]}}"#
    )
}

pub(crate) fn call(id: &str) -> String {
    format!(r#"{{"type":"function_call","call_id":"{id}","name":"f","arguments":"{{}}"}}"#)
}

pub(crate) fn user(text: &str) -> String {
    format!(r#"{{"type":"message","role":"user","content":"{text}"}}"#)
}

/// A field by its dotted path, strings without their quotes; empty where there is none.
pub(crate) fn field(text: &str, path: &str) -> String {
    let mut value = text.to_owned();
    for key in path.split('.') {
        let json = Json::parse(&value).expect("what is said is JSON");
        let Ok(object) = Object::parse(json.text()) else { return String::new() };
        let Some(next) = object.get(key) else { return String::new() };
        value = next.to_owned();
    }
    match std::borrow::Cow::<str>::read(&value) {
        Ok(text) => text.into_owned(),
        Err(_) => value,
    }
}
