//! How a workspace of the graph is made of its manifest, its files and the user's choices.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::{
    Role, Workspace, cycles,
    edges::{Edges, bonds, development_edges, edges, with_links},
    kind::{Facts, choose_kind},
};
use crate::{
    repo::{RepoPath, Tree},
    split::{
        ManagerName, Manifest, SplitError, Workspaces,
        config::{BuildChoice, Config, Exposes, Install, Kind, RuntimeConfig, WorkspaceConfig},
        manifest_path,
        sources::root_files::{self, Finder, Purpose},
        sources::source_filter::Globs,
        workspaces::detect::{
            self, Build, products,
            program::{Keeps, Product},
            start::Unclear,
        },
        workspaces::links::{Linked, Links},
        workspaces::tasks::{Before, Task, Tasks, without_those_that_build_runs},
    },
};

/// What is the same for all workspaces.
pub(super) struct Builder<'a> {
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    config: &'a Config,
    links: &'a Links,
    manager: ManagerName,
    edges: Edges,
    development: Edges,
    tasks: Tasks,
    /// What the task runner would run in each workspace before its build.
    before: BTreeMap<RepoPath, Before>,
    /// For each workspace in a ring, those whose builds its own does not wait for.
    cycles: BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    /// For each workspace, those that depend on it or use it directly.
    dependants: BTreeMap<RepoPath, Vec<RepoPath>>,
    /// The folders that any workspace links to.
    linked: BTreeSet<RepoPath>,
    /// The files of the root that are no sources, as `splitter.json` says.
    excluded: Globs,
    finder: Finder<'a>,
    /// The scripts that would start workspaces, but are not understood whole.
    pub(super) unclear: BTreeMap<RepoPath, Unclear>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        tree: &'a dyn Tree,
        workspaces: &'a Workspaces,
        config: &'a Config,
        links: &'a Links,
        manager: ManagerName,
    ) -> Result<Self, SplitError> {
        let edges = edges(workspaces);
        let tasks = Tasks::read(tree, workspaces)?;
        let root_choice = config.workspaces.get(&RepoPath::root());
        Ok(Self {
            before: tasks.scripts(workspaces, &with_links(&edges, links)),
            cycles: cycles::cut(&bonds(workspaces, &edges, links, config)),
            excluded: root_choice.map_or_else(Globs::default, |choice| Globs::new(&choice.exclude)),
            dependants: dependants(&edges, links, config),
            linked: links.by_workspace.values().flat_map(|linked| &linked.folders).cloned().collect(),
            finder: Finder::new(tree, workspaces),
            development: development_edges(workspaces, &edges),
            unclear: BTreeMap::new(),
            tree,
            workspaces,
            config,
            links,
            manager,
            edges,
            tasks,
        })
    }

    /// A workspace; apps without a chosen name and libraries have none yet.
    pub(super) fn workspace(&mut self, path: &RepoPath, manifest: &Manifest) -> Result<Workspace, SplitError> {
        let choice = self.config.workspaces.get(path).cloned().unwrap_or_default();
        let task = self.tasks.task(path, manifest, "build");
        let found = build(self.tree, path, manifest, &choice, &task, self.manager)?;
        let product = self.product(path, manifest, &choice, found.as_ref())?;
        let before = self.before.get(path).filter(|_| choice.build == BuildChoice::Detected);
        let Before { scripts: before, not_run } = before.cloned().unwrap_or_default();
        let idle = idle(manifest, &choice, &before);
        let facts = Facts {
            build: found.as_ref(),
            product: product.as_ref(),
            idle,
            single: self.workspaces.len() == 1,
            dependants: self.dependants.get(path).map_or(&[][..], Vec::as_slice),
        };
        let (kind, reason) = choose_kind(path, &choice, &facts);
        let has_build = found.as_ref().is_some_and(|build| build.foreign.is_none()) && !path.is_root();
        let needed = found.filter(|build| {
            kind == Kind::App
                || is_awaited(manifest, build, &choice)
                || links_lead_into_output(&self.linked, path, build)
        });
        let is_used_built = kind == Kind::Library || self.is_used_built(path, manifest, needed.as_ref(), &choice);
        let leaves_build = has_build && needed.is_none();
        let build = with_scripts(needed, &before, manifest, self.manager);
        let role = role(path, kind, &choice, product)?;
        refuse_odd(path, &choice, &role, build.is_some())?;
        let linked = self.links.by_workspace.get(path).cloned().unwrap_or_default();
        let linked_only = linked.workspaces.difference(&self.edges[path]).cloned();
        Ok(Workspace {
            path: path.clone(),
            name: manifest.name.clone(),
            reason,
            dependencies: self.edges[path].clone(),
            development: self.development.remove(path).unwrap_or_default(),
            uses: choice.uses.iter().cloned().chain(linked_only).collect(),
            patches: patches(self.tree, path, manifest)?,
            cycle: self.cycles.remove(path).unwrap_or_default(),
            root_files: self.root_files(path, &read_scripts(manifest, &before), &task, &linked)?,
            links: linked.folders,
            env: build.as_ref().map(|_| task.env).unwrap_or_default(),
            build,
            not_run,
            leaves_build,
            is_used_built,
            awaited: false,
            library: None,
            exposes: choice.exposes.unwrap_or(Exposes::Sources),
            install: match role {
                Role::App { .. } => choice.install.unwrap_or(self.config.install),
                Role::Library => Install::Shared,
            },
            role,
        })
    }

    /// Whether others need the build of a workspace that has something of its own to run: many depend on one for its types alone.
    fn is_used_built(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        build: Option<&Build>,
        choice: &WorkspaceConfig,
    ) -> bool {
        let is_named = || self.config.workspaces.values().any(|choice| choice.uses.contains(path));
        build.is_some_and(|build| {
            choice.exposes == Some(Exposes::Output)
                || detect::entry_points::built(manifest, &build.outputs).is_some()
                || is_named()
        })
    }

    /// What a workspace offers. A script that is only half understood is noted for one that runs from its sources.
    fn product(
        &mut self,
        path: &RepoPath,
        manifest: &Manifest,
        choice: &WorkspaceConfig,
        build: Option<&Build>,
    ) -> Result<Option<Product>, SplitError> {
        let &mut Self { tree, manager, .. } = self;
        let asked = products::Asked { tree, folder: path, manifest, manager, choice, build };
        let product = products::find(&asked)?;
        if let Some(Product { unclear: Some(unclear), keeps: Keeps::Sources, .. }) = &product {
            self.unclear.insert(path.clone(), unclear.clone());
        }
        Ok(product)
    }

    /// The files outside of a workspace that it reads, and that what it links to reads.
    fn root_files(
        &mut self,
        path: &RepoPath,
        scripts: &[&str],
        task: &Task,
        linked: &Linked,
    ) -> Result<BTreeSet<RepoPath>, SplitError> {
        let asked = root_files::Asked { path, scripts: scripts.to_vec(), task, purpose: Purpose::Build };
        let mut files = root_files::of(&mut self.finder, &asked)?;
        for folder in &linked.folders {
            files.extend(root_files_of_link(&mut self.finder, folder)?);
        }
        files.retain(|path| self.excluded.find(path.as_str()).is_none());
        Ok(files)
    }
}

/// Why a workspace without a product is a library. `before` are the scripts that builds need.
fn idle(manifest: &Manifest, choice: &WorkspaceConfig, before: &[String]) -> &'static str {
    if !before.is_empty() {
        return "starts no server; builds need its scripts";
    }
    match choice.build {
        BuildChoice::None => "is not built (`build` in splitter.json) and starts no server",
        _ if manifest.scripts.contains_key("build") => "its build script does nothing, and it starts no server",
        _ => "has no build script and starts no server",
    }
}

fn role(path: &RepoPath, kind: Kind, choice: &WorkspaceConfig, product: Option<Product>) -> Result<Role, SplitError> {
    match (kind, product) {
        (Kind::App, Some(product)) => {
            Ok(Role::App { name: choice.app.clone().unwrap_or_default(), product: Box::new(product) })
        }
        (Kind::App, None) => {
            let reason =
                format!("`{path}` is to be an app, but has nothing to build or start; set its `build` or `start`");
            Err(SplitError::Config { reason })
        }
        (Kind::Library, _) => Ok(Role::Library),
    }
}

/// Choices that mean nothing for a workspace of this role.
fn refuse_odd(path: &RepoPath, choice: &WorkspaceConfig, role: &Role, builds: bool) -> Result<(), SplitError> {
    let is_library = *role == Role::Library;
    if choice.exposes == Some(Exposes::Output) && !(is_library && builds) {
        let reason = format!("`{path}` is to expose its output, but is no library with a build");
        return Err(SplitError::Config { reason });
    }
    if is_library && choice.install.is_some_and(|install| install != Install::Shared) {
        let reason = format!("`{path}` is to have an install of its own, but is no app");
        return Err(SplitError::Config { reason });
    }
    if choice.build == BuildChoice::None && !choice.output.is_empty() {
        let reason = format!("`{path}` has an `output`, but is not to be built (`\"build\": null`)");
        return Err(SplitError::Config { reason });
    }
    refuse_unused_runtime(path, &choice.runtime, role)
}

/// Refuses choices for the run time that nothing would read.
fn refuse_unused_runtime(path: &RepoPath, runtime: &RuntimeConfig, role: &Role) -> Result<(), SplitError> {
    let refuse = |why: &str| Err(SplitError::Config { reason: format!("`{path}` has {why}") });
    let adds = runtime.install.is_some() || !runtime.files.is_empty();
    match role {
        _ if *runtime == RuntimeConfig::default() => Ok(()),
        Role::App { product, .. } if product.programs.is_empty() => {
            refuse("a `runtime`, but its package has no program; set `start` too")
        }
        Role::App { product, .. } if adds && product.keeps == Keeps::Files => {
            refuse("`runtime.install` or `runtime.files`, but its programs are compiled and need neither")
        }
        Role::App { product, .. } if runtime.install.is_some() && !product.layout.is_empty() => {
            refuse("a `runtime.install`, but its build puts the packages that it needs into its output")
        }
        Role::App { .. } => Ok(()),
        Role::Library => refuse("a `runtime`, but is no app"),
    }
}

/// The files outside a folder that is linked to which are read with what is in it, as those of a workspace are.
fn root_files_of_link(finder: &mut Finder<'_>, folder: &RepoPath) -> Result<BTreeSet<RepoPath>, SplitError> {
    let asked =
        root_files::Asked { path: folder, scripts: Vec::new(), task: &Task::default(), purpose: Purpose::Build };
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
    let found = match &choice.build {
        BuildChoice::Detected => detect::build(tree, path, manifest, &task.outputs, manager)?,
        BuildChoice::None => None,
        BuildChoice::Command(command) => Some(detect::chosen_build(tree, path, manifest, &task.outputs, command)?),
    };
    Ok(found.map(|build| if choice.output.is_empty() { build } else { build.keeping(&choice.output) }))
}

/// The texts of the scripts in which paths of files may stand: the build, what runs before it, and what those run.
fn read_scripts<'a>(manifest: &'a Manifest, before: &'a [String]) -> Vec<&'a str> {
    let mut names: Vec<&str> = before.iter().map(String::as_str).chain(["build", "start"]).collect();
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
    let mut build = build.unwrap_or_default();
    build.command = commands.join(" && ");
    (!commands.is_empty()).then_some(build)
}

/// Whether others wait for a library's build: where `splitter.json` says so, or its entry points are built.
fn is_awaited(manifest: &Manifest, build: &Build, choice: &WorkspaceConfig) -> bool {
    matches!(choice.build, BuildChoice::Command(_))
        || choice.exposes == Some(Exposes::Output)
        || detect::entry_points::built(manifest, &build.outputs).is_some()
}

/// Whether a link leads to what a library's build makes (`link:../core/dist`). `linked` are the folders of all links.
fn links_lead_into_output(linked: &BTreeSet<RepoPath>, path: &RepoPath, build: &Build) -> bool {
    let outputs = build.outputs.iter().chain(&build.optional);
    let outputs = outputs.filter_map(|output| path.resolve(output).ok()).filter(|output| output != path);
    let first = |from: &str| linked.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next();
    outputs.into_iter().any(|output| output.holds_any(first))
}

/// For each workspace, those that depend on it or use it directly, by folder.
fn dependants(edges: &Edges, links: &Links, config: &Config) -> BTreeMap<RepoPath, Vec<RepoPath>> {
    let mut dependants: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
    for (from, targets) in edges {
        let chosen = config.workspaces.get(from).into_iter().flat_map(|choice| &choice.uses);
        let linked = links.by_workspace.get(from).into_iter().flat_map(|linked| &linked.workspaces);
        let targets: BTreeSet<&RepoPath> = targets.iter().chain(chosen).chain(linked).collect();
        for target in targets {
            dependants.entry(target.clone()).or_default().push(from.clone());
        }
    }
    dependants
}
