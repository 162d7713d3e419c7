//! Built apps run, with each version of Bun, and a user's flake can configure their builds.

use camino::Utf8Path;
use fs_err as fs;

use super::libraries::with_built_libraries;
use crate::support::{BUN_1_3_14, BUN_VERSIONS, NixMonorepo, fail, splitter_snapshot, stand_in::system, succeed};

/// Runs a program with Node, and returns its output.
fn output_of(nix: &NixMonorepo, script: impl AsRef<Utf8Path>) -> String {
    succeed(nix.context().command("node").arg(script.as_ref()))
}

/// Returns the folder of a package in a built tree, hoisted to the root or inside of its dependent workspace.
fn installed(tree: &Utf8Path, workspace: &str, package: &str) -> camino::Utf8PathBuf {
    let places = ["", workspace].map(|folder| tree.join(folder).join("node_modules").join(package));
    places.into_iter().find(|place| place.exists()).unwrap_or_else(|| tree.join("missing").join(package))
}

fn builds_and_runs(nix: &NixMonorepo) {
    let tree = nix.build("nodeModules");
    // Only the trusted lifecycle script ran.
    assert!(installed(&tree, "apps/api", "trusted/built.txt").is_file());
    assert!(installed(&tree, "apps/api", "untrusted/index.js").is_file());
    assert!(!installed(&tree, "apps/api", "untrusted/built.txt").exists());
    // Of the packages for single platforms, only those for this one are installed.
    let binaries = succeed(nix.context().command("find").args([tree.as_str(), "-path", "*/@native/*/bin/native"]));
    let this = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    assert!(!binaries.is_empty());
    assert!(binaries.lines().all(|path| path.contains(&format!("/@native/{this}-"))), "{binaries}");
    let api = nix.build("api");
    assert_eq!(
        output_of(nix, api.join("index.js")),
        "[colour@1.2.0, old-library@0.1.0] api: cataloged@1.1.0, native@2.0.0"
    );
    // A command of a package that is locked by the tag `latest`.
    assert_eq!(fs::read_to_string(api.join("tool.txt")).unwrap(), "tool 5.0.1\n");
    // Interpreters must be in the store. Usual sandboxes show nothing else, unlike that of these tests.
    let store = tree.parent().unwrap();
    let stamp = fs::read_to_string(api.join("stamp.txt")).unwrap();
    assert!(stamp.starts_with(&format!("stamped api by #!{store}/")), "{stamp}");
    let tool = fs::read_to_string(installed(&tree, "", "tool/bin/tool.js")).unwrap();
    assert!(tool.starts_with(&format!("#!{store}/")), "{tool}");
    let web = nix.build("web");
    assert_eq!(
        output_of(nix, web.join("index.js")),
        "[colour@1.2.0, old-library@0.1.0] web: cataloged@1.1.0, plugin@1.0.0, aliased@1.5.0: @scope/util@3.1.0, \
         release-candidate@1.0.0-rc.2"
    );
    succeed(&mut nix.context().splitter(&["check"]));
    assert_eq!(nix.context().git(&["status", "--porcelain"]), "", "a build changes nothing in the repository");
}

#[test]
fn e2e_bun_1_2_apps_build_in_the_sandbox_and_run() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[0]) else { return };
    builds_and_runs(&nix);
}

#[test]
fn e2e_bun_1_3_apps_build_in_the_sandbox_and_run() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[1]) else { return };
    builds_and_runs(&nix);
}

#[test]
fn e2e_bun_1_4_apps_build_in_the_sandbox_and_run() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    builds_and_runs(&nix);
}

/// `bun build --compile` copies Bun itself. Splitter patches Bun, which could break compiled programs only.
fn what_is_compiled_runs(version: &str) {
    let Some(nix) = NixMonorepo::with_bun(version) else { return };
    let build = |flags: &str| format!("mkdir dist && bun build src/index.ts --compile {flags} --outfile dist/program");
    nix.context().write(
        "flake.nix",
        own_flake(&format!(
            r#"splitter.apps.api.buildCommand = "{}"; splitter.apps.web.buildCommand = "{}";"#,
            build("--minify"),
            build("--bytecode"),
        )),
    );
    for (app, found) in [("api", "api: cataloged@1.1.0, native@2.0.0"), ("web", "web: cataloged@1.1.0")] {
        let program = nix.build(app).join("program");
        let output = succeed(&mut nix.context().command(program.as_str()));
        assert!(output.contains(found), "{app} of Bun {version} prints {output}");
    }
}

#[test]
fn e2e_bun_1_2_what_is_compiled_runs() {
    what_is_compiled_runs(BUN_VERSIONS[0]);
}

#[test]
fn e2e_bun_1_3_14_what_is_compiled_runs() {
    what_is_compiled_runs(BUN_1_3_14);
}

#[test]
fn e2e_bun_1_4_what_is_compiled_runs() {
    what_is_compiled_runs(BUN_VERSIONS[2]);
}

/// The mirror is on the loopback address, which proxy variables do not affect.
#[test]
fn e2e_a_lock_with_the_urls_of_a_mirror_builds() {
    let Some(nix) = NixMonorepo::with_bun_and_mirror(BUN_VERSIONS[1]) else { return };
    builds_and_runs(&nix);
}

/// Returns a user's flake with splitter's two lines and these settings.
pub(super) fn own_flake(choices: &str) -> String {
    format!(
        r#"{{
  inputs.nixpkgs.url = "path:/nowhere/nixpkgs";
  inputs.flake-parts.url = "path:/nowhere/flake-parts";
  inputs.flake-parts.inputs.nixpkgs-lib.follows = "nixpkgs";
  outputs = inputs: inputs.flake-parts.lib.mkFlake {{ inherit inputs; }} {{
    imports = [ ./nix/splitter ];
    systems = (builtins.fromJSON (builtins.readFile ./nix/splitter/splitter.lock.json)).systems;
    perSystem = {{ pkgs, ... }}: {{
      {choices}
    }};
  }};
}}
"#
    )
}

#[test]
fn e2e_an_own_flake_chooses_how_apps_are_built() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let flake = own_flake(
        r#"splitter.apps.web.enable = false;
      splitter.apps.api = {
        env.GREETING = "hello";
        buildCommand = "mkdir made && greet > made/greeting.txt";
        output = "made";
        install = "production";
        nativeBuildInputs = [
          (pkgs.runCommand "greet" { } ''
            mkdir -p $out/bin
            echo '#!/bin/sh' > $out/bin/greet
            echo 'echo "$GREETING from the flake"' >> $out/bin/greet
            chmod +x $out/bin/greet
          '')
        ];
      };"#,
    );
    nix.context().write("flake.nix", flake);
    let api = nix.build("api");
    assert_eq!(fs::read_to_string(api.join("greeting.txt")).unwrap(), "hello from the flake\n");
    let names = nix.eval(&format!("packages.{}", system()), "builtins.attrNames");
    assert_eq!(names, serde_json::json!(["api", "deps", "nodeModules", "nodeModules-api"]));
    // An unknown option, or one of the wrong type, is an error.
    nix.context().write("flake.nix", own_flake("splitter.apps.api.buildCommnd = \"true\";"));
    assert!(fail(&mut nix.build_command("api")).contains("buildCommnd"));
}

#[test]
fn e2e_a_missing_output_folder_is_named_with_what_was_made() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    nix.context().write("flake.nix", own_flake("splitter.apps.api.buildCommand = \"mkdir built\";"));
    let output = fail(&mut nix.build_command("api"));
    for words in [
        "the build of api did not create dist in apps/api",
        "found there: built",
        "hint: set its output folder in splitter.json",
    ] {
        assert!(output.contains(words), "{words} is not in\n{output}");
    }
    nix.context()
        .write("flake.nix", own_flake("splitter.apps.api.buildCommand = \"echo the compiler is cross; exit 3\";"));
    let output = fail(&mut nix.build_command("api"));
    assert!(output.contains("the compiler is cross") && output.contains("failed in apps/api: exit code 3"), "{output}");
    // The log of the install, which names scripts that did not run, is elsewhere.
    assert!(output.contains("install scripts that were not run: untrusted@1.0.0; if the build needs one"), "{output}");
    // The shell adds no message of its own after the error.
    assert!(!output.contains("pop_var_context"), "{output}");
}

#[test]
fn e2e_every_output_evaluates_for_every_system() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let apply = "systems: builtins.mapAttrs (_: packages: builtins.mapAttrs (_: package: \
                 builtins.substring 0 0 package.drvPath) packages) systems";
    let packages = nix.eval("packages", apply);
    let expected = serde_json::json!({ "api": "", "deps": "", "nodeModules": "", "web": "" });
    for system in ["aarch64-darwin", "aarch64-linux", "x86_64-darwin", "x86_64-linux"] {
        assert_eq!(packages[system], expected, "{system}");
        assert!(nix.eval(&format!("devShells.{system}.default.drvPath"), "path: path").is_string());
    }
    let checks = nix.eval("checks", "builtins.mapAttrs (_: builtins.attrNames)");
    assert_eq!(checks[system()], serde_json::json!(["api", "nodeModules", "web"]));
}

#[test]
fn e2e_an_app_without_a_build_is_started_from_its_sources() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let manifest = context.read("apps/web/package.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    manifest["scripts"] = serde_json::json!({ "start": "bun src/index.ts" });
    context.write("apps/web/package.json", manifest.to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    let said = "[colour@1.2.0, old-library@0.1.0] web: cataloged@1.1.0, plugin@1.0.0, aliased@1.5.0: @scope/util@3.1.0, \
                release-candidate@1.0.0-rc.2";
    assert_eq!(succeed(&mut context.command(nix.build("web").join("bin/web"))), said);
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 0
    ----- stdout
    fresh: nix/splitter/splitter.lock.json is up to date (18 packages, 6 workspaces)
    ----- stderr
    ");
    // The app keeps only the install that it runs with.
    context.write("splitter.json", r#"{ "workspaces": { "apps/web": { "install": "production" } } }"#);
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let web = nix.build("web");
    assert_eq!(succeed(&mut context.command(web.join("bin/web"))), said);
    let needed = succeed(&mut nix.nix(&["path-info", "--recursive", web.as_str()]));
    let installs: Vec<_> = needed.lines().filter_map(|path| path.split_once("-node-modules")).collect();
    assert!(matches!(installs[..], [(_, "-web-production")]), "{needed}");
}

/// Returns the names of the checks for each system.
fn names(nix: &NixMonorepo) -> serde_json::Value {
    nix.eval("checks", "builtins.mapAttrs (_: builtins.attrNames)")
}

/// Sets the nixpkgs release of the stand-in.
fn set_release(nix: &NixMonorepo, release: &str) {
    fs::write(nix.context().folder("stand-in").join("nixpkgs/release"), release).unwrap();
}

/// Writes a flake with flake-parts, which evaluates all declared systems if one is requested.
fn with_flake_parts(nix: &NixMonorepo) {
    let lines = "imports = [ ./nix/splitter/flake-module.nix ];\n    systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;";
    let inputs = "inputs.nixpkgs.url = \"path:/nowhere/nixpkgs\";\n  inputs.flake-parts.url = \"path:/nowhere/flake-parts\";\n  \
                  inputs.flake-parts.inputs.nixpkgs-lib.follows = \"nixpkgs\";";
    let outputs = format!("inputs: inputs.flake-parts.lib.mkFlake {{ inherit inputs; }} {{\n    {lines}\n  }}");
    nix.context().write("flake.nix", format!("{{\n  {inputs}\n  outputs = {outputs};\n}}\n"));
}

/// nixpkgs 26.11 still lists `x86_64-darwin`, but throws if it is used.
#[test]
fn e2e_a_system_that_nixpkgs_dropped_breaks_no_other() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    with_flake_parts(&nix);
    let three = ["aarch64-darwin", "aarch64-linux", "x86_64-linux"];
    let all = ["aarch64-darwin", "aarch64-linux", "x86_64-darwin", "x86_64-linux"];
    let systems = |nix| names(nix).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let derivations = nix.derivations();
    assert_eq!(systems(&nix), all);
    set_release(&nix, "26.11\n");
    assert_eq!(systems(&nix), three);
    assert_eq!(nix.derivations(), derivations);
    succeed(&mut nix.nix(&["flake", "show", "--all-systems"]));
    // Flakes from older versions of splitter have this line.
    let line = "inherit (builtins.fromJSON (builtins.readFile ./nix/splitter/splitter.lock.json)) systems;";
    let new = "systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;";
    let flake = nix.context().read("flake.nix");
    assert!(flake.contains(new));
    nix.context().write("flake.nix", flake.replace(new, line));
    assert_eq!(systems(&nix), all);
    assert_eq!(nix.derivations(), derivations);
    succeed(&mut nix.nix(&["flake", "show"]));
    let output = fail(&mut nix.nix(&["eval", ".#packages.x86_64-darwin.web.drvPath"]));
    let remedy = "hint: in flake.nix, take the systems from `import ./nix/splitter/systems.nix inputs.nixpkgs.lib`";
    assert!(output.contains(remedy), "{output}");
}

#[test]
fn e2e_an_own_flake_may_have_more_systems_than_are_recorded() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let (here, other) = (system(), "aarch64-darwin");
    succeed(&mut nix.context().splitter(&["init", "--system", &here]));
    with_flake_parts(&nix);
    let flake = nix.context().read("flake.nix");
    let new = "systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;";
    let own = format!("systems = [ \"{here}\" \"{other}\" \"riscv64-linux\" ];");
    nix.context().write("flake.nix", flake.replace(new, &own));
    nix.context().git(&["add", "--all"]);
    let names = names(&nix);
    for system in [other, "riscv64-linux"] {
        assert_eq!(names[system], serde_json::json!([]));
        let output = fail(&mut nix.nix(&["eval", &format!(".#packages.{system}.web.drvPath")]));
        assert!(
            output.contains(&format!(
                "splitter: splitter.lock.json has no hashes for {system}, so this system has no packages."
            )),
            "{output}"
        );
    }
    nix.derivations();
}
