//! A working tree with edits that exist only in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{ProofError, State, scratch::content};
use crate::repo::{
    Entry, EntryKind, Link, RepoPath, Tree, TreeError, WorkTree,
    states::{FileKind, FileState, FileStates},
};

/// A working tree with changed and new files.
#[derive(Debug, Clone)]
pub(super) struct EditedTree {
    /// The working tree before the edits.
    pub(super) base: WorkTree,
    /// The contents of the changed and new files.
    pub(super) edits: BTreeMap<RepoPath, Vec<u8>>,
}

impl EditedTree {
    /// Returns the states of its files. `files` are the states in `base`.
    pub(super) fn states(&self, files: &FileStates) -> FileStates {
        let mut states = files.clone();
        let is_long = files.values().next().is_some_and(|state| state.content.len() > 40);
        for (path, content) in &self.edits {
            let kind = files.get(path).map_or(FileKind::Plain, |state| state.kind);
            states.insert(path.clone(), FileState::new(content, kind, is_long));
        }
        states
    }
}

/// Returns the state of a working tree after one more line in a file, or with a new file.
pub fn after_edit(state: &State, tree: &WorkTree, path: &RepoPath) -> Result<State, ProofError> {
    let content = [content(tree, path)?.as_slice(), b"\n"].concat();
    let tree = EditedTree { base: tree.clone(), edits: BTreeMap::from([(path.clone(), content)]) };
    let files = tree.states(state.derivations.files());
    Ok(State::of(Box::new(tree), files, state.place.clone())?)
}

/// Returns the state of a working tree with other contents of these files.
pub fn with_files(state: &State, tree: &WorkTree, edits: &BTreeMap<RepoPath, Vec<u8>>) -> Result<State, ProofError> {
    let tree = EditedTree { base: tree.clone(), edits: edits.clone() };
    let files = tree.states(state.derivations.files());
    Ok(State::of(Box::new(tree), files, state.place.clone())?)
}

impl Tree for EditedTree {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        match self.edits.get(path) {
            Some(content) => Ok(Some(content.clone())),
            None => self.base.read(path),
        }
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        self.base.link(path)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let mut entries = self.base.list(folder)?;
        for path in self.edits.keys().filter(|path| path.parent() == *folder) {
            if !entries.iter().any(|entry| entry.name == path.file_name()) {
                entries.push(Entry { name: path.file_name().to_owned(), kind: EntryKind::File });
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn unignored_files(&self, folder: &RepoPath) -> Result<Vec<String>, TreeError> {
        self.base.unignored_files(folder)
    }

    fn is_ignored(&self, path: &RepoPath) -> Result<bool, TreeError> {
        self.base.is_ignored(path)
    }

    fn ignored(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        self.base.ignored(paths)
    }

    fn links(&self) -> Result<Vec<Link>, TreeError> {
        self.base.links()
    }

    fn submodules(&self) -> Result<Vec<RepoPath>, TreeError> {
        self.base.submodules()
    }

    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        Ok(self.edits.contains_key(path) || self.base.is_file(path)?)
    }
}
