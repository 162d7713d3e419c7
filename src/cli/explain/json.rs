//! `explain --json`. `version` changes when a field is removed or changes its meaning.

use serde_json::{Value, json};

use super::Explanation;
use crate::{
    proof::{Confirmation, Place, State, evaluation::Derived},
    split::plan::{Id, Verdict},
};

/// The version of this format.
const VERSION: u32 = 1;

pub(super) fn render(explanation: &Explanation) -> String {
    let Explanation { before, after, comparison, confirmations, traced, .. } = explanation;
    let nix = confirmations.as_ref().map(|confirmations| {
        let packages = confirmations.iter().map(|(name, confirmation)| (name.clone(), confirmed(confirmation)));
        Value::Object(packages.collect())
    });
    let report = json!({
        "version": VERSION,
        "from": state(before),
        "to": state(after),
        "system": after.system(),
        "derivations": comparison.verdicts.iter().map(|(id, verdict)| derivation(id, verdict)).collect::<Vec<_>>(),
        "files": comparison.files,
        "unusedFiles": comparison.idle,
        "nix": nix,
        "traced": traced.iter().map(|(name, mark)| (name.clone(), mark.json())).collect::<serde_json::Map<_, _>>(),
    });
    // Texts and lists always serialise.
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

fn confirmed(confirmation: &Confirmation) -> Value {
    let path = |derived: &Derived| match derived {
        Derived::Path(path) => Some(path.clone()),
        Derived::Absent | Derived::Failed => None,
    };
    json!({
        "before": path(&confirmation.before),
        "after": path(&confirmation.after),
        "model": confirmation.model,
        "agrees": confirmation.agrees(),
    })
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
