//! The derivations that each kind of edit changes.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use fs_err as fs;

use crate::support::{BUN_VERSIONS, NixMonorepo, stand_in::system, succeed};

type Derivations = BTreeMap<String, String>;

/// Returns the names of the derivations that differ.
fn changed(before: &Derivations, after: &Derivations) -> Vec<String> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

#[test]
fn e2e_a_source_edit_changes_only_the_apps_that_are_built_from_it() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let start = nix.derivations();
    assert_eq!(start.keys().collect::<Vec<_>>(), ["api", "deps", "nodeModules", "web"]);
    let mut before = start.clone();
    let edits: [(&str, &[&str]); 5] = [
        ("apps/api/src/index.ts", &["api"]),
        ("apps/web/src/index.ts", &["web"]),
        ("packages/ui/src/index.ts", &["web"]),
        ("packages/logger/src/index.ts", &["api", "web"]),
        ("tsconfig.json", &["api", "web"]),
    ];
    for (path, expected) in edits {
        nix.context().write(path, format!("{}\n", nix.context().read(path)));
        let after = nix.derivations();
        assert_eq!(changed(&before, &after), expected, "{path}");
        before = after;
    }
    nix.context().git(&["checkout", "--quiet", "."]);
    assert_eq!(nix.derivations(), start);
}

#[test]
fn e2e_an_edit_outside_the_sources_changes_nothing() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let start = nix.derivations();
    let unchanged = |what: &str| {
        context.git(&["add", "--all"]);
        assert_eq!(changed(&start, &nix.derivations()), [""; 0], "{what}");
    };
    context.write("README.md", "# acme\n");
    context.write("docs/guide.md", "guide\n");
    context.write("apps/web/README.md", "# the web\n");
    unchanged("documents");
    context.write("apps/web/src/index.test.ts", "// nothing\n");
    context.write("apps/web/src/__tests__/a.ts", "// nothing\n");
    unchanged("tests");
    context.write("other.nix", "{ }\n");
    context.write("apps/web/module.nix", "{ }\n");
    unchanged("files of Nix");
    context.write("tools/script.sh", "true\n");
    context.write(".github/workflows/ci.yml", "on: push\n");
    unchanged("files that belong to no workspace");
    context.make_executable("apps/web/README.md");
    unchanged("the mode of a file that is not a source");
    let manifest: serde_json::Value = serde_json::from_str(&context.read("package.json")).unwrap();
    let mut turned = serde_json::Map::new();
    for (key, value) in manifest.as_object().unwrap().iter().rev() {
        turned.insert(key.clone(), value.clone());
    }
    turned.insert("description".to_owned(), "the acme monorepo".into());
    turned["scripts"]["lint"] = "true".into();
    context.write("package.json", serde_json::to_string(&turned).unwrap());
    unchanged("scripts, description, order and layout of the root's manifest");
    succeed(&mut context.splitter(&["check"]));
}

#[test]
fn e2e_a_manifests_scripts_rebuild_its_app_and_no_dependency() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let before = nix.derivations();
    let mut manifest: serde_json::Value = serde_json::from_str(&context.read("apps/web/package.json")).unwrap();
    manifest["scripts"]["lint"] = "true".into();
    context.write("apps/web/package.json", manifest.to_string());
    assert_eq!(changed(&before, &nix.derivations()), ["web"]);
    succeed(&mut context.splitter(&["check"]));
}

#[test]
fn e2e_an_empty_folder_changes_nothing_where_there_is_no_git() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.remove(".git");
    let before = nix.derivations();
    for folder in ["empty", "apps/web/src/empty", "apps/empty", "packages/ui/a/b"] {
        fs::create_dir_all(context.repo().join(folder)).unwrap();
    }
    assert_eq!(changed(&before, &nix.derivations()), [""; 0]);
    context.write("apps/web/src/empty/new.ts", "export {};\n");
    assert_eq!(changed(&before, &nix.derivations()), ["web"]);
}

#[test]
fn e2e_scan_shows_the_sources_that_nix_copies() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    for path in [
        "apps/web/src/deep/er/file.ts",
        "apps/web/coverage/report.txt",
        "apps/web/src/coverage/kept.ts",
        "apps/web/test/a.ts",
        "apps/web/CHANGELOG.md",
        "apps/web/src/readme.md",
        "apps/web/.env.example",
        "apps/web/a b ü.ts",
        "apps/web/.next/cache",
        "packages/ui/dist/index.js",
        "packages/ui/docs/index.mdx",
        "packages/ui/x.stories.tsx",
        "packages/ui/x.module.nix",
        "packages/ui/extra/kept.test.ts",
    ] {
        context.write(path, path);
    }
    context.write(
        "splitter.json",
        r#"{ "workspaces": { "packages/ui": { "include": ["extra/**"] }, "apps/web": { "exclude": ["src/deep/**"] } } }"#,
    );
    std::os::unix::fs::symlink("index.ts", context.repo().join("apps/web/src/link.ts")).unwrap();
    context.git(&["add", "--all", "--force"]);
    context.git(&["rm", "--quiet", "--cached", "packages/ui/dist/index.js"]);
    succeed(&mut context.splitter(&["update-hash"]));
    let scan: serde_json::Value = serde_json::from_str(&succeed(&mut context.splitter(&["scan", "--json"]))).unwrap();
    for app in ["api", "web"] {
        let expected: Vec<String> = serde_json::from_value(scan["sourceSets"][app]["files"].clone()).unwrap();
        // The specification of a build contains the store paths of its sources.
        let spec = nix.eval(
            &format!("packages.{}.{app}.splitterSpec", system()),
            "spec: (builtins.fromJSON (builtins.unsafeDiscardStringContext spec)).sources",
        );
        // The sources are copied when Nix writes the derivation.
        nix.derivations();
        let mut found = Vec::new();
        for part in spec.as_array().unwrap() {
            files_below(part["source"].as_str().unwrap().as_ref(), part["path"].as_str().unwrap(), &mut found);
        }
        found.sort();
        assert_eq!(found, expected, "{app}");
    }
}

fn files_below(folder: &Utf8Path, prefix: &str, found: &mut Vec<String>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let path =
            if prefix.is_empty() { entry.file_name().to_owned() } else { format!("{prefix}/{}", entry.file_name()) };
        if entry.file_type().unwrap().is_dir() {
            files_below(entry.path(), &path, found);
        } else {
            found.push(path);
        }
    }
}
