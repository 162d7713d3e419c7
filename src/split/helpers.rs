//! Workspaces whose compiled files import `tslib`, which their own manifest does not name. In a checkout the root's
//! development packages hide that. An install without development dependencies lacks the package.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Manifest, Split, SplitError,
    config::Install,
    sources::root_files::names_compiler,
    workspaces::{self, graph::Role},
};
use crate::{
    lockfile::{
        DependencyGroup,
        json::{Dialect, Document, to_serde},
    },
    repo::{EntryKind, RepoPath, Tree, read_parsed},
};

const PACKAGE: &str = "tslib";

/// The groups with which an install brings a package for production. Peers are the choice of another manifest.
const BROUGHT: [DependencyGroup; 3] = [DependencyGroup::Runtime, DependencyGroup::Optional, DependencyGroup::Peer];

/// Returns a warning for each workspace that a program needs at run time, that a compiler compiles with `importHelpers`, and that
/// does not depend on `tslib`.
pub fn warnings(split: &Split, tree: &dyn Tree) -> Result<Vec<String>, SplitError> {
    let root = split.manifests.get(&RepoPath::root());
    if root.is_some_and(|root| brings(root, &BROUGHT)) {
        return Ok(Vec::new());
    }
    let by_name = workspaces::by_name(&split.manifests);
    let is_named = |name: &str| by_name.get(name).map(|path| (*path).clone());
    let mut warnings = Vec::new();
    for path in needed_by_programs(split) {
        let Some(manifest) = split.manifests.get(path).filter(|manifest| !brings(manifest, &BROUGHT)) else { continue };
        if !compiles(manifest) {
            continue;
        }
        let Some(file) = file_with_helpers(path, tree, &is_named)? else { continue };
        let is_hidden = [Some(manifest), root].into_iter().flatten().any(|found| found.depends_on(PACKAGE));
        let lacks = if is_hidden { "only `devDependencies` name" } else { "no manifest asks for" };
        warnings.push(format!(
            "`importHelpers` in {file}: what is compiled in {path} may import `{PACKAGE}`, which {lacks}; add it to \
             `dependencies` in {}, or the package fails at run time",
            workspaces::manifest_path(path)
        ));
    }
    Ok(warnings)
}

fn brings(manifest: &Manifest, groups: &[DependencyGroup]) -> bool {
    let specifiers = groups.iter().filter_map(|group| manifest.dependencies.get(group));
    specifiers.into_iter().any(|specifiers| specifiers.contains_key(PACKAGE))
}

/// Returns the workspaces in the production installs of programs.
fn needed_by_programs(split: &Split) -> BTreeSet<&RepoPath> {
    let is_run =
        |role: &Role| matches!(role, Role::App { product, .. } if product.runtime == Some(Install::Production));
    let programs = split.graph.workspaces().filter(|workspace| is_run(&workspace.role));
    programs.flat_map(|workspace| split.graph.installed(&workspace.path, Install::Production)).collect()
}

/// Whether a build script runs a compiler that writes JavaScript.
fn compiles(manifest: &Manifest) -> bool {
    let is_build =
        |name: &str| ["build", "prebuild", "postbuild", "compile"].iter().any(|start| name.starts_with(start));
    let scripts = manifest.scripts.iter().filter(|(name, _)| is_build(name)).map(|(_, script)| script.as_str());
    scripts.into_iter().any(|script| {
        names_compiler(script) && !["--noEmit", "--emitDeclarationOnly"].iter().any(|option| script.contains(option))
    })
}

/// Returns the file that sets `importHelpers` for a configuration in the folder of a workspace.
fn file_with_helpers(
    workspace: &RepoPath,
    tree: &dyn Tree,
    by_name: &dyn Fn(&str) -> Option<RepoPath>,
) -> Result<Option<RepoPath>, SplitError> {
    for entry in tree.list(workspace)? {
        let is_one = entry.name.starts_with("tsconfig") && is_json(&entry.name);
        if entry.kind == EntryKind::Folder || !is_one {
            continue;
        }
        let path = workspace.child(&entry.name);
        let mut chain = Vec::new();
        read_chain(&path, tree, by_name, &mut chain)?;
        let option = |name: &str| {
            chain.iter().find_map(|(file, json)| Some((file, json.get("compilerOptions")?.get(name)?.as_bool()?)))
        };
        let writes = ["noEmit", "emitDeclarationOnly"].iter().all(|name| !option(name).is_some_and(|(_, value)| value));
        if let Some((file, true)) = option("importHelpers")
            && writes
        {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

fn is_json(name: &str) -> bool {
    camino::Utf8Path::new(name).extension() == Some("json")
}

/// Adds a configuration and those that it extends, the one that counts most first. Packages of registries are not read.
fn read_chain(
    path: &RepoPath,
    tree: &dyn Tree,
    by_name: &dyn Fn(&str) -> Option<RepoPath>,
    chain: &mut Vec<(RepoPath, Value)>,
) -> Result<(), SplitError> {
    let Some(json) = read(path, tree)?.filter(|_| chain.iter().all(|(known, _)| known != path)) else { return Ok(()) };
    let extended: Vec<String> = match json.get("extends") {
        Some(Value::Array(list)) => list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        Some(value) => value.as_str().map(str::to_owned).into_iter().collect(),
        None => Vec::new(),
    };
    chain.push((path.clone(), json));
    // The last one of a list counts most.
    for text in extended.iter().rev() {
        for target in targets(path, text, by_name) {
            read_chain(&target, tree, by_name, chain)?;
        }
    }
    Ok(())
}

/// Returns the files that an extended path may mean.
fn targets(from: &RepoPath, text: &str, by_name: &dyn Fn(&str) -> Option<RepoPath>) -> Vec<RepoPath> {
    let target = if text.starts_with('.') {
        from.parent().resolve(text).ok()
    } else {
        let names = text.splitn(if text.starts_with('@') { 3 } else { 2 }, '/').collect::<Vec<_>>();
        let of_name = if text.starts_with('@') { 2 } else { 1 }.min(names.len());
        let folder = by_name(&names[..of_name].join("/"));
        folder.and_then(|folder| folder.resolve(names.get(of_name).copied().unwrap_or("tsconfig.json")).ok())
    };
    let Some(target) = target else { return Vec::new() };
    if is_json(target.file_name()) {
        return vec![target];
    }
    vec![target.parent().child(&format!("{}.json", target.file_name())), target.child("tsconfig.json")]
}

/// Returns a configuration in JSON with comments. One with errors says nothing: its tool reports them.
fn read(path: &RepoPath, tree: &dyn Tree) -> Result<Option<Value>, SplitError> {
    let Some(text) = read_parsed(tree, path)? else { return Ok(None) };
    let Ok(document) = Document::parse(path.as_str(), &text, Dialect::Jsonc) else { return Ok(None) };
    Ok(document.object().ok().map(|root| to_serde(&jsonc_parser::ast::Value::Object(root.clone()))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{repo::MemoryTree, split::Choices};

    const ROOT: &str = r#"{ "name": "root", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"], "devDependencies": { "tslib": "2.8.1" } }"#;
    const LOCK: &str = r#"{ "lockfileVersion": 1, "workspaces": { "": { "name": "root" } }, "packages": {} }"#;
    const API: &str = r#"{ "name": "api", "scripts": { "build": "rm -rf dist && tsc -p tsconfig.build.json", "start": "node dist/main.js" }, "dependencies": { "lib": "workspace:*" } }"#;
    const WARNING: &str = "`importHelpers` in tsconfig.base.json: what is compiled in apps/api may import `tslib`, which only \
                           `devDependencies` name; add it to `dependencies` in apps/api/package.json, or the package fails at \
                           run time";

    /// Returns the warnings for an API that extends a configuration of the root, with some files changed.
    fn warnings_with(changed: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut files = BTreeMap::from([
            ("package.json", ROOT),
            ("bun.lock", LOCK),
            ("tsconfig.base.json", "{ \"compilerOptions\": { \"importHelpers\": true, /* a comment */ } }"),
            ("apps/api/package.json", API),
            (
                "apps/api/tsconfig.json",
                r#"{ "extends": "../../tsconfig.base", "compilerOptions": { "outDir": "dist" } }"#,
            ),
            ("apps/api/tsconfig.build.json", r#"{ "extends": "./tsconfig.json" }"#),
            ("apps/api/src/main.ts", ""),
            ("packages/lib/package.json", r#"{ "name": "lib", "main": "index.js" }"#),
            ("packages/lib/index.js", ""),
        ]);
        files.extend(changed.iter().copied());
        let tree = MemoryTree::new(files);
        let split = Split::read(&tree, &Choices::default()).unwrap();
        warnings(&split, &tree).unwrap()
    }

    #[test]
    fn helpers_of_the_roots_development_packages_are_named() {
        assert_eq!(warnings_with(&[]), [WARNING]);
        let nowhere = warnings_with(&[(
            "package.json",
            r#"{ "name": "root", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"] }"#,
        )]);
        assert!(nowhere[0].contains("may import `tslib`, which no manifest asks for; add it"), "{nowhere:?}");
    }

    #[test]
    fn a_dependency_of_its_own_or_of_the_root_is_enough() {
        let own = r#"{ "name": "api", "scripts": { "build": "tsc", "start": "node dist/main.js" }, "dependencies": { "tslib": "2.8.1" } }"#;
        assert_eq!(warnings_with(&[("apps/api/package.json", own)]), [""; 0]);
        let root = r#"{ "name": "root", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"], "dependencies": { "tslib": "2.8.1" } }"#;
        assert_eq!(warnings_with(&[("package.json", root)]), [""; 0]);
    }

    #[test]
    fn the_configuration_that_counts_decides() {
        let off = r#"{ "extends": ["../../tsconfig.base.json"], "compilerOptions": { "importHelpers": false } }"#;
        assert_eq!(warnings_with(&[("apps/api/tsconfig.json", off)]), [""; 0]);
        let no_output = r#"{ "extends": "../../tsconfig.base.json", "compilerOptions": { "noEmit": true } }"#;
        assert_eq!(warnings_with(&[("apps/api/tsconfig.json", no_output)]), [""; 0]);
        // A ring of configurations ends.
        let ring = r#"{ "extends": "./apps/api/tsconfig.json" }"#;
        assert_eq!(warnings_with(&[("tsconfig.base.json", ring)]), [""; 0]);
    }

    #[test]
    fn a_library_of_a_program_counts_and_one_that_is_bundled_does_not() {
        let lib = r#"{ "name": "lib", "main": "dist/index.js", "scripts": { "build": "SCRIPT" } }"#;
        let shared = [
            ("apps/api/tsconfig.json", "{}"),
            ("packages/lib/tsconfig.json", r#"{ "extends": "config/strict" }"#),
            ("packages/config/package.json", r#"{ "name": "config" }"#),
            ("packages/config/strict.json", r#"{ "compilerOptions": { "importHelpers": true } }"#),
        ];
        for (script, count) in [("tsc", 1), ("esbuild src/index.ts", 0), ("tsc --noEmit", 0)] {
            let text: &'static str = Box::leak(lib.replace("SCRIPT", script).into_boxed_str());
            let found = warnings_with(&[&shared[..], &[("packages/lib/package.json", text)]].concat());
            assert_eq!(found.len(), count, "{script}: {found:?}");
            assert!(
                found
                    .iter()
                    .all(|text| text.contains("in packages/config/strict.json: what is compiled in packages/lib"))
            );
        }
    }
}
