//! Drift of a `bun.lock`.
//!
//! splitter compares the manifests with the lockfile itself, because `bun install --frozen-lockfile` accepts a manifest that
//! lost a dependency or gained a workspace. The lockfile repeats each specifier of a manifest literally. The dependency group
//! is ignored: if a manifest lists a package in two groups, Bun may lock it in either.

use std::collections::BTreeMap;

use super::{Drift, specifiers};
use crate::{
    lockfile::LockedWorkspace,
    repo::RepoPath,
    split::{Manifest, Workspaces, manifest_path},
};

/// Finds drift in a lockfile that records workspaces.
pub(super) fn find(workspaces: &Workspaces, locked_workspaces: &BTreeMap<RepoPath, LockedWorkspace>) -> Vec<Drift> {
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

/// Whether the specifier in the lockfile matches the one in the manifest. Yarn 4 writes `npm:` before versions and tags.
fn agree(locked: &str, specifier: &str) -> bool {
    locked == specifier || locked.strip_prefix("npm:") == Some(specifier)
}

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

#[cfg(test)]
mod tests {
    use crate::{
        managers::bun::lockfile as bun,
        repo::MemoryTree,
        split::{lock::drift, workspaces},
    };

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
        let drifts =
            drift::find(&tree, &workspaces::read(&tree).unwrap(), &workspaces::Workspaces::new(), &lock).unwrap();
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
