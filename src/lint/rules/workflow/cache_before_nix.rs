//! `cache-before-nix`: a cache that is set up before Nix is there.

use super::actions::{self, Role};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "cache-before-nix",
    level: Level::Error,
    is_taste: false,
    why: "The cache action needs Nix, which a later step installs.",
    remedy: "Install Nix first, then restore the store cache, then set up the binary cache.",
    about: "A job without a step that installs Nix is not found: its runner has Nix already. Volumes that a runner mounts at `/nix` belong \
            before the installer and are not found.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: nix-community/cache-nix-action@v7\n      - uses: cachix/install-nix-action@v31\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - uses: nix-community/cache-nix-action@v7\n      - uses: cachix/cachix-action@v17\n  own:\n    steps:\n      - uses: cachix/cachix-action@v17\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        let position = |role: Role| job.steps.iter().position(|step| actions::role(step) == Some(role));
        let Some(installer) = position(Role::Installer) else { continue };
        // Another way to install Nix may come before.
        let has_other = job.steps[..installer].iter().any(|step| {
            step.commands.iter().any(|command| command.words.iter().any(|word| word.contains("nix")))
                || step.uses.as_ref().is_some_and(|uses| uses.action.starts_with("./"))
        });
        for step in job.steps[..installer].iter().filter(|_| !has_other) {
            if let (Some(Role::StoreCache | Role::BinaryCache), Some(uses)) = (actions::role(step), &step.uses) {
                found.add(uses.range.clone(), format!("`{}` comes before the step that installs Nix", uses.action));
            }
        }
    }
}
