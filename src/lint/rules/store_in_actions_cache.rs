//! `store-in-actions-cache`: `/nix/store` in `actions/cache`.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{YamlFile, yaml::Node},
};

pub(super) const RULE: Rule = Rule {
    name: "store-in-actions-cache",
    level: Level::Error,
    is_taste: false,
    why: "`actions/cache` cannot restore `/nix/store`: its files are read-only, and the database does not know them.",
    remedy: "Use `nix-community/cache-nix-action`, or a binary cache.",
    about: "`splitter ci init` writes a workflow with either.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: actions/cache@v4\n        with:\n          path: |\n            ~/.cache\n            /nix/store\n          key: nix\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: actions/cache@v4\n        with:\n          path: ~/.bun/install/cache\n      - uses: nix-community/cache-nix-action@v7\n        with:\n          paths: /nix\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    let Some(root) = file.root() else { return };
    root.each(&mut |step| {
        let uses = step.get("uses").and_then(Node::text).unwrap_or_default();
        if !["actions/cache@", "actions/cache/restore@", "actions/cache/save@"]
            .iter()
            .any(|action| uses.starts_with(action))
        {
            return;
        }
        let Some(path) = step.at(&["with", "path"]) else { return };
        let text = path.text().unwrap_or_default();
        let is_store =
            |line: &&str| matches!(line.trim().trim_end_matches(['/', '*']), "/nix" | "/nix/store" | "/nix/var");
        if let Some(line) = text.lines().find(is_store) {
            let start = text.find(line).unwrap_or_default();
            found.add(file.place(path, &(start..start + line.len())), format!("`{uses}` saves `{}`", line.trim()));
        }
    });
}
