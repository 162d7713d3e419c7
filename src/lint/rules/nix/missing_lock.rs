//! `missing-lock`: a flake without a lock.

use rnix::ast::{Expr, HasEntry as _, Param};

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
    about: "Flakes without inputs need no lock. Flakes in folders of templates, examples and tests are not found.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r##"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  outputs = { nixpkgs, ... }: { };
}
"##,
            )],
        },
        Example {
            findings: 0,
            files: &[
                (
                    "flake.nix",
                    r##"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  outputs = { nixpkgs, ... }: { };
}
"##,
                ),
                (
                    "flake.lock",
                    r##"{ "nodes": { "root": { } }, "root": "root", "version": 7 }
"##,
                ),
            ],
        },
        Example {
            findings: 1,
            files: &[("dev/flake.nix", r##"{ inputs = { a.url = "b"; }; outputs = _: { }; }"##), ("flake.lock", "{}")],
        },
        Example {
            findings: 0,
            files: &[
                ("templates/a/flake.nix", r##"{ inputs = { a.url = "b"; }; outputs = _: { }; }"##),
                ("a/flake.nix", "{ outputs = { self }: { }; }"),
                ("b/flake.nix", "{ inputs = { }; outputs = { self }: { }; }"),
            ],
        },
        Example { findings: 1, files: &[("c/flake.nix", "{ outputs = { self, nixpkgs }: { }; }")] },
    ],
};

/// Words in paths of flakes that others copy.
const SAMPLES: [&str; 7] = ["template", "example", "fixture", "test", "sample", "demo", "snippet"];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    let path = file.file.path;
    let lock = file.file.beside("flake.lock");
    let folder = path.strip_suffix("flake.nix").unwrap_or_default().to_ascii_lowercase();
    let is_sample = SAMPLES.iter().any(|word| folder.contains(word));
    if !file.is_flake() || file.context.has(&lock) || is_sample {
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
        if path.first().is_some_and(|name| name == "inputs") && !is_empty {
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
