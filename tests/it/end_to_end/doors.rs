//! The ways to use splitter in Nix: flakes of every style, splitter as an input, no flake, and files of an older splitter.
//! All give the same derivations.

use std::{collections::BTreeMap, process::Command};

use camino::Utf8Path;
use fs_err as fs;

use crate::support::{BUN_VERSIONS, NixMonorepo, run, stand_in::system, succeed};

type Derivations = BTreeMap<String, String>;

/// Returns the derivations without `default`, which may be the flake's own.
fn derivations(nix: &NixMonorepo) -> Derivations {
    nix.derivations().into_iter().filter(|(name, _)| !["default", "mine"].contains(&name.as_str())).collect()
}

/// Copies the files of this project that its flake needs, without build outputs, and returns the URL of the copy.
fn copy_project(nix: &NixMonorepo) -> String {
    let project = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = nix.context().folder("project");
    fs::create_dir_all(&folder).unwrap();
    for name in [
        "Cargo.lock",
        "Cargo.toml",
        "flake.nix",
        "package.nix",
        "fixtures",
        "nix-templates",
        "src",
        "templates",
        "xtask",
    ] {
        succeed(Command::new("cp").args(["-r", project.join(name).as_str(), folder.as_str()]));
    }
    format!("path:{folder}")
}

/// Returns a flake with nixpkgs, these inputs and these outputs.
fn flake(inputs: &str, parameters: &str, outputs: &str) -> String {
    format!(
        "{{\n  inputs.nixpkgs.url = \"path:/nowhere/nixpkgs\";\n{inputs}\n  outputs = {parameters}:\n{outputs};\n}}\n"
    )
}

fn parts(module: &str) -> String {
    let inputs = "  inputs.flake-parts.url = \"path:/nowhere/flake-parts\";\n  inputs.flake-parts.inputs.nixpkgs-lib.follows = \"nixpkgs\";";
    flake(
        inputs,
        "inputs@{ nixpkgs, ... }",
        &format!("    inputs.flake-parts.lib.mkFlake {{ inherit inputs; }} {{\n{module}    }}"),
    )
}

/// Runs `init`, and applies the diff that it prints for the existing flake.
fn follow_advice(nix: &NixMonorepo, arguments: &[&str]) {
    let context = nix.context();
    context.git(&["add", "--all"]);
    let output = run(&mut context.splitter(&[&["init", "--no-hook"], arguments].concat()));
    let from = output.find("--- a/flake.nix").unwrap_or_else(|| panic!("no lines:\n{output}"));
    let is_diff = |line: &&str| ["@@", "+", "-", " "].iter().any(|sign| line.starts_with(sign));
    let diff: Vec<&str> = output[from..].lines().take_while(is_diff).collect();
    fs::write(context.folder("advice.diff"), diff.join("\n") + "\n").unwrap();
    context.git(&["apply", context.folder("advice.diff").as_str()]);
    let again = run(&mut context.splitter(&["init", "--no-hook"]));
    assert!(!again.contains("left alone"), "{again}");
    context.git(&["add", "--all"]);
}

/// Writes a stand-in for flake-utils, and returns its URL.
fn flake_utils(nix: &NixMonorepo) -> String {
    let folder = nix.context().folder("flake-utils");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "{{ outputs = _: {{ lib.eachDefaultSystem = f: let s = \"{}\"; in builtins.mapAttrs (_: value: {{ ${{s}} = value; }}) (f s); }}; }}",
        system()
    );
    fs::write(folder.join("flake.nix"), text).unwrap();
    format!("path:{folder}")
}

#[test]
fn e2e_the_lines_for_each_style_of_flake_evaluate_to_the_same_derivations() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let (here, expected) = (system(), derivations(&nix));
    assert!(expected.len() > 3, "{expected:?}");
    let hello = "pkgs.runCommand \"hello\" { } \"echo > $out\"";
    let all_systems = format!("    let\n      forAllSystems = nixpkgs.lib.genAttrs [ \"{here}\" ];\n    in\n    {{\n");
    let each = format!(
        "{all_systems}      packages = forAllSystems (system:\n        let pkgs = nixpkgs.legacyPackages.${{system}}; in {{\n          mine = {hello};\n        }});\n      devShells = forAllSystems (system: {{ }});\n    }}"
    );
    let of_pkgs = format!(
        "    let\n      each = f: {{ \"{here}\" = f nixpkgs.legacyPackages.{here}; }};\n    in {{\n      packages = each (pkgs: {{ mine = {hello}; }});\n    }}"
    );
    let fixed =
        format!("    let pkgs = nixpkgs.legacyPackages.{here}; in {{\n      packages.{here}.mine = {hello};\n    }}");
    let fixed_set = format!(
        "    let pkgs = nixpkgs.legacyPackages.{here}; in {{\n      packages.{here} = {{ mine = {hello}; }};\n    }}"
    );
    let computed = format!(
        "    let system = \"{here}\"; pkgs = nixpkgs.legacyPackages.${{system}}; in {{\n      packages.${{system}} = {{ mine = {hello}; }};\n    }}"
    );
    let utils = format!(
        "    flake-utils.lib.eachDefaultSystem (system:\n      let pkgs = nixpkgs.legacyPackages.${{system}}; in\n      {{\n        packages.mine = {hello};\n      }})"
    );
    let utils_input = format!("  inputs.flake-utils.url = \"{}\";", flake_utils(&nix));
    let flakes = [
        ("each", flake("", "{ self, nixpkgs }", &each)),
        ("each of pkgs", flake("", "{ self, nixpkgs }", &of_pkgs)),
        ("fixed", flake("", "{ nixpkgs, ... }", &fixed)),
        ("fixed set", flake("", "{ nixpkgs, ... }", &fixed_set)),
        ("computed", flake("", "{ nixpkgs, ... }", &computed)),
        ("nothing", flake("", "inputs", "    { }")),
        ("flake-utils", flake(&utils_input, "{ self, nixpkgs, flake-utils }", &utils)),
        (
            "flake-utils with a check",
            flake(
                &utils_input,
                "{ self, nixpkgs, flake-utils }",
                &utils.replace("packages.mine", "checks.own = null; packages.mine"),
            ),
        ),
        ("flake-parts", parts("      perSystem = { };\n")),
        ("flake-parts with systems", parts(&format!("      systems = [ \"{here}\" ];\n      imports = [\n      ];\n"))),
    ];
    for (style, text) in flakes {
        let has_own = text.contains("mine =");
        nix.context().write("flake.nix", text);
        follow_advice(&nix, &[]);
        let found = derivations(&nix);
        // Flakes that define packages one by one do not get `deps`, which is only a folder of links.
        let missing: Vec<_> = expected
            .iter()
            .filter(|(name, _)| !["deps"].contains(&name.as_str()))
            .filter(|(name, path)| found.get(*name) != Some(path))
            .collect();
        assert!(missing.is_empty(), "{style}: {missing:?}\n{}", nix.context().read("flake.nix"));
        assert_eq!(nix.derivations().contains_key("mine"), has_own, "{style}");
        assert!(nix.eval(&format!("devShells.{here}"), "builtins.attrNames").is_array(), "{style}");
        assert!(nix.eval(&format!("checks.{here}"), "builtins.attrNames").to_string().contains("web"), "{style}");
    }
}

#[test]
fn e2e_splitter_as_an_input_builds_the_same_with_the_record_alone() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let (context, expected) = (nix.context(), derivations(&nix));
    let project = copy_project(&nix);
    context.remove("flake.nix");
    let output = run(&mut context.splitter(&["init", "--no-hook", "--input", &project]));
    assert!(output.contains("removed nix/splitter/"), "{output}");
    context.git(&["add", "--all"]);
    assert_eq!(context.git(&["ls-files", "nix"]), "nix/splitter/.gitattributes\nnix/splitter/splitter.lock.json");
    assert_eq!(derivations(&nix), expected);
    let apps = nix.eval(&format!("apps.{}", system()), "builtins.attrNames");
    assert_eq!(apps, serde_json::json!(["check", "precache", "update-hash"]));
    assert!(
        nix.eval(&format!("devShells.{}.default.shellHook", system()), "text: text")
            .to_string()
            .contains("splitter hook")
    );
    context.commit_all("splitter as an input");
    for command in
        [&["check"][..], &["check", "--staged"], &["update-hash"], &["explain", "HEAD"], &["init", "--no-hook"]]
    {
        succeed(&mut context.splitter(command));
        assert_eq!(context.git(&["status", "--porcelain"]), "", "{command:?}");
    }
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
    // A leftover file of the other layout is reported.
    context.write("nix/splitter/deps.nix", "# Generated by splitter: do not edit.\n");
    assert!(
        run(&mut context.splitter(&["check"]))
            .contains("nix/splitter/deps.nix is left over from another version of splitter")
    );
    context.remove("nix/splitter/deps.nix");
    // With flake-parts, and in existing flakes.
    let here = system();
    for text in [
        parts(&format!("      systems = [ \"{here}\" ];\n")),
        flake("", "{ nixpkgs, ... }", &format!("    {{\n      packages.{here} = {{ }};\n    }}")),
        flake("", "inputs", "    { }"),
    ] {
        context.write("flake.nix", text);
        follow_advice(&nix, &[]);
        assert_eq!(derivations(&nix), expected, "{}", context.read("flake.nix"));
    }
    // Back to files in the repository.
    let config = context.read("splitter.json");
    assert!(config.contains("\"input\""));
    context.write("splitter.json", "{}\n");
    let output = run(&mut context.splitter(&["init", "--no-hook"]));
    assert!(output.contains("uses splitter as an input, but the Nix files are now in the repository"), "{output}");
    assert!(context.repo().join("nix/splitter/default.nix").is_file());
}

#[test]
fn e2e_without_flakes_and_in_an_overlay_the_derivations_are_the_same() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let (context, expected) = (nix.context(), derivations(&nix));
    let flake = context.read("flake.nix");
    let overlay = "overlays.default = final: _prev: { acme = (import ./nix/splitter { pkgs = final; root = ./.; }).packages; };\n      packages =";
    context.write("flake.nix", flake.replacen("packages =", overlay, 1));
    let apply = format!(
        "overlay: (overlay (import (builtins.toPath \"{}\") {{ system = \"{}\"; }}) {{ }}).acme.web.drvPath",
        context.folder("stand-in/nixpkgs"),
        system()
    );
    let found = succeed(&mut nix.nix(&["eval", "--raw", "--impure", ".#overlays.default", "--apply", &apply]));
    assert_eq!(found, expected["web"]);
    context.remove("flake.nix");
    context.write("default.nix", "{ pkgs }: (import ./nix/splitter { inherit pkgs; root = ./.; }).packages\n");
    let output = run(&mut context.splitter(&["init", "--no-hook"]));
    assert!(
        output.contains("next: run `nix-build nix/splitter --arg pkgs") && !output.contains("left alone"),
        "{output}"
    );
    assert!(!context.repo().join("flake.nix").exists());
    let pkgs = format!("import {} {{ }}", context.folder("stand-in/nixpkgs"));
    for (file, attribute) in [("default.nix", "web.drvPath"), ("nix/splitter", "packages.web.drvPath")] {
        let arguments = ["eval", "--raw", "--impure", "--file", file, attribute, "--arg", "pkgs", &pkgs];
        assert_eq!(succeed(&mut nix.nix.command(context, &arguments)), expected["web"], "{file}");
    }
    let arguments =
        ["build", "--impure", "--no-link", "--print-out-paths", "--file", "default.nix", "web", "--arg", "pkgs", &pkgs];
    let web = succeed(&mut nix.nix.command(context, &arguments));
    assert!(Utf8Path::new(&web).join("index.js").is_file());
}

/// A record of format version 1, without its hashes.
const RECORD_1: &str = r#"{
  "formatVersion": 1,
  "generator": "splitter 0.1.0",
  "packageManager": {"name": "bun", "version": "1.4.4", "tarballs": {}},
  "registry": "https://registry.example/",
  "systems": ["aarch64-darwin","aarch64-linux","x86_64-darwin","x86_64-linux"],
  "lockSet": {},
  "deps": {},
  "dependencies": [],
  "workspaces": [{"path":"","name":"acme","kind":"library","dependencies":[]}],
  "local": [],
  "rootFiles": [],
  "source": {"include":{},"exclude":{}}
}
"#;

#[test]
fn e2e_a_repository_of_version_1_is_brought_up_to_date_and_keeps_its_flake() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let (context, expected) = (nix.context(), derivations(&nix));
    context.remove("nix/splitter");
    context.write("nix/splitter/splitter.lock.json", RECORD_1);
    context.write("nix/splitter/app.nix", "# Generated by splitter: do not edit. One app.\n{ }\n");
    context.write("nix/splitter/tools/layout.mjs", "// Generated by splitter: do not edit.\n");
    let old = "      imports = [ ./nix/splitter ];\n      inherit (builtins.fromJSON (builtins.readFile ./nix/splitter/splitter.lock.json)) systems;\n";
    context.write("flake.nix", parts(old));
    context.commit_all("as version 1 left it");
    let check = run(&mut context.splitter(&["check"]));
    assert!(check.contains("splitter init"), "{check}");
    let output = run(&mut context.splitter(&["init", "--no-hook"]));
    assert!(
        !output.contains("left alone")
            && output.contains("In flake.nix, replace the line that reads splitter.lock.json"),
        "{output}"
    );
    context.git(&["add", "--all"]);
    assert!(!context.repo().join("nix/splitter/app.nix").exists());
    assert_eq!(derivations(&nix), expected);
}

/// Tests the flake of this project: its outputs for every system, and its templates.
#[test]
fn e2e_the_flake_of_the_project_and_its_templates_evaluate() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let project = copy_project(&nix);
    let stand_in = format!("path:{}", context.folder("stand-in/nixpkgs"));
    let eval = |folder: &str, attribute: &str, apply: &str, overrides: &[&str]| {
        let reference = format!("{folder}#{attribute}");
        let arguments = [&["eval", "--json", &reference, "--apply", apply, "--no-write-lock-file"], overrides].concat();
        succeed(&mut nix.nix.command(context, &arguments))
    };
    let own = ["--override-input", "nixpkgs", stand_in.as_str()];
    let paths = "builtins.mapAttrs (_: packages: packages.default.drvPath)";
    let packages = eval(&project, "packages", paths, &own);
    assert!(["aarch64-darwin", "x86_64-linux"].iter().all(|system| packages.contains(system)), "{packages}");
    assert_eq!(eval(&project, "packages", paths, &own), packages);
    // An edit of docs or tests does not compile the program again.
    let folder = context.folder("project");
    fs::create_dir(folder.join("docs")).unwrap();
    fs::write(folder.join("docs/new.md"), "new\n").unwrap();
    assert_eq!(eval(&project, "packages", paths, &own), packages);
    assert_eq!(
        eval(&project, "overlays.default", "overlay: builtins.attrNames (overlay { } { })", &own),
        r#"["mkSplit","splitter"]"#
    );
    let overrides =
        ["--override-input", "splitter", project.as_str(), "--override-input", "splitter/nixpkgs", stand_in.as_str()];
    for name in ["bun", "yarn"] {
        let template = format!("path:{}", folder.join("templates").join(name));
        let shells = eval(&template, "devShells", "builtins.mapAttrs (_: shells: shells.default.drvPath)", &overrides);
        assert!(shells.contains("x86_64-linux"), "{shells}");
    }
}
