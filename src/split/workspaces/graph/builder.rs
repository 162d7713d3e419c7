//! How a workspace of the graph is made of its manifest, its files and the user's choices.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Given, Role, Workspace, cycles,
    edges::{Edges, bonds, development_edges, edges, with_links, with_needs},
    found::{Known, before_build, find, needs, root_files_of_folder, with_found},
    judged::Judged,
    role::{refuse_odd, role},
    scripts::{behind_links, not_run, refuse_unknown_scripts, with_root_scripts, with_scripts},
    through_packages,
};
use crate::{
    repo::{RepoPath, Tree},
    split::{
        Follower, ManagerName, Manifest, SplitError, Workspaces,
        config::{Config, Exposes, Install, WorkspaceConfig},
        manifest_path,
        sources::root_files::{self, EdgeKind, Found, ProgramSearch},
        sources::source_filter::Globs,
        workspaces::detect::{self, start::Unclear},
        workspaces::links::{Linked, Links},
        workspaces::tasks::{Before, Tasks},
    },
};

/// What is the same for all workspaces.
pub(super) struct Builder<'a, 's> {
    pub(super) tree: &'a dyn Tree,
    pub(super) workspaces: &'a Workspaces,
    pub(super) config: &'a Config,
    pub(super) links: &'a Links,
    pub(super) symlinks: &'a mut Follower<'s>,
    pub(super) manager: ManagerName,
    pub(super) edges: Edges,
    pub(super) development: Edges,
    pub(super) tasks: Tasks,
    /// What the task runner would run in each workspace before its build.
    pub(super) before: BTreeMap<RepoPath, Before>,
    /// For each workspace in a ring, those whose builds its own does not wait for.
    pub(super) cycles: BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    /// For each workspace, those that depend on it or use it directly.
    pub(super) dependants: BTreeMap<RepoPath, Vec<RepoPath>>,
    /// For each workspace, those that the task runner builds before it.
    pub(super) needs: BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    /// The folders that any workspace links to.
    pub(super) linked: BTreeSet<RepoPath>,
    /// The files of the root that are no sources, as `splitter.json` says.
    pub(super) excluded: Globs,
    /// What each workspace needs outside its folder, as a search of its files found.
    pub(super) found: BTreeMap<RepoPath, Found>,
    /// Files whose variables the package manager gives to every script.
    pub(super) environment: Vec<RepoPath>,
    /// The scripts that would start workspaces, but are not understood whole.
    pub(super) unclear: BTreeMap<RepoPath, Unclear>,
    /// Whether sources are searched. Else what they lead to is known from a record.
    pub(super) is_whole: bool,
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
        refuse_unknown_scripts(path, manifest, &self.workspaces[&RepoPath::root()], &choice)?;
        let task = self.tasks.task(path, manifest, "build");
        let Before { scripts: before, not_run: tasks_not_run } = before_build(&self.before, path, &choice);
        let Judged { kind, reason, remedy, product, build, lacks_entry, is_used_built, leaves_build } =
            self.judge(path, manifest, &choice, &task, &before)?;
        let build = with_scripts(build, &before, manifest, self.manager);
        let build = with_root_scripts(build, manifest.real_or(path), &choice.root_scripts, self.manager);
        let build = behind_links(build, manifest, self.manager);
        let role = role(path, kind, &choice, product)?;
        refuse_odd(path, &choice, &role, build.is_some())?;
        let linked = self.links.by_workspace.get(path).cloned().unwrap_or_default();
        Ok(Workspace {
            path: path.clone(),
            name: manifest.name.clone(),
            reason,
            remedy,
            dependencies: self.edges[path].clone(),
            development: self.development.remove(path).unwrap_or_default(),
            uses: self.uses(path, &choice, &linked),
            needs: self.other_needs(path, &choice, &linked),
            reasons: self.reasons(path),
            of_others: self.of_others(path),
            linted: self.found.get(path).map(|found| found.reads.clone()).unwrap_or_default(),
            imports: self.found.get(path).map(|found| found.imports.clone()).unwrap_or_default(),
            missing_entry: lacks_entry.filter(|_| build.is_none()),
            patches: patches(self.tree, path, manifest)?,
            cycle: self.cycles.remove(path).unwrap_or_default(),
            root_files: self.root_files(path, &choice)?,
            not_run: not_run(manifest, &choice.own_scripts, self.manager),
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

    /// The workspaces whose files it reads beside those of its manifest.
    fn uses(&self, path: &RepoPath, choice: &WorkspaceConfig, linked: &Linked) -> BTreeSet<RepoPath> {
        let linked_only = linked.workspaces.difference(&self.edges[path]).cloned();
        let imported = self.found(path, &[EdgeKind::Import]);
        choice.uses.iter().cloned().chain(linked_only).chain(self.all_for_root(path)).chain(imported).collect()
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
