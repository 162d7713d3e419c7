//! Reads the files that a search needs, and caches them for the next workspace.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::ProgramSearch;
use crate::{
    lockfile::json::{Dialect, Document, to_serde},
    repo::{Entry, RepoPath, Tree, read_text},
    split::{SplitError, Workspaces, workspaces::by_name},
};

/// Finds the root files of workspaces. Caches what it read for the next workspace.
pub(in crate::split) struct Finder<'a> {
    pub(super) programs: ProgramSearch<'a>,
    pub(super) tree: &'a dyn Tree,
    pub(super) workspaces: &'a Workspaces,
    /// The folders of the workspaces, by name.
    pub(super) by_name: BTreeMap<&'a str, &'a RepoPath>,
    /// The commands of workspaces that the root depends on, and those workspaces.
    pub(super) bins: BTreeMap<String, &'a RepoPath>,
    /// The names of workspaces and the first parts of aliases. Imports of anything else lead to no workspace.
    pub(super) first_names: BTreeSet<String>,
    /// The names that the programs of each workspace import and its manifest does not explain. Another workspace may have aliases for
    /// them, with which it compiles these programs.
    pub(super) names: BTreeMap<RepoPath, BTreeSet<String>>,
    /// The first program of each workspace that names a path or a name, to say where it stands.
    pub(super) origins: BTreeMap<RepoPath, BTreeMap<String, RepoPath>>,
    /// The entries of folders outside workspaces.
    listed: BTreeMap<RepoPath, Arc<[Entry]>>,
    /// The texts of configurations and programs. `None` if the file is missing.
    texts: BTreeMap<RepoPath, Option<Arc<str>>>,
    /// Configurations in JSON.
    values: BTreeMap<RepoPath, Arc<Value>>,
    /// Whether a path is a file.
    files: BTreeMap<RepoPath, bool>,
    /// Whether git ignores a path. Other machines may not have such files.
    ignored: BTreeMap<RepoPath, bool>,
}

impl<'a> Finder<'a> {
    pub(in crate::split) fn new(tree: &'a dyn Tree, workspaces: &'a Workspaces, programs: ProgramSearch<'a>) -> Self {
        Self {
            programs,
            tree,
            workspaces,
            by_name: by_name(workspaces),
            bins: bins(workspaces),
            first_names: workspaces
                .values()
                .map(|manifest| manifest.name.clone())
                .filter(|name| !name.is_empty())
                .collect(),
            names: BTreeMap::new(),
            origins: BTreeMap::new(),
            listed: BTreeMap::new(),
            texts: BTreeMap::new(),
            values: BTreeMap::new(),
            files: BTreeMap::new(),
            ignored: BTreeMap::new(),
        }
    }

    pub(super) fn list(&mut self, folder: &RepoPath) -> Result<Arc<[Entry]>, SplitError> {
        if let Some(entries) = self.listed.get(folder) {
            return Ok(Arc::clone(entries));
        }
        let entries: Arc<[Entry]> = self.tree.list(folder)?.into();
        self.listed.insert(folder.clone(), Arc::clone(&entries));
        Ok(entries)
    }

    /// Whether a path is a folder with anything in it.
    pub(super) fn is_folder(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        Ok(!self.list(path)?.is_empty())
    }

    pub(super) fn text(&mut self, path: &RepoPath) -> Result<Option<Arc<str>>, SplitError> {
        if let Some(text) = self.texts.get(path) {
            return Ok(text.clone());
        }
        let text: Option<Arc<str>> = read_text(self.tree, path)?.map(Arc::from);
        self.texts.insert(path.clone(), text.clone());
        Ok(text)
    }

    /// Returns a configuration in JSON with comments. One with errors has no fields: its tool reports them.
    pub(super) fn json(&mut self, path: &RepoPath) -> Result<Arc<Value>, SplitError> {
        if let Some(value) = self.values.get(path) {
            return Ok(Arc::clone(value));
        }
        let text = self.text(path)?;
        let read = |text: &str| {
            let document = Document::parse(path.as_str(), text, Dialect::Jsonc).ok()?;
            let root = document.object().ok()?;
            Some(to_serde(&jsonc_parser::ast::Value::Object(root.clone())))
        };
        let value = Arc::new(text.as_deref().and_then(read).unwrap_or_default());
        self.values.insert(path.clone(), Arc::clone(&value));
        Ok(value)
    }

    pub(super) fn is_file(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        if let Some(is_file) = self.files.get(path) {
            return Ok(*is_file);
        }
        let is_file = self.tree.is_file(path)?;
        self.files.insert(path.clone(), is_file);
        Ok(is_file)
    }

    pub(super) fn is_ignored(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        if let Some(is_ignored) = self.ignored.get(path) {
            return Ok(*is_ignored);
        }
        let is_ignored = self.tree.is_ignored(path)?;
        self.ignored.insert(path.clone(), is_ignored);
        Ok(is_ignored)
    }

    /// Returns the workspace other than the root that a path belongs to.
    pub(super) fn owner(&self, path: &RepoPath) -> Option<&'a RepoPath> {
        let mut folders = path.upwards().filter(|folder| !folder.is_empty());
        folders.find_map(|folder| self.workspaces.get_key_value(folder)).map(|(folder, _)| folder)
    }
}

/// Returns the commands of the workspaces that the root depends on. An install links these where all builds find them.
fn bins(workspaces: &Workspaces) -> BTreeMap<String, &RepoPath> {
    let mut bins = BTreeMap::new();
    let Some(root) = workspaces.get(&RepoPath::root()) else { return bins };
    for (path, manifest) in workspaces.iter().filter(|(path, _)| !path.is_root()) {
        if !root.depends_on(&manifest.name) {
            continue;
        }
        match manifest.json.get("bin") {
            Some(Value::String(_)) => {
                let name = manifest.name.rsplit('/').next().unwrap_or_default();
                bins.insert(name.to_owned(), path);
            }
            Some(Value::Object(names)) => bins.extend(names.keys().map(|name| (name.clone(), path))),
            _ => {}
        }
    }
    bins
}
