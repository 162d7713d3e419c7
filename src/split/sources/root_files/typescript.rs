//! Finds what the TypeScript configurations of a workspace name: configurations that they extend or refer to, files and folders
//! that they include, and aliases.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{
    EdgeKind,
    aliases::Alias,
    mentions,
    search::{Mention, Search, above},
};
use crate::{
    repo::{Entry, EntryKind, RepoPath},
    split::{Manifest, SplitError, manifest_path},
};

/// Names that a compiler, a bundler or a runtime looks for in the folder of a file and in the folders above.
const MAIN: [&str; 2] = ["tsconfig.json", "jsconfig.json"];

/// The most projects to follow by references.
const PROJECTS: usize = 200;

/// Adds the configurations that those in the folder of the workspace extend or refer to, with what they include and their
/// aliases. If the workspace has no main configuration, adds the nearest one above and everything that it extends.
pub(super) fn follow(search: &mut Search<'_, '_>, entries: &[Entry]) -> Result<(), SplitError> {
    let own = entries.iter().filter(|entry| entry.kind != EntryKind::Folder && is_ts_config(&entry.name));
    let mut open: Vec<RepoPath> = own.map(|entry| search.own.child(&entry.name)).collect();
    let mut seen: BTreeSet<RepoPath> = open.iter().cloned().collect();
    while let Some(path) = open.pop() {
        for project in project(search, &path)? {
            if seen.len() < PROJECTS && seen.insert(project.clone()) {
                open.push(project);
            }
        }
    }
    if entries.iter().any(|entry| MAIN.contains(&entry.name.as_str())) {
        return Ok(());
    }
    for folder in above(search.own) {
        let list = search.finder.list(&folder)?;
        if let Some(entry) = list.iter().find(|entry| MAIN.contains(&entry.name.as_str())) {
            let path = folder.child(&entry.name);
            add(search, &path)?;
            let chain = chain(search, &path)?;
            add_aliases(search, &chain);
            return Ok(());
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

/// Adds what a project reads. Returns the projects outside all other workspaces that it refers to.
fn project(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<Vec<RepoPath>, SplitError> {
    let chain = chain(search, path)?;
    if search.finder.owner(path).is_some_and(|owner| owner != search.own) {
        return references(search, path, &chain);
    }
    let is_own = path.is_within(search.own);
    // A compiler takes the folder of a project without these fields.
    let has_files = chain.iter().any(|(_, json)| json.get("files").is_some() || json.get("include").is_some());
    if !is_own && !has_files && !path.parent().is_root() {
        search.add_path(&path.parent(), Mention::Compiler, &|| path.to_string())?;
    }
    let option = |name: &str| chain.iter().find_map(|(_, json)| json.get("compilerOptions")?.get(name)?.as_bool());
    let with_javascript = option("allowJs").or_else(|| option("checkJs")).unwrap_or(false);
    for field in ["files", "include"] {
        let Some((file, json)) = chain.iter().find(|(_, json)| json.get(field).is_some()) else { continue };
        // A folder of all workspaces' sources is the choice of the root, and not of each workspace.
        if file.parent().is_root() && !is_own {
            continue;
        }
        include(search, file, json.get(field), with_javascript)?;
    }
    for field in ["typeRoots", "rootDirs"] {
        let options = chain.iter().map(|(file, json)| (file, json.get("compilerOptions")));
        let mut set = options.filter_map(|(file, options)| Some((file, options?.get(field)?)));
        if let Some((file, value)) = set.next() {
            include(search, file, Some(value), with_javascript)?;
        }
    }
    add_aliases(search, &chain);
    references(search, path, &chain)
}

/// Adds the projects that a configuration refers to. Returns those to follow.
fn references(
    search: &mut Search<'_, '_>,
    path: &RepoPath,
    chain_of: &[(RepoPath, Arc<Value>)],
) -> Result<Vec<RepoPath>, SplitError> {
    let mut projects = Vec::new();
    for reference in texts(chain_of.first().and_then(|(_, json)| json.get("references"))) {
        let Ok(target) = path.parent().resolve(&reference) else { continue };
        let target = if is_json(&target) { target } else { target.child("tsconfig.json") };
        if target.is_within(search.own) || !search.finder.is_file(&target)? {
            continue;
        }
        let owner = search.finder.owner(&target);
        if let Some(owner) = owner.filter(|_| search.builds_projects) {
            let file = path.below(search.own).unwrap_or(path.as_str()).to_owned();
            let is_new = !search.found.edges.contains_key(owner);
            search.add_edge(owner, EdgeKind::Import, || format!("refers to {reference} in {file}"));
            let is_of_another = search.finder.owner(path).is_some_and(|other| other != search.own);
            if let Some(edge) = search.found.edges.get_mut(owner).filter(|_| is_new) {
                edge.is_of_another = is_of_another;
            }
        } else if !owner.is_some_and(|owner| search.is_dependency(owner)) {
            add(search, &target)?;
            chain(search, &target)?;
        }
        projects.extend(search.builds_projects.then_some(target));
    }
    Ok(projects)
}

/// Whether a script builds projects with all that they refer to.
pub(super) fn builds_projects(script: &str) -> bool {
    let mut words = script.split_whitespace();
    words.any(|word| word.ends_with("tsc") || word == "tsgo") && words.any(|word| matches!(word, "-b" | "--build"))
}

/// Programs that read what a configuration includes.
const COMPILERS: [&str; 8] = ["astro", "glint", "nest", "next", "ng", "svelte-check", "tsgo", "tspc"];

/// Packages with which a bundler does so.
const COMPILING: [&str; 10] = [
    "@rollup/plugin-typescript",
    "awesome-typescript-loader",
    "fork-ts-checker-webpack-plugin",
    "react-scripts",
    "rollup-plugin-typescript2",
    "ts-loader",
    "unplugin-dts",
    "unplugin-vue-dts",
    "vite-plugin-checker",
    "vite-plugin-dts",
];

/// Whether scripts run a compiler, or a bundler with one.
pub(super) fn compiles(scripts: &[&str], manifest: Option<&Manifest>) -> bool {
    scripts.iter().any(|script| names_compiler(script))
        || manifest.is_some_and(|manifest| COMPILING.iter().any(|package| manifest.depends_on(package)))
}

/// Whether a script runs a compiler.
pub(in crate::split) fn names_compiler(script: &str) -> bool {
    let is_compiler = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or_default();
        name.ends_with("tsc") || COMPILERS.contains(&name)
    };
    let is_end = |c: char| c.is_whitespace() || "\"'`;&|()".contains(c);
    script.split(is_end).any(is_compiler)
}

/// Adds the files and folders in a field of a configuration.
fn include(
    search: &mut Search<'_, '_>,
    file: &RepoPath,
    value: Option<&Value>,
    with_javascript: bool,
) -> Result<(), SplitError> {
    for text in texts(value) {
        // `${configDir}` is the folder of the workspace.
        let (folder, inner) = match text.strip_prefix("${configDir}") {
            Some(inner) => (search.own.clone(), inner.trim_start_matches('/').to_owned()),
            None => (file.parent(), text),
        };
        let Ok(path) = folder.resolve(inner.trim_end_matches('/')) else { continue };
        let text = || format!("{inner} ({})", file.file_name());
        if path.as_str().contains(['*', '?']) {
            search.add_compiled(&path, with_javascript, &text)?;
        } else {
            search.add_path(&path, Mention::Compiler, &text)?;
        }
    }
    Ok(())
}

/// Adds the aliases of a configuration: `paths`, or else names below `baseUrl`.
fn add_aliases(search: &mut Search<'_, '_>, chain: &[(RepoPath, Arc<Value>)]) {
    let options = || chain.iter().filter_map(|(file, json)| Some((file, json.get("compilerOptions")?)));
    let base = options().find_map(|(file, options)| Some((file, options.get("baseUrl")?.as_str()?)));
    let base = base.and_then(|(file, url)| Some((file, file.parent().resolve(url).ok()?)));
    let mut aliases = Vec::new();
    if let Some((file, paths)) = options().find_map(|(file, options)| Some((file, options.get("paths")?.as_object()?)))
    {
        let folder = base.as_ref().map_or_else(|| file.parent(), |(_, base)| base.clone());
        for (name, targets) in paths {
            let targets = texts(Some(targets));
            let paths = targets.iter().filter_map(|target| folder.resolve(target).ok());
            let targets = paths.map(|target| target.as_str().to_owned()).collect();
            aliases.push(Alias::of_typescript(name, targets, file));
        }
    }
    if let Some((file, base)) = base.filter(|(_, base)| !base.is_within(search.own)) {
        let target = if base.is_root() { "*".to_owned() } else { format!("{base}/*") };
        aliases.push(Alias::of_typescript("*", vec![target], file));
    }
    search.add_aliases(aliases);
}

/// Returns a configuration with all that it extends, the one that counts most first. Adds those outside the workspace.
fn chain(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<Vec<(RepoPath, Arc<Value>)>, SplitError> {
    let mut chain: Vec<(RepoPath, Arc<Value>)> = Vec::new();
    let mut open = vec![path.clone()];
    while let Some(path) = open.pop() {
        // A ring ends where it closes.
        if chain.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let json = search.finder.json(&path)?;
        // The last one of a list counts most, and is taken from the stack first.
        for extended in texts(json.get("extends")) {
            if !extended.starts_with('.') {
                open.extend(package(search, &extended)?);
            } else if let Ok(target) = path.parent().resolve(&extended) {
                let target = with_ending(search, target)?;
                add(search, &target)?;
                // A package in `node_modules` is not followed.
                if search.finder.is_file(&target)? && !search.finder.is_ignored(&target)? {
                    open.push(target);
                }
            }
        }
        search.compiled.insert(path.clone());
        chain.push((path, json));
    }
    Ok(chain)
}

/// Adds a configuration outside the workspace. Its ignored copy in `node_modules` is not followed.
fn add(search: &mut Search<'_, '_>, path: &RepoPath) -> Result<(), SplitError> {
    if !path.is_within(search.own) && search.finder.is_file(path)? {
        search.insert(path)?;
    }
    Ok(())
}

/// Returns a configuration that is extended by package name, if the package is a workspace. One that the manifest does not list
/// is added: it works in a checkout, because an install links all workspaces at the root. The manifest of that workspace is
/// added too, because tools need it to find the package.
fn package(search: &mut Search<'_, '_>, extended: &str) -> Result<Option<RepoPath>, SplitError> {
    let name = mentions::package_name(extended);
    let inner = extended[name.len()..].trim_start_matches('/');
    let found = search.finder.by_name.get(name).copied();
    let Some(folder) = found.filter(|folder| *folder != search.own) else { return Ok(None) };
    let Ok(target) = folder.resolve(if inner.is_empty() { "tsconfig" } else { inner }) else { return Ok(None) };
    let target = with_ending(search, target)?;
    if !target.is_within(folder) || !search.finder.is_file(&target)? {
        return Ok(None);
    }
    if !search.is_dependency(folder) {
        search.insert(&manifest_path(folder))?;
        add(search, &target)?;
    }
    Ok(Some(target))
}

/// Returns the file that an extended path means: as it is written, with an ending, or in a folder.
fn with_ending(search: &mut Search<'_, '_>, path: RepoPath) -> Result<RepoPath, SplitError> {
    if is_json(&path) {
        return Ok(path);
    }
    let named = path.parent().child(&format!("{}.json", path.file_name()));
    let inner = path.child("tsconfig.json");
    Ok(if !search.finder.is_file(&named)? && search.finder.is_file(&inner)? { inner } else { named })
}

/// Returns the text or list of texts in a field. For `references` these are the paths.
fn texts(value: Option<&Value>) -> Vec<String> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    list.iter().filter_map(|value| value.get("path").unwrap_or(value).as_str().map(str::to_owned)).collect()
}
