//! `store-in-actions-cache`: `/nix/store` in `actions/cache`.

use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{YamlFile, jobs, yaml::Node},
};

pub(super) const RULE: Rule = Rule {
    name: "store-in-actions-cache",
    level: Level::Error,
    is_taste: false,
    why: "`actions/cache` cannot restore `/nix/store`: its files are read-only, and the database does not know them.",
    remedy: "Use `nix-community/cache-nix-action`, or a binary cache.",
    about: "`splitter ci init` writes a workflow with either. GitLab's `cache` takes only paths inside of the project, so `/nix` is not saved at \
            all: use a `file://` binary cache in a folder of the project. A volume that a runner mounts at `/nix` is fine, and not found.",
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
                "jobs:\n  build:\n    steps:\n      - uses: actions/cache@v4\n        with:\n          path: ~/.bun/install/cache\n      - uses: nix-community/cache-nix-action@v7\n        with:\n          paths: /nix\n      - uses: namespacelabs/nscloud-cache-action@v1\n        with:\n          path: /nix\n",
            )],
        },
        Example {
            findings: 2,
            files: &[(
                ".gitlab-ci.yml",
                "build:\n  cache:\n    key: nix\n    paths:\n      - /nix/store\n      - .nix-cache\n  script: [nix build]\ntest:\n  cache:\n    - paths: [/nix/]\n  script: nix flake check\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        for step in &job.steps {
            let Some(uses) = step.uses.as_ref().filter(|uses| uses.action.ends_with("/cache")) else { continue };
            if let Some(path) = step.input("path") {
                check_path(file, path, uses.action, found);
            }
        }
        let caches =
            job.node.get("cache").filter(|_| file.file.kind == Kind::Gitlab).map_or(&[][..], Node::one_or_more);
        for path in caches.iter().filter_map(|cache| cache.get("paths")).flat_map(Node::items) {
            check_path(file, path, "cache", found);
        }
    }
}

fn check_path(file: &YamlFile<'_>, path: &Node, action: &str, found: &mut Found<'_>) {
    let text = path.text().unwrap_or_default();
    let is_store = |line: &&str| matches!(line.trim().trim_end_matches(['/', '*']), "/nix" | "/nix/store" | "/nix/var");
    if let Some(line) = text.lines().find(is_store) {
        let start = text.find(line).unwrap_or_default();
        found.add(file.place(path, &(start..start + line.len())), format!("`{action}` saves `{}`", line.trim()));
    }
}
