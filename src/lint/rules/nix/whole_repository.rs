//! `whole-repository`: a source set that is everything.

use rnix::ast::Expr;

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "whole-repository",
    level: Level::Error,
    is_taste: false,
    why: "The source is the whole monorepo, so an edit of any file, even of a README, builds this package again.",
    remedy: "Take what the package reads with `lib.fileset.toSource`, or let splitter find it: run `splitter init`.",
    about: "This is about packages built with Bun, Yarn, npm or pnpm in a repository whose `package.json` has workspaces. `lib.cleanSource` only drops `.git` and editor files. A `src` with a filter is not found.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[
                (
                    "flake.nix",
                    r#"{ outputs = { self, nixpkgs }: {
  packages.x86_64-linux.web = nixpkgs.legacyPackages.x86_64-linux.stdenv.mkDerivation {
    name = "web";
    src = ./.;
    nativeBuildInputs = [ nixpkgs.legacyPackages.x86_64-linux.bun ];
    buildPhase = "bun run --filter web build";
  };
}; }
"#,
                ),
                ("flake.lock", r#"{ "nodes": { "root": { } }, "root": "root", "version": 7 }"#),
                (
                    "package.json",
                    r#"{ "workspaces": ["apps/*"] }
"#,
                ),
            ],
        },
        Example {
            findings: 0,
            files: &[
                (
                    "flake.nix",
                    r#"{ outputs = { self, nixpkgs }: {
  packages.x86_64-linux.web = nixpkgs.legacyPackages.x86_64-linux.stdenv.mkDerivation {
    name = "web";
    src = nixpkgs.lib.fileset.toSource { root = ./.; fileset = ./apps/web; };
    nativeBuildInputs = [ nixpkgs.legacyPackages.x86_64-linux.bun ];
    buildPhase = "bun run --filter web build";
  };
}; }
"#,
                ),
                (
                    "package.json",
                    r#"{ "workspaces": ["apps/*"] }
"#,
                ),
            ],
        },
        Example {
            findings: 2,
            files: &[
                (
                    "nix/a.nix",
                    r#"{ a = buildNpmPackage { src = lib.cleanSource ../.; }; b = mkYarnPackage { src = inputs.self; }; c = stdenv.mkDerivation { src = ../.; buildPhase = "make"; }; }"#,
                ),
                ("package.json", r#"{"workspaces": {"packages": ["a"]}}"#),
            ],
        },
        Example {
            findings: 0,
            files: &[
                ("nix/a.nix", "{ a = buildNpmPackage { src = ./.; }; b = mkYarnPackage { src = ../apps/web; }; }"),
                ("package.json", r#"{"workspaces": ["a"]}"#),
            ],
        },
        Example {
            findings: 0,
            files: &[
                ("default.nix", "{ a = buildNpmPackage { src = ./.; }; }"),
                ("package.json", r#"{"name": "single"}"#),
            ],
        },
    ],
};

/// Programs that build JavaScript.
const PROGRAMS: [&str; 9] = ["bun", "yarn", "npm", "pnpm", "npx", "bunx", "turbo", "nx", "lerna"];

/// Functions that drop nothing that people edit.
const UNFILTERED: [&str; 2] = ["cleanSource", "path"];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for derivation in file.derivations().iter().filter(|derivation| !derivation.is_fixed()) {
        let Some(source) = derivation.attribute("src") else { continue };
        let is_ours = derivation.is_javascript() || builds_javascript(derivation);
        if is_ours && folder(file, &source).is_some_and(|folder| has_workspaces(file, &folder)) {
            found.add(derivation.place("src"), "`src` is the whole monorepo");
        }
    }
}

fn builds_javascript(derivation: &nix::Derivation) -> bool {
    let scripts = derivation.scripts();
    scripts.iter().any(|script| script.commands().any(|command| PROGRAMS.contains(&command.program())))
}

/// Returns the folder in the repository that a source is, if it is one without a filter.
fn folder(file: &NixFile<'_>, source: &Expr) -> Option<String> {
    let source = nix::resolve(source);
    match &source {
        Expr::PathRel(path) => joined(file.file.path, &path.to_string()),
        Expr::Ident(_) | Expr::Select(_) if is_self(&source) => Some(String::new()),
        Expr::Str(text) => (text.to_string() == "\"${self}\"").then(String::new),
        Expr::Apply(_) => {
            let (head, arguments) = nix::call(&source);
            let name = nix::last_name(&head).filter(|name| UNFILTERED.contains(&name.as_str()))?;
            match (name.as_str(), nix::resolve(arguments.first()?)) {
                ("path", Expr::AttrSet(set)) if nix::value_in(&set, "filter").is_none() => {
                    folder(file, &nix::value_in(&set, "path")?)
                }
                ("cleanSource", inner) => folder(file, &inner),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether an expression is the flake itself, at the root of the repository.
fn is_self(source: &Expr) -> bool {
    matches!(
        nix::path(source).iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
        ["self"] | ["inputs", "self"] | ["self", "outPath"]
    )
}

/// Returns the folder that a relative path leads to.
fn joined(file: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Whether a folder is the root of a monorepo.
fn has_workspaces(file: &NixFile<'_>, folder: &str) -> bool {
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let manifest = file.context.file(&below("package.json"));
    file.context.has(&below("pnpm-workspace.yaml"))
        || manifest.is_some_and(|manifest| manifest.text.contains("\"workspaces\""))
}
