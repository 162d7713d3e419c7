//! [`Tree`]: a repository that can be listed and read, however it is stored.

use std::collections::{BTreeSet, VecDeque};

use camino::Utf8PathBuf;

use super::RepoPath;
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    reading::{MOST_PARSED, Refused},
};

/// The kind of an entry. Links are not followed, because they could lead out of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the folder.
    pub name: String,
    /// Its kind.
    pub kind: EntryKind,
}

/// A file that could be source, because git does not ignore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path.
    pub path: RepoPath,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A symbolic link that git does not ignore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Its path.
    pub path: RepoPath,
    /// Its target as written.
    pub target: String,
}

/// Why a tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Reading failed.
    #[error("could not read `{path}`")]
    Read {
        /// The file or folder.
        path: RepoPath,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is no regular file, or too large.
    #[error("could not read `{path}`: {why}")]
    Refused {
        /// The file.
        path: RepoPath,
        /// What it is.
        why: Refused,
    },
    /// Git could not read it.
    #[error("could not read `{path}` from git")]
    Git {
        /// The file or folder.
        path: RepoPath,
        /// The reason.
        source: super::GitError,
    },
    /// A text file is not UTF-8.
    #[error("expected UTF-8 text, found an invalid byte")]
    NotUtf8 {
        /// The file.
        path: RepoPath,
        /// The first invalid byte.
        position: Position,
    },
    /// A name in the repository is not UTF-8, or has a control character. A manifest cannot name it.
    #[error("the name of `{}` is not UTF-8, or has a control character", .0.as_str().escape_debug())]
    Name(Utf8PathBuf),
}

impl TreeError {
    /// Makes an error of the system's error for a file.
    pub(super) fn of_file(path: RepoPath, source: std::io::Error) -> Self {
        match crate::reading::refused(&source) {
            Some(why) => Self::Refused { path, why },
            None => Self::Read { path, source },
        }
    }
}

impl Diagnose for TreeError {
    fn category(&self) -> Category {
        match self {
            Self::Read { .. } => Category::Environment,
            Self::Git { source, .. } => source.category(),
            Self::Refused { .. } | Self::NotUtf8 { .. } | Self::Name(_) => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::NotUtf8 { path, position } => Some(Location::at(path.as_str(), *position)),
            Self::Read { .. } | Self::Refused { .. } | Self::Git { .. } | Self::Name(_) => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Git { source, .. } => source.hints(),
            _ => Vec::new(),
        }
    }
}

/// A repository as files.
pub trait Tree: Sync {
    /// Returns the bytes of a file, or `None` if there is no file of that path.
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError>;

    /// Returns the entries of a folder, sorted by name. A missing folder has none.
    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError>;

    /// Returns the target of a symbolic link as written, or `None` if there is no link of that path.
    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError>;

    /// Returns the names of the files directly in a folder that git does not ignore, sorted.
    fn unignored_files(&self, folder: &RepoPath) -> Result<Vec<String>, TreeError> {
        let files = self.list(folder)?.into_iter().filter(|entry| entry.kind == EntryKind::File);
        Ok(files.map(|entry| entry.name).collect())
    }

    /// Whether git ignores a file or folder, or it is in `node_modules`. Other machines may not have it. For a missing
    /// path, the result may be either.
    fn is_ignored(&self, path: &RepoPath) -> Result<bool, TreeError> {
        Ok(path.parts().any(|part| part == "node_modules"))
    }

    /// Returns the paths that git ignores and does not track: Nix does not see them. Asking for many at once is faster.
    fn ignored(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        self.ignored_by_rules(paths)
    }

    /// Returns the paths for which [`Tree::is_ignored`] holds. Asking for many at once is faster.
    fn ignored_by_rules(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        let mut ignored = BTreeSet::new();
        for path in paths {
            if self.is_ignored(path)? {
                ignored.insert(path.clone());
            }
        }
        Ok(ignored)
    }

    /// Returns all symbolic links that git does not ignore, sorted by path. Links in `node_modules` are skipped.
    fn links(&self) -> Result<Vec<Link>, TreeError> {
        let mut links = Vec::new();
        let mut folders = vec![RepoPath::root()];
        while let Some(folder) = folders.pop() {
            for entry in self.list(&folder)?.into_iter().filter(|entry| entry.name != "node_modules") {
                let path = folder.child(&entry.name);
                match entry.kind {
                    EntryKind::Folder => folders.push(path),
                    EntryKind::Link => links.extend(self.link(&path)?.map(|target| Link { path, target })),
                    EntryKind::File => {}
                }
            }
        }
        links.sort_unstable();
        Ok(links)
    }

    /// Returns the folders that are git submodules, sorted by path.
    fn submodules(&self) -> Result<Vec<RepoPath>, TreeError> {
        let text = self.read(&RepoPath::root().child(GIT_MODULES))?.unwrap_or_default();
        Ok(submodule_paths(&String::from_utf8_lossy(&text), ""))
    }

    /// Whether there is a file of that path.
    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        let name = path.file_name();
        Ok(self.list(&path.parent())?.iter().any(|entry| entry.name == name && entry.kind == EntryKind::File))
    }
}

/// The file in which git lists submodules, at the top of a repository.
pub(super) const GIT_MODULES: &str = ".gitmodules";

/// Returns the paths in a `.gitmodules` that are below `prefix`, relative to it, sorted. `prefix` is empty or ends in `/`.
pub(super) fn submodule_paths(text: &str, prefix: &str) -> Vec<RepoPath> {
    let path = |line: &str| {
        let value = line.trim().strip_prefix("path")?.trim_start().strip_prefix('=')?;
        value.trim().trim_matches('"').strip_prefix(prefix)?.parse::<RepoPath>().ok()
    };
    let mut paths: Vec<RepoPath> = text.lines().filter_map(path).filter(|path| !path.is_root()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The number of links on a way, after which the kernel gives up too.
const HOPS: usize = 40;

/// Returns the links that a path leads through, and the path at their end. Empty if no part of the path is a link. A link that
/// leads out of the repository ends the way.
pub fn through_links(tree: &dyn Tree, path: &RepoPath) -> Result<Vec<RepoPath>, TreeError> {
    let mut found = Vec::new();
    let mut open: VecDeque<String> = path.parts().map(str::to_owned).collect();
    let mut current = RepoPath::root();
    while let Some(part) = open.pop_front() {
        if part == ".." {
            current = current.parent();
            continue;
        }
        let next = current.child(&part);
        let target = if found.len() < HOPS { tree.link(&next)? } else { None };
        match target {
            Some(target) if current.resolve(&target).is_ok() => {
                let parts = target.split('/').rev().filter(|part| !matches!(*part, "" | "."));
                parts.for_each(|part| open.push_front(part.to_owned()));
                found.push(next);
            }
            _ => current = next,
        }
    }
    if !found.is_empty() {
        found.push(current);
    }
    Ok(found)
}

/// Whether a content is a pointer of Git LFS, which git has instead of the file.
pub fn is_lfs_pointer(content: &[u8]) -> bool {
    // The specification allows 1024 bytes.
    content.len() < 1024 && content.starts_with(b"version https://git-lfs.github.com/spec/v1\n")
}

/// Reads a file as text without a byte order mark, or returns `None` if there is no such file.
pub fn read_text(tree: &dyn Tree, path: &RepoPath) -> Result<Option<String>, TreeError> {
    let Some(bytes) = tree.read(path)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        TreeError::NotUtf8 { path: path.clone(), position: Position::of_offset(&text, valid) }
    })?;
    Ok(Some(match text.strip_prefix('\u{feff}') {
        Some(unmarked) => unmarked.to_owned(),
        None => text,
    }))
}

/// Reads a lockfile or a manifest as [`read_text`] does. Refuses one whose model would fill the memory.
pub fn read_parsed(tree: &dyn Tree, path: &RepoPath) -> Result<Option<String>, TreeError> {
    let text = read_text(tree, path)?;
    if text.as_ref().is_some_and(|text| text.len() > MOST_PARSED) {
        return Err(TreeError::Refused { path: path.clone(), why: Refused::TooLargeToParse });
    }
    Ok(text)
}

/// A tree in memory, for tests of the pure parts. A text that begins with `-> ` makes a symbolic link, to no folder on the way.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct MemoryTree {
    files: std::collections::BTreeMap<String, Vec<u8>>,
    links: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
impl MemoryTree {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (links, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, text)| text.starts_with("-> "));
        Self::with_links(files, links.into_iter().map(|(path, text)| (path, &text["-> ".len()..])))
    }

    /// A tree with symbolic links.
    pub(crate) fn with_links<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        links: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        Self {
            files: files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect(),
            links: links.into_iter().map(|(path, target)| (path.to_owned(), target.to_owned())).collect(),
        }
    }
}

#[cfg(test)]
impl Tree for MemoryTree {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        match self.link(path)?.map(|target| path.parent().resolve(&target)) {
            Some(target) => target.map_or(Ok(None), |target| self.read(&target)),
            None => Ok(self.files.get(path.as_str()).cloned()),
        }
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        Ok(self.links.get(path.as_str()).cloned())
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let mut entries = std::collections::BTreeMap::new();
        let files = self.files.keys().map(|path| (path, EntryKind::File));
        for (path, kind) in files.chain(self.links.keys().map(|path| (path, EntryKind::Link))) {
            let path: RepoPath = path.parse().unwrap();
            let Some(below) = path.below(folder).filter(|below| !below.is_empty()) else { continue };
            let (name, kind) = match below.split_once('/') {
                Some((name, _)) => (name, EntryKind::Folder),
                None => (below, kind),
            };
            entries.insert(name.to_owned(), kind);
        }
        Ok(entries.into_iter().map(|(name, kind)| Entry { name, kind }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(&'static [u8]);

    impl Tree for Bytes {
        fn read(&self, _: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
            Ok(Some(self.0.to_vec()))
        }

        fn link(&self, _: &RepoPath) -> Result<Option<String>, TreeError> {
            Ok(None)
        }

        fn list(&self, _: &RepoPath) -> Result<Vec<Entry>, TreeError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_text() {
        assert_eq!(read_text(&Bytes("\u{feff}{}".as_bytes()), &RepoPath::root()).unwrap().unwrap(), "{}");
    }

    #[test]
    fn links_on_the_way_to_a_file_are_found() {
        let files = [("a", "-> b/c"), ("b/c/d", "-> ../../e"), ("e", ""), ("f", "-> ../out"), ("g", "-> g")];
        let tree = MemoryTree::new(files);
        let found = |path: &str| {
            let found = through_links(&tree, &path.parse().unwrap()).unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("a/d"), ["a", "b/c/d", "e"]);
        assert_eq!(found("e"), [""; 0]);
        assert_eq!(found("f"), [""; 0]);
        assert_eq!(found("g").len(), HOPS + 1);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_with_its_place() {
        let error = read_text(&Bytes(b"a\nb\xff"), &"x.json".parse().unwrap()).unwrap_err();
        assert_eq!(error.location().unwrap().to_string(), "x.json:2:2");
    }
}
