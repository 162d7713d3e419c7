//! `push-after-build`: what is built is pushed in the end.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{Command, NixCall, YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "push-after-build",
    level: Level::Info,
    is_taste: false,
    why: "If the build fails or is cancelled, nothing is pushed, and the upload of a long build starts only at its end.",
    remedy: "Push while building: `splitter cache push`, `cachix watch-exec`, or cachix-action with its daemon.",
    about: "Pushing the wanted outputs once more at the end is right, because paths that were substituted are not pushed while building. For \
            short builds it makes no difference.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - run: nix build\n      - run: cachix push example ./result\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: cachix/cachix-action@v17\n      - run: nix build\n      - run: cachix pin example web ./result\n  other:\n    steps:\n      - run: cachix watch-exec example -- nix build\n      - run: cachix push example ./result\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        let streams = job.steps.iter().any(|step| step.uses("cachix/cachix-action") || step.uses("Mic92/hestia"))
            || job.commands().any(|command| command.words.iter().any(|word| word.starts_with("watch-")));
        let mut has_built = false;
        for command in job.commands() {
            has_built |= NixCall::of(command).is_some_and(|call| call.is_own_build());
            if has_built && !streams && is_push(command) {
                found.add(command.range.clone(), "pushes after the build");
                break;
            }
        }
    }
}

fn is_push(command: &Command<'_>) -> bool {
    let copies = || NixCall::of(command).is_some_and(|call| call.is("copy") && call.has("--to"));
    (matches!(command.program(), "cachix" | "attic") && command.verb() == Some("push")) || copies()
}
