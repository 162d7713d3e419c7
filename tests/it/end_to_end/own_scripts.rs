//! Scripts of workspaces that an install runs in a checkout: they are named, and run in the builds that ask for them.

use fs_err as fs;
use serde_json::json;

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Project, Registry, YARN_VERSIONS, YarnMonorepo, fail, monorepo::packages,
    succeed,
};

/// The build of `api` needs what its `prepare` makes, and a package as the root's `postinstall` changes it.
fn write(monorepo: &impl Project) {
    let context = monorepo.context();
    let patch = "const fs = require('fs');\nfs.writeFileSync('node_modules/tool/patched.txt', fs.readFileSync('scripts/text.txt'));\n";
    context.write("scripts/patch.js", format!("{patch}// './text.txt'\n"));
    context.write("scripts/text.txt", "patched\n");
    context.edit_manifest("package.json", |manifest| {
        manifest["scripts"]["postinstall"] = "node scripts/patch.js".into();
        manifest["scripts"]["prepare"] = "husky || true".into();
    });
    context.edit_manifest("apps/api/package.json", |manifest| {
        manifest["scripts"]["prepare"] = "mkdir -p generated && echo generated > generated/a.txt".into();
        let build = manifest["scripts"]["build"].as_str().unwrap();
        let copy = "cp generated/a.txt ../../node_modules/tool/patched.txt dist/";
        manifest["scripts"]["build"] = format!("{build} && {copy}").into();
    });
    context.write(".gitignore", format!("{}generated/\n", context.read(".gitignore")));
}

fn runs_them<P: Project>(nix: &NixMonorepo<P>) {
    let context = nix.context();
    let scan = succeed(&mut context.splitter(&["scan"]));
    for line in [
        "not run: postinstall (`node scripts/patch.js`); if a build needs it, name it in `rootScripts` of splitter.json",
        "not run: prepare (`mkdir -p generated && echo generated > generated/a.txt`); if a build needs it, name it in \
         `ownScripts` of splitter.json",
    ] {
        assert!(scan.contains(line), "{scan}");
    }
    assert!(!scan.contains("husky"), "{scan}");
    let said = fail(&mut nix.build_command("api"));
    for line in [
        r#"prepare of apps/api did not run; if the build needs it, add to splitter.json: "workspaces": { "apps/api": { "ownScripts": ["prepare"] } }"#,
        r#"postinstall of the root did not run; if the build needs it, add to splitter.json: "workspaces": { "apps/api": { "rootScripts": ["postinstall"] } }"#,
    ] {
        assert!(said.contains(line), "{said}");
    }
    let has_settings = context.repo().join("splitter.json").is_file();
    let settings = if has_settings { context.read("splitter.json") } else { "{}".to_owned() };
    let mut settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    settings["workspaces"] = json!({ "apps/api": { "ownScripts": ["prepare"], "rootScripts": ["postinstall"] } });
    context.write("splitter.json", settings.to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let api = nix.build("api");
    assert_eq!(fs::read_to_string(api.join("a.txt")).unwrap(), "generated\n");
    assert_eq!(fs::read_to_string(api.join("patched.txt")).unwrap(), "patched\n");
    nix.build("web");
    // A name that is not a script's would run nothing.
    context.write("splitter.json", r#"{ "workspaces": { "apps/api": { "ownScripts": ["prepar"] } } }"#);
    let said = fail(&mut context.splitter(&["scan"]));
    assert!(
        said.contains("`ownScripts` of `apps/api` names `prepar`, but its package.json has no such script"),
        "{said}"
    );
}

#[test]
fn e2e_bun_scripts_of_workspaces_run_before_builds_that_ask_for_them() {
    let edit = |monorepo: &Monorepo| write(monorepo);
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), edit);
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
    runs_them(&nix);
}

fn yarn(version: &str) {
    // Yarn would run them to write the lockfile.
    let Some(monorepo) = YarnMonorepo::with_yarn(version) else { return };
    write(&monorepo);
    monorepo.context.commit_all("scripts");
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    runs_them(&nix);
}

#[test]
fn e2e_yarn_1_scripts_of_workspaces_run_before_builds_that_ask_for_them() {
    yarn(YARN_VERSIONS[0]);
}

#[test]
fn e2e_yarn_4_scripts_of_workspaces_run_before_builds_that_ask_for_them() {
    yarn(YARN_VERSIONS[2]);
}
