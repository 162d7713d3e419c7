//! [`Tree`]: the content of an archive, from files that may be anywhere.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The number of names that a path may have. Nix 2.34 refuses deeper archives ("exceeds maximum NAR directory depth of
/// 64", the root included). The limit also keeps a hostile path from exhausting the stack.
pub const DEEPEST: usize = 63;

/// A file, a link or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A regular file.
    File(File),
    /// A symbolic link with its target. The target may be any bytes, and is never followed.
    Symlink(Vec<u8>),
    /// A folder.
    Folder(Folder),
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The source of its bytes.
    pub source: Source,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// The source of a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file on disk, read when the tree is written or hashed. A link to one is followed.
    Disk(PathBuf),
    /// These bytes.
    Memory(Vec<u8>),
}

/// A folder. Its entries are in the order of an archive: by the bytes of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    entries: BTreeMap<Name, Tree>,
}

/// The name of an entry of a folder: any bytes except `/` and NUL, but not empty, `.` or `..`.
///
/// Names are bytes because file systems have bytes, and archives sort by bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Vec<u8>);

/// Why bytes are not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty.
    #[error("it is empty")]
    Empty,
    /// It is `.` or `..`, which mean other folders.
    #[error("it is `.` or `..`")]
    Dots,
    /// It contains a `/`, which separates two names.
    #[error("it contains `/`")]
    Slash,
    /// It contains a NUL, which no file system allows.
    #[error("it contains a NUL")]
    Nul,
}

/// Why something cannot be in a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A part of the path is not a valid name.
    #[error("a name in the path `{path}` cannot be in an archive: {why}")]
    Name {
        /// The whole path.
        path: String,
        /// The reason.
        why: NameError,
    },
    /// The path is already taken.
    #[error("`{path}` is in the archive twice")]
    Exists {
        /// The path.
        path: String,
    },
    /// A part of the path is a file or a link, which cannot have entries.
    #[error("`{path}` cannot be in the archive, because `{file}` is not a folder")]
    NotAFolder {
        /// The path.
        path: String,
        /// The part that is not a folder.
        file: String,
    },
    /// The path has more names than Nix allows.
    #[error("`{path}` is nested too deeply: Nix allows {DEEPEST} names in a path")]
    TooDeep {
        /// The path.
        path: String,
    },
}

impl Tree {
    /// Returns a file on disk that is not executable.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(File { source: Source::Disk(path.into()), executable: false })
    }

    /// Returns a file of these bytes that is not executable.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::File(File { source: Source::Memory(bytes.into()), executable: false })
    }

    /// Returns a link to `target`.
    pub fn symlink(target: impl Into<Vec<u8>>) -> Self {
        Self::Symlink(target.into())
    }
}

impl From<Folder> for Tree {
    fn from(folder: Folder) -> Self {
        Self::Folder(folder)
    }
}

impl Folder {
    /// Returns an empty folder.
    pub const fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// Puts `tree` at `path`, whose names are separated by `/`. Creates the missing folders above it.
    ///
    /// Nothing is ever replaced. On an error, nothing has changed.
    pub fn insert(&mut self, path: impl AsRef<[u8]>, tree: impl Into<Tree>) -> Result<(), TreeError> {
        let path = path.as_ref();
        let mut names = names_of(path)?;
        let Some(last) = names.pop() else {
            return Err(TreeError::Name { path: shown(path), why: NameError::Empty });
        };
        let folder = self.folder_at(&names, path)?;
        if folder.entries.contains_key(&last) {
            return Err(TreeError::Exists { path: shown(path) });
        }
        folder.entries.insert(last, tree.into());
        Ok(())
    }

    /// Returns the entries, in the order of their names.
    pub fn entries(&self) -> impl Iterator<Item = (&Name, &Tree)> {
        self.entries.iter()
    }

    /// Whether the folder is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the folder below this one at `names`, and creates it if it is missing. `path` is for error messages.
    fn folder_at(&mut self, names: &[Name], path: &[u8]) -> Result<&mut Self, TreeError> {
        let mut folder = self;
        for (index, name) in names.iter().enumerate() {
            match folder.entries.entry(name.clone()).or_insert_with(|| Tree::Folder(Self::new())) {
                Tree::Folder(next) => folder = next,
                Tree::File(_) | Tree::Symlink(_) => {
                    return Err(TreeError::NotAFolder { path: shown(path), file: joined(&names[..=index]) });
                }
            }
        }
        Ok(folder)
    }
}

impl FromIterator<(Name, Tree)> for Folder {
    fn from_iter<I: IntoIterator<Item = (Name, Tree)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl Name {
    /// Checks that these bytes are a name.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, NameError> {
        let bytes = bytes.into();
        match bytes.as_slice() {
            b"" => Err(NameError::Empty),
            b"." | b".." => Err(NameError::Dots),
            bytes if bytes.contains(&b'/') => Err(NameError::Slash),
            bytes if bytes.contains(&0) => Err(NameError::Nul),
            _ => Ok(Self(bytes)),
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Name {
    /// Writes the name as text, with a replacement character for bytes that are not UTF-8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

fn names_of(path: &[u8]) -> Result<Vec<Name>, TreeError> {
    let names: Result<Vec<Name>, NameError> = path.split(|byte| *byte == b'/').map(Name::new).collect();
    let names = names.map_err(|why| TreeError::Name { path: shown(path), why })?;
    if names.len() > DEEPEST {
        return Err(TreeError::TooDeep { path: shown(path) });
    }
    Ok(names)
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Joins `names` into a path, as text.
pub(super) fn joined<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(Name::to_string).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Folder) -> Vec<String> {
        folder.entries().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn entries_are_in_the_order_of_their_bytes() {
        let mut folder = Folder::new();
        for path in ["a.b", "ä", "a/x", "B", "a-b", "ab", ".a"] {
            folder.insert(path, Tree::bytes("")).unwrap();
        }
        assert_eq!(names(&folder), [".a", "B", "a", "a-b", "a.b", "ab", "ä"]);
    }

    #[test]
    fn nothing_is_replaced() {
        let mut folder = Folder::new();
        folder.insert("a/b", Tree::bytes("1")).unwrap();
        folder.insert("l", Tree::symlink("a")).unwrap();
        let before = folder.clone();
        for path in ["a/b", "a", "l"] {
            assert_eq!(folder.insert(path, Tree::bytes("2")), Err(TreeError::Exists { path: path.to_owned() }));
        }
        let error = folder.insert("a/b/c/d", Tree::bytes("2")).unwrap_err();
        assert_eq!(error.to_string(), "`a/b/c/d` cannot be in the archive, because `a/b` is not a folder");
        assert!(matches!(folder.insert("l/x", Tree::bytes("")), Err(TreeError::NotAFolder { .. })));
        assert_eq!(folder, before);
    }

    #[test]
    fn names_that_would_leave_the_tree_are_refused() {
        let mut folder = Folder::new();
        for (path, why) in [
            ("", NameError::Empty),
            ("/a", NameError::Empty),
            ("a/", NameError::Empty),
            ("a//b", NameError::Empty),
            ("./a", NameError::Dots),
            ("a/../b", NameError::Dots),
            ("a\0b", NameError::Nul),
        ] {
            assert_eq!(folder.insert(path, Tree::bytes("")), Err(TreeError::Name { path: path.to_owned(), why }));
        }
        assert!(folder.is_empty());
        assert_eq!(Name::new("a/b"), Err(NameError::Slash));
        assert!(Name::new("...").is_ok() && Name::new(".a").is_ok() && Name::new(b"\xff").is_ok());
    }

    #[test]
    fn paths_are_as_deep_as_nix_allows() {
        let mut folder = Folder::new();
        folder.insert(["d"; 63].join("/"), Tree::bytes("")).unwrap();
        let deeper = ["e"; 64].join("/");
        assert_eq!(folder.insert(&deeper, Tree::bytes("")), Err(TreeError::TooDeep { path: deeper }));
    }
}
