//! `capstan probe`: the way to a model provider, really taken once.

mod json;
mod text;

use std::io::{self, IsTerminal};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use responses::chain::Mode;
use responses::error::ApiError;
use transport::credentials::{Environment, KeySource, process_environment};
use transport::{Found, Options, Problem, Provider, Verdict};

use crate::exit::Exit;
use crate::settings::{Overrides, Settings, way, ways};
use crate::{compose, say};

/// What `--help` says below the options.
const MORE: &str = "\
Opens a WebSocket and asks for the list of models, by the network, proxies, certificates and
key that a run would use. No model is asked anything.

Exits with 0 if turns can be had, 2 if the settings are wrong, 4 if the provider cannot be used.";

/// Take the way to a model provider once, and show where it leads
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Probe {
    /// The provider: openai, azure, or another one of the settings; without it, the one that they choose
    provider: Option<String>,
    /// The ways to take: both, the WebSocket only, or HTTP only
    #[arg(long, value_name = "WAYS", value_parser = a_way())]
    transport: Option<Mode>,
    /// Print one JSON object in place of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    overrides: Overrides,
}

fn a_way() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(ways()).try_map(|text| way(&text).ok_or("this is no way"))
}

impl Probe {
    /// Probes. What was found is told in text, and by the exit code.
    pub(crate) fn run(self, before: Overrides) -> anyhow::Result<(String, Exit)> {
        let environment = process_environment();
        let settings = Settings::find(&before.and(&self.overrides), &environment)?;
        let provider = settings.provider(self.provider.as_deref())?;
        let options = Options { mode: self.transport, ..Options::default() };
        let dial = compose::dial(&provider, &environment)?;
        let runtime = compose::runtime()?;
        let probed = runtime.block_on(async {
            let client = compose::client(provider.clone(), dial, environment.clone())?;
            announce(&provider);
            anyhow::Ok(client.probe(&options).await)
        });
        // A name that is still being resolved would hold up the end.
        runtime.shutdown_background();
        let probe = probed?;
        let report = Report { key_is_set: key_is_set(&provider.key, &environment), provider: &provider, probe: &probe };
        let text = if self.json { json::write(&report) } else { text::write(&report) };
        Ok((text, if report.works() { Exit::Done } else { Exit::Provider }))
    }
}

/// It may take a while, and whoever sits before it should know for what.
fn announce(provider: &Provider) {
    let to = io::stderr();
    if to.is_terminal() {
        // That nobody hears it is no reason not to go on.
        let _ = say(to, &format!("trying to reach {} at {} …\n", provider.id, address(provider)));
    }
}

/// What was asked, and what was found.
struct Report<'a> {
    provider: &'a Provider,
    /// Where the key comes from a variable: whether there is anything in it.
    key_is_set: Option<bool>,
    probe: &'a transport::Probe,
}

fn key_is_set(source: &KeySource, environment: &Environment) -> Option<bool> {
    match source {
        KeySource::Environment(variable) => Some(environment(variable).is_some_and(|key| !key.trim().is_empty())),
        KeySource::None | KeySource::File(_) | KeySource::Command(_) => None,
    }
}

impl Report<'_> {
    fn works(&self) -> bool {
        match self.probe.verdict {
            Verdict::WebSocket | Verdict::Http | Verdict::HttpInPlaceOfWebSocket => true,
            Verdict::Credentials | Verdict::Nothing => false,
        }
    }

    /// What follows, and what to do if it is not good.
    fn conclusion(&self) -> String {
        let http = &self.probe.http.answer;
        match (self.probe.verdict, self.socket_problem()) {
            (Verdict::WebSocket, _) if http.is_err() && !is_reached(http) => {
                "works: turns go over the WebSocket; HTTP would not do in its place, see above".to_owned()
            }
            (Verdict::WebSocket, _) => "works: turns go over the WebSocket".to_owned(),
            (Verdict::Http, _) => format!("works: turns go over {}", self.probe.choice),
            (Verdict::HttpInPlaceOfWebSocket, problem) => self.without_socket(problem),
            (Verdict::Credentials, _) => format!("does not work: {}", self.credentials()),
            (Verdict::Nothing, Some(_)) if is_reached(http) => {
                "does not work: transport is ws, and the WebSocket does not open; HTTP works: use --transport auto"
                    .to_owned()
            }
            (Verdict::Nothing, socket) => {
                let problems = || [http.as_ref().err(), socket].into_iter().flatten();
                // That something broke says less than anything else.
                let telling = problems().find(|problem| **problem != Problem::Broke).or(problems().next());
                format!("does not work: {}", telling.map(text::problem).unwrap_or_default())
            }
        }
    }

    fn socket_problem(&self) -> Option<&Problem> {
        self.probe.socket.as_ref().and_then(|found| found.answer.as_ref().err())
    }

    fn without_socket(&self, problem: Option<&Problem>) -> String {
        let why = match problem {
            Some(Problem::Refused(error)) if has_no_sockets(error) => format!(
                "the server takes none; supports_websockets = false in [model_providers.{}] spares the try",
                self.provider.id
            ),
            _ => "it did not open, see above for why".to_owned(),
        };
        format!("works: turns go over HTTP in place of the WebSocket: {why}")
    }

    /// What to do about a key that is missing or refused.
    fn credentials(&self) -> String {
        let problems = [self.probe.http.answer.as_ref().err(), self.socket_problem()];
        let refusals = problems.into_iter().flatten().filter_map(|problem| match problem {
            Problem::Refused(error) => Some(&**error),
            Problem::Unreachable(_) | Problem::Broke => None,
        });
        let refusal = refusals.into_iter().find(|error| matches!(error.status, Some(401 | 403)));
        match (refusal, &self.provider.key) {
            (Some(error), _) if lacks_key(error) => error.message.to_string(),
            (_, KeySource::None) => format!(
                "the server wants a key, and none is set up: set env_key, key_file or auth.command in [model_providers.{}]",
                self.provider.id
            ),
            (Some(ApiError { status: Some(403), .. }), _) => format!(
                "the server forbids it: check what the key from {} may do, and whether the server may be used from here",
                self.key_place()
            ),
            _ => format!("the key is refused: put a valid key into {}", self.key_place()),
        }
    }

    fn key_place(&self) -> String {
        match &self.provider.key {
            KeySource::None => "nowhere".to_owned(),
            KeySource::Environment(variable) => variable.clone(),
            KeySource::File(path) => path.display().to_string(),
            // Its arguments may be secret.
            KeySource::Command(command) => format!("what {} prints", command.program),
        }
    }
}

/// Whether the server is there for requests over HTTP. One without a list of models says so, and is there all the same.
fn is_reached(answer: &Result<transport::Head, Problem>) -> bool {
    match answer {
        Ok(_) => true,
        Err(Problem::Refused(error)) => has_no_models(error),
        Err(Problem::Unreachable(_) | Problem::Broke) => false,
    }
}

fn has_no_models(error: &ApiError) -> bool {
    matches!(error.status, Some(404 | 405))
}

/// Whether an upgrade was answered as by a server that knows no WebSocket.
fn has_no_sockets(error: &ApiError) -> bool {
    matches!(error.status, Some(400 | 404 | 405 | 426 | 501))
}

/// Whether nothing was sent, because there is no key.
fn lacks_key(error: &ApiError) -> bool {
    error.code.as_deref() == Some("no_key")
}

/// The version of HTTP that was agreed on.
fn http_version(found: &Found) -> &'static str {
    let http2 = found.path.as_ref().is_some_and(|path| path.alpn.as_deref() == Some("h2"));
    if http2 { "HTTP/2" } else { "HTTP/1.1" }
}

/// The address of a provider, as the settings have it.
fn address(provider: &Provider) -> String {
    let models = provider.base_url.models();
    let path = models.path().strip_suffix("/models").unwrap_or_default();
    let authority = models.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}{path}", models.scheme_str().unwrap_or_default())
}
