//! The server, as a process of its own: it ends when its input does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use testkit::tls::Authority;
use testkit::{FakeModel, Script, Turn};
use tokio::runtime::Builder;

use crate::client::Outcomes;

/// What is said, and over what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// In a response.
    pub(crate) events: usize,
    /// In the settings.
    pub(crate) tools: usize,
    /// Before each event.
    pub(crate) pause: Duration,
    pub(crate) tls: bool,
    pub(crate) lanes: bool,
}

/// What a message takes besides its deltas.
const FRAME: usize = 8;

impl Scene {
    pub(crate) const USUAL: Self = Self { events: 60, tools: 0, pause: Duration::ZERO, tls: false, lanes: false };

    pub(crate) fn read(words: &[String]) -> Option<Self> {
        let mut scene = Self::USUAL;
        for word in words {
            let (name, value) = word.split_once('=')?;
            let value: usize = value.parse().ok()?;
            match name {
                "events" => scene.events = value.max(FRAME + 1),
                "tools" => scene.tools = value,
                "pause" => scene.pause = Duration::from_millis(value.try_into().ok()?),
                "tls" => scene.tls = value != 0,
                "lanes" => scene.lanes = value != 0,
                _ => return None,
            }
        }
        Some(scene)
    }

    pub(crate) fn words(&self) -> [String; 5] {
        let pause = self.pause.as_millis();
        let (tls, lanes) = (u8::from(self.tls), u8::from(self.lanes));
        [
            format!("events={}", self.events),
            format!("tools={}", self.tools),
            format!("pause={pause}"),
            format!("tls={tls}"),
            format!("lanes={lanes}"),
        ]
    }

    /// A message of so many events.
    fn turn(&self) -> Turn {
        /// Of the piece that one event brings.
        const PIECE: usize = 5;
        Turn::new().message("word ".repeat(self.events - FRAME)).pace(PIECE, self.pause)
    }
}

/// Says where it is and whom to trust, and serves until its input ends.
pub(crate) fn serve(scene: Scene) -> Outcomes<()> {
    let authority = Authority::new()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let model = FakeModel::scripted(Script::new([scene.turn()]).repeating_last());
    let (model, certificate) = if scene.tls {
        let config = authority.server_config(&["127.0.0.1"], &[b"http/1.1"])?;
        (runtime.block_on(model.start_tls(config))?, authority.certificate_pem())
    } else {
        (runtime.block_on(model.start_loopback())?, String::new())
    };
    let port = model.address().port();
    let scheme = if scene.tls { "https" } else { "http" };
    writeln!(io::stdout(), "{scheme}://127.0.0.1:{port}/v1\n{}\n", certificate.trim())?;
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) base_url: String,
    /// Its authority; empty if it has none.
    pub(crate) certificate: String,
    child: Child,
    /// As long as this is open, it serves.
    input: Option<ChildStdin>,
}

impl Server {
    pub(crate) fn start(scene: Scene) -> Outcomes<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").args(scene.words()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let said = BufReader::new(child.stdout.take().ok_or("a server that says nothing")?);
        let mut lines = said.lines();
        let base_url = lines.next().ok_or("the server has no address")??;
        let mut certificate = String::new();
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            certificate.push_str(&line);
            certificate.push('\n');
        }
        Ok(Self { base_url, certificate, child, input })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has nothing more to say; if it cannot be waited for, the system does.
        let _ = self.child.wait();
    }
}
