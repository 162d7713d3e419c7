//! The edits that are measured, in a scratch copy. Each round has another one, because Nix would find the builds of the last.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    bench::{Scenario, dependency},
    lockfile::Format,
    proof::{self, ProofError, State, scratch::Copy},
    repo::{FileKind, RepoPath, Tree as _, WorkTree},
    split::{manifest_path, plan::Id, workspaces::graph::Role},
};

/// An edit.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    /// The file that the report names.
    pub(super) path: RepoPath,
    /// New contents. Those of one file grow with each round.
    files: BTreeMap<RepoPath, Vec<u8>>,
}

/// The edits of a repository, or why there is none.
pub(super) type Edits = BTreeMap<Scenario, Result<Edit, String>>;

/// Finds the edits for these packages.
pub(super) fn of(state: &State, tree: &WorkTree, names: &[String]) -> Result<Edits, ProofError> {
    let chooser = Chooser { state, tree, apps: apps(state, names) };
    let mut edits = Edits::new();
    edits.insert(Scenario::AppEdit, chooser.source_of(&chooser.apps, "no app has a source file")?);
    edits.insert(Scenario::NextCommit, chooser.source_of(&chooser.apps, "no app has a source file")?);
    edits.insert(Scenario::Image, chooser.source_of(&chooser.apps, "no app has a source file")?);
    edits.insert(Scenario::LibraryEdit, chooser.source_of(&chooser.libraries(), "these packages use no library")?);
    edits.insert(Scenario::TestEdit, chooser.test());
    edits.insert(Scenario::ReadmeEdit, Ok(chooser.append(&chooser.readme())?));
    edits.insert(Scenario::Dependency, chooser.dependency()?);
    edits.insert(Scenario::LockEdit, chooser.lockfile()?);
    Ok(edits)
}

/// Returns the folders of the workspaces that these packages are built from.
fn apps(state: &State, names: &[String]) -> Vec<RepoPath> {
    let of = |name: &String| state.derivations.get(&Id::App(name.clone()))?.workspace.clone();
    names.iter().filter_map(of).collect()
}

struct Chooser<'a> {
    state: &'a State,
    tree: &'a WorkTree,
    apps: Vec<RepoPath>,
}

impl Chooser<'_> {
    fn content(&self, path: &RepoPath) -> Result<Vec<u8>, ProofError> {
        Ok(self.tree.read(path)?.unwrap_or_default())
    }

    /// Returns where a workspace really is. Its path may lead through links.
    fn folder_of(&self, workspace: &RepoPath) -> RepoPath {
        let mut all = self.state.split.graph.workspaces();
        all.find(|found| found.path == *workspace).map_or_else(|| workspace.clone(), |found| found.folder().clone())
    }

    fn append(&self, path: &RepoPath) -> Result<Edit, ProofError> {
        Ok(Edit { path: path.clone(), files: BTreeMap::from([(path.clone(), self.content(path)?)]) })
    }

    /// Returns an edit of a source file in the first of these workspaces that has one.
    fn source_of(&self, workspaces: &[RepoPath], lacks: &str) -> Result<Result<Edit, String>, ProofError> {
        let source = workspaces.iter().find_map(|workspace| proof::source_of(self.state, &self.folder_of(workspace)));
        Ok(match source {
            Some(path) => Ok(self.append(&path)?),
            None => Err(lacks.to_owned()),
        })
    }

    /// Returns the libraries that these packages use, the one that most use first.
    fn libraries(&self) -> Vec<RepoPath> {
        let graph = &self.state.split.graph;
        let closures: Vec<BTreeSet<&RepoPath>> = self.apps.iter().map(|app| graph.closure_of([app])).collect();
        let users = |path: &RepoPath| closures.iter().filter(|closure| closure.contains(path)).count();
        let libraries = graph.workspaces().filter(|found| found.role == Role::Library && !found.path.is_root());
        let mut libraries: Vec<(usize, RepoPath)> =
            libraries.map(|found| (users(&found.path), found.path.clone())).filter(|(users, _)| *users > 0).collect();
        libraries.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        libraries.into_iter().map(|(_, path)| path).collect()
    }

    fn test(&self) -> Result<Edit, String> {
        let app = self.apps.first().ok_or("there is no app")?;
        let path = self.folder_of(app).child("splitter-bench.test.ts");
        Ok(Edit { path: path.clone(), files: BTreeMap::from([(path, b"export {};\n".to_vec())]) })
    }

    fn readme(&self) -> RepoPath {
        let files = self.state.derivations.files();
        let own = self.apps.first().map(|app| app.child("README.md")).filter(|path| files.contains_key(path));
        own.unwrap_or_else(|| RepoPath::root().child("README.md"))
    }

    fn lockfile_path(&self) -> RepoPath {
        RepoPath::root().child(self.state.split.lockfile.format.file())
    }

    fn lockfile(&self) -> Result<Result<Edit, String>, ProofError> {
        if matches!(self.state.split.lockfile.format, Format::YarnBerry(_)) {
            return Ok(Err("Yarn accepts no lockfile that it would write in another way".to_owned()));
        }
        Ok(Ok(self.append(&self.lockfile_path())?))
    }

    /// Returns an edit that adds a dependency. It changes the manifest, the lockfile and the record, and needs no new tarball.
    fn dependency(&self) -> Result<Result<Edit, String>, ProofError> {
        let lacks = "no workspace has a dependency that an app could get without a change to the resolved versions";
        let path = self.lockfile_path();
        let Ok(lockfile) = String::from_utf8(self.content(&path)?) else { return Ok(Err(lacks.to_owned())) };
        let has_workspaces = self.state.split.lockfile.format != Format::YarnClassic;
        let manifests = &self.state.split.manifests;
        for app in &self.apps {
            let Some(own) = manifests.get(app) else { continue };
            for (donor, given) in manifests.iter().filter(|(donor, _)| !donor.is_root() && *donor != app) {
                let (app_side, donor_side) = ((app.as_str(), &own.json), (donor.as_str(), &given.json));
                let Some((text, manifest)) = dependency::add(&lockfile, has_workspaces, app_side, donor_side) else {
                    continue;
                };
                let files =
                    BTreeMap::from([(path.clone(), text.into_bytes()), (manifest_path(app), manifest.into_bytes())]);
                if let Some(files) = proof::with_record(self.state, self.tree, files)? {
                    return Ok(Ok(Edit { path: manifest_path(app), files }));
                }
            }
        }
        Ok(Err(lacks.to_owned()))
    }
}

impl Edit {
    /// Writes the edit of a round into the copy. Blank lines at the end make its content new.
    pub(super) fn make(&self, copy: &Copy, state: &State, round: usize) -> Result<(), ProofError> {
        for (path, content) in &self.files {
            let kind = state.derivations.files().get(path).map_or(FileKind::Plain, |found| found.kind);
            let more = if *path == self.path { "\n".repeat(round + 1) } else { String::new() };
            copy.write(path, &[content.as_slice(), more.as_bytes()].concat(), kind)?;
        }
        Ok(())
    }

    /// Takes the edit back.
    pub(super) fn undo(&self, copy: &Copy, state: &State, tree: &WorkTree) -> Result<(), ProofError> {
        for path in self.files.keys() {
            match (state.derivations.files().get(path), tree.read(path)?) {
                (Some(found), Some(content)) => copy.write(path, &content, found.kind)?,
                _ => copy.remove(path)?,
            }
        }
        Ok(())
    }
}
