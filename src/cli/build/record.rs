//! What a run of Nix adds to the history of builds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

use super::{
    Course, Report, Why,
    report::{Origin, Row},
};
use crate::{
    cli::recorder::milliseconds,
    history::{self, Build, Fetched, Product, Run},
    nix::command::Nix,
};

/// Adds what Nix did.
pub(super) fn of_course(mut run: Run, course: &Course, why: &Why) -> Run {
    let build = |build: &super::course::Build| Build {
        name: build.name.clone(),
        kind: build.id.as_ref().map(|id| id.kind().to_owned()),
        machine: build.machine.clone(),
        took: milliseconds(build.took.unwrap_or_default()),
        failed: build.failed,
        causes: build.id.as_ref().map(|id| why.causes(id)).unwrap_or_default(),
    };
    run.builds = course.ended.iter().filter(|build| !build.stopped).map(build).collect();
    let fetched = |(from, paths): (&String, &BTreeSet<String>)| {
        let received = course.transfers.received(from);
        Fetched {
            from: without_secrets(from),
            paths: paths.len() as u64,
            downloaded: received.downloaded,
            unpacked: received.unpacked,
        }
    };
    run.fetched = course.fetched.iter().map(fetched).collect();
    run.downloaded = course.transfers.received("").downloaded;
    run.waited = milliseconds(course.transfers.waited());
    run
}

/// Adds what became of the packages, and asks Nix for the sizes of those that are in the store.
pub(super) fn of_report(mut run: Run, report: &Report, evaluation: Duration, nix: &Nix) -> Run {
    let paths: Vec<&str> = report.built().map(|row| row.path.as_str()).collect();
    let sizes = if paths.is_empty() { None } else { nix.closure_sizes(&paths).ok() };
    let sizes = sizes.as_ref().map(closure_sizes).unwrap_or_default();
    let product = |row: &Row| Product {
        name: row.name.clone(),
        origin: origin(&row.origin),
        closure: row.path.file_name().and_then(|name| sizes.get(name)).copied(),
    };
    run.products = report.rows.iter().map(product).collect();
    run.is_success = report.is_built();
    run.evaluation = milliseconds(evaluation);
    run
}

fn origin(origin: &Origin) -> history::Origin {
    match origin {
        Origin::Unchanged => history::Origin::Unchanged,
        Origin::Built { .. } => history::Origin::Built,
        Origin::Fetched { .. } => history::Origin::Fetched,
        Origin::Failed | Origin::NotBuilt => history::Origin::Failed,
    }
}

/// The address of a cache may have a password.
fn without_secrets(address: &str) -> String {
    url::Url::parse(address).map_or_else(
        |_| address.to_owned(),
        |mut url| {
            // Neither can fail for an address that has them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string().trim_end_matches('/').to_owned()
        },
    )
}

/// Reads `closureSize` of `nix path-info --json`, in all forms, by base name.
fn closure_sizes(value: &Value) -> BTreeMap<String, u64> {
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let size = |entry: &Value| entry["closureSize"].as_u64();
    match value.get("info").unwrap_or(value) {
        Value::Array(entries) => {
            entries.iter().filter_map(|entry| Some((base(entry["path"].as_str()?), size(entry)?))).collect()
        }
        Value::Object(entries) => entries.iter().filter_map(|(path, entry)| Some((base(path), size(entry)?))).collect(),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_of_all_forms_are_read() {
        let expected = BTreeMap::from([("a-x".to_owned(), 7)]);
        for value in [
            json!([{ "path": "/nix/store/a-x", "closureSize": 7 }, { "path": "/nix/store/b", "valid": false }]),
            json!({ "/nix/store/a-x": { "closureSize": 7 }, "/nix/store/b": null }),
            json!({ "version": 2, "info": { "a-x": { "closureSize": 7 } } }),
        ] {
            assert_eq!(closure_sizes(&value), expected);
        }
        assert!(closure_sizes(&json!("no")).is_empty());
    }

    #[test]
    fn a_password_of_a_cache_is_not_kept() {
        assert_eq!(without_secrets("https://me:secret@cache.example/x?token=1"), "https://cache.example/x");
        assert_eq!(without_secrets("https://cache.example"), "https://cache.example");
        assert_eq!(without_secrets("file:///srv/cache"), "file:///srv/cache");
    }
}
