//! A chain with a long past, and turns to go on with.

use std::sync::Arc;

use responses::chain::{Chain, Config, Effect, Heard, LinkId, Time};
use responses::item::Item;
use responses::request::{Request, Settings};

/// A chain on an open line. The server has all of its conversation.
#[derive(Clone)]
pub(crate) struct Conversation {
    pub(crate) chain: Chain,
    pub(crate) settings: Arc<Settings>,
    link: LinkId,
    turns: u64,
}

impl Conversation {
    /// One of so many items, with the settings of an agent: instructions and twenty tools.
    pub(crate) fn new(items: usize) -> Self {
        let tools: Vec<String> = (0..20)
            .map(|at| {
                let schema = r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#;
                format!(r#"{{"type":"function","name":"tool_{at}","description":"does {at}","parameters":{schema}}}"#)
            })
            .collect();
        let request = format!(
            r#"{{"model":"m","store":false,"instructions":"{}","tools":[{}]}}"#,
            "Be brief and exact. ".repeat(100),
            tools.join(",")
        );
        let settings = Arc::new(Settings::new(&Request::parse(&request).unwrap_or_default()));
        let said = (0..items.saturating_sub(2)).map(|at| Item::user(&format!("item {at} of a long conversation")));
        let mut this = Self { chain: Chain::resumed(Config::default(), said), settings, link: LinkId(0), turns: 0 };
        this.ask();
        this.answer();
        this
    }

    /// Appends one item, and renders the frame that goes out. Gives its size.
    pub(crate) fn ask(&mut self) -> usize {
        let now = Time::default();
        let item = Item::user("and what does the next file say?");
        let turn = self.chain.submit(now, vec![item], &self.settings);
        assert!(turn.is_ok(), "the last turn did not end");
        self.sent()
    }

    fn sent(&mut self) -> usize {
        let mut sent = 0;
        while let Some(effect) = self.chain.poll_effect() {
            match effect {
                Effect::Open(link) => {
                    self.link = link;
                    self.chain.handle_open(Time::default(), link);
                }
                Effect::Send(_, text) => sent = text.len(),
                _ => {}
            }
        }
        sent
    }

    /// The server answers with one message.
    pub(crate) fn answer(&mut self) {
        self.turns += 1;
        let turn = self.turns;
        for event in [
            format!(r#"{{"type":"response.created","sequence_number":0,"response":{{"id":"resp_{turn}"}}}}"#),
            r#"{"type":"response.output_item.done","sequence_number":1,"output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"It says this.","annotations":[]}]}}"#.to_owned(),
            format!(r#"{{"type":"response.completed","sequence_number":2,"response":{{"id":"resp_{turn}"}}}}"#),
        ] {
            let heard = self.chain.handle_text(Time::default(), self.link, &event);
            assert_eq!(heard, Heard::Turn);
        }
        self.sent();
        assert!(self.chain.is_idle(), "the turn did not end");
    }
}
