//! `splitter scan`: shows the split, and writes nothing.

mod json;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    arguments::{Global, ScanOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::{warn, work_tree},
};
use crate::{
    parallel::both,
    repo::{RepoPath, WorkTree},
    split::{
        Choices, Split, SplitError,
        graph::Workspace,
        shards::{self, Part},
        source_set::{SourceSet, Sources},
    },
};

/// A repository, split, with the source set of each app that is shown.
struct Scan {
    tree: WorkTree,
    split: Split,
    source_sets: BTreeMap<String, BuildSources>,
    /// Likewise of the libraries that have a build of their own.
    library_sets: BTreeMap<String, BuildSources>,
}

/// What an app or a library is built from.
struct BuildSources {
    /// Its workspaces: its own, and those that it depends on.
    workspaces: BTreeSet<RepoPath>,
    set: SourceSet,
}

pub(super) fn run(global: &Global, options: &ScanOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    // The walk and the lockfile are read at the same time: each takes about as long as the other.
    let (files, split) = both(|| tree.source_files(), || Split::read(&tree, &Choices::default()));
    let (files, split) = (files?, split?);
    let sources = Sources::sort(&files, &split.graph, &split.config, &split.root_files);
    let sources_of = |(name, workspace): (&str, &Workspace)| {
        let workspaces = split.graph.closure(&workspace.path);
        let set = sources.of(&workspace.path, &workspaces);
        (name.to_owned(), BuildSources { workspaces, set })
    };
    let is_shown =
        |(name, _): &(&str, &Workspace)| options.apps.is_empty() || options.apps.iter().any(|app| app == name);
    let source_sets = split.graph.apps().filter(is_shown).map(sources_of).collect();
    let library_sets = split.graph.libraries().map(sources_of).collect();
    refuse_unknown(options, &split)?;
    warn(&split, printer);
    let scan = Scan { tree, split, source_sets, library_sets };
    if options.json {
        printer.data(json::render(&scan));
    } else {
        show::print(&scan, printer);
    }
    Ok(Outcome::Done)
}

fn refuse_unknown(options: &ScanOptions, split: &Split) -> Result<(), SplitError> {
    let apps: Vec<&str> = split.graph.apps().map(|(name, _)| name).collect();
    match options.apps.iter().find(|name| !apps.contains(&name.as_str())) {
        Some(name) => Err(SplitError::NoSuchApp { name: name.clone(), apps: apps.join(", ") }),
        None => Ok(()),
    }
}

/// How many packages each scope has: `common`, and each system by name; and `unknown`, of which only their tarballs
/// say where they are needed.
fn scopes(split: &Split) -> BTreeMap<&'static str, usize> {
    let mut scopes = BTreeMap::new();
    for (part, packages) in parts(split) {
        *scopes.entry(part.scope_name()).or_default() += packages;
    }
    let unknown = split.dependencies.iter().filter(|dependency| dependency.scope.is_none()).count();
    if unknown > 0 {
        scopes.insert("unknown", unknown);
    }
    scopes
}

/// How many packages each part of `deps` holds, as far as the lockfile says who needs them.
fn parts(split: &Split) -> BTreeMap<Part, usize> {
    let parts = shards::cut(&split.dependencies, |dependency| dependency.scope.as_ref());
    parts.into_iter().map(|(part, entries)| (part, entries.len())).collect()
}
