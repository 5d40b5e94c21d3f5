//! A dialogue that is played and written down.

use responses::json::{Json, Object, Read};
use tokio_tungstenite::tungstenite::Message;

use crate::stage::{Came, Outcomes, Socket, Stage};
use crate::transcript::{Detail, block, shown};

/// One dialogue.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    detail: Detail,
    lines: Vec<String>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(stage: &'a Stage) -> Self {
        Self { stage, detail: Detail::With(&[]), lines: Vec::new() }
    }

    /// From here on, so much is shown of responses.
    pub(crate) fn show(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// What happens between messages.
    pub(crate) fn note(&mut self, text: &str) {
        self.lines.push(format!("-- {text}"));
    }

    /// A line that is made of what was seen.
    pub(crate) fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    /// The page's part.
    pub(crate) fn end(self) -> String {
        block(&self.lines)
    }

    pub(crate) async fn open(&self) -> Outcomes<Socket> {
        self.stage.socket(&[]).await
    }

    pub(crate) async fn say(&mut self, socket: &mut Socket, text: &str) -> Outcomes<()> {
        self.lines.push(format!("C {text}"));
        socket.say(text).await
    }

    /// Asks for a response of the scripted model.
    pub(crate) async fn create(&mut self, socket: &mut Socket, fields: &str) -> Outcomes<()> {
        self.say(socket, &create(fields)).await
    }

    pub(crate) async fn hear(&mut self, socket: &mut Socket) -> Outcomes<String> {
        let text = socket.text().await?;
        self.lines.push(format!("S {}", shown(&text, self.detail)?));
        Ok(text)
    }

    /// All messages up to the next of this type.
    pub(crate) async fn until(&mut self, socket: &mut Socket, kind: &str) -> Outcomes<String> {
        loop {
            let text = self.hear(socket).await?;
            if is(&text, kind, &self.lines)? {
                return Ok(text);
            }
        }
    }

    /// All messages up to the one that says that nothing comes of it.
    pub(crate) async fn until_failure(&mut self, socket: &mut Socket) -> Outcomes<String> {
        loop {
            let text = self.hear(socket).await?;
            match text_of(&text, "type")?.as_str() {
                "error" | "response.failed" => return Ok(text),
                "response.completed" | "response.incomplete" => return Err(format!("it did not fail: {text}").into()),
                _ => {}
            }
        }
    }

    /// All messages up to the next of this type, of which only the first and the last are shown.
    pub(crate) async fn past(&mut self, socket: &mut Socket, kind: &str) -> Outcomes<String> {
        let first = self.hear(socket).await?;
        if is(&first, kind, &self.lines)? {
            return Ok(first);
        }
        let mut between = 0_usize;
        loop {
            let text = socket.text().await?;
            if is(&text, kind, &self.lines)? {
                if between > 0 {
                    self.lines.push(format!("S … {between} more"));
                }
                self.lines.push(format!("S {}", shown(&text, self.detail)?));
                return Ok(text);
            }
            between += 1;
        }
    }

    /// The close frame.
    pub(crate) async fn closed(&mut self, socket: &mut Socket) -> Outcomes<()> {
        match socket.hear().await? {
            Came::Closed(Some((code, reason))) => self.lines.push(format!("S (close {code}, \"{reason}\")")),
            Came::Closed(None) => return Err("closed without a word".into()),
            Came::Text(text) => return Err(format!("more was said in place of a close frame: {text}").into()),
        }
        Ok(())
    }

    /// Asks over HTTP.
    pub(crate) async fn ask(&mut self, asked: &str, headers: &[(&str, &str)], body: &str) -> Outcomes<String> {
        self.lines.push(format!("C {asked}"));
        for (name, value) in headers {
            self.lines.push(format!("C {name}: {value}"));
        }
        if !body.is_empty() {
            self.lines.push(format!("C {body}"));
        }
        let reply = self.stage.ask(asked, headers, body).await?;
        let kind = reply.header("content-type").unwrap_or_default().to_owned();
        self.lines.push(format!("S {} {kind}", reply.status));
        if kind.starts_with("text/event-stream") {
            for line in reply.body.lines().filter(|line| !line.is_empty()) {
                match line.strip_prefix("data: ") {
                    Some(data) => self.lines.push(format!("S data: {}", shown(data, self.detail)?)),
                    None => self.lines.push(format!("S {line}")),
                }
            }
        } else if !reply.body.is_empty() {
            self.lines.push(format!("S {}", shown(&reply.body, self.detail)?));
        }
        Ok(reply.body)
    }

    /// A message that is too long to be shown.
    pub(crate) async fn say_unshown(&mut self, socket: &mut Socket, what: &str, text: String) -> Outcomes<()> {
        self.lines.push(format!("C ({what})"));
        // The other end may stop reading in the middle of it.
        let _ = socket.send(Message::text(text)).await;
        Ok(())
    }
}

/// A request for the scripted model, flat.
pub(crate) fn create(fields: &str) -> String {
    format!(r#"{{"type":"response.create","model":"scripted",{fields}}}"#)
}

/// Whether it is of this type. Something that failed is not waited behind.
fn is(text: &str, kind: &str, so_far: &[String]) -> Outcomes<bool> {
    let found = text_of(text, "type")?;
    if found != kind && (found == "error" || found == "response.failed") {
        return Err(format!("{found} in place of {kind}: {text}\nafter {so_far:#?}").into());
    }
    Ok(found == kind)
}

/// A field of a JSON object, by its path.
pub(crate) fn of<T: for<'t> Read<'t>>(text: &str, path: &str) -> Outcomes<T> {
    let mut value = text.to_owned();
    for key in path.split('.') {
        let next = match key.parse::<usize>() {
            Ok(at) => responses::json::elements(&value)?.get(at).map(|text| (*text).to_owned()),
            Err(_) => Object::parse(&value)?.get(key).map(str::to_owned),
        };
        value = next.ok_or_else(|| format!("no {path} in {text}"))?;
    }
    T::read(&value).map_err(|error| format!("{path} of {text}: {error}").into())
}

/// A field that is text.
pub(crate) fn text_of(text: &str, path: &str) -> Outcomes<String> {
    Ok(of::<Box<str>>(text, path)?.into())
}

/// A field as it stands there.
pub(crate) fn raw_of(text: &str, path: &str) -> Outcomes<String> {
    Ok(of::<Json>(text, path)?.text().to_owned())
}
