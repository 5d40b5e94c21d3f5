//! What really happened, to hold against what the chain says.

use std::collections::BTreeMap;

use responses::chain::{Chain, Transport, WhyAll};
use responses::item::{Item, ItemKind};

/// The truth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// What users and tools said, in order.
    pub(crate) said: Vec<String>,
    pub(crate) steered: Vec<String>,
    pub(crate) submitted: usize,
    pub(crate) ended: usize,
    /// Items that were told to be whole.
    told: Vec<(String, ItemKind)>,
    /// By response id: what the model had seen and said by its end.
    pub(crate) generations: BTreeMap<String, Vec<String>>,
    /// How each request left: transport, why all of it, items, bytes.
    pub(crate) sends: Vec<(Transport, Option<WhyAll>, usize, usize)>,
    /// How many of them left before the first answer came.
    pub(crate) sends_before_first_answer: Option<usize>,
    /// Refusals that the client could not foresee, allowed by a step of the test.
    pub(crate) allowed_not_found: usize,
    pub(crate) not_found: usize,
    /// Generations the model was asked for.
    pub(crate) begun: usize,
}

impl Ledger {
    pub(crate) fn told(&mut self, item: &Item) {
        assert!(!self.told.iter().any(|(text, _)| text == item.text()), "told twice: {item:?}");
        self.told.push((item.text().to_owned(), item.kind()));
    }

    pub(crate) fn steer_returned(&mut self, text: &str) {
        let at = self.steered.iter().position(|steer| steer == text).expect("a steer came back that was never sent");
        self.steered.remove(at);
    }

    /// Everything said so far is now this.
    pub(crate) fn rewritten(&mut self, summary: String) {
        self.said = vec![summary];
        self.told.clear();
        self.steered.clear();
    }

    /// True at every moment: nothing is in the transcript twice, and what users said is there in order.
    pub(crate) fn check_told(&self, chain: &Chain) {
        let texts: Vec<&str> = chain.transcript().items().iter().map(Item::text).collect();
        let mut unique = texts.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), texts.len(), "an item is in the transcript twice: {texts:#?}");
        let said: Vec<&&str> = texts.iter().filter(|text| self.said.iter().any(|said| said == **text)).collect();
        assert_eq!(said.len(), self.said.len(), "something said is missing");
        assert!(said.iter().zip(&self.said).all(|(a, b)| **a == b.as_str()), "what was said is out of order");
        assert!(self.not_found <= self.allowed_not_found, "refused for a reason that could be foreseen");
    }

    /// True when all is quiet: every turn ended once, and what was told is in the transcript.
    pub(crate) fn check_settled(&self, chain: &Chain) {
        assert_eq!(self.ended, self.submitted, "each turn ends exactly once");
        let texts: Vec<&str> = chain.transcript().items().iter().map(Item::text).collect();
        for (text, kind) in &self.told {
            // Thoughts that led nowhere are forgotten; everything else is kept.
            assert!(*kind == ItemKind::Reasoning || texts.contains(&text.as_str()), "told and lost: {text}");
        }
        for steer in &self.steered {
            assert_eq!(texts.iter().filter(|text| *text == steer).count(), 1, "a steer is lost or doubled: {steer}");
        }
    }
}
