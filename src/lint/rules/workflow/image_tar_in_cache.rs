//! `image-tar-in-cache`: whole image tars pushed to a binary cache.

use super::actions;
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{
        Command, NixCall, YamlFile,
        jobs::{self, Job, Step},
        yaml::Node,
    },
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "image-tar-in-cache",
    level: Level::Warning,
    is_taste: false,
    why: "The image is a tar in the store, so every change uploads all of its layers to the binary cache once more.",
    remedy: "Stream the image (`streamLayeredImage`, nix2container, `splitter images`), or keep it out with cachix-action's `pushFilter`.",
    about: "Found is a job with a cache that it pushes to, which builds a tar and loads it: `docker load < result`, `skopeo copy \
            docker-archive:result`. A registry stores each layer once; a binary cache stores the tar of each build.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  image:\n    steps:\n      - uses: cachix/cachix-action@v17\n        with:\n          name: example\n          authToken: ${{ secrets.CACHIX_AUTH_TOKEN }}\n      - run: nix build .#image\n      - run: docker load < result\n",
            )],
        },
        Example {
            findings: 1,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "jobs:\n  image:\n    steps:\n      - uses: ./.github/actions/nix\n        with:\n          token: ${{ secrets.CACHIX }}\n      - run: nix build .#image && docker load -i result\n  readonly:\n    steps:\n      - uses: ./.github/actions/nix\n      - run: nix build .#image && docker load -i result\n",
                ),
                (
                    ".github/actions/nix/action.yml",
                    "runs:\n  using: composite\n  steps:\n    - uses: cachix/cachix-action@v17\n      with:\n        name: example\n        authToken: ${{ inputs.token }}\n",
                ),
            ],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  image:\n    steps:\n      - uses: cachix/cachix-action@v17\n        with:\n          name: example\n          authToken: ${{ secrets.CACHIX_AUTH_TOKEN }}\n      - run: nix build .#image\n      - run: ./result | docker load\n  readonly:\n    steps:\n      - uses: cachix/cachix-action@v17\n        with:\n          name: example\n      - run: nix build .#image && docker load < result\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        let pushes = pushes(file, &job);
        let mut has_built = false;
        for command in job.commands().filter(|_| pushes) {
            has_built |= NixCall::of(command).is_some_and(|call| call.is_own_build());
            if has_built && loads_result(file, command) {
                found.add(command.range.clone(), "the image is a tar in the store, which the cache gets");
                break;
            }
        }
    }
}

/// Whether everything that a job builds is pushed. A local action gets the token as an input.
fn pushes(file: &YamlFile<'_>, job: &Job<'_>) -> bool {
    let gives_secret = |step: &Step<'_>| {
        let is_local = step.uses.as_ref().is_some_and(|uses| uses.action.starts_with("./"));
        let inputs = step.node.get("with").map_or(&[][..], Node::entries);
        is_local && inputs.iter().any(|(_, value)| value.text().is_some_and(|text| text.contains("secrets.")))
    };
    job.steps.iter().any(actions::pushes)
        || job.commands().any(|command| command.program() == "attic" && command.has("watch-store"))
        || (job.steps.iter().any(gives_secret) && actions::local(file, job).pushes)
}

/// Whether a command loads a tar that Nix built.
fn loads_result(file: &YamlFile<'_>, command: &Command<'_>) -> bool {
    let line = file.file.text[command.range.start..].split(['\n', ';', '|']).next().unwrap_or_default();
    let is_load = matches!(command.program(), "docker" | "podman") && command.has("load");
    let names_result = |text: &str| {
        text.split(|letter: char| letter.is_whitespace() || "<\"'=:".contains(letter)).any(|word| {
            let word = word.trim_start_matches("./");
            word == "result" || (word.starts_with("result-") && !word.contains(".tar"))
        })
    };
    (is_load && names_result(line))
        || (command.program() == "skopeo" && line.contains("docker-archive:") && names_result(line))
}
