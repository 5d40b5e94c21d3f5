//! What is measured side by side.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;

use crate::child::{Server, start, start_program};
use crate::{Options, Outcome, upstream};

/// How a server is spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Chat,
    Responses,
    /// Responses over a WebSocket.
    Socket,
}

/// Another proxy, started by hand.
#[derive(Default)]
pub(crate) struct Other {
    pub(crate) base_url: String,
    pub(crate) model: String,
    pub(crate) pid: u32,
}

/// One way to the upstream.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) model: String,
    pub(crate) wire: Wire,
    /// The process between us and the upstream.
    pub(crate) pid: Option<u32>,
}

/// All processes, and the ways through them.
pub(crate) struct Field {
    pub(crate) cases: Vec<Case>,
    _servers: Vec<Server>,
    _folder: Option<TempDir>,
}

impl Field {
    /// Starts all there is. The upstream says so many words at this pace.
    pub(crate) async fn set_up(options: &Options, words: usize, pace: Duration) -> Outcome<Self> {
        let upstream = start(&["upstream", &words.to_string(), &pace.as_micros().to_string()]).await?;
        let floor = start(&["floor", &upstream.address.to_string()]).await?;
        let both = |server: &Server, name: &str, pid| {
            let case = |wire| Case::new(name, server.address, wire, "m", pid);
            [case(Wire::Chat), case(Wire::Responses)]
        };
        let mut cases = Vec::from(both(&upstream, "direct", None));
        cases.extend(both(&floor, "bare proxy", Some(floor.pid)));
        let (mut servers, mut folder) = (vec![upstream, floor], None);
        if let Some(program) = &options.capstan {
            let (capstan, kept) = start_capstan(program).await?;
            for (model, onward) in [("to-chat", "to chat"), ("to-responses", "to Responses")] {
                for wire in [Wire::Responses, Wire::Socket] {
                    let name = format!("capstan {onward}");
                    cases.push(Case::new(&name, capstan.address, wire, model, Some(capstan.pid)));
                }
            }
            servers.push(capstan);
            folder = Some(kept);
        }
        if let Some(other) = &options.other {
            cases.extend([Wire::Chat, Wire::Responses].map(|wire| other.case(wire)).into_iter().flatten());
        }
        cases.retain(|case| case.name.starts_with(&options.only));
        Ok(Self { cases, _servers: servers, _folder: folder })
    }
}

/// Starts a gateway before the upstream, with its data in a folder that is gone afterwards.
pub(crate) async fn start_capstan(program: &str) -> Outcome<(Server, TempDir)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("config.toml");
    let provider = |id: &str, wire: &str| {
        let port = upstream::PORT;
        format!("[model_providers.{id}]\nbase_url = \"http://127.0.0.1:{port}/v1\"\n{wire}\n")
    };
    let settings = [
        "[gateway]\ndiscover = false\n[gateway.models]\n".to_owned(),
        "to-chat = [\"load-chat/m\"]\nto-responses = [\"load-responses/m\"]\n".to_owned(),
        provider("load-chat", "wire_api = \"chat\""),
        provider("load-responses", "wire_api = \"responses\"\ntransport = \"http\""),
    ];
    std::fs::File::create(&path)?.write_all(settings.concat().as_bytes())?;
    let data = folder.path().join("data");
    let (path, data) = (path.to_string_lossy(), data.to_string_lossy());
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--config", &path, "--data", &data];
    Ok((start_program(program, &arguments).await?, folder))
}

impl Other {
    pub(crate) fn case(&self, wire: Wire) -> Outcome<Case> {
        let rest =
            self.base_url.strip_prefix("http://").ok_or("the base URL of the other proxy begins with http://")?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut case = Case::new("other", address.parse()?, wire, &self.model, Some(self.pid));
        case.path = case.path.replacen("/v1", &format!("/{}", path.trim_end_matches('/')), 1);
        Ok(case)
    }
}

impl Case {
    pub(crate) fn new(name: &str, address: SocketAddr, wire: Wire, model: &str, pid: Option<u32>) -> Self {
        let (path, asked) = match wire {
            Wire::Chat => ("/v1/chat/completions", "chat"),
            Wire::Responses => ("/v1/responses", "Responses"),
            Wire::Socket => ("/v1/responses", "WebSocket"),
        };
        Self { name: format!("{name}, {asked}"), address, path: path.into(), model: model.into(), wire, pid }
    }

    /// A request that says little.
    pub(crate) fn request(&self) -> String {
        let model = &self.model;
        match self.wire {
            Wire::Chat => {
                format!(r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"go"}}]}}"#)
            }
            Wire::Responses => format!(r#"{{"model":"{model}","stream":true,"store":false,"input":"go"}}"#),
            Wire::Socket => format!(r#"{{"type":"response.create","model":"{model}","store":false,"input":"go"}}"#),
        }
    }
}
