use super::{insert::apply, *};
use crate::repo::{MemoryTree, RepoPath};

const PACKAGES: [&str; 2] = ["api", "web"];

fn advised(text: &str, input: Option<&str>) -> Result<(&'static str, String), &'static str> {
    let packages = PACKAGES.map(str::to_owned);
    match advice(text, Wanted { input, packages: &packages }) {
        Advice::Insert { style, insertions } => {
            let new = apply(text, &insertions);
            assert!(rnix::Root::parse(&new).ok().is_ok(), "{new}");
            Ok((style, diff(text, &insertions)))
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
    insta::assert_snapshot!(diff, @"
    @@ -4,0 +5,1 @@
    +      splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    @@ -7,0 +9,2 @@
    +      legacyPackages = forAllSystems (system: (splitterFor nixpkgs.legacyPackages.${system}).legacyPackages);
    +      checks = forAllSystems (system: (splitterFor nixpkgs.legacyPackages.${system}).checks);
    @@ -9,1 +12,1 @@
    -        let pkgs = nixpkgs.legacyPackages.${system}; in {
    +        let pkgs = nixpkgs.legacyPackages.${system}; in (splitterFor nixpkgs.legacyPackages.${system}).packages // {
    ");
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
    insta::assert_snapshot!(advised(fixed, None).unwrap().1, @"
    @@ -2,1 +2,4 @@
    -  outputs = inputs: {
    +  outputs = inputs:
    +    let
    +      splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +    in {
    @@ -2,0 +6,4 @@
    +    packages.x86_64-linux = { inherit ((splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).packages) api web; };
    +    legacyPackages.x86_64-linux = (splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).legacyPackages;
    +    checks.x86_64-linux = (splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).checks;
    +    devShells.x86_64-linux = (splitterFor inputs.nixpkgs.legacyPackages.x86_64-linux).devShells;
    ");
    let none = "{ outputs = { nixpkgs, ... }: { }; }\n";
    insta::assert_snapshot!(advised(none, None).unwrap().1, @"
    @@ -1,1 +1,4 @@
    -{ outputs = { nixpkgs, ... }: { }; }
    +{ outputs = { nixpkgs, ... }:
    +  let
    +    splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +  in { packages = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).packages); legacyPackages = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).legacyPackages); checks = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).checks); devShells = nixpkgs.lib.genAttrs (import ./nix/splitter/systems.nix nixpkgs.lib) (system: (splitterFor nixpkgs.legacyPackages.${system}).devShells); }; }
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
    @@ -4,0 +5,1 @@
    +        splitterOutputs = (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    @@ -7,0 +9,2 @@
    +        packages = { inherit (splitterOutputs.packages) api; };
    +        inherit (splitterOutputs) checks legacyPackages;
    ");
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
    insta::assert_snapshot!(advised(&with, None).unwrap().1, @"
    @@ -4,0 +5,1 @@
    +        ./nix/splitter/flake-module.nix
    ");
    let without = flake("({ withSystem, ... }: {\n      perSystem = { };\n    })");
    insta::assert_snapshot!(advised(&without, None).unwrap().1, @"
    @@ -3,0 +4,2 @@
    +      imports = [ ./nix/splitter/flake-module.nix ];
    +      systems = import ./nix/splitter/systems.nix nixpkgs.lib;
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
    @@ -2,0 +3,2 @@
    +    splitter.url = "github:owner/splitter";
    +    splitter.inputs.nixpkgs.follows = "nixpkgs";
    @@ -5,1 +7,4 @@
    -  outputs = { nixpkgs, ... }: {
    +  outputs = { splitter, nixpkgs, ... }:
    +    let
    +      splitterFor = pkgs: (splitter.lib.mkSplit { inherit pkgs; root = ./.; }).outputs;
    +    in {
    @@ -6,1 +11,4 @@
    -    packages.x86_64-linux = { };
    +    legacyPackages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).legacyPackages;
    +    checks.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).checks;
    +    devShells.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).devShells;
    +    packages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).packages // { };
    "#);
    let parts = "{ outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { systems = [ ]; }; }\n";
    insta::assert_snapshot!(advised(parts, Some("path:/x")).unwrap().1, @r#"
    @@ -1,1 +1,1 @@
    -{ outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { systems = [ ]; }; }
    +{ inputs.splitter.url = "path:/x"; outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { imports = [ inputs.splitter.flakeModules.default ]; systems = [ ]; }; }
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
            assert!(matches!(advice(&text, Wanted { input: None, packages: &[] }), Advice::Unknown { .. }));
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
