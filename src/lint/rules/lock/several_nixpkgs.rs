//! `several-nixpkgs`: several copies of nixpkgs.

use super::lock;
use crate::lint::{Check, Example, Found, Level, Rule, view::JsonFile};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "several-nixpkgs",
    level: Level::Info,
    is_taste: false,
    why: "Inputs bring a nixpkgs of their own, so each is downloaded and evaluated, and their packages share nothing with yours.",
    remedy: "Let them follow yours, unless their own cache has builds with their nixpkgs.",
    about: r#"Inputs whose own `flake.lock` pins nixpkgs bring it along until `inputs.NAME.inputs.nixpkgs.follows = "nixpkgs"` says otherwise. A second nixpkgs that is a direct input of yours is a choice, and not found. Many inputs are built against their own nixpkgs on purpose, so that their cache has them; so this is only worth to know."#,
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
      "original": { "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-26.05", "type": "github" }
    },
    "nixpkgs_2": {
      "locked": { "lastModified": 1790000000, "owner": "NixOS", "repo": "nixpkgs", "rev": "def", "type": "github" },
      "original": { "owner": "NixOS", "repo": "nixpkgs", "type": "github" }
    },
    "tool": { "inputs": { "nixpkgs": "nixpkgs_2" }, "locked": { "type": "github" }, "original": { "type": "github" } },
    "root": { "inputs": { "nixpkgs": "nixpkgs", "tool": "tool" } }
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
    "tool": { "inputs": { "nixpkgs": ["nixpkgs"] }, "locked": { "type": "github" }, "original": { "type": "github" } },
    "root": { "inputs": { "nixpkgs": "nixpkgs", "tool": "tool" } }
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
    let own = lock::direct_nixpkgs(file);
    let Some(first) = own.first() else { return };
    let others = lock::indirect_nixpkgs(file);
    let Some((_, place)) = others.first() else { return };
    let mut names: Vec<&str> = others.iter().map(|(input, _)| input.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (message, verb) = (shown.join(", "), if names.len() == 1 { "brings" } else { "bring" });
    let lines: Vec<String> =
        names.iter().map(|name| format!("`inputs.{name}.inputs.nixpkgs.follows = \"{}\";`", first.input)).collect();
    let remedy = format!("Add {} to the flake, unless their own cache has builds with their nixpkgs.", lines.join(" "));
    found.add_with(place.clone(), format!("{message} {verb} a nixpkgs of their own"), remedy);
}
