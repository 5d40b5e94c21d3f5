//! What a user reads who made a mistake.

use config::{ConfigError, Layers, Table};

use crate::{PATH, file};

fn rows(error: &ConfigError) -> Vec<String> {
    error.to_string().lines().map(str::to_owned).collect()
}

/// The first row of an error in the file.
fn first(error: &ConfigError) -> String {
    rows(error)[0].replace("~/.capstan/config.toml:", "")
}

fn syntax(text: &str) -> ConfigError {
    Layers::new().file(PATH, text).unwrap_err()
}

fn argument(text: &str) -> String {
    Layers::new().argument(text).unwrap_err().to_string()
}

#[test]
fn an_unknown_key_is_shown_with_its_line_and_the_nearest_known_key() {
    let mut settings = file("model = 'x'\n[model_providers.azure]\n  suports_websockets = true\n");
    settings.read::<String>("model").unwrap();
    let (_, mut azure) = settings.tables("model_providers").unwrap().pop().unwrap();
    azure.read::<bool>("supports_websockets").unwrap();
    azure.read::<String>("base_url").unwrap();
    let error = azure.finish().unwrap_err();
    let expected = [
        "~/.capstan/config.toml:3:3: unknown key `suports_websockets` in [model_providers.azure]: \
         did you mean `supports_websockets`?",
        "     3 |   suports_websockets = true",
        "       |   ^^^^^^^^^^^^^^^^^^",
    ];
    assert_eq!(rows(&error), expected);
    settings.finish().unwrap();
}

#[test]
fn an_unknown_key_far_from_all_others_is_to_be_removed() {
    let mut settings = file("[p]\nx = 1\n[p.\"a b\"]\ncolour = 1");
    settings.table("p").unwrap().read::<u64>("x").unwrap();
    let inner = settings.table("p").unwrap().table("a b").unwrap();
    let advice = "remove it, or move it to the table where it belongs";
    assert_eq!(first(&inner.finish().unwrap_err()), format!("4:1: unknown key `colour` in [p.\"a b\"]: {advice}"));
}

#[test]
fn a_value_of_another_type_is_pointed_at() {
    let mut settings = file("\tr = 'many'\nt.x = 1\n\"日本\" = [1, 2.5]\n");
    let error = settings.read::<u64>("r").unwrap_err();
    let expected = [
        "~/.capstan/config.toml:1:6: expected a whole number, found a string",
        "     1 |  r = 'many'",
        "       |      ^^^^^^",
    ];
    assert_eq!(rows(&error), expected);
    let error = settings.read::<Vec<u64>>("日本").unwrap_err();
    assert_eq!(rows(&error)[0], "~/.capstan/config.toml:3:12: expected a whole number, found a number with a fraction");
    assert_eq!(rows(&error)[2], "       |            ^^^");
}

#[test]
fn a_wrong_type_says_what_was_expected_and_what_is_there() {
    fn fails<T: config::Value>(value: &str) -> String {
        let error = file(&format!("x = {value}")).read::<T>("x").err().unwrap();
        first(&error).strip_prefix("1:5: ").unwrap().to_owned()
    }
    assert_eq!(fails::<String>("5"), "expected a string, found a whole number");
    assert_eq!(fails::<String>("{ a = 1 }"), "expected a string, found a table");
    assert_eq!(fails::<String>("2025-04-01"), "expected a string, found a date or time");
    assert_eq!(fails::<bool>("'true'"), "expected true or false, found a string");
    assert_eq!(fails::<u64>("true"), "expected a whole number, found true or false");
    assert_eq!(fails::<u64>("1.0"), "expected a whole number, found a number with a fraction");
    assert_eq!(fails::<u64>("-1"), "expected a whole number from 0 to 18446744073709551615, found a negative one");
    assert_eq!(fails::<u32>("4294967296"), "expected a whole number from 0 to 4294967295, found a larger one");
    assert_eq!(
        fails::<u64>(&"9".repeat(1000)),
        "expected a whole number from 0 to 18446744073709551615, found a larger one"
    );
    assert_eq!(
        fails::<u64>(&format!("-{}", "9".repeat(1000))),
        "expected a whole number from 0 to 18446744073709551615, found a negative one"
    );
    assert_eq!(fails::<f64>("'1'"), "expected a number, found a string");
    assert_eq!(fails::<f64>("1e999"), "expected a finite number, found one that is not finite");
    assert_eq!(fails::<f64>("nan"), "expected a finite number, found one that is not finite");
    assert_eq!(fails::<Vec<String>>("'a'"), "expected a list of strings, found a string");
    assert_eq!(fails::<Vec<Vec<bool>>>("1"), "expected a list of lists of true or false, found a whole number");
}

#[test]
fn a_table_is_not_a_scalar_nor_a_scalar_a_table() {
    fn such<T>(result: Result<T, ConfigError>) -> String {
        first(&result.err().unwrap())
    }
    let mut settings = file("a = 1\n[b]\nc = 1\nd = []");
    assert_eq!(such(settings.table("a")), "1:5: expected a table, found a whole number");
    assert_eq!(such(settings.tables("a")), "1:5: expected a table, found a whole number");
    assert_eq!(such(settings.map("a")), "1:5: expected a table, found a whole number");
    assert_eq!(such(settings.tables("b")), "3:5: expected a table, found a whole number");
    assert_eq!(such(settings.map("b")), "4:5: expected a string, a number, or true or false, found a list");
    assert_eq!(such(settings.lists("a")), "1:5: expected a table, found a whole number");
    assert_eq!(such(settings.lists("b")), "3:5: expected a string or a list of strings, found a whole number");
    assert_eq!(such(settings.read::<String>("b")), "2:1: expected a string, found a table");
}

#[test]
fn a_dotted_key_through_a_scalar_of_a_weaker_source_is_the_mistake() {
    let layers = Layers::new().file(PATH, "model = 'x'").unwrap();
    let mut settings = layers.argument("model.name=y").unwrap().merge();
    let error = settings.read::<String>("model").unwrap_err();
    assert_eq!(error.to_string(), "-c model.name: expected a string, found a table");
}

#[test]
fn a_form_of_text_is_named_where_it_was_expected() {
    let wire = |settings: &mut Table| {
        let parse = |text: &str| ["auto", "ws", "http"].iter().position(|name| *name == text);
        settings.read_with("transport", "auto, ws or http", parse)
    };
    assert_eq!(wire(&mut file("transport = 'ws'")).unwrap(), Some(1));
    let error = wire(&mut file("transport = 'tcp'")).unwrap_err();
    assert_eq!(
        rows(&error)[..2],
        ["~/.capstan/config.toml:1:13: expected auto, ws or http", "     1 | transport = 'tcp'"]
    );
    let error = wire(&mut file("transport = 5")).unwrap_err();
    assert_eq!(first(&error), "1:13: expected auto, ws or http, found a whole number");
    let mut settings = Layers::new().environment("CAPSTAN_TRANSPORT", "transport", "tcp").unwrap().merge();
    let expected = "environment variable CAPSTAN_TRANSPORT: expected auto, ws or http";
    assert_eq!(wire(&mut settings).unwrap_err().to_string(), expected);
}

#[test]
fn a_refusal_points_at_the_value_or_at_the_table_that_lacks_it() {
    let mut settings = file("[p.x]\nurl = 'ftp://a'");
    let (_, x) = settings.tables("p").unwrap().pop().unwrap();
    assert_eq!(
        rows(&x.refuse("url", "use https")),
        ["~/.capstan/config.toml:2:7: use https", "     2 | url = 'ftp://a'", "       |       ^^^^^^^^^",]
    );
    assert_eq!(first(&x.refuse("name", "set name")), "1:4: set name");
    assert_eq!(settings.refuse("model", "set model").to_string(), "settings: set model");
    let absent = settings.table("q").unwrap();
    assert_eq!(absent.refuse("model", "set model").to_string(), "[q]: set model");
}

#[test]
fn broken_toml_is_quoted_where_it_breaks() {
    let error = syntax("\u{feff}ok = 1\r\nmodel = gpt-5\r\n");
    assert_eq!(rows(&error)[0].split(": ").next(), Some("~/.capstan/config.toml:2:9"));
    assert_eq!(rows(&error)[1], "     2 | model = gpt-5");
    for (text, start) in [
        ("a = 1\na = 2", "2:1: not valid TOML: duplicate key"),
        ("[t]\n[t]", "2:2: not valid TOML: duplicate key"),
        ("a = 1\na.b = 2", "2:1: not valid TOML: cannot extend value of type integer with a dotted key"),
        ("a = { b = 1, b = 2 }", "1:14: not valid TOML: duplicate key"),
        ("ä = 1", "1:1: not valid TOML: "),
        ("\"日本\" = 'x", "1:"),
        ("a = [1,\n2\n", "2:2: not valid TOML: "),
        ("a = \"\"\"\nx", "2:"),
        ("= 1", "1:1: not valid TOML: "),
        ("a", "1:"),
        ("\u{1b}[2J", "1:1: not valid TOML: "),
        ("\0", "1:1: not valid TOML: "),
        ("a = 1 \r b", "1:"),
        ("a = 99:99:99", "1:5: not valid TOML: "),
        ("a = 01", "1:"),
    ] {
        let error = syntax(text);
        assert!(first(&error).starts_with(start), "{text:?}: {error}");
        assert!(rows(&error).len() == 3 && !error.to_string().contains(['\u{1b}', '\0', '\r']), "{text:?}: {error}");
    }
}

#[test]
fn an_argument_that_is_not_one_says_how_to_write_it() {
    assert_eq!(argument("model"), "-c model: no value: use -c key=value");
    assert_eq!(argument(""), "-c …: no value: use -c key=value");
    for (text, shown) in
        [("=5", "…"), (" =5", "…"), ("a..b=5", "a..b"), ("a b=5", "a…"), ("[a]\nb=5", "…"), ("#a=5", "…")]
    {
        let advice = "not a key: use -c key=value, with dots between the parts of the key";
        assert_eq!(argument(text), format!("-c {shown}: {advice}"), "{text}");
    }
    let error = Layers::new().environment("CAPSTAN_X", "a..b", "1").unwrap_err();
    assert_eq!(error.to_string(), "environment variable CAPSTAN_X: \"a..b\" is not a dotted key");
}

#[test]
fn an_unknown_key_of_an_argument_is_named() {
    let mut settings = Layers::new().argument("modle=gpt-5").unwrap().merge();
    settings.read::<String>("model").unwrap();
    assert_eq!(settings.finish().unwrap_err().to_string(), "-c modle: unknown key `modle`: did you mean `model`?");
}
