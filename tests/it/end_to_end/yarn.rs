//! A Yarn repository from its first build on: running apps, edits, a stale record. One repository for all of it, because
//! each has its own store to fill.

use std::collections::BTreeMap;

use fs_err as fs;
use serde_json::Value;

use crate::support::{
    NixMonorepo, Package, Project as _, Registry, YARN_VERSIONS, YarnMonorepo, fail, stand_in::system, succeed,
};

pub(super) type Yarn = NixMonorepo<YarnMonorepo>;

pub(super) const RECORD: &str = "nix/splitter/splitter.lock.json";

fn lives(version: &str) {
    let Some(nix) = Yarn::with_yarn(version) else { return };
    builds_and_runs(&nix);
    hashes_are_those_of_nix(&nix);
    source_edits_change_apps_alone(&nix);
    a_lock_edit_needs_new_hashes(&nix);
}

fn builds_and_runs(nix: &Yarn) {
    let said = nix.build_command("nodeModules").output().unwrap().stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    let skipped = "1 package has install scripts that were not run: untrusted@1.0.0; if a build needs one, name it in";
    assert!(said.contains(skipped), "{said}");
    let tree = nix.build("nodeModules");
    let binaries = succeed(nix.context().command("find").args([tree.as_str(), "-path", "*/@native/*/bin/native"]));
    let this = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    assert!(!binaries.is_empty());
    assert!(binaries.lines().all(|path| path.contains(&format!("/@native/{this}-"))), "{binaries}");
    assert!(tree.join("node_modules/trusted/built.txt").is_file(), "the trusted script ran");
    assert!(tree.join("node_modules/untrusted/index.js").is_file());
    assert!(!tree.join("node_modules/untrusted/built.txt").exists(), "no other did");
    let api = nix.build("api");
    assert_eq!(output_of(nix, "api"), "[colour@1.2.0, old-library@0.1.0] api: native@2.0.0");
    assert_eq!(fs::read_to_string(api.join("tool.txt")).unwrap(), "tool 5.0.1\n");
    let store = tree.parent().unwrap();
    let stamp = fs::read_to_string(api.join("stamp.txt")).unwrap();
    assert!(stamp.starts_with(&format!("stamped api by #!{store}/")), "{stamp}");
    assert_eq!(
        output_of(nix, "web"),
        "[colour@1.2.0, old-library@0.1.0] web: plugin@1.0.0, aliased@1.5.0: @scope/util@3.1.0, \
         release-candidate@1.0.0-rc.2"
    );
    succeed(&mut nix.context().splitter(&["check"]));
    assert_eq!(nix.context().git(&["status", "--porcelain"]), "", "a build changes nothing in the repository");
}

/// Runs an app with Node, and returns its output.
pub(super) fn output_of(nix: &Yarn, app: &str) -> String {
    let built = nix.build(app);
    succeed(nix.context().command("node").arg(built.join("index.js")))
}

fn hashes_are_those_of_nix(nix: &Yarn) {
    let record: Value = serde_json::from_str(&nix.context().read(RECORD)).unwrap();
    let deps = nix.build("deps");
    for part in ["common".to_owned(), system()] {
        let recorded = &record["deps"][&part];
        let name = format!("deps-{part}-{}", recorded["fingerprint"].as_str().unwrap());
        let mut entries = deps.read_dir_utf8().unwrap().map(Result::unwrap);
        let output = entries.find(|entry| entry.path().as_str().contains(&name));
        let output = output.unwrap_or_else(|| panic!("{name} is not in {deps}")).path().canonicalize_utf8().unwrap();
        let hash = succeed(&mut nix.nix.command(nix.context(), &["hash", "path", output.as_str()]));
        assert_eq!(recorded["hash"], hash, "{part}");
    }
}

/// Returns the names of the derivations that differ.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    before.keys().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

fn source_edits_change_apps_alone(nix: &Yarn) {
    let context = nix.context();
    let mut before = nix.derivations();
    let edits: [(&str, &[&str]); 5] = [
        ("apps/api/src/index.js", &["api"]),
        ("packages/ui/src/index.js", &["web"]),
        ("packages/logger/src/index.js", &["api", "web"]),
        ("tsconfig.json", &["api", "web"]),
        ("apps/web/README.md", &[]),
    ];
    for (path, expected) in edits {
        context.write(path, format!("{}\n", context.read(path)));
        let after = nix.derivations();
        assert_eq!(changed(&before, &after), expected, "{path}");
        before = after;
    }
    nix.monorepo.context.edit_manifest("package.json", |manifest| manifest["description"] = "the acme monorepo".into());
    assert_eq!(changed(&before, &nix.derivations()), [""; 0], "the description of the root");
    context.git(&["checkout", "--quiet", "."]);
}

fn a_lock_edit_needs_new_hashes(nix: &Yarn) {
    let context = nix.context();
    let registry = &nix.monorepo.registry;
    registry.publish(Package::new("newcomer", "1.0.0"));
    nix.monorepo.add("apps/api", "newcomer@1.0.0");
    let source = context.read("apps/api/src/index.js");
    context.write("apps/api/src/index.js", format!("{source}log(require(\"newcomer\"));\n"));
    let said = fail(&mut context.splitter(&["check"]));
    assert!(said.contains("+ newcomer 1.0.0"), "{said}");
    let said = fail(&mut nix.build_command("api"));
    assert!(said.contains("newcomer@1.0.0") && said.contains("run `splitter update-hash`"), "{said}");
    registry.take_requests();
    succeed(&mut context.splitter(&["update-hash"]));
    assert_eq!(registry.take_requests(), ["GET /newcomer/-/newcomer-1.0.0.tgz"]);
    let printed = output_of(nix, "api");
    assert!(printed.ends_with("newcomer@1.0.0"), "{printed}");
    succeed(&mut context.splitter(&["check"]));
}

#[test]
fn e2e_yarn_1_from_the_first_build_to_a_new_dependency() {
    lives(YARN_VERSIONS[0]);
}

#[test]
fn e2e_yarn_3_from_the_first_build_to_a_new_dependency() {
    lives(YARN_VERSIONS[1]);
}

#[test]
fn e2e_yarn_4_from_the_first_build_to_a_new_dependency() {
    lives(YARN_VERSIONS[2]);
}

/// With Plug'n'Play, only packages with scripts to run have a folder, and Yarn does not read `splitter.json`.
#[test]
fn e2e_yarn_4_runs_scripts_that_splitter_json_names_with_plug_n_play() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "pnp", |monorepo| {
        monorepo.context.write("splitter.json", "{ \"scripts\": [\"untrusted@1.0.0\"] }\n");
        monorepo.context.edit_manifest("package.json", |manifest| {
            manifest["dependenciesMeta"]["trusted"]["built"] = false.into();
        });
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let tree = nix.build("nodeModules");
    let built = succeed(nix.context().command("find").args([tree.as_str(), "-name", "built.txt"]));
    assert_eq!(built.lines().count(), 1, "{built}");
    assert!(built.ends_with("/node_modules/untrusted/built.txt"), "{built}");
}

/// Messages about a script that downloads: when it is skipped, when it fails, and the setting that makes it succeed.
#[test]
fn e2e_yarn_1_names_the_remedy_for_a_script_that_downloads() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[0], "", |monorepo| {
        // Outside of Nix builds, NIX_BUILD_TOP is not set.
        let download = "test -z \"$NIX_BUILD_TOP\" || test \"$CYPRESS_INSTALL_BINARY\" = 0";
        for package in [
            Package::new("cypress", "13.0.0").script("postinstall", download),
            Package::new("sharp", "0.32.6").script("install", "test -z \"$NIX_BUILD_TOP\" || test -n \"$WITH_VIPS\""),
            Package::new("esbuild", "0.25.0").script("postinstall", "true"),
        ] {
            let (name, version) = (package.manifest()["name"].clone(), package.manifest()["version"].clone());
            monorepo.registry.publish(package);
            monorepo.context.edit_manifest("package.json", |manifest| {
                manifest["devDependencies"][name.as_str().unwrap()] = version;
            });
        }
        monorepo.context.write("splitter.json", "{ \"scripts\": [\"cypress\"] }\n");
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let said = nix.build_command("nodeModules").output().unwrap();
    assert!(said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.contains("3 packages have install scripts that were not run: sharp@0.32.6, trusted@1.0.0, "),
        "{said}"
    );
    assert!(said.contains("if you need sharp: add pkg-config and vips to `scriptInputs`"), "{said}");
    nix.context().write("splitter.json", "{ \"scripts\": [\"sharp\"] }\n");
    succeed(&mut nix.context().splitter(&["update-hash"]));
    let said = fail(&mut nix.build_command("nodeModules"));
    assert!(said.contains("the install script of sharp@0.32.6 failed"), "{said}");
    assert!(said.contains("hint: for sharp, add pkg-config and vips to `scriptInputs`"), "{said}");
    let flake = nix.context().read("flake.nix");
    let root = "root = ./.;";
    assert!(flake.contains(root), "{flake}");
    nix.context().write("flake.nix", flake.replace(root, &format!("{root} scriptEnv.WITH_VIPS = \"1\";")));
    nix.build("nodeModules");
}

/// An app that depends on Metro gets copies of packages, the other app gets links.
#[test]
fn e2e_yarn_4_copies_packages_into_the_app_that_needs_it() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        monorepo.registry.publish(Package::new("expo", "53.0.0"));
        monorepo
            .context
            .edit_manifest("apps/api/package.json", |manifest| manifest["dependencies"]["expo"] = "53.0.0".into());
        for app in ["api", "web"] {
            monorepo.context.edit_manifest(&format!("apps/{app}/package.json"), |manifest| {
                let build = manifest["scripts"]["build"].as_str().unwrap();
                let kind = "test -L ../../node_modules/colour && echo link > dist/kind || echo folder > dist/kind";
                manifest["scripts"]["build"] = format!("{build} && {kind}").into();
            });
        }
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let said = succeed(&mut nix.context().splitter(&["scan"]));
    assert!(
        said.contains(
            "node_modules is copied into the build of apps/api (slower, larger), because it depends on expo: Metro"
        ),
        "{said}"
    );
    let kind = |app: &str| fs::read_to_string(nix.build(app).join("kind")).unwrap();
    assert_eq!((kind("api").trim(), kind("web").trim()), ("folder", "link"));
    assert_eq!(output_of(&nix, "api"), "[colour@1.2.0, old-library@0.1.0] api: native@2.0.0");
    nix.context().write("splitter.json", "{ \"workspaces\": { \"apps/api\": { \"nodeModules\": \"link\" } } }\n");
    let said = fail(&mut nix.context().splitter(&["check"]));
    assert!(said.contains("workspace `apps/api` changed: `nodeModules` (`copy` -> `link`)"), "{said}");
}

/// A scope that only another registry has.
fn builds_with_a_scoped_registry(version: &str) {
    let scoped = Registry::start([Package::new("@private/part", "1.0.0")]);
    let url = scoped.url();
    let monorepo = YarnMonorepo::with_linker(version, "node-modules", |monorepo| {
        let context = &monorepo.context;
        if monorepo.is_classic() {
            context.write(".npmrc", format!("@private:registry={url}\n"));
        } else {
            let settings = context.read(".yarnrc.yml");
            let scope = format!("npmScopes:\n  private:\n    npmRegistryServer: {url:?}\n");
            context.write(".yarnrc.yml", settings + &scope);
        }
        monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
            manifest["dependencies"]["@private/part"] = "^1.0.0".into();
        });
        context.write("apps/api/src/index.js", "console.log(require(\"@private/part\"));\n");
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    assert_eq!(output_of(&nix, "api"), "@private/part@1.0.0");
}

#[test]
fn e2e_yarn_1_builds_with_a_scoped_registry() {
    builds_with_a_scoped_registry(YARN_VERSIONS[0]);
}

#[test]
fn e2e_yarn_4_builds_with_a_scoped_registry() {
    builds_with_a_scoped_registry(YARN_VERSIONS[2]);
}
