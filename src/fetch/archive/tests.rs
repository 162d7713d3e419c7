//! Tests that another reader can read the archives, and that the tool inside a build writes the same bytes.

use std::process::{Command, Stdio};

use camino::Utf8Path;
use fs_err as fs;
use proptest::{collection::vec, prelude::*};

use super::*;

fn packed(members: &BTreeMap<String, Vec<u8>>, files: &Files) -> Vec<u8> {
    let mut archive = Vec::new();
    pack(members, files, &mut archive).unwrap();
    archive
}

/// Generates paths of all lengths from a few names. Many share folders, and no file is a folder of another.
fn path() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just(b"a".to_vec()),
        Just(b"a-b".to_vec()),
        Just("ü".as_bytes().to_vec()),
        Just(b"\xff ".to_vec()),
        (90_usize..130).prop_map(|length| vec![b'n'; length]),
    ];
    let file =
        prop_oneof![Just(".f".to_owned()), (80_usize..110).prop_map(|length| format!(".{}", "f".repeat(length)))];
    (vec(name, 0..4), file).prop_map(|(mut parts, file)| {
        parts.push(file.into_bytes());
        parts.join(&b'/')
    })
}

fn entry() -> impl Strategy<Value = ArchiveEntry> {
    prop_oneof![
        3 => (vec(any::<u8>(), 0..1100), any::<bool>()).prop_map(|(data, executable)| ArchiveEntry::File(data, executable)),
        1 => (1_usize..230).prop_map(|length| ArchiveEntry::Link(b"../x/".iter().copied().cycle().take(length).collect())),
        1 => Just(ArchiveEntry::Folder),
    ]
}

fn files() -> impl Strategy<Value = Files> {
    proptest::collection::btree_map(path(), entry(), 0..8)
}

proptest! {
    #[test]
    fn what_was_packed_anew_stays_as_it_is(files in files()) {
        let files: Files = files.into_iter().filter(|(path, _)| check_path(path).is_ok()).collect();
        prop_assume!(!files.is_empty());
        let archive = packed(&BTreeMap::new(), &files);
        prop_assert_eq!(repack(archive.as_slice()).unwrap(), archive);
    }

    #[test]
    fn another_reader_reads_what_is_written(files in files()) {
        let archive = packed(&BTreeMap::new(), &files);
        prop_assert_eq!(archive.len() % BLOCK, 0);
        let mut found = Files::new();
        for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path_bytes().strip_prefix(b"tree/").unwrap().to_vec();
            let header = entry.header().clone();
            prop_assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, MTIME));
            let content = match header.entry_type() {
                EntryType::Directory => ArchiveEntry::Folder,
                EntryType::Symlink => ArchiveEntry::Link(entry.link_name_bytes().unwrap().into_owned()),
                _ => {
                    let mut data = Vec::new();
                    entry.read_to_end(&mut data).unwrap();
                    ArchiveEntry::File(data, header.mode().unwrap() == 0o755)
                }
            };
            found.insert(path.strip_suffix(b"/").unwrap_or(&path).to_vec(), content);
        }
        prop_assert!(found == files);
    }

    #[test]
    fn what_is_packed_is_read_back_as_an_archive_with_one_folder(files in files()) {
        let archive = packed(&BTreeMap::new(), &files);
        match read_host_archive(archive.as_slice()) {
            Ok(read) => prop_assert!(read == files),
            Err(error) => prop_assert!(files.is_empty(), "{}", error),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..2000), start in any::<bool>()) {
        let archive = if start { [packed(&BTreeMap::new(), &Files::new()), bytes].concat() } else { bytes };
        let _ = read_host_archive(archive.as_slice());
    }
}

/// Runs a Node.js program that imports the templates' tools. Returns the bytes that it gives.
fn node(program: &str, input: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let at = Utf8Path::from_path(folder.path()).unwrap();
    fs::write(at.join("input"), input).unwrap();
    let tools = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("nix-templates/tools");
    let imports = format!(
        "import {{ readFileSync, writeFileSync }} from 'node:fs';\nimport * as tar from '{tools}/tar.mjs';\n\
         const input = readFileSync('{at}/input');\nconst give = (bytes) => writeFileSync('{at}/output', bytes);\n"
    );
    fs::write(at.join("program.mjs"), imports + program).unwrap();
    let run = Command::new("node").arg(at.join("program.mjs")).stderr(Stdio::piped()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    fs::read(at.join("output")).unwrap()
}

fn sample() -> (BTreeMap<String, Vec<u8>>, Files) {
    let long = |start: &str, length: usize| format!("{start}{}", "x".repeat(length)).into_bytes();
    let file = |text: &str| ArchiveEntry::File(text.into(), false);
    let files = [
        (b"a-b".to_vec(), file("before a/b")),
        (b"a/b".to_vec(), ArchiveEntry::File(b"#!/bin/sh\n".to_vec(), true)),
        (b"empty".to_vec(), file("")),
        (b"block".to_vec(), file(&"y".repeat(BLOCK))),
        (b"folder".to_vec(), ArchiveEntry::Folder),
        (b"link".to_vec(), ArchiveEntry::Link(b"a/b".to_vec())),
        (long("long/", 90), file("in one header")),
        (long("long/", 91), file("in two")),
        (long("long/é/", 980), file("length of four digits")),
        (long("links/", 200), ArchiveEntry::Link(long("../", 200))),
        (long("folders/", 100), ArchiveEntry::Folder),
        ("ünïcode \u{1f389}".into(), file("emoji")),
        (b"not utf-8 \xff\xfe".to_vec(), file("bytes")),
    ];
    let members = [("commit", "tree 1\n"), ("gitlinks", "2 sub\n")];
    let members = members.map(|(name, data)| (name.to_owned(), data.into()));
    (members.into(), files.into())
}

#[test]
fn the_program_inside_a_build_writes_the_same_bytes() {
    let (members, files) = sample();
    let archive = packed(&members, &files);
    let again = node(
        "const { files, members } = tar.unpackTree(input);\ngive(tar.packTree(files.reverse(), members));",
        &archive,
    );
    assert!(again == archive);
}

/// Returns an archive like those of hosts: a global header, folders, other modes, a duplicate, a hard link, long names.
fn host_archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: EntryType, mode: u32, data: &[u8], target: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(data.len() as u64);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            archive.append_link(&mut header, path, target).unwrap();
        } else {
            archive.append_data(&mut header, path, data).unwrap();
        }
    };
    add(
        "pax_global_header",
        EntryType::XGlobalHeader,
        0o666,
        b"52 comment=552b355e30e534cc37f59b232ed38fb15dac6358\n",
        "",
    );
    add("o-r-552b355/", EntryType::Directory, 0o775, b"", "");
    add("o-r-552b355/run", EntryType::Regular, 0o775, b"first", "");
    add("o-r-552b355/lib/", EntryType::Directory, 0o775, b"", "");
    add(&format!("o-r-552b355/lib/{}", "l".repeat(150)), EntryType::Regular, 0o664, b"long", "");
    add("o-r-552b355/submodule/", EntryType::Directory, 0o775, b"", "");
    add("o-r-552b355/link", EntryType::Symlink, 0o777, b"", &"../".repeat(50));
    add("o-r-552b355/run", EntryType::Regular, 0o664, b"second", "");
    add("o-r-552b355/same", EntryType::Link, 0o664, b"", "o-r-552b355/run");
    archive.into_inner().unwrap()
}

#[test]
fn archives_of_hosts_are_read_alike_here_and_inside_a_build() {
    let archive = host_archive();
    let files = read_host_archive(archive.as_slice()).unwrap();
    let names: Vec<_> = files.keys().map(|path| String::from_utf8_lossy(&path[..path.len().min(9)])).collect();
    assert_eq!(names, ["lib/lllll", "link", "run", "same", "submodule"]);
    assert_eq!(files[b"same".as_slice()], ArchiveEntry::File(b"second".to_vec(), false));
    assert_eq!(files[b"submodule".as_slice()], ArchiveEntry::Folder);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).unwrap();
    let gzipped = gzip.finish().unwrap();
    assert_eq!(read_host_archive(gzipped.as_slice()).unwrap(), files);
    let repacked = node("give(tar.packTree(tar.stripTopFolder(tar.readTar(input))));", &gzipped);
    assert!(repacked == packed(&BTreeMap::new(), &files));
}

#[test]
fn paths_that_leave_the_package_are_refused() {
    for path in ["x/../../y", "x/.git/config", "x/a/.GIT/hooks/y", "x//etc/passwd", "x/./y"] {
        let mut archive = Vec::new();
        write_entry(path.as_bytes(), &Shape::file(false), b"", &mut archive).unwrap();
        let error = read_host_archive(archive.as_slice()).unwrap_err();
        assert!(matches!(error, ArchiveError::Path(_)), "{path}: {error}");
    }
    assert!(check_path(b"a/.github/.gitignore").is_ok());
    let mut device = Vec::new();
    write_entry(b"x/y", &Shape { kind: b'3', mode: 0o644, target: b"" }, b"", &mut device).unwrap();
    assert!(matches!(read_host_archive(device.as_slice()), Err(ArchiveError::Kind(_))));
}

#[test]
fn a_damaged_archive_is_told() {
    let archive = host_archive();
    for end in [0, 100, archive.len() / 2] {
        assert!(matches!(read_host_archive(&archive[..end]), Err(ArchiveError::Damaged(_))), "{end}");
    }
    assert!(read_host_archive(b"<html>".as_slice()).is_err());
}
