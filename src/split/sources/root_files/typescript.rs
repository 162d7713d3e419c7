//! Finds the TypeScript configurations that the configurations of a workspace extend or refer to.

use serde_json::Value;

use super::{Search, above};
use crate::{
    lockfile::json::{Dialect, Document, to_serde},
    repo::{Entry, EntryKind, RepoPath},
    split::{SplitError, manifest_path},
};

/// Names that a compiler, a bundler or a runtime looks for in the folder of a file and in the folders above.
const MAIN: [&str; 2] = ["tsconfig.json", "jsconfig.json"];

/// Adds the configurations that those in the folder of the workspace extend or refer to. If the workspace has no main
/// configuration, adds the nearest one above and everything that it extends.
pub(super) fn follow(search: &mut Search<'_, '_>, entries: &[Entry]) -> Result<(), SplitError> {
    let own = entries.iter().filter(|entry| entry.kind != EntryKind::Folder && is_ts_config(&entry.name));
    for entry in own {
        let path = search.own.child(&entry.name);
        for reference in texts_of(search, &path, "references")? {
            let folder = path.parent().resolve(&reference).ok();
            let Some(target) =
                folder.map(|target| if is_json(&target) { target } else { target.child("tsconfig.json") })
            else {
                continue;
            };
            add(search, &target)?;
        }
        follow_extended(search, &path)?;
    }
    if entries.iter().any(|entry| MAIN.contains(&entry.name.as_str())) {
        return Ok(());
    }
    for folder in above(search.own) {
        let name = search
            .finder
            .list(&folder)?
            .iter()
            .find(|entry| MAIN.contains(&entry.name.as_str()))
            .map(|entry| entry.name.clone());
        if let Some(name) = name {
            return add(search, &folder.child(&name));
        }
    }
    Ok(())
}

fn is_ts_config(name: &str) -> bool {
    name.strip_suffix(".json").is_some_and(|stem| stem.starts_with("tsconfig") || stem.starts_with("jsconfig"))
}

fn is_json(path: &RepoPath) -> bool {
    camino::Utf8Path::new(path.as_str()).extension() == Some("json")
}

/// Adds a configuration outside the workspace, and the ones that it extends. Stops at one that was found before, so a ring
/// ends.
fn add(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<(), SplitError> {
    if path.below(search.own).is_some() || !search.finder.is_file(path)? || !search.insert(path)? {
        return Ok(());
    }
    follow_extended(search, path)
}

fn follow_extended(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<(), SplitError> {
    for extended in texts_of(search, path, "extends")? {
        if !extended.starts_with('.') {
            follow_package(search, &extended)?;
        } else if let Ok(target) = path.parent().resolve(&extended) {
            add(search, &with_ending(target))?;
        }
    }
    Ok(())
}

/// Adds a configuration that is extended by package name, if the package is a workspace that the manifest does not list. This
/// works in a checkout, because an install links all workspaces at the root. The manifest of that workspace is added too,
/// because tools need it to find the package.
fn follow_package(search: &mut Search<'_, '_>, extended: &str) -> Result<(), SplitError> {
    let end = extended.match_indices('/').nth(usize::from(extended.starts_with('@'))).map(|(at, _)| at);
    let (name, inner) = end.map_or((extended, "tsconfig"), |at| (&extended[..at], &extended[at + 1..]));
    let workspaces = search.finder.workspaces;
    let is_named = workspaces.get(search.own).is_some_and(|manifest| manifest.depends_on(name));
    let found = search.finder.by_name.get(name).copied();
    let Some(folder) = found.filter(|folder| !is_named && *folder != search.own) else { return Ok(()) };
    let Ok(target) = folder.resolve(inner).map(with_ending) else { return Ok(()) };
    if target.is_within(folder) && search.finder.is_file(&target)? {
        search.insert(&manifest_path(folder))?;
        add(search, &target)?;
    }
    Ok(())
}

fn with_ending(path: RepoPath) -> RepoPath {
    if is_json(&path) { path } else { path.parent().child(&format!("{}.json", path.file_name())) }
}

/// Returns the text or list of texts in a field. For `references` these are the paths. Errors in the file are ignored: the
/// compiler reports them.
fn texts_of(search: &mut Search<'_, '_>, path: &RepoPath, field: &str) -> Result<Vec<String>, SplitError> {
    let Some(text) = search.finder.text(path)? else { return Ok(Vec::new()) };
    let Ok(document) = Document::parse(path.as_str(), &text, Dialect::Jsonc) else { return Ok(Vec::new()) };
    let value = document.object().ok().and_then(|root| root.get(field)).map(|property| to_serde(&property.value));
    let list = match value {
        Some(Value::Array(list)) => list,
        Some(value) => vec![value],
        None => Vec::new(),
    };
    let text = |value: &Value| value.get("path").unwrap_or(value).as_str().map(str::to_owned);
    Ok(list.iter().filter_map(text).collect())
}
