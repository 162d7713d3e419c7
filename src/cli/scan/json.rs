//! `scan --json`. `version` changes when a field is removed or changes its meaning.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Scan, parts, scopes};
use crate::{
    repo::RepoPath,
    split::{
        Split,
        config::NodeModules,
        sources::LeftOut,
        workspaces::graph::{Role, Workspace},
    },
};

/// The version of this format.
const VERSION: u32 = 2;

/// Returns the report. Each source set is created while it is written, because together they can be many times larger than
/// the repository.
pub(super) fn report<'a>(scan: &'a Scan<'a>) -> impl Serialize {
    let split = scan.split;
    let mut fields: BTreeMap<&str, Field<'_>> = BTreeMap::new();
    let mut set = |name, value: Value| fields.insert(name, Field::Value(value));
    set("version", json!(VERSION));
    set("root", json!(scan.tree.root()));
    set(
        "packageManager",
        json!({
            "name": split.pin.manager.name,
            "version": split.pin.manager.version,
            "source": split.pin.source,
            "lockfileVersion": split.lockfile.format.version(),
        }),
    );
    set("nodejs", json!(split.nodejs));
    set("systems", json!(split.systems));
    set("packages", json!({ "total": split.dependencies.len(), "parts": scopes(split), "shards": shards(split) }));
    set("lockSet", json!(split.lock_set.files));
    set("local", json!(split.lock_set.local));
    set("rootFiles", json!(split.root_files));
    set("submodules", json!(split.submodules.needed));
    set("workspaces", split.graph.workspaces().map(|found| workspace(found, split)).collect());
    set("traced", scan.traced.iter().map(|(name, mark)| (name.clone(), mark.json())).collect());
    set("drift", json!(split.drift));
    set("warnings", json!(split.warnings));
    let sets =
        |built: Vec<(&'a str, &'a Workspace)>| Field::Sets(SourceSets { scan, built: built.into_iter().collect() });
    fields.insert("sourceSets", sets(scan.apps.clone()));
    fields.insert("librarySourceSets", sets(split.graph.libraries().collect()));
    fields
}

#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Value(Value),
    Sets(SourceSets<'a>),
}

/// Source sets of apps or libraries, by name.
struct SourceSets<'a> {
    scan: &'a Scan<'a>,
    built: BTreeMap<&'a str, &'a Workspace>,
}

impl Serialize for SourceSets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let split = self.scan.split;
        serializer.collect_map(self.built.iter().map(|(name, built)| {
            let workspaces = split.graph.closure(&built.path);
            let set = self.scan.sources.of(&built.path, &workspaces);
            (name, SetReport { bytes: set.bytes, files: set.files, left_out: set.left_out, workspaces })
        }))
    }
}

/// A source set. Its fields are sorted, as everywhere in the report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetReport {
    bytes: u64,
    files: Vec<RepoPath>,
    left_out: BTreeMap<String, LeftOut>,
    workspaces: BTreeSet<RepoPath>,
}

fn shards(split: &Split) -> BTreeMap<String, usize> {
    parts(split).into_iter().map(|(part, packages)| (part.to_string(), packages)).collect()
}

fn workspace(workspace: &Workspace, split: &Split) -> Value {
    let (kind, app, product) = match &workspace.role {
        Role::App { name, product } => ("app", Some(name), Some(product)),
        Role::Library => ("library", None, None),
    };
    json!({
        "path": workspace.path,
        "name": workspace.name,
        "kind": kind,
        "reason": workspace.reason,
        "buildNotUsed": workspace.leaves_build,
        "tasksNotRun": workspace.tasks_not_run,
        "app": app,
        "library": workspace.library,
        "dependencies": workspace.dependencies,
        "cycle": workspace.cycle,
        "rootFiles": workspace.root_files,
        "found": workspace.reasons,
        "linkTargets": workspace.link_targets,
        "build": workspace.build.as_ref().map(|build| json!({
            "command": build.command,
            "tool": build.tool.map(crate::split::workspaces::detect::Tool::name),
            "outputs": build.outputs,
            "optionalOutputs": build.optional,
            "guessed": build.is_guess,
        })),
        "product": app.zip(product).map(|(name, product)| json!({
            "purpose": product.purpose,
            "keeps": product.keeps,
            "programs": product.programs_of(name),
            "runtime": product.runtime,
            "files": product.files,
            "serves": product.serves(),
        })),
        "missingEntry": workspace.missing_entry,
        "notRun": workspace.not_run,
        "rootScripts": workspace.root_scripts,
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
