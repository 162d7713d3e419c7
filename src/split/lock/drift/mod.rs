//! Finds drift: places where the manifests and the lockfile disagree.
//!
//! Each package manager records something else in its lockfile, so each one has its own rules.

mod bun;
mod yarn_berry;
mod yarn_classic;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    lockfile::{Format, Lockfile, Requests},
    repo::RepoPath,
    split::Workspaces,
};

/// One difference between a manifest and the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Drift {
    /// A workspace is missing in the lockfile.
    WorkspaceAdded {
        /// The folder of the workspace.
        workspace: RepoPath,
    },
    /// A workspace in the lockfile no longer exists.
    WorkspaceRemoved {
        /// The folder of the workspace.
        workspace: RepoPath,
    },
    /// A dependency is missing in the lockfile.
    Added {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The specifier in the manifest.
        specifier: String,
    },
    /// A dependency in the lockfile is missing in the manifest.
    Removed {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
    },
    /// The specifiers of a dependency differ.
    Changed {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The specifier in the lockfile.
        locked: String,
        /// The specifier in the manifest.
        specifier: String,
    },
}

impl Drift {
    /// Returns the file to report: the manifest, or the lockfile if a whole workspace differs.
    pub fn file<'a>(&'a self, lockfile: &'a str) -> &'a str {
        match self {
            Self::WorkspaceAdded { .. } | Self::WorkspaceRemoved { .. } => lockfile,
            Self::Added { manifest, .. } | Self::Removed { manifest, .. } | Self::Changed { manifest, .. } => {
                manifest.as_str()
            }
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkspaceAdded { workspace } => write!(f, "workspace `{workspace}` is not in the lockfile"),
            Self::WorkspaceRemoved { workspace } => {
                write!(f, "workspace `{workspace}` is in the lockfile, but has no package.json")
            }
            Self::Added { manifest, package, specifier } => {
                write!(f, "{manifest}: `{package}` (`{specifier}`) is not in the lockfile")
            }
            Self::Removed { manifest, package } => {
                write!(f, "{manifest}: `{package}` is in the lockfile, but not in the manifest")
            }
            Self::Changed { manifest, package, locked, specifier } => {
                write!(f, "{manifest}: `{package}` is locked for `{locked}`, but the manifest has `{specifier}`")
            }
        }
    }
}

/// Finds all drift, sorted.
pub fn find(workspaces: &Workspaces, lockfile: &Lockfile) -> Vec<Drift> {
    let mut drifts = match (&lockfile.requests, lockfile.format) {
        (Requests::ByDescriptor(locked), _) => yarn_classic::find(workspaces, locked),
        (Requests::ByWorkspace(locked), Format::Bun(_)) => bun::find(workspaces, locked),
        (Requests::ByWorkspace(locked), _) => yarn_berry::find(workspaces, locked),
    };
    drifts.sort();
    drifts
}

type Specifiers<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn specifiers<'a>(groups: impl Iterator<Item = &'a BTreeMap<String, String>>) -> Specifiers<'a> {
    let mut all = Specifiers::new();
    for (package, specifier) in groups.flatten() {
        all.entry(package).or_default().insert(specifier);
    }
    all
}
