//! Reports as JSON. `version` changes when a field changes its meaning or is removed.

use serde_json::{Value, json};

use super::show::says;
use crate::caches::{
    Trouble,
    closure::Lack,
    report::{Report, State},
    wanted::Wanted,
};

/// The version of this output.
const VERSION: u32 = 1;

pub(super) fn report(report: &Report<'_>, wanted: &Wanted) -> Value {
    let lack = |(item, lack): (&crate::caches::item::Item, &Lack)| json!({ "path": item.in_store(&wanted.store), "why": reason(lack), "says": says(lack) });
    let cache = |(number, cache): (usize, &crate::caches::report::CacheRow)| {
        json!({
            "address": cache.address,
            "away": cache.away.as_ref().map(trouble),
            "isComplete": report.is_complete_in(number),
            "lacks": cache.lacks.iter().map(lack).collect::<Vec<_>>(),
            "differs": cache.differs.iter().map(|item| item.in_store(&wanted.store)).collect::<Vec<_>>(),
        })
    };
    let rows = report.rows.iter().map(|row| {
        json!({
            "name": row.thing.name,
            "kind": row.thing.kind.name(),
            "system": row.thing.system.map(|system| system.to_string()),
            "attribute": row.thing.attribute,
            "derivation": row.thing.derivation,
            "paths": row.thing.paths.iter().map(|item| item.in_store(&wanted.store)).collect::<Vec<_>>(),
            "states": row.states.iter().map(|found| state(*found)).collect::<Vec<_>>(),
            "together": state(row.together),
            "fetch": row.fetch,
        })
    });
    let upstream =
        report.upstream_away.iter().map(|(address, away)| json!({ "address": address, "away": trouble(away) }));
    json!({
        "version": VERSION,
        "isComplete": report.is_complete(),
        "caches": report.caches.iter().enumerate().map(cache).collect::<Vec<_>>(),
        "upstreamAway": upstream.collect::<Vec<_>>(),
        "things": rows.collect::<Vec<_>>(),
        "wouldBuild": report.would_build().map(|thing| &thing.derivation).collect::<Vec<_>>(),
        "fetch": report.fetch,
        "notEvaluated": wanted.refused,
    })
}

fn trouble(trouble: &Trouble) -> Value {
    json!({ "why": trouble.name(), "says": trouble.to_string() })
}

fn state(state: State) -> Value {
    match state {
        State::Holes(lacking) | State::Inputs(lacking) => json!({ "state": state.name(), "lacking": lacking }),
        _ => json!({ "state": state.name() }),
    }
}

const fn reason(lack: &Lack) -> &'static str {
    match lack {
        Lack::Missing => "missing",
        Lack::Untrusted(_) => "untrusted",
        Lack::NoArchive => "noArchive",
        Lack::Cut { .. } => "cut",
        Lack::Unreadable(_) => "unreadable",
    }
}
