//! `unpinned-action`: an action for Nix at a tag or a branch.

use super::{actions, dated_action};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "unpinned-action",
    level: Level::Info,
    is_taste: false,
    why: "The owner of the action can move a tag or a branch to other code at any time.",
    remedy: "Pin the commit, with the version as a comment; Dependabot and Renovate keep both.",
    about: "An installer gets root rights and a cache action gets a token. `DeterminateSystems/nix-installer-action@main` is why this matters \
            for Nix: on 2026-01-01 it began to install Determinate Nix only. zizmor checks all actions (`unpinned-uses`); this rule checks \
            those for Nix, and `--fix` knows their commits.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: NixOS/nix-installer-action@main\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: cachix/install-nix-action@630ae543ea3a38a9a4166f03376c02c50f408342 # v31.11.0\n      - uses: actions/setup-node@v4\n      - uses: ./.github/actions/nix\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        for step in &job.steps {
            let Some(uses) = step.uses.as_ref().filter(|uses| !uses.is_commit()) else { continue };
            let Some(action) = actions::known(uses).filter(|action| action.role.is_some()) else { continue };
            let message = format!("`{}` is at `{}`, which is not a commit", uses.action, uses.reference);
            dated_action::mend(uses, action, message, found);
        }
    }
}
