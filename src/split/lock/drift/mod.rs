//! Finds drift: places where the manifests and the lockfile disagree.
//!
//! Each package manager records something else in its lockfile, so each one has its own rules.

mod bun;
mod ranges;
mod resolutions;
mod yarn_berry;
mod yarn_classic;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    lockfile::{Lockfile, Requests},
    repo::{RepoPath, Tree},
    split::{SplitError, Workspaces},
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
    /// A setting differs from what the lockfile was written for.
    Setting {
        /// The file of the setting.
        file: RepoPath,
        /// The setting.
        setting: String,
        /// What the lockfile was written for, if it is known.
        locked: Option<String>,
        /// The value in the file, if it is set.
        found: Option<String>,
    },
    /// A package in the lockfile depends on something that the lockfile does not have.
    Unlocked {
        /// The package that depends on it, as a locator.
        dependent: String,
        /// The package.
        package: String,
        /// The range.
        range: String,
        /// The ranges that the lockfile has instead.
        locked: Option<String>,
    },
    /// Nothing asks for a descriptor in the lockfile.
    Unused {
        /// The descriptor.
        descriptor: String,
    },
}

impl Drift {
    fn setting(file: &RepoPath, setting: &str, found: Option<&str>, locked: Option<&str>) -> Self {
        let (found, locked) = (found.map(str::to_owned), locked.map(str::to_owned));
        Self::Setting { file: file.clone(), setting: setting.to_owned(), locked, found }
    }

    /// Returns the manifest and the package, if one dependency differs.
    fn dependency(&self) -> Option<(&RepoPath, &str)> {
        match self {
            Self::Added { manifest, package, .. }
            | Self::Removed { manifest, package }
            | Self::Changed { manifest, package, .. } => Some((manifest, package)),
            _ => None,
        }
    }

    /// Returns the file to report: the manifest, or the lockfile if a whole workspace differs.
    pub fn file<'a>(&'a self, lockfile: &'a str) -> &'a str {
        match self {
            Self::WorkspaceAdded { .. }
            | Self::WorkspaceRemoved { .. }
            | Self::Unlocked { .. }
            | Self::Unused { .. } => lockfile,
            Self::Setting { file, .. } => file.as_str(),
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
            Self::Setting { file, setting, locked, found } => {
                match found {
                    Some(found) => write!(f, "{file}: `{setting}` is `{found}`")?,
                    None => write!(f, "{file}: `{setting}` is not set")?,
                }
                match (locked, found) {
                    (Some(locked), _) => write!(f, ", but the lockfile was written for `{locked}`"),
                    (None, Some(_)) => f.write_str(", but the lockfile was written without it"),
                    (None, None) => Ok(()),
                }
            }
            Self::Unlocked { dependent, package, range, locked } => {
                write!(f, "`{dependent}` depends on `{package}@{range}`")?;
                match locked {
                    Some(locked) => write!(f, ", but the lockfile has `{locked}`"),
                    None => f.write_str(", which is not in the lockfile"),
                }
            }
            Self::Unused { descriptor } => write!(f, "`{descriptor}` is in the lockfile, but nothing asks for it"),
        }
    }
}

/// Finds all drift, sorted. `linked` holds the manifests of folders that workspaces link to.
pub fn find(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    linked: &Workspaces,
    lockfile: &Lockfile,
) -> Result<Vec<Drift>, SplitError> {
    let mut drifts = match &lockfile.requests {
        Requests::ByDescriptor(locked) => yarn_classic::find(tree, workspaces, locked)?,
        Requests::ByWorkspace(locked) => bun::find(workspaces, locked),
        Requests::ByEntry(locked) => yarn_berry::find(tree, workspaces, linked, lockfile, locked)?,
    };
    drifts.sort();
    drifts.dedup();
    Ok(drifts)
}

type Specifiers<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn specifiers<'a>(groups: impl Iterator<Item = &'a BTreeMap<String, String>>) -> Specifiers<'a> {
    let mut all = Specifiers::new();
    for (package, specifier) in groups.flatten() {
        all.entry(package).or_default().insert(specifier);
    }
    all
}
