//! A scan for programs. `version` changes when a field changes its meaning or goes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BuildSources, Scan, parts, scopes};
use crate::split::{
    Split,
    config::NodeModules,
    graph::{Role, Workspace},
};

/// The version of this output.
const VERSION: u32 = 1;

pub(super) fn render(scan: &Scan) -> String {
    let split = &scan.split;
    let report = json!({
        "version": VERSION,
        "root": scan.tree.root(),
        "packageManager": {
            "name": split.pin.manager.name,
            "version": split.pin.manager.version,
            "source": split.pin.source,
            "lockfileVersion": split.lockfile.format.version(),
        },
        "systems": split.systems,
        "packages": { "total": split.dependencies.len(), "parts": scopes(split), "shards": shards(split) },
        "lockSet": split.lock_set.files,
        "local": split.lock_set.local,
        "rootFiles": split.root_files,
        "workspaces": split.graph.workspaces().map(|found| workspace(found, split)).collect::<Vec<_>>(),
        "sourceSets": source_sets(&scan.source_sets),
        "librarySourceSets": source_sets(&scan.library_sets),
        "drift": split.drift,
        "warnings": split.warnings,
    });
    // A report is texts, numbers and lists: it always serialises.
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

fn shards(split: &Split) -> BTreeMap<String, usize> {
    parts(split).into_iter().map(|(part, packages)| (part.to_string(), packages)).collect()
}

fn workspace(workspace: &Workspace, split: &Split) -> Value {
    let (kind, app, start) = match &workspace.role {
        Role::App { name, start } => ("app", Some(name), start.as_ref()),
        Role::Library => ("library", None, None),
    };
    json!({
        "path": workspace.path,
        "name": workspace.name,
        "kind": kind,
        "reason": workspace.reason,
        "app": app,
        "library": workspace.library,
        "dependencies": workspace.dependencies,
        "cycle": workspace.cycle,
        "rootFiles": workspace.root_files,
        "build": workspace.build.as_ref().map(|build| json!({
            "command": build.command,
            "tool": build.tool.map(crate::split::detect::Tool::name),
            "output": build.output,
        })),
        "start": start,
        "env": workspace.env,
        "nodeModules": app.or(workspace.library.as_ref()).map(|_| node_modules(workspace, split)),
        "install": app.map(|_| workspace.install),
        "exposes": workspace.library.as_ref().map(|_| workspace.exposes),
    })
}

fn node_modules(workspace: &Workspace, split: &Split) -> Value {
    let reason = split.copies.get(&workspace.path);
    let how = if reason.is_some() { NodeModules::Copy } else { NodeModules::Link };
    json!({ "how": how, "reason": reason })
}

fn source_sets(sets: &BTreeMap<String, BuildSources>) -> Value {
    let sets = sets.iter().map(|(name, sources)| {
        let set = &sources.set;
        let value = json!({
            "workspaces": sources.workspaces,
            "bytes": set.bytes,
            "files": set.files,
            "leftOut": set.left_out,
        });
        (name.clone(), value)
    });
    Value::Object(sets.collect())
}
