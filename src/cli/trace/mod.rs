//! `splitter trace`: what builds look for and do not get, and what they get and never read.

pub(super) mod json;
pub(super) mod show;
mod write;

use std::{collections::BTreeSet, time::Instant};

use super::{
    arguments::{Global, TraceOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::{recovered, state, warn, work_tree},
    traced,
};
use crate::{
    nix::command::Nix,
    proof::{
        ProofError, State,
        scratch::Scratch,
        trace::{Bench, Report, Request, TraceError, trace},
    },
    repo::{Git, GitError, RepoPath, TreeError, WorkTree, states},
};

pub(super) fn run(global: &Global, options: &TraceOptions, printer: Printer) -> Result<Outcome, Failure> {
    let start = Instant::now();
    // Checked first, because everything else needs it.
    let nix = Nix::require()?;
    let tree = if options.write { recovered(global, printer)? } else { work_tree(global)? };
    let state = in_place(&tree)?;
    let request = Request { nix: &nix, options: &options.nix_options, names: &options.names, is_full: options.full };
    let (report, changes) = if options.write {
        write::until_complete(&tree, &state, &request, options, printer)?
    } else {
        warn(&tree, &state.split, printer)?;
        let report = once(&tree, &state, &request, printer)?;
        traced::remember(tree.root(), &state, &report);
        (report, Vec::new())
    };
    if options.json {
        printer.json(&json::render(&report, &changes));
    } else {
        show::print(&report, start.elapsed(), global.verbose > 0, printer);
    }
    Ok(Outcome::verdict(report.is_complete(), options.json))
}

/// Reads the state of a working tree, where Nix builds it: what git does not track is missing there, as in every build.
pub(super) fn in_place(tree: &WorkTree) -> Result<State, ProofError> {
    Ok(State { folder: Some(tree.root().to_owned()), ..state(tree)? })
}

/// Traces the builds of a working tree once.
pub(super) fn once(
    tree: &WorkTree,
    state: &State,
    request: &Request<'_>,
    printer: Printer,
) -> Result<Report, TraceError> {
    let (scratch, untracked) = (Scratch::new()?, untracked(tree, state)?);
    let bench = Bench { untracked: &untracked, scratch: &scratch, name: "trace", known: None };
    printer.note("building under strace");
    trace(state, &bench, request, &mut |line| tracing::debug!("{line}"))
}

/// Returns the files that git would track and does not yet. Without git, Nix sees every file.
pub(super) fn untracked(tree: &WorkTree, state: &State) -> Result<BTreeSet<RepoPath>, ProofError> {
    let git = Git::at(tree.root());
    let tracked = match states::of_index(&git) {
        Err(GitError::NoRepository(_)) => return Ok(BTreeSet::new()),
        files => files.map_err(|source| TreeError::Git { path: RepoPath::root(), source })?,
    };
    let files = state.derivations.files().keys();
    Ok(files.filter(|path| !tracked.contains_key(*path)).cloned().collect())
}
