//! `impure-lookup`: values that the machine decides.

use rnix::ast::{Expr, HasEntry as _};
use rowan::ast::AstNode as _;

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "impure-lookup",
    level: Level::Warning,
    is_taste: false,
    why: "The value depends on the machine or the day, so builds differ, and flakes refuse it or get an empty value.",
    remedy: "Take it from an input of the flake, or add its hash.",
    about: "Found are `<nixpkgs>`, `builtins.currentSystem`, `builtins.currentTime` and `builtins.getEnv` in a `flake.nix`, and fetchers of `builtins` without a hash or a commit in any Nix file. `builtins.currentSystem or …` has a value for flakes and is not found.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r"{
  outputs = _: { packages.x86_64-linux.default = (import <nixpkgs> { }).hello; };
}
",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "flake.nix",
                r#"{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  outputs = { nixpkgs, ... }: { packages.x86_64-linux.default = nixpkgs.legacyPackages.x86_64-linux.hello; };
}
"#,
            )],
        },
        Example {
            findings: 3,
            files: &[(
                "a.nix",
                r#"{ a = builtins.fetchTarball "https://example.com/a.tar.gz"; b = fetchTarball { url = "https://example.com/master.tar.gz"; };
 c = builtins.fetchGit { url = "https://example.com/a"; ref = "main"; }; }"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "shell.nix",
                "{ pkgs ? import <nixpkgs> { }, system ? builtins.currentSystem }: pkgs.mkShell { }",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{ a = fetchTarball { url = "x"; sha256 = h; }; b = builtins.fetchGit { url = "x"; rev = r; }; c = builtins.fetchGit ./.; d = pkgs.fetchurl { url = "x"; };
 e = builtins.fetchTarball (import ./pin.nix); f = builtins.fetchTarball { inherit (lock) url sha256; }; g = fetchTarball "https://example.com/archive/0123456789012345678901234567890123456789.tar.gz"; }"#,
            )],
        },
        Example {
            findings: 2,
            files: &[(
                "flake.nix",
                r#"{ outputs = { nixpkgs, ... }: { a = nixpkgs.legacyPackages.${builtins.currentSystem}; b = builtins.getEnv "HOME"; c = builtins.currentSystem or "x86_64-linux"; }; }"#,
            )],
        },
    ],
};

/// Values of `builtins` that pure evaluation lacks.
const IMPURE: [&str; 3] = ["currentSystem", "currentTime", "getEnv"];

/// Fetchers of `builtins` that run while Nix evaluates.
const FETCHERS: [&str; 4] = ["fetchTarball", "fetchurl", "fetchGit", "fetchMercurial"];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    if file.is_flake() {
        for node in &file.search_paths {
            found.add(nix::range(node), format!("`{node}` is whatever this machine has"));
        }
        for select in file.selects.iter().filter(|select| select.default_expr().is_none()) {
            if let [builtins, name] = &nix::path(&Expr::Select(select.clone()))[..]
                && builtins == "builtins"
                && IMPURE.contains(&name.as_str())
            {
                found.add(nix::span(select), format!("`builtins.{name}` does not work in a flake"));
            }
        }
    }
    for call in &file.calls {
        let (head, arguments) = nix::call(&Expr::Apply(call.clone()));
        let (Some(name), Some(argument)) = (builtin_fetcher(&head), arguments.first()) else { continue };
        if !is_fixed(argument) {
            found.add(nix::span(&head), format!("`{name}` without a hash or a commit"));
        }
    }
}

/// Returns the name of a fetcher of `builtins`. `fetchTarball` and `fetchGit` are also known without it.
fn builtin_fetcher(head: &Expr) -> Option<String> {
    match (&nix::path(head)[..], head) {
        ([builtins, name], _) if builtins == "builtins" && FETCHERS.contains(&name.as_str()) => Some(name.clone()),
        ([name], Expr::Ident(ident)) if name == "fetchTarball" => {
            matches!(nix::lookup(name, ident.syntax()), nix::Bound::Free).then(|| name.clone())
        }
        _ => None,
    }
}

/// Whether an argument of a fetcher names the content, or may name it in another file.
fn is_fixed(argument: &Expr) -> bool {
    match nix::resolve(argument) {
        Expr::AttrSet(set) => {
            let names = ["sha256", "hash", "narHash", "rev"];
            let is_inherited = set
                .inherits()
                .any(|inherit| inherit.attrs().any(|attr| names.contains(&nix::attr_name(&attr).as_str())));
            is_inherited
                || names.iter().any(|name| nix::definitions(&set).any(|(path, _)| path == [*name]))
                || nix::value_in(&set, "url").is_some_and(|url| {
                    matches!(&url, Expr::Str(text) if names_commit(&text.to_string()))
                        || matches!(nix::resolve(&url), Expr::PathRel(_) | Expr::PathAbs(_))
                })
        }
        Expr::Str(text) => names_commit(&text.to_string()),
        // A path, or something that this file does not show.
        _ => true,
    }
}

/// Whether an address has a commit in it, so that its content hardly changes.
fn names_commit(text: &str) -> bool {
    let mut run = 0;
    let has_digits = text.bytes().any(|byte| {
        run = if byte.is_ascii_hexdigit() { run + 1 } else { 0 };
        run >= 40
    });
    has_digits || text.contains("rev}") || text.contains("${")
}
