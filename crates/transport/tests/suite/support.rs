//! A client on loopback, and what it hears.

use std::sync::Arc;
use std::time::Duration;

use config::Layers;
use responses::chain::{Mode, Notice, Outcome, Transport};
use responses::item::Item;
use responses::request::{Request, Settings};
use testkit::RunningModel;
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Conversation, Dial, Heard, ModelClient, Options, Providers, Surroundings, Told};

/// A key that must never be seen anywhere but in the header it is for.
pub(crate) const PLANTED: &str = "sk-planted-7d1f";

/// How long a test waits for what must happen. It is not part of what is tested: it ends a test that hangs. Where time
/// is virtual, so is this.
const PATIENCE: Duration = Duration::from_mins(1);
const VIRTUAL_PATIENCE: Duration = Duration::from_hours(100);

/// A provider named `fake` at this address, with what else its table says.
pub(crate) fn client(base_url: &str, table: &str) -> ModelClient {
    client_by(direct(), base_url, table)
}

pub(crate) fn direct() -> Dial {
    let tls = Tls::new(&TlsSettings::default()).unwrap();
    Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), Proxies::none(), tls)
}

pub(crate) fn client_by(dial: Dial, base_url: &str, table: &str) -> ModelClient {
    let environment: transport::credentials::Environment =
        Arc::new(|name| (name == "PLANTED_KEY").then(|| PLANTED.to_owned()));
    let text = format!("[model_providers.fake]\nbase_url = \"{base_url}\"\n{table}");
    let mut root =
        Layers::new().built_in(transport::provider::BUILT_IN).unwrap().file("test.toml", &text).unwrap().merge();
    let providers = Providers::read(&mut root, &environment).unwrap();
    let provider = providers.get("fake").unwrap().clone();
    ModelClient::new(provider, Surroundings::new(dial, environment)).unwrap()
}

/// A table for a server with everything.
pub(crate) const ALL: &str = "supports_websockets = true\nsupports_lanes = true\n";

pub(crate) fn settings() -> Arc<Settings> {
    let request = r#"{"model":"m","store":false,"tools":[{"type":"function","name":"do"}]}"#;
    Arc::new(Settings::new(&Request::parse(request).unwrap()))
}

/// A conversation, and all that was heard of it.
pub(crate) struct Talk {
    pub(crate) conversation: Conversation,
    pub(crate) heard: Vec<Told>,
    patience: Duration,
}

impl Talk {
    pub(crate) fn with(client: &ModelClient, mode: Mode) -> Self {
        Self::by(client, Options { mode: Some(mode), ..Options::default() })
    }

    pub(crate) fn by(client: &ModelClient, options: Options) -> Self {
        Self { conversation: client.converse(options), heard: Vec::new(), patience: PATIENCE }
    }

    /// Where time is virtual.
    pub(crate) fn patiently(self) -> Self {
        Self { patience: VIRTUAL_PATIENCE, ..self }
    }

    /// Says something, and waits for the end of the turn.
    pub(crate) async fn turn(&mut self, text: &str) -> Outcome {
        self.turn_with(vec![Item::user(text)]).await
    }

    pub(crate) async fn turn_with(&mut self, items: Vec<Item>) -> Outcome {
        self.conversation.submit(items, settings()).await.unwrap().unwrap();
        self.ended().await
    }

    /// Waits for the end of a turn.
    pub(crate) async fn ended(&mut self) -> Outcome {
        loop {
            if let Told::Notice(Notice::Ended { outcome, .. }) = self.next().await {
                return outcome;
            }
        }
    }

    /// Waits for the next thing.
    pub(crate) async fn next(&mut self) -> Told {
        let heard =
            tokio::time::timeout(self.patience, self.conversation.next()).await.expect("something is heard in time");
        match heard.expect("the conversation goes on") {
            Heard::Told(told) => {
                self.heard.push(told.clone());
                told
            }
            Heard::PassedOver(events) => panic!("{events} events were passed over"),
        }
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.heard.iter().filter_map(|told| match told {
            Told::Notice(notice) => Some(notice),
            _ => None,
        })
    }

    /// How each request left, and how many items it carried.
    pub(crate) fn sent(&self) -> Vec<(Transport, usize)> {
        self.notices()
            .filter_map(|notice| match notice {
                Notice::Sent { transport, items, .. } => Some((*transport, *items)),
                _ => None,
            })
            .collect()
    }
}

pub(crate) fn answered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Answered(_))
}

/// A model that answers each request with its number.
pub(crate) async fn counting() -> RunningModel {
    testkit::FakeModel::respond_with(|seen| testkit::Turn::new().message(format!("answer {}", seen.number)))
        .start_loopback()
        .await
        .unwrap()
}
