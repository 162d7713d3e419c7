//! `old-lock`: an old pin.

use super::lock;
use crate::lint::{Check, Example, Found, Level, Rule, view::JsonFile};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "old-lock",
    level: Level::Info,
    is_taste: false,
    why: "The pinned nixpkgs is older than 90 days, so security fixes are missing and caches may have dropped what it needs.",
    remedy: "Run `nix flake update nixpkgs`.",
    about: "The date is `lastModified` of the pinned commit. Nothing asks the network.",
    checks: &[Check::Lock(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.lock",
                r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1770000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
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
    ],
};

/// The age from which a pin is old, in seconds.
const OLD: u64 = 90 * 24 * 60 * 60;

fn check(file: &JsonFile<'_>, found: &mut Found<'_>) {
    for node in lock::direct_nixpkgs(file) {
        let Some(age) = node.last_modified.and_then(|time| file.context.now.checked_sub(time)) else { continue };
        if age > OLD {
            found.add(node.place, format!("`{}` is {} days old", node.input, age / (24 * 60 * 60)));
        }
    }
}
