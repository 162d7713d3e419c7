//! Whether others need a workspace's build: its manifest points them to what the build makes.
//!
//! A library that is imported from its sources may have a build script too (a preview, a bundle for publishing), which
//! no app waits for. Only the manifest is asked, not the disk: what a developer built locally must not decide.

use serde_json::Value;

use crate::{
    repo::{RepoPath, Tree},
    split::{Manifest, SplitError},
};

/// The fields of a manifest that say what others import or run.
const FIELDS: [&str; 8] = ["main", "module", "types", "typings", "browser", "exports", "bin", "svelte"];

/// Endings that an entry point may leave out or stand for.
const ENDINGS: [&str; 9] = ["js", "ts", "tsx", "mjs", "cjs", "mts", "cts", "jsx", "json"];

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

/// Whether a manifest names anything to import or to run.
pub(crate) fn has_any(manifest: &Manifest) -> bool {
    FIELDS.iter().any(|field| manifest.json.get(*field).is_some())
}

/// The first entry point for programs that git does not have. Either a build makes it in place, or nothing does.
pub(crate) fn missing(tree: &dyn Tree, folder: &RepoPath, manifest: &Manifest) -> Result<Option<String>, SplitError> {
    let field = |name: &str| manifest.json.get(name).unwrap_or(&Value::Null);
    let mut entries = Vec::new();
    // If there are `exports`, others find nothing through the older fields.
    let of_imports: &[&str] = if field("exports").is_null() { &["main", "module"] } else { &["exports"] };
    for name in of_imports.iter().chain(&["bin"]) {
        collect_programs(field(name), &mut entries);
    }
    for entry in entries {
        if is_missing(tree, folder, entry)? {
            return Ok(Some(entry.to_owned()));
        }
    }
    Ok(None)
}

/// The folder of the first missing entry point, if git has nothing there or it is one of a build by custom. Only a build makes it.
pub(crate) fn missing_folder(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
) -> Result<Option<String>, SplitError> {
    let Some(entry) = missing(tree, folder, manifest)? else { return Ok(None) };
    let Some((first, _)) = entry.trim_start_matches("./").split_once('/') else { return Ok(None) };
    let is_built = BUILT.contains(&first) || (first != ".." && tree.list(&folder.child(first))?.is_empty());
    Ok(is_built.then(|| first.to_owned()))
}

/// Collects the entry points without those for a compiler alone.
fn collect_programs<'v>(value: &'v Value, entries: &mut Vec<&'v str>) {
    match value {
        Value::Object(object) => {
            let programs = object.iter().filter(|(condition, _)| condition.as_str() != "types");
            programs.for_each(|(_, value)| collect_programs(value, entries));
        }
        other => collect(other, entries),
    }
}

/// Whether no file of git is meant by an entry point. Endings may be left out, and runtimes take TypeScript for JavaScript.
fn is_missing(tree: &dyn Tree, folder: &RepoPath, entry: &str) -> Result<bool, SplitError> {
    let Ok(path) = folder.resolve(entry) else { return Ok(false) };
    if entry.contains('*') || entry.is_empty() || path == *folder || path.below(folder).is_none() {
        return Ok(false);
    }
    let name = path.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let endings = ENDINGS.iter().flat_map(|ending| [format!("{name}.{ending}"), format!("{stem}.{ending}")]);
    let beside = std::iter::once(name.to_owned()).chain(endings).map(|name| path.parent().child(&name));
    let inside = ENDINGS.iter().map(|ending| path.child(&format!("index.{ending}")));
    for candidate in beside.chain(inside) {
        if tree.is_file(&candidate)? && !tree.is_ignored(&candidate)? {
            return Ok(false);
        }
    }
    Ok(true)
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
    use crate::repo::MemoryTree;

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

    #[test]
    fn entry_points_that_git_lacks_are_found() {
        let lacks = |manifest: &str, files: &[&str]| {
            let tree = MemoryTree::new(files.iter().map(|path| (*path, "")));
            let manifest = Manifest::parse("package.json", manifest).unwrap();
            missing(&tree, &"config".parse().unwrap(), &manifest).unwrap()
        };
        assert_eq!(lacks(r#"{"main": "config.js"}"#, &["config/make.js"]).as_deref(), Some("config.js"));
        assert_eq!(lacks(r#"{"main": "./config"}"#, &["config/config.cjs"]), None);
        assert_eq!(lacks(r#"{"main": "index.js"}"#, &["config/index.ts"]), None);
        assert_eq!(lacks(r#"{"main": "src"}"#, &["config/src/index.tsx"]), None);
        assert_eq!(lacks(r#"{"main": "index.js", "exports": {".": "./a.ts"}}"#, &["config/a.ts"]), None);
        let exports = r#"{"exports": {".": {"types": "./gone.d.ts", "default": "./a.ts"}, "./x/*": "./x/*.js", "./b": "./b.json"}}"#;
        assert_eq!(lacks(exports, &["config/a.ts"]).as_deref(), Some("./b.json"));
        assert_eq!(lacks(exports, &["config/a.ts", "config/b.json"]), None);
        assert_eq!(lacks(r#"{"bin": {"x": "../y.js"}, "main": "."}"#, &[]), None);
        assert_eq!(lacks("{}", &[]), None);
    }
}
