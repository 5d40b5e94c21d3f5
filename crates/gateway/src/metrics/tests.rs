use std::collections::BTreeSet;

use responses::fold::whole;

use super::*;

fn ended(status: &str) -> Finished {
    let usage = r#"{"input_tokens":11,"output_tokens":13,"total_tokens":24}"#;
    whole(&format!(r#"{{"id":"resp_1","object":"response","status":"{status}","output":[],"usage":{usage}}}"#)).unwrap()
}

/// Something of everything.
fn eventful() -> Metrics {
    let metrics = Metrics::new();
    metrics.request("create", 200);
    metrics.request("create", 201);
    metrics.socket_read(5);
    metrics.socket_written(7);
    metrics.events(3);
    metrics.first_event(Duration::from_millis(30));
    metrics.response("gpt-5", "azure", &ended("completed"), Duration::from_secs(2));
    metrics.refused(&ApiError::report(429, Some("rate_limit_exceeded"), None, "planted"));
    metrics.failover("azure");
    metrics.store_error();
    metrics
}

/// The samples of a text: name with labels, and value. Stands for what the format demands.
fn samples(text: &str) -> Vec<(&str, f64)> {
    let body = text.strip_suffix("# EOF\n").unwrap();
    let mut family = "";
    let mut samples = Vec::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let [kind, name, words] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind) && !words.is_empty(), "{line}");
            assert!(kind == "HELP" || family == name, "{line}");
            family = name;
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(family) && family.starts_with("capstan_"), "{line}");
            samples.push((name, value.parse().unwrap()));
        }
    }
    samples
}

#[test]
fn what_is_counted_is_told_in_the_text_that_prometheus_reads() {
    let metrics = eventful();
    let _open = [metrics.socket_open(), metrics.socket_open()];
    drop(metrics.socket_open());
    let text = metrics.render(Load { running: 4, waiting: 1 });
    let expected = "\
# HELP capstan_http_requests Requests over HTTP by endpoint and class of status.
# TYPE capstan_http_requests counter
capstan_http_requests_total{endpoint=\"create\",status=\"2xx\"} 2
# HELP capstan_sockets WebSockets that are open.
# TYPE capstan_sockets gauge
capstan_sockets 2
";
    assert!(text.starts_with(expected), "{text}");
    // By its type a reader knows that the text has an end.
    assert!(Metrics::CONTENT_TYPE.starts_with("application/openmetrics-text;") && text.ends_with("\n# EOF\n"));
    let found = samples(&text);
    for sample in [
        ("capstan_socket_bytes_total{direction=\"read\"}", 5.0),
        ("capstan_socket_bytes_total{direction=\"written\"}", 7.0),
        ("capstan_events_total", 3.0),
        ("capstan_responses_total{model=\"gpt-5\",backend=\"azure\",outcome=\"completed\"}", 1.0),
        ("capstan_responses_running", 4.0),
        ("capstan_responses_waiting", 1.0),
        ("capstan_first_event_seconds_sum", 0.03),
        ("capstan_first_event_seconds_bucket{le=\"0.025\"}", 0.0),
        ("capstan_first_event_seconds_bucket{le=\"0.05\"}", 1.0),
        ("capstan_response_duration_seconds_sum{backend=\"azure\"}", 2.0),
        ("capstan_response_duration_seconds_bucket{le=\"+Inf\",backend=\"azure\"}", 1.0),
        ("capstan_tokens_total{model=\"gpt-5\",direction=\"input\"}", 11.0),
        ("capstan_tokens_total{model=\"gpt-5\",direction=\"output\"}", 13.0),
        ("capstan_refusals_total{code=\"rate_limit_exceeded\"}", 1.0),
        ("capstan_failovers_total{backend=\"azure\"}", 1.0),
        ("capstan_store_errors_total", 1.0),
    ] {
        assert!(found.contains(&sample), "{sample:?} in {text}");
    }
}

#[test]
fn no_label_says_who_asked() {
    let text = eventful().render(Load::default());
    let labels = samples(&text).into_iter().filter_map(|(name, _)| name.split_once('{'));
    let names: BTreeSet<&str> = labels
        .flat_map(|(_, labels)| labels.split(','))
        .filter_map(|label| label.split_once('='))
        .map(|(name, _)| name)
        .collect();
    let expected = ["backend", "code", "direction", "endpoint", "le", "model", "outcome", "status"];
    assert_eq!(names, BTreeSet::from(expected));
}

#[test]
fn a_response_counts_by_how_it_ended_and_where() {
    let metrics = Metrics::new();
    for (status, backend) in [("completed", "a"), ("incomplete", "a"), ("failed", ""), ("cancelled", "b")] {
        metrics.response("m", backend, &ended(status), Duration::ZERO);
    }
    let text = metrics.render(Load::default());
    for (outcome, backend) in [("completed", "a"), ("incomplete", "a"), ("failed", "none"), ("cancelled", "b")] {
        let line = format!("capstan_responses_total{{model=\"m\",backend=\"{backend}\",outcome=\"{outcome}\"}}");
        assert!(samples(&text).contains(&(&*line, 1.0)), "{line} in {text}");
    }
}

#[test]
fn names_from_outside_make_only_so_many_lines_and_no_false_ones() {
    let metrics = Metrics::new();
    let refused = |code: &str| metrics.refused(&ApiError::report(400, Some(code), None, ""));
    for number in 0..MAX_MODELS + 50 {
        metrics.response(&format!("model-{number}"), "b", &ended("failed"), Duration::ZERO);
        refused(&format!("code-{number}"));
    }
    let hostile = "x\"} 1\ncapstan_events_total 9";
    metrics.response(hostile, hostile, &ended("failed"), Duration::ZERO);
    refused(hostile);
    metrics.refused(&ApiError::default());
    let text = metrics.render(Load::default());
    let found = samples(&text);
    let lines = |family: &str| found.iter().filter(|(name, _)| name.starts_with(family)).count();
    assert_eq!(lines("capstan_responses_total"), MAX_MODELS + 2);
    assert_eq!(lines("capstan_refusals_total"), MAX_CODES + 1);
    assert!(found.contains(&("capstan_responses_total{model=\"other\",backend=\"b\",outcome=\"failed\"}", 50.0)));
    assert!(found.contains(&("capstan_events_total", 0.0)));
}

#[test]
fn clones_count_together() {
    let metrics = Metrics::new();
    metrics.clone().events(2);
    metrics.events(1);
    assert!(samples(&metrics.render(Load::default())).contains(&("capstan_events_total", 3.0)));
}
