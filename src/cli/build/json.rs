//! The result as JSON.

use serde_json::{Value, json};

use super::{
    FailedBuild, Fixes, Report,
    report::{Origin, Row},
};
use crate::{
    diagnosis::Cause,
    names::DOCS,
    repo::RepoPath,
    split::{mending::Mending, plan::Id},
};

/// Changes with the form of the document.
const VERSION: u8 = 1;

pub(super) fn render(report: &Report, fixes: &Fixes) -> Value {
    let others = report.others.iter().map(|other| {
        json!({
            "name": other.name,
            "kind": other.kind,
            "result": if other.failed { "failed" } else { "built" },
            "seconds": other.took.as_secs_f64(),
            "causes": other.causes,
        })
    });
    let fetched = report.fetched.iter().map(|(from, paths)| json!({ "from": from, "paths": paths }));
    let changes = fixes.changes.iter().map(|change| json!({ "line": change.line, "reason": change.reason }));
    json!({
        "version": VERSION,
        "system": report.system.name(),
        "built": report.is_built(),
        "packages": report.rows.iter().map(row).collect::<Vec<_>>(),
        "derivations": others.collect::<Vec<_>>(),
        "fetched": fetched.collect::<Vec<_>>(),
        "failures": report.failed.iter().map(failure).collect::<Vec<_>>(),
        "errors": report.errors,
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn row(row: &Row) -> Value {
    let result = match &row.origin {
        Origin::Unchanged => "unchanged",
        Origin::Built { .. } => "built",
        Origin::Fetched { .. } => "fetched",
        Origin::Failed => "failed",
        Origin::NotBuilt => "notBuilt",
    };
    let mut value = json!({
        "name": row.name,
        "workspace": row.workspace.as_ref().map(RepoPath::as_str),
        "derivation": row.derivation,
        "path": row.path,
        "link": row.link,
        "result": result,
    });
    match &row.origin {
        Origin::Built { took, machine } => {
            value["seconds"] = took.as_secs_f64().into();
            value["machine"] = if machine.is_empty() { Value::Null } else { machine.as_str().into() };
            value["causes"] = row.causes.clone().into();
        }
        Origin::Fetched { from } => value["from"] = from.as_str().into(),
        Origin::Failed => value["causes"] = row.causes.clone().into(),
        Origin::Unchanged | Origin::NotBuilt => {}
    }
    value
}

fn failure(build: &FailedBuild) -> Value {
    json!({
        "name": build.name,
        "kind": build.id.as_ref().map(Id::kind),
        "workspace": build.workspace.as_ref().map(RepoPath::as_str),
        "derivation": build.derivation,
        "log": build.log,
        "message": build.said.iter().chain(&build.own).collect::<Vec<_>>(),
        "causes": build.causes.iter().map(cause).collect::<Vec<_>>(),
    })
}

fn cause(cause: &Cause) -> Value {
    json!({
        "id": cause.id,
        "says": cause.says,
        "line": if cause.line.is_empty() { Value::Null } else { cause.line.as_str().into() },
        "hint": if cause.hint.is_empty() { Value::Null } else { cause.hint.as_str().into() },
        "page": format!("{DOCS}/troubleshooting.md#{}", cause.page),
        "settings": cause.mendings.iter().map(Mending::line).collect::<Vec<_>>(),
        "track": cause.track.iter().map(RepoPath::as_str).collect::<Vec<_>>(),
    })
}
