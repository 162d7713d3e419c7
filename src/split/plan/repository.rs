//! Collects all derivations of a repository and the files that they read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Derivation, Derivations, Id, Recorded,
    builds::{Builds, runtime_install},
    inputs::{Rules, has_folder},
    package_change::name_and_version,
};
use crate::{
    repo::{RepoPath, SourceFile, states::FileStates},
    split::{
        Split, System,
        askers::{Asked, Askers},
        checks::Check,
        config::Install,
        lock::dependencies::{Dependency, Form, path, url_path},
        sources::{Sources, files_of},
    },
};

pub(super) fn derivations(split: &Split, files: FileStates, recorded: &Recorded, system: System) -> Derivations {
    let rules = Rules { split, files: &files, recorded, system };
    let mut all = installs(&rules);
    let builds = Builds::of(&rules);
    for (name, workspace) in split.graph.libraries() {
        all.insert(Id::Library(name.to_owned()), rules.library(name, workspace, &builds));
    }
    for (name, workspace) in split.graph.apps() {
        all.insert(Id::App(name.to_owned()), rules.app(name, workspace, &builds));
    }
    let listed = listed(&files);
    let sorted = Sources::sort(&listed, &split.graph, &split.config, &split.root_files);
    all.extend(checks(&rules, &builds, &listed, &sorted));
    let parts = builds.closures.parts;
    let Contents { sources, shown, root_files } = contents(&sorted, &files);
    let elsewhere = elsewhere(split);
    Derivations { all, sources, shown, root_files, parts, asked: asked(split, &elsewhere), elsewhere, files }
}

/// Returns the fixed outputs and the installs.
fn installs(rules: &Rules<'_>) -> BTreeMap<Id, Derivation> {
    let mut all = rules.fixed_outputs();
    let is_read = |id: &&Id| matches!(id, Id::Deps(part) if part.serves(rules.system));
    let needs: BTreeSet<Id> = all.keys().filter(is_read).cloned().collect();
    let own = |workspace, install| Derivation { needs: needs.clone(), ..rules.own_install(workspace, install) };
    for (name, workspace) in rules.split.graph.apps() {
        if workspace.install != Install::Shared {
            all.insert(Id::OwnInstall(name.to_owned()), own(workspace, workspace.install));
        }
        if let Some((id @ Id::RuntimeInstall(..), install)) = runtime_install(name, workspace) {
            all.insert(id, own(workspace, install));
        }
    }
    all.insert(Id::NodeModules, Derivation { needs, ..rules.node_modules() });
    all
}

/// Returns the checks.
fn checks(
    rules: &Rules<'_>,
    builds: &Builds<'_>,
    listed: &[SourceFile],
    sorted: &Sources<'_>,
) -> BTreeMap<Id, Derivation> {
    let split = rules.split;
    let mut all = BTreeMap::new();
    for workspace in split.graph.workspaces().filter(|workspace| split.checks.contains_key(&workspace.path)) {
        for check in &split.checks[&workspace.path] {
            let read = read_by_check(check, &workspace.path, listed, sorted, rules.files);
            all.insert(Id::Check(check.name.clone()), rules.check(check, workspace, builds, read));
        }
    }
    all
}

/// The files of each part of a source set, by the rules of `source.nix`.
struct Contents {
    sources: BTreeMap<RepoPath, FileStates>,
    shown: BTreeMap<RepoPath, FileStates>,
    root_files: BTreeMap<RepoPath, FileStates>,
}

fn contents(sorted: &Sources<'_>, files: &FileStates) -> Contents {
    let states = |(path, list): (&RepoPath, &[&SourceFile])| {
        let states = list.iter().filter_map(|file| Some((file.path.clone(), files.get(&file.path)?.clone())));
        (path.clone(), states.collect::<FileStates>())
    };
    Contents {
        sources: sorted.by_folder().map(states).collect(),
        shown: sorted.shown().map(states).collect(),
        root_files: sorted.root_files().map(states).collect(),
    }
}

/// Returns the files that a check reads and a build does not: the tests of its workspace, and root files.
fn read_by_check(
    check: &Check,
    workspace: &RepoPath,
    listed: &[SourceFile],
    sorted: &Sources<'_>,
    files: &FileStates,
) -> FileStates {
    let of_root = check.root_files.iter().flat_map(|root| files_of(listed, root));
    let read = sorted.tests(workspace).iter().copied().chain(of_root);
    read.filter_map(|file| Some((file.path.clone(), files.get(&file.path)?.clone()))).collect()
}

/// Returns all files that can be sources.
fn listed(files: &FileStates) -> Vec<SourceFile> {
    let may_be = files.keys().filter(|path| !has_folder(path.as_str(), "node_modules"));
    may_be.map(|path| SourceFile { path: path.clone(), bytes: 0 }).collect()
}

/// Returns the packages that do not come from a registry, by their path in the fixed output. The version is whatever
/// distinguishes two of them: the start of a commit id, or a URL.
fn elsewhere(split: &Split) -> BTreeMap<String, (String, String)> {
    const SHORT: usize = 12;
    let version = |dependency: &Dependency| match &dependency.form {
        Form::Commit(id) => Some(id.chars().take(SHORT).collect()),
        Form::Repacked => {
            let file = dependency.path.rsplit('/').next().unwrap_or_default();
            Some(file.strip_suffix(".tar").unwrap_or(file).chars().take(SHORT).collect())
        }
        Form::Verbatim => Some(dependency.path.strip_prefix("url/")?.to_owned()),
    };
    let package = |dependency: &Dependency| {
        let version = version(dependency)?;
        Some((dependency.path.clone(), (dependency.name.clone(), version)))
    };
    split.dependencies.iter().filter_map(package).collect()
}

/// Returns who gets each package, by its name and version.
fn asked(split: &Split, elsewhere: &BTreeMap<String, (String, String)>) -> BTreeMap<(String, String), Asked> {
    let mut asked: BTreeMap<_, Asked> = BTreeMap::new();
    for (package, Asked { workspaces, packages }) in Askers::of(split).iter() {
        let Some(path) = path(package, &split.registries, split.lockfile.format) else { continue };
        let known = asked.entry(elsewhere.get(&path).cloned().unwrap_or_else(|| name_and_version(&path))).or_default();
        known.workspaces.extend(workspaces);
        known.packages.extend(packages);
    }
    // A file that an install script downloads is needed by all that get the package.
    let downloads = split.config.downloads.iter().flat_map(|(name, files)| files.iter().map(move |file| (name, file)));
    for (download, file) in downloads {
        let Some(key) = elsewhere.get(&url_path(&file.url)) else { continue };
        let name = download
            .rsplit_once('@')
            .map_or(download.as_str(), |(name, _)| if name.is_empty() { download } else { name });
        let all: Vec<Asked> =
            asked.iter().filter(|((known, _), _)| known == name).map(|(_, asked)| asked.clone()).collect();
        let known = asked.entry(key.clone()).or_default();
        for Asked { workspaces, packages } in all {
            known.workspaces.extend(workspaces);
            known.packages.extend(packages);
        }
    }
    asked
}
