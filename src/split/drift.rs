//! Where manifests and lockfile disagree.
//!
//! `bun install --frozen-lockfile` accepts a manifest that lost a dependency or gained a workspace, so splitter
//! compares by itself. What one manifest asks for stands in the lockfile to the letter, whatever the group: Bun may
//! move a package that is named in two groups.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Manifest, Workspaces, manifest_path};
use crate::{
    lockfile::{LockedWorkspace, Lockfile, Requests},
    repo::RepoPath,
};

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Drift {
    /// A workspace that the lockfile does not know.
    WorkspaceAdded {
        /// Its folder.
        workspace: RepoPath,
    },
    /// A workspace of the lockfile that is no longer there.
    WorkspaceRemoved {
        /// Its folder.
        workspace: RepoPath,
    },
    /// A dependency that the lockfile does not know.
    Added {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// What the manifest asks for.
        specifier: String,
    },
    /// A dependency that the manifest no longer has.
    Removed {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
    },
    /// A dependency that was locked for another specifier.
    Changed {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// What the lockfile was made for.
        locked: String,
        /// What the manifest asks for.
        specifier: String,
    },
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

/// Finds all disagreements, sorted.
pub fn find(workspaces: &Workspaces, lockfile: &Lockfile) -> Vec<Drift> {
    let Requests::ByWorkspace(locked_workspaces) = &lockfile.requests else { return Vec::new() };
    let mut drifts = Vec::new();
    for (path, manifest) in workspaces {
        match locked_workspaces.get(path) {
            Some(locked) => compare(path, manifest, locked, &mut drifts),
            None if locked_workspaces.is_empty() => {}
            None => drifts.push(Drift::WorkspaceAdded { workspace: path.clone() }),
        }
    }
    let removed = locked_workspaces.keys().filter(|path| !workspaces.contains_key(*path));
    drifts.extend(removed.map(|path| Drift::WorkspaceRemoved { workspace: path.clone() }));
    drifts.sort();
    drifts
}

type Specifiers<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn compare(path: &RepoPath, manifest: &Manifest, locked: &LockedWorkspace, drifts: &mut Vec<Drift>) {
    let file = manifest_path(path);
    let wanted = specifiers(manifest.dependencies.values());
    let locked = specifiers(locked.dependencies.values());
    for (package, specifiers) in &wanted {
        let first = specifiers.first().copied().unwrap_or_default();
        match locked.get(package) {
            None => drifts.push(Drift::Added {
                manifest: file.clone(),
                package: (*package).to_owned(),
                specifier: first.to_owned(),
            }),
            Some(known) if known.is_disjoint(specifiers) => drifts.push(Drift::Changed {
                manifest: file.clone(),
                package: (*package).to_owned(),
                locked: known.first().copied().unwrap_or_default().to_owned(),
                specifier: first.to_owned(),
            }),
            Some(_) => {}
        }
    }
    let removed = locked.keys().filter(|package| !wanted.contains_key(*package));
    drifts.extend(removed.map(|package| Drift::Removed { manifest: file.clone(), package: (*package).to_owned() }));
}

fn specifiers<'a>(groups: impl Iterator<Item = &'a BTreeMap<String, String>>) -> Specifiers<'a> {
    let mut all = Specifiers::new();
    for (package, specifier) in groups.flatten() {
        all.entry(package).or_default().insert(specifier);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lockfile::bun, repo::MemoryTree, split::workspaces};

    #[test]
    fn every_disagreement_is_named() {
        let tree = MemoryTree::new([
            (
                "package.json",
                r#"{"workspaces": ["*"], "dependencies": {"same": "1", "new": "2"}, "peerDependencies": {"same": "2"}}"#,
            ),
            ("a/package.json", r#"{"devDependencies": {"moved": "1", "bumped": "2"}}"#),
            ("b/package.json", "{}"),
        ]);
        let lock = bun::parse(
            r#"{"lockfileVersion": 1, "workspaces": {"": {"dependencies": {"same": "1", "gone": "1"}},
                "a": {"dependencies": {"moved": "1", "bumped": "1"}}, "c": {}}}"#,
        )
        .unwrap();
        let drifts = find(&workspaces::read(&tree).unwrap(), &lock);
        let texts: Vec<_> = drifts.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "workspace `b` is not in the lockfile",
                "workspace `c` is in the lockfile, but has no package.json",
                "package.json: `new` (`2`) is not in the lockfile",
                "package.json: `gone` is in the lockfile, but not in the manifest",
                "a/package.json: `bumped` is locked for `1`, but the manifest has `2`",
            ]
        );
    }
}
