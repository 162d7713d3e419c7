//! `verify --json`. `version` changes when a field is removed or changes its meaning.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    cli::trace,
    proof::{Proof, Row, trace::Report},
};

/// The version of this format.
const VERSION: u32 = 1;

pub(super) fn render(proof: &Proof, traced: Option<&(Report, Duration)>) -> String {
    let surprises: usize = proof.rows.iter().map(|row| row.surprises().count()).sum();
    let report = json!({
        "version": VERSION,
        "packages": proof.packages,
        "edits": proof.rows.iter().map(edit).collect::<Vec<_>>(),
        "surprises": surprises,
        "trace": traced.map(|(report, _)| trace::json::render(report, &[])),
    });
    // Texts and lists always serialise.
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

fn edit(row: &Row) -> Value {
    let cells = row.cells.iter().map(|(name, cell)| {
        let value = json!({ "model": cell.model, "changed": cell.is_changed, "surprise": cell.is_surprise() });
        (name.clone(), value)
    });
    json!({ "edit": row.edit.name, "path": row.edit.path, "packages": Value::Object(cells.collect()) })
}
