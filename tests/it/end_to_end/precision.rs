//! The check of precision: Nix in a build, in a real sandbox, proves what `splitter verify` proves, without splitter.

use fs_err as fs;
use serde_json::{Value, json};

use super::{libraries::with_built_libraries, verify::rebuilds};
use crate::support::{
    BUN_VERSIONS, NixMonorepo, fail,
    stand_in::system,
    succeed,
    tools::{nix_in_builds, skip},
};

/// Sets options of `perSystem` in the repository's own flake, in place of those that it has.
fn set_options(nix: &NixMonorepo, options: &str) {
    let context = nix.context();
    let flake = context.git(&["show", "HEAD:flake.nix"]);
    let imports = "imports = [ ./nix/splitter ];";
    assert!(flake.contains(imports), "{flake}");
    context.write("flake.nix", flake.replace(imports, &format!("{imports} perSystem = {{ {options} }};")));
}

#[test]
fn e2e_a_build_proves_the_split_without_splitter() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    if nix_in_builds(&nix.nix.program).is_none() {
        skip::<()>("Nix cannot be shown to builds");
        return;
    }
    with_built_libraries(&nix);
    let context = nix.context();
    // `logger` shows its output alone, and a ring leads through it, which is cut.
    let logger = json!({ "exposes": "output", "uses": ["packages/ui", "packages/stamp"] });
    let web = json!({ "install": "own" });
    let choices = json!({ "workspaces": { "packages/logger": logger, "apps/web": web } });
    context.write("splitter.json", choices.to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("a library that shows its output");
    let before = nix.derivations();
    let check = format!("checks.{}.precision", system());
    let output = fail(&mut nix.build_command(&check));
    assert!(output.contains("does not provide attribute"), "{output}");
    set_options(&nix, "splitter.precisionCheck = true;");
    let report = fs::read_to_string(nix.build(&check)).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["surprises"], 0, "{report:#}");
    let edits = rebuilds(&report);
    for (name, expected) in [
        ("an empty commit ", ""),
        ("a README README.md", ""),
        ("a test apps/api/splitter-verify.test.ts", ""),
        ("scripts package.json", ""),
        ("key order apps/web/package.json", "web"),
        (
            "version apps/api/package.json",
            "api library-logger library-stamp library-ui nodeModules nodeModules-web web",
        ),
        ("source of an app apps/web/src/index.ts", "web"),
        ("source of a library packages/logger/src/index.ts", "api library-logger web"),
        ("source of a library packages/ui/src/index.ts", "api library-logger library-ui web"),
        ("scripts packages/logger/package.json", "api library-logger library-ui web"),
        ("comment in an rc file .npmrc", ""),
    ] {
        assert_eq!(edits.get(name).map(String::as_str), Some(expected), "{name}: {edits:#?}");
    }
    // It is a build beside the others, which are as they are without it.
    assert_eq!(nix.derivations(), before);

    let leak = "splitter.apps.web.env.README = builtins.readFile ./apps/web/README.md;";
    let other = r#"derivation { name = "api"; system = "none"; builder = "none"; }"#;
    let lost = format!("packages.api = inputs.nixpkgs.lib.mkForce ({other});");
    set_options(&nix, &format!("splitter.precisionCheck = true; {leak} {lost}"));
    let output = fail(&mut nix.build_command(&check));
    for line in [
        "web: apps/web/README.md (a README) leaked into it: it is rebuilt, and should be kept\n",
        "api: apps/api/src/index.ts (source of an app) does not reach it: it is kept, and should be rebuilt\n",
    ] {
        assert!(output.contains(line), "{line}{output}");
    }
    assert!(!output.contains("web: README.md"), "{output}");
}
