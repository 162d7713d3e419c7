//! The lines for derivations with the same effect. Many parts of `deps` share one line.

use std::collections::BTreeMap;

use crate::split::{
    System,
    lock::shards::Part,
    plan::{Cause, Comparison, Effect, Id},
};

/// Number of parts of one scope that get their own lines.
const SHOWN_PARTS: usize = 4;

/// One or more derivations.
pub(super) struct Row<'a> {
    /// The derivations, in order.
    pub(super) ids: Vec<&'a Id>,
    /// The name of the line.
    pub(super) name: String,
    /// The causes, each once.
    pub(super) causes: Vec<&'a Cause>,
}

/// Returns the lines for the derivations with an effect.
pub(super) fn rows(comparison: &Comparison, effect: Effect) -> Vec<Row<'_>> {
    // Nobody reads the list of kept parts one by one.
    let limit = if effect == Effect::Kept { 1 } else { SHOWN_PARTS };
    let of_scope = parts(comparison, |found| found == effect);
    let all = parts(comparison, |found| found != Effect::Removed);
    let mut rows = Vec::new();
    for (id, verdict) in comparison.verdicts.iter().filter(|(_, verdict)| verdict.effect == effect) {
        let Id::Deps(part) = id else {
            rows.push(Row { ids: vec![id], name: id.to_string(), causes: verdict.causes.iter().collect() });
            continue;
        };
        let together = &of_scope[&part.system];
        if together.len() <= limit {
            rows.push(Row { ids: vec![id], name: id.to_string(), causes: verdict.causes.iter().collect() });
        } else if together[0] == id {
            let mut causes: Vec<&Cause> = together.iter().flat_map(|id| &comparison.verdicts[id].causes).collect();
            causes.sort();
            causes.dedup();
            let total = all.get(&part.system).map_or(0, Vec::len).max(together.len());
            rows.push(Row { ids: together.clone(), name: summary(part, together.len(), total), causes });
        }
    }
    rows
}

/// `deps-common (12 of 16 parts)`
fn summary(part: &Part, some: usize, all: usize) -> String {
    let number = if some == all { format!("all {all}") } else { format!("{some} of {all}") };
    format!("deps-{} ({number} parts)", part.scope_name())
}

/// Returns the parts of `deps` with these effects, grouped by scope.
fn parts(comparison: &Comparison, is_wanted: impl Fn(Effect) -> bool) -> BTreeMap<Option<System>, Vec<&Id>> {
    let mut parts: BTreeMap<_, Vec<&Id>> = BTreeMap::new();
    for (id, _) in comparison.verdicts.iter().filter(|(_, verdict)| is_wanted(verdict.effect)) {
        if let Id::Deps(part) = id {
            parts.entry(part.system).or_default().push(id);
        }
    }
    parts
}
