//! What a traced build notes: the JSON that `tools/trace.mjs` writes.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::repo::RepoPath;

/// The version of the format that this program reads.
const VERSION: u32 = 1;

/// What the command of a build did to the files of the repository. Paths are relative to its root, with links followed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    version: u32,
    /// The command. `None` if the build has none, or has a build phase of its own.
    pub command: Option<String>,
    /// Its exit code.
    #[serde(default)]
    pub exit: i32,
    /// How long it ran.
    #[serde(default)]
    pub seconds: f64,
    /// The last lines that it printed.
    #[serde(default)]
    pub log: Vec<String>,
    /// Files that it opened for reading before it wrote them itself.
    #[serde(default)]
    pub read: Paths,
    /// Files that it asked about and did not open.
    #[serde(default)]
    pub seen: Paths,
    /// Folders that it listed.
    #[serde(default)]
    pub listed: Paths,
    /// Paths that it looked for and that never existed.
    #[serde(default)]
    pub missing: Paths,
    /// Paths that it looked for before it made them itself.
    #[serde(default)]
    pub made: Paths,
    /// Packages in folders `node_modules` that it looked for and that never existed.
    #[serde(default)]
    pub packages: Paths,
}

/// Sorted paths. A name that no file of a repository can have is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Paths(pub BTreeSet<RepoPath>);

impl From<Vec<String>> for Paths {
    fn from(paths: Vec<String>) -> Self {
        Self(paths.iter().filter_map(|path| path.parse().ok()).collect())
    }
}

impl Note {
    /// Reads a note. Returns `None` for another text, or another version.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|note: &Self| note.version == VERSION)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_note_has_paths_of_the_repository() {
        let note = Note::parse(r#"{"version": 1, "command": "tsc", "exit": 2, "read": ["a/b", "../c", ""]}"#).unwrap();
        assert_eq!((note.command.as_deref(), note.exit), (Some("tsc"), 2));
        let read: Vec<_> = note.read.0.iter().map(RepoPath::as_str).collect();
        assert_eq!(read, ["", "a/b"]);
        assert_eq!(Note::parse(r#"{"version": 1, "command": null}"#).unwrap().command, None);
        assert!(Note::parse(r#"{"version": 2, "command": null}"#).is_none() && Note::parse("x").is_none());
    }

    proptest! {
        #[test]
        fn no_note_panics(text in "\\PC{0,40}", fields in "(,\"(command|exit|seconds|log|read|made)\":(null|-?[0-9.e]{1,12}|\"\\PC{0,9}\"|\\[(\"[a./]{0,9}\",?)?\\])){0,4}") {
            let _ = (Note::parse(&text), Note::parse(&format!("{{\"version\":1{fields}}}")));
        }
    }
}
