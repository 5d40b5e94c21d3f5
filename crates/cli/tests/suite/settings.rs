//! Where settings are found, and what is wrong with them.

use testkit::RunningModel;

use crate::support::{Room, running, upgrades};

const WITHOUT_WEBSOCKET: &str =
    "works: turns go over http: the server has no websocket: if it has, set supports_websockets";

fn overriding(model: &RunningModel) -> String {
    format!("[model_providers.openai]\nsupports_websockets = false\nbase_url = '{}'\n", model.base_url())
}

#[tokio::test]
async fn a_table_of_the_user_is_laid_over_a_built_in_one() {
    let model = running().await;
    let ran = Room::new().settings(&overriding(&model)).run(&["probe"]).await;
    assert_eq!((ran.code, ran.conclusion()), (Some(0), WITHOUT_WEBSOCKET));
    assert_eq!(upgrades(&model), 0);
}

#[tokio::test]
async fn the_folder_of_settings_may_be_elsewhere() {
    let model = running().await;
    let room = Room::new().settings("this is not read");
    let elsewhere = room.file("elsewhere/config.toml", &overriding(&model));
    let room = room.with("CAPSTAN_HOME", &elsewhere.parent().unwrap().to_string_lossy());
    let ran = room.run(&["probe"]).await;
    assert_eq!((ran.code, ran.conclusion()), (Some(0), WITHOUT_WEBSOCKET), "{}", ran.stderr);
}

#[tokio::test]
async fn without_a_file_what_is_built_in_counts_and_what_is_said_for_the_run() {
    let model = running().await;
    let base_url = format!("model_providers.vllm.base_url={}", model.base_url());
    let key = "model_providers.vllm.env_key=OPENAI_API_KEY";
    let ran = Room::new().run(&["-c", &base_url, "-c", "model_provider=vllm", "probe", "-c", key]).await;
    assert!(ran.stdout.starts_with("provider   vLLM (vllm) at "), "{ran:?}");
    assert_eq!((ran.code, ran.conclusion()), (Some(0), WITHOUT_WEBSOCKET));
}

#[tokio::test]
async fn what_is_said_after_the_command_counts_more_than_what_is_said_before() {
    let ran = Room::new().run(&["-c", "model_provider=one", "probe", "-c", "model_provider=two"]).await;
    assert!(ran.refusal().starts_with("error: no provider is called \"two\""), "{}", ran.stderr);
}

#[tokio::test]
async fn the_environment_counts_more_than_the_file_and_less_than_what_is_said_for_the_run() {
    let room = || Room::new().settings("model_provider = \"file\"").with("CAPSTAN_MODEL_PROVIDER", "variable");
    assert!(room().run(&["probe"]).await.refusal().starts_with("error: no provider is called \"variable\""));
    let said = room().run(&["probe", "-c", "model_provider=run"]).await;
    assert!(said.refusal().starts_with("error: no provider is called \"run\""), "{}", said.stderr);
    let wrong = Room::new().with("CAPSTAN_TRANSPORT", "carrier pigeon").run(&["probe"]).await;
    assert!(wrong.refusal().contains("CAPSTAN_TRANSPORT") && wrong.refusal().contains("auto, ws or http"), "{wrong:?}");
}

#[tokio::test]
async fn the_ways_of_a_provider_go_before_those_of_all_and_those_of_a_run_before_both() {
    let model = running().await;
    let text = format!("transport = 'http'\n[model_providers.openai]\nbase_url = '{}'\n", model.base_url());
    for (of_provider, arguments, expected) in
        [("", &["probe"][..], 0), ("transport = 'auto'\n", &["probe"], 1), ("", &["probe", "--transport=ws"], 2)]
    {
        let ran = Room::new().settings(&format!("{text}{of_provider}")).run(arguments).await;
        assert_eq!((ran.code, upgrades(&model)), (Some(0), expected), "{}", ran.stdout);
    }
}

#[tokio::test]
async fn settings_of_turns_are_known_and_checked() {
    let model = running().await;
    let known = "model = 'm'\nmodel_auto_compact_token_limit = 100_000\ntool_output_token_limit = 8000\n";
    let ran = Room::new().settings(&format!("{known}{}", overriding(&model))).run(&["probe"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for key in ["model_auto_compact_token_limit", "tool_output_token_limit"] {
        let ran = Room::new().run(&["probe", "-c", &format!("{key}=many")]).await;
        assert_eq!(ran.refusal(), format!("error: -c {key}: expected a whole number, found a string\n"));
    }
    let ran = Room::new().settings("model = 5\n").run(&["probe"]).await;
    assert!(ran.refusal().contains("config.toml:1:9: expected a string, found a whole number"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_mistyped_key_is_shown_in_its_line_with_the_nearest_one() {
    let room = Room::new().settings("model = 'm'\n\nmodel_provder = 'azure'\n");
    let ran = room.run(&["probe"]).await;
    let text = ran.refusal();
    assert!(text.starts_with("error: "), "{text}");
    assert!(
        text.contains("/.capstan/config.toml:3:1: unknown key `model_provder`: did you mean `model_provider`?\n"),
        "{text}"
    );
    assert!(text.contains("model_provder = 'azure'"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_the_file_is_named_with_the_file() {
    let broken = Room::new().settings("model = \n");
    let ran = broken.run(&["probe"]).await;
    assert!(ran.refusal().contains("/.capstan/config.toml:1:"), "{}", ran.stderr);

    let folder = Room::new();
    folder.file(".capstan/config.toml/x", "");
    let ran = folder.run(&["probe"]).await;
    assert!(ran.refusal().starts_with("error: the settings in /"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("/.capstan/config.toml cannot be read: it is a folder\n"), "{}", ran.stderr);

    let large = Room::new().settings(&format!("#{}\n", "x".repeat(1 << 20)));
    let ran = large.run(&["probe"]).await;
    assert!(ran.refusal().ends_with("cannot be read: it has more than 1048576 bytes\n"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_key_in_the_settings_is_refused_and_not_shown() {
    let text = "[model_providers.openai]\nexperimental_bearer_token = 'sk-planted-in-a-file'\n";
    let ran = Room::new().settings(text).run(&["probe"]).await;
    assert!(ran.refusal().contains("config.toml:2:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("set env_key"), "{}", ran.stderr);
}

#[tokio::test]
async fn without_a_home_it_says_which_variable_to_set() {
    let room = Room::new();
    let mut command = room.command(&["probe"]);
    command.env_remove("HOME");
    let ran = room.ran(command).await.unwrap();
    let expected = "error: neither CAPSTAN_HOME nor HOME is set: set CAPSTAN_HOME to a folder for the settings\n";
    assert_eq!(ran.refusal(), expected);
}

#[tokio::test]
async fn a_provider_that_nobody_knows_is_refused_with_those_that_are_known() {
    let ran = Room::new().run(&["probe", "opnai"]).await;
    assert!(ran.refusal().starts_with("error: no provider is called \"opnai\""), "{}", ran.stderr);
    assert!(ran.stderr.contains("azure, llamacpp, lmstudio, ollama, openai, openrouter, vllm, xai"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_provider_without_an_address_says_which_variable_to_set() {
    let ran = Room::new().run(&["probe", "azure"]).await;
    assert!(ran.refusal().contains("set AZURE_OPENAI_ENDPOINT"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_variable_that_no_header_can_carry_is_refused() {
    let ran = Room::new().with("OPENAI_PROJECT", "a\nb").run(&["probe"]).await;
    assert!(
        ran.refusal().starts_with("error: OPENAI_PROJECT cannot be sent as header openai-project"),
        "{}",
        ran.stderr
    );
}
