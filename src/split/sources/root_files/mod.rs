//! Finds what a workspace reads outside its folder although no manifest lists it: files that configurations extend or import,
//! files that scripts run, files that tools look for in the folders above, and other workspaces that its programs import.
//!
//! Configurations and scripts are programs, so the search takes every quoted text that is a path to an existing file. A file too
//! many causes a rebuild now and then. A file too few breaks the build. A file of the root is a root file. A program of another
//! workspace imports others, so it is an edge to that workspace, as a dependency is. Data of another workspace is a root file
//! alone.
//!
//! `check` must not read all programs, so what they name is recorded: [`Imports`]. Both searches resolve these texts with the
//! configuration of today.

mod aliases;
mod chosen;
pub(in crate::split) mod environment;
mod finder;
mod globs;
mod linters;
mod mentions;
mod programs;
mod root_manifest;
mod scripts;
mod search;
mod specifiers;
mod tables;
mod texts;
mod typescript;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    aliases::Alias,
    search::{Mention, Search},
    specifiers::Specifiers,
    tables::{NOT_FOR_BUILDS, OF_CHECKS, OF_ESLINT, SETTINGS, SOUGHT_UPWARDS},
};
pub(in crate::split) use self::{chosen::chosen, finder::Finder, typescript::names_compiler};
use crate::repo::{EntryKind, RepoPath};
use crate::split::{
    LinkTargets, SplitError, Workspaces,
    sources::source_filter::{CHECK_FILTER, SOURCE_FILTER},
    workspaces::tasks::Task,
};

/// The programs that are searched for what they read outside their workspace.
#[derive(Debug, Clone, Copy)]
pub enum ProgramSearch<'r> {
    /// All of them.
    Whole,
    /// Configuration alone. What other programs name was recorded. `check` takes milliseconds, and cannot read every source.
    Recorded(&'r Imports),
}

/// What programs import and read outside their workspace, as a record has it: names as they are imported, and paths from the root
/// that start with `./`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imports {
    /// Those of the builds, by workspace.
    pub builds: BTreeMap<RepoPath, Vec<String>>,
    /// Those of the checks, by workspace and command.
    pub checks: BTreeMap<(RepoPath, String), Vec<String>>,
    /// What symbolic links among the sources lead to, by workspace.
    pub links: LinkTargets,
}

/// The purpose of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) enum Purpose {
    Build,
    /// A script that tests or lints.
    Check,
}

/// A search for one workspace.
pub(in crate::split) struct Asked<'a> {
    pub(in crate::split) path: &'a RepoPath,
    /// The workspace whose record has what is imported here: for a folder that a workspace links to, that workspace.
    pub(in crate::split) owner: &'a RepoPath,
    /// The texts of the scripts that its build or check runs.
    pub(in crate::split) scripts: Vec<&'a str>,
    /// The task in a task runner's configuration.
    pub(in crate::split) task: &'a Task,
    pub(in crate::split) purpose: Purpose,
    /// The command of a check.
    pub(in crate::split) check: &'a str,
}

/// How a workspace needs another one that its manifest does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::split) enum EdgeKind {
    /// A script runs something of it.
    Tool,
    /// Its programs are imported.
    Import,
    /// Its build makes a file.
    Build,
}

/// An edge of the graph that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) struct Edge {
    pub(in crate::split) kind: EdgeKind,
    /// Why, as a verb and its object: `imports @r/lib (alias in tsconfig.json)`.
    pub(in crate::split) reason: String,
    /// Whether it is imported by a name, as a dependency is.
    pub(in crate::split) is_package: bool,
    /// The file that names it, as far as the search read one.
    pub(in crate::split) file: Option<RepoPath>,
    /// Whether the configuration of another workspace names it, for all that refer to that workspace.
    pub(in crate::split) is_of_another: bool,
}

impl Edge {
    /// The reason, with the file that names it: `names apps/web (src/a.ts)`.
    pub(in crate::split) fn shown(&self, from: &RepoPath) -> String {
        let Some(file) = &self.file else { return self.reason.clone() };
        let file = file.below(from).unwrap_or(file.as_str());
        match self.reason.strip_suffix(')') {
            Some(reason) if reason.ends_with(file) => self.reason.clone(),
            Some(reason) => format!("{reason}; {file})"),
            None => format!("{} ({file})", self.reason),
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::split) struct Found {
    /// Files and folders outside the workspace, and globs.
    pub(in crate::split) files: BTreeSet<RepoPath>,
    /// The workspaces that it needs.
    pub(in crate::split) edges: BTreeMap<RepoPath, Edge>,
    /// What its programs name, as far as it matters.
    pub(in crate::split) imports: Vec<String>,
    /// Warnings of files of other workspaces that nothing makes, with these workspaces.
    pub(in crate::split) unmade: BTreeSet<(RepoPath, String)>,
    /// Globs of files of the workspace that its build reads though a rule excludes them: settings of linters.
    pub(in crate::split) reads: BTreeSet<String>,
    /// The aliases of its own configuration.
    aliases: Vec<Alias>,
}

impl Found {
    /// Adds what another search found.
    pub(in crate::split) fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        for (to, edge) in other.edges {
            self.edges.entry(to).or_insert(edge);
        }
        self.imports.extend(other.imports);
        self.imports.sort_unstable();
        self.imports.dedup();
        self.unmade.extend(other.unmade);
        self.reads.extend(other.reads);
    }
}

/// Returns the files, folders and workspaces outside a workspace that it reads.
pub(in crate::split) fn of(finder: &mut Finder<'_>, asked: &Asked<'_>) -> Result<Found, SplitError> {
    if asked.path.is_root() {
        return Ok(Found::default());
    }
    let checks = asked.purpose == Purpose::Check;
    let mut search = Search::new(finder, asked.path, asked.purpose);
    search_configuration(&mut search, asked)?;
    match search.finder.programs {
        ProgramSearch::Whole => {
            let filter = if checks { &CHECK_FILTER } else { &SOURCE_FILTER };
            let specifiers = programs::search(&mut search, filter)?;
            if resolve_all(&mut search, specifiers)? > 1 {
                // The order decides which of two texts for the same file is kept. A record has one order.
                let imports = std::mem::take(&mut search.found.imports);
                search = Search::new(finder, asked.path, asked.purpose);
                search_configuration(&mut search, asked)?;
                resolve(&mut search, &specifiers_of(imports.iter()))?;
            }
        }
        ProgramSearch::Recorded(imports) => {
            let recorded = match asked.purpose {
                Purpose::Build => imports.builds.get(asked.owner),
                Purpose::Check => imports.checks.get(&(asked.owner.clone(), asked.check.to_owned())),
            };
            resolve(&mut search, &specifiers_of(recorded.into_iter().flatten()))?;
        }
    }
    finish(search)
}

fn finish(mut search: Search<'_, '_>) -> Result<Found, SplitError> {
    search.found.imports.sort_unstable();
    search.found.imports.dedup();
    let outside: Vec<_> =
        search.found.files.iter().filter(|path| mentions::names_more(path.as_str())).cloned().collect();
    for path in outside {
        search.follow(&path)?;
    }
    let own = search.own;
    search.found.aliases = search.aliases.into_iter().filter(|alias| alias.file.is_within(own)).collect();
    Ok(search.found)
}

/// Returns the names in the programs of other workspaces for which a workspace has aliases of its own. It compiles these programs
/// with its configuration.
pub(in crate::split) fn names_of_others<'p>(
    finder: &Finder<'_>,
    own: &Found,
    others: impl Iterator<Item = &'p RepoPath>,
) -> Vec<String> {
    if own.aliases.is_empty() {
        return Vec::new();
    }
    let names = others.filter_map(|path| finder.names.get(path)).flatten();
    names.filter(|name| own.aliases.iter().any(|alias| alias.targets_of(name).is_some())).cloned().collect()
}

/// Searches again with more names that are imported.
pub(in crate::split) fn with_names(
    finder: &mut Finder<'_>,
    asked: &Asked<'_>,
    found: &Found,
    names: &[String],
) -> Result<Found, SplitError> {
    let mut search = Search::new(finder, asked.path, asked.purpose);
    search_configuration(&mut search, asked)?;
    resolve(&mut search, &specifiers_of(found.imports.iter().chain(names)))?;
    finish(search)
}

/// Searches the configuration and the scripts.
fn search_configuration(search: &mut Search<'_, '_>, asked: &Asked<'_>) -> Result<(), SplitError> {
    let entries = search.finder.tree.list(asked.path)?;
    let checks = asked.purpose == Purpose::Check;
    let lints = !checks && !asked.scripts.is_empty() && linters::lints(search.finder.workspaces, asked.path);
    let root = search.finder.workspaces.get(&RepoPath::root());
    let root_scripts = root.into_iter().flat_map(|root| root.scripts.values().map(String::as_str));
    search.builds_projects = asked.scripts.iter().copied().chain(root_scripts).any(typescript::builds_projects);
    let manifest = search.finder.workspaces.get(asked.path);
    search.compiles = typescript::compiles(&asked.scripts, manifest);
    typescript::follow(search, &entries)?;
    scripts::read(search, &asked.scripts)?;
    // A build may test and lint too, if its script says so.
    let is_run = |tool: &str| asked.scripts.iter().any(|script| script.contains(tool));
    let is_read = |name: &str| {
        let is_one = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
        let is_for_build = || {
            let runs = NOT_FOR_BUILDS.iter().any(|start| name.starts_with(start) && is_run(start.trim_matches('.')));
            (runs || !is_one(&NOT_FOR_BUILDS)) && (lints || is_run("eslint") || !is_one(&OF_ESLINT))
        };
        is_configuration(name) && (checks || is_for_build())
    };
    for entry in entries.iter().filter(|entry| entry.kind != EntryKind::Folder && is_read(&entry.name)) {
        let path = asked.path.child(&entry.name);
        search.follow(&path)?;
        // Some tools take the paths in a file behind a link from where the link is, others from where the file is.
        if let Some(Ok(target)) = search.finder.tree.link(&path)?.map(|target| asked.path.resolve(&target)) {
            search.follow(&target)?;
        }
    }
    let of_checks = OF_CHECKS.iter().filter(|(tool, _)| is_run(tool)).map(|(_, names)| *names);
    for names in SOUGHT_UPWARDS.into_iter().chain(lints.then_some(OF_ESLINT.as_slice())).chain(of_checks) {
        search.seek_upwards(&entries, names)?;
    }
    for input in &asked.task.root_inputs {
        search.add_input(input)?;
    }
    for (tool, names) in SETTINGS {
        if !checks && (is_run(tool) || (lints && tool == "eslint")) {
            search.found.reads.extend(names.iter().map(|start| format!("{start}*")));
        }
    }
    // A package of settings is read by the builds that lint with it.
    for name in manifest.into_iter().flat_map(|manifest| named_settings(&manifest.json)) {
        search.found.reads.insert(name);
    }
    if lints && settings_of_eslint(search.finder.workspaces) {
        search.add_root_manifest();
    }
    Ok(())
}

/// Resolves what all programs name, and then what the programs name that this finds outside all workspaces. Returns the number of
/// rounds.
fn resolve_all(search: &mut Search<'_, '_>, specifiers: Specifiers) -> Result<usize, SplitError> {
    let mut open = specifiers;
    let (mut seen, mut rounds) = (BTreeSet::new(), 0);
    while !open.is_empty() {
        rounds += 1;
        resolve(search, &open)?;
        open = Specifiers::default();
        let folders: Vec<RepoPath> = search.outside.difference(&seen).cloned().collect();
        for folder in folders {
            open.extend(programs::search_module(search, &folder)?);
            seen.insert(folder);
        }
    }
    Ok(rounds)
}

/// Resolves names and paths. Keeps those that lead to something new, so that the record holds no more than it needs.
fn resolve(search: &mut Search<'_, '_>, specifiers: &Specifiers) -> Result<(), SplitError> {
    let mut kept = Vec::new();
    // A program that takes the folder it runs in may run anywhere. It reads files there, and no whole workspace.
    let workspaces = search.finder.workspaces;
    let by_folder = specifiers.of_cwd.iter().filter(|text| !workspaces.contains_key(text.as_str()));
    let all: BTreeSet<&String> = specifiers.paths.iter().chain(&specifiers.guesses).chain(by_folder).collect();
    for text in all {
        let Ok(path) = text.parse::<RepoPath>() else { continue };
        if !specifiers.paths.contains(text) && !search.exists(&path)? {
            continue;
        }
        search.file = search.origin_of(text);
        if leads_on(search, |search| search.add_path(&path, Mention::Program, &|| text.clone()))? {
            kept.push(format!("./{text}"));
        }
    }
    for name in &specifiers.names {
        search.file = search.origin_of(name);
        if leads_on(search, |search| search.add_name(name))? {
            kept.push(name.clone());
        }
    }
    search.file = None;
    search.found.imports.extend(kept);
    Ok(())
}

/// Whether a step finds anything that was not found before.
fn leads_on(
    search: &mut Search<'_, '_>,
    step: impl FnOnce(&mut Search<'_, '_>) -> Result<Option<RepoPath>, SplitError>,
) -> Result<bool, SplitError> {
    // An edge is only ever added, or gets a stronger kind. Copies of all edges for each name cost more than the search itself.
    let size = |search: &Search<'_, '_>| {
        let Found { files, edges, reads, .. } = &search.found;
        (files.len() + reads.len(), edges.len(), edges.values().map(|edge| edge.kind as usize).sum::<usize>())
    };
    let before = size(search);
    if let Some(file) = step(search)?.filter(|file| mentions::names_more(file.as_str())) {
        search.follow(&file)?;
    }
    Ok(size(search) != before)
}

fn specifiers_of<'r>(recorded: impl Iterator<Item = &'r String>) -> Specifiers {
    let mut specifiers = Specifiers::default();
    for text in recorded {
        match text.strip_prefix("./") {
            Some(path) => specifiers.paths.insert(path.to_owned()),
            None => specifiers.names.insert(text.clone()),
        };
    }
    specifiers
}

/// Returns the files that chosen scripts of the root read for a workspace: the manifest that holds them, files and folders that
/// they name, and the files that these name.
pub(in crate::split) fn of_root_scripts(
    finder: &mut Finder<'_>,
    own: &RepoPath,
    scripts: &[String],
) -> Result<Found, SplitError> {
    let mut search = Search::new(finder, own, Purpose::Build);
    scripts::of_root(&mut search, scripts)?;
    Ok(search.found)
}

/// Returns the settings of linters directly in a workspace that its manifest offers to others.
fn named_settings(manifest: &serde_json::Value) -> Vec<String> {
    let mut named = Vec::new();
    let mut open: Vec<&serde_json::Value> =
        ["main", "exports", "files"].iter().filter_map(|field| manifest.get(field)).collect();
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) => {
                let name = text.trim_start_matches("./");
                named.extend((linters::is_setting(name) && !name.contains('/')).then(|| name.to_owned()));
            }
            serde_json::Value::Array(list) => open.extend(list),
            serde_json::Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    named
}

/// Whether the root's manifest holds settings of `ESLint`, which reads the manifests above a workspace too.
fn settings_of_eslint(workspaces: &Workspaces) -> bool {
    workspaces.get(&RepoPath::root()).is_some_and(|root| root.json.get("eslintConfig").is_some())
}

/// Whether a file can import others, by its name.
pub(in crate::split) fn is_program(name: &str) -> bool {
    programs::is_program(name)
}

/// Whether a file directly in a workspace holds settings of a tool, by its name.
pub(crate) fn is_configuration(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
    let is_rc = name.starts_with('.') && (name.ends_with("rc") || stem.ends_with("rc"));
    is_rc || (mentions::is_script(name) && stem.contains(".config"))
}

#[cfg(test)]
mod tests;
