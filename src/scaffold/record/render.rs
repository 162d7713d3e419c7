//! Renders a record: one field a line, and one entry a line in lists and maps.

use serde::Serialize;

use super::Record;
use crate::split::development::Plan;

pub(super) fn render(record: &Record) -> String {
    let mut fields = vec![
        ("formatVersion", json(&record.format_version)),
        ("generator", json(&record.generator)),
        ("packageManager", manager(record)),
        ("registry", json(&record.registry)),
    ];
    if !record.replaces.is_empty() {
        fields.push(("replaces", json(&record.replaces)));
    }
    fields.extend([
        ("systems", json(&record.systems)),
        ("lockSet", map(&record.lock_set, "  ")),
        ("deps", map(&record.deps, "  ")),
        ("dependencies", list(&record.dependencies)),
        ("workspaces", list(&record.workspaces)),
    ]);
    if record.default.is_some() {
        fields.push(("default", json(&record.default)));
    }
    fields.extend([("local", json(&record.local)), ("rootFiles", json(&record.root_files))]);
    if !record.unsatisfied.is_empty() {
        fields.push(("unsatisfied", map(&record.unsatisfied, "  ")));
    }
    if record.nodejs.is_some() {
        fields.push(("nodejs", json(&record.nodejs)));
    }
    if !record.environment_files.is_empty() {
        fields.push(("environmentFiles", json(&record.environment_files)));
    }
    if !record.scripts.is_empty() {
        fields.push(("scripts", json(&record.scripts)));
    }
    if !record.downloads.is_empty() {
        fields.push(("downloads", json(&record.downloads)));
    }
    if let Some(plan) = &record.development {
        fields.push(("development", development(plan)));
    }
    if !record.submodules.is_empty() {
        fields.push(("submodules", json(&record.submodules)));
    }
    fields.push(("source", json(&record.source)));
    format!("{}\n", object(&fields, ""))
}

/// Renders a value on one line. Values of a record always serialise, because the keys of their maps are strings.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn manager(record: &Record) -> String {
    let manager = &record.package_manager;
    let mut fields = vec![("name", json(&manager.manager.name)), ("version", json(&manager.manager.version))];
    fields.extend(manager.manager.file.iter().map(|file| ("file", json(file))));
    fields.push(("tarballs", map(&manager.tarballs, "    ")));
    object(&fields, "  ")
}

/// A process a line.
fn development(plan: &Plan) -> String {
    let file = &plan.process_compose;
    let file = [
        ("version", json(&file.version)),
        ("is_strict", json(&file.is_strict)),
        ("disable_env_expansion", json(&file.disable_env_expansion)),
        ("ordered_shutdown", json(&file.ordered_shutdown)),
        ("shell", json(&file.shell)),
        ("processes", map(&file.processes, "      ")),
    ];
    let mut fields = vec![("packages", json(&plan.packages)), ("ports", json(&plan.ports))];
    if !plan.not_as_root.is_empty() {
        fields.push(("notAsRoot", json(&plan.not_as_root)));
    }
    fields.push(("given", json(&plan.given)));
    fields.push(("own", json(&plan.own)));
    fields.push(("processCompose", object(&file, "    ")));
    object(&fields, "  ")
}

fn object(fields: &[(&str, String)], indent: &str) -> String {
    let lines: Vec<_> = fields.iter().map(|(name, value)| format!("{indent}  \"{name}\": {value}")).collect();
    format!("{{\n{}\n{indent}}}", lines.join(",\n"))
}

fn map<'a, K: Serialize + 'a, V: Serialize + 'a>(
    entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    indent: &str,
) -> String {
    let lines: Vec<_> =
        entries.into_iter().map(|(key, value)| format!("{indent}  {}: {}", json(key), json(value))).collect();
    if lines.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n{indent}}}", lines.join(",\n")) }
}

fn list(entries: &[impl Serialize]) -> String {
    let lines: Vec<_> = entries.iter().map(|entry| format!("    {}", json(entry))).collect();
    if lines.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", lines.join(",\n")) }
}
