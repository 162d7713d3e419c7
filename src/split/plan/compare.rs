//! Which derivations differ between two states of a repository, and what causes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Derivations, Id, judge::verdicts};
use crate::{
    names::{MANIFEST, RC_FILES, RECORD, SETTINGS},
    repo::{
        RepoPath,
        states::{FileState, FileStates},
    },
};

/// Whether splitter reads its settings, registries or workspaces from a file of this name.
fn is_choice(name: &str) -> bool {
    [SETTINGS, MANIFEST].contains(&name) || RC_FILES.contains(&name)
}

/// How a thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content is another.
    Changed,
    /// Only its kind is another: the executable bit, or a link in place of a file.
    Mode,
}

/// What happens to a derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It stays as it is.
    Kept,
    /// It is another one, which Nix builds anew.
    Rebuilt,
    /// Whether it is another one only Nix can tell: files of Nix differ.
    Unsure,
    /// There was none before.
    Added,
    /// There is none any more.
    Removed,
}

/// Why a derivation differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// A derivation that it is built from differs.
    Derivation {
        /// Which.
        name: String,
    },
    /// A locked package differs.
    Package {
        /// Its name.
        name: String,
        /// The versions before.
        from: Vec<String>,
        /// The versions after.
        to: Vec<String>,
        /// The workspaces whose manifests ask for it; none where only other packages do.
        workspaces: Vec<RepoPath>,
    },
    /// A source file differs.
    Source {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
        /// The workspaces from the one that is built to the one that holds the file, both included.
        way: Vec<RepoPath>,
    },
    /// A root file that it is built from differs.
    RootFile {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
        /// The workspaces from the one that is built to one that reads it, both included; none where every build does.
        way: Vec<RepoPath>,
    },
    /// A workspace came to those that it is built from, or left them; or a library that shows only its build now shows
    /// its sources, or no longer.
    Workspace {
        /// Its folder.
        path: RepoPath,
        /// How.
        change: Change,
        /// The workspaces from the one that is built to it.
        way: Vec<RepoPath>,
    },
    /// A file differs that is read as it is: the lockfile, a patch, a plugin.
    File {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
    },
    /// Fields of a manifest differ that an install reads.
    Manifest {
        /// The manifest.
        path: RepoPath,
        /// What differs in it, in words.
        fields: Vec<String>,
    },
    /// Settings of an rc file differ that decide an install.
    Settings {
        /// The file.
        path: RepoPath,
    },
    /// A choice or a finding differs.
    Setting {
        /// What it is about.
        name: String,
        /// What it was.
        from: Option<String>,
        /// What it is.
        to: Option<String>,
    },
    /// A file of Nix differs; only Nix can tell whether that matters.
    Nix {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
    },
}

/// What happens to a derivation, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happens.
    pub effect: Effect,
    /// Why; none for what stays, comes or goes.
    pub causes: Vec<Cause>,
}

/// Two states of a repository, compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What happens to each derivation of either state, dependencies first.
    pub verdicts: BTreeMap<Id, Verdict>,
    /// All files that differ.
    pub files: BTreeMap<RepoPath, Change>,
    /// Those of them that cause nothing.
    pub idle: BTreeSet<RepoPath>,
}

impl Comparison {
    /// What happens to a derivation; one that is in neither state stays as it is.
    pub fn effect(&self, id: &Id) -> Effect {
        self.verdicts.get(id).map_or(Effect::Kept, |verdict| verdict.effect)
    }
}

/// Compares two states.
pub fn compare(before: &Derivations, after: &Derivations) -> Comparison {
    let mut comparison =
        Comparison { files: file_changes(Some(&before.files), Some(&after.files)), ..Comparison::default() };
    comparison.verdicts = verdicts(before, after);
    comparison.idle = idle(&comparison);
    comparison
}

/// The files that cause nothing.
fn idle(comparison: &Comparison) -> BTreeSet<RepoPath> {
    let causes = || comparison.verdicts.values().flat_map(|verdict| &verdict.causes);
    let used: BTreeSet<&RepoPath> = causes().filter_map(file_of).collect();
    // What splitter itself finds out is of no one file.
    let is_found = causes().any(|cause| !matches!(cause, Cause::Derivation { .. }) && file_of(cause).is_none());
    let is_idle = |path: &&RepoPath| {
        !used.contains(path) && path.as_str() != RECORD && !(is_found && is_choice(path.file_name()))
    };
    comparison.files.keys().filter(is_idle).cloned().collect()
}

pub(super) fn file_of(cause: &Cause) -> Option<&RepoPath> {
    match cause {
        Cause::Source { path, .. }
        | Cause::RootFile { path, .. }
        | Cause::File { path, .. }
        | Cause::Manifest { path, .. }
        | Cause::Settings { path }
        | Cause::Nix { path, .. } => Some(path),
        Cause::Derivation { .. } | Cause::Package { .. } | Cause::Workspace { .. } | Cause::Setting { .. } => None,
    }
}

pub(super) fn file_changes(before: Option<&FileStates>, after: Option<&FileStates>) -> BTreeMap<RepoPath, Change> {
    let none = FileStates::new();
    let (before, after) = (before.unwrap_or(&none), after.unwrap_or(&none));
    let mut changes = BTreeMap::new();
    for (path, state) in after {
        if let Some(change) = change(before.get(path), Some(state)) {
            changes.insert(path.clone(), change);
        }
    }
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    changes.extend(gone.map(|path| (path.clone(), Change::Removed)));
    changes
}

/// How a file differs, if it does.
pub(super) fn change(before: Option<&FileState>, after: Option<&FileState>) -> Option<Change> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) if before.content == after.content => Some(Change::Mode),
        _ => Some(Change::Changed),
    }
}
