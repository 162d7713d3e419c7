//! Tests that another reader can read the archives, and that the tool inside a build writes the same bytes.

use std::process::{Command, Stdio};

use camino::Utf8Path;
use fs_err as fs;
use proptest::{collection::vec, prelude::*};

use super::*;

/// Files with their contents in memory.
type InMemory = Files<Vec<u8>>;

fn in_memory(files: &Files) -> InMemory {
    let entry = |entry: &ArchiveEntry| match entry {
        ArchiveEntry::File(content, is_executable) => {
            let mut bytes = Vec::new();
            content.copy_to(&mut bytes).unwrap();
            ArchiveEntry::File(bytes, *is_executable)
        }
        ArchiveEntry::Link(target) => ArchiveEntry::Link(target.clone()),
        ArchiveEntry::Folder => ArchiveEntry::Folder,
    };
    files.iter().map(|(path, content)| (path.clone(), entry(content))).collect()
}

fn read(archive: impl io::BufRead) -> Result<InMemory, ArchiveError> {
    read_host_archive(archive, Spool::new(&std::env::temp_dir()).unwrap()).map(|files| in_memory(&files))
}

fn packed(members: &BTreeMap<String, Vec<u8>>, files: &InMemory) -> Vec<u8> {
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

fn entry() -> impl Strategy<Value = ArchiveEntry<Vec<u8>>> {
    prop_oneof![
        3 => (vec(any::<u8>(), 0..1100), any::<bool>()).prop_map(|(data, executable)| ArchiveEntry::File(data, executable)),
        1 => (1_usize..230).prop_map(|length| ArchiveEntry::Link(b"../x/".iter().copied().cycle().take(length).collect())),
        1 => Just(ArchiveEntry::Folder),
    ]
}

fn files() -> impl Strategy<Value = InMemory> {
    proptest::collection::btree_map(path(), entry(), 0..8)
}

proptest! {
    #[test]
    fn what_was_packed_anew_stays_as_it_is(files in files()) {
        let files: InMemory = files.into_iter().filter(|(path, _)| check_path(path).is_ok()).collect();
        prop_assume!(!files.is_empty());
        let archive = packed(&BTreeMap::new(), &files);
        prop_assert_eq!(repack(archive.as_slice()).unwrap(), archive);
    }

    #[test]
    fn another_reader_reads_what_is_written(files in files()) {
        let archive = packed(&BTreeMap::new(), &files);
        prop_assert_eq!(archive.len() % BLOCK, 0);
        let mut found = InMemory::new();
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
        match read(archive.as_slice()) {
            Ok(found) => prop_assert!(found == files),
            Err(error) => prop_assert!(files.is_empty(), "{}", error),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..2000), start in any::<bool>()) {
        let archive = if start { [packed(&BTreeMap::new(), &InMemory::new()), bytes].concat() } else { bytes };
        let _ = read(archive.as_slice());
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

fn sample() -> (BTreeMap<String, Vec<u8>>, InMemory) {
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
    let files = read(archive.as_slice()).unwrap();
    let names: Vec<_> = files.keys().map(|path| String::from_utf8_lossy(&path[..path.len().min(9)])).collect();
    assert_eq!(names, ["lib/lllll", "link", "run", "same", "submodule"]);
    assert_eq!(files[b"same".as_slice()], ArchiveEntry::File(b"second".to_vec(), false));
    assert_eq!(files[b"submodule".as_slice()], ArchiveEntry::Folder);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).unwrap();
    let gzipped = gzip.finish().unwrap();
    assert_eq!(read(gzipped.as_slice()).unwrap(), files);
    let repacked = node("give(tar.packTree(tar.stripTopFolder(tar.readTar(input))));", &gzipped);
    assert!(repacked == packed(&BTreeMap::new(), &files));
}

#[test]
fn paths_that_leave_the_package_are_refused() {
    for path in ["x/../../y", "x/.git/config", "x/a/.GIT/hooks/y", "x//etc/passwd", "x/./y"] {
        let mut archive = Vec::new();
        write_entry(path.as_bytes(), &Shape::file(false), &Vec::new(), &mut archive).unwrap();
        let error = read(archive.as_slice()).unwrap_err();
        assert!(matches!(error, ArchiveError::Path(_)), "{path}: {error}");
    }
    assert!(check_path(b"a/.github/.gitignore").is_ok());
    let mut device = Vec::new();
    write_entry(b"x/y", &Shape { kind: b'3', mode: 0o644, target: b"" }, &Vec::new(), &mut device).unwrap();
    assert!(matches!(read(device.as_slice()), Err(ArchiveError::Kind(_))));
}

#[test]
fn a_damaged_archive_is_told() {
    let archive = host_archive();
    for end in [0, 100, archive.len() / 2] {
        assert!(matches!(read(&archive[..end]), Err(ArchiveError::Damaged(_))), "{end}");
    }
    assert!(read(b"<html>".as_slice()).is_err());
}

/// A tar archive whose only entry has this type and size, and zeros as content.
fn zeros(kind: u8, size: u64) -> impl io::BufRead {
    let start = header(b"x/y", &Shape { kind, mode: 0o644, target: b"" }, size);
    io::BufReader::new(io::Cursor::new(start).chain(io::repeat(0)))
}

#[test]
fn headers_without_end_are_refused_before_they_fill_the_memory() {
    for kind in [b'L', b'K', b'x'] {
        let size = 3 << 30;
        assert!(matches!(read(zeros(kind, size)), Err(ArchiveError::Header)), "{}", char::from(kind));
    }
    assert!(matches!(read(zeros(b'0', MOST_BYTES + 1)), Err(ArchiveError::TooLarge)));
}

#[test]
fn an_archive_of_nothing_but_entries_is_refused() {
    let entry = header(b"x/y", &Shape::file(false), 0);
    let archive = (0..=MOST_ENTRIES).flat_map(|_| entry).collect::<Vec<u8>>();
    assert!(matches!(read(archive.as_slice()), Err(ArchiveError::TooMany)));
    let deep = "a/".repeat(DEEPEST + 1) + "b";
    assert!(matches!(check_path(deep.as_bytes()), Err(ArchiveError::Path(_))));
}

#[test]
fn hard_links_to_one_content_count_each_time() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    let content = vec![0; 1 << 20];
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, "x/y", content.as_slice()).unwrap();
    header.set_size(0);
    header.set_entry_type(EntryType::Link);
    for number in 0..MOST_BYTES >> 20 {
        archive.append_link(&mut header, format!("x/{number}"), "x/y").unwrap();
    }
    assert!(matches!(read(archive.into_inner().unwrap().as_slice()), Err(ArchiveError::TooLarge)));
}

#[test]
fn a_name_may_contain_a_line_break() {
    let name = format!("x/a\nb{}", "c".repeat(120));
    let mut archive = Vec::new();
    write_entry(name.as_bytes(), &Shape::file(false), &Vec::new(), &mut archive).unwrap();
    let names: Vec<_> = read(archive.as_slice()).unwrap().into_keys().collect();
    assert_eq!(names, [name.as_bytes()[2..].to_vec()]);
}
