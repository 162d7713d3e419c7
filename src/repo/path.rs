//! [`RepoPath`]: a path that is always inside the repository.
//!
//! Lockfiles and manifests come from outside, so every path in them is checked here. It must be relative, stay in the
//! repository, and contain no control characters, since it is printed, written to JSON and read by Nix.

use std::{borrow::Borrow, fmt, iter, str::FromStr};

use camino::{Utf8Path, Utf8PathBuf};

/// A relative path inside the repository, with `/` between its parts. The root is the empty path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(String);

/// Why a text is not a [`RepoPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RepoPathError {
    /// It starts at the root of the file system, or with a drive letter.
    #[error("path is absolute; expected one relative to the repository")]
    Absolute,
    /// It has more `..` than folders to leave.
    #[error("path leaves the repository")]
    Leaves,
    /// It contains a control character.
    #[error("path contains a control character")]
    Control,
}

impl RepoPath {
    /// Returns the repository's root.
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Reads `text` as a path relative to `self`. Resolves `.` and `..` by name alone.
    pub fn resolve(&self, text: &str) -> Result<Self, RepoPathError> {
        if text.chars().any(char::is_control) {
            return Err(RepoPathError::Control);
        }
        let has_drive = text.len() > 1 && text.as_bytes()[1] == b':' && text.as_bytes()[0].is_ascii_alphabetic();
        if text.starts_with(['/', '\\']) || has_drive {
            return Err(RepoPathError::Absolute);
        }
        let mut parts: Vec<&str> = self.parts().collect();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(RepoPathError::Leaves)?;
                }
                name => parts.push(name),
            }
        }
        Ok(Self(parts.join("/")))
    }

    /// Reads a path made of names from directory listings, with `/` between them.
    pub(super) fn of_listed(text: String) -> Result<Self, RepoPathError> {
        if text.chars().any(char::is_control) { Err(RepoPathError::Control) } else { Ok(Self(text)) }
    }

    /// Returns the path of an entry in this folder. `name` must be a single part, as a directory listing gives it.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }

    /// Returns the path of something below this folder.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        if below.is_root() { self.clone() } else { self.child(below.as_str()) }
    }

    /// Returns the folder that contains this path. The root's parent is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned()))
    }

    /// Returns the last part. It is empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the parts. The root has none.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Whether this is the repository's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this path is `folder` or below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.is_root() || self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the part below `folder`, or `None` if the path is not in it.
    pub fn below(&self, folder: &Self) -> Option<&str> {
        if folder.is_root() {
            return Some(&self.0);
        }
        let rest = self.0.strip_prefix(&folder.0)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// Returns the path itself and the folders above it, the nearest first, the root last.
    pub fn upwards(&self) -> impl Iterator<Item = &str> {
        fn above<'p>(path: &&'p str) -> Option<&'p str> {
            path.rsplit_once('/').map(|(folder, _)| folder).or_else(|| (!path.is_empty()).then_some(""))
        }
        iter::successors(Some(self.as_str()), above)
    }

    /// Whether a sorted collection contains this path or one below it. `first` returns its first path from a given text
    /// on.
    pub fn holds_any<'p>(&self, first: impl Fn(&str) -> Option<&'p Self>) -> bool {
        // `a-b` sorts between `a` and `a/b`.
        let places = [self.0.clone(), format!("{}/", self.0)];
        places.iter().any(|place| first(place).is_some_and(|path| path.is_within(self)))
    }

    /// Returns the text, `""` for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path on disk, below the repository at `root`.
    pub fn on_disk(&self, root: &Utf8Path) -> Utf8PathBuf {
        if self.is_root() { root.to_owned() } else { root.join(&self.0) }
    }
}

impl FromStr for RepoPath {
    type Err = RepoPathError;

    fn from_str(text: &str) -> Result<Self, RepoPathError> {
        Self::root().resolve(text)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl Borrow<str> for RepoPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for RepoPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for RepoPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, ops::Bound};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_folders_above_are_in_order() {
        let upwards = |path: &str| path.parse::<RepoPath>().unwrap().upwards().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(upwards("a/b/c"), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(upwards(""), [""]);
    }

    #[test]
    fn a_folder_holds_itself_and_what_is_below_it_alone() {
        let paths: BTreeSet<RepoPath> = ["a-b", "a/b", "c"].map(|path| path.parse().unwrap()).into();
        let first = |from: &str| paths.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next();
        let holds = |path: &str| path.parse::<RepoPath>().unwrap().holds_any(first);
        assert_eq!(["", "a", "a/b", "a/b/c", "a-", "c", "b"].map(holds), [true, true, true, false, false, true, false]);
        assert!(!RepoPath::root().holds_any(|_| None));
    }

    #[test]
    fn paths_are_resolved_by_name() {
        let web: RepoPath = "apps/web".parse().unwrap();
        assert_eq!(web.resolve("../../packages/./ui/").unwrap().as_str(), "packages/ui");
        assert_eq!(web.resolve("../..").unwrap(), RepoPath::root());
        assert_eq!(web.resolve("../../.."), Err(RepoPathError::Leaves));
        assert_eq!(web.resolve("/etc/passwd"), Err(RepoPathError::Absolute));
        assert_eq!(web.resolve("C:/x"), Err(RepoPathError::Absolute));
        assert_eq!(web.resolve("a\u{7}b"), Err(RepoPathError::Control));
    }

    #[test]
    fn a_folder_holds_itself_and_what_lies_below() {
        let app: RepoPath = "apps/web".parse().unwrap();
        let file: RepoPath = "apps/web/src/a.ts".parse().unwrap();
        let neighbour: RepoPath = "apps/webhook".parse().unwrap();
        assert!(file.is_within(&app) && app.is_within(&app) && file.is_within(&RepoPath::root()));
        assert!(!neighbour.is_within(&app));
        assert_eq!(file.below(&app), Some("src/a.ts"));
        assert_eq!(file.below(&RepoPath::root()), Some("apps/web/src/a.ts"));
        assert_eq!(neighbour.below(&app), None);
        assert_eq!((file.parent().as_str(), file.file_name()), ("apps/web/src", "a.ts"));
    }

    proptest! {
        #[test]
        fn no_text_leaves_the_repository(text in "\\PC{0,40}") {
            if let Ok(path) = text.parse::<RepoPath>() {
                prop_assert!(path.parts().all(|part| part != ".." && part != "."));
                prop_assert!(!path.as_str().starts_with('/'));
                prop_assert_eq!(path.as_str().parse::<RepoPath>().unwrap(), path);
            }
        }
    }
}
