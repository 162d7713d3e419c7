//! How a workspace of the graph is made of its manifest, its files and the user's choices.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::{
    Given, Remedy, Role, Workspace, advice, cycles,
    edges::{Edges, bonds, development_edges, edges, with_links, with_needs},
    found::{Known, before_build, find, needs, root_files_of_folder, with_found},
    kind::{Facts, choose_kind},
    references,
    role::{refuse_odd, role},
    scripts::{behind_links, not_run, refuse_unknown_scripts, with_root_scripts, with_scripts},
    through_packages,
};
use crate::{
    repo::{RepoPath, Tree},
    split::{
        Follower, ManagerName, Manifest, SplitError, Workspaces,
        config::{BuildChoice, Config, Exposes, Install, Kind, WorkspaceConfig},
        manifest_path,
        sources::root_files::{self, EdgeKind, Found, ProgramSearch},
        sources::source_filter::Globs,
        workspaces::detect::{
            self, Build, products,
            program::{self, Keeps, Product},
            start::Unclear,
        },
        workspaces::links::{Linked, Links},
        workspaces::tasks::{Before, Task, Tasks},
    },
};

/// What is the same for all workspaces.
pub(super) struct Builder<'a, 's> {
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    config: &'a Config,
    links: &'a Links,
    symlinks: &'a mut Follower<'s>,
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
    /// For each workspace, those that the task runner builds before it.
    needs: BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    /// The folders that any workspace links to.
    linked: BTreeSet<RepoPath>,
    /// The files of the root that are no sources, as `splitter.json` says.
    excluded: Globs,
    /// What each workspace needs outside its folder, as a search of its files found.
    found: BTreeMap<RepoPath, Found>,
    /// Files whose variables the package manager gives to every script.
    environment: Vec<RepoPath>,
    /// The scripts that would start workspaces, but are not understood whole.
    pub(super) unclear: BTreeMap<RepoPath, Unclear>,
    /// Whether sources are searched. Else what they lead to is known from a record.
    is_whole: bool,
}

impl<'a, 's> Builder<'a, 's> {
    pub(super) fn new(
        tree: &'a dyn Tree,
        workspaces: &'a Workspaces,
        config: &'a Config,
        given: &Given<'a>,
        symlinks: &'a mut Follower<'s>,
        manager: ManagerName,
        programs: ProgramSearch<'_>,
    ) -> Result<Self, SplitError> {
        let links = given.links;
        let edges = edges(workspaces);
        let tasks = Tasks::read(tree, workspaces)?;
        let before = tasks.scripts(workspaces, &with_links(&edges, links));
        let root_choice = config.workspaces.get(&RepoPath::root());
        let excluded = root_choice.map_or_else(Globs::default, |choice| Globs::new(&choice.exclude));
        let known = Known {
            tree,
            workspaces,
            config,
            links,
            tasks: &tasks,
            before: &before,
            edges: &edges,
            excluded: &excluded,
        };
        let mut found = find(&known, programs)?;
        let development = development_edges(workspaces, &edges);
        through_packages::add(&mut found, given.through, |from, to, at_runtime| {
            let is_off = config.workspaces.get(from).is_some_and(|choice| choice.not_uses.contains(to));
            is_off || (edges[from].contains(to) && !(at_runtime && development[from].contains(to)))
        });
        let of_tasks = tasks.needs(workspaces);
        let bonds = with_found(with_needs(bonds(workspaces, &edges, links, config), &of_tasks), &found);
        let needs = needs(of_tasks, &found);
        Ok(Self {
            before,
            cycles: cycles::cut(&bonds),
            excluded,
            needs,
            dependants: dependants(&edges, links, config, &found),
            found,
            linked: links.by_workspace.values().flat_map(|linked| &linked.folders).cloned().collect(),
            environment: root_files::environment::of_yarn(tree, manager)?.files,
            development,
            unclear: BTreeMap::new(),
            is_whole: matches!(programs, ProgramSearch::Whole),
            tree,
            workspaces,
            config,
            links,
            symlinks,
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
        refuse_unknown_scripts(path, manifest, &self.workspaces[&RepoPath::root()], &choice)?;
        let Before { scripts: before, not_run: tasks_not_run } = before_build(&self.before, path, &choice);
        let (kind, reason) = self.kind(path, &choice, found.as_ref(), product.as_ref(), &before);
        let remedy = self.remedy(path, manifest, kind, product.as_ref())?;
        let is_files = self.is_files_for_others(path, manifest, found.as_ref(), product.as_ref());
        let lacks_entry = self.lacks_entry(path, manifest)?;
        let found = self.or_by_references(found, path, manifest, lacks_entry.as_deref())?;
        let has_build = found.as_ref().is_some_and(|build| build.foreign.is_none()) && !path.is_root();
        let needed = found.filter(|build| {
            // The root's script often builds all workspaces, and the others wait for their own.
            if path.is_root() && choice.build == BuildChoice::Detected && builds_others(&build.script) {
                return kind == Kind::App;
            }
            kind == Kind::App
                || is_awaited(manifest, build, &choice)
                || links_lead_into_output(&self.linked, path, build)
                || lacks_entry.is_some()
                || self.is_needed_by_task(path)
        });
        let is_used_built = kind == Kind::Library
            || lacks_entry.is_some()
            || is_files
            || self.is_used_built(path, manifest, needed.as_ref(), &choice);
        let leaves_build = has_build && needed.is_none();
        let build = with_scripts(needed, &before, manifest, self.manager);
        let build = with_root_scripts(build, manifest.real_or(path), &choice.root_scripts, self.manager);
        let build = behind_links(build, manifest, self.manager);
        let role = role(path, kind, &choice, product)?;
        refuse_odd(path, &choice, &role, build.is_some())?;
        let linked = self.links.by_workspace.get(path).cloned().unwrap_or_default();
        let linked_only = linked.workspaces.difference(&self.edges[path]).cloned();
        Ok(Workspace {
            path: path.clone(),
            name: manifest.name.clone(),
            reason,
            remedy,
            dependencies: self.edges[path].clone(),
            development: self.development.remove(path).unwrap_or_default(),
            uses: choice
                .uses
                .iter()
                .cloned()
                .chain(linked_only)
                .chain(self.all_for_root(path))
                .chain(self.found(path, &[EdgeKind::Import]))
                .collect(),
            needs: self.other_needs(path, &choice, &linked),
            reasons: self.reasons(path),
            of_others: self.of_others(path),
            linted: self.found.get(path).map(|found| found.reads.clone()).unwrap_or_default(),
            imports: self.found.get(path).map(|found| found.imports.clone()).unwrap_or_default(),
            missing_entry: lacks_entry.filter(|_| build.is_none()),
            patches: patches(self.tree, path, manifest)?,
            cycle: self.cycles.remove(path).unwrap_or_default(),
            root_files: self.root_files(path, &choice)?,
            not_run: not_run(manifest, &choice.own_scripts),
            root_scripts: choice.root_scripts,
            real: manifest.place.as_ref().map(|place| place.real.clone()),
            links: linked.folders,
            // Found when the root files of all workspaces are known.
            link_targets: BTreeSet::new(),
            env: build.as_ref().map(|_| task.env).unwrap_or_default(),
            build,
            tasks_not_run,
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

    /// What makes a library an app.
    fn remedy(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        kind: Kind,
        product: Option<&Product>,
    ) -> Result<Option<Remedy>, SplitError> {
        Ok(match (kind, product) {
            (Kind::App, _) => None,
            (Kind::Library, Some(_)) => Some(Remedy::kind()),
            (Kind::Library, None) => Some(advice::remedy(self.tree, self.workspaces, path, manifest, self.manager)?),
        })
    }

    /// The entry point of a workspace with dependants that git lacks.
    fn lacks_entry(&self, path: &RepoPath, manifest: &Manifest) -> Result<Option<String>, SplitError> {
        let has_dependants = self.dependants.get(path).is_some_and(|dependants| !dependants.is_empty());
        if has_dependants && !path.is_root() {
            detect::entry_points::missing(self.tree, path, manifest)
        } else {
            Ok(None)
        }
    }

    /// The build that was found, or that of a script of the root that builds all project references.
    fn or_by_references(
        &self,
        found: Option<Build>,
        path: &RepoPath,
        manifest: &Manifest,
        lacks_entry: Option<&str>,
    ) -> Result<Option<Build>, SplitError> {
        match lacks_entry.filter(|_| found.is_none()) {
            Some(entry) => references::build(self.tree, (path, manifest), &self.workspaces[&RepoPath::root()], entry),
            None => Ok(found),
        }
    }

    /// The workspaces that a build needs and that neither its manifest, nor `uses`, nor a link names.
    fn other_needs(&self, path: &RepoPath, choice: &WorkspaceConfig, linked: &Linked) -> BTreeSet<RepoPath> {
        let is_named = |needed: &RepoPath| {
            self.edges[path].contains(needed) || choice.uses.contains(needed) || linked.workspaces.contains(needed)
        };
        let tools = self.found(path, &[EdgeKind::Tool]);
        self.needs.get(path).into_iter().flatten().chain(&tools).filter(|needed| !is_named(needed)).cloned().collect()
    }

    /// The workspaces that the root reads as an app. They stay what they are: the root builds them itself.
    fn all_for_root(&self, path: &RepoPath) -> impl Iterator<Item = RepoPath> {
        let uses_all = self.config.uses_all(path);
        self.workspaces.keys().filter(move |other| uses_all && !other.is_root()).cloned()
    }

    /// Whether others need the build of a workspace that has something of its own to run: many depend on one for its types alone.
    fn is_used_built(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        build: Option<&Build>,
        choice: &WorkspaceConfig,
    ) -> bool {
        let is_named =
            || self.is_needed_by_task(path) || self.config.workspaces.values().any(|choice| choice.uses.contains(path));
        build.is_some_and(|build| {
            choice.exposes == Some(Exposes::Output)
                || detect::entry_points::built(manifest, &build.outputs).is_some()
                || is_named()
        })
    }

    /// Whether the task runner builds a workspace before another one, which it names.
    fn is_needed_by_task(&self, path: &RepoPath) -> bool {
        self.needs.values().any(|needed| needed.contains(path))
    }

    /// Whether others depend on a workspace for the files that it builds: it has nothing that they could import, or their scripts
    /// name its output.
    fn is_files_for_others(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        build: Option<&Build>,
        product: Option<&Product>,
    ) -> bool {
        let Some(build) = build else { return false };
        let is_site = product.is_some_and(|product| product.purpose == program::Purpose::Site);
        let mut dependants = self.dependants.get(path).into_iter().flatten().peekable();
        let is_alone = dependants.peek().is_none();
        let is_named_by = |from: &RepoPath| {
            let words = self.workspaces[from].scripts.values().flat_map(|script| script.split(is_end_of_word));
            let is_output = |word: &str| {
                let inner = word.strip_prefix(manifest.name.as_str()).and_then(|inner| inner.strip_prefix('/'));
                let inner = inner.map(str::to_owned).or_else(|| Some(from.resolve(word).ok()?.below(path)?.to_owned()));
                inner.is_some_and(|inner| build.kept().any(|output| is_below(&inner, output)))
            };
            words.filter(|word| word.contains('/')).any(is_output)
        };
        !is_alone && ((is_site && !detect::entry_points::has_any(manifest)) || dependants.any(is_named_by))
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

    /// Whether a workspace has nothing to build, to start or to import, such as one with benchmarks.
    fn offers_nothing(&self, path: &RepoPath) -> bool {
        let manifest = &self.workspaces[path];
        let runs = ["build", "start", "dev"].iter().any(|name| manifest.scripts.contains_key(*name));
        let is_needed = self.dependants.get(path).is_some_and(|dependants| !dependants.is_empty());
        !runs && !is_needed && !detect::entry_points::has_any(manifest)
    }

    fn kind(
        &self,
        path: &RepoPath,
        choice: &WorkspaceConfig,
        build: Option<&Build>,
        product: Option<&Product>,
        before: &[String],
    ) -> (Kind, String) {
        let has_programs = product.is_some_and(|product| !product.programs.is_empty());
        let counts = |from: &&RepoPath| !(has_programs && self.offers_nothing(from));
        let dependants: Vec<RepoPath> =
            self.dependants.get(path).into_iter().flatten().filter(counts).cloned().collect();
        let single = self.workspaces.len() == 1;
        let manifest = &self.workspaces[path];
        let has_entry = detect::entry_points::has_any(manifest);
        let facts = Facts { manifest, build, product, before, single, has_entry, dependants: &dependants };
        choose_kind(path, choice, &facts)
    }

    /// The files outside of a workspace that it reads, and that what it links to reads.
    fn root_files(&mut self, path: &RepoPath, choice: &WorkspaceConfig) -> Result<BTreeSet<RepoPath>, SplitError> {
        let mut files = self.found.get(path).map(|found| found.files.clone()).unwrap_or_default();
        if !path.is_root() {
            files.extend(self.environment.iter().cloned());
        }
        files.retain(|path| self.excluded.find(path.as_str()).is_none());
        // Node.js looks for files from where they really are, so a build has the links and what they lead to.
        let place = self.workspaces.get(path).and_then(|manifest| manifest.place.as_ref());
        files.extend(place.into_iter().flat_map(|place| place.links.iter().cloned()));
        files.extend(root_files::chosen(self.tree, &choice.root_files, &format!("`rootFiles` of `{path}`"))?);
        self.follow_links(path, &files)?;
        Ok(files)
    }

    /// The workspaces that were found to be needed in one of these ways.
    fn found(&self, path: &RepoPath, kinds: &[EdgeKind]) -> Vec<RepoPath> {
        let edges = self.found.get(path).into_iter().flat_map(|found| &found.edges);
        edges.filter(|(_, edge)| kinds.contains(&edge.kind)).map(|(to, _)| to.clone()).collect()
    }

    /// Why each of these is needed, in words.
    fn reasons(&self, path: &RepoPath) -> BTreeMap<RepoPath, String> {
        let edges = self.found.get(path).into_iter().flat_map(|found| &found.edges);
        edges.map(|(to, edge)| (to.clone(), edge.shown(path))).collect()
    }

    /// Those that the configuration of another workspace names.
    fn of_others(&self, path: &RepoPath) -> BTreeSet<RepoPath> {
        let edges = self.found.get(path).into_iter().flat_map(|found| &found.edges);
        edges.filter(|(_, edge)| edge.is_of_another).map(|(to, _)| to.clone()).collect()
    }

    /// Warnings of the search.
    pub(super) fn warnings(&self) -> Vec<String> {
        let unmade = self.found.values().flat_map(|found| &found.unmade);
        unmade.map(|(_, text)| text.clone()).collect()
    }

    /// Follows the links among root files, and adds what folders that links lead to read outside of them.
    fn follow_links(&mut self, path: &RepoPath, files: &BTreeSet<RepoPath>) -> Result<(), SplitError> {
        let is_used = !path.is_root() || self.workspaces.len() == 1;
        if !self.is_whole || !is_used {
            return Ok(());
        }
        self.symlinks.follow_root_files(path, files)?;
        self.symlinks.follow_root_files(path, &self.config.root_files.iter().cloned().collect())?;
        for target in self.symlinks.parts(path) {
            if self.tree.is_file(&target)? || self.tree.link(&target)?.is_some() {
                continue;
            }
            let more = root_files_of_folder(self.tree, self.workspaces, &target)?;
            self.symlinks.add(path, more);
        }
        Ok(())
    }
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

/// Whether a script of the root runs scripts of the workspaces.
fn builds_others(script: &str) -> bool {
    let words = ["turbo", "nx", "lerna", "wsrun", "moon", "workspace", "workspaces", "foreach", "-r", "--recursive"];
    let is_one = |word: &str| words.contains(&word) || word.starts_with("--filter") || word.starts_with("--workspaces");
    script.split(|c: char| c.is_whitespace() || "\"';".contains(c)).any(is_one)
}

fn is_end_of_word(character: char) -> bool {
    character.is_whitespace() || "\"'=;()`".contains(character)
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
fn dependants(
    edges: &Edges,
    links: &Links,
    config: &Config,
    found: &BTreeMap<RepoPath, Found>,
) -> BTreeMap<RepoPath, Vec<RepoPath>> {
    let mut dependants: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
    for (from, targets) in edges {
        let chosen = config.workspaces.get(from).into_iter().flat_map(|choice| &choice.uses);
        let linked = links.by_workspace.get(from).into_iter().flat_map(|linked| &linked.workspaces);
        let imported = found.get(from).into_iter().flat_map(|found| &found.edges);
        let imported = imported.filter(|(_, edge)| edge.is_package).map(|(to, _)| to);
        let targets: BTreeSet<&RepoPath> = targets.iter().chain(chosen).chain(linked).chain(imported).collect();
        for target in targets {
            dependants.entry(target.clone()).or_default().push(from.clone());
        }
    }
    dependants
}
