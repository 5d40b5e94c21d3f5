//! Short ways to what the tests are about.

use responses::error::ApiError;
use responses::id::CallId;
use responses::item::{Item, ItemView};
use responses::json::{Json, elements};
use responses::request::Request;

use crate::Owner;
use crate::compaction::{Limits, Opened, Why, finish, opened, plan};
use crate::seal::Seal;

pub(super) const ID: &str = "cmp_1";

/// A gateway's keys, and who asks.
pub(super) struct Keys {
    pub(super) seal: Seal,
    pub(super) owner: Owner,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { seal: Seal::ephemeral().unwrap(), owner: Owner::of_key("key_1") }
    }

    /// For a backend that opens nothing, all of it new.
    pub(super) fn opened(&self, items: Vec<Item>) -> Result<Opened, ApiError> {
        let all = items.len();
        opened(items, all, &self.seal, &self.owner, false)
    }

    pub(super) fn compacted(&self, items: Vec<Item>, why: Why) -> Item {
        let opened = self.opened(items).unwrap();
        let plan = plan(&opened, &Request::default(), why, &Limits::default()).unwrap();
        finish(&plan, "done so far", ID, &self.seal, &self.owner).unwrap()
    }
}

pub(super) fn items(text: &str) -> Vec<Item> {
    elements(text).unwrap().into_iter().map(|item| Item::parse(item).unwrap()).collect()
}

pub(super) fn request(text: &str) -> Request {
    Request::parse(text).unwrap()
}

pub(super) fn call(id: &str) -> Item {
    let name = Json::of(&CallId::from(id));
    Item::parse(&format!(r#"{{"type":"function_call","call_id":{},"name":"f","arguments":"{{}}"}}"#, name.text()))
        .unwrap()
}

pub(super) fn output(id: &str) -> Item {
    Item::function_output(&CallId::from(id), "done")
}

/// What each item says, in a word.
pub(super) fn said(items: &[Item]) -> Vec<String> {
    let word = |item: &Item| match item.view() {
        ItemView::Message(message) => {
            let text = message.content.to_text();
            if text.starts_with("# What happened before") { "SUMMARY".to_owned() } else { text.into_owned() }
        }
        ItemView::FunctionCall(call) => call.name.into_owned(),
        ItemView::FunctionCallOutput(output) => output.output.to_text().into_owned(),
        _ => item.text().to_owned(),
    };
    items.iter().map(word).collect()
}
