//! Each file in `../golden` is a conversation in steps, beside it what follows from it. `UPDATE_GOLDEN=1` writes that anew.
//!
//! A step with a `why` compacts its conversation; the items it makes are `"@1"`, `"@2"` in later steps. A step without
//! shows what a model sees of its conversation. `"@before"` is the conversation of the step before.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use responses::item::Item;
use responses::json::{Json, Object, Raw, elements};

use super::support::{ID, Keys, request};
use crate::compaction::{Limits, Opened, Why, finish, plan};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compaction/golden")
}

/// A story being told.
struct Story<'a> {
    keys: Keys,
    request: &'a str,
    limits: Limits,
    made: Vec<Item>,
    before: Vec<Item>,
    told: String,
}

impl Story<'_> {
    fn conversation(&self, text: &str) -> Vec<Item> {
        let mut items = Vec::new();
        for element in elements(text).unwrap() {
            match element.strip_prefix("\"@").and_then(|name| name.strip_suffix('"')) {
                Some("before") => items.extend(self.before.iter().cloned()),
                Some(number) => items.push(self.made[number.parse::<usize>().unwrap() - 1].clone()),
                None => items.push(Item::parse(element).unwrap()),
            }
        }
        items
    }

    fn step(&mut self, step: &Object<'_>) {
        self.before = self.conversation(step.get("conversation").unwrap());
        let opened = self.keys.opened(self.before.clone()).unwrap();
        match step.get("why") {
            Some(r#""asked""#) => self.compact(&opened, Why::Asked),
            Some(r#""trigger""#) => self.compact(&opened, Why::Trigger),
            Some(tokens) => self.compact(&opened, Why::Threshold(tokens.parse().unwrap())),
            None => self.list("the model sees", &opened.items),
        }
    }

    fn compact(&mut self, opened: &Opened, why: Why) {
        let number = self.made.len() + 1;
        let plan = plan(opened, &request(self.request), why, &self.limits).unwrap();
        writeln!(self.told, "# compaction {number}, {why:?}\n\n## asked\n\n{}", Json::of(&plan.ask).text()).unwrap();
        self.list("of", &plan.items);
        self.list("what stays", &plan.retained().cloned().collect::<Vec<_>>());
        let summary = format!("[summary {number}]");
        self.made.push(finish(&plan, &summary, ID, &self.keys.seal, &self.keys.owner).unwrap());
    }

    fn list(&mut self, what: &str, items: &[Item]) {
        let lines: Vec<_> = items.iter().map(Item::text).collect();
        writeln!(self.told, "\n## {what}\n\n{}\n", lines.join("\n")).unwrap();
    }
}

fn told(text: &str) -> String {
    let story = Object::parse(text).unwrap();
    let usual = Limits::default();
    let limit = |key, usual| story.read::<Option<u64>>(key).unwrap().map_or(usual, |limit| limit.try_into().unwrap());
    let limits = Limits {
        said_bytes: limit("said_bytes", usual.said_bytes),
        item_bytes: limit("item_bytes", usual.item_bytes),
        asked_bytes: limit("asked_bytes", usual.asked_bytes),
        ..usual
    };
    let request = story.get("request").unwrap();
    let (made, before, told) = (Vec::new(), Vec::new(), String::new());
    let mut tale = Story { keys: Keys::new(), request, limits, made, before, told };
    for step in story.read::<Vec<Raw<'_>>>("steps").unwrap() {
        tale.step(&Object::parse(step.0).unwrap());
    }
    tale.told
}

#[test]
fn every_story_goes_as_its_file_says() {
    let mut count = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        count += 1;
        let (actual, file) = (told(&fs::read_to_string(&path).unwrap()), path.with_extension("txt"));
        if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
            fs::write(&file, &actual).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(actual, expected, "{file:?} differs: if that is meant, run the test with UPDATE_GOLDEN=1");
    }
    assert!(count >= 7, "the files are gone");
}
