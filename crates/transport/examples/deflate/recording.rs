//! A session between the real client and a scripted model, and all that was said in it.
//!
//! Everything comes from the repository's own texts and from one seed, so that it is the same each time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use config::Layers;
use responses::chain::{Mode, Notice, Outcome};
use responses::item::{Item, Role};
use responses::json::{Json, Object};
use responses::request::{Request, Settings};
use testkit::{FakeModel, Output, RunningModel, Turn};
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Conversation, Dial, Heard, ModelClient, Options, Providers, Surroundings, Told};

use crate::texts::{Random, Texts};

/// How many turns a session has: each but the last ends with a call of a tool.
pub(crate) const TURNS: usize = 50;

/// The instructions are ordinary prose of this size.
const INSTRUCTIONS: usize = 12_000;

/// Fourteen tools of a coding agent, one on each line between brackets.
const TOOLS: &str = include_str!("tools.json");

/// Where an agent puts what it repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Instructions and tools in the settings of each request.
    Settings,
    /// Instructions as the first item, tools in the settings.
    ToolsOnly,
    /// The same with the first five tools only.
    FewTools,
    /// Both as the first items: a frame repeats neither.
    Items,
}

impl Layout {
    pub(crate) const ALL: [Self; 4] = [Self::Settings, Self::ToolsOnly, Self::FewTools, Self::Items];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Settings => "instructions and tools",
            Self::ToolsOnly => "tools",
            Self::FewTools => "five tools",
            Self::Items => "neither",
        }
    }

    fn tools(self) -> String {
        let tools = TOOLS.lines().filter(|line| line.starts_with('{')).map(|line| line.trim_end_matches(','));
        let tools: Vec<_> = tools.take(if self == Self::FewTools { 5 } else { usize::MAX }).collect();
        format!("[{}]", tools.join(","))
    }

    /// What every request says, and what the first one says before anything else.
    fn opening(self, instructions: &str) -> Result<(Arc<Settings>, Vec<Item>)> {
        let text = r#"{"model":"scripted-large","store":false,"stream":true,"include":["reasoning.encrypted_content"],
            "parallel_tool_calls":true,"tool_choice":"auto","reasoning":{"effort":"medium","summary":"auto"},
            "prompt_cache_key":"5f0c1d5e-8a54-4d0e-9a51-2f6f1f0f9c11"}"#;
        let mut request = Object::parse(text)?;
        let tools = self.tools();
        let mut items = Vec::new();
        match self {
            Self::Items => {
                let added = format!(r#"{{"type":"additional_tools","role":"developer","tools":{tools}}}"#);
                items.push(Item::parse(&added)?);
            }
            _ => request.set("tools", &tools),
        }
        let quoted = Json::of(&instructions);
        match self {
            Self::Settings => request.set("instructions", quoted.text()),
            _ => items.push(Item::message(&Role::Developer, instructions)),
        }
        Ok((Arc::new(Settings::new(&Request::parse(Json::of(&request).text())?)), items))
    }
}

/// All messages of a session, each with its exact text.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    /// What the client sent.
    pub(crate) up: Vec<String>,
    /// What the server said.
    pub(crate) down: Vec<String>,
    /// How large the settings are that each request repeats.
    pub(crate) settings: usize,
}

/// Plays a session over a socket on this machine, and takes down what was said.
pub(crate) async fn record(layout: Layout) -> Result<Recording> {
    let mut texts = Texts::read(&workspace())?;
    let model = FakeModel::respond_with(answers(&mut texts)).start_loopback().await?;
    let client = client(&model)?;
    let mut talk = client.converse(Options { mode: Some(Mode::WebSocket), ..Options::default() });
    let (settings, mut items) = layout.opening(&texts.instructions(INSTRUCTIONS))?;
    let mut recording = Recording { settings: settings.bytes(), ..Recording::default() };
    items.push(Item::user("The link forgets a lane when two chains join at once. Find out why, and mend it."));
    let mut random = Random::new(3);
    for _ in 0..TURNS {
        let submitted = talk.submit(std::mem::take(&mut items), Arc::clone(&settings)).await?;
        submitted.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        let calls = listen(&mut talk, &mut recording.down, &mut random).await?;
        items.extend(calls.into_iter().map(|call| Item::function_output(&call, &texts.output())));
    }
    recording.up = model.log().frames();
    Ok(recording)
}

/// Listens to the end of a turn. Gives the calls that it leaves to be answered.
async fn listen(
    talk: &mut Conversation,
    down: &mut Vec<String>,
    random: &mut Random,
) -> Result<Vec<responses::id::CallId>> {
    let mut calls = Vec::new();
    loop {
        match talk.next().await.context("the conversation has ended")? {
            Heard::PassedOver(events) => bail!("{events} events were passed over: record again"),
            Heard::Told(Told::Event(text)) => down.push(padded(&text, random)),
            Heard::Told(Told::Notice(Notice::Item { item, .. })) => calls.extend(item.call()),
            Heard::Told(Told::Notice(Notice::Ended { outcome, .. })) => {
                let Outcome::Answered(_) = outcome else { bail!("a turn failed: {outcome:?}") };
                return Ok(calls);
            }
            Heard::Told(_) => {}
        }
    }
}

/// The scripted model pads its deltas from one string; the service pads with noise, which does not compress.
fn padded(event: &str, random: &mut Random) -> String {
    const KEY: &str = r#""obfuscation":""#;
    let Some((before, rest)) = event.split_once(KEY) else { return event.to_owned() };
    let Some((_, after)) = rest.split_once('"') else { return event.to_owned() };
    let len = random.between(1, 16);
    format!("{before}{KEY}{}\"{after}", random.letters(len))
}

/// What the model says: a thought, a remark now and then, and a call.
fn answers(texts: &mut Texts) -> impl Fn(&testkit::Seen) -> Turn + Send + Sync + 'static {
    let mut random = Random::new(2);
    let turns: Vec<Turn> = (1..=TURNS).map(|number| answer(number, texts, &mut random)).collect();
    move |seen| {
        turns
            .iter()
            .zip(1..)
            .find(|(_, number)| *number == seen.number)
            .map(|(turn, _)| turn.clone())
            .unwrap_or_default()
    }
}

fn answer(number: usize, texts: &mut Texts, random: &mut Random) -> Turn {
    let (sentences, sealed) = (random.between(3, 7), random.between(1000, 2000));
    let turn = Turn::new().reasoning(texts.sentences(sentences), random.letters(sealed)).pace(5, Duration::ZERO);
    if number == TURNS {
        return turn.message(texts.sentences(10));
    }
    let turn = if number.is_multiple_of(3) { turn.message(texts.sentences(2)) } else { turn };
    let (name, arguments) = texts.call(number);
    let call_id = Some(format!("call_{}", random.letters(24)));
    turn.output(Output::FunctionCall { name, arguments, call_id })
}

fn client(model: &RunningModel) -> Result<ModelClient> {
    let environment: transport::credentials::Environment = Arc::new(|_| None);
    let table = format!("[model_providers.fake]\nbase_url = \"{}\"\nsupports_websockets = true\n", model.base_url());
    let mut root = Layers::new().built_in(transport::provider::BUILT_IN)?.file("fake.toml", &table)?.merge();
    let providers = Providers::read(&mut root, &environment).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let provider = providers.get("fake").context("the provider is not in its table")?.clone();
    let tls = Tls::new(&TlsSettings::default())?;
    let dial = Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), Proxies::none(), tls);
    Ok(ModelClient::new(provider, Surroundings::new(dial, environment))?)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
