//! Reads the objects of a commit: the raw commit, its files, and the commits of its submodules.

use std::collections::BTreeMap;

use sha1::{Digest as _, Sha1};

use super::{Commit, FetchGitError, run::BareGit};
use crate::fetch::archive::{ArchiveEntry, Files, check_path};

/// One entry of `git ls-tree -r -t -z`.
struct Line<'a> {
    mode: &'a str,
    id: &'a str,
    path: &'a [u8],
}

/// Reads a commit that was fetched.
pub(super) fn read(git: &BareGit, id: &str) -> Result<Commit, FetchGitError> {
    let listing = git.read(&["ls-tree", "-r", "-t", "-z", "--full-tree", id], Vec::new())?;
    let lines = listing.split(|byte| *byte == 0).filter(|line| !line.is_empty());
    let lines = lines
        .map(|line| parse(line).ok_or(FetchGitError::Answer { asked: "ls-tree" }))
        .collect::<Result<Vec<_>, _>>()?;
    for line in &lines {
        check_path(line.path)?;
    }
    let is_blob = |line: &&Line<'_>| matches!(line.mode, "100644" | "100664" | "100755" | "120000");
    let blobs: Vec<&Line<'_>> = lines.iter().filter(is_blob).collect();
    let contents = contents(git, blobs.iter().map(|line| line.id))?;
    let files: Files =
        blobs.iter().zip(contents).map(|(line, data)| (line.path.to_vec(), entry(line.mode, data))).collect();
    let gitlinks: BTreeMap<&[u8], &str> =
        lines.iter().filter(|line| line.mode == "160000").map(|line| (line.path, line.id)).collect();
    let commit = git.read(&["cat-file", "commit", id], Vec::new())?;
    let mut members = BTreeMap::from([("commit".to_owned(), commit)]);
    // Yarn 2 and later may lock the id of an annotated tag, which names the commit.
    if git.read(&["cat-file", "-t", id], Vec::new())?.trim_ascii() == b"tag" {
        members.insert("tag".to_owned(), git.read(&["cat-file", "tag", id], Vec::new())?);
    }
    if !gitlinks.is_empty() {
        let line = |(path, id): (&&[u8], &&str)| [id.as_bytes(), b" ", path, b"\n"].concat();
        members.insert("gitlinks".to_owned(), gitlinks.iter().flat_map(line).collect());
    }
    if tree_of(&members["commit"]) != Some(hex(tree_id(&files, &gitlinks)).as_str()) {
        members.extend(raw_trees(git, id, &lines)?);
    }
    Ok(Commit { members, files })
}

fn parse(line: &[u8]) -> Option<Line<'_>> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
    let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
    Some(Line { mode, id, path: &line[tab + 1..] })
}

fn entry(mode: &str, data: Vec<u8>) -> ArchiveEntry {
    match mode {
        "120000" => ArchiveEntry::Link(data),
        _ => ArchiveEntry::File(data, mode == "100755"),
    }
}

/// Returns the contents of objects, in the order of their ids.
fn contents<'a>(git: &BareGit, ids: impl Iterator<Item = &'a str>) -> Result<Vec<Vec<u8>>, FetchGitError> {
    let ids: Vec<&str> = ids.collect();
    let asked = ids.iter().flat_map(|id| [id.as_bytes(), b"\n"].concat()).collect();
    let answer = git.read(&["cat-file", "--batch"], asked)?;
    let mut rest = answer.as_slice();
    ids.iter().map(|id| next_object(id, &mut rest).ok_or(FetchGitError::Answer { asked: "cat-file --batch" })).collect()
}

/// Reads the next object: `<id> <type> <size>\n<content>\n`.
fn next_object(id: &str, rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let mut words = std::str::from_utf8(&rest[..end]).ok()?.split(' ');
    let (found, _, size) = (words.next()?, words.next()?, words.next()?.parse::<usize>().ok()?);
    let content = rest.get(end + 1..)?.get(..size)?.to_vec();
    *rest = rest.get(end + 2 + size..)?;
    (found == id).then_some(content)
}

/// Returns the raw tree objects. They are needed if today's git would not write them the same way, for example with an
/// unusual mode or an empty folder.
fn raw_trees(git: &BareGit, id: &str, lines: &[Line<'_>]) -> Result<BTreeMap<String, Vec<u8>>, FetchGitError> {
    let root = git.read(&["rev-parse", &format!("{id}^{{tree}}")], Vec::new())?;
    let root = String::from_utf8_lossy(&root).trim().to_owned();
    let below = lines.iter().filter(|line| line.mode == "040000").map(|line| line.id);
    let ids: Vec<&str> = below.chain([root.as_str()]).collect();
    let contents = contents(git, ids.iter().copied())?;
    Ok(ids.iter().zip(contents).map(|(id, content)| (format!("trees/{id}"), content)).collect())
}

/// Returns the id of the tree in a raw commit object.
fn tree_of(commit: &[u8]) -> Option<&str> {
    let line = commit.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line.strip_prefix(b"tree ")?).ok()
}

type Id = [u8; 20];

fn hex(id: Id) -> String {
    data_encoding::HEXLOWER.encode(&id)
}

/// Computes git's id for the tree of these files and submodules.
fn tree_id(files: &Files, gitlinks: &BTreeMap<&[u8], &str>) -> Id {
    let blobs = files.iter().map(|(path, entry)| {
        let (mode, data) = match entry {
            ArchiveEntry::File(data, true) => ("100755", data.as_slice()),
            ArchiveEntry::Link(target) => ("120000", target.as_slice()),
            ArchiveEntry::File(data, false) => ("100644", data.as_slice()),
            ArchiveEntry::Folder => ("100644", [].as_slice()),
        };
        (path.as_slice(), mode, object_id("blob", data))
    });
    let links = gitlinks.iter().map(|(path, id)| {
        let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok().and_then(|id| Id::try_from(id).ok());
        (*path, "160000", id.unwrap_or_default())
    });
    let mut entries: Vec<_> = blobs.chain(links).collect();
    entries.sort_unstable();
    folder_id(&entries)
}

/// A path, its mode and the id of its object.
type Leaf<'a> = (&'a [u8], &'a str, Id);

fn folder_id(entries: &[Leaf<'_>]) -> Id {
    // Git sorts a folder as if its name ended with a slash.
    let mut own: BTreeMap<Vec<u8>, (&str, &[u8], Id)> = BTreeMap::new();
    let mut below: BTreeMap<&[u8], Vec<Leaf<'_>>> = BTreeMap::new();
    for (path, mode, id) in entries {
        match path.iter().position(|byte| *byte == b'/') {
            None => drop(own.insert(path.to_vec(), (mode, path, *id))),
            Some(slash) => below.entry(&path[..slash]).or_default().push((&path[slash + 1..], mode, *id)),
        }
    }
    for (name, inner) in &below {
        own.insert([name, b"/".as_slice()].concat(), ("40000", name, folder_id(inner)));
    }
    let line = |(mode, name, id): &(&str, &[u8], Id)| [mode.as_bytes(), b" ", name, b"\0", id].concat();
    object_id("tree", &own.values().flat_map(line).collect::<Vec<u8>>())
}

fn object_id(kind: &str, data: &[u8]) -> Id {
    let hash = Sha1::new().chain_update(format!("{kind} {}\0", data.len())).chain_update(data);
    hash.finalize().into()
}
