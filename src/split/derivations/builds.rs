//! What the builds of apps and libraries are made from: `build.nix` and `source.nix`, `app.nix`, `library.nix`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Derivation, Id, Input,
    inputs::{INSTALLED, OF_APPS, OF_BUILDS, OF_LIBRARIES, ORDERS, Rules, insert_list, installed},
};
use crate::{
    repo::RepoPath,
    split::{
        config::{Exposes, Install},
        graph::{Graph, Role, Workspace},
    },
};

impl Rules<'_> {
    /// `app.nix`.
    pub(super) fn app(&self, name: &str, workspace: &Workspace, order: &LibraryOrder<'_>) -> Derivation {
        let mut derivation = self.build(OF_APPS, workspace, order);
        let mut set = |name, text: Option<&str>| {
            derivation.inputs.extend(text.map(|text| (Input::Setting(name), text.to_owned())));
        };
        set("name", Some(name));
        set("output folder", workspace.build.as_ref().and_then(|build| build.output.as_deref()));
        if let Role::App { start, .. } = &workspace.role {
            set("start file", start.as_deref());
        }
        if workspace.install != Install::Shared {
            derivation.needs.remove(&Id::NodeModules);
            derivation.needs.insert(Id::OwnInstall(name.to_owned()));
            derivation.inputs.insert(Input::Setting(INSTALLED), installed(workspace.install).to_owned());
        }
        derivation
    }

    /// `library.nix`.
    pub(super) fn library(&self, name: &str, workspace: &Workspace, order: &LibraryOrder<'_>) -> Derivation {
        let mut derivation = self.build(OF_LIBRARIES, workspace, order);
        derivation.inputs.insert(Input::Setting("name"), name.to_owned());
        let exposes = match workspace.exposes {
            Exposes::Sources => "sources",
            Exposes::Output => "output",
        };
        derivation.inputs.insert(Input::Setting("what it exposes"), exposes.to_owned());
        derivation
    }

    /// `build.nix`. The files of the lock set and the package manager are inputs of a build too; they are inputs of
    /// `nodeModules` before, and change the build by it.
    fn build(&self, file: &str, workspace: &Workspace, order: &LibraryOrder<'_>) -> Derivation {
        let graph = &self.split.graph;
        let mut inputs: BTreeMap<Input, String> =
            self.nix_files(|name| name == file || OF_BUILDS.contains(&name)).collect();
        inputs.insert(Input::RootManifest, self.root_manifest());
        let mut set = |name, text: String| inputs.insert(Input::Setting(name), text);
        set("folder", workspace.path.to_string());
        if let Some(build) = &workspace.build {
            set("build command", build.command.clone());
        }
        let is_copied = self.split.copies.contains_key(&workspace.path);
        set("packages", if is_copied { "copied" } else { "linked" }.to_owned());
        let members = graph.closure(&workspace.path);
        let libraries = order.before(workspace);
        insert_list(&mut inputs, ORDERS[0], libraries.iter().map(|(_, library)| library.path.as_str()));
        let mut seen = BTreeSet::new();
        let linked = graph.workspaces().filter(|member| members.contains(&member.path));
        let linked = linked.flat_map(|member| &member.links).filter(|folder| seen.insert(*folder));
        insert_list(&mut inputs, ORDERS[1], linked.map(RepoPath::as_str));
        let built = libraries.iter().map(|(name, _)| Id::Library((*name).to_owned()));
        Derivation {
            needs: built.chain([Id::NodeModules]).collect(),
            workspace: Some(workspace.path.clone()),
            inputs,
            ..self.sources(workspace, members)
        }
    }

    /// The parts of its sources.
    fn sources(&self, workspace: &Workspace, members: BTreeSet<RepoPath>) -> Derivation {
        let graph = &self.split.graph;
        let closed: BTreeSet<RepoPath> = graph
            .workspaces()
            .filter(|member| member.exposes == Exposes::Output && member.path != workspace.path)
            .filter(|member| members.contains(&member.path))
            .map(|member| member.path.clone())
            .collect();
        let mut root_files: BTreeMap<RepoPath, BTreeSet<RepoPath>> = BTreeMap::new();
        for member in graph.workspaces().filter(|member| members.contains(&member.path)) {
            for file in member.root_files.iter().filter(|_| !closed.contains(&member.path)) {
                root_files.entry(file.clone()).or_default().insert(member.path.clone());
            }
        }
        root_files.extend(self.split.root_files.iter().map(|file| (file.clone(), BTreeSet::new())));
        let mut sources = graph.links(&members);
        sources.extend(members.into_iter().filter(|member| !closed.contains(member)));
        Derivation { sources, shown: closed, root_files, ..Derivation::default() }
    }
}

/// The order in which builds get what libraries made: what may have been changed again comes later.
pub(super) struct LibraryOrder<'a> {
    workspaces: BTreeMap<&'a RepoPath, &'a Workspace>,
    /// How many workspaces are before each, at most.
    ranks: BTreeMap<&'a RepoPath, usize>,
}

impl<'a> LibraryOrder<'a> {
    pub(super) fn of(graph: &'a Graph) -> Self {
        let workspaces: BTreeMap<_, _> = graph.workspaces().map(|workspace| (&workspace.path, workspace)).collect();
        let mut order = Self { workspaces, ranks: BTreeMap::new() };
        for workspace in graph.workspaces() {
            order.rank(workspace);
        }
        order
    }

    fn rank(&mut self, workspace: &'a Workspace) -> usize {
        if let Some(rank) = self.ranks.get(&workspace.path) {
            return *rank;
        }
        // Cycles are cut; what stands here meanwhile would end one all the same.
        self.ranks.insert(&workspace.path, 0);
        let mut rank = 0;
        for path in awaited(workspace) {
            if let Some(next) = self.workspaces.get(path).copied() {
                rank = rank.max(1 + self.rank(next));
            }
        }
        self.ranks.insert(&workspace.path, rank);
        rank
    }

    /// The libraries whose builds a workspace's own gets, by the names of their derivations: an app all that it depends
    /// on, a library those that it waits for.
    fn before(&self, workspace: &Workspace) -> Vec<(&'a str, &'a Workspace)> {
        let is_app = matches!(workspace.role, Role::App { .. });
        let mut seen = BTreeSet::new();
        let mut open = vec![&workspace.path];
        while let Some(path) = open.pop() {
            if let Some((path, found)) = self.workspaces.get_key_value(path)
                && seen.insert(*path)
            {
                open.extend(all(found).filter(|next| is_app || !found.cycle.contains(*next)));
            }
        }
        seen.remove(&workspace.path);
        let named = |path: &'a RepoPath| {
            let library = *self.workspaces.get(path)?;
            Some((library.library.as_deref()?, library))
        };
        let mut libraries: Vec<_> = seen.into_iter().filter_map(named).collect();
        libraries.sort_by_key(|(_, library)| (self.ranks.get(&library.path).copied(), &library.path));
        libraries
    }
}

fn all(workspace: &Workspace) -> impl Iterator<Item = &RepoPath> {
    workspace.dependencies.iter().chain(&workspace.uses)
}

fn awaited(workspace: &Workspace) -> impl Iterator<Item = &RepoPath> {
    all(workspace).filter(|path| !workspace.cycle.contains(*path))
}
