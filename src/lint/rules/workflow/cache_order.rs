//! `cache-order`: a binary cache before the store cache.

use super::actions::{self, Role};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "cache-order",
    level: Level::Warning,
    is_taste: false,
    why: "The store cache replaces the store's database after the binary cache began to watch it.",
    remedy: "Restore the store cache first, then set up the binary cache.",
    about: "`cachix-action` installs a client into the store and watches what is built from then on. A store that is restored afterwards may \
            lose the client, and its paths look new.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - uses: cachix/cachix-action@v17\n      - uses: nix-community/cache-nix-action@v7\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - uses: nix-community/cache-nix-action/restore@v7\n      - uses: cachix/cachix-action@v17\n      - run: nix build\n      - uses: nix-community/cache-nix-action/save@v7\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        let Some(binary) = job.steps.iter().position(|step| actions::role(step) == Some(Role::BinaryCache)) else {
            continue;
        };
        let later = job.steps[binary..].iter();
        let stores = later.filter(|step| actions::role(step) == Some(Role::StoreCache) && !actions::only_saves(step));
        for uses in stores.filter_map(|step| step.uses.as_ref()) {
            found.add(
                uses.range.clone(),
                format!("`{}` restores the store after a binary cache is set up", uses.action),
            );
        }
    }
}
