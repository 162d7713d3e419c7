//! Tests of whole archives, against an independent writer and against hashes of the real Nix.

use std::io::Read as _;

use camino::Utf8Path;
use proptest::{collection::btree_map, prelude::*};

use super::{write::write_chunks, *};

/// Names whose order differs between bytes, text, paths and locales, and names that look alike.
fn names() -> impl Strategy<Value = Name> {
    let text = prop_oneof![
        "[a-c]{1,2}",
        "[a-cA-C._ @-]{1,4}",
        "[aä日\u{fffd}\u{10000}~]{1,3}",
        Just("a\nb".to_owned()),
        Just("-".to_owned()),
        Just("node".to_owned()),
        Just("(".to_owned()),
    ];
    text.prop_filter_map("no name", |text| Name::new(text).ok())
}

/// Contents with lengths around the padding to 8 bytes, and sometimes longer than a small chunk.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => prop::collection::vec(any::<u8>(), 0..=17), 1 => prop::collection::vec(any::<u8>(), 90..200)]
}

fn trees() -> impl Strategy<Value = Tree> {
    let file = (contents(), any::<bool>())
        .prop_map(|(bytes, executable)| Tree::File(File { source: Source::Memory(bytes), executable }));
    let link = "[a-z./é ]{1,20}".prop_map(Tree::symlink);
    prop_oneof![4 => file, 1 => link].prop_recursive(4, 40, 8, |tree| {
        btree_map(names(), tree, 0..8).prop_map(|entries| Tree::Folder(entries.into_iter().collect()))
    })
}

fn archive(tree: &Tree) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(tree, &mut bytes).unwrap();
    bytes
}

fn oracle(path: &Utf8Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    nix_nar::Encoder::new(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn archives_are_those_of_an_independent_writer(tree in trees()) {
        let scratch = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(scratch.path()).unwrap().join("tree");
        lay_out(&tree, &path).unwrap();
        let expected = oracle(&path);
        let on_disk = tree_of_folder(&path).unwrap();
        prop_assert_eq!(&archive(&tree), &expected);
        prop_assert_eq!(&archive(&on_disk), &expected);
        let hashed = hash(&on_disk).unwrap();
        prop_assert_eq!(hashed.size, expected.len() as u64);
        prop_assert_eq!(hashed.digest, NarDigest::from(<[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(expected))));
    }

    #[test]
    fn where_chunks_end_changes_nothing(tree in trees(), size in 1_usize..100) {
        let mut pieces = Vec::new();
        write_chunks(&tree, vec![0xff; size], |chunk, filled| {
            pieces.extend_from_slice(&chunk[..filled]);
            Ok(chunk)
        }).unwrap();
        prop_assert_eq!(pieces, archive(&tree));
    }

    #[test]
    fn the_order_of_insertion_changes_nothing(entries in btree_map("[a-c.-]{1,3}", contents(), 0..9), seed: u64) {
        let entries: Vec<_> = entries.into_iter().filter(|(name, _)| Name::new(name.as_str()).is_ok()).collect();
        let mut turned = entries.clone();
        turned.rotate_left(usize::try_from(seed).unwrap_or(7) % entries.len().max(1));
        let tree = |entries: Vec<(String, Vec<u8>)>| {
            let mut folder = Folder::new();
            for (name, bytes) in entries {
                folder.insert(format!("x/{name}"), Tree::bytes(bytes)).unwrap();
            }
            Tree::from(folder)
        };
        prop_assert_eq!(archive(&tree(entries)), archive(&tree(turned)));
    }
}

fn executable(bytes: &str) -> Tree {
    Tree::File(File { source: Source::Memory(bytes.into()), executable: true })
}

#[test]
fn hashes_are_those_of_nix() {
    // Made with `nix hash path` of Nix 2.34.8 over the same trees on disk; the sizes with `nix nar pack`.
    for (tree, expected) in [
        (Folder::new().into(), "sha256-pQpattmS9VmO3ZIQUFn66az8GSmB4IvYhTTCFn6SUmo="),
        (Tree::bytes(""), "sha256-d6xi4mKdjkX2JFicDIv5niSzpyI0m/Hnm8GGAIU04kY="),
        (Tree::bytes("x"), "sha256-LKC4zplvhl2zdhm/6RAjVZMFqtgVgEL8bdsO8dQ8W2c="),
        (executable("#!/bin/sh\n"), "sha256-YoPBZoJg+QPRqJXAzWuCL6S2h2K7CxfO3vLTnZfiZVQ="),
    ] {
        assert_eq!(hash(&tree).unwrap().to_string(), expected);
    }
    let hashed = hash(&Tree::from(sample())).unwrap();
    assert_eq!(hashed.to_string(), "sha256-zN43XJmNhOBg7oznlZyPlMWK74PklWBq7/m5DTxtL04=");
    assert_eq!(hashed.size, 2952);
}

/// One of everything: lengths around the padding, an executable file, a link, an empty folder, and names whose order
/// differs between bytes, text and paths.
fn sample() -> Folder {
    let mut folder = Folder::new();
    let mut put = |path: &str, tree: Tree| folder.insert(path, tree).unwrap();
    put("empty", Tree::bytes(""));
    put("one", Tree::bytes("x"));
    put("eight", Tree::bytes("12345678"));
    put("run", executable("#!/bin/sh\n"));
    put("sub/up", Tree::symlink("../one"));
    put("sub/hollow", Folder::new().into());
    put("name with space", Tree::bytes("a"));
    put("ünïcode", Tree::bytes("b"));
    put(".dot", Tree::bytes("c"));
    put("A", Tree::bytes("d"));
    put("a", Tree::bytes("e"));
    put("a.b", Tree::bytes("f"));
    put("a-b", Tree::bytes("g"));
    put("ab", Folder::new().into());
    folder
}

#[test]
fn a_tree_of_more_chunks_than_are_in_flight_hashes_as_nix_hashes_it() {
    // head -c 9000001 /dev/zero > zeros; nix hash path zeros
    let hashed = hash(&Tree::bytes(vec![0; 9_000_001])).unwrap();
    assert_eq!(hashed.to_string(), "sha256-DtCBxJfc+NAb4AX6SG/dNCoO4NpcW3aD1PRoza1QBBo=");
}
