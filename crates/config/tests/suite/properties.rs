//! What holds for any settings.

use std::collections::BTreeMap;

use config::Layers;
use proptest::prelude::*;

use crate::PATH;

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// What a layer says: the value of each key of each table. Tables and values never stand in each other's place.
type Layer = BTreeMap<(usize, usize), u64>;

fn layer() -> impl Strategy<Value = Layer> {
    prop::collection::btree_map((0..KEYS.len(), 0..KEYS.len()), any::<u64>(), 0..6)
}

fn lines(layer: &Layer) -> Vec<String> {
    layer.iter().map(|((table, key), value)| format!("{}.{}={value}", KEYS[*table], KEYS[*key])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_key_is_that_of_the_strongest_layer_that_has_it(layers in prop::array::uniform5(layer())) {
        let [built_in, user, project, environment, arguments] = &layers;
        let mut merged = Layers::new();
        for line in lines(arguments) {
            merged = merged.argument(&line).unwrap();
        }
        for line in lines(environment) {
            let (key, value) = line.split_once('=').unwrap();
            merged = merged.environment("X", key, value).unwrap();
        }
        let merged = merged.built_in(&lines(built_in).join("\n")).unwrap();
        let merged = merged.file(PATH, &lines(user).join("\n")).unwrap();
        let mut merged = merged.file("project", &lines(project).join("\n")).unwrap().merge();
        for (t, table) in KEYS.into_iter().enumerate() {
            let mut table = merged.table(table).unwrap();
            for (k, key) in KEYS.into_iter().enumerate() {
                let expected = layers.iter().rev().find_map(|layer| layer.get(&(t, k)).copied());
                prop_assert_eq!(table.read::<u64>(key).unwrap(), expected);
            }
            table.finish().unwrap();
        }
        merged.finish().unwrap();
    }

    #[test]
    fn any_text_is_settings_or_an_error(text in any_text()) {
        all_ways(&text);
    }

    #[test]
    fn what_looks_like_toml_is_settings_or_an_error(text in "([a-c\\[\\]{}='\".,#\\\\ \n\r\t0-9é-]|= |\"\"\"|'''|\\[a\\]\n|\na=|_key=|true|://|@){0,40}") {
        all_ways(&text);
    }

    #[test]
    fn the_secret_of_a_broken_file_is_not_shown(
        before in "(a = 1\n|b = '''\n'''\n|c = \\[\n'#', 1\\]\n|d = \"\\\\\\\\\" # \\[\n){0,3}",
        open in "(api_key = |x_token = \\[\n|http_headers = \\{\n x = |\\[http_headers\\]\ny = )",
        middle in "(\\[\n?|\\{ z = | 1,\n){0,2}(\"\"\"\n?|'''\n?|'|\")?",
        after in "[\\]}'\"\n =x1@]{0,8}",
    ) {
        if let Err(error) = Layers::new().file(PATH, &format!("{before}{open}{middle}hunter2{after}")) {
            prop_assert!(!error.to_string().contains("hunter2"), "{}", error);
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    ]
}

/// Every way in, and every way out.
fn all_ways(text: &str) {
    let outcomes = [
        Layers::new().file(PATH, text),
        Layers::new().argument(text),
        Layers::new().argument(&format!("a.b={text}")),
        Layers::new().environment("X", text, text),
    ];
    for outcome in outcomes {
        match outcome {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(layers) => {
                let mut table = layers.merge();
                for entry in table.entries() {
                    // What is listed can be read again.
                    Layers::new().file(PATH, &format!("x = {}", entry.value)).unwrap();
                    let _ = (entry.origin.to_string(), entry.origin.position());
                }
                let _ = (table.read::<u64>("a"), table.read::<Vec<String>>("b"), table.map("c"), table.tables("a"));
                let _ = (
                    table.refuse("a", "no").to_string(),
                    format!("{table:?}"),
                    table.finish().map_err(|e| e.to_string()),
                );
            }
        }
    }
}
