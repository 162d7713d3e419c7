//! Every kind of dependency that a package manager knows, in one repository per package manager. A build installs the same
//! files as a full checkout, and an app finds its imports. `docs/support.md` has a table of the kinds.

use fs_err as fs;
use serde_json::{Map, Value, json};

use super::{
    trees::{is_of_musl, is_the_same, is_the_same_but},
    yarn::{Yarn, output_of},
};
use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project, Registry, TestContext, YARN_VERSIONS, YarnMonorepo, fail,
    succeed,
};

/// A name of the maximum length for all package managers, which derive longer file names from it.
fn long_name() -> String {
    format!("long-{}", "n".repeat(170))
}

/// The hosts of tarball URLs. One redirects to the other.
struct Hosts<'a> {
    registry: &'a Registry,
    other: &'a Registry,
}

/// Adds the packages for these tests to both hosts.
fn publish(hosts: &Hosts<'_>) {
    let Hosts { registry, other } = hosts;
    let url = registry.url();
    let inner = Package::new("inner-at-url", "1.0.0");
    registry.serve("/files/inner.tgz", inner.tarball());
    registry.serve("/files/at-url.tgz", Package::new("at-url", "1.0.0").dependency("colour", "^0.9.0").tarball());
    registry.serve("/files/query.tgz?v=1", Package::new("query-one", "1.0.0").tarball());
    registry.serve("/files/query.tgz?v=2", Package::new("query-two", "2.0.0").tarball());
    registry.redirect("/moved/redirected.tgz", &format!("{}real/place.tgz", other.url()));
    other.serve("/real/place.tgz", Package::new("redirected", "1.0.0").tarball());
    for package in [
        Package::new("asks-for-url", "1.0.0").dependency("inner-at-url", &format!("{url}files/inner.tgz")),
        Package::new("both", "2.0.0"),
        Package::new("bundling", "1.0.0")
            .dependency("bundled", "^1.0.0")
            .dependency("colour", "^1.0.0")
            .field("bundledDependencies", json!(["bundled"]))
            .file("node_modules/bundled/package.json", r#"{ "name": "bundled", "version": "1.0.0", "main": "b.js" }"#)
            .file("node_modules/bundled/b.js", "module.exports = \"bundled inside\";\n")
            .file("index.js", "module.exports = `bundling ${require(\"bundled\")}`;\n"),
        Package::new("bundled", "1.0.0"),
        Package::new("CaseName", "1.0.0"),
        Package::new("casename", "2.0.0"),
        Package::new("extended", "1.0.0").file("index.js", "module.exports = `extended ${require(\"tool\")}`;\n"),
        Package::new("metadata", "1.0.0").field("version", json!("1.0.0+build.5")),
        Package::new("needs-peer", "1.0.0").peer("auto-peer", "^1.0.0"),
        Package::new("auto-peer", "1.3.0"),
        Package::new("selfish", "1.0.0").dependency("selfish", "^1.0.0"),
        Package::new("unbuildable", "1.0.0").script("install", "exit 1"),
        Package::new("deep", "1.0.0").dependency("pinned", "^1.0.0"),
        Package::new("pinned", "1.0.0"),
        Package::new("pinned", "1.5.0"),
        Package::new(&long_name(), "1.0.0"),
    ] {
        registry.publish(package);
    }
}

/// Writes a package into a folder of the repository.
fn folder(context: &TestContext, path: &str, manifest: &Value, index: &str) {
    context.write(&format!("{path}/package.json"), format!("{manifest:#}\n"));
    context.write(&format!("{path}/index.js"), format!("module.exports = {index};\n"));
}

/// Writes packages as tarballs and folders of the repository. They need no `main`, because `index.js` is the default.
fn write_local_packages(context: &TestContext) {
    context.write("vendor/packed.tgz", Package::new("packed", "1.0.0").dependency("colour", "^1.0.0").tarball());
    context.write("apps/api/vendor/packed.tgz", Package::new("own-packed", "2.0.0").tarball());
    let in_folder = json!({ "name": "in-folder", "version": "1.0.0", "dependencies": { "colour": "^0.9.0" } });
    folder(context, "apps/api/vendor/folder", &in_folder, "`in-folder ${require(\"colour\")}`");
    let root_folder =
        json!({ "name": "root-folder", "version": "1.0.0", "dependencies": { "inner-folder": "file:../inner" } });
    folder(context, "lib/folder", &root_folder, "`root-folder ${require(\"inner-folder\")}`");
    context.write("lib/folder/run.sh", "#!/bin/sh\n");
    context.make_executable("lib/folder/run.sh");
    context.write("lib/folder/tests/data.test.js", "// not left out of a package\n");
    folder(context, "lib/inner", &json!({ "name": "inner-folder", "version": "1.0.0" }), "\"inner-folder\"");
    context.write("apps/web/vendor/packed.tgz", Package::new("packed", "2.0.0").tarball());
    context.edit_manifest("apps/web/package.json", |manifest| {
        extend(manifest, "dependencies", &json!({ "packed": "file:./vendor/packed.tgz" }));
    });
    let nested = json!({ "name": "both", "version": "1.0.0", "dependencies": { "both": "1.0.0" } });
    folder(context, "packages/both", &nested, "\"both here\"");
    folder(
        context,
        "packages/both/inside/nested",
        &json!({ "name": "@acme/nested", "version": "0.1.0" }),
        "\"nested\"",
    );
}

/// Writes folders to link to: in the app, in the root, and in another workspace.
fn write_linked_folders(context: &TestContext) {
    folder(context, "apps/api/linked", &json!({ "name": "own-linked", "version": "1.0.0" }), "\"own linked\"");
    let linked = json!({ "name": "root-linked", "version": "1.0.0", "bin": "./bin/linked.js" });
    folder(context, "lib/linked", &linked, "`root linked, ${require(\"tool\")}`");
    context.write("lib/linked/bin/linked.js", "#!/usr/bin/env node\nconsole.log(\"linked command\");\n");
    context.make_executable("lib/linked/bin/linked.js");
    context.write("lib/bare/index.js", "module.exports = \"no manifest\";\n");
    folder(
        context,
        "packages/linked",
        &json!({ "name": "linked-workspace", "version": "0.5.0" }),
        "\"workspace linked\"",
    );
    context.write("packages/linked/part/index.js", "module.exports = \"part of a workspace\";\n");
}

/// Returns the dependencies of `api` on those folders.
fn links() -> Value {
    json!({
        "link-bare": "link:../../lib/bare",
        "link-own": "link:./linked",
        "link-part": "link:../../packages/linked/part",
        "link-root": "link:../../lib/linked",
        "link-workspace": "link:../../packages/linked",
    })
}

const LINKED_LINES: [&str; 5] = [
    "link-bare: no manifest",
    "link-own: own linked",
    "link-part: part of a workspace",
    "link-root: root linked, tool@5.0.1",
    "link-workspace: workspace linked",
];

/// Returns the dependencies of the app that every package manager supports.
fn common_dependencies(url: &str) -> Map<String, Value> {
    let long = long_name();
    let dependencies = json!({
        "@scope/util": "^3.0.0",
        "any": "npm:pinned@*",
        "asks-for-url": "^1.0.0",
        "at-url": format!("{url}files/at-url.tgz"),
        "both": "^2.0.0",
        "bundling": "^1.0.0",
        "CaseName": "^1.0.0",
        "casename": "^2.0.0",
        "colour": "beta",
        "deep": "",
        "host": "*",
        "in-folder": "file:./vendor/folder",
        "long": format!("npm:{long}@1.x"),
        long.as_str(): "1.0.0",
        "metadata": "^1.0.0",
        "needs-peer": "^1.0.0",
        "own-packed": "file:./vendor/packed.tgz",
        "query-one": format!("{url}files/query.tgz?v=1"),
        "query-two": format!("{url}files/query.tgz?v=2"),
        "redirected": format!("{url}moved/redirected.tgz"),
        "release-candidate": ">=1.0.0-rc.1 <2.0.0",
        "root-folder": "file:../../lib/folder",
        "file-workspace": "file:../../packages/linked",
        "scoped-alias": "npm:@scope/util@^3.0.0",
        "selfish": "^1.0.0",
        "tagged-alias": "npm:colour@beta",
        "@acme/nested": "0.1.0",
    });
    dependencies.as_object().cloned().unwrap()
}

fn extend(manifest: &mut Value, field: &str, more: &Value) {
    let field = manifest.as_object_mut().unwrap().entry(field).or_insert_with(|| json!({}));
    field.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
}

/// Returns the sources of an app that imports each of these names and prints the results.
fn printing(names: &[String]) -> String {
    let line = |name: &String| format!("console.log(\"{name}: \" + require(\"{name}\"));\n");
    names.iter().map(line).collect()
}

/// Returns the names of the dependencies in the manifest of `api`.
fn names_in(dependencies: &Map<String, Value>) -> Vec<String> {
    dependencies.keys().cloned().collect()
}

/// Returns the lines that the app must print for the common dependencies.
fn expected_lines() -> Vec<String> {
    let long = long_name();
    [
        "@acme/nested: nested",
        "@scope/util: @scope/util@3.1.0",
        "CaseName: CaseName@1.0.0",
        "any: pinned@1.5.0",
        "asks-for-url: asks-for-url@1.0.0",
        "at-url: at-url@1.0.0",
        "both: both@2.0.0",
        "bundling: bundling bundled inside",
        "casename: casename@2.0.0",
        "colour: colour@2.0.0-beta.1",
        "in-folder: in-folder colour@0.9.0",
        "own-packed: own-packed@2.0.0",
        "query-one: query-one@1.0.0",
        "query-two: query-two@2.0.0",
        "redirected: redirected@1.0.0",
        "file-workspace: workspace linked",
        "root-folder: root-folder inner-folder",
        "scoped-alias: @scope/util@3.1.0",
        "tagged-alias: colour@2.0.0-beta.1",
    ]
    .iter()
    .map(|line| (*line).to_owned())
    .chain([format!("long: {long}@1.0.0")])
    .collect()
}

#[track_caller]
fn prints(printed: &str, expected: impl IntoIterator<Item = impl AsRef<str>>) {
    for line in expected {
        assert!(printed.lines().any(|printed| printed == line.as_ref()), "no `{}` in\n{printed}", line.as_ref());
    }
}

/// The workspaces of the fixture. Some lie inside another workspace.
const WORKSPACES: [&str; 3] = ["apps/*", "packages/*", "packages/both/inside/*"];

fn of_yarn(version: &str, linker: &str, other: &Registry, edit: impl FnOnce(&YarnMonorepo)) -> Option<YarnMonorepo> {
    YarnMonorepo::with_linker(version, linker, |monorepo| {
        let context = &monorepo.context;
        publish(&Hosts { registry: &monorepo.registry, other });
        write_local_packages(context);
        write_linked_folders(context);
        context.write("splitter.json", "{}\n");
        monorepo.context.edit_manifest("package.json", |manifest| {
            manifest["workspaces"] = json!(WORKSPACES);
            manifest["dependenciesMeta"] = json!({ "both": { "injected": true } });
            extend(manifest, "dependencies", &json!({ "packed": "file:vendor/packed.tgz" }));
        });
        let mut dependencies = common_dependencies(&monorepo.registry.url());
        dependencies.extend(links().as_object().cloned().unwrap());
        monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
            extend(manifest, "optionalDependencies", &json!({ "unbuildable": "^1.0.0" }));
            extend(manifest, "dependencies", &Value::Object(dependencies.clone()));
        });
        context.write("apps/api/src/index.js", printing(&names_in(&dependencies)));
        edit(monorepo);
    })
}

/// Removes the integrity of the tarball at a URL from the lockfile, as older versions wrote it. Yarn 1 has a SHA-1 after
/// the URL, Bun 1.4 an integrity at the end of the entry.
fn forget_integrity(context: &TestContext, lockfile: &str, url: &str) {
    let is_it = |line: &str| line.contains(url) && (line.starts_with("  resolved ") || line.contains(": ["));
    let without = |line: &str| match (line.split_once('#'), line.split_once(", \"sha512-")) {
        (Some((resolved, _)), _) => format!("{resolved}\""),
        (_, Some((entry, _))) => format!("{entry}],"),
        _ => panic!("{line}"),
    };
    let text = context.read(lockfile);
    let lines = text.lines().map(|line| if is_it(line) { without(line) } else { line.to_owned() });
    let changed = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert_ne!(text, changed);
    context.write(lockfile, changed);
}

/// Runs the app's sources with Node in a full checkout, and returns the output.
fn printed_by_sources(nix: &Yarn) -> String {
    succeed(nix.context().command("node").arg("apps/api/src/index.js"))
}

#[test]
fn e2e_yarn_1_installs_every_kind() {
    let other = Registry::start([]);
    let monorepo = of_yarn(YARN_VERSIONS[0], "", &other, |monorepo| {
        monorepo.context.edit_manifest("package.json", |manifest| {
            manifest["resolutions"] =
                json!({ "deep/**/pinned": "1.0.0", "**/asks-for-url/inner-at-url": "file:./lib/instead" });
        });
        let inner = json!({ "name": "inner-at-url", "version": "3.0.0" });
        folder(&monorepo.context, "lib/instead", &inner, "\"inner\"");
        monorepo.context.edit_manifest("packages/ui/package.json", |manifest| {
            manifest["bundledDependencies"] = json!(["@scope/util"]);
        });
    });
    let Some(monorepo) = monorepo else { return };
    forget_integrity(&monorepo.context, "yarn.lock", "/files/query.tgz?v=2");
    let Some(nix) = Yarn::of(monorepo) else { return };
    succeed(&mut nix.context().splitter(&["check"]));
    let printed = output_of(&nix, "api");
    prints(&printed, expected_lines().iter().map(String::as_str).chain(LINKED_LINES));
    is_the_same_but(&nix, is_of_musl);
    assert_eq!(printed, printed_by_sources(&nix));
}

/// Changes a tarball that was recorded at first sight, checks that the build refuses it, and restores it.
fn is_refused_where_a_tarball_changed(nix: &Yarn) {
    let registry = &nix.monorepo.registry;
    registry.serve("/files/query.tgz?v=2", Package::new("query-two", "2.0.1").tarball());
    let said = fail(&mut nix.build_command("deps"));
    registry.serve("/files/query.tgz?v=2", Package::new("query-two", "2.0.0").tarball());
    assert!(
        said.contains("1 of ") && said.contains(" packages could not be downloaded, or do not match the lockfile:"),
        "{said}"
    );
    assert!(said.contains("/files/query.tgz-") && said.contains(": it has changed: expected sha512-"), "{said}");
    assert!(said.contains("if it has none, in splitter.lock.json, from the first download"), "{said}");
}

/// A generator script for an `exec:` dependency.
const GENERATOR: &str = "const fs = require(\"fs\");
const path = require(\"path\");
fs.writeFileSync(path.join(execEnv.buildDir, \"package.json\"), '{ \"name\": \"generated\", \"version\": \"1.0.0\" }');
fs.writeFileSync(path.join(execEnv.buildDir, \"index.js\"), 'module.exports = \"generated\";');
";

/// Yarn settings. Scripts are enabled because Yarn does not run `exec:` generators without.
const BERRY_SETTINGS: &str = "enableScripts: true
catalog:
  cataloged: ^1.0.0
packageExtensions:
  \"extended@*\":
    dependencies:
      tool: ^4.0.0
";

fn kinds_of_berry(monorepo: &YarnMonorepo) {
    let context = &monorepo.context;
    context.write(".yarnrc.yml", context.read(".yarnrc.yml") + BERRY_SETTINGS);
    context.write("apps/api/generate.js", GENERATOR);
    let portal = json!({
        "name": "portal", "version": "1.0.0", "bin": "./command.js",
        "dependencies": { "colour": "^0.9.0", "portal-to": "portal:../portal-to" }, "peerDependencies": { "host": "*" },
    });
    let index = "`portal ${require(\"colour\")} ${require(\"host\")} ${require(\"portal-to\")}`";
    folder(context, "lib/portal", &portal, index);
    context.write("lib/portal/command.js", "#!/usr/bin/env node\nconsole.log(\"command\");\n");
    context.make_executable("lib/portal/command.js");
    let to = json!({ "name": "portal-to", "version": "1.0.0", "dependencies": { "@acme/logger": "workspace:^" } });
    folder(context, "lib/portal-to", &to, "`to ${typeof require(\"@acme/logger\")}`");
    monorepo.context.edit_manifest("package.json", |manifest| {
        manifest["resolutions"] = json!({ "deep/pinned": "1.0.0", "host": "npm:^1.0.0" });
    });
    monorepo.context.edit_manifest("packages/ui/package.json", |manifest| {
        manifest["bundledDependencies"] = json!(["@scope/util"]);
    });
    monorepo.context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["dependencies"]["@acme/ui"] = "workspace:~".into();
    });
    let more = json!({
        "@acme/logger": "workspace:packages/logger",
        "cataloged": "catalog:",
        "extended": "^1.0.0",
        "generated": "exec:./generate.js",
        "portal": "portal:../../lib/portal",
    });
    monorepo.context.edit_manifest("apps/api/package.json", |manifest| extend(manifest, "dependencies", &more));
    add_to_build(context, "portal");
    let names: Vec<_> = more.as_object().unwrap().keys().filter(|name| !name.starts_with('@')).cloned().collect();
    context.write("apps/api/src/index.js", context.read("apps/api/src/index.js") + &printing(&names));
}

/// Adds a command to the build of `api`, and keeps its output in the package.
fn add_to_build(context: &TestContext, command: &str) {
    context.edit_manifest("apps/api/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] = format!("{build} && {command} > dist/command.txt").into();
    });
}

/// An edit in a folder that `api` links to changes `api` alone.
fn edits_of_links_change_the_app_alone<P: Project>(nix: &NixMonorepo<P>, folders: &[&str]) {
    let before = nix.derivations();
    for folder in folders {
        let file = format!("{folder}/index.js");
        nix.context().write(&file, nix.context().read(&file) + "\n");
    }
    let after = nix.derivations();
    let changed: Vec<_> = before.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, ["api"]);
    nix.context().git(&["checkout", "--quiet", "."]);
}

fn yarn_4_installs_every_kind(linker: &str) -> Option<Yarn> {
    let other = Registry::start([]);
    let nix = of_yarn(YARN_VERSIONS[2], linker, &other, kinds_of_berry).and_then(Yarn::of)?;
    succeed(&mut nix.context().splitter(&["check"]));
    is_refused_where_a_tarball_changed(&nix);
    let printed = output_of(&nix, "api");
    let expected = expected_lines();
    // Yarn 2 and later install bundled packages from the registry.
    let expected = expected.iter().map(String::as_str).filter(|line| !line.contains("bundled inside"));
    let own =
        ["portal: portal colour@0.9.0 host@1.4.0 to function", "generated: generated", "extended: extended tool@4.9.0"];
    prints(&printed, expected.chain(LINKED_LINES).chain(own));
    assert_eq!(fs::read_to_string(nix.build("api").join("command.txt")).unwrap(), "command\n");
    is_the_same(&nix);
    Some(nix)
}

#[test]
fn e2e_yarn_4_installs_every_kind() {
    let Some(nix) = yarn_4_installs_every_kind("node-modules") else { return };
    assert_eq!(output_of(&nix, "api"), printed_by_sources(&nix));
    edits_of_links_change_the_app_alone(&nix, &["lib/linked", "lib/portal-to", "lib/portal"]);
}

#[test]
fn e2e_yarn_4_installs_every_kind_with_plug_n_play() {
    yarn_4_installs_every_kind("pnp");
}

fn of_bun(other: &Registry, edit: impl FnOnce(&Monorepo)) -> Option<NixMonorepo> {
    let monorepo = Monorepo::with_bun_and_mirror(BUN_VERSIONS[2])?;
    let context = &monorepo.context;
    publish(&Hosts { registry: &monorepo.registry, other });
    write_local_packages(context);
    write_linked_folders(context);
    context.edit_manifest("package.json", |manifest| {
        manifest["workspaces"]["packages"] = json!(WORKSPACES);
        extend(manifest, "dependencies", &json!({ "packed": "file:vendor/packed.tgz" }));
    });
    let mut dependencies = common_dependencies(&monorepo.registry.url());
    dependencies.extend(links().as_object().cloned().unwrap());
    context.edit_manifest("apps/api/package.json", |manifest| {
        extend(manifest, "optionalDependencies", &json!({ "unbuildable": "^1.0.0" }));
        extend(manifest, "dependencies", &Value::Object(dependencies.clone()));
    });
    context.write("apps/api/src/index.ts", printing(&names_in(&dependencies)));
    edit(&monorepo);
    monorepo.name_registry();
    succeed(&mut monorepo.bun(&["install", "--lockfile-only"]));
    forget_integrity(context, "bun.lock", "/files/query.tgz?v=2");
    context.commit_all("every kind");
    NixMonorepo::of(monorepo)
}

fn kinds_of_bun(monorepo: &Monorepo) {
    let context = &monorepo.context;
    context.write(
        "patches/@scope+util.patch",
        "diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1 +1 @@\n\
         -module.exports = \"@scope/util@3.1.0\";\n+module.exports = \"scoped, patched\";\n",
    );
    context.edit_manifest("package.json", |manifest| {
        manifest["patchedDependencies"] = json!({ "@scope/util@3.1.0": "patches/@scope+util.patch" });
        manifest["dependenciesMeta"] = json!({ "both": { "injected": true } });
        manifest["overrides"] = json!({ "host": "npm:host@^1.0.0", "deep": { "pinned": "1.0.0" } });
    });
    context.edit_manifest("apps/api/package.json", |manifest| {
        extend(manifest, "optionalDependencies", &json!({ "nowhere": "^1.0.0" }));
        extend(manifest, "dependencies", &json!({ "workspace-alias": "workspace:linked-workspace@*" }));
    });
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["dependencies"]["@acme/ui"] = "workspace:~".into();
    });
    add_to_build(context, "link-root");
    context.edit_manifest("packages/ui/package.json", |manifest| {
        manifest["bundledDependencies"] = json!(["@scope/util"]);
    });
    let sources = context.read("apps/api/src/index.ts");
    context.write("apps/api/src/index.ts", sources + &printing(&["workspace-alias".to_owned()]));
}

#[test]
fn e2e_bun_1_4_installs_every_kind() {
    let other = Registry::start([]);
    let Some(nix) = of_bun(&other, kinds_of_bun) else { return };
    succeed(&mut nix.context().splitter(&["check"]));
    let api = nix.build("api");
    let printed = succeed(nix.context().command("node").arg(api.join("index.js")));
    let expected = expected_lines();
    // Bun's bundler confuses names that differ only by case. Which one it takes depends on the order of the folder.
    let expected = expected
        .iter()
        .map(String::as_str)
        .filter(|line| !line.to_lowercase().starts_with("casename") && !line.contains("@scope/util"));
    let own = ["@scope/util: scoped, patched", "scoped-alias: scoped, patched", "workspace-alias: workspace linked"];
    prints(&printed, expected.chain(LINKED_LINES).chain(own));
    let installed = nix.build("nodeModules").join("apps/api/node_modules");
    for (name, version) in [("CaseName", "1.0.0"), ("casename", "2.0.0")] {
        let manifest = fs::read_to_string(installed.join(name).join("package.json")).unwrap();
        assert!(manifest.contains(version), "{name}: {manifest}");
    }
    assert_eq!(fs::read_to_string(api.join("command.txt")).unwrap(), "linked command\n");
    is_the_same(&nix);
    edits_of_links_change_the_app_alone(&nix, &["lib/linked", "apps/api/linked"]);
}
