//! Small proofs that stand alone: that a record is in the log, or that an older state of it is the beginning of a newer
//! one. Each is one JSON object, verified with nothing but the public key.

use std::ops::Range;
use std::path::Path;

use data_encoding::BASE64;
use policy::act::Hash;
use responses::json::{Object, ObjectWriter, WireError};

use super::AuditError;
use super::checkpoint::{Checkpoint, NoteError, PublicKey};
use super::merkle::{self, Gather};
use super::source::{Marks, Source};
use crate::disk::Disk;
use crate::log::{Found, Reader};

/// The version of proofs.
const VERSION: u64 = 1;

/// Why something is not proved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The checkpoint does not cover it.
    #[error("there is no checkpoint that covers record {record}: the latest covers {covered} records")]
    NotCovered {
        /// The record.
        record: u64,
        /// How many records are covered.
        covered: u64,
    },
    /// There is nothing before the older checkpoint, or it is not the older one.
    #[error("the checkpoint that was given covers {old} records, and the latest {new}: give an older one, not empty")]
    NotOlder {
        /// How many the one that was given covers.
        old: u64,
        /// How many the latest covers.
        new: u64,
    },
    /// The log is not what was signed.
    #[error("the log is not as it was signed, so nothing is proved: see `capstan audit verify`")]
    NotAsSigned,
    /// The text is something else.
    #[error("this is no proof: {0}")]
    Form(WireError),
    /// It is of a newer version, or of another kind.
    #[error("this proof is of a kind that this version does not know")]
    Kind,
    /// A checkpoint in it is not signed by the key.
    #[error("the checkpoint in the proof: {0}")]
    Checkpoint(#[from] NoteError),
    /// It proves nothing.
    #[error("this proof is wrong: what it says does not follow from what was signed")]
    Wrong,
}

/// What a proof has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proven {
    /// A record is in the log.
    Record {
        /// Its number.
        number: u64,
        /// What it says.
        body: String,
        /// How many records the checkpoint covers.
        size: u64,
        /// When that was signed, in milliseconds since 1970.
        time: u64,
    },
    /// The log was only added to.
    Beginning {
        /// How many records the older checkpoint covers.
        old: u64,
        /// How many the newer one covers.
        new: u64,
    },
}

/// Proves that a record is in the log of an audit folder.
pub fn record(on: &dyn Disk, folder: &Path, number: u64) -> Result<String, AuditError> {
    let (reader, mut marks) = Source::folder(on, folder, None)?.open(on)?;
    let (latest, note) = latest(&mut marks)?;
    let not_covered = ProofError::NotCovered { record: number, covered: latest.size() };
    let wanted = merkle::inclusion(number, latest.size()).ok_or(not_covered)?;
    let (path, body) = gather(reader, &latest, wanted, Some(number))?;
    let mut text = String::new();
    let mut to = ObjectWriter::begin(&mut text);
    to.field("capstan_audit_proof", &VERSION).field("record", &number).field("body", &body);
    to.field("path", &encoded(&path)).field("checkpoint", &note);
    to.end();
    Ok(text + "\n")
}

/// Proves that what an older checkpoint covers is the beginning of the log of an audit folder.
pub fn since(on: &dyn Disk, folder: &Path, older: &str) -> Result<String, AuditError> {
    let older = older.trim_end_matches('\0');
    let source = Source::folder(on, folder, None)?;
    let old = Checkpoint::read(older, &source.own_key).map_err(AuditError::Since)?;
    let (reader, mut marks) = source.open(on)?;
    let (latest, note) = latest(&mut marks)?;
    let (old_size, new) = (old.size(), latest.size());
    let wanted = merkle::consistency(old_size, new).ok_or(ProofError::NotOlder { old: old_size, new })?;
    let (path, _) = gather(reader, &latest, wanted, None)?;
    let roots = (old_size, old.tree.root());
    if !merkle::verify_consistency(roots, (new, latest.tree.root()), &path) {
        return Err(ProofError::NotAsSigned.into());
    }
    let mut text = String::new();
    let mut to = ObjectWriter::begin(&mut text);
    to.field("capstan_audit_proof", &VERSION).field("older", older);
    to.field("path", &encoded(&path)).field("checkpoint", &note);
    to.end();
    Ok(text + "\n")
}

/// The checkpoint that covers most, and its text.
fn latest(marks: &mut Marks) -> Result<(Checkpoint, String), AuditError> {
    let mut latest: Option<(Checkpoint, String)> = None;
    while let Some(mark) = marks.next()? {
        let read = mark.read.ok();
        latest = read.filter(|(one, _)| latest.as_ref().is_none_or(|(best, _)| best.size() <= one.size())).or(latest);
    }
    Ok(latest.ok_or(ProofError::NotCovered { record: 0, covered: 0 })?)
}

/// Reads the log up to a checkpoint; the hashes that are wanted, and what one record says.
fn gather(
    mut reader: Reader,
    signed: &Checkpoint,
    wanted: Vec<Range<u64>>,
    record: Option<u64>,
) -> Result<(Vec<Hash>, String), AuditError> {
    let mut gather = Gather::new(wanted);
    let (mut tree, mut body) = (merkle::Frontier::EMPTY, String::new());
    while tree.size() < signed.size() {
        match reader.next()? {
            Some(Found::Line(line)) => {
                let leaf = merkle::leaf(line.body.as_bytes());
                gather.push(leaf);
                tree.push(leaf);
                if record == Some(line.seq) {
                    line.body.clone_into(&mut body);
                }
            }
            Some(Found::Damage(_)) | None => break,
        }
    }
    let proof = gather.proof().filter(|_| tree == signed.tree).ok_or(ProofError::NotAsSigned)?;
    Ok((proof, body))
}

/// Verifies a proof.
pub fn verify(text: &str, key: &PublicKey) -> Result<Proven, ProofError> {
    let from = Object::parse(text).map_err(ProofError::Form)?;
    if from.read::<u64>("capstan_audit_proof").map_err(ProofError::Form)? != VERSION {
        return Err(ProofError::Kind);
    }
    let path: Vec<Box<str>> = from.read("path").map_err(ProofError::Form)?;
    let path = path.iter().map(|hash| decoded(hash)).collect::<Option<Vec<_>>>().ok_or(ProofError::Wrong)?;
    let note: Box<str> = from.read("checkpoint").map_err(ProofError::Form)?;
    let latest = Checkpoint::read(&note, key)?;
    let new = (latest.size(), latest.tree.root());
    if let Some(older) = from.read::<Option<Box<str>>>("older").map_err(ProofError::Form)? {
        let older = Checkpoint::read(&older, key)?;
        let old = (older.size(), older.tree.root());
        let follows = merkle::verify_consistency(old, new, &path);
        return if follows { Ok(Proven::Beginning { old: old.0, new: new.0 }) } else { Err(ProofError::Wrong) };
    }
    let number: u64 = from.read("record").map_err(ProofError::Form)?;
    let body: Box<str> = from.read("body").map_err(ProofError::Form)?;
    if !merkle::verify_inclusion((number, merkle::leaf(body.as_bytes())), new, &path) {
        return Err(ProofError::Wrong);
    }
    Ok(Proven::Record { number, body: body.into(), size: latest.size(), time: latest.time })
}

fn encoded(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| BASE64.encode(&hash.0)).collect()
}

fn decoded(hash: &str) -> Option<Hash> {
    BASE64.decode(hash.as_bytes()).ok()?.try_into().ok().map(Hash)
}
