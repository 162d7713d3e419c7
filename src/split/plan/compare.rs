//! Compares two states of a repository: which derivations differ, and why.

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

/// Whether splitter reads settings, registries or workspaces from files with this name.
fn is_choice(name: &str) -> bool {
    [SETTINGS, MANIFEST].contains(&name) || RC_FILES.contains(&name)
}

/// The kind of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Only the new state has it.
    Added,
    /// Only the old state has it.
    Removed,
    /// Its content changed.
    Changed,
    /// Only its kind changed: the executable bit, or a link instead of a file.
    Mode,
}

/// What happens to a derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It does not change.
    Kept,
    /// It changed, so Nix rebuilds it.
    Rebuilt,
    /// Nix files changed, so only Nix can tell whether the derivation changed.
    Unsure,
    /// The old state does not have it.
    Added,
    /// The new state does not have it.
    Removed,
}

/// Why a derivation differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// A derivation that it is built from differs.
    Derivation {
        /// The name of that derivation.
        name: String,
    },
    /// A locked package differs.
    Package {
        /// The name of the package.
        name: String,
        /// The old versions.
        from: Vec<String>,
        /// The new versions.
        to: Vec<String>,
        /// The workspaces whose manifests lead to these versions: to the new ones, or to the old ones if there are no new ones.
        /// Empty if only other packages do.
        workspaces: Vec<RepoPath>,
        /// The packages that require these versions.
        packages: Vec<String>,
    },
    /// A source file differs.
    Source {
        /// The file.
        path: RepoPath,
        /// How it differs.
        change: Change,
        /// The workspaces from the one that is built to the one with the file, including both.
        way: Vec<RepoPath>,
    },
    /// A root file that it is built from differs.
    RootFile {
        /// The file.
        path: RepoPath,
        /// How it differs.
        change: Change,
        /// The workspaces from the one that is built to one that reads the file, including both. Empty if every build reads it.
        way: Vec<RepoPath>,
    },
    /// The derivation gains or loses a workspace that it is built from. `Changed` means that the workspace now shows its
    /// sources instead of only its build output, or the other way round.
    Workspace {
        /// The folder of the workspace.
        path: RepoPath,
        /// How it differs.
        change: Change,
        /// The workspaces from the one that is built to this one.
        way: Vec<RepoPath>,
    },
    /// A file differs whose whole content counts: the lockfile, a patch, a plugin.
    File {
        /// The file.
        path: RepoPath,
        /// How it differs.
        change: Change,
    },
    /// Fields of a manifest differ that builds or installs read.
    Manifest {
        /// The manifest.
        path: RepoPath,
        /// The differences, in words.
        fields: Vec<String>,
    },
    /// Settings of an rc file differ that an install reads.
    Settings {
        /// The file.
        path: RepoPath,
    },
    /// A choice of the user or a result of detection differs.
    Setting {
        /// The name of the setting.
        name: String,
        /// The old value.
        from: Option<String>,
        /// The new value.
        to: Option<String>,
    },
    /// A Nix file differs. Only Nix can tell whether that matters.
    Nix {
        /// The file.
        path: RepoPath,
        /// How it differs.
        change: Change,
    },
}

/// What happens to a derivation, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happens.
    pub effect: Effect,
    /// Why. Empty if the derivation is kept, added or removed.
    pub causes: Vec<Cause>,
}

/// The result of comparing two states of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The verdict for each derivation of either state, dependencies first.
    pub verdicts: BTreeMap<Id, Verdict>,
    /// All files that differ.
    pub files: BTreeMap<RepoPath, Change>,
    /// The files that differ but change no derivation.
    pub idle: BTreeSet<RepoPath>,
}

impl Comparison {
    /// Returns what happens to a derivation. A derivation in neither state counts as kept.
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

/// Returns the files that differ but change no derivation.
fn idle(comparison: &Comparison) -> BTreeSet<RepoPath> {
    let causes = || comparison.verdicts.values().flat_map(|verdict| &verdict.causes);
    let used: BTreeSet<&RepoPath> = causes().filter_map(file_of).collect();
    // Settings and packages cannot be traced to one file, so any file that splitter reads may be the reason.
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

/// Returns how a file differs, or `None` if it is the same.
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
