//! Trees and proofs, against the definition and the vectors that others have.

use std::ops::Range;

use data_encoding::HEXLOWER;
use journal::audit::merkle::{Frontier, Gather, consistency, inclusion, leaf, verify_consistency, verify_inclusion};
use journal::log::Hash;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// The leaves that implementations of Certificate Transparency are tested with.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The roots of the first one, two, … of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hash(hex: &str) -> Hash {
    Hash(HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap())
}

fn known() -> Vec<Hash> {
    LEAVES.iter().map(|hex| leaf(&HEXLOWER.decode(hex.as_bytes()).unwrap())).collect()
}

fn numbered(count: u64) -> Vec<Hash> {
    (0..count).map(|number| leaf(&number.to_be_bytes())).collect()
}

/// The definition, word for word.
fn definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [one] => *one,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(middle);
            let parts = Sha256::new().chain_update([1]).chain_update(definition(left).0);
            Hash(parts.chain_update(definition(right).0).finalize().into())
        }
    }
}

fn tree(leaves: &[Hash]) -> Frontier {
    let mut tree = Frontier::EMPTY;
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree
}

fn proof(wanted: Option<Vec<Range<u64>>>, leaves: &[Hash]) -> Vec<Hash> {
    let mut gather = Gather::new(wanted.unwrap());
    for leaf in leaves {
        gather.push(*leaf);
    }
    gather.proof().unwrap()
}

#[test]
fn roots_and_proofs_are_the_known_ones() {
    let leaves = known();
    assert_eq!(Frontier::EMPTY.root(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    for (count, root) in (1..).zip(ROOTS) {
        assert_eq!(tree(&leaves[..count]).root(), hash(root), "{count}");
    }
    let paths = [
        (
            0,
            8,
            vec![
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            vec![
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                ROOTS[3],
            ],
        ),
        (2, 3, vec![ROOTS[1]]),
        (0, 1, vec![]),
    ];
    for (index, size, path) in paths {
        let path: Vec<Hash> = path.into_iter().map(hash).collect();
        assert_eq!(proof(inclusion(index, size), &leaves), path, "{index} in {size}");
    }
    let proofs = [
        (
            6,
            8,
            vec![
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                ROOTS[3],
            ],
        ),
        (
            2,
            5,
            vec![
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
        (8, 8, vec![]),
    ];
    for (old, new, path) in proofs {
        let path: Vec<Hash> = path.into_iter().map(hash).collect();
        assert_eq!(proof(consistency(old, new), &leaves), path, "{old} to {new}");
    }
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_there_and_nowhere_else() {
    let leaves = numbered(64);
    for size in 1..=64 {
        let root = tree(&leaves[..size]).root();
        assert_eq!(root, definition(&leaves[..size]));
        let size = size as u64;
        for index in 0..size {
            let leaf = leaves[usize::try_from(index).unwrap()];
            let path = proof(inclusion(index, size), &leaves);
            assert!(verify_inclusion((index, leaf), (size, root), &path), "{index} in {size}");
            for other in (0..=size).filter(|other| *other != index) {
                assert!(!verify_inclusion((other, leaf), (size, root), &path), "{index} as {other} in {size}");
            }
            for at in 0..path.len() {
                let mut changed = path.clone();
                changed[at].0[at % 32] ^= 1;
                assert!(!verify_inclusion((index, leaf), (size, root), &changed));
            }
            let longer = [&path[..], &[leaf]].concat();
            assert!(!verify_inclusion((index, leaf), (size, root), &longer));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!verify_inclusion((index, leaf), (size, root), shorter));
            }
        }
        assert_eq!(inclusion(size, size), None);
    }
}

#[test]
fn every_small_tree_is_proved_the_beginning_of_every_larger_one_and_of_no_other() {
    let leaves = numbered(64);
    let roots: Vec<Hash> = (0..=64).map(|size| tree(&leaves[..size]).root()).collect();
    let root = |size: u64| (size, roots[usize::try_from(size).unwrap()]);
    for new in 1..=64 {
        for old in 1..=new {
            let path = proof(consistency(old, new), &leaves);
            assert!(verify_consistency(root(old), root(new), &path), "{old} to {new}");
            let wrong = (old, leaf(b"wrong"));
            assert!(!verify_consistency(wrong, root(new), &path), "{old} to {new}");
            assert!(!verify_consistency(root(old), (new, leaf(b"wrong")), &path), "{old} to {new}");
            for at in 0..path.len() {
                let mut changed = path.clone();
                changed[at].0[31 - at % 32] ^= 0x80;
                assert!(!verify_consistency(root(old), root(new), &changed), "{old} to {new}");
            }
            let longer = [&path[..], &[wrong.1]].concat();
            assert!(!verify_consistency(root(old), root(new), &longer));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!verify_consistency(root(old), root(new), shorter));
            }
        }
        assert!(verify_consistency(root(0), root(new), &[]) && !verify_consistency(root(new), root(new - 1), &[]));
        assert_eq!((consistency(0, new), consistency(new + 1, new)), (None, None));
    }
}

#[test]
fn every_byte_of_a_proof_counts() {
    let leaves = known();
    let (old, new) = ((6, hash(ROOTS[5])), (8, hash(ROOTS[7])));
    let (within, between) = (proof(inclusion(5, 8), &leaves), proof(consistency(6, 8), &leaves));
    for (at, byte) in (0..3).flat_map(|at| (0..32).map(move |byte| (at, byte))) {
        let (mut path, mut steps) = (within.clone(), between.clone());
        path[at].0[byte] ^= 1;
        steps[at].0[byte] ^= 1;
        assert!(!verify_inclusion((5, leaves[5]), new, &path));
        assert!(!verify_consistency(old, new, &steps));
    }
}

proptest! {
    #[test]
    fn the_frontier_is_the_definition_at_every_size(size in 0_u64..700) {
        let leaves = numbered(size);
        let grown = tree(&leaves);
        prop_assert_eq!(grown.root(), definition(&leaves));
        let peaks: Vec<Hash> = grown.ranges().map(|range| {
            definition(&leaves[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()])
        }).collect();
        prop_assert_eq!(grown.peaks(), &peaks[..]);
        prop_assert_eq!(Frontier::of(size, peaks), Some(grown));
    }
}
