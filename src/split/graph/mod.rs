//! The workspace graph: which workspaces there are, what they are for, and which depends on which.

mod cycles;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use self::cycles::{Bond, Bonds};
use super::{
    ManagerName, Manifest, SplitError, Workspaces,
    config::{Config, Exposes, Install, Kind, WorkspaceConfig},
    detect::{self, Build},
    links::{Linked, Links},
    manifest_path,
    root_files::{self, Finder},
    source_filter::Globs,
    tasks::{Task, Tasks, without_those_that_build_runs},
};
use crate::{
    lockfile::DependencyGroup,
    repo::{RepoPath, Tree},
};

/// Folders whose workspaces are apps even where another workspace depends on them (for their types).
const APP_FOLDERS: [&str; 5] = ["apps", "services", "sites", "workers", "functions"];

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
    /// The workspaces that it depends on directly.
    pub dependencies: BTreeSet<RepoPath>,
    /// Those that it uses besides: it links to them, or `splitter.json` says so.
    pub uses: BTreeSet<RepoPath>,
    /// The folders that it links to and that are no workspaces.
    pub links: BTreeSet<RepoPath>,
    /// The folder of the patches that its install has `patch-package` apply.
    pub patches: Option<RepoPath>,
    /// Those of both that depend on it in turn, and whose builds its own does not wait for.
    pub cycle: BTreeSet<RepoPath>,
    /// How it is built, where it has a build that is needed: an app's is, and a library's where its manifest points
    /// others to what the build makes.
    pub build: Option<Build>,
    /// Files and folders outside of it that it reads and that no other workspace holds.
    pub root_files: BTreeSet<RepoPath>,
    /// Environment variables that its build reads, as the repository's task runner has it; names may end in `*`.
    pub env: BTreeSet<String>,
    /// The name of its derivation, for a library with a build that a workspace depends on.
    pub library: Option<String>,
    /// What a library with a build shows to others.
    pub exposes: Exposes,
    /// What is installed for its build.
    pub install: Install,
}

/// What a workspace is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It has a derivation of its own.
    App {
        /// The name of the derivation.
        name: String,
        /// The file that it runs, where it is not built.
        start: Option<String>,
    },
    /// Others depend on it.
    Library,
}

/// The workspaces that each depends on directly.
type Edges = BTreeMap<RepoPath, BTreeSet<RepoPath>>;

/// All workspaces, by folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    workspaces: BTreeMap<RepoPath, Workspace>,
}

impl Graph {
    /// Builds the graph of `workspaces` with the user's choices.
    pub(super) fn build(
        tree: &dyn Tree,
        workspaces: &Workspaces,
        config: &Config,
        links: &Links,
        manager: ManagerName,
    ) -> Result<Self, SplitError> {
        refuse_unknown(workspaces, config)?;
        let edges = edges(workspaces);
        let tasks = Tasks::read(tree, workspaces)?;
        let scripts = tasks.scripts(workspaces, &with_links(&edges, links));
        let root_choice = config.workspaces.get(&RepoPath::root());
        let excluded = root_choice.map_or_else(Globs::default, |choice| Globs::new(&choice.exclude));
        let mut cycles = cycles::cut(&bonds(workspaces, &edges, links, config));
        let single = workspaces.len() == 1;
        let mut finder = Finder::new(tree, workspaces);
        let mut graph = BTreeMap::new();
        for (path, manifest) in workspaces {
            let choice = config.workspaces.get(path).cloned().unwrap_or_default();
            let task = tasks.task(path, manifest, "build");
            let build = build(tree, path, manifest, &choice, &task, manager)?;
            let start = match (&choice.start, &build) {
                (Some(file), _) => Some(file.clone()),
                (None, Some(_)) => None,
                (None, None) => detect::start(tree, path, manifest, manager)?,
            };
            let uses = |from: &RepoPath| {
                config.workspaces.get(from).is_some_and(|choice| choice.uses.contains(path))
                    || links.by_workspace.get(from).is_some_and(|linked| linked.workspaces.contains(path))
            };
            let dependants = edges.iter().filter(|(from, to)| to.contains(path) || uses(from));
            let dependants = dependants.map(|(from, _)| from).collect::<Vec<_>>();
            let facts = Facts { builds: build.is_some(), starts: start.is_some(), single, dependants: &dependants };
            let (kind, reason) = choose_kind(path, &choice, &facts);
            let build = build.filter(|build| {
                kind == Kind::App || is_awaited(manifest, build, &choice) || links_lead_into_output(links, path, build)
            });
            let before = scripts.get(path).filter(|_| choice.build.is_none());
            let build = with_scripts(build, before.map_or(&[], Vec::as_slice), manifest, manager);
            let role = match kind {
                Kind::App if build.is_none() && start.is_none() => {
                    let reason = format!(
                        "`{path}` is to be an app, but has nothing to build or start; set its `build` or `start`"
                    );
                    return Err(SplitError::Config { reason });
                }
                Kind::App => Role::App { name: choice.app.clone().unwrap_or_default(), start },
                Kind::Library => Role::Library,
            };
            if choice.exposes == Some(Exposes::Output) && (role != Role::Library || build.is_none()) {
                let reason = format!("`{path}` is to expose its output, but is no library with a build");
                return Err(SplitError::Config { reason });
            }
            if role == Role::Library && choice.install.is_some_and(|install| install != Install::Shared) {
                let reason = format!("`{path}` is to have an install of its own, but is no app");
                return Err(SplitError::Config { reason });
            }
            let scripts = read_scripts(manifest, before);
            let mut root_files = root_files::of(&mut finder, &root_files::Asked { path, scripts, task: &task })?;
            let linked = links.by_workspace.get(path).cloned().unwrap_or_default();
            for folder in &linked.folders {
                root_files.extend(root_files_of_link(&mut finder, folder)?);
            }
            root_files.retain(|path| excluded.find(path.as_str()).is_none());
            let linked_only = linked.workspaces.difference(&edges[path]).cloned();
            let install =
                if role == Role::Library { Install::Shared } else { choice.install.unwrap_or(config.install) };
            let workspace = Workspace {
                path: path.clone(),
                name: manifest.name.clone(),
                role,
                reason,
                dependencies: edges[path].clone(),
                uses: choice.uses.into_iter().chain(linked_only).collect(),
                links: linked.folders,
                patches: patches(tree, path, manifest)?,
                cycle: cycles.remove(path).unwrap_or_default(),
                root_files,
                env: build.as_ref().map(|_| task.env).unwrap_or_default(),
                build,
                library: None,
                exposes: choice.exposes.unwrap_or(Exposes::Sources),
                install,
            };
            graph.insert(path.clone(), workspace);
        }
        let mut graph = Self { workspaces: graph };
        graph.name_apps()?;
        graph.name_libraries();
        Ok(graph)
    }

    /// All workspaces, sorted by folder.
    pub fn workspaces(&self) -> impl Iterator<Item = &Workspace> {
        self.workspaces.values()
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

    /// A workspace and all that it depends on, directly or not.
    pub fn closure(&self, path: &RepoPath) -> BTreeSet<RepoPath> {
        let mut closure = BTreeSet::new();
        let mut open = vec![path.clone()];
        while let Some(path) = open.pop() {
            if let Some(workspace) = self.workspaces.get(&path)
                && closure.insert(path)
            {
                open.extend(workspace.dependencies.iter().chain(&workspace.uses).cloned());
            }
        }
        closure
    }

    /// The folders that these workspaces link to.
    pub fn links(&self, closure: &BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
        let members = closure.iter().filter_map(|path| self.workspaces.get(path));
        members.flat_map(|workspace| &workspace.links).cloned().collect()
    }

    /// Turns all apps but the named ones into libraries.
    pub fn keep_apps(&mut self, names: &BTreeSet<String>) -> Result<(), SplitError> {
        let apps: Vec<String> = self.apps().map(|(name, _)| name.to_owned()).collect();
        if let Some(name) = names.iter().find(|name| !apps.contains(name)) {
            return Err(SplitError::NoSuchApp { name: name.clone(), apps: apps.join(", ") });
        }
        for workspace in self.workspaces.values_mut() {
            if matches!(&workspace.role, Role::App { name, .. } if !names.contains(name)) {
                workspace.role = Role::Library;
                workspace.install = Install::Shared;
                "not among the chosen apps".clone_into(&mut workspace.reason);
            }
        }
        self.name_libraries();
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

/// Who depends on whom: a dependency that has a workspace's name is that workspace, whatever its specifier. No
/// dependency means the root, which may share its name with a workspace. `lock-set.nix` has the same rule.
fn edges(workspaces: &Workspaces) -> Edges {
    let by_name: BTreeMap<&str, &RepoPath> = workspaces
        .iter()
        .filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty())
        .map(|(path, manifest)| (manifest.name.as_str(), path))
        .collect();
    let targets = |path: &RepoPath, manifest: &Manifest| {
        let names = manifest.dependencies.values().flat_map(|specifiers| specifiers.keys());
        let found = names.filter_map(|name| by_name.get(name.as_str()).map(|target| (*target).clone()));
        found.filter(|target| target != path).collect()
    };
    workspaces.iter().map(|(path, manifest)| (path.clone(), targets(path, manifest))).collect()
}

/// The same with the workspaces that are linked to.
fn with_links(edges: &Edges, links: &Links) -> Edges {
    let mut edges = edges.clone();
    for (from, linked) in &links.by_workspace {
        edges.entry(from.clone()).or_default().extend(linked.workspaces.iter().cloned());
    }
    edges
}

/// How the workspaces depend on each other, with what they link to and what `splitter.json` adds.
fn bonds(workspaces: &Workspaces, edges: &Edges, links: &Links, config: &Config) -> Bonds {
    let nothing = Linked::default();
    let bonds = |from: &RepoPath, targets: &BTreeSet<RepoPath>| {
        let linked = links.by_workspace.get(from).unwrap_or(&nothing);
        let is_runtime = |to: &RepoPath| {
            let groups =
                DependencyGroup::AT_RUNTIME.iter().filter_map(|group| workspaces[from].dependencies.get(group));
            linked.at_runtime.contains(to) || groups.into_iter().any(|names| names.contains_key(&workspaces[to].name))
        };
        let bond = |to: &RepoPath| (to.clone(), if is_runtime(to) { Bond::Runtime } else { Bond::Loose });
        let uses = config.workspaces.get(from).into_iter().flat_map(|choice| &choice.uses);
        let uses = uses.filter(|used| *used != from).map(|used| (used.clone(), Bond::Runtime));
        targets.iter().chain(&linked.workspaces).map(bond).chain(uses).collect()
    };
    edges.iter().map(|(from, targets)| (from.clone(), bonds(from, targets))).collect()
}

/// The files outside a folder that is linked to which are read with what is in it, as those of a workspace are.
fn root_files_of_link(finder: &mut Finder<'_>, folder: &RepoPath) -> Result<BTreeSet<RepoPath>, SplitError> {
    let asked = root_files::Asked { path: folder, scripts: Vec::new(), task: &Task::default() };
    let mut files = root_files::of(finder, &asked)?;
    files.retain(|path| path.below(folder).is_none());
    Ok(files)
}

/// The folder of patches for `patch-package`; none that is not there: it has nothing to apply then.
fn patches(tree: &dyn Tree, path: &RepoPath, manifest: &Manifest) -> Result<Option<RepoPath>, SplitError> {
    let Some(folder) = detect::patch_package::folder(path, manifest) else { return Ok(None) };
    let folder = folder.map_err(|wrong| SplitError::PatchFolder {
        folder: wrong.folder,
        file: manifest_path(path),
        reason: wrong.reason,
    })?;
    Ok(if tree.list(&folder)?.is_empty() { None } else { Some(folder) })
}

fn build(
    tree: &dyn Tree,
    path: &RepoPath,
    manifest: &Manifest,
    choice: &WorkspaceConfig,
    task: &Task,
    manager: ManagerName,
) -> Result<Option<Build>, SplitError> {
    let detected = detect::build(tree, path, manifest, &task.outputs, manager)?;
    let command = choice.build.clone().or_else(|| detected.as_ref().map(|build| build.command.clone()));
    Ok(command.map(|command| Build {
        command,
        tool: detected.as_ref().and_then(|build| build.tool),
        output: match (&choice.start, &choice.output) {
            (Some(_), _) => None,
            (None, Some(output)) => Some(output.clone()),
            (None, None) => detected.and_then(|build| build.output).or_else(|| Some("dist".to_owned())),
        },
    }))
}

/// The texts of the scripts in which paths of files may stand: the build, what runs before it, and what those run.
fn read_scripts<'a>(manifest: &'a Manifest, before: Option<&'a Vec<String>>) -> Vec<&'a str> {
    let mut names: Vec<&str> = before.into_iter().flatten().map(String::as_str).chain(["build", "start"]).collect();
    let mut scripts = Vec::new();
    while let Some(name) = names.pop() {
        let Some(script) = manifest.scripts.get(name).map(String::as_str).filter(|script| !scripts.contains(script))
        else {
            continue;
        };
        scripts.push(script);
        names.extend(script.split_whitespace().filter(|word| manifest.scripts.contains_key(*word)));
        names.extend(["prebuild", "postbuild"].into_iter().filter(|_| name == "build"));
    }
    scripts
}

/// A build with the scripts that run before it, which a library may have without a build.
fn with_scripts(build: Option<Build>, scripts: &[String], manifest: &Manifest, manager: ManagerName) -> Option<Build> {
    let before = match &build {
        Some(_) => without_those_that_build_runs(scripts, manifest),
        None => scripts.to_vec(),
    };
    let mut commands: Vec<_> = before.iter().map(|name| format!("{} run {name}", manager.command())).collect();
    commands.extend(build.as_ref().map(|build| build.command.clone()));
    let build = build.unwrap_or(Build { command: String::new(), tool: None, output: None });
    (!commands.is_empty()).then(|| Build { command: commands.join(" && "), ..build })
}

/// Whether others wait for a library's build: where `splitter.json` says so, or its entry points are built.
fn is_awaited(manifest: &Manifest, build: &Build, choice: &WorkspaceConfig) -> bool {
    choice.build.is_some()
        || choice.exposes == Some(Exposes::Output)
        || detect::entry_points::built(manifest, build.output.as_deref()).is_some()
}

/// Whether a link leads to what a library's build makes (`link:../core/dist`).
fn links_lead_into_output(links: &Links, path: &RepoPath, build: &Build) -> bool {
    let output = build.output.as_ref().and_then(|output| path.resolve(output).ok()).filter(|output| output != path);
    let folders = links.by_workspace.values().flat_map(|linked| &linked.folders);
    output.is_some_and(|output| folders.into_iter().any(|folder| folder.is_within(&output)))
}

/// What decides between app and library.
struct Facts<'a> {
    builds: bool,
    starts: bool,
    /// The repository is one package without workspaces.
    single: bool,
    dependants: &'a [&'a RepoPath],
}

fn choose_kind(path: &RepoPath, choice: &WorkspaceConfig, facts: &Facts<'_>) -> (Kind, String) {
    if let Some(kind) = choice.kind {
        return (kind, "chosen in splitter.json".to_owned());
    }
    let what = match (facts.builds, facts.starts) {
        (true, _) => "has a build script",
        (false, true) => "runs a server from source",
        (false, false) => return (Kind::Library, "has nothing to build or start".to_owned()),
    };
    if path.is_root() && !facts.single {
        return (Kind::Library, "is the root of the workspaces".to_owned());
    }
    if let Some(folder) = path.parts().find(|part| APP_FOLDERS.contains(part)) {
        return (Kind::App, format!("{what} and lies in {folder}/"));
    }
    match facts.dependants {
        [] => (Kind::App, format!("{what} and no workspace depends on it")),
        [one] => (Kind::Library, format!("{one} depends on it")),
        [first, rest @ ..] => (Kind::Library, format!("{first} and {} more depend on it", rest.len())),
    }
}

#[cfg(test)]
mod tests;
