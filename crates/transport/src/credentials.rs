//! Where a key comes from, and how it is renewed.
//!
//! One task owns the key of a provider ([`Credentials::new`] gives it, the caller spawns it); everybody else asks that
//! task. So a key is fetched once, however many turns wait for it.

mod source;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::secret::{BadSecret, Secret};

/// Looks a variable up. Given as a function, so that nothing here reads the process's own environment by itself.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The environment of this process.
pub fn process_environment() -> Environment {
    Arc::new(|name| std::env::var(name).ok())
}

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The server wants none.
    None,
    /// A variable of the environment.
    Environment(String),
    /// A file with the key as its only line.
    File(PathBuf),
    /// A command that prints the key.
    Command(KeyCommand),
}

/// A command that prints a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCommand {
    /// What is run. No shell is between.
    pub program: String,
    /// With which arguments.
    pub args: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// The age at which its key is fetched anew, before it is used; none to wait for a refusal.
    pub refresh_after: Option<Duration>,
}

impl KeyCommand {
    /// How long a command may take where nothing is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// The age of a key where nothing is said.
    pub const REFRESH_AFTER: Duration = Duration::from_mins(5);
}

/// What a key belongs to, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The provider's id.
    pub provider: Box<str>,
    /// How its users get a key, in the words of whoever configured it.
    pub instructions: Option<Box<str>>,
}

/// Counts the keys that were seen: a later one is another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

/// A key to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The key.
    pub secret: Secret,
    /// Which one it is: given back with [`Credentials::refresh`] when the server refuses it.
    pub generation: Generation,
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Nobody has set one.
    #[error("no key for {provider}: set {variable}, or key_file or auth.command in [model_providers.{provider}]{hint}")]
    Missing {
        /// The provider's id.
        provider: Box<str>,
        /// The variable that is empty.
        variable: Box<str>,
        /// What its configuration says on how to get a key.
        hint: Box<str>,
    },
    /// There is something, and it cannot be used.
    #[error("the key for {provider} from {place} cannot be used: {why}")]
    Unusable {
        /// The provider's id.
        provider: Box<str>,
        /// Where it is.
        place: Box<str>,
        /// What is wrong with it.
        why: BadSecret,
    },
    /// The file or the command failed. Another try may go better.
    #[error("no key for {provider} from {place}: {why}")]
    Failed {
        /// The provider's id.
        provider: Box<str>,
        /// Where it should be.
        place: Box<str>,
        /// What went wrong.
        why: Box<str>,
    },
    /// The server refused a key, and there is no other.
    #[error("{provider} refuses its key, and {place} still gives the same one: put a valid key there{hint}")]
    Refused {
        /// The provider's id.
        provider: Box<str>,
        /// Where the key comes from.
        place: Box<str>,
        /// What its configuration says on how to get a key.
        hint: Box<str>,
    },
    /// The task that owns the key has ended: the program is about to.
    #[error("keys are no longer given out: this run is ending")]
    Ended,
}

/// Asks for a provider's key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Credentials {
    asks: mpsc::Sender<Ask>,
}

#[derive(Debug)]
struct Ask {
    /// The key that was refused, if one was.
    stale: Option<Generation>,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Option<Bearer>, CredentialError>;

impl Credentials {
    /// How many may wait for the owner before more are made to wait outside.
    const QUEUE: usize = 64;

    /// The handle, and the owner, which the caller spawns. The owner ends when the last handle is gone.
    pub fn new(
        owner: KeyOwner,
        source: KeySource,
        environment: Environment,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (asks, queue) = mpsc::channel(Self::QUEUE);
        let keeper = Keeper { owner, source, environment, held: None, seen: 0, warned: false };
        (Self { asks }, keeper.run(queue))
    }

    /// The key to send; none if the server wants none.
    pub async fn bearer(&self) -> Answer {
        self.ask(None).await
    }

    /// After the server refused a key: another one. If it was renewed since, that one is given at once.
    pub async fn refresh(&self, stale: Generation) -> Answer {
        self.ask(Some(stale)).await
    }

    async fn ask(&self, stale: Option<Generation>) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask { stale, answer }).await.map_err(|_| CredentialError::Ended)?;
        answered.await.map_err(|_| CredentialError::Ended)?
    }
}

/// The owner of a key.
struct Keeper {
    owner: KeyOwner,
    source: KeySource,
    environment: Environment,
    held: Option<Held>,
    seen: u64,
    /// Whether it was said that others may read the file: once is enough.
    warned: bool,
}

struct Held {
    bearer: Bearer,
    since: Instant,
    /// It could not be renewed: not before this is that tried again, unless the server refuses it.
    spared_until: Option<Instant>,
}

impl Keeper {
    async fn run(mut self, mut queue: mpsc::Receiver<Ask>) {
        while let Some(ask) = queue.recv().await {
            if let Some(bearer) = self.fresh(ask.stale) {
                ask.answer(Ok(Some(bearer)));
                continue;
            }
            let fetched = self.fetch().await.or_else(|error| self.old_one(ask.stale, error));
            // Whoever asked while the key was fetched gets what was found: it is not fetched again for each.
            let waiting = queue.len();
            self.answer(ask, &fetched);
            for _ in 0..waiting {
                let Ok(ask) = queue.try_recv() else { break };
                self.answer(ask, &fetched);
            }
        }
    }

    /// The key in hand, if it need not be fetched: only a command is worth being spared.
    fn fresh(&self, stale: Option<Generation>) -> Option<Bearer> {
        let KeySource::Command(command) = &self.source else { return None };
        let held = self.held.as_ref()?;
        let refused = stale == Some(held.bearer.generation);
        let spared = held.spared_until.is_some_and(|until| Instant::now() < until);
        let old = !spared && command.refresh_after.is_some_and(|age| held.since.elapsed() >= age);
        (!refused && !old).then(|| held.bearer.clone())
    }

    async fn fetch(&mut self) -> Answer {
        let Some(secret) = self.read_source().await? else { return Ok(None) };
        let known = self.held.take().map(|held| held.bearer).filter(|bearer| bearer.secret == secret);
        let bearer = known.unwrap_or_else(|| {
            self.seen += 1;
            Bearer { secret, generation: Generation(self.seen) }
        });
        self.held = Some(Held { bearer: bearer.clone(), since: Instant::now(), spared_until: None });
        Ok(Some(bearer))
    }

    /// A key that nobody has refused is as good as it was when it cannot be renewed.
    fn old_one(&mut self, stale: Option<Generation>, error: CredentialError) -> Answer {
        /// How long it is used before another try to renew it.
        const SPARED: Duration = Duration::from_secs(30);
        match &mut self.held {
            Some(held) if stale != Some(held.bearer.generation) => {
                tracing::warn!(%error, "the key could not be renewed, and the old one is used");
                held.spared_until = Some(Instant::now() + SPARED);
                Ok(Some(held.bearer.clone()))
            }
            _ => Err(error),
        }
    }

    async fn read_source(&mut self) -> Result<Option<Secret>, CredentialError> {
        let text = match &self.source {
            KeySource::None => return Ok(None),
            KeySource::Environment(name) => (self.environment)(name).unwrap_or_default(),
            KeySource::File(path) => {
                let file = source::read_file(path).await.map_err(|why| self.failed(why))?;
                if file.readable_by_others && !self.warned {
                    self.warned = true;
                    let path = path.display();
                    tracing::warn!(provider = &*self.owner.provider, "others may read the key in {path}: chmod 600 it");
                }
                file.text
            }
            KeySource::Command(command) => source::run_command(command).await.map_err(|why| self.failed(why))?,
        };
        match (Secret::new(text.trim()), &self.source) {
            (Ok(secret), _) => Ok(Some(secret)),
            (Err(BadSecret::Empty), KeySource::Environment(name)) => Err(CredentialError::Missing {
                provider: self.owner.provider.clone(),
                variable: name.as_str().into(),
                hint: self.hint(),
            }),
            (Err(why), _) => {
                Err(CredentialError::Unusable { provider: self.owner.provider.clone(), place: self.place(), why })
            }
        }
    }

    fn answer(&self, ask: Ask, fetched: &Answer) {
        let refused = |bearer: &Bearer| ask.stale == Some(bearer.generation);
        let answer = match fetched {
            Ok(Some(bearer)) if refused(bearer) => Err(CredentialError::Refused {
                provider: self.owner.provider.clone(),
                place: self.place(),
                hint: self.hint(),
            }),
            other => other.clone(),
        };
        ask.answer(answer);
    }

    fn failed(&self, why: String) -> CredentialError {
        CredentialError::Failed { provider: self.owner.provider.clone(), place: self.place(), why: why.into() }
    }

    /// Where the key comes from, for messages. Arguments of a command are left out: some hold passwords.
    fn place(&self) -> Box<str> {
        match &self.source {
            KeySource::None => "nowhere".into(),
            KeySource::Environment(name) => name.as_str().into(),
            KeySource::File(path) => path.display().to_string().into(),
            KeySource::Command(command) => format!("the command {}", command.program).into(),
        }
    }

    fn hint(&self) -> Box<str> {
        self.owner.instructions.as_ref().map(|words| format!(" ({words})").into()).unwrap_or_default()
    }
}

impl Ask {
    fn answer(self, answer: Answer) {
        // Whoever asked may be gone by now, and that is its own affair.
        drop(self.answer.send(answer));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Subscriber};

    use super::*;

    fn keeper(refresh_after: Option<Duration>) -> Keeper {
        let command = KeyCommand { program: String::new(), args: vec![], timeout: KeyCommand::TIMEOUT, refresh_after };
        let bearer = Bearer { secret: Secret::new("key").unwrap(), generation: Generation(1) };
        Keeper {
            owner: KeyOwner { provider: "acme".into(), instructions: None },
            source: KeySource::Command(command),
            environment: Arc::new(|_| None),
            held: Some(Held { bearer, since: Instant::now(), spared_until: None }),
            seen: 1,
            warned: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_used_until_it_is_too_old_or_refused() {
        let (aging, ageless) = (keeper(Some(Duration::from_millis(300))), keeper(None));
        let is_fresh = |keeper: &Keeper, stale: Option<u64>| keeper.fresh(stale.map(Generation)).is_some();
        tokio::time::advance(Duration::from_millis(299)).await;
        assert!(is_fresh(&aging, None) && is_fresh(&aging, Some(0)) && !is_fresh(&aging, Some(1)));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!is_fresh(&aging, None) && !is_fresh(&aging, Some(0)));
        assert!(is_fresh(&ageless, None) && !is_fresh(&ageless, Some(1)));
    }

    /// Counts what is said.
    struct Said(Arc<AtomicUsize>);

    impl Subscriber for Said {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            self.0.fetch_add(usize::from(event.metadata().target().contains("credentials")), Ordering::Relaxed);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn that_others_may_read_a_key_is_said_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "key").unwrap();
        let said = Arc::new(AtomicUsize::new(0));
        let _guard = tracing::subscriber::set_default(Said(Arc::clone(&said)));
        let mut keeper = Keeper { source: KeySource::File(file.path().into()), ..keeper(None) };
        for (mode, expected) in [(0o600, 0), (0o644, 1), (0o644, 1)] {
            std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
            assert!(keeper.fetch().await.is_ok());
            assert_eq!(said.load(Ordering::Relaxed), expected, "{mode:o}");
        }
    }
}
