//! Finds drift: places where the manifests and the lockfile disagree.
//!
//! splitter compares them itself, because `bun install --frozen-lockfile` accepts a manifest that lost a dependency or
//! gained a workspace. The lockfile repeats each specifier of a manifest literally. The dependency group is ignored: if a
//! manifest lists a package in two groups, Bun may lock it in either.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use nodejs_semver::{Range, Version};

use crate::split::{Manifest, Workspaces, manifest_path};
use crate::{
    lockfile::{DependencyGroup, LockedWorkspace, Lockfile, Requests},
    repo::RepoPath,
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
    let mut drifts = match &lockfile.requests {
        Requests::ByWorkspace(locked) => by_workspace(workspaces, locked),
        Requests::ByDescriptor(locked) => by_descriptor(workspaces, locked),
    };
    drifts.sort();
    drifts
}

fn by_workspace(workspaces: &Workspaces, locked_workspaces: &BTreeMap<RepoPath, LockedWorkspace>) -> Vec<Drift> {
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
    drifts
}

/// Finds drift that Yarn 1's own `--frozen-lockfile` misses in workspaces. Three things are no drift: descriptors that no
/// manifest asks for (nothing is installed for them), peer dependencies (Yarn 1 does not install them), and links.
fn by_descriptor(workspaces: &Workspaces, locked: &BTreeMap<String, usize>) -> Vec<Drift> {
    let siblings: BTreeMap<&str, &Manifest> =
        workspaces.values().map(|manifest| (manifest.name.as_str(), manifest)).collect();
    let mut drifts = Vec::new();
    for (path, manifest) in workspaces {
        let installed = manifest.dependencies.iter().filter(|(group, _)| **group != DependencyGroup::Peer);
        for (package, ranges) in specifiers(installed.map(|(_, specifiers)| specifiers)) {
            let is_met = |range: &&str| {
                range.starts_with("link:")
                    || locked.contains_key(&descriptor(package, range))
                    || local_descriptors(path, package, range).iter().any(|key| locked.contains_key(key))
                    || siblings.get(package).is_some_and(|sibling| satisfies(sibling, range))
            };
            if ranges.iter().any(is_met) {
                continue;
            }
            let specifier = ranges.first().copied().unwrap_or_default().to_owned();
            drifts.push(Drift::Added { manifest: manifest_path(path), package: package.to_owned(), specifier });
        }
    }
    drifts
}

/// Descriptors that Yarn 1 may use for a local package of a workspace. Yarn 1 writes its path from the root.
fn local_descriptors(workspace: &RepoPath, package: &str, range: &str) -> Vec<String> {
    let path = range.strip_prefix("file:").unwrap_or(range);
    if path == range && !path.starts_with('.') {
        return Vec::new();
    }
    let Ok(path) = workspace.resolve(path) else { return Vec::new() };
    ["file:", "file:./", "./", ""].iter().map(|start| descriptor(package, &format!("{start}{path}"))).collect()
}

/// Whether Yarn 1 links this workspace for a range. If its version does not match, Yarn 1 asks the registry.
fn satisfies(workspace: &Manifest, range: &str) -> bool {
    let version = workspace.json.get("version").and_then(serde_json::Value::as_str);
    let Some(Ok(version)) = version.map(Version::parse) else { return false };
    range.is_empty() || Range::parse(range).is_ok_and(|range| range.satisfies(&version))
}

/// `name@range`, the key of a request in a lockfile of Yarn 1.
fn descriptor(package: &str, range: &str) -> String {
    [package, "@", range].concat()
}

/// Whether the specifier in the lockfile matches the one in the manifest. Yarn 4 writes `npm:` before versions and tags.
fn agree(locked: &str, specifier: &str) -> bool {
    locked == specifier || locked.strip_prefix("npm:") == Some(specifier)
}

type Specifiers<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn compare(path: &RepoPath, manifest: &Manifest, locked: &LockedWorkspace, drifts: &mut Vec<Drift>) {
    let file = manifest_path(path);
    let wanted = specifiers(manifest.dependencies.values());
    let locked = specifiers(locked.dependencies.values());
    for (package, specifiers) in &wanted {
        let first = specifiers.first().copied().unwrap_or_default();
        let Some(known) = locked.get(package) else {
            drifts.push(Drift::Added {
                manifest: file.clone(),
                package: (*package).to_owned(),
                specifier: first.to_owned(),
            });
            continue;
        };
        if !known.iter().any(|known| specifiers.iter().any(|specifier| agree(known, specifier))) {
            drifts.push(Drift::Changed {
                manifest: file.clone(),
                package: (*package).to_owned(),
                locked: known.first().copied().unwrap_or_default().to_owned(),
                specifier: first.to_owned(),
            });
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
    use crate::{lockfile::Format, managers::bun::lockfile as bun, repo::MemoryTree, split::workspaces};

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

    #[test]
    fn the_lockfile_of_yarn_1_must_have_what_every_manifest_asks_for() {
        let tree = MemoryTree::new([
            (
                "package.json",
                r#"{"workspaces": ["*"], "dependencies": {"react": "^18", "any": "", "here": "link:./x"}, "peerDependencies": {"vue": "*"}}"#,
            ),
            ("a/package.json", r#"{"name": "a", "version": "1.1.0", "devDependencies": {"react": "^19"}}"#),
            (
                "b/package.json",
                r#"{"name": "b", "version": "1.0.0", "dependencies": {"a": "^1.0.0", "x": "npm:y@1", "lib": "file:../lib/f"}}"#,
            ),
            ("c/package.json", r#"{"name": "c", "version": "1.0.0", "dependencies": {"a": "^2.0.0", "b": "*"}}"#),
        ]);
        let keys = ["react@^18", "any@", "x@npm:y@1", "lib@file:lib/f", "gone@1"];
        let keys = keys.iter().enumerate().map(|(index, key)| ((*key).to_owned(), index)).collect();
        let lock = Lockfile {
            format: Format::YarnClassic,
            requests: Requests::ByDescriptor(keys),
            packages: Vec::new(),
            patches: BTreeMap::new(),
            digest: String::new(),
            warnings: Vec::new(),
        };
        let drifts = find(&workspaces::read(&tree).unwrap(), &lock);
        let texts: Vec<_> = drifts.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "a/package.json: `react` (`^19`) is not in the lockfile",
                "c/package.json: `a` (`^2.0.0`) is not in the lockfile",
            ]
        );
    }
}
