//! `splitter verify` and `explain --nix` with a real Nix: splitter's model and the derivations agree.

use std::{collections::BTreeMap, process::Command};

use fs_err as fs;
use serde_json::Value;

use super::{checks::with_checks, libraries::with_built_libraries, patch_package::patched_monorepo, yarn::Yarn};
use crate::support::{
    BUN_VERSIONS, NixMonorepo, Project, YARN_VERSIONS, YarnMonorepo, fail, stand_in::INPUTS, succeed,
};

/// The packages of the monorepos.
const PACKAGES: [&str; 4] = ["api", "deps", "nodeModules", "web"];

/// Returns a splitter command with the test's Nix, and with the stand-ins as inputs of the flake.
pub(crate) fn splitter<P: Project>(nix: &NixMonorepo<P>, args: &[&str]) -> Command {
    let mut command = nix.context().splitter(args);
    command.env("SPLITTER_NIX", &nix.nix.program).envs(nix.nix.environment(nix.context())).arg("--");
    let flake = nix.context().read("flake.nix");
    for input in INPUTS.into_iter().filter(|input| flake.contains(input)) {
        let folder = nix.context().folder("stand-in").join(input);
        command.args(["--override-input", input, &format!("path:{folder}")]);
    }
    command
}

/// Returns the packages that each edit of a report rebuilds, by the edit's name and path.
pub(super) fn rebuilds(report: &Value) -> BTreeMap<String, String> {
    let edit = |row: &Value| {
        let packages = row["packages"].as_object().unwrap().iter();
        let rebuilt = packages.filter(|(_, cell)| cell["changed"] == true).map(|(name, _)| name.as_str());
        let name = format!("{} {}", row["edit"].as_str().unwrap(), row["path"].as_str().unwrap());
        (name, rebuilt.collect::<Vec<_>>().join(" "))
    };
    report["edits"].as_array().unwrap().iter().map(edit).collect()
}

/// Runs `verify`, which must find no surprise, and returns the packages that each edit rebuilds.
fn proved<P: Project>(nix: &NixMonorepo<P>, packages: &[&str]) -> BTreeMap<String, String> {
    let report: Value = serde_json::from_str(&succeed(&mut splitter(nix, &["verify", "--json"]))).unwrap();
    assert_eq!(report["surprises"], 0, "{report:#}");
    assert_eq!(report["packages"], serde_json::json!(packages));
    rebuilds(&report)
}

#[test]
fn e2e_verify_proves_the_split_of_a_bun_monorepo() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let edits = proved(&nix, &PACKAGES);
    for (name, expected) in [
        ("a README README.md", ""),
        ("source of an app apps/web/src/index.ts", "web"),
        ("source of a library packages/logger/src/index.ts", "api web"),
        ("source of a library packages/ui/src/index.ts", "web"),
        ("a test apps/api/splitter-verify.test.ts", ""),
        ("scripts package.json", ""),
        ("version apps/api/package.json", "api nodeModules web"),
        ("an empty folder splitter-verify", ""),
        ("a root file tsconfig.json", "api web"),
        ("comment in an rc file .npmrc", ""),
        ("formatting of the lockfile bun.lock", "api nodeModules web"),
        ("a locked package bun.lock", "api deps nodeModules web"),
    ] {
        assert_eq!(edits.get(name).map(String::as_str), Some(expected), "{name}: {edits:#?}");
    }
    // A rule that is missing in Nix is found.
    let context = nix.context();
    let filter = context.read("nix/splitter/source-filter.json").replace("\"readme\", ", "");
    context.write("nix/splitter/source-filter.json", filter);
    let output = fail(&mut splitter(&nix, &["verify"]));
    assert!(output.starts_with("exit: 1\n"), "{output}");
    let line = "api: expected kept, found rebuilt after the edit of apps/api/README.md (a README)";
    assert!(output.contains(line) && output.contains("1 unexpected result"), "{output}");
    // The exit code stays the same if the text cannot be written.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(splitter(&nix, &["verify"]).stdout(full).status().unwrap().code(), Some(1));
}

#[test]
fn e2e_verify_proves_libraries_with_builds_of_their_own() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    let context = nix.context();
    context.write("tsconfig.base.json", "{}\n");
    context.write("packages/ui/tsconfig.json", r#"{ "extends": "../../tsconfig.base.json" }"#);
    context.write("splitter.json", r#"{ "workspaces": { "packages/ui": { "exposes": "output" } } }"#);
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let packages = ["api", "deps", "library-logger", "library-stamp", "library-ui", "nodeModules", "web"];
    let edits = proved(&nix, &packages);
    for (name, expected) in [
        ("source of an app apps/web/src/index.ts", "web"),
        ("source of a library packages/ui/src/index.ts", "library-ui web"),
        ("source of a library packages/logger/src/index.ts", "api library-logger library-ui web"),
        ("source of a library packages/stamp/bin.js", "api library-stamp"),
        // Only the tsconfig.json of packages/ui extends it. `web` does not see that file, but its output.
        ("a root file tsconfig.base.json", "library-ui web"),
        ("a locked package bun.lock", "api deps library-logger library-stamp library-ui nodeModules web"),
    ] {
        assert_eq!(edits.get(name).map(String::as_str), Some(expected), "{name}: {edits:#?}");
    }
}

#[test]
fn e2e_verify_proves_an_install_of_one_app() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    nix.context().write("splitter.json", r#"{ "workspaces": { "apps/web": { "install": "production" } } }"#);
    succeed(&mut nix.context().splitter(&["update-hash"]));
    nix.context().git(&["add", "--all"]);
    let edits = proved(&nix, &["api", "deps", "nodeModules", "nodeModules-web", "web"]);
    for (name, expected) in [
        ("a README README.md", ""),
        ("source of an app apps/web/src/index.ts", "web"),
        ("scripts package.json", ""),
        ("version apps/api/package.json", "api nodeModules nodeModules-web web"),
        ("a locked package bun.lock", "api deps nodeModules nodeModules-web web"),
    ] {
        assert_eq!(edits.get(name).map(String::as_str), Some(expected), "{name}: {edits:#?}");
    }
}

/// Links `api` to a folder that is not a workspace.
fn add_link(monorepo: &YarnMonorepo) {
    let context = &monorepo.context;
    context.write("lib/linked/package.json", r#"{ "name": "linked", "version": "1.0.0" }"#);
    context.write("lib/linked/index.js", "module.exports = \"linked\";\n");
    monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
        manifest["dependencies"]["linked"] = "link:../../lib/linked".into();
    });
}

#[test]
fn e2e_verify_proves_the_split_of_yarn_monorepos() {
    for version in [YARN_VERSIONS[0], YARN_VERSIONS[2]] {
        let is_classic = version == YARN_VERSIONS[0];
        let monorepo = if is_classic {
            patched_monorepo(add_link)
        } else {
            YarnMonorepo::with_linker(version, "node-modules", add_link)
        };
        let Some(nix) = monorepo.and_then(Yarn::of) else { return };
        let edits = proved(&nix, &PACKAGES);
        let patched = edits.get("a patch of patch-package tools/patches/native+2.0.0.patch").map(String::as_str);
        assert_eq!(patched, is_classic.then_some("api nodeModules web"), "{edits:#?}");
        for (name, expected) in [
            ("a README apps/api/README.md", ""),
            ("source of a library packages/ui/src/index.js", "web"),
            ("source of a linked folder lib/linked/index.js", "api"),
            ("formatting of the lockfile yarn.lock", "api nodeModules web"),
            ("a locked package yarn.lock", "api deps nodeModules web"),
        ] {
            assert_eq!(edits.get(name).map(String::as_str), Some(expected), "{version}: {name}: {edits:#?}");
        }
    }
}

#[test]
fn e2e_verify_proves_which_checks_run_again() {
    let Some(nix) = with_checks() else { return };
    nix.context().commit_all("checks");
    let edits = proved(&nix, &["api", "api-test", "deps", "nodeModules", "web", "web-test"]);
    for (name, expected) in [
        ("a README README.md", ""),
        ("a test apps/api/splitter-verify.test.ts", "api-test"),
        ("source of an app apps/web/src/index.ts", "web web-test"),
        ("source of a library packages/ui/src/index.ts", "web web-test"),
    ] {
        assert_eq!(edits.get(name).map(String::as_str), Some(expected), "{name}: {edits:#?}");
    }
}

#[test]
fn e2e_explain_says_what_nix_does() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("packages/ui/src/index.ts", format!("{}\n", context.read("packages/ui/src/index.ts")));
    // Only Nix can tell what this edit changes.
    context.write("nix/splitter/package.nix", format!("{}# a comment\n", context.read("nix/splitter/package.nix")));
    let report: Value = serde_json::from_str(&succeed(&mut splitter(&nix, &["explain", "--nix", "--json"]))).unwrap();
    let effects: Vec<_> = report["derivations"].as_array().unwrap().iter().collect();
    let effect = |name: &str| effects.iter().find(|found| found["name"] == name).unwrap()["effect"].clone();
    assert_eq!(effect("web"), "rebuilt");
    assert_eq!(effect("api"), "unsure");
    assert_eq!(effect("nodeModules"), "kept");
    // The report names the derivations of the real flake.
    let derivations = nix.derivations();
    for (name, confirmed) in report["nix"].as_object().unwrap() {
        assert_eq!(confirmed["after"].as_str(), derivations.get(name).map(String::as_str), "{name}");
        assert_eq!(confirmed["agrees"], true);
        assert_eq!(confirmed["before"] != confirmed["after"], name == "web", "{name}");
    }
    context.commit_all("edited");
    context.write("splitter.json", r#"{ "scripts": ["native"] }"#);
    succeed(&mut context.splitter(&["update-hash", "--quiet"]));
    let report: Value = serde_json::from_str(&succeed(&mut splitter(&nix, &["explain", "--nix", "--json"]))).unwrap();
    for (name, confirmed) in report["nix"].as_object().unwrap() {
        assert_eq!(confirmed["before"] != confirmed["after"], name != "deps", "{name}: {report:#}");
    }
}

/// `verify` edits manifests in copies of the repository, which contain its symbolic links.
#[test]
fn e2e_verify_writes_through_no_link() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let (repo, outside) = (nix.context().repo(), nix.context().folder("outside"));
    fs::create_dir(&outside).unwrap();
    fs::rename(repo.join("apps/api"), outside.join("api")).unwrap();
    fs::os::unix::fs::symlink(outside.join("api"), repo.join("apps/api")).unwrap();
    // Workspace patterns do not follow symbolic links, but names do.
    nix.context().edit_manifest("package.json", |manifest| {
        manifest["workspaces"]["packages"].as_array_mut().unwrap().push("apps/api".into());
    });
    nix.context().commit_all("a link");
    let manifest = fs::read_to_string(outside.join("api/package.json")).unwrap();
    // A record from before the link does not help either.
    let commands = [splitter(&nix, &["verify"]), nix.context().splitter(&["update-hash"])];
    for mut command in commands {
        let output = fail(&mut command);
        assert_eq!(fs::read_to_string(outside.join("api/package.json")).unwrap(), manifest);
        assert!(output.contains("`apps/api` is a link out of the repository"), "{output}");
    }
}
