//! Tests that NAR hashes of folders, files and links are those of `nix hash path`.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;
use fs_err as fs;
use splitter::nix::nar::{hash, tree_of_folder};

use crate::support::{TestContext, succeed};

/// Writes a tree of edge cases: sizes near the padding and the buffer sizes, executable bits, links, odd names.
fn write_odd_tree(root: &Utf8Path) {
    let put = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    for size in (0..=17).chain([63, 64, 65, 4095, 4096, 4097, 65_536, 1_048_575, 1_048_577, 3_000_001]) {
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from((at * 7 + size) % 251).unwrap()).collect();
        put(&format!("sizes/{size}"), &bytes);
    }
    for name in
        ["a b", "ü", "日本", "-dash", ".dot", "a.b", "a-b", "a", "A", "~", "a\nb", "(", "node", "\u{10000}", "x'\"y"]
    {
        put(&format!("names/{name}"), name.as_bytes());
    }
    put(&format!("names/{}", "long".repeat(60)), b"long");
    for (name, mode) in [("x", 0o755), ("owner", 0o700), ("group", 0o654), ("other", 0o645), ("plain", 0o600)] {
        put(&format!("modes/{name}"), b"#!/bin/sh\n");
        fs::set_permissions(root.join("modes").join(name), Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir_all(root.join("empty/inner")).unwrap();
    fs::create_dir_all(root.join("links")).unwrap();
    for (name, target) in
        [("file", "../names/a"), ("broken", "nowhere"), ("folder", "../sizes"), ("far", "/etc/passwd")]
    {
        std::os::unix::fs::symlink(target, root.join("links").join(name)).unwrap();
    }
    put(&format!("{}/file", ["deep"; 40].join("/")), b"deep");
}

#[test]
fn hashes_of_folders_are_those_of_nix() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let root = context.folder("odd");
    write_odd_tree(&root);
    let folders = [
        root.clone(),
        root.join("sizes"),
        root.join("names"),
        root.join("modes"),
        root.join("links"),
        root.join("empty"),
    ];
    for path in folders {
        let ours = hash(&tree_of_folder(&path).unwrap()).unwrap().to_string();
        let theirs = succeed(&mut nix.command(&context, &["hash", "path", path.as_str()]));
        assert_eq!(ours, theirs, "{path}");
    }
}

#[test]
fn hashes_of_single_files_and_links_are_those_of_nix() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let root = context.folder("odd");
    write_odd_tree(&root);
    for path in ["sizes/0", "sizes/8", "modes/x", "modes/group", "links/broken"] {
        let path = root.join(path);
        let ours = hash(&tree_of_folder(&path).unwrap()).unwrap().to_string();
        let theirs = succeed(&mut nix.command(&context, &["hash", "path", path.as_str()]));
        assert_eq!(ours, theirs, "{path}");
    }
}
