//! Reads the objects of a commit: the raw commit, its files, and the commits of its submodules.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, BufRead, Read as _, Write},
};

use sha1::{Digest as _, Sha1};

use super::{Commit, FetchGitError, run::BareGit};
use crate::fetch::archive::{ArchiveEntry, Content, Files, Names, Spool, Spooled, check_path, check_total};

/// The longest line that git writes, and the longest link or folder, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// The largest total size of raw folders, in bytes.
const MOST_TREES: u64 = 64 << 20;

/// One entry of `git ls-tree -r -t -z`.
struct Line {
    mode: String,
    id: String,
    path: Vec<u8>,
}

/// Reads a commit that was fetched. Its contents go into the spool.
pub(super) fn read(git: &BareGit, id: &str, mut spool: Spool) -> Result<Commit, FetchGitError> {
    let lines = lines(git, id)?;
    let is_blob = |line: &&Line| matches!(line.mode.as_str(), "100644" | "100664" | "100755" | "120000");
    let blobs: Vec<&Line> = lines.iter().filter(is_blob).collect();
    let contents = contents(git, blobs.iter().map(|line| line.id.as_str()), &mut spool)?;
    let mut files = Files::new();
    for line in blobs {
        let content = contents.get(line.id.as_str()).ok_or(FetchGitError::Answer { asked: "cat-file --batch" })?;
        files.insert(line.path.clone(), entry(&line.mode, content)?);
    }
    check_total(&files)?;
    let gitlinks: BTreeMap<&[u8], &str> = lines
        .iter()
        .filter(|line| line.mode == "160000")
        .map(|line| (line.path.as_slice(), line.id.as_str()))
        .collect();
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
    if tree_of(&members["commit"]) != Some(hex(tree_id(&files, &gitlinks)?).as_str()) {
        members.extend(raw_trees(git, id, &lines, &mut spool)?);
    }
    Ok(Commit { members, files })
}

/// Lists the tree. A few small trees that contain each other many times have more entries than there is memory, so the
/// entries are counted while git writes them.
fn lines(git: &BareGit, id: &str) -> Result<Vec<Line>, FetchGitError> {
    git.read_through(&["ls-tree", "-r", "-t", "-z", "--full-tree", id], Vec::new(), |listing| {
        let (mut lines, mut names) = (Vec::new(), Names::default());
        loop {
            let mut line = Vec::new();
            (&mut *listing).take(LONGEST_LINE).read_until(0, &mut line)?;
            if line.is_empty() {
                return Ok(lines);
            }
            let line = parse(&line).ok_or(FetchGitError::Answer { asked: "ls-tree" })?;
            names.count(line.path.len())?;
            check_path(&line.path)?;
            lines.push(line);
        }
    })
}

fn parse(line: &[u8]) -> Option<Line> {
    let line = line.strip_suffix(b"\0")?;
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ').map(str::to_owned);
    let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
    Some(Line { mode, id, path: line[tab + 1..].to_vec() })
}

fn entry(mode: &str, content: &Spooled) -> Result<ArchiveEntry, FetchGitError> {
    Ok(match mode {
        "120000" => ArchiveEntry::Link(in_memory(content)?),
        _ => ArchiveEntry::File(content.clone(), mode == "100755"),
    })
}

/// Reads a small content: the target of a link, or a tree.
fn in_memory(content: &Spooled) -> Result<Vec<u8>, FetchGitError> {
    if content.length() > LONGEST_LINE {
        return Err(FetchGitError::TooMuch { what: "a link, or a folder, is longer than 1 MiB" });
    }
    let mut bytes = Vec::new();
    content.copy_to(&mut bytes)?;
    Ok(bytes)
}

/// Returns the contents of objects by id. Each is read once.
fn contents<'a>(
    git: &BareGit,
    ids: impl Iterator<Item = &'a str>,
    spool: &mut Spool,
) -> Result<HashMap<&'a str, Spooled>, FetchGitError> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let asked = ids.iter().flat_map(|id| [id.as_bytes(), b"\n"].concat()).collect();
    git.read_through(&["cat-file", "--batch"], asked, |answers| {
        ids.iter().map(|id| Ok((*id, next_object(id, answers, spool)?))).collect()
    })
}

/// Reads the next object: `<id> <type> <size>\n<content>\n`.
fn next_object(id: &str, answers: &mut dyn BufRead, spool: &mut Spool) -> Result<Spooled, FetchGitError> {
    let wrong = || FetchGitError::Answer { asked: "cat-file --batch" };
    let mut line = String::new();
    (&mut *answers).take(LONGEST_LINE).read_line(&mut line)?;
    let mut words = line.trim_end().split(' ');
    let (found, size) = (words.next(), words.nth(1).and_then(|size| size.parse().ok()));
    let size = size.filter(|_| found == Some(id)).ok_or_else(wrong)?;
    let content = spool.put(&mut (&mut *answers).take(size))?;
    let mut end = [0];
    answers.read_exact(&mut end)?;
    if content.length() == size { Ok(content) } else { Err(wrong()) }
}

/// Returns the raw tree objects. They are needed if today's git would not write them the same way, for example with an
/// unusual mode or an empty folder.
fn raw_trees(
    git: &BareGit,
    id: &str,
    lines: &[Line],
    spool: &mut Spool,
) -> Result<BTreeMap<String, Vec<u8>>, FetchGitError> {
    let root = git.read(&["rev-parse", &format!("{id}^{{tree}}")], Vec::new())?;
    let root = String::from_utf8_lossy(&root).trim().to_owned();
    let below = lines.iter().filter(|line| line.mode == "040000").map(|line| line.id.as_str());
    let contents = contents(git, below.chain([root.as_str()]), spool)?;
    let total: u64 = contents.values().map(Content::length).sum();
    if total > MOST_TREES {
        return Err(FetchGitError::TooMuch { what: "its folders are longer than 64 MiB" });
    }
    contents.into_iter().map(|(id, content)| Ok((format!("trees/{id}"), in_memory(&content)?))).collect()
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
fn tree_id(files: &Files, gitlinks: &BTreeMap<&[u8], &str>) -> io::Result<Id> {
    let mut entries: Vec<Leaf<'_>> = Vec::new();
    for (path, entry) in files {
        let (mode, id) = match entry {
            ArchiveEntry::File(content, true) => ("100755", blob_id(content)?),
            ArchiveEntry::File(content, false) => ("100644", blob_id(content)?),
            ArchiveEntry::Link(target) => ("120000", object_id("blob", target)),
            ArchiveEntry::Folder => ("100644", object_id("blob", b"")),
        };
        entries.push((path.as_slice(), mode, id));
    }
    let links = gitlinks.iter().map(|(path, id)| {
        let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok().and_then(|id| Id::try_from(id).ok());
        (*path, "160000", id.unwrap_or_default())
    });
    entries.extend(links);
    entries.sort_unstable();
    Ok(folder_id(&entries))
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

fn blob_id(content: &Spooled) -> io::Result<Id> {
    let mut hash = Hashing(Sha1::new().chain_update(format!("blob {}\0", content.length())));
    content.copy_to(&mut hash)?;
    Ok(hash.0.finalize().into())
}

/// A hash as a place to write to.
struct Hashing(Sha1);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
