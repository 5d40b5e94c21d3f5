use std::fs;
use std::time::UNIX_EPOCH;

use hyper::header::{HeaderName, HeaderValue};
use tempfile::TempDir;
use tokio::task::JoinSet;
use transport::Secret;

use super::super::{Keys, NewKey};
use super::*;

const NOW: SystemTime = UNIX_EPOCH;

fn after(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

fn headers(all: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| -> (HeaderName, HeaderValue) {
        (name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    all.iter().map(pair).collect()
}

fn bearer(key: &Secret) -> HeaderMap {
    headers(&[("authorization", &format!("Bearer {}", key.expose()))])
}

struct Scene {
    _folder: TempDir,
    path: PathBuf,
    keys: Keys,
}

impl Scene {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("keys.toml");
        Self { keys: Keys::open(&path).unwrap(), path, _folder: folder }
    }

    fn create(&mut self, name: &str) -> (KeyInfo, Secret) {
        self.keys.create(NewKey { name: name.to_owned(), ..NewKey::default() }, NOW).unwrap()
    }

    fn ring(&self) -> (KeyRing, Follower) {
        KeyRing::open(&self.path).unwrap()
    }
}

fn code(refused: &ApiError) -> (Option<u16>, Option<&str>) {
    (refused.status, refused.code.as_deref())
}

#[test]
fn the_holder_of_a_key_is_known_with_what_the_key_may() {
    let mut scene = Scene::new();
    let models = Models::new(["gpt-*"]).unwrap();
    let wanted = NewKey { models, max_concurrent: NonZeroUsize::new(2), name: "alice".to_owned(), valid_for: None };
    let (alice, key) = scene.keys.create(wanted, NOW).unwrap();
    let (bob, other) = scene.create("bob");
    let ring = scene.ring().0;
    let holder = ring.who(&bearer(&key), NOW).unwrap();
    assert_eq!((&holder.owner, holder.max_concurrent), (&Owner::of_key(&alice.id), NonZeroUsize::new(2)));
    assert!(holder.may_use("gpt-5").is_ok());
    let refused = holder.may_use("o3").unwrap_err();
    assert_eq!((code(&refused), refused.param.as_deref()), ((Some(403), Some("model_not_allowed")), Some("model")));
    assert_eq!(&*refused.message, format!("the key {} may not use this model: it may use gpt-*", alice.id));
    let holder = ring.who(&bearer(&other), NOW).unwrap();
    assert_eq!((&holder.owner, holder.max_concurrent), (&Owner::of_key(&bob.id), None));
    assert!(holder.may_use("o3").is_ok());
}

#[test]
fn a_key_is_taken_from_the_headers_that_clients_send() {
    let mut scene = Scene::new();
    let (alice, key) = scene.create("alice");
    let ring = scene.ring().0;
    let key = key.expose();
    for (name, value) in [
        ("authorization", format!("Bearer {key}")),
        ("Authorization", format!("bearer  {key} ")),
        ("api-key", key.to_owned()),
        ("x-api-key", key.to_owned()),
    ] {
        let holder = ring.who(&headers(&[(name, &value)]), NOW).unwrap();
        assert_eq!(holder.owner, Owner::of_key(&alice.id), "{name}");
    }
    let both = headers(&[("authorization", "Basic YTpi"), ("api-key", key)]);
    assert!(ring.who(&both, NOW).is_ok());
    // Who says two things is asked for the first.
    let both = headers(&[("authorization", "Bearer sk-planted"), ("api-key", key)]);
    assert!(ring.who(&both, NOW).is_err());
}

#[test]
fn without_a_key_and_with_a_wrong_one_nobody_comes_in_and_nothing_of_it_is_repeated() {
    let mut scene = Scene::new();
    let (alice, key) = scene.create("alice");
    let (bob, _) = scene.create("bob");
    let ring = scene.ring().0;
    let (id, secret) = (&*alice.id, key.expose().rsplit_once(&*alice.id).unwrap().1);
    let long = format!("capstan-{id}{secret}x");
    let wrong = [
        String::new(),
        "sk-planted".to_owned(),
        format!("capstan-{id}"),
        format!("capstan-{id}-"),
        format!("capstan-{}{secret}", bob.id),
        format!("capstan-{}", secret.trim_start_matches('-')),
        long.get(..long.len() - 2).unwrap().to_owned(),
        long,
        "capstan-key_ffffffffffff-planted".to_owned(),
        "capstan--".to_owned(),
        "\u{e9}".to_owned(),
    ];
    for wrong in wrong {
        for header in ["authorization", "api-key"] {
            let value = if header == "api-key" { wrong.clone() } else { format!("Bearer {wrong}") };
            let refused = ring.who(&headers(&[(header, &value)]), NOW).unwrap_err();
            assert_eq!(code(&refused), (Some(401), Some("invalid_api_key")), "{wrong}");
            let shown = format!("{refused:?}");
            assert!(!shown.contains("planted") && !shown.contains(secret), "{shown}");
        }
    }
    for none in [&[][..], &[("authorization", "Basic YTpi")], &[("authorization", key.expose())]] {
        let refused = ring.who(&headers(none), NOW).unwrap_err();
        assert_eq!(code(&refused), (Some(401), Some("invalid_api_key")));
        assert!(refused.message.starts_with("no key was sent"), "{}", refused.message);
    }
}

#[test]
fn a_key_without_a_secret_of_its_own_is_no_key() {
    let scene = Scene::new();
    let ring = scene.ring().0;
    assert!(ring.is_empty());
    // The hash that stands in where there is none fits nobody's, known or not.
    let anybody = Holder::anybody();
    assert!(anybody.may_use("gpt-5").is_ok());
    assert!(ring.again(&anybody, NOW).is_err());
    assert!(ring.again(&Holder { owner: Owner::of_key("key_000000000000"), ..anybody }, NOW).is_err());
}

#[test]
fn a_replaced_secret_is_good_until_its_grace_ends() {
    let mut scene = Scene::new();
    let (_, first) = scene.create("alice");
    let (_, second) = scene.keys.rotate("alice", Duration::from_mins(1), NOW).unwrap();
    let ring = scene.ring().0;
    let held = ring.who(&bearer(&first), NOW).unwrap();
    for (at, is_good) in [(0, true), (59, true), (60, false)] {
        assert_eq!(ring.who(&bearer(&first), after(at)).is_ok(), is_good, "{at}");
        assert_eq!(ring.again(&held, after(at)).is_ok(), is_good, "{at}");
        assert!(ring.who(&bearer(&second), after(at)).is_ok());
    }
    let (_, third) = scene.keys.rotate("alice", Duration::ZERO, NOW).unwrap();
    let ring = scene.ring().0;
    assert!(ring.who(&bearer(&first), NOW).is_err() && ring.who(&bearer(&second), NOW).is_err());
    assert!(ring.who(&bearer(&third), NOW).is_ok());
}

#[test]
fn a_key_that_is_past_is_told_so_to_its_holder_only() {
    let mut scene = Scene::new();
    let wanted = NewKey { name: "a".to_owned(), valid_for: Some(Duration::from_secs(9)), ..NewKey::default() };
    let (expiring, key) = scene.keys.create(wanted, NOW).unwrap();
    let ring = scene.ring().0;
    assert!(ring.who(&bearer(&key), after(8)).is_ok());
    let refused = ring.who(&bearer(&key), after(9)).unwrap_err();
    assert_eq!(&*refused.message, format!("the key {} is expired: ask the operator for a new one", expiring.id));
    assert_eq!(code(&refused), (Some(401), Some("invalid_api_key")));
    let wrong = headers(&[("api-key", &format!("capstan-{}-x", expiring.id))]);
    assert!(ring.who(&wrong, after(9)).unwrap_err().message.starts_with("the key is not known"));
}

#[test]
fn what_changes_in_the_file_holds_for_those_who_are_in_already() {
    let mut scene = Scene::new();
    let (alice, key) = scene.create("alice");
    let (ring, mut follower) = scene.ring();
    let clone = ring.clone();
    let held = ring.who(&bearer(&key), NOW).unwrap();
    let (_, other) = scene.create("bob");
    scene.keys.revoke("alice", after(1)).unwrap();
    assert!(ring.who(&bearer(&key), after(1)).is_ok() && ring.who(&bearer(&other), after(1)).is_err());
    follower.look();
    assert!(ring.who(&bearer(&other), after(1)).is_ok());
    for refused in [clone.again(&held, after(1)), clone.who(&bearer(&key), after(1))] {
        let refused = refused.unwrap_err();
        assert_eq!(&*refused.message, format!("the key {} is revoked: ask the operator for a new one", alice.id));
    }
}

#[test]
fn a_file_that_cannot_be_used_changes_nothing_and_a_good_one_is_taken_up_again() {
    let mut scene = Scene::new();
    let (_, key) = scene.create("alice");
    let good = fs::read(&scene.path).unwrap();
    let (ring, mut follower) = scene.ring();
    fs::write(&scene.path, "[[key]").unwrap();
    follower.look();
    follower.look();
    assert!(ring.who(&bearer(&key), NOW).is_ok());
    fs::write(&scene.path, &good).unwrap();
    let (_, other) = scene.create("bob");
    follower.look();
    assert!(ring.who(&bearer(&key), NOW).is_ok() && ring.who(&bearer(&other), NOW).is_ok());
}

#[test]
fn a_file_that_is_gone_lets_nobody_in() {
    let mut scene = Scene::new();
    let (_, key) = scene.create("alice");
    let (ring, mut follower) = scene.ring();
    fs::remove_file(&scene.path).unwrap();
    follower.look();
    assert!(ring.is_empty() && ring.who(&bearer(&key), NOW).is_err());
}

#[cfg(unix)]
#[test]
fn permissions_that_are_put_right_are_noticed() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    let (_, key) = scene.create("alice");
    let (ring, mut follower) = scene.ring();
    let (_, other) = scene.create("bob");
    let open_to = |mode| fs::set_permissions(&scene.path, fs::Permissions::from_mode(mode)).unwrap();
    open_to(0o666);
    follower.look();
    assert!(ring.who(&bearer(&key), NOW).is_ok() && ring.who(&bearer(&other), NOW).is_err());
    open_to(0o600);
    follower.look();
    assert!(ring.who(&bearer(&other), NOW).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_change_is_taken_up_within_a_second_and_the_follower_ends_with_the_last_ring() {
    let mut scene = Scene::new();
    scene.create("alice");
    let (ring, follower) = scene.ring();
    let mut tasks = JoinSet::new();
    tasks.spawn(follower.run());
    let mut changes = ring.0.clone();
    let (_, other) = scene.create("bob");
    tokio::time::timeout(LOOK_EVERY * 2, changes.changed()).await.unwrap().unwrap();
    assert!(ring.who(&bearer(&other), NOW).is_ok());
    drop((ring, changes));
    tasks.join_next().await.unwrap().unwrap();
}
