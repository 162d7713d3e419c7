//! What workspaces need outside their folders, as a search of their files finds it, for all of them at once. The edges must be
//! known before it is decided what is an app, what is built, and which build waits for which.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cycles::{Bond, Bonds},
    edges::Edges,
    scripts::read_scripts,
};
use crate::{
    repo::{RepoPath, Tree},
    split::{
        Manifest, SplitError, Workspaces,
        config::{BuildChoice, Config, WorkspaceConfig},
        sources::root_files::{self, Asked, Edge, EdgeKind, Finder, Found, ProgramSearch, Purpose},
        sources::source_filter::Globs,
        workspaces::detect,
        workspaces::links::Links,
        workspaces::tasks::{Before, Task, Tasks},
    },
};

/// What is known before the search.
pub(super) struct Known<'a, 'b> {
    pub(super) tree: &'a dyn Tree,
    pub(super) workspaces: &'a Workspaces,
    pub(super) config: &'b Config,
    pub(super) links: &'b Links,
    pub(super) tasks: &'b Tasks,
    pub(super) before: &'b BTreeMap<RepoPath, Before>,
    pub(super) edges: &'b Edges,
    /// The files and folders that `splitter.json` excludes at the root.
    pub(super) excluded: &'b Globs,
}

/// The scripts that run before a build: the chosen ones, and those of a task runner for a build that is found.
pub(super) fn before_build(before: &BTreeMap<RepoPath, Before>, path: &RepoPath, choice: &WorkspaceConfig) -> Before {
    let of_tasks = before.get(path).filter(|_| choice.build == BuildChoice::Detected);
    let Before { scripts, not_run } = of_tasks.cloned().unwrap_or_default();
    Before { scripts: choice.own_scripts.iter().cloned().chain(scripts).collect(), not_run }
}

/// Searches all workspaces, and the folders that they link to.
pub(super) fn find(
    known: &Known<'_, '_>,
    programs: ProgramSearch<'_>,
) -> Result<BTreeMap<RepoPath, Found>, SplitError> {
    let mut finder = Finder::new(known.tree, known.workspaces, programs);
    let mut all = BTreeMap::new();
    for (path, manifest) in known.workspaces {
        all.insert(path.clone(), known.of(&mut finder, path, manifest)?);
    }
    if matches!(programs, ProgramSearch::Whole) {
        for path in known.workspaces.keys() {
            add_names_of_others(known, &mut finder, path, &mut all)?;
        }
    }
    for (path, found) in &mut all {
        let choice = known.config.workspaces.get(path);
        let is_off = |to: &RepoPath| choice.is_some_and(|choice| choice.not_uses.contains(to));
        found.edges.retain(|to, _| known.excluded.find(to.as_str()).is_none() && !is_off(to));
    }
    Ok(all)
}

/// Adds what a workspace reaches through programs of others that are compiled with its aliases.
fn add_names_of_others(
    known: &Known<'_, '_>,
    finder: &mut Finder<'_>,
    path: &RepoPath,
    all: &mut BTreeMap<RepoPath, Found>,
) -> Result<(), SplitError> {
    loop {
        let found = &all[path];
        let mut members: BTreeSet<&RepoPath> = BTreeSet::new();
        let mut open = vec![path];
        while let Some(member) = open.pop() {
            if members.insert(member) {
                open.extend(known.edges.get(member).into_iter().flatten());
                open.extend(all.get(member).into_iter().flat_map(|found| found.edges.keys()));
            }
        }
        members.remove(path);
        let names = root_files::names_of_others(finder, found, members.into_iter());
        if names.is_empty() {
            return Ok(());
        }
        let more = known.search(finder, path, &known.workspaces[path], Some((found, &names)))?;
        let is_new = more.edges.keys().any(|to| !found.edges.contains_key(to)) || !more.files.is_subset(&found.files);
        if !is_new {
            return Ok(());
        }
        all.insert(path.clone(), more);
    }
}

impl Known<'_, '_> {
    /// Whether a workspace depends on the root: by the root's name and a specifier that only a workspace satisfies, or by its
    /// folder. Any other specifier may mean a package of the registry, and a name that another workspace has too means that one.
    fn depends_on_root(&self, path: &RepoPath, manifest: &Manifest) -> bool {
        let root = &self.workspaces[&RepoPath::root()].name;
        let is_shared = || self.workspaces.iter().any(|(path, found)| !path.is_root() && found.name == *root);
        manifest.dependencies.values().flatten().any(|(name, specifier)| match specifier.split_once(':') {
            Some(("workspace", _)) => name == root && !is_shared(),
            Some(("link" | "portal" | "file", folder)) => path.resolve(folder).is_ok_and(|target| target.is_root()),
            _ => false,
        })
    }

    fn of(&self, finder: &mut Finder<'_>, path: &RepoPath, manifest: &Manifest) -> Result<Found, SplitError> {
        self.search(finder, path, manifest, None)
    }

    /// Searches one workspace, or again with more names that it imports.
    fn search(
        &self,
        finder: &mut Finder<'_>,
        path: &RepoPath,
        manifest: &Manifest,
        more: Option<(&Found, &[String])>,
    ) -> Result<Found, SplitError> {
        let nothing = WorkspaceConfig::default();
        let choice = self.config.workspaces.get(path).unwrap_or(&nothing);
        let task = self.tasks.task(path, manifest, "build");
        let before = before_build(self.before, path, choice);
        let mut scripts = read_scripts(manifest, &before.scripts);
        if let BuildChoice::Command(command) = &choice.build {
            scripts.push(command);
        }
        let asked_one = asked(path, scripts, &task);
        let mut found = match more {
            None => root_files::of(finder, &asked_one)?,
            Some((found, names)) => root_files::with_names(finder, &asked_one, found, names)?,
        };
        // A script of an install may make such files, and a chosen workspace brings them.
        let has_scripts = |choice: &WorkspaceConfig| !choice.own_scripts.is_empty() || !choice.root_scripts.is_empty();
        found.unmade.retain(|(owner, _)| {
            let of_owner = self.config.workspaces.get(owner);
            !has_scripts(choice) && !of_owner.is_some_and(has_scripts) && !choice.uses.contains(owner)
        });
        if !choice.root_scripts.is_empty() {
            let root = &self.workspaces[&RepoPath::root()];
            let texts = choice.root_scripts.iter().filter_map(|name| root.scripts.get(name));
            let texts: Vec<String> = texts.map(|text| detect::expanded(text, root)).collect();
            found.extend(root_files::of_root_scripts(finder, path, &texts)?);
        }
        if !path.is_root() && self.depends_on_root(path, manifest) {
            let edge = Edge {
                kind: EdgeKind::Import,
                reason: "depends on the root".to_owned(),
                is_package: true,
                file: None,
                is_of_another: false,
            };
            found.edges.insert(RepoPath::root(), edge);
        }
        for folder in self.links.by_workspace.get(path).into_iter().flat_map(|linked| &linked.folders) {
            let task = Task::default();
            let mut linked = root_files::of(finder, &Asked { owner: path, ..asked(folder, Vec::new(), &task) })?;
            linked.files.retain(|file| file.below(folder).is_none());
            linked.edges.remove(path);
            found.extend(linked);
        }
        Ok(found)
    }
}

/// Returns the files outside a folder that is no workspace which are read with what is in it, such as the TypeScript configuration
/// above it.
pub(super) fn root_files_of_folder(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    folder: &RepoPath,
) -> Result<BTreeSet<RepoPath>, SplitError> {
    let mut finder = Finder::new(tree, workspaces, ProgramSearch::Whole);
    let mut files = root_files::of(&mut finder, &asked(folder, Vec::new(), &Task::default()))?.files;
    files.retain(|file| file.below(folder).is_none());
    Ok(files)
}

fn asked<'a>(path: &'a RepoPath, scripts: Vec<&'a str>, task: &'a Task) -> Asked<'a> {
    Asked { path, owner: path, scripts, task, purpose: Purpose::Build, check: "" }
}

/// Adds the workspaces whose builds make files that others read.
pub(super) fn needs(mut needs: Edges, found: &BTreeMap<RepoPath, Found>) -> Edges {
    for (from, found) in found {
        let built = found.edges.iter().filter(|(_, edge)| edge.kind == EdgeKind::Build);
        let built: BTreeSet<RepoPath> = built.map(|(to, _)| to.clone()).collect();
        if !built.is_empty() {
            needs.entry(from.clone()).or_default().extend(built);
        }
    }
    needs
}

/// Adds what was found. In a ring, what no manifest names gives way to dependencies.
pub(super) fn with_found(mut bonds: Bonds, found: &BTreeMap<RepoPath, Found>) -> Bonds {
    for (from, found) in found {
        let of_one = bonds.entry(from.clone()).or_default();
        for (to, edge) in &found.edges {
            let bond = of_one.entry(to.clone()).or_insert(Bond::Loose);
            if edge.kind != EdgeKind::Import && *bond == Bond::Loose {
                *bond = Bond::Named;
            }
        }
    }
    bonds
}
