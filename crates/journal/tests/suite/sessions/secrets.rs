//! Planted secrets, looked for in every file.

use std::borrow::Cow;
use std::path::Path;

use journal::blobs::INLINE_MAX;
use journal::record::Record;
use journal::redact::Redactor;
use proptest::prelude::*;
use responses::item::Item;
use responses::json::Json;

use super::{KEY, home, id, kinds, new, said, stamped};

/// Secrets by their form; each contains `planted` or is long enough to be recognised.
const SECRETS: [&str; 8] = [
    "sk-proj-planted0123456789ABCD",
    "ghp_planted0123456789abcdefghijklmnopqr",
    "AKIAPLANTED012345678",
    "xoxb-12345-planted-6789",
    "AIzaPlanted0123456789abcdefghijklmnopqrs",
    "glpat-planted0123456789abc",
    "npm_planted0123456789abcdefghijklmnopqrst",
    "eyJplanted012.eyJplanted012.planted012345",
];

fn redactor() -> Redactor {
    Redactor::new(&[1; 32], [KEY.to_owned(), "two\nlines \"with quotes\" and \\more".to_owned()])
}

/// All bytes of all files below a folder.
fn all_files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { all_files(&path) } else { std::fs::read(&path).unwrap() });
    }
    bytes
}

#[tokio::test]
async fn planted_secrets_are_in_no_file() {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    for secret in SECRETS.iter().copied().chain([KEY]) {
        let long = format!("{}{secret} {}", "long text ".repeat(INLINE_MAX / 5), "and more ".repeat(INLINE_MAX));
        for text in [secret, &format!("export KEY={secret}\n"), &format!("{{\"k\":\"{secret}\"}}"), &long] {
            session.append(1, said(text)).await.unwrap();
        }
        let escaped =
            format!(r#"{{"type":"x","{secret}":["\u{:04x}{}"]}}"#, u32::from(secret.as_bytes()[0]), &secret[1..]);
        session.append(1, Record::Output { response: None, items: vec![Item::keep(&escaped).unwrap()] }).await.unwrap();
        session.append(1, Record::Title(format!("about {secret}"))).await.unwrap();
        session.append(1, Record::Route { way: "http".into(), why: format!("http://a:{secret}@b/") }).await.unwrap();
        for piece in secret.as_bytes().chunks(5) {
            session.append(2, kinds::delta(&[(0, str::from_utf8(piece).unwrap())])).await.unwrap();
        }
    }
    session.close().await.unwrap();
    let bytes = all_files(home.folder.path());
    let found = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for secret in SECRETS.iter().copied().chain([KEY]) {
        assert!(!found(secret) && !found(&secret[3..]), "{secret} is in a file");
    }
    assert!(found("export KEY=[redacted known "), "the text around it is");
    assert!(stamped(&home.sessions, id(1)).len() > 60);
}

#[test]
fn a_secret_is_found_however_it_is_escaped() {
    let redactor = redactor();
    let value = "two\nlines \"with quotes\" and \\more";
    let once = Json::of(&value.to_owned()).text().to_owned();
    let twice = Json::of(&once).text().to_owned();
    let thrice = Json::of(&twice).text().to_owned();
    for json in [once, twice, thrice] {
        assert!(!redactor.json(&json).contains("quotes"), "{json}");
    }
    let split = "{\"a\":\"planted\\u002dkey-of-the\\u002Denvironment \\u00e4\"}";
    assert!(redactor.json(split).starts_with("{\"a\":\"[redacted known "), "{}", redactor.json(split));
    assert!(redactor.json(split).ends_with("] ä\"}"));
}

#[test]
fn a_value_whose_key_says_that_it_is_secret_is_hidden_whole() {
    let json = r#"{"env":{"DB_PASSWORD": "hunter2hunter", "USER":"hunter2hunter"},"token":"abc"}"#;
    let clean = redactor().json(json).into_owned();
    assert!(clean.starts_with(r#"{"env":{"DB_PASSWORD": "[redacted value "#), "{clean}");
    assert!(clean.ends_with(r#"]", "USER":"hunter2hunter"},"token":"abc"}"#), "{clean}");
}

#[test]
fn values_in_lists_and_numbers_whose_key_says_that_they_are_secret_are_hidden() {
    let redactor = redactor();
    for (json, hidden) in [
        (r#"{"passwords":["hunter2hunter", "hunter3hunter"],"x":1}"#, 2),
        (r#"{"api_keys" : [ null, "abcdef012345", "abcdef012346" ]}"#, 2),
        (r#"{"secret":["hunter2hunter"]}"#, 1),
        (r#"{"pin":1234,"PIN": 123456 ,"card_pin":1234567,"cardPin":4321}"#, 4),
        (r#"{"password":12345678}"#, 1),
        (r#"{"pins":[1234, 5678]}"#, 2),
        (r#"{"arguments":"{\"pin\":1234,\"passwords\":[\"hunter2hunter\"]}"}"#, 2),
    ] {
        let clean = redactor.json(json).into_owned();
        assert_eq!(clean.matches("[redacted value ").count(), hidden, "{clean}");
        assert!(Item::keep(&clean).is_ok() && !clean.contains("hunter") && !clean.contains("234"), "{clean}");
        assert_eq!(redactor.json(&clean), clean, "clean text stays clean");
    }
}

#[test]
fn lists_and_numbers_under_other_names_are_left_as_they_are() {
    let redactor = redactor();
    for json in [
        r#"{"input_tokens":123456,"total_tokens":98765432,"max_tokens":[128000]}"#,
        r#"{"progressToken":123456,"token":123456,"spin":123456,"mapping":123456}"#,
        r#"{"tokens":["color-blue-500","spacing-4xl-2"],"passwords":["short", "of words only"]}"#,
        r#"{"pin":13,"pins":[2,3,4],"x":["hunter2hunter"],"passwords":[],"y":"hunter2hunter"}"#,
        r#"{"passwords":[{"user":"hunter2hunter"}],"z":["hunter2hunter"]}"#,
        r#"{"pin":true,"password":null,"secret":{"n":123456}}"#,
        r#"["pin",123456,{"a":"pin: 123456"}]"#,
    ] {
        assert!(matches!(redactor.json(json), Cow::Borrowed(_)), "{}", redactor.json(json));
    }
}

#[test]
fn sealed_fields_and_files_are_left_as_they_are() {
    let secret = SECRETS[0];
    let sealed = format!(r#"{{"type":"reasoning","encrypted_content":"{secret}","summary":[]}}"#);
    assert!(matches!(redactor().json(&sealed), Cow::Borrowed(_)));
    let beside = format!(r#"{{"encrypted_content":["{secret}"],"x":"{secret}"}}"#);
    assert!(!redactor().json(&beside).contains(secret), "only the field itself is sealed");
    let image = format!("[\"data:image/png;base64,{}/AKIAPLANTED012345678/{}\"]", "A".repeat(1000), "b".repeat(99));
    assert!(matches!(redactor().json(&image), Cow::Borrowed(_)));
}

#[test]
fn the_same_secret_has_the_same_name_and_another_home_another() {
    let text = format!("{KEY} {KEY} {}", SECRETS[1]);
    let names = |redactor: &Redactor| -> Vec<String> {
        redactor.text(&text).split(']').map(|name| name.trim().to_owned()).collect()
    };
    let here = names(&redactor());
    assert_eq!(here[0], here[1]);
    assert_ne!(here[0], here[2]);
    assert_ne!(names(&Redactor::new(&[2; 32], [KEY.to_owned()]))[0], here[0]);
}

#[test]
fn hostile_text_takes_time_in_proportion_to_its_length() {
    let redactor = redactor();
    for piece in [
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ0123456789.",
        "://",
        ":",
        "password=",
        "\"password\":\"",
        "bearer ",
        "xoxb-",
        "\\\\",
        "a:b@",
        "basic ",
        "Basic QUFB",
        "{\"pins\":[1234,",
        "[\"{",
    ] {
        let text = piece.repeat((4 << 20) / piece.len());
        let _ = redactor.text(&text);
        let _ = redactor.json(&text);
    }
}

proptest! {
    #[test]
    fn text_without_secrets_is_the_same_and_clean_text_stays_clean(
        words in prop::collection::vec("[a-zA-Z:=.,;/ {}()\"'@-]{0,12}|[0-9]{1,4}", 0..40),
        secret in prop::sample::select(&SECRETS[..]),
        at in 0_usize..40,
    ) {
        let redactor = redactor();
        // A value of letters and digits may be a password; alone, neither is.
        let text = words.join(" ");
        prop_assert!(matches!(redactor.text(&text), Cow::Borrowed(_)), "{text}");
        let mut words = words;
        words.insert(at.min(words.len()), format!("{secret} "));
        let planted = words.join(" ");
        let clean = redactor.text(&planted).into_owned();
        prop_assert!(!clean.contains(secret), "{clean}");
        let again = redactor.text(&clean).into_owned();
        prop_assert_eq!(again, clean);
    }
}
