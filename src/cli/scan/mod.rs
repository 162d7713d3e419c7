//! `splitter scan`: shows how the repository is split, without writing anything.

mod globs;
mod hosts;
mod json;
mod show;
mod variables;

use std::collections::BTreeMap;

use super::{
    arguments::{Global, ScanOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::{lfs_files, state, warn, warn_of_lfs, work_tree},
    traced::{self, Mark},
};
use crate::{
    parallel::both,
    proof::ProofError,
    repo::{Asks, Snapshot, WorkTree},
    scaffold::record::Kept,
    split::{
        Choices, Split, SplitError, helpers,
        lock::shards::{self, Part},
        sources::Sources,
        workspaces::graph::{Closures, Workspace},
    },
};

/// A split repository, and the apps to show.
struct Scan<'a> {
    tree: &'a WorkTree,
    split: &'a Split,
    sources: &'a Sources<'a>,
    closures: &'a Closures<'a>,
    apps: Vec<(&'a str, &'a Workspace)>,
    /// The builds that were traced and have not changed since.
    traced: BTreeMap<String, Mark>,
    /// Whether long lists are shown in full.
    is_verbose: bool,
}

impl Scan<'_> {
    /// Returns how many entries of a list are shown, if it is this number by default.
    const fn shown(&self, by_default: usize) -> usize {
        if self.is_verbose { usize::MAX } else { by_default }
    }
}

pub(super) fn run(global: &Global, options: &ScanOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    let snapshot = Snapshot::new(tree.clone(), Asks::WithSizes);
    // In parallel, because the walk takes about as long as reading the lockfile.
    let (files, split) = both(|| snapshot.source_files(), || Split::read(&snapshot, &Choices::default()));
    let (files, mut split) = (files?, split?);
    add_recorded_systems(&tree, &mut split);
    refuse_unknown(options, &split)?;
    let unmatched = globs::unmatched(&split, &files.files);
    split.warnings.extend(unmatched);
    let helpers = helpers::warnings(&split, &snapshot)?;
    split.warnings.extend(helpers);
    warn(&tree, &split, printer)?;
    warn_of_lfs(&tree, &lfs_files(&tree, &split), printer)?;
    let sources = Sources::sort(&files.files, &split.graph, &split.config, &split.root_files);
    let is_shown =
        |(name, _): &(&str, &Workspace)| options.apps.is_empty() || options.apps.iter().any(|app| app == name);
    let apps = split.graph.apps().filter(is_shown).collect();
    let closures = Closures::of(&split.graph);
    let scan = Scan {
        tree: &tree,
        split: &split,
        sources: &sources,
        closures: &closures,
        apps,
        traced: traced(&tree)?,
        is_verbose: global.verbose > 0,
    };
    if options.json {
        printer.json(&json::report(&scan));
    } else {
        show::print(&scan, printer);
    }
    Ok(Outcome::Done)
}

/// Returns the builds that were traced and have not changed since.
fn traced(tree: &WorkTree) -> Result<BTreeMap<String, Mark>, ProofError> {
    if !traced::has_any(tree.root()) {
        return Ok(BTreeMap::new());
    }
    Ok(traced::unchanged(tree.root(), &state(tree)?.derivations))
}

fn refuse_unknown(options: &ScanOptions, split: &Split) -> Result<(), SplitError> {
    let apps: Vec<&str> = split.graph.apps().map(|(name, _)| name).collect();
    match options.apps.iter().find(|name| !apps.contains(&name.as_str())) {
        Some(name) => Err(split.graph.no_such_app(name)),
        None => Ok(()),
    }
}

/// Adds the systems of packages that the record knows and the lockfile does not say. The path of a tarball has its version.
fn add_recorded_systems(tree: &WorkTree, split: &mut Split) {
    // `check` reports a damaged record. Here it only has less to say.
    let Ok(Some(record)) = Kept::read(tree) else { return };
    if record.systems != split.systems {
        return;
    }
    let mut recorded = record.recorded().scopes;
    for dependency in split.dependencies.iter_mut().filter(|dependency| dependency.scope.is_none()) {
        dependency.scope = recorded.remove(&dependency.path);
    }
}

/// Counts the packages of each scope: `common`, each system by name, and `unknown`, where only the tarballs name the systems.
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

/// Counts the packages of each part of `deps`, as far as the lockfile names their systems.
fn parts(split: &Split) -> BTreeMap<Part, usize> {
    let parts = shards::cut(&split.dependencies, |dependency| dependency.scope.as_ref());
    parts.into_iter().map(|(part, entries)| (part, entries.len())).collect()
}
