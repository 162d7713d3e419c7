//! `trace --json`. `version` changes when a field is removed or changes its meaning.

use serde_json::{Value, json};

use crate::{
    proof::trace::{Gap, Outside, Report, Traced},
    split::{mending::Mending, plan::Id},
};

/// The version of this format.
const VERSION: u32 = 1;

pub(in crate::cli) fn render(report: &Report, changes: &[String]) -> Value {
    json!({
        "version": VERSION,
        "system": report.system.name(),
        "full": report.is_full,
        "complete": report.is_complete(),
        "builds": report.builds.iter().map(build).collect::<Vec<_>>(),
        "notTraced": report.blocked.iter().map(blocked).collect::<Vec<_>>(),
        "missing": report.missing(),
        "changes": changes,
    })
}

/// Formats a build.
fn build(traced: &Traced) -> Value {
    let Traced { id, workspace, note, full, judgement } = traced;
    let is_failed = traced.is_failed() || full.as_ref().is_some_and(|full| full.exit != 0);
    let log = if traced.is_failed() { Some(note) } else { full.as_ref() };
    json!({
        "name": id.package(),
        "kind": id.kind(),
        "workspace": workspace,
        "command": note.command,
        "exitCode": note.exit,
        "seconds": note.seconds,
        "fullExitCode": full.as_ref().map(|full| full.exit),
        "fullSeconds": full.as_ref().map(|full| full.seconds),
        "log": log.filter(|_| is_failed).map(|note| &note.log),
        "sourceFiles": judgement.sources,
        "readFiles": judgement.read.len(),
        "missing": judgement.missing.iter().map(gap).collect::<Vec<_>>(),
        "mayBeMissing": judgement.may_be_missing.iter().map(gap).collect::<Vec<_>>(),
        "outside": judgement.outside.iter().map(outside).collect::<Vec<_>>(),
        "unread": judgement.unread,
    })
}

fn blocked((id, library): (&Id, &Id)) -> Value {
    json!({ "name": id.package(), "kind": id.kind(), "failed": library.package() })
}

fn gap(Gap { path, sign, reason }: &Gap) -> Value {
    json!({
        "path": path,
        "sign": sign.name(),
        "reason": reason.text(),
        "setting": reason.mending().map(Mending::line),
    })
}

fn outside(Outside { path, is_root_file, read, of, is_alone }: &Outside) -> Value {
    json!({ "path": path, "isRootFile": is_root_file, "readFiles": read, "files": of, "onlyReader": is_alone })
}
