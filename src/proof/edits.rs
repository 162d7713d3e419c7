//! The edits that `splitter verify` makes: one for each kind of everyday change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ProofError, State, lock_edit};
use crate::{
    managers::SampleSettings,
    repo::{FileKind, RepoPath, WorkTree},
    split::{
        Manifest, manifest_path,
        workspaces::graph::{Closures, Role, Workspace},
    },
};

/// An edit of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The kind of edit, in words.
    pub name: &'static str,
    /// The file or folder that is edited.
    pub path: RepoPath,
    /// The action.
    pub(super) action: Action,
}

/// The action of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Writes files with these contents.
    Write(BTreeMap<RepoPath, Vec<u8>>),
    /// Toggles the executable bit of the file.
    Chmod,
    /// Makes an empty folder.
    Folder,
}

/// Ends of the names of files that developers edit.
const CODE: [&str; 12] =
    [".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".vue", ".svelte", ".astro", ".css", ".html"];

/// The most root files to edit.
const ROOT_FILES: usize = 3;

/// Returns the edits for a repository. Edits that need something that the repository does not have are skipped.
pub(super) fn table(state: &State, tree: &WorkTree) -> Result<Vec<Edit>, ProofError> {
    let mut table = Table { state, tree, edits: Vec::new() };
    table.add_documents()?;
    table.add_sources()?;
    table.add_manifests();
    table.add_trifles()?;
    table.add_settings()?;
    table.add_lock_set()?;
    Ok(table.edits)
}

struct Table<'a> {
    state: &'a State,
    tree: &'a WorkTree,
    edits: Vec<Edit>,
}

impl Table<'_> {
    /// Adds an edit, unless it is of a symbolic link: what a link leads to has edits of its own.
    fn add(&mut self, name: &'static str, path: RepoPath, action: Action) {
        let path = self.behind_links(path);
        if !self.is_link(&path) {
            self.edits.push(Edit { name, path, action });
        }
    }

    /// Returns where a file of a workspace really is: git lists no file behind a link.
    fn behind_links(&self, path: RepoPath) -> RepoPath {
        let moved = |workspace: &Workspace| {
            let inner = path.below(&workspace.path).filter(|_| workspace.real.is_some())?;
            workspace.folder().resolve(inner).ok()
        };
        self.state.split.graph.workspaces().find_map(moved).unwrap_or(path)
    }

    fn is_link(&self, path: &RepoPath) -> bool {
        self.state.derivations.files().get(path).is_some_and(|state| state.kind == FileKind::Link)
    }

    fn write(&mut self, name: &'static str, path: RepoPath, content: impl Into<Vec<u8>>) {
        let path = self.behind_links(path);
        let action = Action::Write(BTreeMap::from([(path.clone(), content.into())]));
        self.add(name, path, action);
    }

    /// Adds an edit that appends a line to a file, or creates the file.
    fn append(&mut self, name: &'static str, path: RepoPath, line: &str) -> Result<(), ProofError> {
        let path = self.behind_links(path);
        let content = super::scratch::content(self.tree, &path)?;
        self.write(name, path, [content.as_slice(), line.as_bytes()].concat());
        Ok(())
    }

    fn apps(&self) -> Vec<Workspace> {
        self.state.split.graph.apps().map(|(_, workspace)| workspace.clone()).collect()
    }

    /// Returns the library that most apps depend on.
    fn library(&self) -> Option<RepoPath> {
        let graph = &self.state.split.graph;
        let closures = Closures::of(graph);
        let mut users = vec![0_usize; closures.workspaces().len()];
        for app in graph.apps().filter_map(|(_, app)| closures.number(&app.path)) {
            for member in closures.members(app).ones() {
                users[member] += 1;
            }
        }
        let libraries = closures.workspaces().iter().zip(users);
        let libraries = libraries.filter(|(found, _)| found.role == Role::Library && !found.path.is_root());
        libraries.max_by_key(|(_, users)| *users).map(|(library, _)| library.path.clone())
    }

    fn add_documents(&mut self) -> Result<(), ProofError> {
        self.append("a README", RepoPath::root().child("README.md"), "\nmore\n")?;
        if let Some(app) = self.apps().first() {
            self.append("a README", app.path.child("README.md"), "\nmore\n")?;
        }
        Ok(())
    }

    fn add_sources(&mut self) -> Result<(), ProofError> {
        let workspaces: Vec<Workspace> = self.state.split.graph.workspaces().cloned().collect();
        for (is_app, name) in [(true, "source of an app"), (false, "source of a library")] {
            for workspace in workspaces.iter().filter(|workspace| (workspace.role != Role::Library) == is_app) {
                if let Some(path) = self.source_of(workspace.folder()) {
                    self.append(name, path, "\n")?;
                }
            }
        }
        for folder in
            self.state.split.graph.folders_beside(&workspaces.iter().map(|found| found.path.clone()).collect())
        {
            if let Some(path) = self.source_of(&folder) {
                let is_link = self.state.split.links_to.contains_key(&folder);
                self.append(if is_link { "source behind a link" } else { "source of a linked folder" }, path, "\n")?;
            }
        }
        let app = self.apps().first().map(|app| app.path.clone());
        for folder in [app, self.library()].into_iter().flatten() {
            self.write("a test", folder.child("splitter-verify.test.ts"), "test(() => {});\n");
        }
        Ok(())
    }

    fn source_of(&self, folder: &RepoPath) -> Option<RepoPath> {
        source_of(self.state, folder)
    }

    fn add_manifests(&mut self) {
        let manifests = &self.state.split.manifests;
        let root = RepoPath::root();
        let app = self.apps().first().map(|app| app.path.clone());
        let library = self.library();
        let edit = |path: &RepoPath, edit: &dyn Fn(&mut serde_json::Map<String, Value>)| -> Option<String> {
            let mut json = manifests.get(path)?.json.clone();
            edit(json.as_object_mut()?);
            Some(format!("{json:#}\n"))
        };
        let set_scripts = |object: &mut serde_json::Map<String, Value>| {
            let scripts = object.entry("scripts").or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Some(scripts) = scripts.as_object_mut() {
                scripts.insert("splitter-verify".to_owned(), "true".into());
            }
        };
        let set_version = |object: &mut serde_json::Map<String, Value>| {
            object.insert("version".to_owned(), "99.0.0".into());
        };
        let mut found = Vec::new();
        for path in [Some(root), app.clone(), library.clone()].into_iter().flatten() {
            found.push(("scripts", path.clone(), edit(&path, &set_scripts)));
            found.push(("key order", path.clone(), manifests.get(&path).map(turned)));
        }
        for path in [app, library].into_iter().flatten() {
            found.push(("version", path.clone(), edit(&path, &set_version)));
        }
        for (name, folder, text) in found {
            if let Some(text) = text {
                self.write(name, manifest_path(&folder), text);
            }
        }
    }

    fn add_trifles(&mut self) -> Result<(), ProofError> {
        let root = RepoPath::root();
        let app = self.apps().first().map(|app| app.path.clone());
        self.write("a .nix file", root.child("splitter-verify.nix"), "{ }\n");
        self.add("an empty folder", root.child("splitter-verify"), Action::Folder);
        if let Some(app) = app {
            self.write("a .nix file", app.child("splitter-verify.nix"), "{ }\n");
            self.add("an empty folder", app.child("splitter-verify").child("empty"), Action::Folder);
            self.add(
                "chmod",
                self.source_of(&self.behind_links(app.clone())).unwrap_or_else(|| manifest_path(&app)),
                Action::Chmod,
            );
        }
        let readme = root.child("README.md");
        if self.state.derivations.files().contains_key(&readme) {
            self.add("chmod", readme, Action::Chmod);
        }
        let own = self.state.split.graph.workspaces().flat_map(|workspace| &workspace.root_files);
        let root_files: BTreeSet<RepoPath> = self.state.split.root_files.iter().chain(own).cloned().collect();
        for path in root_files.into_iter().filter(|path| has_extension(path, "json")).take(ROOT_FILES) {
            self.append("a root file", path, "\n")?;
        }
        Ok(())
    }

    /// Adds two edits of an rc file: a line that no install reads, and a line that every install reads.
    fn add_settings(&mut self) -> Result<(), ProofError> {
        let SampleSettings { file, comment, setting } = self.state.split.pin.manager.name.manager().sample_settings();
        let path = RepoPath::root().child(file);
        self.append("comment in an rc file", path.clone(), comment)?;
        let content = super::scratch::content(self.tree, &path)?;
        let key = setting.trim().split([':', '=', ' ']).next().unwrap_or_default();
        if !String::from_utf8_lossy(&content).contains(key) {
            self.append("setting in an rc file", path, setting)?;
        }
        Ok(())
    }

    fn add_lock_set(&mut self) -> Result<(), ProofError> {
        let lockfile = RepoPath::root().child(self.state.split.lockfile.format.file());
        self.append("formatting of the lockfile", lockfile.clone(), "\n")?;
        if let Some(files) = lock_edit::other_version(self.state, self.tree)? {
            self.add("a locked package", lockfile, Action::Write(files));
        }
        let files = self.state.derivations.files();
        let split = &self.state.split;
        let patch = split.lock_set.local.iter().find(|path| has_extension(path, "patch") && files.contains_key(*path));
        let folder = split.graph.workspaces().find_map(|workspace| workspace.patches.as_ref());
        let applied = folder
            .and_then(|folder| files.keys().find(|path| has_extension(path, "patch") && path.below(folder).is_some()));
        for (name, patch) in [("a patch", patch.cloned()), ("a patch of patch-package", applied.cloned())] {
            if let Some(patch) = patch {
                self.append(name, patch, "\n")?;
            }
        }
        Ok(())
    }
}

/// Returns a source file of a workspace or linked folder that a developer would edit.
pub fn source_of(state: &State, folder: &RepoPath) -> Option<RepoPath> {
    let is_link =
        |path: &RepoPath| state.derivations.files().get(path).is_some_and(|found| found.kind == FileKind::Link);
    let files = || state.derivations.source_files(folder).filter(|path| !is_link(path));
    let is_code = |path: &&RepoPath| CODE.iter().any(|end| path.file_name().ends_with(end));
    let is_other = |path: &&RepoPath| path.file_name() != "package.json";
    files().find(is_code).or_else(|| files().find(is_other)).cloned()
}

fn has_extension(path: &RepoPath, extension: &str) -> bool {
    camino::Utf8Path::new(path.file_name()).extension() == Some(extension)
}

/// Returns a manifest with its keys in reverse order.
fn turned(manifest: &Manifest) -> String {
    let fields = manifest.json.as_object().into_iter().flatten();
    let lines: Vec<_> = fields.rev().map(|(key, value)| format!("{}: {value}", Value::from(key.as_str()))).collect();
    format!("{{ {} }}\n", lines.join(",\n  "))
}
