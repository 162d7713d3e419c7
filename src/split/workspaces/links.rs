//! What manifests link to: folders of the repository that a package manager does not copy (`link:`, `portal:`), and
//! workspaces under another name than their own.
//!
//! A link leads to sources, so it is an edge of the graph, as a dependency on a workspace is: an app has what it links to
//! among its own sources, and an edit there changes that app alone. Of a linked folder an install reads the manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::split::{Manifest, SplitError, Workspaces, manifest_path, workspaces::manifest::LinkRequest};
use crate::{
    lockfile::{DependencyGroup, Format, Lockfile, Resolution},
    managers::ManagerName,
    repo::{RepoPath, RepoPathError, Tree, read_text},
};

/// What the workspaces link to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::split) struct Links {
    /// By the workspace that links.
    pub(in crate::split) by_workspace: BTreeMap<RepoPath, Linked>,
    /// The manifests in linked folders, by folder.
    pub(in crate::split) manifests: Workspaces,
    /// Links that lead to nothing.
    pub(in crate::split) warnings: Vec<String>,
}

impl Links {
    /// Adds symbolic links to folders of workspaces.
    pub(in crate::split) fn add_edges<'p>(&mut self, edges: impl Iterator<Item = (&'p RepoPath, &'p RepoPath)>) {
        for (from, to) in edges {
            let linked = self.by_workspace.entry(from.clone()).or_default();
            linked.workspaces.insert(to.clone());
            linked.at_runtime.insert(to.clone());
        }
    }
}

/// What one workspace links to, directly or through a linked folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::split) struct Linked {
    /// Workspaces, or those that a linked folder lies in or depends on.
    pub(in crate::split) workspaces: BTreeSet<RepoPath>,
    /// Those of them that its code runs with: not for development alone, nor because the root says so for all.
    pub(in crate::split) at_runtime: BTreeSet<RepoPath>,
    /// Folders that are no workspaces.
    pub(in crate::split) folders: BTreeSet<RepoPath>,
}

/// Finds all links.
pub(in crate::split) fn find(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    lockfile: &Lockfile,
) -> Result<Links, SplitError> {
    let mut by_name = BTreeMap::new();
    for (path, manifest) in workspaces.iter().filter(|(path, _)| !path.is_root()) {
        by_name.entry(manifest.name.as_str()).or_insert(path);
    }
    let mut search = Search { tree, workspaces, by_name, manager: lockfile.format.into(), links: Links::default() };
    let root = &workspaces[&RepoPath::root()];
    for (path, manifest) in workspaces {
        let mut linked = Linked::default();
        let (runtime, loose): (Vec<_>, Vec<_>) =
            manifest.links.iter().cloned().partition(|link| is_runtime(link, manifest));
        search.follow(path, path, &manifest_path(path), &runtime, &mut linked)?;
        linked.at_runtime.clone_from(&linked.workspaces);
        search.follow(path, path, &manifest_path(path), &loose, &mut linked)?;
        // What the root says for all, every workspace may get.
        search.follow(path, &RepoPath::root(), &manifest_path(&RepoPath::root()), &root.links_for_all, &mut linked)?;
        if linked != Linked::default() {
            search.links.by_workspace.insert(path.clone(), linked);
        }
    }
    refuse_links_of_a_machine(lockfile)?;
    search.links.warnings.dedup();
    Ok(search.links)
}

/// Whether a manifest asks for what it links to at run time.
fn is_runtime(link: &LinkRequest, manifest: &Manifest) -> bool {
    let groups = DependencyGroup::AT_RUNTIME.iter().filter_map(|group| manifest.dependencies.get(group));
    groups.into_iter().any(|specifiers| specifiers.get(&link.package) == Some(&link.specifier))
}

/// What `bun link` makes known on one machine is on no other.
fn refuse_links_of_a_machine(lockfile: &Lockfile) -> Result<(), SplitError> {
    for package in &lockfile.packages {
        if let (Format::Bun(_), Resolution::Link(target)) = (lockfile.format, &package.resolution)
            && !target.starts_with('.')
        {
            return Err(SplitError::LinkOfMachine {
                package: package.key.clone(),
                target: target.clone(),
                position: package.position,
            });
        }
    }
    Ok(())
}

struct Search<'a> {
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    /// The workspaces but the root, by their names.
    by_name: BTreeMap<&'a str, &'a RepoPath>,
    manager: ManagerName,
    links: Links,
}

impl Search<'_> {
    /// Adds what the requests of a manifest at `file` lead to from `base`, on behalf of the workspace in `from`.
    fn follow(
        &mut self,
        from: &RepoPath,
        base: &RepoPath,
        file: &RepoPath,
        requests: &[LinkRequest],
        linked: &mut Linked,
    ) -> Result<(), SplitError> {
        for request in requests {
            if let Some(name) = request.workspace_name() {
                linked.workspaces.extend(self.named(name).filter(|path| *path != from).cloned());
                continue;
            }
            let target = base.resolve(request.target()).map_err(|reason| refused(file, request, reason))?;
            self.add(from, &target, &|| format!("{file}: `{}` (`{}`)", request.package, request.specifier), linked)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        from: &RepoPath,
        target: &RepoPath,
        by: &dyn Fn() -> String,
        linked: &mut Linked,
    ) -> Result<(), SplitError> {
        let owner = self.owner(target);
        if owner != *from && (owner == *target || !owner.is_root()) {
            linked.workspaces.insert(owner.clone());
        }
        if owner == *target || !linked.folders.insert(target.clone()) {
            return Ok(());
        }
        let path = manifest_path(target);
        // What a developer built there is on no other machine.
        let text = if self.tree.is_ignored(&path)? { None } else { read_text(self.tree, &path)? };
        let Some(text) = text else {
            if self.tree.list(target)?.is_empty() {
                self.links.warnings.push(format!("{} links to a folder that has no files", by()));
            }
            return Ok(());
        };
        let manifest = Manifest::read(&path, &text, self.manager)?;
        self.links.warnings.extend(manifest.warnings(&path, self.manager));
        let names = manifest.dependencies.values().flat_map(BTreeMap::keys);
        linked.workspaces.extend(names.flat_map(|name| self.named(name)).filter(|path| *path != from).cloned());
        self.follow(from, target, &path, &manifest.links, linked)?;
        self.links.manifests.insert(target.clone(), manifest);
        Ok(())
    }

    /// The workspaces of a name: one at most.
    fn named(&self, name: &str) -> impl Iterator<Item = &RepoPath> + use<'_> {
        self.by_name.get(name).copied().into_iter()
    }

    /// The workspace that a folder belongs to: the nearest one upwards.
    fn owner(&self, folder: &RepoPath) -> RepoPath {
        let mut folder = folder.clone();
        while !folder.is_root() && !self.workspaces.contains_key(&folder) {
            folder = folder.parent();
        }
        folder
    }
}

fn refused(file: &RepoPath, request: &LinkRequest, reason: RepoPathError) -> SplitError {
    SplitError::LinkPath {
        package: request.package.clone(),
        specifier: request.specifier.clone(),
        file: file.clone(),
        position: request.position,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostic::Diagnose, managers::bun::lockfile as bun, repo::MemoryTree, split::workspaces};

    const LOCK: &str = r#"{"lockfileVersion": 2, "packages": {}}"#;

    fn found(files: &[(&str, &str)], lock: &str) -> Result<Links, SplitError> {
        let tree = MemoryTree::new(files.iter().copied());
        find(&tree, &workspaces::read(&tree)?, &bun::parse(lock).unwrap())
    }

    fn summary(links: &Links) -> Vec<String> {
        let join = |paths: &BTreeSet<RepoPath>| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let line = |(path, linked): (&RepoPath, &Linked)| {
            format!("{path}: {} | {}", join(&linked.workspaces), join(&linked.folders))
        };
        links.by_workspace.iter().map(line).collect()
    }

    #[test]
    fn a_link_is_an_edge_to_a_workspace_or_to_a_folder() {
        let links = found(
            &[
                ("package.json", r#"{"workspaces": ["*"], "resolutions": {"z": "portal:lib/all"}}"#),
                (
                    "a/package.json",
                    r#"{"name": "a", "dependencies": {"b": "link:../b", "c": "link:../c/part", "own": "link:./own",
                        "p": "portal:../lib/p", "r": "link:..", "other": "workspace:d@*"}}"#,
                ),
                ("a/own/x.js", ""),
                ("b/package.json", r#"{"name": "b", "dependencies": {"n": "1", "gone": "link:./gone"}}"#),
                ("c/package.json", r#"{"name": "c"}"#),
                ("d/package.json", r#"{"name": "d"}"#),
                ("c/part/index.js", ""),
                ("lib/p/package.json", r#"{"name": "p", "dependencies": {"q": "link:../q", "d": "workspace:*"}}"#),
                ("lib/q/package.json", "{}"),
                ("lib/all/package.json", "{}"),
            ],
            LOCK,
        )
        .unwrap();
        assert_eq!(
            summary(&links),
            [
                ".:  | lib/all",
                "a: . b c d | a/own c/part lib/all lib/p lib/q",
                "b:  | b/gone lib/all",
                "c:  | lib/all",
                "d:  | lib/all"
            ]
        );
        let manifests: Vec<_> = links.manifests.keys().map(RepoPath::as_str).collect();
        assert_eq!(manifests, ["lib/all", "lib/p", "lib/q"]);
        assert_eq!(links.warnings, ["b/package.json: `gone` (`link:./gone`) links to a folder that has no files"]);
    }

    #[test]
    fn a_link_that_leaves_the_repository_is_refused_with_its_place() {
        let files = [
            ("package.json", r#"{"workspaces": ["*"]}"#),
            ("a/package.json", "{\n  \"dependencies\": {\n    \"x\": \"link:../../x\"\n  }\n}"),
        ];
        let error = found(&files, LOCK).unwrap_err();
        assert_eq!(error.to_string(), "`x` links out of the repository (`link:../../x`): path leaves the repository");
        assert_eq!(error.location().unwrap().to_string(), "a/package.json:3:5");
        assert_eq!(error.hints().len(), 1);
    }

    #[test]
    fn a_link_to_what_one_machine_knows_is_refused_with_its_place() {
        let lock = r#"{"lockfileVersion": 2, "packages": {"x": ["x@link:x", {}]}}"#;
        let error = found(&[("package.json", r#"{"dependencies": {"x": "link:./x"}}"#)], lock).unwrap_err();
        assert_eq!(error.to_string(), "package `x` is a link to `x`, which `bun link` registers on one machine only");
        assert_eq!(error.location().unwrap().to_string(), "bun.lock:1:37");
    }
}
