//! What settings are, and who set them.

use config::{Layers, Source};

use crate::{PATH, file};

const PROJECT: &str = ".capstan/config.toml";

/// What is read where this text is set.
macro_rules! text {
    ($text:expr) => {
        Some(String::from($text))
    };
}

#[test]
fn the_strongest_source_that_has_a_key_sets_it() {
    // Not in the order of their strength: that is not for the caller to keep.
    let mut settings = Layers::new()
        .argument("e=argument")
        .unwrap()
        .environment("CAPSTAN_D", "d", "variable")
        .unwrap()
        .environment("CAPSTAN_E", "e", "variable")
        .unwrap()
        .file(PATH, "b = 'user'\nc = 'user'\nd = 'user'\ne = 'user'")
        .unwrap()
        .file(PROJECT, "c = 'project'\nd = 'project'\ne = 'project'")
        .unwrap()
        .built_in("a = 'program'\nb = 'program'\nc = 'program'\nd = 'program'\ne = 'program'")
        .unwrap()
        .merge();
    for (key, value, source, place) in [
        ("a", "program", Source::BuiltIn, "built-in settings:1:1"),
        ("b", "user", Source::File(PATH.into()), "~/.capstan/config.toml:1:1"),
        ("c", "project", Source::File(PROJECT.into()), ".capstan/config.toml:1:1"),
        ("d", "variable", Source::Variable("CAPSTAN_D".into()), "environment variable CAPSTAN_D"),
        ("e", "argument", Source::Argument("e".into()), "-c e"),
    ] {
        assert_eq!(settings.read(key).unwrap(), text!(value));
        let origin = settings.origin(key).unwrap();
        assert_eq!((origin.source(), origin.to_string().as_str()), (&source, place));
    }
    assert_eq!(settings.origin("d").unwrap().position(), None);
    assert!(settings.origin("f").is_none());
    settings.finish().unwrap();
}

#[test]
fn tables_merge_key_by_key_and_anything_else_replaces() {
    let mut settings = Layers::new()
        .built_in("list = [1, 2]\n[a]\nx = 1\ny = 2\n[a.b]\nz = 3\n[scalar]\nx = 1\n[empty]\nx = 1")
        .unwrap()
        .file(PATH, "list = [3]\nscalar = 4\na.y = 5\na.b = { w = 6 }\nempty = {}")
        .unwrap()
        .merge();
    assert_eq!(settings.read("list").unwrap(), Some(vec![3_u64]));
    assert_eq!(settings.read("scalar").unwrap(), Some(4_u64));
    let mut a = settings.table("a").unwrap();
    assert_eq!((a.read("x").unwrap(), a.read("y").unwrap()), (Some(1_u64), Some(5_u64)));
    let mut b = a.table("b").unwrap();
    assert_eq!((b.read("z").unwrap(), b.read("w").unwrap()), (Some(3_u64), Some(6_u64)));
    assert_eq!(settings.origin("a").unwrap().to_string(), "~/.capstan/config.toml:3:1");
    assert_eq!(a.origin("x").unwrap().position(), Some((3, 1)));
    assert_eq!(a.origin("y").unwrap().position(), Some((3, 3)));
    assert!(!settings.table("empty").unwrap().is_empty());
}

#[test]
fn settings_are_read_as_what_they_are() {
    let mut settings = file(
        "text = 'x'\nyes = true\nwhole = 0xff\nmore = 18_446_744_073_709_551_615\nfraction = 1.5\n\
         texts = ['a', 'b']\nnested = [[1], []]\nnone = []\ndate = 2025-04-01",
    );
    assert_eq!(settings.read("text").unwrap(), text!("x"));
    assert_eq!(settings.read("yes").unwrap(), Some(true));
    assert_eq!(settings.read("whole").unwrap(), Some(255_u32));
    assert_eq!(settings.read("whole").unwrap(), Some(255_usize));
    assert_eq!(settings.read("whole").unwrap(), Some(255.0));
    assert_eq!(settings.read("more").unwrap(), Some(u64::MAX));
    assert_eq!(settings.read("fraction").unwrap(), Some(1.5));
    assert_eq!(settings.read("texts").unwrap(), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(settings.read("nested").unwrap(), Some(vec![vec![1_u64], vec![]]));
    assert_eq!(settings.read::<Vec<bool>>("none").unwrap(), Some(vec![]));
    assert_eq!(settings.read::<u64>("absent").unwrap(), None);
    assert_eq!(settings.read_with("text", "x", |text| text.chars().next()).unwrap(), Some('x'));
    assert_eq!(settings.read_with("absent", "x", |text| text.chars().next()).unwrap(), None);
}

#[test]
fn the_value_of_an_argument_is_toml_if_it_can_be_read_as_such_and_text_otherwise() {
    let mut settings = Layers::new().argument(r#"model_providers."my.name".x=1"#).unwrap();
    for argument in
        ["model=gpt-5", " a . b = true ", "quoted='1'", "list=[\"x\", 'y']", "empty=", "equals=a=b", "open=[1"]
    {
        settings = settings.argument(argument).unwrap();
    }
    let mut settings = settings.argument("table={ x = 1, y = 2 }").unwrap().argument("table.y=3").unwrap().merge();
    let mut providers = settings.tables("model_providers").unwrap();
    let (name, mut provider) = providers.pop().unwrap();
    assert_eq!((name.as_str(), provider.read("x").unwrap()), ("my.name", Some(1_u64)));
    assert_eq!(settings.read("model").unwrap(), text!("gpt-5"));
    assert_eq!(settings.table("a").unwrap().read("b").unwrap(), Some(true));
    assert_eq!(settings.read("quoted").unwrap(), text!("1"));
    assert_eq!(settings.read("list").unwrap(), Some(vec!["x".to_owned(), "y".to_owned()]));
    assert_eq!(settings.read("empty").unwrap(), text!(""));
    assert_eq!(settings.read("equals").unwrap(), text!("a=b"));
    assert_eq!(settings.read("open").unwrap(), text!("[1"));
    let mut table = settings.table("table").unwrap();
    assert_eq!((table.read("x").unwrap(), table.read("y").unwrap()), (Some(1_u64), Some(3_u64)));
}

#[test]
fn what_was_typed_into_a_shell_is_text_where_text_is_asked_for() {
    let mut settings = Layers::new()
        .argument("model=5")
        .unwrap()
        .argument("effort=true")
        .unwrap()
        .environment("CAPSTAN_VERSION", "version.api", "2025-04-01")
        .unwrap()
        .environment("CAPSTAN_ID", "id", "0x1F")
        .unwrap()
        .merge();
    assert_eq!(settings.read("model").unwrap(), text!("5"));
    assert_eq!(settings.read("model").unwrap(), Some(5_u64));
    assert_eq!(settings.read("effort").unwrap(), text!("true"));
    assert_eq!(settings.read("id").unwrap(), text!("0x1F"));
    assert_eq!(settings.map("version").unwrap(), [("api".to_owned(), "2025-04-01".to_owned())]);
    assert!(file("model = 5").read::<String>("model").is_err());
}

#[test]
fn names_within_tables_and_maps_are_the_users() {
    let mut settings = file(
        "[model_providers.azure]\nname = 'Azure'\nquery_params = { api-version = '2025', n = 1, f = 1.50, b = true, d = 2025-04-01 }\n\
         [model_providers.\"a.b\"]\nname = 'other'",
    );
    let mut names = Vec::new();
    for (name, mut provider) in settings.tables("model_providers").unwrap() {
        let params = provider.map("query_params").unwrap();
        names.push((name, provider.read::<String>("name").unwrap().unwrap(), params.len()));
        if let Some(first) = params.first() {
            assert_eq!(first, &("api-version".to_owned(), "2025".to_owned()));
            let values: Vec<_> = params.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(values, ["2025", "true", "2025-04-01", "1.50", "1"]);
        }
        provider.finish().unwrap();
    }
    assert_eq!(names, [("a.b".into(), "other".into(), 0), ("azure".into(), "Azure".into(), 5)]);
    settings.finish().unwrap();
}

#[test]
fn what_is_not_there_is_empty() {
    let mut settings = file("");
    assert!(settings.is_empty());
    assert!(settings.tables("a").unwrap().is_empty());
    assert!(settings.map("a").unwrap().is_empty());
    let table = settings.table("a").unwrap();
    assert!(table.is_empty());
    table.finish().unwrap();
    settings.finish().unwrap();
}

#[test]
fn entries_are_every_setting_with_its_source() {
    let mut settings = Layers::new()
        .built_in("model = 'a \"b\"'\nretries = 3")
        .unwrap()
        .file(PATH, "# one\nretries = 4\n[p.\"x.y\"]\nlist = [1, { a = 'b' }]\nnone = {}")
        .unwrap()
        .argument("fast=true")
        .unwrap()
        .merge();
    let lines: Vec<_> = settings
        .entries()
        .into_iter()
        .map(|entry| format!("{} = {} # {}", entry.key, entry.value, entry.origin))
        .collect();
    assert_eq!(
        lines,
        [
            "fast = true # -c fast",
            "model = \"a \\\"b\\\"\" # built-in settings:1:1",
            "p.\"x.y\".list = [1, { a = \"b\" }] # ~/.capstan/config.toml:4:1",
            "p.\"x.y\".none = {} # ~/.capstan/config.toml:5:1",
            "retries = 4 # ~/.capstan/config.toml:2:1",
        ]
    );
    let inner = settings.table("p").unwrap().table("x.y").unwrap().entries();
    assert_eq!(inner[0].key, "p.\"x.y\".list");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_change_nothing() {
    let mut settings = file("\u{feff}a = 1\r\n[t]\r\nb = 2\r\n");
    assert_eq!(settings.read("a").unwrap(), Some(1_u64));
    assert_eq!(settings.origin("a").unwrap().position(), Some((1, 1)));
    assert_eq!(settings.table("t").unwrap().origin("b").unwrap().position(), Some((3, 1)));
}

#[test]
fn a_list_of_one_may_be_written_without_brackets() {
    let mut settings = file("[models]\na = 'x'\n'b.*' = ['y', 'z']\nc = []");
    let many = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expected = [("a", &["x"][..]), ("b.*", &["y", "z"]), ("c", &[])];
    assert_eq!(settings.lists("models").unwrap(), expected.map(|(name, texts)| (name.to_owned(), many(texts))));
    assert!(settings.lists("others").unwrap().is_empty());
    settings.finish().unwrap();
}
