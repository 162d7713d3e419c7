//! Drift of a `yarn.lock` of Yarn 1, which records descriptors, and no workspaces.

use std::collections::BTreeMap;

use nodejs_semver::{Range, Version};

use super::{Drift, specifiers};
use crate::{
    lockfile::DependencyGroup,
    repo::RepoPath,
    split::{Manifest, Workspaces, manifest_path},
};

/// Finds drift that Yarn 1's own `--frozen-lockfile` misses in workspaces. Three things are no drift: descriptors that no
/// manifest asks for (nothing is installed for them), peer dependencies (Yarn 1 does not install them), and links.
pub(super) fn find(workspaces: &Workspaces, locked: &BTreeMap<String, usize>) -> Vec<Drift> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lockfile::{Format, Lockfile, Requests},
        repo::MemoryTree,
        split::{lock::drift, workspaces},
    };

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
        let drifts = drift::find(&workspaces::read(&tree).unwrap(), &lock, "1.22.22");
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
