//! The workspaces: the folders that [`patterns`] finds, and their manifests.

pub mod copies;
pub mod detect;
pub mod graph;
mod lerna;
pub(super) mod links;
pub(super) mod manifest;
pub(in crate::split) mod patterns;
mod read;
pub(super) mod tasks;

use std::collections::BTreeMap;

#[cfg(test)]
pub(super) use self::read::read;
pub(super) use self::read::{Found, read_as, root};
use crate::managers::ManagerName;
use crate::repo::{RepoPath, Tree, read_parsed};
use crate::split::{Manifest, SplitError};

/// A workspace: its folder, and its manifest.
pub type Workspaces = BTreeMap<RepoPath, Manifest>;

/// The manifest in a folder, or none.
fn manifest(tree: &dyn Tree, folder: &RepoPath, manager: ManagerName) -> Result<Option<Manifest>, SplitError> {
    let path = manifest_path(folder);
    let Some(text) = read_parsed(tree, &path)? else { return Ok(None) };
    Ok(Some(Manifest::read(&path, &text, manager)?))
}

/// Where the manifest of a folder lies.
pub fn manifest_path(folder: &RepoPath) -> RepoPath {
    folder.child("package.json")
}

/// The folders of workspaces by their names. The root may share its name with another one, and then comes first.
pub(super) fn by_name(workspaces: &Workspaces) -> BTreeMap<&str, &RepoPath> {
    let mut by_name = BTreeMap::new();
    for (path, manifest) in workspaces {
        by_name.entry(manifest.name.as_str()).or_insert(path);
    }
    by_name
}

fn refuse_equal_names(workspaces: &Workspaces) -> Result<(), SplitError> {
    let mut seen: BTreeMap<&str, &RepoPath> = BTreeMap::new();
    // The root may share a name with a workspace: no dependency means the root.
    let named = workspaces.iter().filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty());
    for (path, manifest) in named {
        if let Some(first) = seen.insert(&manifest.name, path) {
            return Err(SplitError::EqualNames {
                name: manifest.name.clone(),
                first: first.clone(),
                second: path.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn found(patterns: &str) -> Vec<String> {
        let root = format!(r#"{{"workspaces": {patterns}}}"#);
        let tree = MemoryTree::new([
            ("package.json", root.as_str()),
            ("apps/web/package.json", r#"{"name": "web"}"#),
            ("apps/web/node_modules/x/package.json", r#"{"name": "x"}"#),
            ("apps/api/package.json", r#"{"name": "api"}"#),
            ("apps/empty/readme", ""),
            ("packages/ui/package.json", r#"{"name": "ui"}"#),
            ("packages/ui/plugins/a/package.json", r#"{"name": "a"}"#),
            ("packages/old/package.json", r#"{"name": "old"}"#),
        ]);
        read(&tree).unwrap().into_keys().map(|path| path.as_str().to_owned()).collect()
    }

    #[test]
    fn patterns_are_expanded_as_package_managers_do() {
        assert_eq!(found(r#"["apps/*"]"#), ["", "apps/api", "apps/web"]);
        assert_eq!(found(r#"["./apps/web/", "packages/u?"]"#), ["", "apps/web", "packages/ui"]);
        assert_eq!(found(r#"["packages/**"]"#), ["", "packages/old", "packages/ui", "packages/ui/plugins/a"]);
        assert_eq!(found(r#"["packages/*", "!packages/old"]"#), ["", "packages/ui"]);
        assert_eq!(found(r#"["{apps,packages}/{web,ui}"]"#), ["", "apps/web", "packages/ui"]);
        assert_eq!(found(r#"["packages/*/plugins/*"]"#), ["", "packages/ui/plugins/a"]);
        assert_eq!(found(r#"{"packages": ["apps/a*"]}"#), ["", "apps/api"]);
        assert_eq!(found("[]"), [""]);
    }

    #[test]
    fn wrong_patterns_and_names_are_refused() {
        let error = |root: &str, other: &str| {
            read(&MemoryTree::new([("package.json", root), ("a/package.json", other), ("b/package.json", other)]))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(r#"{"workspaces": ["../x"]}"#, "{}"),
            "wrong workspace pattern `../x`: path leaves the repository"
        );
        assert_eq!(error(r#"{"workspaces": ["!!a"]}"#, "{}"), "wrong workspace pattern `!!a`: it starts with two `!`");
        assert_eq!(
            error(r#"{"name": "x", "workspaces": ["a", "b"]}"#, r#"{"name": "x"}"#),
            "two workspaces are named `x`: `a` and `b`"
        );
        assert!(matches!(read(&MemoryTree::default()), Err(SplitError::NoRootManifest)));
    }
}
