//! Providers are read from settings as Codex users write them, and mistakes say what to do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::Layers;
use hyper::header::HeaderMap;
use responses::chain::{Limits, Mode, RetryPolicy};
use transport::credentials::{Environment, KeyCommand, KeySource};
use transport::provider::{
    Abilities, BUILT_IN, Certificates, ClientCertificate, Patience, Provider, Providers, Wire, silence_for,
};
use transport::{Choice, Why};

type Variables = &'static [(&'static str, &'static str)];

fn environment(variables: Variables) -> Environment {
    Arc::new(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

fn read_with(text: &str, variables: Variables) -> Result<Providers, String> {
    let layers = Layers::new().built_in(BUILT_IN).unwrap().file("config.toml", text).unwrap();
    let mut settings = layers.merge();
    let providers = Providers::read(&mut settings, &environment(variables)).map_err(|error| error.to_string())?;
    settings.finish().map_err(|error| error.to_string())?;
    Ok(providers)
}

/// The provider `x` of these settings.
fn x(text: &str) -> Provider {
    let text = format!("[model_providers.x]\nbase_url = 'http://x'\n{text}");
    read_with(&text, &[("HOME", "/home/me")]).unwrap().get("x").unwrap().clone()
}

fn refusal(text: &str) -> String {
    let text = format!("[model_providers.x]\nbase_url = 'http://x'\n{text}");
    read_with(&text, &[]).unwrap_err()
}

fn built_in(id: &str) -> Provider {
    let variables = &[("AZURE_OPENAI_ENDPOINT", "https://my.openai.azure.com/")];
    read_with("", variables).unwrap().get(id).unwrap().clone()
}

#[test]
fn the_built_in_providers_are_there() {
    let cases = [
        ("openai", "https://api.openai.com/v1/responses", Some("OPENAI_API_KEY")),
        ("azure", "https://my.openai.azure.com/openai/v1/responses", Some("AZURE_OPENAI_API_KEY")),
        ("xai", "https://api.x.ai/v1/responses", Some("XAI_API_KEY")),
        ("openrouter", "https://openrouter.ai/api/v1/responses", Some("OPENROUTER_API_KEY")),
        ("ollama", "http://127.0.0.1:11434/v1/responses", None),
        ("lmstudio", "http://127.0.0.1:1234/v1/responses", None),
        ("vllm", "http://127.0.0.1:8000/v1/responses", None),
        ("llamacpp", "http://127.0.0.1:8080/v1/responses", None),
    ];
    for (id, address, variable) in cases {
        let provider = built_in(id);
        assert_eq!(provider.base_url.responses(), address);
        let key = variable.map_or(KeySource::None, |name| KeySource::Environment(name.to_owned()));
        assert_eq!((provider.key, provider.wire), (key, Wire::Responses), "{id}");
    }
    assert_eq!(read_with("", &[]).unwrap().ids().count(), cases.len());
}

#[test]
fn the_built_in_providers_can_what_they_can() {
    let minutes = Duration::from_mins;
    let can = |id| built_in(id).can;
    let openai = can("openai");
    assert_eq!((openai.websocket, openai.lanes, openai.line_age), (true, true, minutes(60)));
    assert_eq!(openai.frame_bytes, (16 << 20) - 1);
    let (azure, xai) = (can("azure"), can("xai"));
    assert_eq!((azure.websocket, azure.lanes, azure.line_age), (true, false, minutes(60)));
    assert_eq!((xai.websocket, xai.lanes, xai.line_age), (true, false, minutes(25)));
    for id in ["openrouter", "ollama", "vllm", "llamacpp"] {
        assert_eq!(can(id), Abilities::default(), "{id}");
    }
    assert!(!can("lmstudio").websocket && can("lmstudio").stores);
}

#[test]
fn a_name_is_not_reserved() {
    let providers = read_with("[model_providers.openai]\nsupports_websockets = false", &[]).unwrap();
    let openai = providers.get("openai").unwrap();
    assert!(!openai.can.websocket);
    assert!(openai.can.lanes, "the rest stays as it is built in");
    assert_eq!(Choice::of(openai, None, false).mode, Mode::Http);
}

#[test]
fn a_table_written_for_codex_can_be_pasted_over() {
    let text = r#"
        [model_providers.azure_eastus]
        name = "Azure OpenAI (East US)"
        base_url = "https://my-project.openai.azure.com/openai"
        wire_api = "responses"
        query_params = { api-version = "2025-04-01-preview" }
        env_key = "AZURE_OPENAI_API_KEY"
        env_key_instructions = "ask in #llm"
        http_headers = { x-team = "planted" }
        env_http_headers = { x-place = "PLACE" }
        supports_websockets = true
        requires_openai_auth = false
        stream_idle_timeout_ms = 600000
        stream_max_retries = 8
        request_max_retries = 1000
        websocket_connect_timeout_ms = 20000
    "#;
    let providers = read_with(text, &[]).unwrap();
    let azure = providers.get("azure_eastus").unwrap();
    assert_eq!(&*azure.name, "Azure OpenAI (East US)");
    let address = "wss://my-project.openai.azure.com/openai/responses?api-version=2025-04-01-preview";
    assert_eq!(azure.base_url.socket(), address);
    assert_eq!(azure.can, Abilities { websocket: true, ..Abilities::default() });
    assert_eq!(azure.key_owner().instructions.as_deref(), Some("ask in #llm"));
    let patience = Patience {
        silence: Some(Duration::from_mins(10)),
        connect: Some(Duration::from_secs(20)),
        stream_retries: Some(8),
        request_retries: Some(100),
    };
    assert_eq!(azure.patience, patience);
    let shown = format!("{azure:?} {providers:?}");
    assert!(!shown.contains("planted") && shown.contains("[redacted]"), "{shown}");
}

#[test]
fn what_is_ours_is_read_too() {
    let provider = x("transport = 'ws'\nsupports_lanes = true\nsupports_steering = true\nsupports_interrupt = true\n\
        supports_zstd = true\nstores_responses = true\nwebsocket_age_limit_ms = 60000\n\
        websocket_frame_bytes = 100000\nservice_tier = 'flex'\nca_certificate = '~/ca.pem'\n\
        client_certificate = '/etc/me.pem'");
    let can = Abilities {
        websocket: false,
        lanes: true,
        line_age: Duration::from_mins(1),
        frame_bytes: 100_000,
        zstd: true,
        stores: true,
        steers: true,
        interrupts: true,
    };
    assert_eq!(provider.can, can);
    assert_eq!(provider.transport, Some(Mode::WebSocket));
    assert_eq!(provider.service_tier.as_deref(), Some("flex"));
    let both = Path::new("/etc/me.pem").to_owned();
    let certificates = Certificates {
        authorities: Some("/home/me/ca.pem".into()),
        client: Some(ClientCertificate { certificate: both.clone(), key: both }),
    };
    assert_eq!(provider.certificates, certificates);
}

#[test]
fn keys_come_from_variables_files_and_commands_in_this_order() {
    let variable = "env_key = 'X_KEY'\n";
    let file = "key_file = '~/keys/x'\n";
    let command = "auth = { command = 'token', args = ['-q'], timeout_ms = 100, refresh_interval_ms = 0 }\n";
    assert_eq!(x("").key, KeySource::None);
    assert_eq!(x(variable).key, KeySource::Environment("X_KEY".to_owned()));
    assert_eq!(x(&format!("{variable}{file}")).key, KeySource::File("/home/me/keys/x".into()));
    let expected = KeyCommand {
        program: "token".to_owned(),
        args: vec!["-q".to_owned()],
        timeout: Duration::from_millis(100),
        refresh_after: None,
    };
    assert_eq!(x(&format!("{variable}{file}{command}")).key, KeySource::Command(expected));
    let KeySource::Command(usual) = x("auth.command = 'token'").key else { panic!("no command") };
    assert_eq!((usual.timeout, usual.refresh_after), (Duration::from_secs(5), Some(Duration::from_mins(5))));
}

#[test]
fn an_address_may_begin_with_a_variable() {
    for endpoint in ["https://a", "https://a/", " https://a/openai/v1", "https://a/openai/v1/"] {
        let variables: Variables = Box::leak(Box::new([("AZURE_OPENAI_ENDPOINT", endpoint)]));
        let providers = read_with("", variables).unwrap();
        assert_eq!(providers.get("azure").unwrap().base_url.responses(), "https://a/openai/v1/responses", "{endpoint}");
    }
    for variables in [&[], &[("AZURE_OPENAI_ENDPOINT", " ")]] as [Variables; 2] {
        let told = read_with("", variables).unwrap().get("azure").unwrap_err().to_string();
        let expected = "the address of azure is not known: set AZURE_OPENAI_ENDPOINT, or base_url in \
                        [model_providers.azure]";
        assert_eq!(told, expected);
    }
    let text = "[model_providers.azure]\nbase_url = 'https://b/openai/v1'";
    assert_eq!(read_with(text, &[]).unwrap().get("azure").unwrap().base_url.models(), "https://b/openai/v1/models");
}

#[test]
fn a_provider_nobody_knows_is_refused_with_the_nearest_and_all_there_are() {
    let told = read_with("", &[]).unwrap().get("opnai").unwrap_err().to_string();
    let expected = "no provider is called \"opnai\", did you mean openai?; there are azure, llamacpp, lmstudio, ollama, \
                    openai, openrouter, vllm, xai: name one of these, or add [model_providers.opnai]";
    assert_eq!(told, expected);
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let cases = [
        ("wire_api = 'responsess'", "expected responses or chat"),
        ("transport = 'websocket'", "expected auto, ws or http"),
        ("wire_api = 'chat'\ntransport = 'ws'", "remove this, or set wire_api"),
        ("requires_openai_auth = true", "not supported: remove this, and set env_key"),
        ("experimental_bearer_token = 'planted'", "set key_file"),
        ("env_key = 'sk-planted'", "takes the name of a variable"),
        ("env_key = ''", "takes the name of a variable"),
        ("env_http_headers = { x-a = 'sk-planted' }", "takes the name of a variable"),
        ("http_headers = { Authorization = 'Bearer planted' }", "set env_key or key_file"),
        ("http_headers = { x-a = \"planted\\nplanted\" }", "the value of x-a cannot be sent"),
        ("http_headers = { 'x a' = 'b' }", "\"x a\" is not the name of a header"),
        ("http_headers = { Content-Type = 'b' }", "content-type is set by the transport"),
        ("env_http_headers = { Sec-WebSocket-Key = 'B' }", "sec-websocket-key is set by the transport"),
        ("query_params = { api_key = 'planted' }", "send it by env_http_headers"),
        ("auth = { args = ['a'] }", "auth.command is missing"),
        ("auth = { command = 'a', cwd = 'b' }", "unknown key `cwd`"),
        ("key_file = 'key'", "write the whole path"),
        ("key_file = '~/key'", "HOME is not set"),
        ("client_key = '/key'", "set client_certificate"),
        ("stream_idle_timeout_ms = 0", "from 1 to 604800000"),
        ("websocket_age_limit_ms = 604800001", "from 1 to 604800000"),
        ("websocket_frame_bytes = 100", "from 65536 to 1073741824"),
        ("auth = { command = 'a', timeout_ms = 0 }", "from 1 to"),
        ("supports_websocket = true", "supports_websockets"),
    ];
    for (text, expected) in cases {
        let told = refusal(text);
        assert!(told.contains(expected), "{text}: {told}");
        assert!(told.starts_with("config.toml:"), "{told}");
        assert!(!told.contains("planted"), "{told}");
    }
}

#[test]
fn an_address_that_is_missing_or_wrong_is_told_with_its_place() {
    let cases = [
        ("", "config.toml:1", "base_url is missing"),
        ("base_url = 'https://me:planted@x/v1'", "config.toml:2", "set env_key or key_file"),
        ("base_url = 'https://x/v1?key=planted'", "config.toml:2", "query_params"),
        ("base_url = 'wss://x/v1'", "config.toml:2", "begins with https://"),
        ("base_url = 'https://x/v1/responses'", "config.toml:2", "leave out /responses"),
    ];
    for (text, place, expected) in cases {
        let told = read_with(&format!("[model_providers.x]\n{text}"), &[]).unwrap_err();
        assert!(told.starts_with(place) && told.contains(expected), "{told}");
        assert!(!told.contains("planted"), "{told}");
    }
    let told = read_with("[model_providers.'a/b']\nbase_url = 'http://x'", &[]).unwrap_err();
    assert!(told.contains("has no slashes"), "{told}");
}

fn pairs(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

#[test]
fn headers_come_from_settings_and_variables_and_are_never_shown() {
    let openai = built_in("openai");
    assert!(openai.headers(&environment(&[])).unwrap().is_empty());
    let headers = openai.headers(&environment(&[("OPENAI_PROJECT", "planted"), ("OPENAI_ORGANIZATION", "")])).unwrap();
    assert_eq!(pairs(&headers), [("openai-project", "planted")]);
    assert!(!format!("{headers:?}").contains("planted"));
    let error = openai.headers(&environment(&[("OPENAI_PROJECT", "planted\nplanted")])).unwrap_err();
    assert!(error.to_string().starts_with("OPENAI_PROJECT cannot be sent as header openai-project to openai:"));
    assert!(!format!("{error} {error:?}").contains("planted"));
    let text = "[model_providers.openai.http_headers]\nopenai-project = 'mine'";
    let providers = read_with(text, &[]).unwrap();
    let headers = providers.get("openai").unwrap().headers(&environment(&[("OPENAI_PROJECT", "other")])).unwrap();
    assert_eq!(pairs(&headers), [("openai-project", "mine")], "what is written down counts more");
}

#[test]
fn the_way_is_what_the_run_says_then_what_the_provider_says_then_what_the_server_can() {
    use Mode::{Auto, Http, WebSocket};
    let with = |websockets: bool, transport: &str| x(&format!("supports_websockets = {websockets}\n{transport}"));
    for (provider, wanted, single, mode, why) in [
        (with(true, ""), None, false, Auto, Why::Usual),
        (with(true, ""), None, true, Http, Why::SingleAnswer),
        (with(true, ""), Some(Auto), true, Http, Why::SingleAnswer),
        (with(true, ""), Some(WebSocket), true, WebSocket, Why::Run),
        (with(false, ""), None, false, Http, Why::NoWebSocket),
        (with(false, ""), Some(Auto), false, Http, Why::NoWebSocket),
        (with(false, ""), Some(WebSocket), false, WebSocket, Why::Run),
        (with(true, "transport = 'http'"), None, false, Http, Why::Settings),
        (with(true, "transport = 'http'"), Some(Auto), false, Auto, Why::Run),
        (with(false, "transport = 'ws'"), None, false, WebSocket, Why::Settings),
        (with(true, "wire_api = 'chat'"), None, false, Http, Why::Chat),
        (with(true, "wire_api = 'chat'"), Some(WebSocket), false, Http, Why::Chat),
    ] {
        let choice = Choice::of(&provider, wanted, single);
        assert_eq!(choice, Choice { mode, why }, "{wanted:?} {single} {:?}", provider.transport);
        assert!(choice.to_string().contains(": "), "{choice}");
    }
}

#[test]
fn patience_follows_effort_unless_the_settings_say_how_long() {
    let efforts = [Some("minimal"), None, Some("medium"), Some("high"), Some("xhigh")];
    let minutes = efforts.map(|effort| silence_for(effort).as_secs() / 60);
    assert_eq!(minutes, [2, 5, 5, 10, 20]);
    let unset = x("").chain_config(Mode::Auto, Some("high")).limits;
    assert_eq!((unset.silence, unset.silence_over_http), (Duration::from_mins(10), Duration::from_mins(30)));
    assert_eq!(unset.silence_of_live_peer, Duration::from_mins(30));
    let set = x("stream_idle_timeout_ms = 7200000").chain_config(Mode::Auto, Some("low")).limits;
    let hours = Duration::from_hours(2);
    assert_eq!((set.silence, set.silence_over_http, set.silence_of_live_peer), (hours, hours, 3 * hours));
}

#[test]
fn a_chain_is_told_what_the_settings_say() {
    let text = "supports_websockets = true\nstream_max_retries = 7\nrequest_max_retries = 2\n\
        websocket_connect_timeout_ms = 3000\nwebsocket_frame_bytes = 70000\nsupports_steering = true";
    let config = x(text).chain_config(Mode::Auto, None);
    assert_eq!((config.retry.line.tries, config.retry.server.tries), (7, 2));
    assert_eq!(config.limits.connect, Duration::from_secs(3));
    assert_eq!((config.peer.frame_bytes, config.peer.line_age), (70_000, Duration::from_mins(25)));
    assert!(config.peer.steers && !config.peer.interrupts && !config.peer.stores);
    let usual = x("").chain_config(Mode::Auto, None);
    assert_eq!(usual.retry, RetryPolicy::default());
    assert_eq!(usual.limits, Limits::default());
}
