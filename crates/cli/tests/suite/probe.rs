//! What `capstan probe` finds, and what it says about it.

use std::io;
use std::process::Stdio;

use testkit::FakeModel;

use crate::support::{PLANTED, Room, json_without_times, model, refusing_upgrades, running, upgrades, without_times};

#[tokio::test]
async fn a_server_with_everything_works_over_the_websocket() {
    let model = model()
        .with_header("x-ratelimit-limit-requests", "500")
        .with_header("x-ratelimit-remaining-requests", "499")
        .with_header("x-ratelimit-reset-requests", "120ms")
        .with_header("x-codex-primary-used-percent", "12.5")
        .with_header("x-codex-primary-window-minutes", "300")
        .start_loopback()
        .await
        .unwrap();
    let room = Room::new().at(&model);
    let ran = room.run(&["probe"]).await;
    let expected = "\
provider   OpenAI (openai) at http://SERVER/v1
key        OPENAI_API_KEY is set
websocket  opened in T ms
           direct to SERVER: name T ms, connection T ms
http       answers in T ms over HTTP/1.1
           direct to SERVER: name T ms, connection T ms
limits     requests 499 of 500 left, all again in 1 s; codex 12.5 % of 300 min used

works: turns go over the WebSocket
";
    assert_eq!(without_times(&room.named(&ran.stdout, &model)), expected);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_server_without_websocket_works_over_http_and_it_says_why() {
    let model = refusing_upgrades(404).await;
    let room = Room::new().at(&model);
    let ran = room.run(&["probe"]).await;
    let expected = "\
provider   OpenAI (openai) at http://SERVER/v1
key        OPENAI_API_KEY is set
websocket  refused with 404: sockets are refused here (invalid_request_error, request req_1)
http       answers in T ms over HTTP/1.1
           direct to SERVER: name T ms, connection T ms

works: turns go over HTTP in place of the WebSocket: the server takes none; supports_websockets = false in [model_providers.openai] spares the try
";
    assert_eq!(without_times(&room.named(&ran.stdout, &model)), expected);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_server_that_has_no_time_for_a_websocket_may_have_it_later() {
    let model = refusing_upgrades(503).await;
    let ran = Room::new().at(&model).run(&["probe"]).await;
    let expected = "works: turns go over HTTP in place of the WebSocket: it did not open, see above for why";
    assert_eq!((ran.code, ran.conclusion()), (Some(0), expected));
}

#[tokio::test]
async fn a_key_that_may_not_do_this_is_a_matter_of_the_key() {
    let model = refusing_upgrades(403).await;
    let ran = Room::new().at(&model).run(&["probe"]).await;
    let expected = "does not work: the server forbids it: check what the key from OPENAI_API_KEY may do, and whether the \
                    server may be used from here";
    assert_eq!((ran.code, ran.conclusion()), (Some(4), expected));
}

#[tokio::test]
async fn where_only_a_websocket_is_wanted_http_is_no_success() {
    let model = refusing_upgrades(426).await;
    for arguments in [&["probe", "--transport", "ws"][..], &["probe", "-c", "transport=ws"]] {
        let ran = Room::new().at(&model).run(arguments).await;
        let expected =
            "does not work: transport is ws, and the WebSocket does not open; HTTP works: use --transport auto";
        assert_eq!((ran.code, ran.conclusion()), (Some(4), expected));
    }
}

#[tokio::test]
async fn where_http_is_wanted_no_websocket_is_tried() {
    let model = running().await;
    let ran = Room::new().at(&model).run(&["probe", "--transport", "http"]).await;
    assert!(ran.stdout.contains("websocket  not tried\n"), "{}", ran.stdout);
    let expected = "works: turns go over http: this run asks for it";
    assert_eq!((ran.code, ran.conclusion()), (Some(0), expected));
    assert_eq!(upgrades(&model), 0);
}

#[tokio::test]
async fn a_key_that_is_refused_is_a_matter_of_the_key() {
    let model = FakeModel::respond_with(|_| testkit::Turn::new()).with_key("another").start_loopback().await.unwrap();
    let ran = Room::new().at(&model).run(&["probe"]).await;
    for way in ["websocket  ", "http       "] {
        let expected = format!("\n{way}refused with 401: this model demands another key: openai refuses its key, and ");
        assert!(ran.stdout.contains(&expected), "{}", ran.stdout);
    }
    let expected = "does not work: the key is refused: put a valid key into OPENAI_API_KEY";
    assert_eq!((ran.code, ran.conclusion()), (Some(4), expected));
}

#[tokio::test]
async fn a_key_that_is_not_set_is_named_and_nothing_is_sent() {
    let model = running().await;
    for room in [Room::empty(), Room::empty().with("OPENAI_API_KEY", "  ")] {
        let ran = room.at(&model).run(&["probe"]).await;
        assert!(ran.stdout.contains("key        OPENAI_API_KEY is not set\n"), "{}", ran.stdout);
        let expected = "no key for openai: set OPENAI_API_KEY, or key_file or auth.command in [model_providers.openai]";
        assert!(ran.stdout.contains(&format!("websocket  not tried: {expected}\n")), "{}", ran.stdout);
        assert_eq!((ran.code, ran.conclusion()), (Some(4), format!("does not work: {expected}").as_str()));
    }
    assert_eq!(model.log().requests().len(), 0);
}

#[tokio::test]
async fn a_key_from_a_file_is_used_and_not_shown() {
    let model = running().await;
    let room = Room::empty();
    let key = room.file("key", &format!("{PLANTED}\n"));
    let (key, base_url) = (key.display(), model.base_url());
    let room = room.settings(&format!("[model_providers.mine]\nbase_url = '{base_url}'\nkey_file = '{key}'\n"));
    let ran = room.run(&["probe", "mine"]).await;
    assert!(ran.stdout.contains(&format!("key        from {key}\n")), "{}", ran.stdout);
    let expected = "works: turns go over http: the server has no websocket: if it has, set supports_websockets";
    assert_eq!((ran.code, ran.conclusion()), (Some(0), expected));
}

#[tokio::test]
async fn a_server_that_wants_a_key_where_none_is_set_up_says_where_to_put_one() {
    let model = running().await;
    let text = format!("model_provider = 'mine'\n[model_providers.mine]\nbase_url = '{}'\n", model.base_url());
    let ran = Room::empty().settings(&text).run(&["probe"]).await;
    assert!(ran.stdout.contains("key        none is sent: none is set up for this provider\n"), "{}", ran.stdout);
    let expected = "does not work: the server wants a key, and none is set up: set env_key, key_file or auth.command in \
                    [model_providers.mine]";
    assert_eq!((ran.code, ran.conclusion()), (Some(4), expected));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_reached() {
    let model = running().await;
    let room = Room::new().at(&model);
    model.stop().await;
    let ran = room.run(&["probe"]).await;
    assert!(ran.stdout.contains("websocket  not reached: nothing answers at its address: "), "{}", ran.stdout);
    assert!(ran.conclusion().starts_with("does not work: nothing answers at its address: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nhttp       the same\n"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(4));
}

#[tokio::test]
async fn as_json_it_is_one_object_of_a_stable_shape() {
    let model = model()
        .with_header("x-request-id", "req_1")
        .with_header("x-ratelimit-limit-tokens", "500")
        .with_header("x-ratelimit-remaining-tokens", "499")
        .with_header("x-ratelimit-reset-tokens", "120ms")
        .with_header("x-codex-primary-used-percent", "12.5")
        .with_header("x-codex-primary-window-minutes", "300")
        .with_header("x-codex-primary-reset-at", "1790000000")
        .start_loopback()
        .await
        .unwrap();
    let room = Room::new().at(&model);
    let ran = room.run(&["probe", "--json"]).await;
    let answer = concat!(
        r#""ok":true,"ms":T,"route":{"proxy":null,"peer":"SERVER","resolve_ms":T,"connect_ms":T,"proxy_ms":null,"#,
        r#""tls_ms":null,"tls_version":null,"alpn":null},"error":null,"request_id":"req_1","rate_limits":"#,
        r#"{"requests":null,"tokens":{"limit":500,"remaining":499,"reset_ms":T},"plans":[{"id":"codex","#,
        r#""primary":{"used_percent":12.5,"window_minutes":300,"resets_at":1790000000},"secondary":null}]}"#,
    );
    let expected = [
        r#"{"provider":{"id":"openai","name":"OpenAI","base_url":"http://SERVER/v1","wire_api":"responses"},"#,
        r#""transport":"auto","why":"usual","key":{"source":"environment","place":"OPENAI_API_KEY","set":true},"#,
        r#""websocket":{"url":"ws://SERVER/v1/responses","#,
        answer,
        r#"},"http":{"url":"http://SERVER/v1/models","#,
        answer,
        r#"},"verdict":"websocket","works":true,"conclusion":"works: turns go over the WebSocket"}"#,
        "\n",
    ];
    assert_eq!(json_without_times(&room.named(&ran.stdout, &model)), expected.concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn json_says_what_is_wrong_by_fields_that_are_always_there() {
    let model = refusing_upgrades(404).await;
    let room = Room::new().at(&model);
    let json = room.named(&room.run(&["probe", "--json"]).await.stdout, &model);
    let refused = r#""route":null,"error":{"kind":"refused","status":404,"code":null,"message":"sockets are refused here"},"request_id":"req_1","rate_limits":null}"#;
    assert!(json.contains(refused), "{json}");
    assert!(json.contains(r#""verdict":"http_in_place_of_websocket","works":true"#), "{json}");

    let room = Room::empty().at(&model);
    let json = room.run(&["probe", "--transport=http", "--json"]).await.stdout;
    assert!(
        json.contains(
            r#""transport":"http","why":"run","key":{"source":"environment","place":"OPENAI_API_KEY","set":false},"websocket":null"#
        ),
        "{json}"
    );
    assert!(
        json.contains(r#""error":{"kind":"no_key","status":null,"code":null,"message":"no key for openai: "#),
        "{json}"
    );
    assert!(json.contains(r#""verdict":"credentials","works":false"#), "{json}");

    let room = Room::new().at(&model);
    model.stop().await;
    let json = room.run(&["probe", "--json"]).await.stdout;
    assert!(json.contains(r#""error":{"kind":"connect","status":null,"code":null,"message":"#), "{json}");
    assert!(json.contains(r#""verdict":"nothing","works":false"#), "{json}");
}

#[tokio::test]
async fn a_reader_that_has_gone_away_is_no_failure() -> io::Result<()> {
    let model = running().await;
    let room = Room::new().at(&model);
    for arguments in [&["probe"][..], &["probe", "--json"]] {
        let (reader, writer) = io::pipe()?;
        drop(reader);
        let mut command = room.command(arguments);
        // What is piped by `output` is what is not set.
        command.stdout(writer).stderr(Stdio::piped());
        let ran = room.ran(command).await?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
    Ok(())
}
