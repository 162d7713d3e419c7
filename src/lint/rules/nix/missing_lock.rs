//! `missing-lock`: a flake without a lock.

use rnix::ast::{AttrpathValue, Expr, HasEntry as _, Param, Str};
use rowan::ast::AstNode as _;

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "missing-lock",
    level: Level::Error,
    is_taste: false,
    why: "Without a `flake.lock` in git, everyone builds with other versions of the inputs, and the caches have none of them.",
    remedy: "Run `nix flake lock`, and add `flake.lock` to git.",
    about: "Flakes without inputs, or with only paths as inputs, need no lock. If the root has a flake, only that one is looked at.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r#"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  outputs = { nixpkgs, ... }: { };
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[
                (
                    "flake.nix",
                    r#"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  outputs = { nixpkgs, ... }: { };
}
"#,
                ),
                (
                    "flake.lock",
                    r#"{ "nodes": { "root": { } }, "root": "root", "version": 7 }
"#,
                ),
            ],
        },
        Example {
            findings: 1,
            files: &[("dev/flake.nix", r#"{ inputs = { a.url = "b"; }; outputs = _: { }; }"#), ("flake.lock", "{}")],
        },
        Example {
            findings: 0,
            files: &[
                ("c/flake.nix", r#"{ inputs = { a.url = "path:.."; }; outputs = _: { }; }"#),
                ("a/flake.nix", "{ outputs = { self }: { }; }"),
                ("b/flake.nix", "{ inputs = { }; outputs = { self }: { }; }"),
            ],
        },
        Example { findings: 1, files: &[("c/flake.nix", "{ outputs = { self, nixpkgs }: { }; }")] },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    let path = file.file.path;
    let lock = file.file.beside("flake.lock");
    // A flake in a folder beside the one at the root is a tool of its own, which often gets its lock elsewhere.
    let is_aside = path.contains('/') && file.context.has("flake.nix");
    if !file.is_flake() || file.context.has(&lock) || is_aside {
        return;
    }
    let Some(place) = inputs(file) else { return };
    if file.context.ignored_locks.contains(&lock) {
        found.add_with(place, "git ignores `flake.lock`", "Remove `flake.lock` from `.gitignore`, and add it to git.");
    } else {
        found.add(place, "there is no `flake.lock`");
    }
}

/// Returns the bytes of the inputs of a flake, if it has any.
fn inputs(file: &NixFile<'_>) -> Option<std::ops::Range<usize>> {
    let Some(Expr::AttrSet(flake)) = file.expr() else { return None };
    for (path, entry) in nix::definitions(&flake) {
        let is_empty = matches!(entry.value(), Some(Expr::AttrSet(set)) if set.entries().next().is_none());
        if path.first().is_some_and(|name| name == "inputs") && !is_empty && !has_only_paths(&entry) {
            return Some(nix::key(&entry));
        }
    }
    // An argument of `outputs` that is no declared input is one from the registry.
    let outputs = nix::definitions(&flake).find(|(path, _)| *path == ["outputs"])?.1;
    let Some(Expr::Lambda(function)) = outputs.value() else { return None };
    let Some(Param::Pattern(pattern)) = function.param() else { return None };
    let has_input = pattern.pat_entries().filter_map(|entry| entry.ident()).any(|ident| ident.to_string() != "self");
    has_input.then(|| nix::key(&outputs))
}

/// Whether all addresses in a definition are paths in the repository.
fn has_only_paths(entry: &AttrpathValue) -> bool {
    let texts: Vec<String> = entry.syntax().descendants().filter_map(Str::cast).map(|text| text.to_string()).collect();
    !texts.is_empty() && texts.iter().all(|text| ["\"path:", "\".", "\"/"].iter().any(|start| text.starts_with(start)))
}
