//! Numbers the workspaces, linked folders, root files and libraries, and finds the ones that each build gets.
//!
//! A repository can have thousands of builds, and each build may get sources of all workspaces. A list for each build would be
//! too large. So a build has sets of numbers, which are computed from the sets of its direct dependencies.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::Id;
use crate::{
    repo::RepoPath,
    split::{
        Split,
        config::Exposes,
        workspaces::graph::{Role, Workspace, reach::Reach},
    },
};

/// A workspace, or a folder that a workspace links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) path: RepoPath,
    /// The numbers of the parts that it depends on or links to directly.
    pub(super) next: Vec<usize>,
    /// Whether other workspaces see only its manifest and build output, not its sources.
    pub(super) is_closed: bool,
}

/// A file, folder or glob outside of workspaces that builds read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootFile {
    pub(super) path: RepoPath,
    /// Whether every build reads it.
    pub(super) is_shared: bool,
    /// The numbers of the workspaces that read it.
    pub(super) readers: Vec<usize>,
}

/// A workspace whose build others wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Library {
    pub(super) id: Id,
    pub(super) path: RepoPath,
    /// Its position in the order in which builds copy the output of libraries. A library comes after the ones that it depends
    /// on, because it may change their files again.
    pub(super) position: usize,
}

/// The parts of a repository. Folders and root files are sorted by path, libraries by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) folders: Vec<Part>,
    pub(super) root_files: Vec<RootFile>,
    pub(super) libraries: Vec<Library>,
}

impl Parts {
    pub(super) fn number(&self, path: &RepoPath) -> Option<usize> {
        self.folders.binary_search_by(|part| part.path.cmp(path)).ok()
    }

    /// Returns the paths of libraries in the order in which a build gets their output.
    pub(super) fn in_order(&self, libraries: &FixedBitSet) -> Vec<&RepoPath> {
        let mut libraries: Vec<&Library> = libraries.ones().map(|number| &self.libraries[number]).collect();
        libraries.sort_by_key(|library| library.position);
        libraries.into_iter().map(|library| &library.path).collect()
    }
}

/// The parts of a repository, with everything that can be reached from each.
pub(super) struct Closures<'a> {
    pub(super) parts: Parts,
    reach: Reach,
    awaited: Reach,
    /// For each node the root files of the workspaces that it reaches and whose sources it sees.
    root_files: Vec<FixedBitSet>,
    /// For each node the libraries that it reaches, and the libraries that it waits for.
    libraries: Vec<FixedBitSet>,
    awaited_libraries: Vec<FixedBitSet>,
    /// The root files of each part itself.
    own_root_files: Vec<Vec<usize>>,
    /// Workspaces that link to folders, by number.
    linking: Vec<(usize, &'a BTreeSet<RepoPath>)>,
}

impl<'a> Closures<'a> {
    pub(super) fn of(split: &'a Split) -> Self {
        let graph = &split.graph;
        let by_path: BTreeMap<&RepoPath, &Workspace> = graph.workspaces().map(|found| (&found.path, found)).collect();
        let links = by_path.values().flat_map(|workspace| workspace.folders_beside());
        let paths: Vec<&RepoPath> = by_path.keys().copied().chain(links).collect::<BTreeSet<_>>().into_iter().collect();
        let numbers: BTreeMap<&RepoPath, usize> = (0..).zip(&paths).map(|(number, path)| (*path, number)).collect();
        let number = |path: &RepoPath| numbers.get(path).copied();
        let workspaces: Vec<Option<&Workspace>> = paths.iter().map(|path| by_path.get(path).copied()).collect();
        let next: Vec<Vec<usize>> = workspaces
            .iter()
            .map(|found| {
                let next: BTreeSet<&RepoPath> = found
                    .iter()
                    .flat_map(|workspace| workspace.source_edges().chain(workspace.folders_beside()))
                    .collect();
                next.into_iter().filter_map(number).collect()
            })
            .collect();
        let awaits: Vec<Vec<usize>> = workspaces
            .iter()
            .map(|found| found.iter().flat_map(|workspace| workspace.build_edges()).filter_map(number).collect())
            .collect();
        let (reach, awaited) = (Reach::of(&next), Reach::of(&awaits));
        let (root_files, own_root_files) = root_files(split, &workspaces);
        let libraries = libraries(&workspaces, &awaited.ranks(&awaits));
        let numbered: BTreeMap<&RepoPath, usize> =
            libraries.iter().enumerate().map(|(number, library)| (&library.path, number)).collect();
        let add_library = |node: usize, set: &mut FixedBitSet| {
            if let Some(library) = numbered.get(paths[node]) {
                set.insert(*library);
            }
        };
        let is_closed = |node: usize| workspaces[node].is_some_and(|found| found.exposes == Exposes::Output);
        let add_root_files = |node: usize, set: &mut FixedBitSet| {
            if !is_closed(node) {
                set.extend(own_root_files[node].iter().copied());
            }
        };
        Self {
            root_files: reach.fold(&next, root_files.len(), add_root_files),
            libraries: reach.fold(&next, libraries.len(), add_library),
            awaited_libraries: awaited.fold(&awaits, libraries.len(), add_library),
            linking: workspaces
                .iter()
                .enumerate()
                .filter_map(|(number, found)| Some((number, &(*found)?.links)))
                .filter(|(_, links)| !links.is_empty())
                .collect(),
            parts: Parts {
                folders: next
                    .into_iter()
                    .enumerate()
                    .map(|(node, next)| Part { path: paths[node].clone(), next, is_closed: is_closed(node) })
                    .collect(),
                root_files,
                libraries,
            },
            reach,
            awaited,
            own_root_files,
        }
    }

    /// Returns the parts whose sources the build of a workspace reads.
    pub(super) fn parts_of(&self, own: usize) -> &FixedBitSet {
        self.reach.from(own)
    }

    /// Returns the root files that the build of a workspace reads.
    pub(super) fn root_files_of(&self, own: usize) -> FixedBitSet {
        let mut files = self.reach.folded(&self.root_files, own).clone();
        files.extend(self.own_root_files[own].iter().copied());
        let shared = self.parts.root_files.iter().enumerate().filter(|(_, file)| file.is_shared);
        files.extend(shared.map(|(number, _)| number));
        files
    }

    /// Returns the libraries whose output the build of a workspace gets. Usually these are all libraries that it depends on. If
    /// others wait for this build, they are only the libraries that it waits for.
    pub(super) fn libraries_of(&self, own: usize, workspace: &Workspace) -> FixedBitSet {
        let mut libraries = if workspace.awaited {
            self.awaited.folded(&self.awaited_libraries, own).clone()
        } else {
            self.reach.folded(&self.libraries, own).clone()
        };
        let own = awaited_id(workspace);
        if let Some(number) = own.and_then(|id| self.parts.libraries.binary_search_by(|found| found.id.cmp(&id)).ok()) {
            libraries.remove(number);
        }
        libraries
    }

    /// Returns the folders that the build of a workspace links to, in the order of the linking workspaces.
    pub(super) fn links_of(&self, own: usize) -> impl Iterator<Item = &'a RepoPath> {
        let mut seen = BTreeSet::new();
        let parts = self.parts_of(own);
        let linking = self.linking.iter().filter(|(number, _)| parts.contains(*number));
        linking.flat_map(|(_, links)| *links).filter(move |folder| seen.insert(*folder))
    }
}

/// Returns all root files, and for each workspace the numbers of its own.
fn root_files(split: &Split, workspaces: &[Option<&Workspace>]) -> (Vec<RootFile>, Vec<Vec<usize>>) {
    let mut readers: BTreeMap<&RepoPath, Vec<usize>> = split.root_files.iter().map(|path| (path, Vec::new())).collect();
    for (number, workspace) in workspaces.iter().enumerate() {
        for path in workspace.iter().flat_map(|workspace| &workspace.root_files) {
            readers.entry(path).or_default().push(number);
        }
    }
    let mut of_workspaces = vec![Vec::new(); workspaces.len()];
    for (file, workspace) in readers.values().enumerate().flat_map(|(file, by)| by.iter().map(move |by| (file, *by))) {
        of_workspaces[workspace].push(file);
    }
    let file = |(path, readers): (&RepoPath, Vec<usize>)| {
        let is_shared = split.root_files.contains(path);
        RootFile { path: path.clone(), is_shared, readers }
    };
    (readers.into_iter().map(file).collect(), of_workspaces)
}

/// Returns the derivation of a workspace if others wait for its build.
fn awaited_id(workspace: &Workspace) -> Option<Id> {
    match &workspace.role {
        _ if !workspace.awaited => None,
        Role::App { name, .. } => Some(Id::App(name.clone())),
        Role::Library => workspace.library.clone().map(Id::Library),
    }
}

/// Returns the builds that others wait for. `ranks` is the length of the longest way to each workspace.
fn libraries(workspaces: &[Option<&Workspace>], ranks: &[usize]) -> Vec<Library> {
    let named = (0..).zip(workspaces).filter_map(|(number, workspace)| {
        let workspace = (*workspace)?;
        Some((ranks.get::<usize>(number).copied(), &workspace.path, awaited_id(workspace)?))
    });
    let mut in_order: Vec<_> = named.collect();
    in_order.sort_unstable();
    let library = |(position, (_, path, id)): (usize, (_, &RepoPath, Id))| Library { id, path: path.clone(), position };
    let mut libraries: Vec<Library> = in_order.into_iter().enumerate().map(library).collect();
    libraries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    libraries
}
