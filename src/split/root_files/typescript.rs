//! Configurations of TypeScript: what those of a workspace extend and refer to.

use serde_json::Value;

use super::{Search, above};
use crate::{
    lockfile::json::{Dialect, Document, to_serde},
    repo::{Entry, EntryKind, RepoPath, read_text},
    split::SplitError,
};

/// What a compiler, a bundler or a runtime looks for, in a file's folder and above.
const MAIN: [&str; 2] = ["tsconfig.json", "jsconfig.json"];

/// Adds what the configurations in a workspace's folder extend and refer to. Where it has none that is found by itself, the
/// next one above is, with what that extends.
pub(super) fn follow(search: &mut Search<'_, '_>, entries: &[Entry]) -> Result<(), SplitError> {
    let own = entries.iter().filter(|entry| entry.kind == EntryKind::File && is_ts_config(&entry.name));
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

/// Adds a configuration outside the workspace with those that it extends. One that was found already ends it, as a ring does.
fn add(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<(), SplitError> {
    if path.below(search.own).is_some() || !search.finder.tree.is_file(path)? || !search.insert(path)? {
        return Ok(());
    }
    follow_extended(search, path)
}

fn follow_extended(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<(), SplitError> {
    for extended in texts_of(search, path, "extends")?.iter().filter(|extended| extended.starts_with('.')) {
        let Ok(target) = path.parent().resolve(extended) else { continue };
        let target =
            if is_json(&target) { target } else { target.parent().child(&format!("{}.json", target.file_name())) };
        add(search, &target)?;
    }
    Ok(())
}

/// A text or the texts of a list; of `references`, their paths. What is wrong with the file is the compiler's to report.
fn texts_of(search: &Search<'_, '_>, path: &RepoPath, field: &str) -> Result<Vec<String>, SplitError> {
    let Some(text) = read_text(search.finder.tree, path)? else { return Ok(Vec::new()) };
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
