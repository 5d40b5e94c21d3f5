//! What a server says of its limits, as data.

use std::borrow::Cow;
use std::time::Duration;

use responses::error::wait_in_text;
use responses::json::{Object, Raw, Read, WireError};

/// What is known of limits: from the headers of one answer, or from one event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RateLimits {
    /// Requests, as API keys are limited.
    pub requests: Option<Quota>,
    /// Tokens, as API keys are limited.
    pub tokens: Option<Quota>,
    /// Limits of plans, by name.
    pub plans: Vec<Plan>,
    /// Which plan limit counts for this request.
    pub active: Option<Box<str>>,
    /// Which kind of plan limit was reached.
    pub reached: Option<Box<str>>,
}

/// So many in a while.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
    /// When all are there again.
    pub reset_after: Option<Duration>,
}

/// One limit of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The limit's short name, `codex` if it has none.
    pub id: Box<str>,
    /// Its name for people.
    pub name: Option<Box<str>>,
    /// The plan it belongs to.
    pub plan_type: Option<Box<str>>,
    /// The shorter window.
    pub primary: Option<Window>,
    /// The longer window.
    pub secondary: Option<Window>,
    /// What can be used beyond.
    pub credits: Option<Credits>,
}

/// How much of a window of time is used up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// In per cent; may be over a hundred.
    pub used_percent: f64,
    /// How long the window is.
    pub minutes: Option<u64>,
    /// When it begins anew, in seconds since 1970.
    pub resets_at: Option<u64>,
}

/// What was paid for beyond the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credits {
    /// Whether there are any.
    pub any: bool,
    /// Whether they do not end.
    pub unlimited: bool,
    /// How much is left, as the server writes it.
    pub balance: Option<Box<str>>,
}

/// The limit that is meant where none is named.
const DEFAULT_PLAN: &str = "codex";

impl RateLimits {
    /// How many limits of plans are kept.
    pub const MAX_PLANS: usize = 16;

    /// How much of a name is kept.
    pub const MAX_TEXT: usize = 120;

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads `x-ratelimit-*`, and `x-codex-*` with its likes. What it cannot read it leaves out.
    pub fn from_headers<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Self {
        let headers = Headers::of(headers);
        Self {
            requests: quota(&headers, "requests"),
            tokens: quota(&headers, "tokens"),
            plans: headers.plans().map(|id| plan(&headers, id)).collect(),
            active: headers.get("x-codex-active-limit").map(kept),
            reached: headers.get("x-codex-rate-limit-reached-type").map(kept),
        }
    }

    /// Reads a `codex.rate_limits` event; none if it is another event, or has another shape.
    pub fn from_event(text: &str) -> Option<Self> {
        let event = Object::parse(text).ok()?;
        if event.read::<Cow<'_, str>>("type").ok()? != "codex.rate_limits" {
            return None;
        }
        plan_of_event(&event).ok().map(|plan| Self { plans: vec![plan], ..Self::default() })
    }
}

/// The headers that may speak of limits, names in lower case.
struct Headers<'h>(Vec<(String, &'h str)>);

impl<'h> Headers<'h> {
    fn of(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Self {
        const MAX_HEADERS: usize = 256;
        let named = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim()));
        Self(named.filter(|(name, value)| name.starts_with("x-") && !value.is_empty()).take(MAX_HEADERS).collect())
    }

    fn get(&self, name: &str) -> Option<&'h str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// The names of all plan limits that something is said of, in the order in which they are first met.
    fn plans(&self) -> impl Iterator<Item = &str> {
        const TELLING: [&str; 3] = ["-primary-used-percent", "-secondary-used-percent", "-credits-has-credits"];
        let mut ids: Vec<&str> = Vec::new();
        for (name, _) in &self.0 {
            let id = name.strip_prefix("x-").and_then(|rest| TELLING.iter().find_map(|end| rest.strip_suffix(end)));
            ids.extend(id.filter(|id| !id.is_empty() && !ids.contains(id)));
        }
        ids.into_iter().take(RateLimits::MAX_PLANS)
    }
}

fn quota(headers: &Headers<'_>, of: &str) -> Option<Quota> {
    let quota = Quota {
        limit: headers.number(&format!("x-ratelimit-limit-{of}")),
        remaining: headers.number(&format!("x-ratelimit-remaining-{of}")),
        reset_after: headers.get(&format!("x-ratelimit-reset-{of}")).and_then(wait),
    };
    (quota != Quota::default()).then_some(quota)
}

fn plan(headers: &Headers<'_>, id: &str) -> Plan {
    let window = |which: &str| {
        Some(Window {
            used_percent: percent(headers.get(&format!("x-{id}-{which}-used-percent"))?.parse().ok()?)?,
            minutes: headers.number(&format!("x-{id}-{which}-window-minutes")),
            resets_at: headers.number(&format!("x-{id}-{which}-reset-at")),
        })
    };
    let credits = headers.flag(&format!("x-{id}-credits-has-credits")).map(|any| Credits {
        any,
        unlimited: headers.flag(&format!("x-{id}-credits-unlimited")).unwrap_or_default(),
        balance: headers.get(&format!("x-{id}-credits-balance")).map(kept),
    });
    Plan {
        id: kept(id),
        name: headers.get(&format!("x-{id}-limit-name")).map(kept),
        plan_type: None,
        primary: window("primary"),
        secondary: window("secondary"),
        credits,
    }
}

fn plan_of_event(event: &Object<'_>) -> Result<Plan, WireError> {
    let named = |key| event.read::<Option<Cow<'_, str>>>(key).map(|text| text.map(|text| kept(&text)));
    let name = named("metered_limit_name")?.or(named("limit_name")?);
    let mut plan = Plan {
        id: name.clone().unwrap_or_else(|| DEFAULT_PLAN.into()),
        name,
        plan_type: named("plan_type")?,
        ..Plan::default()
    };
    if let Some(Raw(windows)) = event.read("rate_limits")? {
        let windows = Object::parse(windows)?;
        plan.primary = window_of_event(windows.read("primary")?)?;
        plan.secondary = window_of_event(windows.read("secondary")?)?;
    }
    if let Some(Raw(credits)) = event.read("credits")? {
        let credits = Object::parse(credits)?;
        plan.credits = Some(Credits {
            any: credits.read("has_credits")?,
            unlimited: credits.read("unlimited")?,
            balance: credits.read::<Option<Cow<'_, str>>>("balance")?.map(|text| kept(&text)),
        });
    }
    Ok(plan)
}

fn window_of_event(text: Option<Raw<'_>>) -> Result<Option<Window>, WireError> {
    let Some(Raw(text)) = text else { return Ok(None) };
    let window = Object::parse(text)?;
    Ok(percent(window.read("used_percent")?).map(|used_percent| Window {
        used_percent,
        minutes: read_or_none(&window, "window_minutes"),
        resets_at: read_or_none(&window, "reset_at"),
    }))
}

fn read_or_none<'a, T: Read<'a>>(object: &Object<'a>, key: &'static str) -> Option<T> {
    object.read::<Option<T>>(key).ok().flatten()
}

fn percent(number: f64) -> Option<f64> {
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// `6m0s`, `1s`, `20ms`; or plain seconds.
fn wait(text: &str) -> Option<Duration> {
    let seconds = || text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    wait_in_text(&format!("wait {text}")).or_else(seconds)
}

fn kept(text: &str) -> Box<str> {
    text.chars().take(RateLimits::MAX_TEXT).collect::<String>().into()
}
