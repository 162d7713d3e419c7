//! Libraries with a build have their own derivations: which of them an edit rebuilds, how their outputs reach their
//! dependents, and when an unchanged output stops a rebuild.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Value, json};

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages, stand_in::system,
    succeed,
};

/// Adds builds to the libraries of the monorepo. `logger` and `ui`, which depends on it, become bundles. The build of
/// `stamp` creates its command, and changes an existing file.
pub(super) fn with_built_libraries(nix: &NixMonorepo) {
    let context = nix.context();
    for (library, output) in [("logger", "dist"), ("ui", "made/lib")] {
        context.edit_manifest(&format!("packages/{library}/package.json"), |manifest| {
            manifest["main"] = format!("./{output}/index.js").into();
            let build = format!("bun build src/index.ts --outdir {output} --target node --external '@acme/*'");
            manifest["scripts"] = json!({ "build": build });
        });
    }
    context.edit_manifest("packages/stamp/package.json", |manifest| {
        manifest["bin"]["stamp"] = "./dist/bin.js".into();
        manifest["scripts"] = json!({ "build": "mkdir -p dist && cp bin.js dist/ && ln -s bin.js dist/link.js && touch dist/run bin.js && chmod +x dist/run && echo built > state.txt" });
    });
    context.write("packages/stamp/state.txt", "not built\n");
    context.commit_all("libraries with builds");
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("splitter update-hash");
}

/// Returns the derivation of each check: apps, libraries, `nodeModules`.
fn derivations(nix: &NixMonorepo) -> BTreeMap<String, String> {
    let apply = "builtins.mapAttrs (_: package: package.drvPath)";
    serde_json::from_value(nix.eval(&format!("checks.{}", system()), apply)).unwrap()
}

fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    before.keys().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

#[test]
fn e2e_an_edit_of_a_library_builds_it_and_its_dependants_again_and_nothing_else() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    let context = nix.context();
    let mut before = derivations(&nix);
    let names = ["api", "library-logger", "library-stamp", "library-ui", "nodeModules", "web"];
    assert!(before.keys().eq(names), "{before:?}");
    let edits: [(&str, &[&str]); 4] = [
        ("apps/api/src/index.ts", &["api"]),
        ("packages/stamp/bin.js", &["api", "library-stamp"]),
        ("packages/ui/src/index.ts", &["library-ui", "web"]),
        ("packages/logger/src/index.ts", &["api", "library-logger", "library-ui", "web"]),
    ];
    for (path, expected) in edits {
        context.write(path, format!("{}\n", context.read(path)));
        let after = derivations(&nix);
        assert_eq!(changed(&before, &after), expected, "{path}");
        before = after;
    }
}

#[test]
fn e2e_what_libraries_built_is_laid_over_the_sources_of_apps() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    let context = nix.context();
    context.edit_manifest("apps/api/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] =
            format!("{build} && cd ../../packages/stamp && cp -P state.txt dist/link.js dist/run ../../apps/api/dist/")
                .into();
    });
    // Sources that are root files as well, with a broken symbolic link.
    std::os::unix::fs::symlink("nowhere", context.repo().join("packages/stamp/link")).unwrap();
    context.write("splitter.json", "{ \"rootFiles\": [\"packages/stamp\"] }");
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let stamp = nix.build("libraries.stamp");
    let mut kept = Vec::new();
    files_below(&stamp, "", &mut kept);
    kept.sort();
    assert_eq!(
        kept,
        ["dist/bin.js", "dist/link.js", "dist/run", "state.txt"].map(|path| format!("packages/stamp/{path}")),
        "a file that was only touched is not kept"
    );
    assert!(nix.build("libraries.ui").join("packages/ui/made/lib/index.js").is_file());
    let api = nix.build("api");
    assert_eq!(fs::read_to_string(api.join("state.txt")).unwrap(), "built\n");
    for folder in [stamp.join("packages/stamp/dist"), api.clone()] {
        assert_eq!(folder.join("link.js").read_link_utf8().unwrap(), "bin.js");
        assert_ne!(fs::metadata(folder.join("run")).unwrap().permissions().mode() & 0o111, 0, "{folder}");
    }
    // The library's build created the command. In the app's build it is executable, and its interpreter is found.
    let store = api.parent().unwrap();
    let stamped = fs::read_to_string(api.join("stamp.txt")).unwrap();
    assert!(stamped.starts_with(&format!("stamped api by #!{store}/")), "{stamped}");
    let web = nix.build("web");
    let printed = succeed(context.command("node").arg(web.join("index.js")));
    assert!(printed.starts_with("[colour@1.2.0, old-library@0.1.0] web: cataloged@1.1.0"), "{printed}");
}

/// A library runs a command from a linked folder, which needs another library. An app links to the output of the library.
#[test]
fn e2e_a_library_has_the_folders_that_it_links_to_and_others_may_link_to_its_output() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let context = &monorepo.context;
        let brand =
            json!({ "name": "brand", "bin": "./bin/brand.js", "dependencies": { "@acme/logger": "workspace:*" } });
        context.write("lib/brand/package.json", brand.to_string());
        let command = "#!/usr/bin/env node\nrequire.resolve(\"../../../packages/logger/dist/index.js\");\nconsole.log(require(\"..\"));\n";
        context.write("lib/brand/bin/brand.js", command);
        context.write("lib/brand/index.js", "module.exports = \"branded\";\n");
        // Outputs of local builds are not committed.
        context.write("packages/stamp/dist/brand.txt", "old\n");
        context.edit_manifest("packages/stamp/package.json", |manifest| {
            manifest["dependencies"]["brand"] = "link:../../lib/brand".into();
        });
        context.edit_manifest("apps/api/package.json", |manifest| {
            manifest["dependencies"]["made"] = "link:../../packages/stamp/dist".into();
            let print = "process.stdout.write(fs.readFileSync(require.resolve('made/brand.txt')))";
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] = format!("{build} && node -e \"{print}\" > dist/brand.txt").into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    with_built_libraries(&nix);
    let context = nix.context();
    context.edit_manifest("packages/stamp/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] = format!("{build} && brand > dist/brand.txt").into();
    });
    let mut before = derivations(&nix);
    let edits: [(&str, &[&str]); 3] = [
        ("lib/brand/README.md", &[]),
        ("lib/brand/index.js", &["api", "library-stamp"]),
        ("packages/logger/src/index.ts", &["api", "library-logger", "library-stamp", "library-ui", "web"]),
    ];
    context.write("lib/brand/README.md", "# Brand\n");
    context.git(&["add", "--all"]);
    for (path, expected) in edits {
        context.write(path, format!("{}\n", context.read(path)));
        let after = derivations(&nix);
        assert_eq!(changed(&before, &after), expected, "{path}");
        before = after;
    }
    assert_eq!(fs::read_to_string(nix.build("api").join("brand.txt")).unwrap(), "branded\n");
}

/// Files that a build writes into packages reach apps that get copies of packages. Generated files reach the sources.
#[test]
fn e2e_what_libraries_generate_and_write_into_packages_reaches_apps() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.edit_manifest("packages/stamp/package.json", |manifest| {
        manifest["scripts"] = json!({ "build": "echo generated > ../../node_modules/tool/client.txt" });
    });
    context.edit_manifest("apps/api/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] =
            format!("{build} && cp ../../node_modules/tool/client.txt ../../packages/logger/src/generated.txt dist/")
                .into();
    });
    // The configuration of a task runner says that builds wait for generated files of libraries.
    context.edit_manifest("packages/logger/package.json", |manifest| {
        manifest["scripts"] = json!({ "generate": "echo generated > src/generated.txt" });
    });
    context.write("turbo.json", r#"{ "tasks": { "build": { "dependsOn": ["^generate"] } } }"#);
    let choices = json!({ "workspaces": {
        "packages/stamp": { "build": "bun run build", "nodeModules": "copy" }, "apps/api": { "nodeModules": "copy" },
    } });
    context.write("splitter.json", choices.to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let api = nix.build("api");
    for file in ["client.txt", "generated.txt"] {
        assert_eq!(fs::read_to_string(api.join(file)).unwrap(), "generated\n");
    }
}

fn files_below(root: &Utf8Path, folder: &str, found: &mut Vec<String>) {
    for entry in root.join(folder).read_dir_utf8().unwrap().map(Result::unwrap) {
        let path =
            if folder.is_empty() { entry.file_name().to_owned() } else { format!("{folder}/{}", entry.file_name()) };
        if entry.file_type().unwrap().is_dir() { files_below(root, &path, found) } else { found.push(path) }
    }
}

/// If other workspaces only see a library's output, an edit that leaves the output unchanged rebuilds nothing else.
#[test]
fn e2e_an_edit_that_leaves_a_content_addressed_library_unchanged_stops_there() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    let context = nix.context();
    let settings = context.folder("nix/conf/nix.conf");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("= nix-command flakes", "= nix-command flakes ca-derivations")).unwrap();
    let flake = context.read("flake.nix");
    let root = "root = ./.;";
    assert!(flake.contains(root));
    context.write("flake.nix", flake.replace(root, &format!("{root} contentAddressed = true;")));
    context.write("splitter.json", r#"{ "workspaces": { "packages/logger": { "exposes": "output" } } }"#);
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let run = || {
        let output = nix.build_command("web").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let ran = |workspace: &str| said.contains(&format!("splitter: building {workspace}:"));
        let built =
            ["packages/logger", "packages/ui", "apps/web"].into_iter().filter(|path| ran(path)).collect::<Vec<_>>();
        (String::from_utf8(output.stdout).unwrap(), built)
    };
    let (first, built) = run();
    assert_eq!(built, ["packages/logger", "packages/ui", "apps/web"]);
    let source = context.read("packages/logger/src/index.ts");
    context.write("packages/logger/src/index.ts", format!("// A comment.\n{source}"));
    let (second, built) = run();
    assert_eq!(built, ["packages/logger"]);
    assert_eq!(first, second);
    context.write("packages/logger/src/index.ts", source.replace('[', "<"));
    let (third, built) = run();
    assert_eq!(built, ["packages/logger", "packages/ui", "apps/web"]);
    assert_ne!(first, third);
}

/// An app can be a dependency of another app, and is still a package.
#[test]
fn e2e_an_app_is_built_for_another_one_that_uses_it() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let build = "bun run build && cp ../api/dist/index.js dist/api.js";
    let web = json!({ "uses": ["apps/api"], "build": build });
    context.write("splitter.json", json!({ "workspaces": { "apps/web": web } }).to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let (web, api) = (nix.build("web"), nix.build("api"));
    assert!(api.join("index.js").is_file());
    assert_eq!(fs::read(web.join("api.js")).unwrap(), fs::read(api.join("index.js")).unwrap());
    let before = derivations(&nix);
    context.write("apps/api/src/index.ts", format!("{}// edited\n", context.read("apps/api/src/index.ts")));
    assert_eq!(changed(&before, &derivations(&nix)), ["api", "web"]);
    context.git(&["checkout", "--", "apps/api"]);
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
}

/// Two libraries depend on each other, one of them for its tests. Both are built, one without the output of the other.
fn builds_a_ring(version: &str, linker: &str) {
    let monorepo = YarnMonorepo::with_linker(version, linker, |monorepo| {
        let classic = monorepo.is_classic();
        let range = |version: &str| if classic { version.to_owned() } else { "workspace:^".to_owned() };
        monorepo.context.edit_manifest("packages/logger/package.json", |manifest| {
            manifest["devDependencies"] = json!({ "@acme/ui": range("0.2.0") });
            manifest["main"] = "dist/index.js".into();
            manifest["scripts"] = json!({ "build": "mkdir dist && cp src/index.js dist/ && test ! -e ../ui/dist" });
        });
        monorepo.context.edit_manifest("packages/ui/package.json", |manifest| {
            manifest["main"] = "dist/index.js".into();
            manifest["scripts"] = json!({ "build": "mkdir dist && cp src/index.js dist/ && test -e ../logger/dist" });
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let scan: Value = serde_json::from_str(&succeed(&mut nix.context().splitter(&["scan", "--json"]))).unwrap();
    let cycles: Vec<_> =
        scan["workspaces"].as_array().unwrap().iter().map(|workspace| workspace["cycle"].clone()).collect();
    assert_eq!(cycles.iter().filter(|cycle| **cycle == json!(["packages/ui"])).count(), 1, "{cycles:?}");
    let web = nix.build("web");
    let printed = succeed(nix.context().command("node").arg(web.join("index.js")));
    assert!(printed.starts_with("[colour@1.2.0, old-library@0.1.0] web: plugin@1.0.0"), "{printed}");
}

#[test]
fn e2e_yarn_1_builds_libraries_that_depend_on_each_other() {
    builds_a_ring(YARN_VERSIONS[0], "");
}

#[test]
fn e2e_yarn_4_builds_libraries_that_depend_on_each_other_with_plug_n_play() {
    builds_a_ring(YARN_VERSIONS[2], "pnp");
}

#[test]
fn e2e_yarn_4_builds_libraries_that_depend_on_each_other_with_the_linker_pnpm() {
    builds_a_ring(YARN_VERSIONS[2], "pnpm");
}
