//! A client, and what an agent says with it.

use std::error::Error;
use std::sync::Arc;

use config::Layers;
use responses::chain::{Mode, Notice, Outcome};
use responses::fold::Response;
use responses::item::Item;
use responses::request::{Request, Settings};
use transport::credentials::Environment;
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Pem, Tls, TlsSettings};
use transport::{Conversation, Dial, Heard, ModelClient, Options, Providers, Surroundings, Told};

/// Whatever goes wrong ends the program.
pub(crate) type Outcomes<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A client of a server on this machine, which trusts this authority.
pub(crate) fn client(base_url: &str, authority: &str, lanes: bool) -> Outcomes<ModelClient> {
    let extra_roots = match authority {
        "" => Vec::new(),
        pem => vec![Pem { name: "authority".into(), bytes: pem.as_bytes().into() }],
    };
    let tls = Tls::new(&TlsSettings { extra_roots, client: None })?;
    let dial = Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), Proxies::none(), tls);
    let environment: Environment = Arc::new(|_| None);
    let can = format!("supports_websockets = true\nsupports_lanes = {lanes}");
    let table = format!("[model_providers.near]\nbase_url = \"{base_url}\"\n{can}\n");
    let mut settings = Layers::new().file("near.toml", &table)?.merge();
    let providers = Providers::read(&mut settings, &environment)?;
    let provider = providers.get("near")?.clone();
    Ok(ModelClient::new(provider, Surroundings::new(dial, environment))?)
}

/// What an agent asks for with every request: instructions, and a table of so many tools, 800 bytes each.
pub(crate) fn settings(tools: usize) -> Outcomes<Arc<Settings>> {
    let tools: Vec<String> = (0..tools).map(tool).collect();
    let instructions = "Be brief and exact. ".repeat(tools.len() * 4);
    let request =
        format!(r#"{{"model":"m","store":false,"instructions":"{instructions}","tools":[{}]}}"#, tools.join(","));
    Ok(Arc::new(Settings::new(&Request::parse(&request)?)))
}

fn tool(at: usize) -> String {
    let description = prose(500, at);
    let field = |name| format!(r#""{name}":{{"type":"string","description":"what to do it with"}}"#);
    let fields = ["path", "pattern", "limit"].map(field).join(",");
    let schema = format!(r#"{{"type":"object","properties":{{{fields}}},"required":["path"]}}"#);
    format!(r#"{{"type":"function","name":"tool_{at}","description":"{description}","parameters":{schema}}}"#)
}

/// Text of so many bytes.
pub(crate) fn prose(bytes: usize, seed: usize) -> String {
    const WORDS: [&str; 11] =
        ["read", "the", "file", "and", "write", "what", "follows", "from", "it", "into", "another"];
    let mut text = String::with_capacity(bytes + 16);
    let mut at = seed;
    while text.len() < bytes {
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS.get((at >> 33) % WORDS.len()).unwrap_or(&""));
        text.push(' ');
    }
    text.truncate(bytes);
    text
}

/// A conversation, and how it is spoken in.
pub(crate) struct Talk {
    conversation: Conversation,
    settings: Arc<Settings>,
}

impl Talk {
    pub(crate) fn new(client: &ModelClient, mode: Mode, settings: &Arc<Settings>) -> Self {
        let options = Options { mode: Some(mode), ..Options::default() };
        Self { conversation: client.converse(options), settings: Arc::clone(settings) }
    }

    pub(crate) async fn submit(&self, item: Item) -> Outcomes<()> {
        let submitted = self.conversation.submit(vec![item], Arc::clone(&self.settings)).await?;
        submitted.map_err(|refused| format!("not taken: {refused:?}"))?;
        Ok(())
    }

    pub(crate) async fn next(&mut self) -> Outcomes<Told> {
        match self.conversation.next().await.ok_or("the conversation has ended")? {
            Heard::Told(told) => Ok(told),
            Heard::PassedOver(events) => Err(format!("{events} events were passed over").into()),
        }
    }

    /// One turn, to its end.
    pub(crate) async fn turn(&mut self, item: Item) -> Outcomes<Box<Response>> {
        self.submit(item).await?;
        loop {
            match self.next().await? {
                Told::Notice(Notice::Ended { outcome: Outcome::Answered(response), .. }) => return Ok(response),
                Told::Notice(Notice::Ended { outcome, .. }) => return Err(format!("no answer: {outcome:?}").into()),
                Told::Notice(Notice::Dropped { fault, .. } | Notice::Waiting { fault, .. }) => {
                    return Err(format!("a fault that was not asked for: {fault}").into());
                }
                _ => {}
            }
        }
    }
}
