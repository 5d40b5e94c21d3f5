//! What servers say of their limits is read as it is said, and nonsense is left out.

use std::time::Duration;

use transport::rate_limits::{Credits, Plan, Quota, RateLimits, Window};

#[test]
fn the_limits_of_a_key_are_read_from_headers() {
    let limits = RateLimits::from_headers([
        ("X-RateLimit-Limit-Requests", "500"),
        ("x-ratelimit-remaining-requests", " 499 "),
        ("x-ratelimit-reset-requests", "120ms"),
        ("x-ratelimit-limit-tokens", "30000"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("x-request-id", "req_1"),
    ]);
    let quota = |limit, remaining, reset| Quota {
        limit: Some(limit),
        remaining: Some(remaining),
        reset_after: Some(Duration::from_millis(reset)),
    };
    let expected = RateLimits {
        requests: Some(quota(500, 499, 120)),
        tokens: Some(quota(30_000, 0, 360_000)),
        ..RateLimits::default()
    };
    assert_eq!(limits, expected);
}

#[test]
fn times_until_a_reset_are_read_in_every_spelling() {
    let cases = [
        ("6m0s", Some(360_000)),
        ("1s", Some(1000)),
        ("20ms", Some(20)),
        ("1h2m3s", Some(3_723_000)),
        ("1.5s", Some(1500)),
        ("59", Some(59_000)),
        ("0s", Some(0)),
        ("soon", None),
        ("-1", None),
        ("NaN", None),
        ("1e400", None),
    ];
    for (text, expected) in cases {
        let limits = RateLimits::from_headers([("x-ratelimit-limit-tokens", "1"), ("x-ratelimit-reset-tokens", text)]);
        assert_eq!(limits.tokens.unwrap().reset_after, expected.map(Duration::from_millis), "{text}");
    }
}

#[test]
fn the_limits_of_a_plan_are_read_from_headers_by_name() {
    let limits = RateLimits::from_headers([
        ("x-codex-primary-used-percent", "12.5"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-at", "1790000000"),
        ("x-codex-secondary-used-percent", "101"),
        ("x-codex-active-limit", "codex"),
        ("x-codex-rate-limit-reached-type", "secondary"),
        ("x-codex-credits-has-credits", "True"),
        ("x-codex-credits-unlimited", "false"),
        ("x-codex-credits-balance", "12.34"),
        ("x-codex-other-model-primary-used-percent", "3"),
        ("x-codex-other-model-limit-name", "Other model"),
    ]);
    let codex = Plan {
        id: "codex".into(),
        primary: Some(Window { used_percent: 12.5, minutes: Some(300), resets_at: Some(1_790_000_000) }),
        secondary: Some(Window { used_percent: 101.0, minutes: None, resets_at: None }),
        credits: Some(Credits { any: true, unlimited: false, balance: Some("12.34".into()) }),
        ..Plan::default()
    };
    let other = Plan {
        id: "codex-other-model".into(),
        name: Some("Other model".into()),
        primary: Some(Window { used_percent: 3.0, ..Window::default() }),
        ..Plan::default()
    };
    let expected = RateLimits {
        plans: vec![codex, other],
        active: Some("codex".into()),
        reached: Some("secondary".into()),
        ..RateLimits::default()
    };
    assert_eq!(limits, expected);
}

#[test]
fn headers_that_make_no_sense_say_nothing() {
    let limits = RateLimits::from_headers([
        ("x-ratelimit-limit-requests", "many"),
        ("x-ratelimit-remaining-tokens", ""),
        ("x-ratelimit-limit-images", "5"),
        ("x--primary-used-percent", "5"),
        ("x-codex-active-limit", " "),
        ("content-type", "text/event-stream"),
    ]);
    assert!(limits.is_empty(), "{limits:?}");
    for percent in ["NaN", "inf", "-3", "half"] {
        let limits = RateLimits::from_headers([("x-codex-primary-used-percent", percent)]);
        assert_eq!(limits.plans.iter().find_map(|plan| plan.primary.clone()), None, "{percent}");
    }
}

#[test]
fn a_server_that_names_many_limits_is_not_followed_without_end() {
    let names: Vec<String> = (0..100).map(|at| format!("x-limit{at}-primary-used-percent")).collect();
    let long = "y".repeat(10_000);
    let headers = names.iter().map(|name| (name.as_str(), "1")).chain([("x-codex-active-limit", long.as_str())]);
    let limits = RateLimits::from_headers(headers);
    assert_eq!(limits.plans.len(), RateLimits::MAX_PLANS);
    assert_eq!(limits.active.unwrap().len(), RateLimits::MAX_TEXT);
}

#[test]
fn the_event_of_a_plan_is_read() {
    let limits = RateLimits::from_event(
        r#"{"type":"codex.rate_limits","plan_type":"pro","rate_limits":{"primary":{"used_percent":42.0,
            "window_minutes":300,"reset_at":1790000000},"secondary":null},
            "credits":{"has_credits":false,"unlimited":false,"balance":null},"new":[1]}"#,
    );
    let expected = Plan {
        id: "codex".into(),
        plan_type: Some("pro".into()),
        primary: Some(Window { used_percent: 42.0, minutes: Some(300), resets_at: Some(1_790_000_000) }),
        credits: Some(Credits::default()),
        ..Plan::default()
    };
    assert_eq!(limits, Some(RateLimits { plans: vec![expected], ..RateLimits::default() }));
}

#[test]
fn an_event_that_names_its_limit_keeps_the_name() {
    for key in ["metered_limit_name", "limit_name"] {
        let limits = RateLimits::from_event(&format!(r#"{{"type":"codex.rate_limits","{key}":"spark"}}"#)).unwrap();
        assert_eq!(limits.plans.first().map(|plan| &*plan.id), Some("spark"));
    }
}

#[test]
fn other_events_and_other_shapes_are_not_taken_for_limits() {
    let cases = [
        "",
        "[]",
        r#"{"rate_limits":{}}"#,
        r#"{"type":"response.created"}"#,
        r#"{"type":"codex.rate_limits","rate_limits":3}"#,
        r#"{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":"much"}}}"#,
        r#"{"type":"codex.rate_limits","credits":{}}"#,
    ];
    for text in cases {
        assert_eq!(RateLimits::from_event(text), None, "{text}");
    }
}
