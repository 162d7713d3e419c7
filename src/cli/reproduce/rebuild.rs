//! `--rebuild`: one more build of each derivation in the user's own store, and only Nix's verdict.
//!
//! Nix compares and keeps what the store had. So it costs one build instead of two and no copies, but it says nothing about
//! files, and the conditions are those of the first build except for the time.

use std::collections::BTreeSet;

use serde_json::json;

use super::targets::Targets;
use crate::{
    cli::{
        arguments::ReproduceOptions,
        failure::{Failure, Outcome},
        printer::Printer,
        style::{BAD, BOLD, GOOD},
        text::escape,
    },
    nix::command::{
        Nix, NixError, Output,
        log::{Event, plain},
    },
    split::System,
};

/// What Nix says of an output that differs.
const DIFFERS: &str = "may not be deterministic";

/// Builds again in the user's store.
pub(super) fn run(
    nix: &Nix,
    targets: &Targets,
    system: System,
    options: &ReproduceOptions,
    printer: Printer,
) -> Result<Outcome, Failure> {
    // What was never built cannot be compared.
    let outputs: Vec<Output> = targets
        .all
        .iter()
        .flat_map(|target| {
            target.outputs.keys().map(|name| Output { derivation: target.derivation.clone(), name: name.clone() })
        })
        .collect();
    printer.note("building what the store lacks");
    nix.build_products(&outputs, &["--no-link".to_owned()], &mut |_| {})?;
    printer.note("building again");
    let mut messages = Vec::new();
    let result = nix.rebuild(&outputs, &mut |event| {
        if let Event::Message { level: 0, text } = event {
            messages.push(plain(&text));
        }
    });
    let differs: BTreeSet<&str> = targets
        .all
        .iter()
        .filter(|target| messages.iter().any(|text| text.contains(&target.derivation) && text.contains(DIFFERS)))
        .map(|target| target.name.as_str())
        .collect();
    if let (Err(error), true) = (result, differs.is_empty()) {
        return Err(failed(error));
    }
    if options.json {
        let rows = targets.all.iter().map(|target| {
            let result = if differs.contains(target.name.as_str()) { "differs" } else { "same" };
            json!({ "name": target.name, "kind": target.kind, "derivation": target.derivation, "named": target.is_named, "result": result })
        });
        let rows: Vec<_> = rows.collect();
        printer.json(&json!({ "version": 1, "system": system, "method": "rebuild", "reproducible": differs.is_empty(), "derivations": rows }));
    } else {
        let width = targets.all.iter().map(|target| target.name.chars().count()).max().unwrap_or(0);
        for target in &targets.all {
            let (style, text) = if differs.contains(target.name.as_str()) { (BAD, "differs") } else { (GOOD, "same") };
            printer.data(format_args!("{BOLD}{:<width$}{BOLD:#}  {style}{text}{style:#}", escape(&target.name)));
        }
        if !differs.is_empty() {
            printer.note("run it without `--rebuild` to see which files differ");
        }
    }
    Ok(Outcome::verdict(differs.is_empty(), true))
}

fn failed(error: NixError) -> Failure {
    error.into()
}
