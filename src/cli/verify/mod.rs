//! `splitter verify`: makes edits in scratch copies, evaluates each with Nix, and compares the result with the model.

mod json;
mod show;

use std::time::{Duration, Instant};

use super::{
    arguments::{Global, VerifyOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    progress::StepProgress,
    repository::{state, work_tree},
    trace, traced,
};
use crate::{
    nix::command::Nix,
    proof::{
        Row,
        trace::{Report, Request, TraceError},
        verify,
    },
    repo::WorkTree,
};

pub(super) fn run(global: &Global, options: &VerifyOptions, printer: Printer) -> Result<Outcome, Failure> {
    let start = Instant::now();
    // Checked first, because everything else needs it.
    let nix = Nix::require()?;
    let tree = work_tree(global)?;
    let state = state(&tree)?;
    let progress = StepProgress::new("evaluating", printer);
    let proof = verify(&state, &tree, &nix, &options.nix_options, &|done, total| progress.set(done, total))?;
    drop(progress);
    let traced = trace(&tree, &nix, options, printer)?;
    let surprises = proof.rows.iter().flat_map(Row::surprises).count();
    if options.json {
        printer.data(json::render(&proof, traced.as_ref()));
    } else {
        show::print(&proof, state.system(), start.elapsed(), printer);
        if let Some((report, time)) = &traced {
            printer.data("");
            trace::show::print(report, *time, global.verbose > 0, printer);
        }
    }
    let is_complete = traced.is_none_or(|(report, _)| report.is_complete());
    Ok(Outcome::verdict(surprises == 0 && is_complete, options.json))
}

/// Traces every package and the libraries that they need, with `--trace`.
fn trace(
    tree: &WorkTree,
    nix: &Nix,
    options: &VerifyOptions,
    printer: Printer,
) -> Result<Option<(Report, Duration)>, TraceError> {
    if !options.trace {
        return Ok(None);
    }
    let start = Instant::now();
    let state = trace::in_place(tree)?;
    let request = Request { nix, options: &options.nix_options, names: &[], is_full: false };
    let report = trace::once(tree, &state, &request, printer)?;
    traced::remember(tree.root(), &state, &report);
    Ok(Some((report, start.elapsed())))
}
