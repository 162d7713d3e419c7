//! `splitter reproduce`: builds packages twice and tells which files differ, and why.

mod conditions;
mod diffoscope;
mod error;
mod images;
mod json;
mod rebuild;
mod report;
mod show;
mod stores;
mod targets;
mod twice;

use std::time::Instant;

use self::{
    conditions::{Conditions, has_sandbox},
    error::ReproduceError,
    report::Report,
    stores::{Session, Store, pause},
    targets::Targets,
};
use super::{
    arguments::{Global, ReproduceOptions},
    build::{Built, buildable_state},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::work_tree,
    text::{bytes, things},
};
use crate::nix::command::Nix;

pub(super) fn run(global: &Global, options: &ReproduceOptions, printer: Printer) -> Result<Outcome, Failure> {
    let nix = Nix::require()?;
    if !options.rebuild && !cfg!(target_os = "linux") {
        return Err(ReproduceError::NoStores.into());
    }
    let tree = work_tree(global)?;
    let nix_options = options.nix_options.iter().cloned().chain(["--no-write-lock-file".to_owned()]);
    let nix = nix.with_options(nix_options).in_folder(tree.root());
    let state = buildable_state(&tree)?;
    let targets = Targets::of(&nix, &state, options)?;
    targets.check_known(&state)?;
    if options.rebuild {
        return rebuild::run(&nix, &targets, state.system(), options, printer);
    }
    let has_sandbox = has_sandbox(&nix);
    let is_verbose = global.verbose > 0;
    let session = Session { nix: &nix, tree: &tree, state: &state, printer, is_verbose, has_sandbox };
    let report = twice(&session, &targets, options)?;
    if options.json {
        printer.json(&json::render(&report));
    } else {
        show::print(&report, is_verbose, printer);
    }
    Ok(Outcome::verdict(report.is_reproducible(), true))
}

/// Builds twice, and compares.
fn twice(session: &Session<'_>, targets: &Targets, options: &ReproduceOptions) -> Result<Report, Failure> {
    let printer = session.printer;
    let conditions = Conditions::both(options.deeper);
    let stores =
        [Store::new(None, "first")?, Store::new(options.second.as_deref(), "second/in/a/folder/with/a/longer/name")?];
    let number = things(targets.all.len(), "derivation");
    printer.note(format_args!("building {number} twice, in {} and {}", stores[0].root(), stores[1].root()));
    filled(session.fill(&stores[0], &targets.inputs, None))?;
    let first = session.build(&stores[0], conditions[0], &targets.products, "the first build");
    let ended = Instant::now();
    filled(session.fill(&stores[1], &targets.inputs, Some(&stores[0])))?;
    pause(ended);
    let second = session.build(&stores[1], conditions[1], &targets.products, "the second build, to compare");
    printer.note("comparing the builds");
    let results = report::results(session, &stores, targets, &[first, second])?;
    let images = images::rows(&results, &stores, &targets.store);
    let size: u64 = results.iter().flat_map(|result| &result.outputs).map(|output| output.valid[0].size).sum();
    tracing::debug!(size = bytes(size), "compared");
    let (system, has_sandbox) = (session.state.system(), session.has_sandbox);
    Ok(Report { system, conditions, has_sandbox, results, images })
}

/// Fails if a store does not have what the builds need.
fn filled(built: Built) -> Result<(), ReproduceError> {
    let Some(error) = built.error else { return Ok(()) };
    let failed: Vec<String> =
        built.failed.iter().map(|(name, log)| format!("{name} failed\n{}", log.join("\n"))).collect();
    Err(ReproduceError::Inputs(if failed.is_empty() { error.to_string() } else { failed.join("\n") }))
}
