//! An explanation for programs. `version` changes when a field changes its meaning or goes.

use serde_json::{Value, json};

use super::Explanation;
use crate::{
    proof::{Place, State},
    split::derivations::{Id, Verdict},
};

/// The version of this output.
const VERSION: u32 = 1;

pub(super) fn render(explanation: &Explanation) -> String {
    let Explanation { before, after, comparison } = explanation;
    let report = json!({
        "version": VERSION,
        "from": state(before),
        "to": state(after),
        "system": after.system(),
        "derivations": comparison.verdicts.iter().map(|(id, verdict)| derivation(id, verdict)).collect::<Vec<_>>(),
        "files": comparison.files,
        "unusedFiles": comparison.idle,
    });
    // A report is texts and lists: it always serialises.
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

fn state(state: &State) -> Value {
    let (kind, name, id) = match &state.place {
        Place::Commit { name, id } => ("commit", Some(name), Some(id)),
        Place::Index => ("index", None, None),
        Place::WorkTree => ("workTree", None, None),
    };
    json!({ "kind": kind, "name": name, "commit": id, "recorded": state.is_recorded })
}

fn derivation(id: &Id, verdict: &Verdict) -> Value {
    json!({
        "name": id.to_string(),
        "kind": id.kind(),
        "package": id.package(),
        "effect": verdict.effect,
        "causes": verdict.causes,
    })
}
