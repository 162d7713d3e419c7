//! The report as JSON.

use serde_json::{Value, json};

use crate::tune::{Advice, Situation, measure::Trial, notes::claims};

pub(super) fn report(situation: &Situation<'_>, advice: &Advice, trials: &[Trial]) -> Value {
    let nix = situation.nix.map(|nix| {
        json!({
            "version": nix.version,
            "store": nix.store,
            "warnings": nix.warnings,
        })
    });
    let profiles: Vec<Value> = super::jobs_of_profiles(situation)
        .into_iter()
        .map(|(profile, jobs)| json!({ "profile": profile, "jobs": jobs }))
        .collect();
    json!({
        "version": 1,
        "computer": situation.computer,
        "nix": nix,
        "caches": situation.answers,
        "forCi": situation.for_ci,
        "advice": advice,
        "profiles": profiles,
        "usualAdvice": claims(situation),
        "measured": trials,
    })
}
