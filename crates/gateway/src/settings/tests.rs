//! Settings as people write them, and what they are told of mistakes.

use std::sync::Arc;

use config::{ConfigError, Layers};
use transport::credentials::Environment;

use super::*;

/// What stands in the documents.
const EXAMPLE: &str = include_str!("../../../../docs/examples/gateway.toml");

fn read_with(text: &str, environment: &Environment) -> Result<Settings, ConfigError> {
    let layers = Layers::new().built_in(transport::provider::BUILT_IN)?.file("gateway.toml", text)?;
    let mut table = layers.merge();
    let settings = Settings::read(&mut table, environment)?;
    table.finish()?;
    Ok(settings)
}

fn read(text: &str) -> Result<Settings, ConfigError> {
    let environment: Environment = Arc::new(|name| (name == "HOME").then(|| "/home/me".to_owned()));
    read_with(text, &environment)
}

fn ids(settings: &Settings, discovered: bool) -> Vec<&str> {
    let backends = settings.backends.iter().filter(|planned| planned.discovered == discovered);
    backends.map(|planned| &*planned.provider.id).collect()
}

#[test]
fn without_settings_it_serves_this_machine_and_looks_for_servers_on_it() {
    let settings = read("").unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8787");
    assert!(settings.websockets && settings.store.on_disk && !settings.requires_keys());
    assert_eq!(ids(&settings, false), [""; 0], "no key is spent that nobody said should be");
    assert_eq!(ids(&settings, true), ["ollama", "lmstudio", "vllm", "llamacpp"]);
    let ports: Vec<_> = settings.backends.iter().map(|planned| planned.provider.base_url.models().port_u16()).collect();
    assert_eq!(ports, [11434, 1234, 8000, 8080].map(Some));
}

#[test]
fn a_provider_is_a_backend_if_the_settings_mention_it() {
    for (text, configured) in [
        ("[gateway.models]\n\"gpt-*\" = \"openai\"", &["openai"][..]),
        ("[gateway.models]\nfast = [\"xai/grok\", \"scripted\"]", &["xai"]),
        ("[model_providers.openai]\nservice_tier = \"flex\"", &["openai"]),
        ("[model_providers.mine]\nbase_url = \"http://10.0.0.1/v1\"", &["mine"]),
        ("[model_providers.ollama]\nbase_url = \"http://10.0.0.1:11434/v1\"", &["ollama"]),
    ] {
        assert_eq!(ids(&read(text).unwrap(), false), configured, "{text}");
    }
}

#[test]
fn what_is_configured_is_not_looked_for_as_well_nor_is_the_gateway_itself() {
    for (text, discovered) in [
        ("[model_providers.ollama]\nname = \"Mine\"", &["lmstudio", "vllm", "llamacpp"][..]),
        ("[model_providers.mine]\nbase_url = \"http://127.0.0.1:8000/v1\"", &["ollama", "lmstudio", "llamacpp"]),
        ("[gateway]\nlisten = \"127.0.0.1:8080\"", &["ollama", "lmstudio", "vllm"]),
        ("[gateway]\ndiscover = false", &[]),
    ] {
        assert_eq!(ids(&read(text).unwrap(), true), discovered, "{text}");
    }
}

#[test]
fn keys_are_asked_for_unless_only_this_machine_can_ask() {
    for (listen, keys, required) in [
        ("127.0.0.1:8787", "auto", false),
        ("localhost:9000", "auto", false),
        ("[::1]:8787", "auto", false),
        ("0.0.0.0:8787", "auto", true),
        ("192.168.0.4:8787", "auto", true),
        ("127.0.0.1:8787", "required", true),
        ("0.0.0.0:8787", "off", false),
    ] {
        let settings = read(&format!("[gateway]\nlisten = \"{listen}\"\nkeys = \"{keys}\"")).unwrap();
        assert_eq!(settings.requires_keys(), required, "{listen} {keys}");
    }
}

#[test]
fn the_example_in_the_documents_is_read_and_says_what_holds_anyway() {
    let environment: Environment = Arc::new(|name| match name {
        "HOME" => Some("/home/me".to_owned()),
        "AZURE_OPENAI_ENDPOINT" => Some("https://my.openai.azure.com".to_owned()),
        _ => None,
    });
    let settings = read_with(EXAMPLE, &environment).unwrap();
    let usual = Settings::default();
    assert_eq!((settings.listen, settings.websockets, settings.keys), (usual.listen, usual.websockets, usual.keys));
    assert_eq!((&settings.store, &settings.limits), (&usual.store, &usual.limits));
    assert_eq!(settings.data, Some("/home/me/.capstan/gateway".into()));
    assert_eq!(ids(&settings, false), ["azure", "big", "openai"]);
    let targets: Vec<_> = settings.routes.of("gpt-5.6").unwrap().iter().map(|target| &*target.backend).collect();
    assert_eq!(targets, ["openai", "azure"]);
}

#[test]
fn each_setting_is_read() {
    let text = "
        [gateway]
        listen = \"[::]:1\"
        websockets = false
        keys = \"required\"
        key_file = \"/keys.toml\"
        data = \"~/data\"
        store = \"memory\"
        store_max_bytes = 2_000_000
        store_max_age_days = 2
        [gateway.limits]
        concurrency = 1
        queue = 0
        concurrency_per_key = 3
        body_bytes = 70_000
        frame_bytes = 80_000
        grace_seconds = 0
        replay_minutes = 6
        socket_age_minutes = 7";
    let settings = read(text).unwrap();
    assert_eq!((settings.listen.to_string().as_str(), settings.websockets), ("[::]:1", false));
    assert_eq!((settings.key_file, settings.data), (Some("/keys.toml".into()), Some("/home/me/data".into())));
    let store = StoreSettings { on_disk: false, max_bytes: 2_000_000, max_age: Duration::from_hours(48) };
    assert_eq!(settings.store, store);
    let limits = Limits {
        concurrency: 1,
        queue: 0,
        concurrency_per_key: 3,
        body_bytes: 70_000,
        frame_bytes: 80_000,
        grace: Duration::ZERO,
        replay: Duration::from_mins(6),
        socket_age: Duration::from_mins(7),
    };
    assert_eq!(settings.limits, limits);
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_to_do() {
    for (text, place, words) in [
        ("[gateway]\nlisen = \"x\"", "2:1", "did you mean `listen`?"),
        ("[gateway]\nlisten = \"8787\"", "2:10", "127.0.0.1:8787"),
        ("[gateway]\nkeys = \"on\"", "2:8", "auto, required or off"),
        ("[gateway]\nstore = true", "2:9", "disk or memory"),
        ("[gateway]\ndata = \"here\"", "2:8", "write the whole path"),
        ("[gateway]\nstore_max_age_days = 0", "2:22", "from 1 to 3650"),
        ("[gateway.limits]\nqueu = 1", "2:1", "did you mean `queue`?"),
        ("[gateway.limits]\nbody_bytes = 1", "2:14", "from 65536"),
        ("[gateway.models]\nfast = \"opnai/gpt\"", "2:8", "did you mean openai?"),
        ("[gateway.models]\nfast = []", "2:8", "1 to 16"),
        ("[gateway.models]\nfast = \"openai/\"", "2:8", "the name of the model is missing"),
        ("[gateway.models]\nfast = \"azure\"", "2:8", "set AZURE_OPENAI_ENDPOINT"),
        ("[gateway.models]\ngpt-5.6 = \"openai\"", "2:1", "needs quotes"),
        ("[model_providers.scripted]\nbase_url = \"http://x/v1\"", "", "call the provider something else"),
        ("[model_providers.azure]\nname = \"Mine\"", "", "set AZURE_OPENAI_ENDPOINT"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(words), "{text}\n{error}");
    }
}
