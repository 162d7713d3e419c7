//! Whether others need a workspace's build: its manifest points them to what the build makes.
//!
//! A library that is imported from its sources may have a build script too (a preview, a bundle for publishing), which
//! no app waits for. Only the manifest is asked, not the disk: what a developer built locally must not decide.

use serde_json::Value;

use crate::split::Manifest;

/// The fields of a manifest that say what others import or run.
const FIELDS: [&str; 8] = ["main", "module", "types", "typings", "browser", "exports", "bin", "svelte"];

/// Folders that by custom hold what a build made.
const BUILT: [&str; 8] = ["dist", "build", "lib", "out", "es", "esm", "cjs", ".output"];

/// The first entry point that a build makes: it lies in the build's output, or in a folder that is one by custom.
pub(crate) fn built(manifest: &Manifest, outputs: &[String]) -> Option<String> {
    let mut entries = Vec::new();
    for field in FIELDS {
        collect(manifest.json.get(field).unwrap_or(&Value::Null), &mut entries);
    }
    if entries.is_empty() {
        // Others import its files by their paths (`ui/dist/button`), and this says where they lie.
        collect(manifest.json.get("files").unwrap_or(&Value::Null), &mut entries);
    }
    entries.into_iter().find(|entry| is_built(entry, outputs)).map(str::to_owned)
}

fn collect<'v>(value: &'v Value, entries: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => entries.push(text),
        Value::Object(object) => object.values().for_each(|value| collect(value, entries)),
        Value::Array(array) => array.iter().for_each(|value| collect(value, entries)),
        _ => {}
    }
}

fn is_built(entry: &str, outputs: &[String]) -> bool {
    let entry = entry.trim_start_matches("./");
    let below = |folder: &str| entry.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    outputs.iter().any(|output| below(output)) || BUILT.iter().any(|folder| below(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str) -> Option<String> {
        built(&Manifest::parse("package.json", manifest).unwrap(), &["generated".to_owned()])
    }

    #[test]
    fn entry_points_tell_sources_from_what_is_built() {
        assert_eq!(
            found(r#"{"exports": {".": {"types": "./src/i.ts", "default": "./dist/i.js"}}}"#).as_deref(),
            Some("./dist/i.js")
        );
        assert_eq!(found(r#"{"main": "generated/client.js"}"#).as_deref(), Some("generated/client.js"));
        assert_eq!(found(r#"{"bin": {"x": "build/cli.js"}}"#).as_deref(), Some("build/cli.js"));
        assert_eq!(
            found(r#"{"exports": {".": "./src/index.ts", "./*": "./src/*.tsx"}, "types": "./src/index.ts"}"#),
            None
        );
        assert_eq!(found(r#"{"main": "distribution.js"}"#), None);
        assert_eq!(found(r#"{"files": ["README.md", "dist/*"]}"#).as_deref(), Some("dist/*"));
        assert_eq!(found(r#"{"main": "src/i.ts", "files": ["dist"]}"#), None);
        assert_eq!(found("{}"), None);
    }
}
