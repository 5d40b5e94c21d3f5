//! A checkpoint: how long the log is and the root of its tree, signed; as text in the open formats of transparency logs
//! (C2SP `tlog-checkpoint` and `signed-note`), so that other programs verify it too.
//!
//! ```text
//! capstan/audit/0123456789abcdef          who signs: the key's name
//! 4711                                    how many records
//! bMwSLXPEmVFxAgNxQLFzDbKpJO/xXfEX…       the root of their tree (RFC 6962)
//! bytes 1534093                           where the log ended
//! chain 9f86d081884c7d65…                 the hash of its last line
//! time 1764115200000                      when, in milliseconds
//! peaks o0FvDPT0…                         the roots of the full trees below the root
//!
//! — capstan/audit/0123456789abcdef Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```

mod key;

use std::fmt::Write as _;

use data_encoding::BASE64;
use policy::act::Hash;

use super::merkle::{Frontier, MAX_PEAKS};
use crate::log::Start;

pub use key::{Key, KeyError, PublicKey};

/// The longest checkpoint that is read.
pub const MAX_NOTE: usize = 4096;

const BREAK: &str = "\n\n";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The tree of all records.
    pub tree: Frontier,
    /// Where the log ended, in bytes.
    pub bytes: u64,
    /// The hash of the last line; zeros if there is none.
    pub chain: Hash,
    /// When, in milliseconds since 1970.
    pub time: u64,
}

/// Why a text is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has another form.
    #[error("this is no checkpoint")]
    Form,
    /// It is somebody else's, or of another log.
    #[error("it is not signed by the key that was given")]
    Key,
    /// It has another text than was signed.
    #[error("its signature does not fit it: it was changed")]
    Signature,
}

impl Checkpoint {
    /// The empty log.
    pub const EMPTY: Self = Self { tree: Frontier::EMPTY, bytes: Start::FIRST.at, chain: Start::FIRST.before, time: 0 };

    /// How many records it covers.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Where the first record begins that it does not cover.
    pub fn next(&self) -> Start {
        Start { at: self.bytes, seq: self.size(), before: self.chain }
    }

    /// The text with a signature.
    pub fn signed(&self, key: &Key) -> String {
        let text = self.text(key.public().name());
        let signature = BASE64.encode(&key.sign(text.as_bytes()));
        format!("{text}\n— {} {signature}\n", key.public().name())
    }

    fn text(&self, origin: &str) -> String {
        let Self { tree, bytes, chain, time } = self;
        let mut text = format!("{origin}\n{}\n{}\n", tree.size(), BASE64.encode(&tree.root().0));
        // Writing to a String cannot fail.
        let _ = write!(text, "bytes {bytes}\nchain {chain}\ntime {time}\n");
        if !tree.peaks().is_empty() {
            let peaks: Vec<u8> = tree.peaks().iter().flat_map(|peak| peak.0).collect();
            let _ = writeln!(text, "peaks {}", BASE64.encode(&peaks));
        }
        text
    }

    /// Reads a text that this key has signed. Signatures of others beside it are passed over, as are lines that a newer
    /// version adds to the text.
    pub fn read(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let (text, signatures) = note.split_once(BREAK).ok_or(NoteError::Form)?;
        let (origin, rest) = text.split_once('\n').ok_or(NoteError::Form)?;
        let lines = signatures.strip_suffix('\n').filter(|_| note.len() <= MAX_NOTE).ok_or(NoteError::Form)?;
        let mut ours = None;
        for line in lines.split('\n') {
            let (name, signature) =
                line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or(NoteError::Form)?;
            let signature = BASE64.decode(signature.as_bytes()).map_err(|_| NoteError::Form)?;
            let (id, signature) = signature.split_at_checked(4).ok_or(NoteError::Form)?;
            if name == key.name() && id == key.id() {
                ours = Some(signature.to_vec());
            }
        }
        let Some(signature) = ours.filter(|_| origin == key.name()) else {
            // Half of a checkpoint is nobody's: what a crash left is not taken for the work of another key.
            let whole = Self::parse(rest).is_some() && !origin.contains(char::is_control);
            return Err(if whole { NoteError::Key } else { NoteError::Form });
        };
        let signed = note.get(..=text.len()).unwrap_or_default();
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(NoteError::Signature);
        }
        Self::parse(rest).ok_or(NoteError::Form)
    }

    /// Reads what stands below the origin.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let size = number(lines.next()?)?;
        let root = hash(&BASE64.decode(lines.next()?.as_bytes()).ok()?)?;
        let bytes = number(lines.next()?.strip_prefix("bytes ")?)?;
        let chain = lines.next()?.strip_prefix("chain ")?;
        let chain = hash(&data_encoding::HEXLOWER.decode(chain.as_bytes()).ok()?)?;
        let time = number(lines.next()?.strip_prefix("time ")?)?;
        let peaks = match size {
            0 => Vec::new(),
            _ => BASE64.decode(lines.next()?.strip_prefix("peaks ")?.as_bytes()).ok()?,
        };
        let whole = peaks.len() % 32 == 0 && peaks.len() / 32 <= MAX_PEAKS;
        let tree = Frontier::of(size, peaks.chunks_exact(32).filter_map(hash).collect())?;
        (whole && tree.root() == root).then_some(Self { tree, bytes, chain, time })
    }
}

fn hash(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok().map(Hash)
}

/// A number in the only way it is written.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
