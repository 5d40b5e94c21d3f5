//! Reading a key from a file or a command: bounded in size and in time.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, sink};
use tokio::process::Command;
use tokio::time::timeout;

use super::KeyCommand;

/// How much is read of what should be a key.
const MAX_OUTPUT: u64 = 64 << 10;

/// How much is read of what a command complains about.
const MAX_COMPLAINT: u64 = 4 << 10;

/// How much of a complaint is shown, in characters.
const SHOWN: usize = 200;

/// How long a file may take: it may lie on another machine.
const FILE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a key file holds.
pub(super) struct KeyFile {
    pub(super) text: String,
    pub(super) readable_by_others: bool,
}

/// Reads a key file. The error says what to do, and nothing of what is in the file.
pub(super) async fn read_file(path: &Path) -> Result<KeyFile, String> {
    timeout(FILE_TIMEOUT, read(path)).await.unwrap_or_else(|_| Err(format!("it was not read within {FILE_TIMEOUT:?}")))
}

async fn read(path: &Path) -> Result<KeyFile, String> {
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    let metadata = tokio::fs::metadata(path).await.map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err("it is not a file: put the key into a file, and name that".to_owned());
    }
    let file = File::open(path).await.map_err(|error| unreadable(&error))?;
    let bytes = bounded(file, MAX_OUTPUT).await.map_err(|error| unreadable(&error))?;
    let text = bytes.ok_or_else(|| format!("it holds more than {MAX_OUTPUT} bytes: this is no key"))?;
    let text = String::from_utf8(text).map_err(|_| "it does not hold text".to_owned())?;
    Ok(KeyFile { text, readable_by_others: readable_by_others(&metadata) })
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file: create it with the key as its only line".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read by this user".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> bool {
    const READ_BY_GROUP_OR_ALL: u32 = 0o044;
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & READ_BY_GROUP_OR_ALL != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::fs::Metadata) -> bool {
    false
}

/// Runs a key command. The error holds the first line of its complaint, and nothing of the key.
pub(super) async fn run_command(command: &KeyCommand) -> Result<String, String> {
    // Dropped when its time is up, and killed by that.
    let run = timeout(command.timeout, run(command)).await;
    run.unwrap_or_else(|_| {
        Err(format!("it did not end within {:?}: make it faster or raise auth.timeout_ms", command.timeout))
    })
}

async fn run(command: &KeyCommand) -> Result<String, String> {
    let mut child = Command::new(&command.program)
        .args(&command.args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("its output cannot be read".to_owned());
    };
    let (output, complaint) = tokio::join!(bounded(stdout, MAX_OUTPUT), bounded_start(stderr, MAX_COMPLAINT));
    let Some(output) = output.map_err(|error| error.to_string())? else {
        return Err(format!("it printed more than {MAX_OUTPUT} bytes: it should print the key and nothing else"));
    };
    let status = child.wait().await.map_err(|error| error.to_string())?;
    let output = String::from_utf8(output).map_err(|_| "it did not print text".to_owned())?;
    // Some print the key, and a notice after it.
    let key = output.trim().lines().next().unwrap_or_default().trim_end();
    if !status.success() {
        return Err(complained(status, &String::from_utf8_lossy(&complaint), key));
    }
    if key.is_empty() {
        return Err("it ended well and printed nothing: it should print the key".to_owned());
    }
    Ok(key.to_owned())
}

/// What is said of a command that failed. Commands that are traced print the key among their complaints.
fn complained(status: ExitStatus, complaint: &str, key: &str) -> String {
    let line = complaint.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = if key.is_empty() { line.to_owned() } else { line.replace(key, "[redacted]") };
    let shown: String = line.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if shown.is_empty() { format!("it failed, {status}") } else { format!("it failed, {status}: {shown}") }
}

/// All bytes; none if there are more than `limit`. What is over the limit is not read.
async fn bounded(from: impl AsyncRead + Unpin, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read = from.take(limit + 1).read_to_end(&mut bytes).await?;
    Ok((read as u64 <= limit).then_some(bytes))
}

/// The first bytes; the rest is read and dropped, so that the writer is not held up.
async fn bounded_start(mut from: impl AsyncRead + Unpin, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut start = (&mut from).take(limit);
    if start.read_to_end(&mut bytes).await.is_ok() {
        // A complaint that cannot be read to its end is still a complaint.
        drop(tokio::io::copy(&mut from, &mut sink()).await);
    }
    bytes
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_key_file_that_others_may_read_is_noticed_and_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "key\n").unwrap();
        for (mode, noticed) in [(0o600, false), (0o400, false), (0o610, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
            let read = read_file(file.path()).await.map_err(|why| panic!("{why}")).unwrap();
            assert_eq!((read.readable_by_others, &*read.text), (noticed, "key\n"), "{mode:o}");
        }
    }
}
