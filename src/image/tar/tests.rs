use std::{collections::BTreeSet, fs::Permissions, os::unix::fs::symlink};

use camino::Utf8Path;
use proptest::prelude::*;

use super::*;
use crate::image::{Digest, plan::Item};

const A: &str = "a101ry64prhq70jyl77q503pidv67jw7-a";
const B: &str = "zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-b";

fn item(base_name: &str) -> Item {
    Item { base_name: base_name.to_owned(), nar_hash: [0; 32], nar_size: 0 }
}

fn layer(root: Option<&str>, paths: &[&str]) -> Layer {
    let root =
        root.map(|name| Root { base_name: name.to_owned(), nar_hash: [0; 32], nar_size: 0, modes: BTreeMap::new() });
    Layer { name: "app".to_owned(), changes: String::new(), root, paths: paths.iter().copied().map(item).collect() }
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::default().lying_at(Utf8Path::from_path(folder.path()).unwrap());
    (folder, store)
}

fn bytes(layer: &Layer, store: &Store) -> Vec<u8> {
    write_layer(layer, store, Vec::new()).unwrap().0
}

/// Lists a tar with an independent reader: kind, mode, owner, time, path, target or content.
fn listing(tar: &[u8]) -> Vec<String> {
    let mut archive = ::tar::Archive::new(tar);
    let line = |entry: io::Result<::tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let ids = (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        let kind = header.entry_type();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
        let content = String::from_utf8_lossy(&content).into_owned();
        let mode = header.mode().unwrap();
        format!("{kind:?} {mode:o} {ids:?} {path} {}", target.unwrap_or(content)).trim_end().to_owned()
    };
    archive.entries().unwrap().map(line).collect()
}

fn sample(store: &Store) {
    let (a, b) = (store.on_disk(A), store.on_disk(B));
    fs::create_dir_all(a.join("bin")).unwrap();
    fs::create_dir_all(a.join("lib/empty")).unwrap();
    fs::write(a.join("bin/run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(a.join("bin/run"), Permissions::from_mode(0o755)).unwrap();
    fs::write(a.join("lib/x"), "").unwrap();
    fs::write(a.join("lib-y"), "y".repeat(512)).unwrap();
    symlink("../bin/run", a.join("lib/link")).unwrap();
    fs::create_dir_all(b.join("tmp")).unwrap();
    fs::create_dir_all(b.join("etc")).unwrap();
    fs::write(b.join("etc/passwd"), "root:x:0:0::/:\n").unwrap();
}

#[test]
fn entries_are_sorted_and_parents_come_first() {
    let (_folder, store) = store();
    sample(&store);
    let mut layer = layer(Some(B), &[A]);
    layer.root.as_mut().unwrap().modes.insert("tmp".to_owned(), Mode { mode: 0o1777, uid: 0, gid: 5 });
    let y = "y".repeat(512);
    assert_eq!(
        listing(&bytes(&layer, &store)),
        [
            "Directory 555 (0, 0, 1) etc/",
            "Regular 444 (0, 0, 1) etc/passwd root:x:0:0::/:",
            "Directory 755 (0, 0, 1) nix/",
            "Directory 755 (0, 0, 1) nix/store/",
            &format!("Directory 555 (0, 0, 1) nix/store/{A}/"),
            &format!("Directory 555 (0, 0, 1) nix/store/{A}/bin/"),
            &format!("Regular 555 (0, 0, 1) nix/store/{A}/bin/run #!/bin/sh"),
            &format!("Directory 555 (0, 0, 1) nix/store/{A}/lib/"),
            &format!("Directory 555 (0, 0, 1) nix/store/{A}/lib/empty/"),
            &format!("Symlink 777 (0, 0, 1) nix/store/{A}/lib/link ../bin/run"),
            &format!("Regular 444 (0, 0, 1) nix/store/{A}/lib/x"),
            &format!("Regular 444 (0, 0, 1) nix/store/{A}/lib-y {y}"),
            "Directory 1777 (0, 5, 1) tmp/",
        ]
    );
}

#[test]
fn the_bytes_are_fixed() {
    let (_folder, store) = store();
    sample(&store);
    // If this digest changes, raise `FORMAT`: every layer of every image is sent again.
    let digest = Digest::of(&bytes(&layer(Some(B), &[A]), &store));
    assert_eq!(digest.to_string(), "sha256:c79208c6e1323a60f4e64b8262dcee7f7c1bf9ac87a5a3afef431b227bbdeac0");
}

#[test]
fn times_modes_and_hard_links_of_the_disk_do_not_count() {
    let (_folder, store) = store();
    sample(&store);
    let layer = layer(None, &[A]);
    let before = bytes(&layer, &store);
    let a = store.on_disk(A);
    fs::set_permissions(a.join("lib/x"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(a.join("lib"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(a.join("bin/run"), Permissions::from_mode(0o711)).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(2500);
    fs::File::open(a.join("bin/run")).unwrap().file().set_modified(old).unwrap();
    fs::remove_file(a.join("lib-y")).unwrap();
    fs::write(store.on_disk("y"), "y".repeat(512)).unwrap();
    fs::hard_link(store.on_disk("y"), a.join("lib-y")).unwrap();
    assert!(bytes(&layer, &store) == before);
    fs::set_permissions(a.join("bin/run"), Permissions::from_mode(0o644)).unwrap();
    assert!(bytes(&layer, &store) != before);
}

#[test]
fn long_names_and_names_in_other_encodings_are_kept() {
    let (_folder, store) = store();
    let deep = store.on_disk(A).join("d".repeat(90)).join("e".repeat(90)).join("f".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    symlink("t".repeat(300), deep.join("link")).unwrap();
    let odd = deep.as_std_path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    fs::write(odd, "content").unwrap();
    let tar = bytes(&layer(None, &[A]), &store);
    let mut archive = ::tar::Archive::new(&tar[..]);
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.path_bytes().into_owned(), entry.link_name_bytes().map(std::borrow::Cow::into_owned))
    });
    let entries: Vec<_> = entries.collect();
    let at = |name: &[u8]| {
        [format!("nix/store/{A}{}/", &deep.as_str()[store.on_disk(A).as_str().len()..]).as_bytes(), name].concat()
    };
    assert!(entries.contains(&(at(b"link"), Some("t".repeat(300).into_bytes()))));
    assert!(entries.contains(&(at(b"\xff\xfe"), None)));
    assert!(entries.contains(&(at(b""), None)));
}

#[test]
fn nothing_is_written_for_an_empty_layer() {
    let (_folder, store) = store();
    fs::create_dir(store.on_disk(B)).unwrap();
    for empty in [layer(None, &[]), layer(Some(B), &[])] {
        let (tar, entries) = write_layer(&empty, &store, Vec::new()).unwrap();
        assert_eq!((tar.len(), entries), (0, 0));
    }
}

/// A store that does not lie in `/nix` may share a folder with the root of the image.
#[test]
fn folders_of_the_root_and_of_the_way_to_the_store_are_one() {
    let (_folder, store) = store();
    sample(&store);
    fs::create_dir_all(store.on_disk(B).join("nix/a")).unwrap();
    let mut both = layer(Some(B), &[A]);
    both.root.as_mut().unwrap().modes.insert("nix".to_owned(), Mode { mode: 0o1777, uid: 0, gid: 0 });
    let list = listing(&bytes(&both, &store));
    let folders: Vec<&String> =
        list.iter().filter(|line| line.ends_with(" nix/") || line.ends_with(" nix/a/")).collect();
    assert_eq!(folders.len(), 2, "{list:#?}");
    assert!(folders[0].contains("1777"), "{list:#?}");
}

#[test]
fn what_cannot_be_in_an_image_is_named() {
    let (_folder, store) = store();
    sample(&store);
    let error = |layer: &Layer| write_layer(layer, &store, Vec::new()).unwrap_err().to_string();
    let mut other = layer(Some(B), &[A]);
    other.root.as_mut().unwrap().modes.insert("var".to_owned(), Mode { mode: 0o777, uid: 0, gid: 0 });
    assert!(error(&other).starts_with("the plan sets the mode of `var`, which the root"));
    fs::create_dir_all(store.on_disk(B).join("nix/store")).unwrap();
    assert!(error(&layer(Some(B), &[A])).contains("has `store`, where the store of the image is"));
    assert!(
        error(&layer(None, &["zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-none"]))
            .contains("zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-none")
    );
    fs::write(store.on_disk("file"), "").unwrap();
    assert!(error(&layer(Some("file"), &[])).ends_with("is no folder"));
    let pipe = store.on_disk(A).join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(error(&layer(None, &[A])).contains("is no file, folder or symbolic link"));
}

/// A random tree: paths with their contents. A path below a file is dropped.
fn trees() -> impl Strategy<Value = Vec<(String, u16)>> {
    proptest::collection::vec(("[a-c.-]{1,2}(/[a-z é-]{1,40}){0,5}", any::<u16>()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_back(tree in trees()) {
        let (_folder, store) = store();
        let root = store.on_disk(A);
        fs::create_dir(&root).unwrap();
        let mut expected = BTreeSet::new();
        for (path, size) in tree {
            if path.split('/').any(|part| matches!(part, "." | "..")) {
                continue;
            }
            let file = root.join(&path);
            let content = "x".repeat(usize::from(size) % 2000);
            if fs::create_dir_all(file.parent().unwrap()).is_ok() && !file.exists() && fs::write(&file, &content).is_ok() {
                expected.insert((format!("nix/store/{A}/{path}"), content));
            }
        }
        let tar = bytes(&layer(None, &[A]), &store);
        prop_assert!(tar.len().is_multiple_of(BLOCK));
        let mut archive = ::tar::Archive::new(&tar[..]);
        let (mut found, mut folders) = (BTreeSet::new(), BTreeSet::new());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let plain = path.trim_end_matches('/');
            prop_assert!(plain == "nix" || folders.contains(plain.rsplit_once('/').unwrap().0), "{} before its parent", path);
            if entry.header().entry_type().is_dir() {
                folders.insert(plain.to_owned());
            } else {
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                found.insert((path, content));
            }
        }
        prop_assert_eq!(found, expected);
    }
}
