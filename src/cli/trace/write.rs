//! `trace --write`: adds what builds lack to `splitter.json`, and traces again.
//!
//! Each round happens in a scratch copy. The repository is written once, at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use super::untracked;
use crate::{
    cli::{
        arguments::TraceOptions, failure::Failure, fetching::bring_up_to_date, interrupt, printer::Printer,
        repository::previous, style::GOOD, text::escape, traced,
    },
    names::SETTINGS,
    proof::{
        State,
        scratch::Scratch,
        trace::{Bench, Report, Request, TraceError, trace},
        with_files,
    },
    repo::{RepoPath, Tree as _, WorkTree, read_text},
    scaffold::{files::Files, record, settings_edit, update::Extent},
    split::mending::Mending,
};

/// The most rounds. Each adds what the round before could not see, because a build failed earlier.
const ROUNDS: usize = 12;

/// Traces until nothing is missing, or nothing more can be added. Writes `splitter.json` and the record. Returns the last
/// report and the lines that were added.
pub(super) fn until_complete(
    tree: &WorkTree,
    first: &State,
    request: &Request<'_>,
    options: &TraceOptions,
    printer: Printer,
) -> Result<(Report, Vec<String>), Failure> {
    let settings = RepoPath::root().child(SETTINGS);
    let scratch = Scratch::new().map_err(TraceError::from)?;
    let untracked = untracked(tree, first).map_err(TraceError::from)?;
    let old = previous(tree, printer)?;
    let text = read_text(tree, &settings)?;
    let (mut added, mut edits): (BTreeSet<Mending>, BTreeMap<RepoPath, Vec<u8>>) = Default::default();
    let mut lines = Vec::new();
    let mut edited: Option<State> = None;
    let mut round = 0;
    let report = loop {
        round += 1;
        printer.note(format_args!("building under strace (round {round})"));
        let state = edited.as_ref().unwrap_or(first);
        let name = format!("trace-{round}");
        let known = Some((tree.root(), first.derivations.files()));
        let bench = Bench { untracked: &untracked, scratch: &scratch, name: &name, known };
        let report = trace(state, &bench, request, &mut |line| tracing::debug!("{line}"))?;
        let new: Vec<Mending> = report.mendings().difference(&added).cloned().collect();
        if new.is_empty() || round == ROUNDS {
            break report;
        }
        for mending in &new {
            tell(format_args!("{GOOD}+{GOOD:#} {}", escape(&mending.line())), options, printer);
            lines.push(mending.line());
        }
        added.extend(new);
        let all: Vec<Mending> = added.iter().cloned().collect();
        edits.insert(settings.clone(), settings_edit::with(text.as_deref(), &all)?.into_bytes());
        let split = with_files(first, tree, &edits).map_err(TraceError::from)?.split;
        let update = bring_up_to_date(tree, &split, old.as_ref(), &options.fetching, &Extent::WhatChanged, printer)?;
        edits.insert(record::path(), update.record.render().into_bytes());
        edited = Some(with_files(first, tree, &edits).map_err(TraceError::from)?);
    };
    write(tree, edits, options, printer)?;
    traced::remember(tree.root(), edited.as_ref().unwrap_or(first), &report);
    Ok((report, lines))
}

/// Prints a change: a part of the result, unless that is JSON.
fn tell(text: impl Display, options: &TraceOptions, printer: Printer) {
    if options.json {
        printer.note(text);
    } else {
        printer.data(text);
    }
}

fn write(
    tree: &WorkTree,
    edits: BTreeMap<RepoPath, Vec<u8>>,
    options: &TraceOptions,
    printer: Printer,
) -> Result<(), Failure> {
    if edits.is_empty() {
        return Ok(());
    }
    let is_new = !tree.is_file(&RepoPath::root().child(SETTINGS))?;
    let mut files = Files::default();
    for (path, content) in edits {
        files.put(path, content);
    }
    let written = interrupt::uninterrupted(|| files.write(tree.root()))?;
    let names: Vec<&str> = written.created.iter().chain(&written.changed).map(RepoPath::as_str).collect();
    tell(format_args!("{GOOD}wrote{GOOD:#} {}\n", names.join(", ")), options, printer);
    if is_new {
        printer.note(format_args!("  {SETTINGS} is new: run `git add {SETTINGS}`"));
    }
    Ok(())
}
