//! Keys are found where the settings say, renewed once for all who ask, and never shown.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use transport::Secret;
use transport::credentials::{CredentialError, Credentials, Environment, KeyCommand, KeyOwner, KeySource};

/// A key's owner and its task, which ends with it.
struct Running {
    credentials: Credentials,
    _owner: JoinSet<()>,
}

impl std::ops::Deref for Running {
    type Target = Credentials;

    fn deref(&self) -> &Credentials {
        &self.credentials
    }
}

fn start(source: KeySource) -> Running {
    start_with(source, None, Arc::new(|_| None))
}

fn start_with(source: KeySource, instructions: Option<&str>, environment: Environment) -> Running {
    let owner = KeyOwner { provider: "acme".into(), instructions: instructions.map(Box::from) };
    let (credentials, owner) = Credentials::new(owner, source, environment);
    let mut tasks = JoinSet::new();
    tasks.spawn(owner);
    Running { credentials, _owner: tasks }
}

fn command(program: &str, args: &[&str]) -> KeyCommand {
    KeyCommand {
        program: program.to_owned(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        timeout: Duration::from_mins(5),
        refresh_after: None,
    }
}

fn shell(script: &str) -> KeySource {
    KeySource::Command(command("sh", &["-c", script]))
}

/// A command that prints another key each time it runs, and a file with one byte for each run.
fn counting(folder: &Path) -> (KeyCommand, PathBuf) {
    let runs = folder.join("runs");
    let script = r#"printf x >> "$0"; printf 'key-%d' "$(wc -c < "$0")""#;
    (command("sh", &["-c", script, runs.to_str().unwrap()]), runs)
}

fn key_file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("key");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    path
}

async fn key(credentials: &Credentials) -> String {
    credentials.bearer().await.unwrap().unwrap().secret.expose().to_owned()
}

async fn error(source: KeySource) -> String {
    start(source).bearer().await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_server_that_wants_no_key_gets_none() {
    let credentials = start(KeySource::None);
    assert_eq!(credentials.bearer().await, Ok(None));
}

#[tokio::test]
async fn a_key_is_read_from_a_variable() {
    let environment: Environment = Arc::new(|name| (name == "ACME_KEY").then(|| "sk-1\n".to_owned()));
    let credentials = start_with(KeySource::Environment("ACME_KEY".to_owned()), None, environment);
    assert_eq!(key(&credentials).await, "sk-1");
}

#[tokio::test]
async fn a_key_that_is_missing_says_exactly_what_to_do() {
    let source = || KeySource::Environment("ACME_KEY".to_owned());
    let told = "no key for acme: set ACME_KEY, or key_file or auth.command in [model_providers.acme]";
    assert_eq!(error(source()).await, told);
    let empty = start_with(source(), Some("see https://acme.example/keys"), Arc::new(|_| Some(" ".to_owned())));
    let error = empty.bearer().await.unwrap_err();
    assert!(matches!(error, CredentialError::Missing { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("{told} (see https://acme.example/keys)"));
}

#[tokio::test]
async fn a_key_file_is_read_again_and_a_new_key_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = start(KeySource::File(key_file(folder.path(), "old\n")));
    let old = credentials.bearer().await.unwrap().unwrap();
    assert_eq!(credentials.bearer().await.unwrap().unwrap(), old, "the same key has the same generation");
    key_file(folder.path(), "new\n");
    let new = credentials.bearer().await.unwrap().unwrap();
    assert_eq!(new.secret, Secret::new("new").unwrap());
    assert!(new.generation > old.generation);
    assert_eq!(credentials.refresh(old.generation).await.unwrap().unwrap(), new);
}

#[tokio::test]
async fn a_key_that_is_refused_and_still_the_same_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = key_file(folder.path(), "sk-planted-file");
    let credentials = start(KeySource::File(path.clone()));
    let bearer = credentials.bearer().await.unwrap().unwrap();
    let error = credentials.refresh(bearer.generation).await.unwrap_err();
    assert!(matches!(error, CredentialError::Refused { .. }), "{error:?}");
    let told = format!("acme refuses its key, and {} still gives the same one: put a valid key there", path.display());
    assert_eq!(error.to_string(), told);
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_says_why_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let cases = [
        (folder.path().join("nowhere"), "there is no such file: create it"),
        (folder.path().to_owned(), "it is not a file"),
        (PathBuf::from("/dev/null"), "it is not a file"),
        (in_folder("empty", "\n \n"), "it is empty"),
        (in_folder("two", "sk-planted-1\nsk-planted-2\n"), "it holds line breaks"),
        (in_folder("long", &"sk-planted".repeat(10_000)), "this is no key"),
    ];
    for (path, expected) in cases {
        let told = error(KeySource::File(path.clone())).await;
        assert!(told.contains(expected) && told.contains(path.to_str().unwrap()), "{told}");
        assert!(!told.contains("planted"), "{told}");
    }
}

#[tokio::test]
async fn a_command_prints_the_key() {
    for (script, expected) in [
        ("printf sk-1", "sk-1"),
        ("echo; echo ' sk-1 '; echo", "sk-1"),
        ("echo sk-1; echo 'a new version is out'", "sk-1"),
        ("echo 'careful' >&2; echo sk-1", "sk-1"),
        ("head -c 300000 /dev/zero | tr '\\0' e >&2; echo sk-1", "sk-1"),
    ] {
        assert_eq!(key(&start(shell(script))).await, expected, "{script}");
    }
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_first_words_and_without_the_key() {
    let cases = [
        ("exit 3", "from the command sh: it failed, exit status: 3"),
        ("echo; echo 'log in first' >&2; echo more >&2; exit 1", "exit status: 1: log in first"),
        ("echo sk-planted-1; echo '+ send sk-planted-1 away' >&2; exit 1", "exit status: 1: + send [redacted] away"),
        ("printf 'red \\033[31m' >&2; exit 1", "exit status: 1: red [31m"),
        ("kill -9 $$", "signal: 9"),
        ("true", "it ended well and printed nothing"),
        ("cat", "it ended well and printed nothing"),
        ("yes sk-planted", "it printed more than 65536 bytes"),
        ("printf 'sk-planted\\377'", "it did not print text"),
        ("printf 'sk-planted\\001'", "characters that cannot be sent"),
    ];
    for (script, expected) in cases {
        let told = error(shell(script)).await;
        assert!(told.contains(expected), "{script}: {told}");
        assert!(!told.contains("planted") && !told.contains('\u{1b}'), "{told}");
        assert!(told.len() < 400, "{told}");
    }
    let told = error(KeySource::Command(command("/no/such/program", &["--password", "planted"]))).await;
    assert!(told.contains("the command /no/such/program: it does not start"), "{told}");
    assert!(!told.contains("planted"), "{told}");
}

#[tokio::test]
async fn a_long_complaint_is_shortened() {
    let told = error(shell("head -c 3000 /dev/zero | tr '\\0' e >&2; exit 1")).await;
    assert_eq!(told.matches("eeeeeeeeee").count(), 20, "{told}");
}

#[tokio::test]
async fn a_command_that_does_not_end_is_given_up() {
    let late = KeyCommand { timeout: Duration::from_millis(50), ..command("sleep", &["5"]) };
    let error = start(KeySource::Command(late)).bearer().await.unwrap_err();
    assert!(matches!(error, CredentialError::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("did not end within 50ms"), "{error}");
}

#[tokio::test]
async fn a_command_that_runs_dies_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let script = r#"exec 3> "$0"; printf x >&3; exec sleep 60"#;
    let running = start(KeySource::Command(command("sh", &["-c", script, pipe.to_str().unwrap()])));
    let asked = running.credentials.clone();
    let (answer, ended) = tokio::join!(asked.bearer(), async {
        let mut pipe = tokio::fs::File::open(pipe).await.unwrap();
        assert_eq!(pipe.read_u8().await.unwrap(), b'x', "it runs");
        drop(running);
        // The other end of the pipe is held by the command alone.
        tokio::time::timeout(Duration::from_secs(30), pipe.read_u8()).await
    });
    assert_eq!(answer, Err(CredentialError::Ended));
    assert_eq!(ended.unwrap().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_commands_key_is_used_until_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (command, runs) = counting(folder.path());
    let credentials = start(KeySource::Command(command));
    let first = credentials.bearer().await.unwrap().unwrap();
    assert_eq!(credentials.bearer().await.unwrap().unwrap(), first);
    let second = credentials.refresh(first.generation).await.unwrap().unwrap();
    assert_eq!((first.secret.expose(), second.secret.expose()), ("key-1", "key-2"));
    assert_eq!(credentials.refresh(first.generation).await.unwrap().unwrap(), second, "it was renewed since");
    assert_eq!(std::fs::read(runs).unwrap().len(), 2);
}

#[tokio::test]
async fn one_renewal_serves_all_who_ask_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (command, runs) = counting(folder.path());
    let credentials = start(KeySource::Command(command));
    let stale = credentials.bearer().await.unwrap().unwrap().generation;
    let renewed = join_all((0..200).map(|_| credentials.refresh(stale))).await;
    assert!(renewed.iter().all(|bearer| bearer.as_ref().unwrap().as_ref().unwrap().secret.expose() == "key-2"));
    assert_eq!(std::fs::read(runs).unwrap().len(), 2);
}

#[tokio::test]
async fn one_failure_is_told_to_all_who_wait() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let script = r#"printf x >> "$0"; exit 1"#;
    let credentials = start(KeySource::Command(command("sh", &["-c", script, runs.to_str().unwrap()])));
    let answers = join_all((0..20).map(|_| credentials.bearer())).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(CredentialError::Failed { .. }))), "{answers:?}");
    assert_eq!(std::fs::read(runs).unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_is_too_old_is_fetched_before_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (command, _) = counting(folder.path());
    let credentials = start(KeySource::Command(KeyCommand { refresh_after: Some(Duration::ZERO), ..command }));
    assert_eq!((key(&credentials).await, key(&credentials).await), ("key-1".to_owned(), "key-2".to_owned()));
}

#[tokio::test]
async fn one_who_no_longer_waits_holds_up_nobody() {
    let credentials = start(shell("echo sk-1"));
    let asked = futures_util::poll!(Box::pin(credentials.bearer()));
    assert!(asked.is_pending(), "and is dropped here");
    assert_eq!(key(&credentials).await, "sk-1");
}

#[tokio::test]
async fn the_owner_ends_with_its_last_handle_and_handles_say_when_it_is_gone() {
    let owner = || KeyOwner { provider: "acme".into(), instructions: None };
    let (credentials, task) = Credentials::new(owner(), KeySource::None, Arc::new(|_| None));
    drop(credentials);
    task.await;
    let (credentials, task) = Credentials::new(owner(), KeySource::None, Arc::new(|_| None));
    drop(task);
    assert_eq!(credentials.bearer().await, Err(CredentialError::Ended));
}

#[tokio::test]
async fn nothing_that_can_be_shown_shows_a_key() {
    let credentials = start(shell("echo sk-planted-9"));
    let bearer = credentials.bearer().await.unwrap().unwrap();
    let refused = credentials.refresh(bearer.generation).await.unwrap_err();
    let shown = format!("{:?} {bearer:?} {refused:?} {refused}", credentials.credentials);
    assert!(!shown.contains("planted"), "{shown}");
}
