use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::*;

fn owner() -> Owner {
    Owner::of_key("key_1")
}

fn seal() -> Seal {
    Seal::ephemeral().unwrap()
}

fn file_with(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seal.key");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

fn key_line(byte: u8) -> String {
    BASE64URL_NOPAD.encode(&[byte; KEY_BYTES])
}

#[test]
fn what_is_sealed_opens_for_its_owner_and_for_nobody_else() {
    let seal = seal();
    let sealed = seal.seal(&owner(), b"the plan").unwrap();
    assert!(sealed.starts_with("cap1."));
    assert_eq!(seal.open(&owner(), &sealed).unwrap(), b"the plan");
    for other in [Owner::nobody(), Owner::of_key("key_2"), Owner::of_key("key_1\0")] {
        assert_eq!(seal.open(&other, &sealed), Err(NotOurs::Closed), "{other:?}");
    }
}

#[test]
fn another_gateway_opens_nothing() {
    let sealed = seal().seal(&owner(), b"the plan").unwrap();
    assert_eq!(seal().open(&owner(), &sealed), Err(NotOurs::Closed));
}

#[test]
fn what_others_sealed_is_told_from_what_was_changed() {
    for (text, refusal) in [
        ("", NotOurs::Foreign),
        ("gAAAAABo", NotOurs::Foreign),
        ("CAP1.AAAA", NotOurs::Foreign),
        ("cap2.AAAA", NotOurs::Foreign),
        ("cap1.", NotOurs::Closed),
        ("cap1.AAAA", NotOurs::Closed),
        ("cap1.not base64", NotOurs::Closed),
    ] {
        assert_eq!(seal().open(&owner(), text), Err(refusal), "{text}");
    }
}

#[test]
fn the_same_content_is_never_sealed_the_same_way_twice() {
    let seal = seal();
    let sealed: BTreeSet<_> = (0..50).map(|_| seal.seal(&owner(), b"x").unwrap()).collect();
    assert_eq!(sealed.len(), 50);
}

#[test]
fn content_is_packed_and_bounded() {
    let seal = seal();
    let large = vec![b'a'; MAX_CONTENT];
    let sealed = seal.seal(&owner(), &large).unwrap();
    assert!(sealed.len() < 10_000, "{}", sealed.len());
    assert!(seal.open(&owner(), &sealed).unwrap() == large);
    assert!(matches!(seal.seal(&owner(), &[large, vec![b'a']].concat()), Err(SealError::TooLarge { .. })));
}

#[test]
fn unpacking_stops_at_the_limit() {
    let bomb = zstd::encode_all(vec![0; MAX_CONTENT + 1].as_slice(), 1).unwrap();
    assert_eq!(unpacked(&bomb), None);
}

#[test]
fn a_flipped_bit_anywhere_does_not_open() {
    let seal = seal();
    let sealed = seal.seal(&owner(), b"the plan").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(seal.open(&owner(), &text).is_err(), "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn a_cut_or_longer_text_does_not_open() {
    let seal = seal();
    let sealed = seal.seal(&owner(), b"the plan").unwrap();
    for end in 0..sealed.len() {
        assert!(seal.open(&owner(), &sealed[..end]).is_err(), "{end}");
    }
    assert!(seal.open(&owner(), &(sealed + "A")).is_err());
}

proptest! {
    #[test]
    fn any_text_is_refused_and_none_is_a_panic(text in any::<String>(), ours in any::<bool>()) {
        let text = if ours { format!("{PREFIX}{text}") } else { text };
        prop_assert!(seal().open(&owner(), &text).is_err());
    }

    #[test]
    fn any_content_comes_back_for_any_owner(content in any::<Vec<u8>>(), name in any::<String>()) {
        let (seal, owner) = (seal(), Owner::of_key(&name));
        let sealed = seal.seal(&owner, &content).unwrap();
        prop_assert_eq!(seal.open(&owner, &sealed), Ok(content));
    }
}

#[test]
fn a_missing_file_is_made_for_its_owner_only_and_read_the_next_time() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seal.key");
    let sealed = Seal::from_file(&path).unwrap().seal(&owner(), b"x").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Seal::from_file(&path).unwrap().open(&owner(), &sealed).unwrap(), b"x");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left behind");
}

#[test]
fn many_that_make_the_file_at_once_agree_on_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seal.key");
    let start = std::sync::Barrier::new(8);
    let seals: Vec<Seal> = std::thread::scope(|scope| {
        let each = || {
            start.wait();
            Seal::from_file(&path).unwrap()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(each)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sealed = seals[0].seal(&owner(), b"x").unwrap();
    assert!(seals.iter().all(|seal| seal.open(&owner(), &sealed).is_ok()));
}

#[test]
fn the_first_key_seals_and_all_open() {
    let (_folder, old) = file_with(&format!("{}\n", key_line(1)), 0o600);
    let (_other, both) = file_with(&format!("# new\n{}\n\n{}=\n", key_line(2), key_line(1)), 0o400);
    let (_third, new) = file_with(&key_line(2), 0o600);
    let [old, both, new] = [old, both, new].map(|path| Seal::from_file(&path).unwrap());
    let before = old.seal(&owner(), b"before").unwrap();
    let after = both.seal(&owner(), b"after").unwrap();
    assert_eq!(both.open(&owner(), &before).unwrap(), b"before");
    assert_eq!(new.open(&owner(), &after).unwrap(), b"after");
    assert_eq!(old.open(&owner(), &after), Err(NotOurs::Closed));
    assert_eq!(new.open(&owner(), &before), Err(NotOurs::Closed));
}

#[test]
fn a_file_that_is_not_right_is_refused_with_what_to_do() {
    let many = key_line(1) + "\n";
    for (text, mode, said) in [
        (key_line(1), 0o644, "is open to others (mode 644): set it to 600"),
        (key_line(1), 0o620, "is open to others (mode 620)"),
        (String::new(), 0o600, "holds 0 keys: it needs 1 to 16"),
        ("# nothing\n".to_owned(), 0o600, "holds 0 keys"),
        (many.repeat(17), 0o600, "holds 17 keys"),
        (many + "hunter2\n", 0o600, "is not valid at line 2"),
        (BASE64URL_NOPAD.encode(&[1; 31]), 0o600, "is not valid at line 1"),
    ] {
        let (_folder, path) = file_with(&text, mode);
        let error = Seal::from_file(&path).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert!(!error.contains("hunter2") && !error.contains(&key_line(1)), "{error}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let error = Seal::from_file(&folder.path().join("none/seal.key")).unwrap_err();
    assert!(matches!(error, SealError::Make { .. }), "{error}");
}

#[test]
fn no_key_is_shown() {
    let (_folder, path) = file_with(&key_line(7), 0o600);
    let shown = format!("{:?}", Seal::from_file(&path).unwrap());
    assert_eq!(shown, "Seal { keys: 1, .. }");
}
