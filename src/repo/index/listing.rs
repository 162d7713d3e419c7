//! The entries of an index, or of a commit of a submodule, as git lists them.

use std::collections::BTreeSet;

use crate::repo::{
    Entry, EntryKind, RepoPath,
    git::GitError,
    states::{FileKind, FileState, FileStates},
};

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Link,
    /// A commit of another repository.
    Submodule,
}

/// A path in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) object: String,
    pub(super) kind: Kind,
}

/// All paths, sorted by their bytes, as git sorts them.
#[derive(Debug, Default)]
pub(super) struct Listing {
    entries: Vec<Listed>,
    /// The paths with a merge conflict.
    pub(super) unmerged: BTreeSet<String>,
}

impl Listing {
    /// Reads `git ls-files --stage -z`: `<mode> <object> <stage>\t<path>`. For a path with a merge conflict, it takes
    /// our side.
    pub(super) fn of_index(output: &[u8]) -> Result<Self, GitError> {
        let wrong = || GitError::Answer("ls-files");
        let mut listing = Self::default();
        for (fields, path) in lines(output) {
            let mut fields = fields.split(' ');
            let (mode, object, stage) =
                (fields.next(), fields.next().ok_or_else(wrong)?, fields.next().ok_or_else(wrong)?);
            if stage != "0" {
                listing.unmerged.insert(path.clone());
            }
            if stage == "0" || stage == "2" {
                listing.add(mode.ok_or_else(wrong)?, object, path);
            }
        }
        Ok(listing)
    }

    /// Lists files whose states are known.
    pub(super) fn of_states(files: &FileStates) -> Self {
        let listed = |(path, state): (&RepoPath, &FileState)| Listed {
            path: path.to_string(),
            object: state.content.clone(),
            kind: match state.kind {
                FileKind::Link => Kind::Link,
                FileKind::Submodule => Kind::Submodule,
                FileKind::Plain | FileKind::Executable => Kind::File,
            },
        };
        let mut entries: Vec<Listed> = files.iter().map(listed).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self { entries, ..Self::default() }
    }

    /// Reads `git ls-tree -r -z`: `<mode> <type> <object>\t<path>`.
    pub(super) fn of_commit(output: &[u8]) -> Result<Self, GitError> {
        let mut listing = Self::default();
        for (fields, path) in lines(output) {
            let mut fields = fields.split(' ');
            let (mode, object) = (fields.next(), fields.nth(1));
            listing.add(mode.unwrap_or_default(), object.ok_or(GitError::Answer("ls-tree"))?, path);
        }
        Ok(listing)
    }

    fn add(&mut self, mode: &str, object: &str, path: String) {
        let kind = match mode {
            "120000" => Kind::Link,
            "160000" => Kind::Submodule,
            _ => Kind::File,
        };
        self.entries.push(Listed { path, object: object.to_owned(), kind });
    }

    /// Removes paths.
    pub(super) fn remove(&mut self, paths: &BTreeSet<String>) {
        self.entries.retain(|entry| !paths.contains(&entry.path));
    }

    pub(super) fn entries(&self) -> &[Listed] {
        &self.entries
    }

    pub(super) fn get(&self, path: &str) -> Option<&Listed> {
        let found = self.entries.binary_search_by(|entry| entry.path.as_bytes().cmp(path.as_bytes()));
        found.ok().map(|index| &self.entries[index])
    }

    /// Returns the submodule that a path is, or is in.
    pub(super) fn submodule_of(&self, path: &RepoPath) -> Option<&Listed> {
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(end, _)| end).chain([text.len()]);
        ends.filter_map(|end| self.get(&text[..end])).find(|entry| entry.kind == Kind::Submodule)
    }

    /// Returns the entries of a folder, sorted by name.
    pub(super) fn list(&self, folder: &RepoPath) -> Vec<Entry> {
        let prefix = if folder.is_root() { String::new() } else { format!("{folder}/") };
        let mut entries = Vec::new();
        let mut next = self.from(&prefix);
        while let Some(listed) = self.entries.get(next) {
            let Some(below) = listed.path.strip_prefix(&prefix) else { break };
            if let Some((name, _)) = below.split_once('/') {
                entries.push(Entry { name: name.to_owned(), kind: EntryKind::Folder });
                // `0` is the character after `/`, so this skips everything in that folder.
                next = self.from(&format!("{prefix}{name}0"));
                continue;
            }
            let kind = match listed.kind {
                Kind::File => EntryKind::File,
                Kind::Link => EntryKind::Link,
                Kind::Submodule => EntryKind::Folder,
            };
            entries.push(Entry { name: below.to_owned(), kind });
            next += 1;
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// Returns the index of the first entry that does not sort before `path`.
    fn from(&self, path: &str) -> usize {
        self.entries.partition_point(|entry| entry.path.as_bytes() < path.as_bytes())
    }
}

/// Returns the lines of an output, each `<fields>\t<path>`. Paths that are not UTF-8 are skipped, since no manifest can
/// name them.
fn lines(output: &[u8]) -> impl Iterator<Item = (&str, String)> {
    output.split(|byte| *byte == 0).filter_map(|line| {
        let (fields, path) = std::str::from_utf8(line).ok()?.split_once('\t')?;
        Some((fields, path.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let lines = [
            "100644 a 0\ta-b/x",
            "100644 b 0\ta/deep/y",
            "120000 c 0\ta/link",
            "100644 d 0\ta.txt",
            "160000 e 0\tsub",
            "100644 1 1\tz",
            "100644 2 2\tz",
            "100644 3 3\tz",
        ];
        let mut sorted = lines;
        sorted.sort_by_key(|line| line.split_once('\t').unwrap().1.to_owned());
        Listing::of_index(sorted.join("\0").as_bytes()).unwrap()
    }

    #[test]
    fn folders_are_what_paths_have_in_common() {
        let listing = listing();
        let list = |folder: &str| -> Vec<(String, EntryKind)> {
            listing.list(&folder.parse().unwrap()).into_iter().map(|entry| (entry.name, entry.kind)).collect()
        };
        let kinds = [("a", EntryKind::Folder), ("a-b", EntryKind::Folder), ("a.txt", EntryKind::File)];
        let more = [("sub", EntryKind::Folder), ("z", EntryKind::File)];
        let wanted: Vec<_> = kinds.iter().chain(&more).map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        assert_eq!(list(""), wanted);
        assert_eq!(list("a"), [("deep".to_owned(), EntryKind::Folder), ("link".to_owned(), EntryKind::Link)]);
        assert_eq!(list("a/deep"), [("y".to_owned(), EntryKind::File)]);
        assert!(list("nowhere").is_empty() && list("a.txt").is_empty());
    }

    #[test]
    fn of_an_unmerged_path_ours_is_taken() {
        let listing = listing();
        assert_eq!(listing.get("z").unwrap().object, "2");
        assert_eq!(listing.unmerged, BTreeSet::from(["z".to_owned()]));
    }

    #[test]
    fn paths_know_their_submodule() {
        let listing = listing();
        assert_eq!(listing.submodule_of(&"sub/x/y".parse().unwrap()).unwrap().path, "sub");
        assert_eq!(listing.submodule_of(&"sub".parse().unwrap()).unwrap().object, "e");
        assert!(listing.submodule_of(&"a/deep/y".parse().unwrap()).is_none());
    }
}
