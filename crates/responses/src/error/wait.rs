//! How long a server asks to wait: in headers, or in a sentence.

use std::time::Duration;

/// The longest wait that is believed; a longer one is taken as this.
const MAX_WAIT: Duration = Duration::from_hours(744);

/// Reads `retry-after-ms` and `retry-after` in seconds. A date needs a clock and is left to the caller.
pub fn wait_in_headers<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>) -> Option<Duration> {
    let mut seconds = None;
    for (key, value) in headers {
        let number = || value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        if key.eq_ignore_ascii_case("retry-after-ms") {
            return number().map(|ms| believed(ms / 1000.0));
        }
        if key.eq_ignore_ascii_case("retry-after") {
            seconds = number().map(believed);
        }
    }
    seconds
}

/// Finds "try again in 1.5s", "retry after 30 seconds", "in 6m0s", "in 20ms" in a message.
pub fn wait_in_text(message: &str) -> Option<Duration> {
    let lower = message.to_ascii_lowercase();
    let (_, rest) =
        ["try again in ", "retry after ", "retry in ", "wait "].iter().find_map(|cue| lower.split_once(cue))?;
    let (mut total, mut rest, mut found) = (0.0, rest, false);
    while let Some((number, after)) = leading_number(rest) {
        let after = after.trim_start();
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let scale = match unit {
            "ms" | "millisecond" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86400.0,
            _ => break,
        };
        total += number * scale;
        found = true;
        rest = next.trim_start();
    }
    found.then(|| believed(total))
}

fn leading_number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.trim_end_matches('.').parse().ok()?, rest))
}

fn believed(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(MAX_WAIT).min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_found_in_sentences() {
        let cases = [
            ("Rate limit reached. Please try again in 1.5s.", 1.5),
            ("Please try again in 20ms", 0.02),
            ("Try again in 6m0s. Visit the dashboard", 360.0),
            ("retry after 30 seconds", 30.0),
            ("try again in 1h2m3s", 3723.0),
            ("You have hit your limit, try again in 2 days 3 hours", 183_600.0),
        ];
        for (text, seconds) in cases {
            assert_eq!(wait_in_text(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "try again in a while", "try again in ", "try again in 5 parsecs", "in 5s"] {
            assert_eq!(wait_in_text(text), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_are_preferred_and_nonsense_is_not_believed() {
        let wait = |pairs: &[(&'static str, &'static str)]| wait_in_headers(pairs.iter().copied());
        assert_eq!(wait(&[("retry-after", "2"), ("retry-after-ms", "150")]), Some(Duration::from_millis(150)));
        assert_eq!(wait(&[("Retry-After", "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(wait(&[("retry-after", "1e300")]), Some(MAX_WAIT));
        for bad in ["-1", "NaN", "inf", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(wait_in_headers([("retry-after", bad)].into_iter()), None, "{bad}");
        }
    }
}
