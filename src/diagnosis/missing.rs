//! Files, modules and commands that a build did not find: which of them the repository has, and which line brings them in.

use std::collections::BTreeSet;

use super::{
    causes::{Cause, Place, general},
    entries,
    paths::{below, find, importer, in_build, is_folder, is_outside},
    table::{Hit, failure},
};
use crate::{
    lockfile::Format,
    repo::RepoPath,
    split::{
        manifest_path,
        mending::{Missing, for_missing},
    },
};

/// The starts of the names of `ESLint`'s configuration.
const LINTER: [&str; 2] = ["eslint.config.", ".eslintrc"];

/// The number of files of a folder to look at.
const FILES: usize = 500;

/// Returns the causes of a hit that are about files of this repository.
pub(super) fn causes(hit: &Hit, place: &Place<'_>) -> Vec<Cause> {
    let paths = wanted(hit, place);
    let (untracked, paths): (Vec<RepoPath>, Vec<RepoPath>) =
        paths.into_iter().partition(|path| place.untracked.contains(path));
    general(hit, place).map_or_else(Vec::new, |cause| of_paths(untracked, &paths, &cause, place))
}

/// Returns the causes of paths that a build looked for and did not find, as a trace of it says. Paths that the build has, or
/// that the repository does not have, are no causes.
pub fn missing_by_trace(paths: &[RepoPath], place: &Place<'_>) -> Vec<Cause> {
    let Some(failure) = failure("file") else { return Vec::new() };
    let cause = Cause {
        id: &failure.id,
        says: String::new(),
        line: String::new(),
        hint: String::new(),
        page: &failure.page,
        mendings: Vec::new(),
        track: Vec::new(),
    };
    let is_ours = |path: &&RepoPath| place.files.contains_key(*path) || is_folder(path, place.files);
    let paths = paths.iter().filter(is_ours).filter(|path| is_missing(path, place)).cloned();
    let (untracked, paths): (Vec<RepoPath>, Vec<RepoPath>) = paths.partition(|path| place.untracked.contains(path));
    of_paths(untracked, &paths, &cause, place)
}

fn of_paths(untracked: Vec<RepoPath>, paths: &[RepoPath], cause: &Cause, place: &Place<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if !untracked.is_empty() {
        let names: Vec<String> = untracked.iter().map(|path| format!("`{path}`")).collect();
        causes.push(Cause {
            says: format!("git does not track {}, so Nix does not see it", names.join(", ")),
            hint: format!(
                "run `git add --intent-to-add {}`",
                untracked.iter().map(RepoPath::as_str).collect::<Vec<_>>().join(" ")
            ),
            track: untracked,
            ..cause.clone()
        });
    }
    for Missing { path, lack, mending } in for_missing(place.split, place.reader, paths) {
        causes.push(Cause {
            says: format!("`{path}` is not among the sources of this build: {}", lack.reason()),
            hint: String::new(),
            mendings: mending.into_iter().collect(),
            ..cause.clone()
        });
    }
    causes
}

/// Returns the cause of a hit that is about no file of this repository.
pub(super) fn unknown(hit: &Hit, place: &Place<'_>) -> Option<Cause> {
    let cause = general(hit, place)?;
    if let Some((name, path)) = hit.parts.get("command").and_then(|name| Some((name, with_command(name, place)?))) {
        let advice = format!("add {} to its `devDependencies`, and run the install", request(&path, place));
        let manifest = manifest_path(place.reader);
        let says = format!("`{name}` is a command of `{path}`, which {manifest} does not name");
        return Some(Cause { says, hint: advice, ..cause });
    }
    let text = hit.parts.get("path").or_else(|| hit.parts.get("module"));
    let advice = match text.map(|text| (text, is_path(text, hit))) {
        Some((text, true)) if !is_outside(text) => {
            "git has no such file: if something makes it, do that before or in `build`, or let Nix add it with `files`"
                .to_owned()
        }
        Some((text, false)) => {
            let name = package_of(text);
            let is_locked = place.split.lockfile.packages.iter().any(|package| package.name == name);
            let manifest = manifest_path(place.reader);
            if let Some(path) = with_name(text, place) {
                format!("add {} to `dependencies` of {manifest}, and run the install", request(&path, place))
            } else if is_locked {
                format!(
                    "add `{name}` to `dependencies` of {manifest}: only others ask for it, so this build may not have it"
                )
            } else {
                format!(
                    "no workspace and no package in {} is called `{name}`: add it to {manifest}",
                    place.split.lockfile.format.file()
                )
            }
        }
        _ => return Some(cause),
    };
    Some(Cause { hint: advice, ..cause })
}

/// Returns the dependency on a workspace, as a manifest has it. Yarn 1 does not know `workspace:`, and links by the version.
fn request(path: &RepoPath, place: &Place<'_>) -> String {
    let workspace = place.split.graph.workspaces().find(|found| found.path == *path);
    let name = workspace.map(|found| found.name.as_str()).unwrap_or_default();
    let version = if place.split.lockfile.format == Format::YarnClassic {
        let json = place.split.manifests.get(path).and_then(|manifest| manifest.json.get("version")?.as_str());
        json.unwrap_or("*")
    } else {
        "workspace:*"
    };
    format!("\"{name}\": \"{version}\"")
}

/// Whether the workspace that imports another one names it. Installs may link a workspace only for those that name it.
pub(super) fn is_named_by_importer(path: &RepoPath, hit: &Hit, place: &Place<'_>) -> bool {
    let importer = importer_of(hit, place);
    let mut workspaces = place.split.graph.workspaces();
    let owner = workspaces.find(|found| Some(&found.path) == importer.as_ref());
    owner.is_none_or(|owner| owner.dependencies.contains(path))
}

/// Returns the workspace of the file that a message is about: the one that imports, or else the one that is built.
pub(super) fn importer_of(hit: &Hit, place: &Place<'_>) -> Option<RepoPath> {
    let after = hit.after.iter().find_map(|line| importer(line));
    let text = hit.parts.get("importer").map(String::as_str).or(after);
    let file = text.and_then(|text| in_build(text).or_else(|| place.reader.resolve(text).ok()));
    let importer = file.unwrap_or_else(|| place.reader.clone());
    let owners = place.split.graph.workspaces().filter(|found| importer.is_within(&found.path));
    owners.max_by_key(|found| found.path.as_str().len()).map(|found| found.path.clone())
}

/// Whether a hit is about something that a script can make: a file, or an alias of files, but no package.
pub(super) fn may_be_made(hit: &Hit) -> bool {
    let is_alias = |text: &String| text.starts_with(['#', '$', '~']) || text.starts_with("@/");
    match hit.id {
        "file" | "configuration" | "prepared" => hit.parts.get("path").is_none_or(|text| !is_outside(text)),
        "module" => hit.parts.get("module").is_some_and(|text| {
            is_alias(text) || (is_path(text, hit) && !(is_outside(text) && text.contains("-node-modules/")))
        }),
        _ => false,
    }
}

fn is_path(text: &str, hit: &Hit) -> bool {
    text.starts_with(['.', '/']) || text.starts_with("file:") || hit.id == "file"
}

/// Returns the name of the package in an import.
pub(super) fn package_of(import: &str) -> String {
    import.split('/').take(if import.starts_with('@') { 2 } else { 1 }).collect::<Vec<_>>().join("/")
}

/// Returns the paths of the repository that the build looked for and does not have.
fn wanted(hit: &Hit, place: &Place<'_>) -> Vec<RepoPath> {
    let part = |name: &str| hit.parts.get(name).map(String::as_str);
    let found = match hit.id {
        "command" => part("command")
            .and_then(|name| with_command(name, place))
            .filter(|path| is_linked(path, place))
            .into_iter()
            .collect(),
        "configuration" => part("path").map(|path| inputs(path, &hit.line, place)).unwrap_or_default(),
        "linter" => linter(place),
        _ => part("path").or(part("module")).map(|text| named(text, hit, place)).unwrap_or_default(),
    };
    found.into_iter().filter(|path| is_missing(path, place)).collect()
}

/// Whether the build lacks a file, or all files of a folder.
fn is_missing(path: &RepoPath, place: &Place<'_>) -> bool {
    !place.sources.contains(path) && !place.sources.iter().any(|source| source.is_within(path))
}

/// Returns the file or the workspace that an import or a path means.
fn named(text: &str, hit: &Hit, place: &Place<'_>) -> Vec<RepoPath> {
    let workspace = || match with_name(text, place) {
        Some(path) if !is_missing(&path, place) => entries::files(&path, text, hit, place),
        path => path.into_iter().collect(),
    };
    if !is_path(text, hit) {
        return workspace();
    }
    find(text, &folders(hit, place), place.files).map_or_else(workspace, |path| vec![path])
}

/// Returns the folders that a relative path may start from: that of the file that imports it, and those in which tools run.
fn folders(hit: &Hit, place: &Place<'_>) -> Vec<RepoPath> {
    let mut folders = Vec::new();
    let named = ["importer", "folder"].into_iter().filter_map(|part| Some((part, hit.parts.get(part)?.as_str())));
    let after = hit.after.iter().filter_map(|line| Some(("importer", importer(line)?)));
    for (kind, text) in named.chain(after) {
        // A tool runs in the folder of the workspace, and names files from there or from the root.
        let from_reader = in_build(text).or_else(|| place.reader.resolve(text).ok());
        let from_root = RepoPath::root().resolve(text).ok().filter(|path| place.files.contains_key(path));
        let folder = |path: RepoPath| if kind == "folder" { path } else { path.parent() };
        folders.extend(from_root.into_iter().chain(from_reader).map(folder));
    }
    folders.extend([place.reader.clone(), RepoPath::root()]);
    folders
}

/// Returns the workspace with the name at the start of an import.
pub(super) fn with_name(import: &str, place: &Place<'_>) -> Option<RepoPath> {
    let name = package_of(import);
    let workspaces = place.split.graph.workspaces();
    workspaces.filter(|found| !found.path.is_root()).find(|found| found.name == name).map(|found| found.path.clone())
}

/// Returns the workspace whose manifest offers a command.
fn with_command(command: &str, place: &Place<'_>) -> Option<RepoPath> {
    let offers = |path: &RepoPath| {
        let Some(manifest) = place.split.manifests.get(path) else { return false };
        match manifest.json.get("bin") {
            Some(serde_json::Value::Object(bins)) => bins.contains_key(command),
            Some(serde_json::Value::String(_)) => {
                let name = manifest.json.get("name").and_then(|name| name.as_str()).unwrap_or_default();
                name.rsplit('/').next() == Some(command)
            }
            _ => false,
        }
    };
    place.split.graph.workspaces().map(|found| &found.path).find(|path| !path.is_root() && offers(path)).cloned()
}

/// Whether installs make the commands of a workspace: the root depends on it.
fn is_linked(path: &RepoPath, place: &Place<'_>) -> bool {
    let root = place.split.graph.workspaces().find(|found| found.path.is_root());
    root.is_some_and(|root| root.dependencies.contains(path))
}

/// Returns the files that the patterns of a `tsconfig.json` name, or its workspace if the build does not have that.
fn inputs(config: &str, line: &str, place: &Place<'_>) -> Vec<RepoPath> {
    let Some(config) = find(config, &folders_of_reader(place), place.files) else { return Vec::new() };
    let folder = config.parent();
    let patterns =
        line.split_once("'[").and_then(|(_, rest)| rest.split_once("]'")).map_or("", |(patterns, _)| patterns);
    let patterns: Vec<String> = serde_json::from_str(&format!("[{patterns}]")).unwrap_or_default();
    let starts: BTreeSet<RepoPath> =
        patterns.iter().filter_map(|pattern| folder.resolve(fixed(pattern)).ok()).collect();
    let files = starts.iter().flat_map(|start| {
        let is_file = place.files.contains_key(start);
        is_file.then(|| start.clone()).into_iter().chain(below(start, place.files).take(FILES).cloned())
    });
    files.filter(is_code).collect()
}

fn folders_of_reader(place: &Place<'_>) -> [RepoPath; 2] {
    [place.reader.clone(), RepoPath::root()]
}

/// Returns the start of a pattern before its first wildcard.
fn fixed(pattern: &str) -> &str {
    let Some(at) = pattern.find(['*', '?']) else { return pattern };
    pattern[..at].rfind('/').map_or(".", |end| &pattern[..end])
}

fn is_code(path: &RepoPath) -> bool {
    let ends = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];
    ends.iter().any(|end| path.file_name().ends_with(end))
}

/// Returns the configuration of `ESLint` of a workspace, or of the nearest folder above it.
fn linter(place: &Place<'_>) -> Vec<RepoPath> {
    let is_linter = |path: &&RepoPath| LINTER.iter().any(|start| path.file_name().starts_with(start));
    for folder in place.reader.upwards().filter_map(|folder| folder.parse::<RepoPath>().ok()) {
        let direct = below(&folder, place.files).filter(|path| path.parent() == folder);
        let found: Vec<RepoPath> = direct.filter(is_linter).cloned().collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
