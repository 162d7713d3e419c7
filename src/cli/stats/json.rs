//! The summary as JSON. Times are in milliseconds, sizes in bytes.

use serde_json::{Value, json};

use crate::history::{
    Times,
    summary::{BuildRow, ProductRow, Sizes, Summary},
};

/// Changes with the form of the document.
const VERSION: u8 = 1;

pub(super) fn render(summary: &Summary) -> Value {
    let causes = summary
        .causes
        .iter()
        .map(|row| json!({ "cause": row.cause, "builds": row.builds, "took": row.took, "names": row.names }));
    let caches = summary.caches.iter().map(
        |row| json!({ "from": row.from, "paths": row.paths, "downloaded": row.downloaded, "unpacked": row.unpacked }),
    );
    let store = summary.store.iter().map(|(at, store)| json!({ "at": at, "store": store }));
    let layers =
        summary.layers.iter().map(|row| json!({ "image": row.image, "layer": row.layer, "sizes": sizes(&row.sizes) }));
    json!({
        "version": VERSION,
        "runs": summary.runs,
        "failedRuns": summary.failed_runs,
        "first": summary.span.map(|(first, _)| first),
        "last": summary.span.map(|(_, last)| last),
        "took": times(&summary.took),
        "evaluation": times(&summary.evaluation),
        "waited": summary.waited.sum(),
        "substituted": summary.substituted,
        "built": summary.built,
        "cacheHits": summary.hit_rate(),
        "downloaded": summary.downloaded,
        "packages": summary.products.iter().map(product).collect::<Vec<_>>(),
        "builds": summary.builds.iter().map(build).collect::<Vec<_>>(),
        "layers": layers.collect::<Vec<_>>(),
        "causes": causes.collect::<Vec<_>>(),
        "caches": caches.collect::<Vec<_>>(),
        "store": store.collect::<Vec<_>>(),
    })
}

fn times(times: &Times) -> Value {
    json!({
        "count": times.len(),
        "median": times.median(),
        "longest": times.longest(),
        "latest": times.latest(),
        "sum": times.sum(),
        "trend": times.trend(),
    })
}

fn product(row: &ProductRow) -> Value {
    json!({
        "name": row.name,
        "built": row.built,
        "fetched": row.fetched,
        "unchanged": row.unchanged,
        "failed": row.failed,
        "closures": sizes(&row.closures),
    })
}

fn sizes(sizes: &Sizes) -> Vec<Value> {
    sizes.iter().map(|(commit, size)| json!({ "commit": commit, "size": size })).collect()
}

fn build(row: &BuildRow) -> Value {
    json!({ "name": row.name, "kind": row.kind, "failed": row.failed, "times": times(&row.times) })
}
