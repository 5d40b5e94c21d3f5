//! Backends, asked over loopback.

mod choice;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use config::Layers;
use responses::event::ServerEvent;
use responses::fold::{Fold, Response};
use responses::id::ResponseId;
use responses::item::Item;
use responses::request::Request;
use transport::Dial;
use transport::credentials::Environment;
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};

use super::{Ask, Backends, Candidate, Said, Source};
use crate::settings::Settings;

/// How long a test waits for what must happen. It ends a test that hangs.
const PATIENCE: Duration = Duration::from_mins(1);

fn nothing() -> Environment {
    Arc::new(|_| None)
}

/// Settings as a file says them. No server is looked for that the file does not name.
fn settings(text: &str) -> Settings {
    let text = format!("[gateway]\ndiscover = false\n{text}");
    let layers = Layers::new().built_in(transport::provider::BUILT_IN).unwrap();
    let mut table = layers.file("gateway.toml", &text).unwrap().merge();
    Settings::read(&mut table, &nothing()).unwrap()
}

/// The table of a provider called `east`.
fn east(base_url: &str, more: &str) -> String {
    format!("[model_providers.east]\nbase_url = \"{base_url}\"\n{more}\n")
}

fn backends(settings: &Settings) -> Backends {
    let tls = Tls::new(&TlsSettings::default()).unwrap();
    let dial = Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), Proxies::none(), tls);
    Backends::new(settings, &nothing(), |_| Ok(dial.clone())).unwrap()
}

async fn candidate(backends: &Backends, model: &str) -> Candidate {
    backends.candidates(model).await.unwrap().remove(0)
}

/// One conversation with a backend, as the gateway has it.
struct Talk<'a> {
    backends: &'a Backends,
    request: Arc<Request>,
    items: Vec<Item>,
    previous: Option<ResponseId>,
}

/// What came of one turn.
struct Turned {
    /// The types of its events.
    events: Vec<String>,
    source: Source,
    end: Result<Response, Said>,
}

impl<'a> Talk<'a> {
    /// With tools: there will be more than one answer.
    fn with(backends: &'a Backends) -> Self {
        Self::asking(backends, r#"{"model":"gpt","tools":[{"type":"function","name":"do"}]}"#)
    }

    fn asking(backends: &'a Backends, request: &str) -> Self {
        Self { backends, request: Arc::new(Request::parse(request).unwrap()), items: Vec::new(), previous: None }
    }

    /// The same conversation, going on elsewhere.
    fn fork(&self) -> Self {
        let (request, items, previous) = (Arc::clone(&self.request), self.items.clone(), self.previous.clone());
        Self { backends: self.backends, request, items, previous }
    }

    async fn ask(&mut self, text: &str) -> Source {
        self.ask_with(vec![Item::user(text)]).await
    }

    async fn ask_with(&mut self, new: Vec<Item>) -> Source {
        let new_items = new.len();
        self.items.extend(new);
        let candidate = candidate(self.backends, "east/m").await;
        let ask = Ask {
            model: candidate.model().into(),
            request: Arc::clone(&self.request),
            previous: self.previous.clone(),
            items: self.items.clone(),
            new_items,
        };
        self.backends.begin(&candidate, ask)
    }

    /// Asks, and listens to the end.
    async fn turn(&mut self, text: &str) -> Turned {
        let source = self.ask(text).await;
        listen(source).await
    }

    /// A turn that ends well, and is kept under this name.
    async fn turn_as(&mut self, text: &str, id: &str) {
        let turned = self.turn(text).await;
        let response = turned.end.unwrap();
        let id = ResponseId::from(id.to_owned());
        turned.source.park(&id);
        self.items.extend(response.output().iter().cloned());
        self.previous = Some(id);
    }
}

async fn next(source: &mut Source) -> Said {
    tokio::time::timeout(PATIENCE, source.next()).await.expect("something is said in time")
}

async fn listen(mut source: Source) -> Turned {
    let (mut events, mut fold) = (Vec::new(), Fold::default());
    loop {
        match next(&mut source).await {
            Said::Event(text) => {
                let event = ServerEvent::parse(&text).unwrap();
                events.push(event.kind.to_string());
                fold.push(&event).unwrap();
            }
            Said::Ended => return Turned { events, source, end: Ok(fold.finish().unwrap()) },
            other => return Turned { events, source, end: Err(other) },
        }
    }
}
