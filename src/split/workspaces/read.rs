//! Reading the manifests of the workspaces, as the package manager in use would.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Workspaces, lerna, manifest, manifest_path,
    patterns::{self, Dialect, Match, Place},
    refuse_equal_names,
};
use crate::{
    lockfile::names::{is_local_name, is_package_name},
    managers::ManagerName,
    repo::{RepoPath, Tree},
    split::{Manifest, SplitError},
};

/// The deepest nesting of workspaces in workspaces.
const DEEPEST: usize = 20;

/// The workspaces, and warnings about their patterns.
#[derive(Debug)]
pub(in crate::split) struct Found {
    pub(in crate::split) workspaces: Workspaces,
    pub(in crate::split) warnings: Vec<String>,
}

/// Reads the root manifest.
pub(in crate::split) fn root(tree: &dyn Tree, manager: ManagerName) -> Result<Manifest, SplitError> {
    manifest(tree, &RepoPath::root(), manager)?.ok_or(SplitError::NoRootManifest)
}

/// Reads the manifests of all workspaces, as the current Yarn does: it needs neither names nor versions.
#[cfg(test)]
pub(in crate::split) fn read(tree: &dyn Tree) -> Result<Workspaces, SplitError> {
    let manager = ManagerName::YarnBerry;
    Ok(read_as(tree, root(tree, manager)?, manager, Dialect::Yarn4)?.workspaces)
}

/// Reads the manifests of all workspaces; the root is the empty path.
pub(in crate::split) fn read_as(
    tree: &dyn Tree,
    root: Manifest,
    manager: ManagerName,
    dialect: Dialect,
) -> Result<Found, SplitError> {
    let mut reader = Reader { tree, manager, dialect, workspaces: Workspaces::new(), warnings: Vec::new() };
    reader.warnings.extend(root.warnings(&manifest_path(&RepoPath::root()), manager));
    reader.warnings.extend(lerna::warnings(tree, &root, manager)?);
    reader.refuse_name(&RepoPath::root(), &root)?;
    let patterns = root.workspaces.clone().unwrap_or_default();
    reader.workspaces.insert(RepoPath::root(), root);
    reader.add(&RepoPath::root(), &patterns, 0)?;
    refuse_equal_names(&reader.workspaces)?;
    Ok(Found { workspaces: reader.workspaces, warnings: reader.warnings })
}

struct Reader<'a> {
    tree: &'a dyn Tree,
    manager: ManagerName,
    dialect: Dialect,
    workspaces: Workspaces,
    warnings: Vec<String>,
}

impl Reader<'_> {
    /// Adds the workspaces that patterns name. In Yarn 2 and later, a workspace can have workspaces of its own.
    fn add(&mut self, base: &RepoPath, patterns: &[String], depth: usize) -> Result<(), SplitError> {
        let found = patterns::expand(self.tree, base, patterns, self.dialect)?;
        self.warnings.extend(found.warnings);
        let ignored = self.ignored(&found.folders)?;
        for (folder, found) in &found.folders {
            if ignored.contains(folder) {
                self.warn_of_ignored(folder, found);
                continue;
            }
            if self.workspaces.contains_key(folder) {
                continue;
            }
            let Some(mut manifest) = manifest(self.tree, &found.place.real, self.manager)? else { continue };
            self.refuse_duplicates(folder, &manifest)?;
            self.refuse_name(folder, &manifest)?;
            self.warnings.extend(manifest.warnings(&manifest_path(folder), self.manager));
            if !self.is_workspace(folder, &manifest, found)? {
                continue;
            }
            manifest.place = Some(found.place.clone()).filter(|place| !place.links.is_empty());
            let inner = manifest.workspaces.clone().unwrap_or_default();
            self.workspaces.insert(folder.clone(), manifest);
            if self.dialect.is_berry() && !inner.is_empty() && depth < DEEPEST {
                self.add(folder, &inner, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Returns the workspaces that git ignores, or to which a link leads that git ignores.
    fn ignored(&self, folders: &BTreeMap<RepoPath, Match>) -> Result<BTreeSet<RepoPath>, SplitError> {
        let needed = |found: &Match| {
            let Place { real, links } = &found.place;
            links.iter().cloned().chain([manifest_path(real)]).collect::<Vec<_>>()
        };
        let paths: BTreeSet<RepoPath> = folders.values().flat_map(needed).collect();
        let ignored = self.tree.ignored(&paths.into_iter().collect::<Vec<_>>())?;
        let is_ignored = |found: &Match| needed(found).iter().any(|path| ignored.contains(path));
        Ok(folders.iter().filter(|(_, found)| is_ignored(found)).map(|(folder, _)| folder.clone()).collect())
    }

    fn warn_of_ignored(&mut self, folder: &RepoPath, found: &Match) {
        self.warnings.push(format!(
            "`{}` matches the workspace pattern `{}`, but git ignores it: {} takes it for a workspace on this machine, and Nix \
             does not see it; exclude it from the patterns, or track it",
            manifest_path(folder),
            found.pattern,
            self.dialect.title(),
        ));
    }

    /// Before 1.4, Bun installs nothing if the manifest of a workspace has a duplicate key. In the root it only warns.
    fn refuse_duplicates(&self, folder: &RepoPath, manifest: &Manifest) -> Result<(), SplitError> {
        match (self.dialect, manifest.duplicates.first()) {
            (Dialect::Bun12 | Dialect::Bun13, Some(duplicate)) => Err(SplitError::DuplicateKey {
                path: manifest_path(folder),
                position: duplicate.position,
                key: duplicate.key.clone(),
                manager: self.dialect.title(),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses a name with which the package manager installs nothing. Later Yarns accept all names.
    fn refuse_name(&self, folder: &RepoPath, manifest: &Manifest) -> Result<(), SplitError> {
        let name = manifest.name.as_str();
        let is_accepted = match self.dialect {
            _ if name.is_empty() => true,
            Dialect::YarnClassic => is_name_of_yarn_1(name),
            Dialect::Bun14 if !folder.is_root() => is_name_of_bun_1_4(name),
            _ => true,
        };
        let reason = "has a `name` that is not allowed";
        let refused =
            || SplitError::RefusedWorkspace { path: manifest_path(folder), reason, manager: self.dialect.title() };
        is_accepted.then_some(()).ok_or_else(refused)
    }

    /// Whether the package manager takes a folder with this manifest for a workspace.
    fn is_workspace(&mut self, folder: &RepoPath, manifest: &Manifest, found: &Match) -> Result<bool, SplitError> {
        let has_version = manifest.json.get("version").is_some_and(|version| version.as_str() != Some(""));
        let lacks = match self.dialect {
            Dialect::YarnClassic if manifest.name.is_empty() => "name",
            Dialect::YarnClassic if !has_version => "version",
            Dialect::Bun14 if manifest.name.is_empty() && found.by_glob => "name",
            Dialect::Bun12 | Dialect::Bun13 | Dialect::Bun14 if manifest.json.get("name").is_none() => {
                return Err(SplitError::RefusedWorkspace {
                    path: manifest_path(folder),
                    reason: "has no `name`",
                    manager: self.dialect.title(),
                });
            }
            dialect if dialect.is_bun() && manifest.name.is_empty() => "name",
            _ => return Ok(true),
        };
        self.warnings.push(format!(
            "{}: {} ignores this workspace, because it has no `{lacks}`",
            manifest_path(folder),
            self.dialect.title()
        ));
        Ok(false)
    }
}

/// Whether Yarn 1 accepts a name: `Name contains illegal characters`, `Name can't start with a dot`, `Name is blacklisted`.
fn is_name_of_yarn_1(name: &str) -> bool {
    let is_reserved = ["node_modules", "favicon.ico"].iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
    is_package_name(name) && !name.starts_with('.') && !is_reserved
}

/// Whether Bun 1.4 accepts the name of a workspace: `invalid dependency name`, `invalid package name`.
fn is_name_of_bun_1_4(name: &str) -> bool {
    is_local_name(name)
        && !name.starts_with('.')
        && name != "node_modules"
        && !name.trim_start_matches('@').contains('@')
        && !name.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn found(files: &[(&str, &str)], links: &[(&str, &str)], dialect: Dialect) -> Result<Found, SplitError> {
        let tree = MemoryTree::with_links(files.iter().copied(), links.iter().copied());
        let manager = if dialect.is_bun() { ManagerName::Bun } else { ManagerName::YarnBerry };
        read_as(&tree, root(&tree, manager)?, manager, dialect)
    }

    #[test]
    fn duplicate_keys_are_accepted_where_the_package_manager_accepts_them() {
        let files = [
            ("package.json", "{\"workspaces\": [\"packages/*\"],\n\"private\": true, \"private\": true}"),
            ("packages/a/package.json", r#"{"name": "a", "version": "1.0.0", "name": "b"}"#),
        ];
        assert_eq!(
            found(&files, &[], Dialect::Bun13).unwrap_err().to_string(),
            "`packages/a/package.json` has the key `name` twice; Bun 1.3 refuses to install"
        );
        assert_eq!(
            found(&files, &[], Dialect::Bun14).unwrap().warnings,
            [
                "package.json:2:18: duplicate key `private`; Bun uses the first one",
                "packages/a/package.json:1:35: duplicate key `name`; Bun uses the first one",
            ]
        );
        assert!(found(&files[..1], &[], Dialect::Bun12).unwrap().warnings[0].contains("duplicate key `private`"));
        let yarn = found(&files, &[], Dialect::Yarn4).unwrap();
        assert_eq!(yarn.workspaces["packages/a"].name, "b");
        assert_eq!(yarn.warnings[1], "packages/a/package.json:1:35: duplicate key `name`; Yarn uses the last one");
    }

    fn folders(found: &Found) -> Vec<&str> {
        found.workspaces.keys().map(RepoPath::as_str).collect()
    }

    #[test]
    fn only_later_yarns_have_workspaces_of_workspaces() {
        let files = [
            ("package.json", r#"{"workspaces": ["packages/*"]}"#),
            (
                "packages/a/package.json",
                r#"{"name": "a", "version": "1.0.0", "workspaces": ["inner/*", "../../other"]}"#,
            ),
            ("packages/a/inner/b/package.json", r#"{"name": "b", "version": "1.0.0"}"#),
            ("other/package.json", r#"{"name": "o", "version": "1.0.0", "workspaces": ["../packages/a"]}"#),
        ];
        let nested = ["", "other", "packages/a", "packages/a/inner/b"];
        assert_eq!(folders(&found(&files, &[], Dialect::Yarn4).unwrap()), nested);
        assert_eq!(folders(&found(&files, &[], Dialect::Yarn3).unwrap()), nested);
        for dialect in [Dialect::YarnClassic, Dialect::Bun13, Dialect::Bun14] {
            assert_eq!(folders(&found(&files, &[], dialect).unwrap()), ["", "packages/a"]);
        }
    }

    #[test]
    fn workspaces_that_are_passed_over_are_named() {
        let files = [
            ("package.json", r#"{"workspaces": ["packages/*"]}"#),
            ("packages/a/package.json", r#"{"name": "a"}"#),
            ("packages/b/package.json", r#"{"version": "1.0.0"}"#),
        ];
        let classic = found(&files, &[], Dialect::YarnClassic).unwrap();
        assert_eq!(folders(&classic), [""]);
        assert_eq!(
            classic.warnings,
            [
                "packages/a/package.json: Yarn 1 ignores this workspace, because it has no `version`",
                "packages/b/package.json: Yarn 1 ignores this workspace, because it has no `name`",
            ]
        );
        let bun = found(&files, &[], Dialect::Bun14).unwrap();
        assert_eq!(folders(&bun), ["", "packages/a"]);
        assert_eq!(bun.warnings, ["packages/b/package.json: Bun ignores this workspace, because it has no `name`"]);
        assert_eq!(
            found(&files, &[], Dialect::Bun13).unwrap_err().to_string(),
            "`packages/b/package.json` has no `name`; Bun 1.3 refuses to install"
        );
        assert_eq!(folders(&found(&files, &[], Dialect::Yarn4).unwrap()), ["", "packages/a", "packages/b"]);
    }

    /// What Yarn 1.22, Yarn 4.18, Bun 1.3 and Bun 1.4 say to a workspace of this name.
    #[test]
    fn names_are_refused_as_the_package_manager_refuses_them() {
        let accepting = |name: &str| {
            let manifest = serde_json::json!({ "name": name, "version": "1.0.0" }).to_string();
            let files = [("package.json", r#"{"workspaces": ["a"]}"#), ("a/package.json", &manifest)];
            let dialects = [Dialect::YarnClassic, Dialect::Yarn4, Dialect::Bun13, Dialect::Bun14];
            dialects.map(|dialect| found(&files, &[], dialect).is_ok())
        };
        for name in ["JSONStream", "a..b", "_u", "a~b", "a'b", "a(b)", "@s/.x"] {
            assert_eq!(accepting(name), [true; 4], "{name}");
        }
        for name in ["ünï", "@s/ünï", "日本", "a b", "a%2fb", "a$b", "a+b", "a#b"] {
            assert_eq!(accepting(name), [false, true, true, true], "{name}");
        }
        for name in [".hid", "node_modules", "a:b"] {
            assert_eq!(accepting(name), [false, true, true, false], "{name}");
        }
        assert_eq!(accepting("favicon.ico"), [false, true, true, true]);
    }

    #[test]
    fn a_workspace_behind_a_link_knows_where_it_is() {
        let files = [
            ("package.json", r#"{"workspaces": ["packages/*"]}"#),
            ("real/a/package.json", r#"{"name": "a", "version": "1.0.0"}"#),
        ];
        let links = [("packages/a", "../linked/a"), ("linked", "real")];
        let found = found(&files, &links, Dialect::Yarn4).unwrap();
        let place = found.workspaces["packages/a"].place.clone().unwrap();
        assert_eq!(place.real.as_str(), "real/a");
        assert_eq!(place.links.iter().map(RepoPath::as_str).collect::<Vec<_>>(), ["packages/a", "linked"]);
    }
}
