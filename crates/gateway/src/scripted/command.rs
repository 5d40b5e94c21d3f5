//! The commands a message may have: one on a line.

use std::time::Duration;

use responses::json::{Json, Object};

/// How many deltas one message may be asked to have.
const MAX_COUNT: u64 = 1 << 20;

/// How many bytes one message may be asked to have.
const MAX_BYTES: u64 = 64 << 20;

/// How many rounds of calls may be asked for.
const MAX_ROUNDS: u64 = 1 << 20;

/// The longest silence.
const MAX_SILENCE: Duration = Duration::from_hours(1);

/// One step of a script, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Say(&'a str),
    Count(usize),
    Bytes(usize),
    Json(&'a str),
    Recall,
    Think(&'a str),
    Refuse(&'a str),
    Call { name: &'a str, input: &'a str },
    Rounds { count: usize, name: &'a str },
    Fail { code: &'a str, message: &'a str },
    Reject { status: u16, code: &'a str, message: &'a str },
    Die,
    Pause(Duration),
    Pace(Duration),
    Length(u64),
}

impl<'a> Command<'a> {
    /// The commands of a message; `is_custom` says whether a tool of this name takes free text.
    pub(super) fn all(message: &'a str, is_custom: impl Fn(&str) -> bool) -> Vec<Self> {
        message.lines().filter_map(|line| Self::of_line(line, &is_custom)).collect()
    }

    /// Reads a line. What has not the form of a command is none.
    fn of_line(line: &'a str, is_custom: impl Fn(&str) -> bool) -> Option<Self> {
        let (word, rest) = split(line.trim());
        let text = || (!rest.is_empty()).then_some(rest);
        Some(match word {
            "say" => Self::Say(text()?),
            "think" => Self::Think(text()?),
            "refuse" => Self::Refuse(text()?),
            "json" => Self::Json(Json::parse(rest).ok().map(|_| rest)?),
            "recall" if rest.is_empty() => Self::Recall,
            "die" if rest.is_empty() => Self::Die,
            "count" => Self::Count(number(rest, MAX_COUNT)?),
            "bytes" => Self::Bytes(number(rest, MAX_BYTES)?),
            "length" => Self::Length(rest.parse().ok()?),
            "pause" => Self::Pause(silence(rest)?),
            "pace" => Self::Pace(silence(rest)?),
            "call" => {
                let (name, input) = split(text()?);
                (is_custom(name) || Object::parse(input).is_ok()).then_some(Self::Call { name, input })?
            }
            "rounds" => {
                let (count, name) = split(rest);
                let count = number(count, MAX_ROUNDS)?;
                (count > 0 && !name.is_empty()).then_some(Self::Rounds { count, name })?
            }
            "fail" => {
                let (code, message) = split(text()?);
                Self::Fail { code, message: or_default(message) }
            }
            "reject" => {
                let (status, rest) = split(rest);
                let status = status.parse().ok().filter(|status| (400..600).contains(status))?;
                let (code, message) = split(rest);
                (!code.is_empty()).then_some(Self::Reject { status, code, message: or_default(message) })?
            }
            _ => return None,
        })
    }
}

fn split(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

fn number(text: &str, limit: u64) -> Option<usize> {
    let number: u64 = text.parse().ok()?;
    usize::try_from(number).ok().filter(|_| number <= limit)
}

fn silence(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis).filter(|time| *time <= MAX_SILENCE)
}

fn or_default(message: &str) -> &str {
    if message.is_empty() { "the script asks for this error" } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Command<'_>> {
        Command::of_line(line, |name| name == "patch")
    }

    #[test]
    fn a_line_in_the_form_of_a_command_is_one() {
        let ms = Duration::from_millis;
        for (line, expected) in [
            ("say hello  there ", Command::Say("hello  there")),
            ("  count 3", Command::Count(3)),
            ("bytes 2000", Command::Bytes(2000)),
            ("json [1, 2]", Command::Json("[1, 2]")),
            ("recall", Command::Recall),
            ("die\r", Command::Die),
            ("think so", Command::Think("so")),
            ("refuse no", Command::Refuse("no")),
            (r#"call add {"a": 1}"#, Command::Call { name: "add", input: r#"{"a": 1}"# }),
            ("call patch *** Begin", Command::Call { name: "patch", input: "*** Begin" }),
            ("call patch", Command::Call { name: "patch", input: "" }),
            ("rounds 30 add", Command::Rounds { count: 30, name: "add" }),
            ("fail slow_down wait a bit", Command::Fail { code: "slow_down", message: "wait a bit" }),
            ("fail slow_down", Command::Fail { code: "slow_down", message: "the script asks for this error" }),
            ("reject 429 slow_down later", Command::Reject { status: 429, code: "slow_down", message: "later" }),
            ("pause 20", Command::Pause(ms(20))),
            ("pace 5", Command::Pace(ms(5))),
            ("length 7", Command::Length(7)),
        ] {
            assert_eq!(of(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn prose_and_numbers_over_their_limit_are_no_commands() {
        for line in [
            "",
            "hello",
            "say",
            "saying nothing",
            "recall that",
            "die hard",
            "count the files",
            "count -1",
            "count 1048577",
            "bytes 67108865",
            "json {",
            "call",
            "call me maybe",
            "call me",
            "call add [1]",
            "rounds 3",
            "rounds three add",
            "rounds 0 add",
            "reject 200 fine",
            "reject 500",
            "pause 3600001",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
