//! What the system knows of this process. Linux only: elsewhere nothing is known.

use std::fs;
use std::time::Duration;

/// How long this thread has kept a processor busy, in steps of a nanosecond.
pub(crate) fn thread_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
