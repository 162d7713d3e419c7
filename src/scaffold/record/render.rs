//! Renders a record: one field a line, and one entry a line in lists and maps.

use serde::Serialize;

use super::Record;

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
    if !record.submodules.is_empty() {
        fields.push(("submodules", json(&record.submodules)));
    }
    fields.push(("source", json(&record.source)));
    let lines: Vec<_> = fields.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
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
    let lines: Vec<_> = fields.iter().map(|(name, value)| format!("    \"{name}\": {value}")).collect();
    format!("{{\n{}\n  }}", lines.join(",\n"))
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
