//! `dropped-system`: a system that nixpkgs dropped.

use rnix::ast::{Expr, List};
use rowan::ast::AstNode as _;

use super::lock;
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{JsonFile, NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "dropped-system",
    level: Level::Error,
    is_taste: false,
    why: "Since 26.11 nixpkgs has no `x86_64-darwin`, so evaluating that system fails.",
    remedy: "Remove `x86_64-darwin` from the systems, or stay on nixos-26.05.",
    about: "The list of systems in `flake.nix` is compared with the release that `flake.lock` pins. splitter's own files leave the system out by themselves.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[
                (
                    "flake.nix",
                    r#"{ outputs = { nixpkgs, ... }: { systems = [ "x86_64-linux" "x86_64-darwin" ]; }; }
"#,
                ),
                (
                    "flake.lock",
                    r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-26.11", "type": "github" }
    },
    "root": { "inputs": { "nixpkgs": "nixpkgs" } }
  },
  "root": "root",
  "version": 7
}
"#,
                ),
            ],
        },
        Example {
            findings: 0,
            files: &[
                (
                    "flake.nix",
                    r#"{ outputs = { nixpkgs, ... }: { systems = [ "x86_64-linux" "x86_64-darwin" ]; }; }
"#,
                ),
                (
                    "flake.lock",
                    r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-26.05", "type": "github" }
    },
    "root": { "inputs": { "nixpkgs": "nixpkgs" } }
  },
  "root": "root",
  "version": 7
}
"#,
                ),
            ],
        },
        Example {
            findings: 0,
            files: &[
                (
                    "flake.nix",
                    r#"{ description = "no x86_64-darwin"; outputs = { nixpkgs, ... }: if system == "x86_64-darwin" then a else b; }"#,
                ),
                (
                    "flake.lock",
                    r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-26.11", "type": "github" }
    },
    "root": { "inputs": { "nixpkgs": "nixpkgs" } }
  },
  "root": "root",
  "version": 7
}
"#,
                ),
            ],
        },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    if !file.is_flake() {
        return;
    }
    let Some(text) = file.context.file(&file.file.beside("flake.lock")) else { return };
    let Some(lock) = JsonFile::parse(file.context, *text) else { return };
    let nodes = lock::direct_nixpkgs(&lock);
    // With several releases, each system may use another one.
    let all_dropped = !nodes.is_empty()
        && nodes.iter().all(|node| node.release().is_some_and(|release| (release.year, release.month) >= (26, 11)));
    for string in file.strings.iter().filter(|_| all_dropped) {
        let is_item = string.syntax().parent().is_some_and(|parent| List::can_cast(parent.kind()));
        if is_item && nix::literal(&Expr::Str(string.clone())).as_deref() == Some("x86_64-darwin") {
            found.add(nix::span(string), "this nixpkgs has no `x86_64-darwin`");
        }
    }
}
