//! A Merkle tree over a list that grows, as in RFC 6962: pure, and with no more memory than a few hashes.
//!
//! A root stands for all leaves. A path of hashes proves that a leaf is among them, another that an older list is the
//! beginning of a newer one. Both are gathered while the leaves go by once.

use std::ops::Range;

use policy::act::Hash;
use sha2::{Digest as _, Sha256};

/// The most peaks that a tree has.
pub const MAX_PEAKS: usize = 64;

/// The hash of a leaf.
pub fn leaf(body: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(body).finalize().into())
}

/// The hash of what is above two hashes.
fn node(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A tree that grows, of which only the peaks are kept: the roots of the full trees that it consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The largest first; one for each bit that is set in the size.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub const EMPTY: Self = Self { size: 0, peaks: Vec::new() };

    /// A tree of this many leaves with these peaks, if it has that many.
    pub fn of(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(peaks.len())).then_some(Self { size, peaks })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The leaves below each peak.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> {
        let size = self.size;
        let bits = (0..u64::BITS).rev().filter(move |bit| size >> bit & 1 == 1);
        bits.map(move |bit| {
            let start = (size >> bit & !1) << bit;
            start..start + (1 << bit)
        })
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// What stands for all leaves. Without any it is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Hash::of(&[]) };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// Which leaves stand below each hash of the path from a leaf to the root, the nearest first. `None` if there is no such
/// leaf.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    let mut beside = Vec::new();
    let mut tree = 0..size;
    if !tree.contains(&index) {
        return None;
    }
    while tree.end - tree.start > 1 {
        let middle = middle(&tree);
        if index < middle {
            beside.push(middle..tree.end);
            tree.end = middle;
        } else {
            beside.push(tree.start..middle);
            tree.start = middle;
        }
    }
    beside.reverse();
    Some(beside)
}

/// Which leaves stand below each hash that proves that a tree is the beginning of a larger one. `None` if it cannot be,
/// or is empty.
pub fn consistency(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old == 0 || old > new {
        return None;
    }
    let mut beside = Vec::new();
    let mut tree = 0..new;
    while tree.end != old {
        let middle = middle(&tree);
        if old <= middle {
            beside.push(middle..tree.end);
            tree.end = middle;
        } else {
            beside.push(tree.start..middle);
            tree.start = middle;
        }
    }
    // Where nothing was cut off its left, it is the old tree itself, whose root is known.
    beside.extend((tree.start > 0).then_some(tree));
    beside.reverse();
    Some(beside)
}

/// Where a tree of two leaves or more parts: its left side is the largest full tree that is not all of it.
fn middle(tree: &Range<u64>) -> u64 {
    let largest = tree.end - tree.start - 1;
    tree.start + (1 << largest.ilog2())
}

/// Makes the hashes of a proof while all leaves go by in their order.
#[derive(Debug)]
pub struct Gather {
    /// In the order of leaves, each with its place in the proof.
    wanted: Vec<(usize, Range<u64>)>,
    found: Vec<(usize, Hash)>,
    next: u64,
    within: Frontier,
}

impl Gather {
    /// Makes a proof of the roots of these trees.
    pub fn new(wanted: Vec<Range<u64>>) -> Self {
        let mut wanted: Vec<_> = wanted.into_iter().enumerate().collect();
        // The next one is taken from the end.
        wanted.sort_by_key(|(_, tree)| std::cmp::Reverse(tree.start));
        Self { wanted, found: Vec::new(), next: 0, within: Frontier::default() }
    }

    /// The next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let at = self.next;
        self.next += 1;
        let Some((place, tree)) = self.wanted.last().filter(|(_, tree)| tree.contains(&at)) else { return };
        self.within.push(leaf);
        if tree.end == self.next {
            self.found.push((*place, self.within.root()));
            self.within = Frontier::default();
            self.wanted.pop();
        }
    }

    /// The proof, if enough leaves went by.
    pub fn proof(mut self) -> Option<Vec<Hash>> {
        self.found.sort_by_key(|(place, _)| *place);
        self.wanted.is_empty().then(|| self.found.into_iter().map(|(_, hash)| hash).collect())
    }
}

/// Whether a leaf is at this place of the tree with this many leaves and this root.
pub fn verify_inclusion((index, leaf): (u64, Hash), (size, root): (u64, Hash), path: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let mut climb = Climb { at: index, last: size - 1 };
    let mut hash = leaf;
    for beside in path {
        hash = match climb.step() {
            Some(Side::Left) => node(beside, &hash),
            Some(Side::Right) => node(&hash, beside),
            None => return false,
        };
    }
    climb.last == 0 && hash == root
}

/// Whether a tree is the beginning of another. Everything begins with the empty one, without proof.
pub fn verify_consistency((old, old_root): (u64, Hash), (new, new_root): (u64, Hash), proof: &[Hash]) -> bool {
    if old == 0 || old == new {
        let same = if old == 0 { Hash::of(&[]) } else { new_root };
        return old_root == same && proof.is_empty();
    }
    if old > new {
        return false;
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let full = (old - 1).trailing_ones();
    let mut climb = Climb { at: (old - 1) >> full, last: (new - 1) >> full };
    let (mut in_old, mut in_new) = (first, first);
    for beside in rest {
        match climb.step() {
            Some(Side::Left) => {
                in_old = node(beside, &in_old);
                in_new = node(beside, &in_new);
            }
            Some(Side::Right) => in_new = node(&in_new, beside),
            None => return false,
        }
    }
    climb.last == 0 && in_old == old_root && in_new == new_root
}

/// The way up from a node: its place in its row, and the last place there.
struct Climb {
    at: u64,
    last: u64,
}

/// Where the other node stands.
enum Side {
    Left,
    Right,
}

impl Climb {
    /// One node up; rows in which it is alone are passed. `None` at the root.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.at & 1 == 1 {
            Side::Left
        } else if self.at == self.last {
            let alone = self.at.trailing_zeros();
            self.at >>= alone;
            self.last >>= alone;
            Side::Left
        } else {
            Side::Right
        };
        self.at >>= 1;
        self.last >>= 1;
        Some(side)
    }
}
