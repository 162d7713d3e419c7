//! `install-in-build`: an install where no network is.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, shell},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "install-in-build",
    level: Level::Error,
    is_taste: false,
    why: "A build has no network, so an install of npm packages in it fails, or passes only on machines without a sandbox.",
    remedy: "Install in a derivation with a hash, or let splitter build `node_modules` from the lockfile: run `splitter init`.",
    about: "Phases that use an offline mirror, a cache of packages, or a hook of nixpkgs (`npmConfigHook`, `pnpm.configHook`, `yarnConfigHook`) are not found, nor are fixed outputs and dev shells.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "web.nix",
                r#"{ stdenv, bun }:
stdenv.mkDerivation {
  name = "web";
  src = ./web;
  nativeBuildInputs = [ bun ];
  buildPhase = ''
    bun install --frozen-lockfile
    bun run build
  '';
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "web.nix",
                r#"{ stdenv, bun, nodeModules }:
stdenv.mkDerivation {
  name = "web";
  src = ./web;
  nativeBuildInputs = [ bun ];
  buildPhase = ''
    cp -r ${nodeModules}/node_modules .
    bun run build
  '';
}
"#,
            )],
        },
        Example {
            findings: 2,
            files: &[(
                "a.nix",
                r#"{ pkgs }: {
  a = pkgs.runCommand "a" { } "cd ${./.}; ${pkgs.yarn}/bin/yarn --frozen-lockfile && echo";
  b = pkgs.stdenvNoCC.mkDerivation (finalAttrs: { preBuild = "HOME=$TMPDIR npm ci"; });
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{ pkgs }: {
  a = pkgs.stdenv.mkDerivation { outputHash = "x"; outputHashMode = "recursive"; buildPhase = "npm ci"; };
  b = pkgs.mkShell { shellHook = "bun install"; };
  c = pkgs.stdenv.mkDerivation { buildPhase = "yarn install --offline; echo 'run bun install'"; };
  d = pkgs.stdenv.mkDerivation { npmDeps = x; buildPhase = "npm ci"; };
  e = pkgs.stdenv.mkDerivation { buildPhase = "yarn run build; # yarn install"; };
  f = pkgs.writeShellScriptBin "setup" "bun install";
}
"#,
            )],
        },
    ],
};

/// Words of a derivation whose install needs no network.
const OFFLINE: [&str; 16] = [
    "offline",
    "Offline",
    "npmDeps",
    "pnpmDeps",
    "fetchNpmDeps",
    "fetchYarnDeps",
    "fetchDeps",
    "onfigHook",
    "bunDeps",
    "bun2nix",
    "npm_config_cache",
    "BUN_INSTALL_CACHE_DIR",
    "--cache",
    "--registry",
    "mirror",
    "__impure",
];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for derivation in file.derivations().iter().filter(|derivation| !derivation.is_fixed()) {
        let text = derivation.text();
        if OFFLINE.iter().any(|word| text.contains(word)) {
            continue;
        }
        for script in derivation.scripts() {
            for command in script.commands().filter(shell::installs_packages) {
                let is_global = ["-g", "--global"].iter().any(|option| command.has(option));
                if !is_global {
                    let shown = [command.program(), command.verb().unwrap_or_default()].join(" ");
                    found.add(command.range, format!("`{}` in a derivation without a hash", shown.trim_end()));
                }
            }
        }
    }
}
