//! `unsupported-nixpkgs`: a release of nixpkgs past its end.

use super::lock;
use crate::lint::{Check, Example, Found, Level, Rule, view::JsonFile};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "unsupported-nixpkgs",
    level: Level::Warning,
    is_taste: false,
    why: "This release of nixpkgs gets no security fixes any more.",
    remedy: "Change the branch to a supported release, and run `nix flake update nixpkgs`.",
    about: "A release is supported for seven months: `nixos-YY.05` until the end of that year, `nixos-YY.11` until the end of the next June. Only direct inputs are found, since those are what you choose.",
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
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-25.11", "type": "github" }
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
            findings: 0,
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
            findings: 1,
            files: &[(
                "flake.lock",
                r#"{
  "nodes": {
    "nixpkgs": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixpkgs-24.11-darwin", "type": "github" }
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
    let nodes = lock::direct_nixpkgs(file);
    for node in &nodes {
        let Some(release) = node.release() else { continue };
        // `nixpkgs-2505` beside `nixpkgs` is there for packages that only the old release has.
        let is_meant =
            nodes.len() > 1 && node.input.replace(['.', '_', '-'], "").contains(&release.to_string().replace('.', ""));
        if !is_meant && file.context.now > release.end_of_support() {
            found.add(node.place.clone(), format!("`{}` is {release}, which is no longer supported", node.input));
        }
    }
}
