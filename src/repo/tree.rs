//! [`Tree`]: a repository that can be listed and read, however it is stored.

use camino::Utf8PathBuf;

use super::RepoPath;
use crate::diagnostic::{Category, Diagnose, Location, Position};

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
    /// A name in the repository is not UTF-8. Neither Nix nor a manifest can name it.
    #[error("the name of `{0}` is not UTF-8")]
    Name(Utf8PathBuf),
}

impl Diagnose for TreeError {
    fn category(&self) -> Category {
        match self {
            Self::Read { .. } | Self::Git { .. } => Category::Environment,
            Self::NotUtf8 { .. } | Self::Name(_) => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::NotUtf8 { path, position } => Some(Location::at(path.as_str(), *position)),
            Self::Read { .. } | Self::Git { .. } | Self::Name(_) => None,
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

    /// Whether there is a file of that path.
    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        let name = path.file_name();
        Ok(self.list(&path.parent())?.iter().any(|entry| entry.name == name && entry.kind == EntryKind::File))
    }
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

/// A tree in memory, for tests of the pure parts.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct MemoryTree {
    files: std::collections::BTreeMap<String, Vec<u8>>,
    links: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
impl MemoryTree {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::with_links(files, [])
    }

    /// A tree with symbolic links. Only [`Tree::link`] and [`Tree::list`] know of them.
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
        Ok(self.files.get(path.as_str()).cloned())
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
    fn text_that_is_not_utf8_is_refused_with_its_place() {
        let error = read_text(&Bytes(b"a\nb\xff"), &"x.json".parse().unwrap()).unwrap_err();
        assert_eq!(error.location().unwrap().to_string(), "x.json:2:2");
    }
}
