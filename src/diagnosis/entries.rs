//! Entry points of workspaces that a build has and still does not find: git does not have them, so something must make them.

use serde_json::Value;

use super::{
    causes::{Cause, Place, SCRIPTS_PAGE, general, not_run, scripts_of},
    missing::{is_named_by_importer, package_of, with_name},
    paths::find,
    table::Hit,
};
use crate::{
    repo::RepoPath,
    split::{
        Manifest, manifest_path,
        mending::{Mending, Setting},
    },
};

/// Returns the cause of an import of a workspace that the build has, if git lacks the file that the import means.
pub(super) fn cause(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let import = hit.parts.get("module")?;
    let path = with_name(import, place).filter(|path| place.split.graph.closure(place.reader).contains(path))?;
    // Even where no manifest names the workspace: what nothing makes is found by nobody.
    without_entry(&path, import, hit, place).or_else(|| of_itself(&path, import, hit, place)).or_else(|| {
        let says = format!("the build has `{path}`, and still did not find `{import}`");
        let advice = format!("compare the import with the entry points in {}", manifest_path(&path));
        let is_linked = is_named(&path, place) && is_named_by_importer(&path, hit, place);
        is_linked.then_some(Cause { says, hint: advice, ..general(hit, place)? })
    })
}

fn without_entry(path: &RepoPath, import: &str, hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let entry = targets(path, import, hit, place).into_iter().find(|entry| file(path, entry, place).is_none())?;
    let workspace = place.split.graph.workspaces().find(|found| found.path == *path)?;
    let outputs = workspace.build.as_ref().map(|build| build.outputs.as_slice()).unwrap_or_default();
    let file = path.resolve(&entry).ok()?;
    if outputs.iter().any(|output| path.resolve(output).is_ok_and(|output| file.is_within(&output))) {
        return None;
    }
    let cause = general(hit, place)?;
    let lacks = format!("git does not have `{file}`, the entry point of `{path}` for `{import}`");
    let mendings = makers(path, place);
    if !mendings.is_empty() {
        let says = format!("{lacks}, and {} did not run", scripts_of(&mendings));
        let advice = "run them before the build".to_owned();
        return Some(Cause { says, hint: advice, page: SCRIPTS_PAGE, mendings, ..cause });
    }
    let (says, advice) = if workspace.build.is_some() {
        let advice = format!("change `build` or `output` of \"{path}\" in splitter.json, so that the build makes it");
        (format!("{lacks}, and the build of that workspace does not make it"), advice)
    } else {
        let advice = format!(
            "if a command makes it, add to splitter.json: \"workspaces\": {{ \"{path}\": {{ \"build\": \"<command>\" }} }}"
        );
        (format!("{lacks}, and that workspace has no build"), advice)
    };
    Some(Cause { says, hint: advice, ..cause })
}

/// Returns the cause of an import of the workspace by its own name, which means something that its build makes later.
fn of_itself(path: &RepoPath, import: &str, hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    if path != place.reader {
        return None;
    }
    let entry = targets(path, import, hit, place).into_iter().find(|entry| file(path, entry, place).is_none())?;
    let says = format!("`{import}` is `{}` of this workspace, which nothing has made yet", path.resolve(&entry).ok()?);
    let advice = format!(
        "name the script that makes it in `ownScripts` of \"{path}\" in splitter.json: it runs before the build"
    );
    Some(Cause { says, hint: advice, ..general(hit, place)? })
}

/// Returns the files of the repository that an import of a workspace means.
pub(super) fn files(workspace: &RepoPath, import: &str, hit: &Hit, place: &Place<'_>) -> Vec<RepoPath> {
    let targets = targets(workspace, import, hit, place);
    targets.iter().filter_map(|entry| file(workspace, entry, place)).collect()
}

/// Whether the manifest of a workspace that the build has names this one, which it has too.
fn is_named(path: &RepoPath, place: &Place<'_>) -> bool {
    let graph = &place.split.graph;
    let closure = graph.closure(place.reader);
    let names = |folder: &RepoPath| folder.is_root() || closure.contains(folder);
    graph.workspaces().any(|found| names(&found.path) && found.dependencies.contains(path))
}

fn file(workspace: &RepoPath, entry: &str, place: &Place<'_>) -> Option<RepoPath> {
    find(entry, std::slice::from_ref(workspace), place.files)
}

/// Returns the scripts that may make an entry point: those of its workspace, or else those of the root.
fn makers(path: &RepoPath, place: &Place<'_>) -> Vec<Mending> {
    let (of_root, own): (Vec<Mending>, Vec<Mending>) =
        not_run(place).into_iter().partition(|mending| matches!(mending.setting, Setting::RootScripts(_)));
    let own: Vec<Mending> = own.into_iter().filter(|mending| mending.workspace == *path).collect();
    if own.is_empty() { of_root } else { own }
}

/// Returns what the manifest of a workspace says of an import: paths in its folder.
fn targets(workspace: &RepoPath, import: &str, hit: &Hit, place: &Place<'_>) -> Vec<String> {
    let Some(manifest) = place.split.manifests.get(workspace) else { return Vec::new() };
    let inner = import.strip_prefix(package_of(import).as_str()).unwrap_or_default().trim_start_matches('/');
    let is_compiler = hit.line.contains(" TS");
    let mut targets = Vec::new();
    match manifest.json.get("exports") {
        Some(exports) if !exports.is_null() => exported(exports, inner, is_compiler, &mut targets),
        _ if inner.is_empty() => targets.extend(main(manifest, is_compiler)),
        _ => targets.push(inner.to_owned()),
    }
    // Others would be outside of the workspace.
    targets.retain(|target| workspace.resolve(target).is_ok_and(|path| path.below(workspace).is_some()));
    targets
}

fn main(manifest: &Manifest, is_compiler: bool) -> Vec<String> {
    let fields: &[&str] = if is_compiler { &["types", "typings", "main"] } else { &["module", "main"] };
    let named = fields.iter().filter_map(|field| manifest.json.get(*field)?.as_str()).map(str::to_owned);
    let named: Vec<String> = named.collect();
    if named.is_empty() { vec!["index.js".to_owned()] } else { named }
}

/// Adds what `exports` has for a path in the package.
fn exported(exports: &Value, inner: &str, is_compiler: bool, targets: &mut Vec<String>) {
    let paths = exports.as_object().filter(|object| object.keys().any(|key| key.starts_with('.')));
    let Some(paths) = paths else {
        if inner.is_empty() {
            leaves(exports, "", is_compiler, targets);
        }
        return;
    };
    let wanted = if inner.is_empty() { ".".to_owned() } else { format!("./{inner}") };
    if let Some(value) = paths.get(&wanted) {
        return leaves(value, "", is_compiler, targets);
    }
    let matches = paths.iter().filter_map(|(key, value)| {
        let (start, end) = key.split_once('*')?;
        let part = wanted.strip_prefix(start)?.strip_suffix(end)?;
        Some((start.len(), value, part))
    });
    // The most specific pattern counts.
    if let Some((_, value, part)) = matches.max_by_key(|(length, ..)| *length) {
        leaves(value, part, is_compiler, targets);
    }
}

/// Adds the paths of all conditions. Only compilers look at the types.
fn leaves(value: &Value, part: &str, is_compiler: bool, targets: &mut Vec<String>) {
    match value {
        Value::String(text) => targets.push(text.replace('*', part)),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, part, is_compiler, targets)),
        Value::Object(conditions) => {
            let wanted = conditions.iter().filter(|(condition, _)| is_compiler || *condition != "types");
            wanted.for_each(|(_, value)| leaves(value, part, is_compiler, targets));
        }
        _ => {}
    }
}
