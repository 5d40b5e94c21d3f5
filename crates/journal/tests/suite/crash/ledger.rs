//! What was handed over, what was said about it, and what must be there for it.

use std::collections::BTreeMap;
use std::path::Path;

use journal::disk::Disk;
use journal::log::{Found, Hash, LogError, Place, Reader};

use crate::simulated::Random;

/// A line as it is read.
pub(super) type Read = (u64, Hash, String);

/// What was handed over by one writer after the other.
#[derive(Default)]
pub(super) struct Ledger {
    bodies: BTreeMap<usize, Vec<String>>,
    acknowledged: Vec<(Place, String)>,
}

impl Ledger {
    /// A body that no other is like, noted as handed over.
    pub(super) fn body(&mut self, writer: usize, length: usize) -> String {
        let bodies = self.bodies.entry(writer).or_default();
        let mut random = Random::new(bodies.len() as u64);
        let letters = (0..length).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap()));
        let body = format!("{writer}.{} {}", bodies.len(), letters.collect::<String>());
        bodies.push(body.clone());
        body
    }

    /// What was said about a line that was to be on the disk.
    pub(super) fn told(&mut self, body: String, said: &Result<Place, LogError>) {
        if let Ok(place) = said {
            self.acknowledged.push((*place, body));
        }
    }

    /// All that was acknowledged is there; what else is there was handed over, once, in this order, and is whole.
    pub(super) fn check(&self, lines: &[Read], context: &str) {
        for (place, body) in &self.acknowledged {
            let line = lines.get(usize::try_from(place.seq).unwrap());
            let expected = (place.seq, place.hash, body.clone());
            assert_eq!(line, Some(&expected), "{context}: acknowledged and not there");
        }
        let mut handed: BTreeMap<_, _> = self.bodies.iter().map(|(writer, all)| (*writer, all.iter())).collect();
        for (_, _, body) in lines {
            let writer = body.split('.').next().and_then(|number| number.parse().ok());
            let rest = writer.and_then(|writer: usize| handed.get_mut(&writer));
            let found = rest.is_some_and(|rest| rest.any(|handed| handed == body));
            assert!(found, "{context}: {body:?} is mangled, there twice, or out of order");
        }
    }
}

/// All lines of a log without damage.
pub(super) fn read(disk: &dyn Disk, path: &Path, context: &str) -> Vec<Read> {
    let mut reader = Reader::open(disk, path).unwrap();
    let mut lines = Vec::new();
    while let Some(found) = reader.next().unwrap() {
        let Found::Line(line) = found else { panic!("{context}: {found:?}") };
        assert_eq!(line.seq, lines.len() as u64, "{context}");
        lines.push((line.seq, line.hash, line.body.to_owned()));
    }
    lines
}
