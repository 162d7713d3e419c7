//! Sizes for programs. `version` changes when a field changes its meaning or is removed.

use serde_json::{Value, json};

use super::report::{Report, Row};
use crate::{
    closure::{Closure, Measured, Part, PartChange, Reference, name},
    proof::Place,
};

/// The version of this output.
const VERSION: u32 = 1;

pub(super) fn render(report: &Report) -> Value {
    json!({
        "version": VERSION,
        "system": report.system,
        "from": report.from.as_ref().map(place),
        "to": place(&report.to),
        "packages": report.rows.iter().map(|row| package(row, report.from.is_some())).collect::<Vec<_>>(),
        "notBuilt": report.missing,
        "overBudget": report.over_budget().map(|(row, _)| &row.name).collect::<Vec<_>>(),
    })
}

/// Returns a state of the repository for programs.
pub(in crate::cli) fn place(place: &Place) -> Value {
    let (kind, name, id) = match place {
        Place::Commit { name, id } => ("commit", Some(name), Some(id)),
        Place::Index => ("index", None, None),
        Place::WorkTree => ("workTree", None, None),
    };
    json!({ "kind": kind, "name": name, "commit": id })
}

fn package(row: &Row, is_comparison: bool) -> Value {
    let workspace = row.after.as_ref().or(row.before.as_ref()).and_then(|measured| measured.workspace.as_ref());
    let mut package = json!({
        "name": row.name,
        "workspace": workspace,
        "path": row.after.as_ref().map(output),
        "closureSize": row.size(),
        "ownSize": row.closure().map(|closure| closure.own),
        "budget": row.budget,
        "overBudget": row.excess().is_some(),
        "parts": row.after.iter().flat_map(parts).collect::<Vec<_>>(),
        "references": row.after.iter().flat_map(references).collect::<Vec<_>>(),
    });
    if is_comparison {
        package["before"] = row.before.as_ref().map_or(Value::Null, |measured| {
            json!({
                "path": output(measured),
                "closureSize": measured.closure.size,
                "ownSize": measured.closure.own,
            })
        });
        package["changes"] = row.changes.iter().map(change).collect();
    }
    package
}

fn output(measured: &Measured) -> String {
    measured.full_path(&measured.closure.output).into_string()
}

fn parts(measured: &Measured) -> impl Iterator<Item = Value> + '_ {
    let Closure { parts, .. } = &measured.closure;
    parts.iter().map(|Part { path, size, through }| {
        json!({
            "path": measured.full_path(path),
            "name": name(path),
            "size": size,
            "through": through.iter().map(|path| measured.full_path(path)).collect::<Vec<_>>(),
        })
    })
}

fn references(measured: &Measured) -> impl Iterator<Item = Value> + '_ {
    let Closure { references, .. } = &measured.closure;
    references.iter().map(|Reference { path, closure, freed, holders }| {
        json!({
            "path": measured.full_path(path),
            "name": name(path),
            "closureSize": closure,
            "freedSize": freed,
            "files": holders.files,
            "fileCount": holders.count,
        })
    })
}

fn change(PartChange { name, before, after }: &PartChange) -> Value {
    json!({ "name": name, "before": before, "after": after })
}
