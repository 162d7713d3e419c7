use super::{insert::apply, *};
use crate::repo::{MemoryTree, RepoPath};

const PACKAGES: [&str; 2] = ["api", "web"];

fn advised(text: &str, input: Option<&str>) -> Result<(&'static str, String), &'static str> {
    advised_with_kept(text, input).map(|(style, diff, _)| (style, diff))
}

fn advised_with_kept(text: &str, input: Option<&str>) -> Result<(&'static str, String, String), &'static str> {
    let packages = PACKAGES.map(str::to_owned);
    let checks = [&packages[..], &["web-test".to_owned()]].concat();
    match advice(text, Wanted { input, packages: &packages, checks: &checks }) {
        Advice::Insert { style, insertions, kept } => {
            let new = apply(text, &insertions);
            assert!(rnix::Root::parse(&new).ok().is_ok(), "{new}");
            let kept = kept.iter().map(|kept| format!("{}: {}", kept.own, kept.ours)).collect::<Vec<_>>().join(", ");
            Ok((style, diff(text, &insertions), kept))
        }
        Advice::Unknown { reason } => Err(reason),
    }
}

#[test]
fn a_function_of_the_system_gets_what_is_missing_and_keeps_its_own() {
    let flake = "{
  inputs.nixpkgs.url = \"github:NixOS/nixpkgs\";
  outputs = { self, nixpkgs }:
    let
      forAllSystems = nixpkgs.lib.genAttrs [ \"x86_64-linux\" ];
    in
    {
      packages = forAllSystems (system:
        let pkgs = nixpkgs.legacyPackages.${system}; in {
          default = pkgs.hello;
        });
      devShells = forAllSystems (system: { });
    };
}
";
    let (style, diff) = advised(flake, None).unwrap();
    assert_eq!(style, "plain outputs");
    insta::assert_snapshot!(diff, @r#"
    @@ -2,11 +2,14 @@
       inputs.nixpkgs.url = "github:NixOS/nixpkgs";
       outputs = { self, nixpkgs }:
         let
    +      splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
           forAllSystems = nixpkgs.lib.genAttrs [ "x86_64-linux" ];
         in
         {
    +      legacyPackages = forAllSystems (system: (splitterFor nixpkgs.legacyPackages.${system}).legacyPackages);
    +      checks = forAllSystems (system: (splitterFor nixpkgs.legacyPackages.${system}).checks);
           packages = forAllSystems (system:
    -        let pkgs = nixpkgs.legacyPackages.${system}; in {
    +        let pkgs = nixpkgs.legacyPackages.${system}; in (splitterFor nixpkgs.legacyPackages.${system}).packages // {
               default = pkgs.hello;
             });
           devShells = forAllSystems (system: { });
    "#);
}

#[test]
fn written_out_systems_and_outputs_without_any() {
    let fixed = "{
  outputs = inputs: {
    packages.x86_64-linux.default = inputs.nixpkgs.legacyPackages.x86_64-linux.hello;
  };
  inputs.nixpkgs.url = \"nixpkgs\";
}
";
    insta::assert_snapshot!(advised(fixed, None).unwrap().1, @r#"
    @@ -1,5 +1,11 @@
     {
    -  outputs = inputs: {
    +  outputs = inputs: let
    +    splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +  in {
    +    packages.x86_64-linux = { inherit ((splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).packages) api web; };
    +    legacyPackages.x86_64-linux = (splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).legacyPackages;
    +    checks.x86_64-linux = (splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).checks;
    +    devShells.x86_64-linux = (splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).devShells;
         packages.x86_64-linux.default = inputs.nixpkgs.legacyPackages.x86_64-linux.hello;
       };
       inputs.nixpkgs.url = "nixpkgs";
    "#);
    let none = "{ outputs = { nixpkgs, ... }: { }; }\n";
    insta::assert_snapshot!(advised(none, None).unwrap().1, @"
    @@ -1,1 +1,8 @@
    -{ outputs = { nixpkgs, ... }: { }; }
    +{ outputs = { nixpkgs, ... }: let
    +  splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +in {
    +  packages = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).packages);
    +  legacyPackages = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).legacyPackages);
    +  checks = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).checks);
    +  devShells = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).devShells);
    + }; }
    ");
}

#[test]
fn flake_utils_get_a_binding_and_what_is_missing() {
    let flake = "{
  outputs = { self, nixpkgs, flake-utils }:
    flake-utils.lib.eachDefaultSystem (system:
      let
        pkgs = import nixpkgs { inherit system; };
      in
      {
        packages.default = pkgs.hello;
        packages.web = pkgs.hello;
        devShells.default = pkgs.mkShell { };
      }
    ) // { overlays.default = _: _: { }; };
}
";
    let (style, diff) = advised(flake, None).unwrap();
    assert_eq!(style, "flake-utils");
    insta::assert_snapshot!(diff, @"
    @@ -2,9 +2,12 @@
       outputs = { self, nixpkgs, flake-utils }:
         flake-utils.lib.eachDefaultSystem (system:
           let
    +        splitterOutputs = (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
             pkgs = import nixpkgs { inherit system; };
           in
           {
    +        packages = { inherit (splitterOutputs.packages) api; };
    +        inherit (splitterOutputs) checks legacyPackages;
             packages.default = pkgs.hello;
             packages.web = pkgs.hello;
             devShells.default = pkgs.mkShell { };
    ");
}

#[test]
fn outputs_with_singular_names_stay_the_users() {
    let utils = "{
  outputs = { nixpkgs, flake-utils, ... }:
    flake-utils.lib.eachDefaultSystem (system:
      let pkgs = nixpkgs.legacyPackages.${system}; in {
        defaultPackage = pkgs.hello;
        devShell = pkgs.mkShell { };
        checks.web = pkgs.hello;
      });
}
";
    let (_, diff, kept) = advised_with_kept(utils, None).unwrap();
    insta::assert_snapshot!(diff, @r#"
    @@ -1,7 +1,13 @@
     {
       outputs = { nixpkgs, flake-utils, ... }:
         flake-utils.lib.eachDefaultSystem (system:
    -      let pkgs = nixpkgs.legacyPackages.${system}; in {
    +      let
    +        splitterOutputs = (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +        pkgs = nixpkgs.legacyPackages.${system};
    +      in {
    +        packages = builtins.removeAttrs splitterOutputs.packages [ "default" ];
    +        checks = { inherit (splitterOutputs.checks) api web-test; };
    +        inherit (splitterOutputs) legacyPackages;
             defaultPackage = pkgs.hello;
             devShell = pkgs.mkShell { };
             checks.web = pkgs.hello;
    "#);
    assert_eq!(kept, "checks.web: splitterOutputs.checks.web, devShell: splitterOutputs.devShells.default");
    let plain = "{
  outputs = { nixpkgs, ... }: {
    packages.x86_64-linux.web = nixpkgs.legacyPackages.x86_64-linux.hello;
    checks.x86_64-linux.own = nixpkgs.legacyPackages.x86_64-linux.hello;
    defaultPackage.x86_64-linux = nixpkgs.legacyPackages.x86_64-linux.hello;
    devShell.x86_64-linux = nixpkgs.legacyPackages.x86_64-linux.mkShell { };
  };
}
";
    let (_, diff, kept) = advised_with_kept(plain, None).unwrap();
    insta::assert_snapshot!(diff, @"
    @@ -1,5 +1,10 @@
     {
    -  outputs = { nixpkgs, ... }: {
    +  outputs = { nixpkgs, ... }: let
    +    splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +  in {
    +    packages.x86_64-linux = { inherit ((splitterFor nixpkgs.legacyPackages.x86_64-linux).packages) api; };
    +    legacyPackages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).legacyPackages;
    +    checks.x86_64-linux = { inherit ((splitterFor nixpkgs.legacyPackages.x86_64-linux).checks) api web web-test; };
         packages.x86_64-linux.web = nixpkgs.legacyPackages.x86_64-linux.hello;
         checks.x86_64-linux.own = nixpkgs.legacyPackages.x86_64-linux.hello;
         defaultPackage.x86_64-linux = nixpkgs.legacyPackages.x86_64-linux.hello;
    ");
    assert_eq!(kept, "packages.web: (splitterFor pkgs).packages.web, devShell: (splitterFor pkgs).devShells.default");
    let only_default = plain.replace("packages.x86_64-linux.web", "overlays.x86_64-linux");
    let diff = advised(&only_default, None).unwrap().1;
    assert!(diff.contains("packages.x86_64-linux = builtins.removeAttrs (splitterFor"), "{diff}");
}

#[test]
fn each_let_gets_a_line_in_its_own_form() {
    for (bindings, expected) in [
        ("let\n  a = 1;\nin", "let\n  NEW\n  a = 1;\nin"),
        ("let a = 1; in", "let\n  NEW\n  a = 1;\nin"),
        ("let a = 1;\n    b = 2;\nin", "let a = 1;\n    b = 2;\n    NEW\nin"),
        ("let a = 1;\n    b = 2; # two\nin", "let a = 1;\n    b = 2; # two\n    NEW\nin"),
        ("let a = {\n  };\nin", "let a = {\n  };\n    NEW\nin"),
        ("let a = {\n  }; in", "let\n  NEW\n  a = {\n  };\nin"),
        ("let in", "let\n  NEW\nin"),
    ] {
        let indented = |text: &str| format!("{{\n  a =\n  {} a; }}", text.replace('\n', "\n  "));
        let (text, expected) = (indented(bindings), indented(expected));
        let root = rnix::Root::parse(&text).ok().unwrap();
        let Some(rnix::ast::Expr::AttrSet(set)) = root.expr() else { panic!("{text}") };
        let Some(rnix::ast::Expr::LetIn(found)) = syntax::value(&set, "a") else { panic!("{text}") };
        let body = syntax::let_body(&found).unwrap();
        assert_eq!(apply(&text, &body.insert(&text, &["NEW".to_owned()])), expected);
    }
}

#[test]
fn git_applies_the_diff_as_it_is() {
    let long = "    # a comment\n".repeat(20);
    for flake in [
        "{ outputs = { nixpkgs, ... }: { }; }".to_owned(),
        format!("{{\n  outputs = {{ nixpkgs, ... }}: {{\n{long}    packages.x86_64-linux = {{ }};\n{long}  }};\n}}"),
        "{ outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { systems = [ ]; }; }\n".to_owned(),
        format!(
            "{{\r\n  inputs.nixpkgs.url = \"nixpkgs\";\r\n  outputs = {{ nixpkgs, ... }}: {{\r\n{long}  }};\r\n}}\r\n"
        ),
    ] {
        let Advice::Insert { insertions, .. } =
            advice(&flake, Wanted { input: Some("path:/x"), packages: &[], checks: &[] })
        else {
            panic!("{flake}");
        };
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("flake.nix"), &flake).unwrap();
        let text = format!("--- a/flake.nix\n+++ b/flake.nix\n{}", diff(&flake, &insertions));
        fs_err::write(folder.path().join("x.diff"), &text).unwrap();
        let mut git = std::process::Command::new("git");
        let output = git.args(["apply", "x.diff"]).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs_err::read_to_string(folder.path().join("flake.nix")).unwrap(), apply(&flake, &insertions));
    }
}

#[test]
fn flake_parts_get_an_import_and_systems_if_there_are_none() {
    let flake = |module: &str| {
        format!(
            "{{\n  outputs = inputs@{{ nixpkgs, ... }}:\n    inputs.flake-parts.lib.mkFlake {{ inherit inputs; }} {module};\n}}\n"
        )
    };
    let with = flake(
        "{\n      imports = [\n        inputs.devenv.flakeModule\n      ];\n      systems = [ \"x86_64-linux\" ];\n    }",
    );
    insta::assert_snapshot!(advised(&with, None).unwrap().1, @r#"
    @@ -2,6 +2,7 @@
       outputs = inputs@{ nixpkgs, ... }:
         inputs.flake-parts.lib.mkFlake { inherit inputs; } {
           imports = [
    +        ./nix/splitter/flake-module.nix
             inputs.devenv.flakeModule
           ];
           systems = [ "x86_64-linux" ];
    "#);
    let without = flake("({ withSystem, ... }: {\n      perSystem = { };\n    })");
    insta::assert_snapshot!(advised(&without, None).unwrap().1, @"
    @@ -1,6 +1,8 @@
     {
       outputs = inputs@{ nixpkgs, ... }:
         inputs.flake-parts.lib.mkFlake { inherit inputs; } ({ withSystem, ... }: {
    +      imports = [ ./nix/splitter/flake-module.nix ];
    +      systems = import ./nix/splitter/systems.nix nixpkgs.lib;
           perSystem = { };
         });
     }
    ");
    assert!(advised(&flake("./flake-parts.nix"), None).unwrap_err().contains("another file"));
}

#[test]
fn splitter_as_an_input_is_declared_and_named() {
    let flake = "{
  inputs = {
    nixpkgs.url = \"nixpkgs\";
  };
  outputs = { nixpkgs, ... }: {
    packages.x86_64-linux = { };
  };
}
";
    insta::assert_snapshot!(advised(flake, Some("github:owner/splitter")).unwrap().1, @r#"
    @@ -1,8 +1,15 @@
     {
       inputs = {
    +    splitter.url = "github:owner/splitter";
    +    splitter.inputs.nixpkgs.follows = "nixpkgs";
         nixpkgs.url = "nixpkgs";
       };
    -  outputs = { nixpkgs, ... }: {
    +  outputs = { splitter, nixpkgs, ... }: let
    +    splitterFor = pkgs: (splitter.lib.mkSplit { inherit pkgs; root = ./.; }).outputs;
    +  in {
    -    packages.x86_64-linux = { };
    +    legacyPackages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).legacyPackages;
    +    checks.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).checks;
    +    devShells.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).devShells;
    +    packages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).packages // { };
       };
     }
    "#);
    let parts = "{ outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { systems = [ ]; }; }\n";
    insta::assert_snapshot!(advised(parts, Some("path:/x")).unwrap().1, @r#"
    @@ -1,1 +1,7 @@
    -{ outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { systems = [ ]; }; }
    +{
    +  inputs.splitter.url = "path:/x";
    +  outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } {
    +  imports = [ inputs.splitter.flakeModules.default ];
    +  systems = [ ];
    + };
    + }
    "#);
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    for flake in [
        "{ outputs = import ./outputs.nix; }",
        "{ outputs = { nixpkgs, ... }: nixpkgs.lib.foldl' f { } systems; }",
        "{ outputs = { nixpkgs, ... }: { packages = import ./packages.nix; }; }",
        "{ outputs = { nixpkgs, ... }: { packages.${s}.default = 1; }; }",
        "{ outputs = { nixpkgs, ... }: let p = 1; in { inherit (p) packages; }; }",
        "{ outputs = { self }: { }; }",
        "{ outputs = ",
        "",
    ] {
        assert!(advised(flake, None).is_err(), "{flake}");
    }
}

#[test]
fn hostile_nesting_ends_in_an_answer() {
    for (start, end) in [("[", ""), ("!", ""), ("a ", ""), ("a+", "a"), ("a:", "a"), ("{a=", "")] {
        for text in [start.repeat(2_000) + end, start.repeat(LIMIT)] {
            assert!(matches!(
                advice(&text, Wanted { input: None, packages: &[], checks: &[] }),
                Advice::Unknown { .. }
            ));
        }
    }
}

#[test]
fn uses_are_found_in_every_form_and_through_files() {
    let root = "flake.nix".parse::<RepoPath>().unwrap();
    let of = |files: &[(&str, &str)]| uses(&MemoryTree::new(files.iter().copied()), &root).unwrap();
    for text in [
        "{ imports = [ ./nix/splitter ]; }",
        "{ imports = [ ./nix/splitter/flake-module.nix ]; }",
        "import ./nix/splitter/default.nix { }",
        "{ self }: import \"${self}/nix/splitter\" { }",
        "{ self }: import (self + \"/nix/splitter\") { }",
        "import (./. + \"/nix/splitter\") { }",
    ] {
        assert!(of(&[("flake.nix", text)]).folder.is_some(), "{text}");
    }
    for text in [
        "# ./nix/splitter\n{ }",
        "import ./nix/splitter/systems.nix",
        "{ a = \"see nix/splitter\"; }",
        "./nix/splitter2",
    ] {
        assert_eq!(of(&[("flake.nix", text)]).folder, None, "{text}");
    }
    let through = of(&[
        ("flake.nix", "import ./nix"),
        ("nix/default.nix", "[ ./a.nix ]"),
        ("nix/a.nix", "import ./splitter { }"),
    ]);
    assert_eq!(through.folder.unwrap().as_str(), "nix/a.nix");
    assert!(of(&[("flake.nix", "inputs: inputs.splitter.lib.mkSplit { }")]).input.is_some());
    assert!(of(&[("flake.nix", "{ splitter }: [ splitter.flakeModules.default ]")]).input.is_some());
    let old = "{ inherit (builtins.fromJSON (builtins.readFile ./nix/splitter/splitter.lock.json)) systems; }";
    assert!(of(&[("flake.nix", old)]).record.is_some());
}
