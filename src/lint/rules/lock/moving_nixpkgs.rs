//! `moving-nixpkgs`: nixpkgs from a branch that moves.

use super::lock;
use crate::lint::{Check, Example, Found, Level, Rule, view::JsonFile};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "moving-nixpkgs",
    level: Level::Info,
    is_taste: false,
    why: "`nix flake update` takes this nixpkgs to an unstable branch, with new major versions at any time.",
    remedy: "Follow a release: `github:NixOS/nixpkgs/nixos-26.05`.",
    about: "`flake.lock` pins nixpkgs anyway, so nothing changes without an update. What matters more is how old the pin is and whether the release is supported.",
    checks: &[Check::Lock(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.lock",
                r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-unstable", "type": "github" }
    },
    "root": { "inputs": { "nixpkgs": "nixpkgs" } }
  },
  "root": "root",
  "version": 7
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
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
            )],
        },
        Example {
            findings: 1,
            files: &[(
                "flake.lock",
                r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "type": "github" }
    },
    "root": { "inputs": { "nixpkgs": "nixpkgs" } }
  },
  "root": "root",
  "version": 7
}
"#,
            )],
        },
    ],
};

fn check(file: &JsonFile<'_>, found: &mut Found<'_>) {
    for node in lock::direct_nixpkgs(file) {
        let moves = node.branch.as_deref().is_none_or(|branch| branch.contains("unstable") || branch == "master");
        if moves && !node.is_commit {
            let branch = node.branch.as_deref().unwrap_or("the default branch");
            found.add(node.place, format!("`{}` follows {branch}", node.input));
        }
    }
}
