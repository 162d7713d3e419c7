//! The workspace graph: which workspaces there are, what they are for, and which depends on which.

mod advice;
mod builder;
mod closures;
mod cycles;
mod edges;
mod found;
mod judged;
mod kind;
mod names;
pub(crate) mod reach;
mod references;
mod role;
mod scripts;
mod through_packages;

use std::collections::{BTreeMap, BTreeSet};

pub(in crate::split) use self::names::{attribute, is_reserved};

pub use self::advice::{Remedy, setting};
use self::builder::Builder;
pub use self::closures::Closures;
use self::reach::Reach;
pub(in crate::split) use self::through_packages::{ThroughPackages, find as through_packages};
use crate::repo::{RepoPath, Tree};
use crate::split::{
    Follower, ManagerName, ProgramSearch, SplitError, Workspaces,
    config::{Config, Exposes, Install},
    workspaces::detect::{
        Build,
        program::{Keeps, Product},
        start::Unclear,
    },
    workspaces::links::Links,
    workspaces::tasks::NotRun,
};

/// Globs of tests and what they read, for builds that run them.
const TESTS: [&str; 7] =
    ["**/*.snap", "**/*.spec.*", "**/*.test.*", "**/__snapshots__/**", "**/__tests__/**", "test/**", "tests/**"];

/// A workspace in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its folder; the root's is the empty path.
    pub path: RepoPath,
    /// Its package name, empty where it has none.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Why it is an app or a library, in words.
    pub reason: String,
    /// The setting that makes a library an app.
    pub remedy: Option<Remedy>,
    /// The workspaces that it depends on directly.
    pub dependencies: BTreeSet<RepoPath>,
    /// Those of them that it names in `devDependencies` alone.
    pub development: BTreeSet<RepoPath>,
    /// Those that it uses besides: it links to them, or `splitter.json` says so.
    pub uses: BTreeSet<RepoPath>,
    /// Those that a task runner builds before it, though neither its manifest nor `splitter.json` names them.
    pub needs: BTreeSet<RepoPath>,
    /// Why it uses or needs the workspaces that its files were found to name, as a verb and its object.
    pub reasons: BTreeMap<RepoPath, String>,
    /// Those among them that the configuration of another workspace names, which needs them too.
    pub of_others: BTreeSet<RepoPath>,
    /// What its programs import and read outside of it, as far as a record needs it.
    pub imports: Vec<String>,
    /// An entry point of its manifest that git does not have and that no build makes, if others depend on it.
    pub missing_entry: Option<String>,
    /// Its folder, if `path` leads there through links.
    pub real: Option<RepoPath>,
    /// The folders that it links to and that are no workspaces.
    pub links: BTreeSet<RepoPath>,
    /// Files and folders that symbolic links among its sources and root files lead to, and that are no sources of its own.
    pub link_targets: BTreeSet<RepoPath>,
    /// The folder of the patches that its install has `patch-package` apply.
    pub patches: Option<RepoPath>,
    /// Those of both that depend on it in turn, and whose builds its own does not wait for.
    pub cycle: BTreeSet<RepoPath>,
    /// How it is built, where it has a build that is needed: an app's is, and a library's where its manifest points
    /// others to what the build makes.
    pub build: Option<Build>,
    /// Files and folders outside of it that it reads and that no other workspace holds.
    pub root_files: BTreeSet<RepoPath>,
    /// Its scripts that an install would run in a checkout, and that do not run.
    pub not_run: Vec<String>,
    /// The root's scripts of an install that run before its build.
    pub root_scripts: Vec<String>,
    /// Globs of settings of linters that its build reads.
    pub(in crate::split) linted: BTreeSet<String>,
    /// Environment variables that its build reads, as the repository's task runner has it; names may end in `*`.
    pub env: BTreeSet<String>,
    /// The tasks that a task runner would run before its build and that do not run, though they may make something.
    pub tasks_not_run: Vec<NotRun>,
    /// Whether it has a build script that does not run, because nothing says that others need what it makes.
    pub leaves_build: bool,
    /// Whether others have use for what its build makes: its manifest points them there, or `splitter.json` says so.
    pub(in crate::split) is_used_built: bool,
    /// Whether the builds of others wait for its own.
    pub awaited: bool,
    /// The name of its derivation, for a library whose build others wait for.
    pub library: Option<String>,
    /// What a library with a build shows to others.
    pub exposes: Exposes,
    /// What is installed for its build.
    pub install: Install,
}

impl Workspace {
    /// The folder that holds its files, which git and Nix know. It differs from `path` if that leads through links.
    pub fn folder(&self) -> &RepoPath {
        self.real.as_ref().unwrap_or(&self.path)
    }

    /// The workspaces whose sources its build has: those that it depends on, those that it uses, and those that are built for
    /// it.
    pub fn source_edges(&self) -> impl Iterator<Item = &RepoPath> {
        let more = self.uses.iter().filter(|path| !self.dependencies.contains(*path));
        self.dependencies.iter().chain(more).chain(&self.needs)
    }

    /// What it reads besides workspaces: the folders that its manifest links to, and what its symbolic links lead to.
    pub fn folders_beside(&self) -> impl Iterator<Item = &RepoPath> {
        self.links.union(&self.link_targets)
    }

    /// Globs of files that its build reads though a rule excludes them.
    pub fn reads(&self) -> impl Iterator<Item = String> {
        let by_tool = self.build.as_ref().and_then(|build| build.tool).map_or(&[][..], |tool| &tool.reads);
        let is_packed = matches!(&self.role, Role::App { product, .. } if product.keeps == Keeps::Packed);
        let packed = PACKED.into_iter().filter(move |_| is_packed).map(str::to_owned);
        let runs_tests = self.build.as_ref().is_some_and(|build| build.runs_tests);
        let tests = TESTS.into_iter().filter(move |_| runs_tests).map(str::to_owned);
        by_tool.iter().cloned().chain(packed).chain(tests).chain(self.linted.iter().cloned())
    }

    /// The workspaces whose builds its own waits for.
    pub fn build_edges(&self) -> impl Iterator<Item = &RepoPath> {
        self.source_edges().filter(|path| !self.cycle.contains(*path))
    }

    /// The workspaces whose dependencies an install without development dependencies has, for it.
    pub fn production_edges(&self) -> impl Iterator<Item = &RepoPath> {
        let is_one = |path: &&RepoPath| self.uses.contains(*path) || !self.development.contains(*path);
        self.source_edges().filter(|path| !self.needs.contains(*path)).filter(is_one)
    }
}

/// Files that a tarball has though no build reads them.
const PACKED: [&str; 2] = ["README*", "CHANGELOG*"];

/// What a workspace is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It has a derivation of its own.
    App {
        /// The name of the derivation.
        name: String,
        /// What its package is.
        product: Box<Product>,
    },
    /// Others depend on it.
    Library,
}

/// Edges that are known before a graph is built.
pub(in crate::split) struct Given<'a> {
    /// The links in manifests.
    pub(in crate::split) links: &'a Links,
    /// What packages of the lockfile require.
    pub(in crate::split) through: &'a ThroughPackages,
}

/// All workspaces, by folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    workspaces: BTreeMap<RepoPath, Workspace>,
    /// The scripts that would start workspaces, but are not understood whole.
    unclear: BTreeMap<RepoPath, Unclear>,
    /// Warnings about files that a build names.
    pub(in crate::split) warnings: Vec<String>,
}

impl Graph {
    /// Builds the graph of `workspaces` with the user's choices, in a tree whose links lead to nothing else.
    #[cfg(test)]
    pub(in crate::split) fn build(
        tree: &dyn Tree,
        workspaces: &Workspaces,
        config: &Config,
        links: &Links,
        manager: ManagerName,
        programs: ProgramSearch<'_>,
    ) -> Result<Self, SplitError> {
        let search = crate::split::LinkSearch::Whole;
        let mut symlinks = Follower::of(tree, workspaces, config, links, &search)?;
        let through = ThroughPackages::new();
        Self::of(tree, workspaces, config, &Given { links, through: &through }, &mut symlinks, manager, programs)
    }

    /// Builds the graph of `workspaces` with the user's choices.
    pub(in crate::split) fn of(
        tree: &dyn Tree,
        workspaces: &Workspaces,
        config: &Config,
        given: &Given<'_>,
        symlinks: &mut Follower<'_>,
        manager: ManagerName,
        programs: ProgramSearch<'_>,
    ) -> Result<Self, SplitError> {
        refuse_unknown(workspaces, config)?;
        let mut builder = Builder::new(tree, workspaces, config, given, symlinks, manager, programs)?;
        let mut graph = Self { workspaces: BTreeMap::new(), unclear: BTreeMap::new(), warnings: Vec::new() };
        for (path, manifest) in workspaces {
            graph.workspaces.insert(path.clone(), builder.workspace(path, manifest)?);
        }
        graph.warnings = builder.warnings();
        graph.unclear = builder.unclear;
        for workspace in graph.workspaces.values_mut() {
            workspace.link_targets = symlinks.parts(&workspace.path);
        }
        graph.name_apps()?;
        graph.name_awaited();
        Ok(graph)
    }

    /// Refuses apps whose scripts do not say for certain what starts them.
    pub(in crate::split) fn refuse_unclear(&self) -> Result<(), SplitError> {
        let is_app = |path: &RepoPath| self.workspaces.get(path).is_some_and(|found| found.role != Role::Library);
        match self.unclear.iter().find(|(path, _)| is_app(path)) {
            Some((path, script)) => {
                Err(SplitError::UnclearStart { workspace: path.clone(), script: Box::new(script.clone()) })
            }
            None => Ok(()),
        }
    }

    /// All workspaces, sorted by folder.
    pub fn workspaces(&self) -> impl Iterator<Item = &Workspace> {
        self.workspaces.values()
    }

    /// Why a workspace needs another one that its manifest does not name, as a verb and its object.
    pub fn reason(&self, from: &RepoPath, to: &RepoPath) -> Option<&str> {
        self.workspaces.get(from)?.reasons.get(to).map(String::as_str)
    }

    /// The apps: the name of the derivation, and the workspace.
    pub fn apps(&self) -> impl Iterator<Item = (&str, &Workspace)> {
        self.workspaces.values().filter_map(|workspace| match &workspace.role {
            Role::App { name, .. } => Some((name.as_str(), workspace)),
            Role::Library => None,
        })
    }

    /// The libraries that have a derivation: its name, and the workspace.
    pub fn libraries(&self) -> impl Iterator<Item = (&str, &Workspace)> {
        self.workspaces.values().filter_map(|workspace| Some((workspace.library.as_deref()?, workspace)))
    }

    /// How many builds come before each workspace's own, at most, in the order of folders.
    pub fn ranks(&self) -> Vec<usize> {
        let awaited = Closures::of(self).edges(Workspace::build_edges);
        Reach::of(&awaited).ranks(&awaited)
    }

    /// A workspace and all that it depends on, directly or not. [`Closures`] has those of all workspaces.
    pub fn closure(&self, path: &RepoPath) -> BTreeSet<RepoPath> {
        self.closure_of([path]).into_iter().cloned().collect()
    }

    /// Some workspaces and all that they depend on, directly or not.
    pub fn closure_of<'a>(&'a self, paths: impl IntoIterator<Item = &'a RepoPath>) -> BTreeSet<&'a RepoPath> {
        let mut closure = BTreeSet::new();
        let mut open: Vec<&RepoPath> = paths.into_iter().collect();
        while let Some(path) = open.pop() {
            if let Some(workspace) = self.workspaces.get(path)
                && closure.insert(path)
            {
                open.extend(workspace.source_edges());
            }
        }
        closure
    }

    /// Returns the workspaces that an app's own install installs for only because others use or link to them. All others follow
    /// from the dependencies in manifests.
    pub fn installed_for_uses(&self, app: &RepoPath, install: Install) -> BTreeSet<&RepoPath> {
        if self.workspaces.values().all(|workspace| workspace.uses.is_empty() && workspace.needs.is_empty()) {
            return BTreeSet::new();
        }
        let [all, named] = [true, false].map(|with_uses| self.installed_with(app, install, with_uses));
        all.difference(&named).copied().collect()
    }

    /// Returns the workspaces that an app's own install installs for.
    pub(in crate::split) fn installed(&self, app: &RepoPath, install: Install) -> BTreeSet<&RepoPath> {
        self.installed_with(app, install, true)
    }

    /// The rules of `plan.nix`, with and without `uses`.
    fn installed_with(&self, app: &RepoPath, install: Install, with_uses: bool) -> BTreeSet<&RepoPath> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&RepoPath> = vec![app];
        while let Some(path) = open.pop() {
            let Some(workspace) = self.workspaces.get(path).filter(|found| !found.path.is_root() || app.is_root())
            else {
                continue;
            };
            if !found.insert(&workspace.path) {
                continue;
            }
            let is_followed = |path: &RepoPath| {
                // What is built for it is there for its build alone.
                let is_built = install != Install::Production && workspace.needs.contains(path);
                let is_used = with_uses && (workspace.uses.contains(path) || is_built);
                let is_needed = install != Install::Production || !workspace.development.contains(path);
                is_used || (workspace.dependencies.contains(path) && is_needed)
            };
            open.extend(workspace.source_edges().filter(|path| is_followed(path)));
        }
        found
    }

    /// Whether the build of another workspace makes a file that a link leads to, and the workspace with the link waits for it.
    pub(in crate::split) fn makes(&self, link: &RepoPath, end: &RepoPath) -> bool {
        let owner = |path: &RepoPath| {
            path.upwards().find_map(|folder| self.workspaces.get(folder)).map(|workspace| workspace.path.clone())
        };
        match (owner(link), owner(end)) {
            (Some(from), Some(to)) => from != to && !to.is_root() && self.closure(&from).contains(&to),
            _ => false,
        }
    }

    /// The folders that manifests of these workspaces link to, and what symbolic links of theirs lead to.
    pub fn folders_beside(&self, closure: &BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
        let members = closure.iter().filter_map(|path| self.workspaces.get(path));
        members.flat_map(Workspace::folders_beside).cloned().collect()
    }

    /// The folders that these workspaces link to.
    pub fn links(&self, closure: &BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
        let members = closure.iter().filter_map(|path| self.workspaces.get(path));
        members.flat_map(|workspace| &workspace.links).cloned().collect()
    }

    /// Returns the error for a name that no app has. It may be the name or the folder of a library.
    pub fn no_such_app(&self, name: &str) -> SplitError {
        let libraries = self.workspaces.values().filter(|workspace| workspace.role == Role::Library);
        let is_meant = |workspace: &Workspace| {
            let path = &workspace.path;
            !path.is_root() && [path.as_str(), path.file_name(), &workspace.name].contains(&name)
        };
        if let Some(library) = libraries.into_iter().find(|workspace| is_meant(workspace)) {
            let (workspace, reason) = (library.path.clone(), library.reason.clone());
            return SplitError::AppIsLibrary { workspace, reason, remedy: library.remedy.clone() };
        }
        let apps: Vec<&str> = self.apps().map(|(name, _)| name).collect();
        SplitError::NoSuchApp { name: name.to_owned(), apps: apps.join(", ") }
    }

    /// Turns all apps but the named ones into libraries.
    pub fn keep_apps(&mut self, names: &BTreeSet<String>) -> Result<(), SplitError> {
        if let Some(name) = names.iter().find(|name| self.apps().all(|(app, _)| app != *name)) {
            return Err(self.no_such_app(name));
        }
        for workspace in self.workspaces.values_mut() {
            if matches!(&workspace.role, Role::App { name, .. } if !names.contains(name)) {
                workspace.role = Role::Library;
                workspace.install = Install::Shared;
                "not among the chosen apps".clone_into(&mut workspace.reason);
                workspace.remedy = None;
            }
        }
        self.name_awaited();
        Ok(())
    }
}

fn refuse_unknown(workspaces: &Workspaces, config: &Config) -> Result<(), SplitError> {
    let used = config.workspaces.values().flat_map(|choice| &choice.uses);
    match config.workspaces.keys().chain(used).find(|path| !workspaces.contains_key(*path)) {
        Some(path) => Err(SplitError::Config { reason: format!("there is no workspace in `{path}`") }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
