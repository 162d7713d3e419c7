//! Finding the workspaces: the patterns of the root manifest, expanded over a tree.
//!
//! Folders are listed level by level along each pattern, so that `packages/*` costs one listing and not a walk of
//! the repository: `check` runs this on every commit.

pub mod copies;
pub mod detect;
pub mod graph;
pub(super) mod links;
pub(super) mod manifest;
pub(super) mod tasks;

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::repo::{EntryKind, RepoPath, Tree, read_text};
use crate::split::{Manifest, SplitError};

/// A workspace: its folder, and its manifest.
pub type Workspaces = BTreeMap<RepoPath, Manifest>;

/// Folders that no pattern descends into.
const NEVER: [&str; 2] = ["node_modules", ".git"];

/// Reads the root manifest and those of all workspaces; the root is the empty path.
pub(super) fn read(tree: &dyn Tree) -> Result<Workspaces, SplitError> {
    let root = manifest(tree, &RepoPath::root())?.ok_or(SplitError::NoRootManifest)?;
    let patterns = root.workspaces.clone().unwrap_or_default();
    let mut workspaces = Workspaces::from([(RepoPath::root(), root)]);
    for folder in expand(tree, &patterns)? {
        if let Some(manifest) = manifest(tree, &folder)? {
            workspaces.insert(folder, manifest);
        }
    }
    refuse_equal_names(&workspaces)?;
    Ok(workspaces)
}

/// The manifest in a folder, or none.
fn manifest(tree: &dyn Tree, folder: &RepoPath) -> Result<Option<Manifest>, SplitError> {
    let path = manifest_path(folder);
    let Some(text) = read_text(tree, &path)? else { return Ok(None) };
    Ok(Some(Manifest::read(&path, &text)?))
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

/// All folders that the patterns name, without those that a `!pattern` takes away.
fn expand(tree: &dyn Tree, patterns: &[String]) -> Result<BTreeSet<RepoPath>, SplitError> {
    let mut folders = BTreeSet::new();
    for pattern in patterns.iter().filter(|pattern| !pattern.starts_with('!')) {
        let parts = parts(pattern)?;
        descend(tree, &RepoPath::root(), &parts, &mut folders)?;
    }
    folders.remove(&RepoPath::root());
    for pattern in patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')) {
        let matcher = glob(pattern.trim_start_matches("./").trim_end_matches('/'), pattern)?;
        folders.retain(|folder| !matcher.is_match(folder.as_str()));
    }
    Ok(folders)
}

/// One part of a pattern between slashes.
enum Part {
    /// A plain name.
    Name(String),
    /// Any one folder that the glob matches.
    Glob(GlobMatcher),
    /// `**`: any number of folders.
    Any,
}

fn parts(pattern: &str) -> Result<Vec<Part>, SplitError> {
    // Resolving refuses what leaves the repository; glob characters are names to it.
    let path: RepoPath = pattern
        .parse()
        .map_err(|reason| SplitError::Pattern { pattern: pattern.to_owned(), reason: format!("{reason}") })?;
    path.parts()
        .map(|part| match part {
            "**" => Ok(Part::Any),
            part if part.contains(['*', '?', '[', '{', '\\']) => glob(part, pattern).map(Part::Glob),
            part => Ok(Part::Name(part.to_owned())),
        })
        .collect()
}

/// Compiles a part of a pattern; an error names the whole of it, as it is written.
fn glob(part: &str, pattern: &str) -> Result<GlobMatcher, SplitError> {
    GlobBuilder::new(part)
        .literal_separator(true)
        .build()
        .map(|glob: Glob| glob.compile_matcher())
        .map_err(|error| SplitError::Pattern { pattern: pattern.to_owned(), reason: error.kind().to_string() })
}

fn descend(
    tree: &dyn Tree,
    folder: &RepoPath,
    parts: &[Part],
    found: &mut BTreeSet<RepoPath>,
) -> Result<(), SplitError> {
    let Some((part, rest)) = parts.split_first() else {
        found.insert(folder.clone());
        return Ok(());
    };
    match part {
        Part::Name(name) => descend(tree, &folder.child(name), rest, found),
        Part::Glob(matcher) => {
            for name in folders(tree, folder)? {
                if matcher.is_match(&name) {
                    descend(tree, &folder.child(&name), rest, found)?;
                }
            }
            Ok(())
        }
        Part::Any => {
            descend(tree, folder, rest, found)?;
            for name in folders(tree, folder)? {
                descend(tree, &folder.child(&name), parts, found)?;
            }
            Ok(())
        }
    }
}

fn folders(tree: &dyn Tree, folder: &RepoPath) -> Result<Vec<String>, SplitError> {
    let entries = tree.list(folder)?.into_iter();
    Ok(entries
        .filter(|entry| entry.kind == EntryKind::Folder && !NEVER.contains(&entry.name.as_str()))
        .map(|entry| entry.name)
        .collect())
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
        assert!(error(r#"{"workspaces": ["b/a["]}"#, "{}").starts_with("wrong workspace pattern `b/a[`: "));
        assert_eq!(
            error(r#"{"name": "x", "workspaces": ["a", "b"]}"#, r#"{"name": "x"}"#),
            "two workspaces are named `x`: `a` and `b`"
        );
        assert!(matches!(read(&MemoryTree::default()), Err(SplitError::NoRootManifest)));
    }
}
