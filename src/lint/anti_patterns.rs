//! The faults that guides and public repositories show most often, in one small repository each, and the rule that names each.

use super::{Choices, testing};

const LOCK: &str = r#"{ "nodes": { "nixpkgs": { "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "type": "github" },
  "original": { "owner": "NixOS", "ref": "nixos-unstable", "repo": "nixpkgs", "type": "github" } },
  "root": { "inputs": { "nixpkgs": "nixpkgs" } } }, "root": "root", "version": 7 }"#;

const FLAKE: &str = r#"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-darwin" ];
      forAllSystems = nixpkgs.lib.genAttrs systems;
    in {
      packages = forAllSystems (system: let pkgs = nixpkgs.legacyPackages.${system}; in {
        default = pkgs.stdenv.mkDerivation {
          pname = "web";
          version = "1.0.0";
          src = ./.;
          nativeBuildInputs = [ pkgs.bun pkgs.nodejs ];
          buildPhase = ''
            bun install --frozen-lockfile
            bun run build
          '';
        };
      });
    };
}
"#;

const WORKFLOW: &str = "\
on: pull_request
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: cachix/install-nix-action@v22
      - run: nix build
      - run: cachix push example ./result
  shell:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/cache@v3
        with:
          path: /nix/store
          key: nix
      - uses: DeterminateSystems/nix-installer-action@v14
      - uses: DeterminateSystems/magic-nix-cache-action@v8
      - run: nix-shell -p jq --run 'jq . package.json'
      - run: nix run nixpkgs#nixfmt -- --check .
      - run: nix build --option sandbox false
";

const DOCKERFILE: &str = "FROM oven/bun:1\nCOPY . .\nRUN bun install\nCMD [\"bun\", \"start\"]\n";

#[test]
fn the_well_known_faults_are_named() {
    let files = [
        ("flake.nix", FLAKE),
        ("flake.lock", LOCK),
        ("bun.lock", "{}"),
        ("package.json", "{ \"workspaces\": [\"apps/*\"], \"scripts\": { \"build\": \"vite build\" } }"),
        (".github/workflows/ci.yml", WORKFLOW),
        ("Dockerfile", DOCKERFILE),
        (".envrc", "use flake\n"),
    ];
    let found = testing::findings(&files, &Choices { is_pedantic: true, ..Choices::default() });
    for (rule, path) in [
        ("install-in-build", "flake.nix"),
        ("whole-repository", "flake.nix"),
        ("for-all-systems", "flake.nix"),
        ("nodejs-with-bun", "flake.nix"),
        ("moving-nixpkgs", "flake.lock"),
        ("no-nix-cache", ".github/workflows/ci.yml"),
        ("push-after-build", ".github/workflows/ci.yml"),
        ("dated-action", ".github/workflows/ci.yml"),
        ("unpinned-action", ".github/workflows/ci.yml"),
        ("store-in-actions-cache", ".github/workflows/ci.yml"),
        ("imperative-nix", ".github/workflows/ci.yml"),
        ("unlocked-tool", ".github/workflows/ci.yml"),
        ("sandbox-off", ".github/workflows/ci.yml"),
        ("dockerfile-beside-flake", "Dockerfile"),
        ("install-after-sources", "Dockerfile"),
        ("base-without-digest", "Dockerfile"),
        ("envrc-without-nix-direnv", ".envrc"),
    ] {
        assert!(
            found.iter().any(|finding| finding.rule.name == rule && finding.path == path),
            "{rule} in {path}: {found:#?}"
        );
    }
}

#[test]
fn matters_of_taste_are_off_unless_asked_for() {
    let files =
        [("flake.nix", FLAKE), ("flake.lock", LOCK), (".github/workflows/ci.yml", WORKFLOW), (".envrc", "use flake\n")];
    let found = testing::findings(&files, &Choices::default());
    assert!(!found.is_empty() && found.iter().all(|finding| !finding.rule.is_taste));
}
