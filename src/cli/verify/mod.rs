//! `splitter verify`: makes edits in scratch copies, evaluates each with Nix, and compares the result with the model.

mod json;
mod show;

use std::time::Instant;

use super::{
    arguments::{Global, VerifyOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    progress::StepProgress,
    repository::{state, work_tree},
};
use crate::{
    nix::command::Nix,
    proof::{Row, verify},
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
    let surprises = proof.rows.iter().flat_map(Row::surprises).count();
    if options.json {
        printer.data(json::render(&proof));
    } else {
        show::print(&proof, state.system(), start.elapsed(), printer);
    }
    Ok(Outcome::verdict(surprises == 0, options.json))
}
