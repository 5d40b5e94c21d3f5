//! A probe in words.

use std::fmt::Write;
use std::time::Duration;

use responses::error::ApiError;
use transport::credentials::KeySource;
use transport::dial::Path;
use transport::rate_limits::{Plan, Quota, RateLimits, Window};
use transport::{Found, Problem};

use super::{Report, address, has_no_models, http_version, lacks_key};

/// How much of what a server says is shown.
const MAX_SHOWN: usize = 400;

/// What was found, for people.
pub(super) fn write(report: &Report<'_>) -> String {
    let Report { provider, probe, .. } = report;
    let mut page = Page::default();
    page.line("provider", &format!("{} ({}) at {}", provider.name, provider.id, address(provider)));
    page.line("key", &key(report));
    match &probe.socket {
        Some(found) => page.way("websocket", found, &socket(found)),
        None => page.line("websocket", "not tried"),
    }
    let again = report.socket_problem().is_some_and(|problem| probe.http.answer.as_ref().err() == Some(problem));
    page.way("http", &probe.http, &if again { "the same".to_owned() } else { http(&probe.http) });
    let heads = [Some(&probe.http), probe.socket.as_ref()].into_iter().flatten();
    let told = heads.filter_map(|found| found.answer.as_ref().ok()).map(|head| &head.rate_limits);
    if let Some(limits) = told.into_iter().find(|limits| !limits.is_empty()) {
        page.line("limits", &rate_limits(limits));
    }
    page.line("", "");
    page.line("", &report.conclusion());
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn way(&mut self, name: &str, found: &Found, what: &str) {
        self.line(name, what);
        if let Some(path) = &found.path {
            self.line(" ", &route(path));
        }
    }

    /// A line under a heading. A server has no say in where the cursor goes.
    fn line(&mut self, name: &str, what: &str) {
        let mut what: String = what.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        if let Some((end, _)) = what.char_indices().nth(MAX_SHOWN) {
            what.truncate(end);
            what.push('…');
        }
        // Writing to a String cannot fail.
        let _ = match name {
            "" => writeln!(self.text, "{what}"),
            name => writeln!(self.text, "{name:<11}{what}"),
        };
    }
}

fn key(report: &Report<'_>) -> String {
    let place = report.key_place();
    match (&report.provider.key, report.key_is_set) {
        (KeySource::None, _) => "none is sent: none is set up for this provider".to_owned(),
        (_, Some(true)) => format!("{place} is set"),
        (_, Some(false)) => format!("{place} is not set"),
        (_, None) => format!("from {place}"),
    }
}

fn socket(found: &Found) -> String {
    match &found.answer {
        Ok(_) => format!("opened in {}", time(found.took)),
        Err(why) => not_had(why),
    }
}

fn http(found: &Found) -> String {
    let how = || format!("in {} over {}", time(found.took), http_version(found));
    match &found.answer {
        Ok(_) => format!("answers {}", how()),
        Err(Problem::Refused(error)) if has_no_models(error) => {
            format!("answers {}, without a list of models ({})", how(), error.status.unwrap_or_default())
        }
        Err(why) => not_had(why),
    }
}

fn not_had(why: &Problem) -> String {
    match why {
        Problem::Refused(error) if lacks_key(error) => format!("not tried: {}", error.message),
        Problem::Refused(error) => format!("refused with {}: {error}", error.status.unwrap_or_default()),
        Problem::Unreachable(_) | Problem::Broke => format!("not reached: {why}"),
    }
}

/// What is wrong, and what to do.
pub(super) fn problem(why: &Problem) -> String {
    match why {
        Problem::Refused(error) => refusal(error),
        Problem::Unreachable(_) | Problem::Broke => why.to_string(),
    }
}

fn refusal(error: &ApiError) -> String {
    format!("the server answers with {}; {}", error.status.unwrap_or_default(), error.meaning().advice)
}

fn route(path: &Path) -> String {
    let via = path.via.as_ref().map_or("direct".to_owned(), |proxy| format!("through {proxy}"));
    let peer = path.peer.map(|peer| format!(" to {peer}")).unwrap_or_default();
    let tls = path.tls_version.map(|version| format!(" ({version})")).unwrap_or_default();
    let steps = [
        Some(format!("name {}", time(path.resolve))),
        Some(format!("connection {}", time(path.connect))),
        path.proxy.map(|took| format!("proxy {}", time(took))),
        path.tls.map(|took| format!("TLS {}{tls}", time(took))),
    ];
    let steps: Vec<_> = steps.into_iter().flatten().collect();
    format!("{via}{peer}: {}", steps.join(", "))
}

fn rate_limits(limits: &RateLimits) -> String {
    let quotas = [("requests", &limits.requests), ("tokens", &limits.tokens)];
    let quotas = quotas.into_iter().filter_map(|(name, quota)| Some(format!("{name} {}", left(quota.as_ref()?)?)));
    let facts: Vec<_> = quotas.chain(limits.plans.iter().filter_map(plan)).collect();
    facts.join("; ")
}

fn left(quota: &Quota) -> Option<String> {
    let remaining = quota.remaining?;
    let of = quota.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let again = quota.reset_after.map(|wait| format!(", all again in {} s", wait.as_millis().div_ceil(1000)));
    Some(format!("{remaining}{of} left{}", again.unwrap_or_default()))
}

fn plan(plan: &Plan) -> Option<String> {
    let used: Vec<_> = [&plan.primary, &plan.secondary].into_iter().flatten().map(used).collect();
    (!used.is_empty()).then(|| format!("{} {}", plan.name.as_ref().unwrap_or(&plan.id), used.join(", ")))
}

fn used(window: &Window) -> String {
    let of = window.minutes.map(|minutes| format!(" of {minutes} min")).unwrap_or_default();
    format!("{} %{of} used", window.used_percent)
}

/// A time that people compare at a glance.
fn time(took: Duration) -> String {
    let milliseconds = took.as_secs_f64() * 1000.0;
    let decimals = usize::from(milliseconds < 10.0);
    format!("{milliseconds:.decimals$} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_neither_moves_the_cursor_nor_fills_the_screen() {
        let mut page = Page::default();
        page.line("http", "refused\u{1b}[2J\nworks\u{9b}");
        page.line("", &"x".repeat(1000));
        assert_eq!(page.text, format!("http       refused [2J works \n{}…\n", "x".repeat(MAX_SHOWN)));
    }

    #[test]
    fn a_time_has_decimals_where_they_matter() {
        for (microseconds, expected) in [(0, "0.0 ms"), (1250, "1.2 ms"), (9_900, "9.9 ms"), (10_400, "10 ms")] {
            assert_eq!(time(Duration::from_micros(microseconds)), expected);
        }
    }

    #[test]
    fn limits_are_told_as_far_as_they_are_known() {
        let quota = |remaining, limit, wait| Quota { limit, remaining, reset_after: wait };
        let wait = Some(Duration::from_millis(1001));
        for (quota, expected) in [
            (quota(Some(1), Some(2), wait), Some("1 of 2 left, all again in 2 s")),
            (quota(Some(1), None, None), Some("1 left")),
            (quota(None, Some(2), wait), None),
        ] {
            assert_eq!(left(&quota).as_deref(), expected);
        }
    }
}
