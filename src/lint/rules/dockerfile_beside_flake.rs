//! `dockerfile-beside-flake`: two ways to build the same thing.

use crate::lint::{Check, Example, Found, Level, Rule, view::Dockerfile};

pub(super) const RULE: Rule = Rule {
    name: "dockerfile-beside-flake",
    level: Level::Info,
    is_taste: false,
    why: "The Dockerfile installs and builds again what the flake builds already, with other versions and no shared cache.",
    remedy: "Make the image from the flake's package: `splitter images` sends it without Docker.",
    about: "This is about a Dockerfile that installs JavaScript packages in a repository with a `flake.nix` at its root. A Dockerfile that only \
            copies a finished build, or that sets up a development container, is not found. hadolint checks Dockerfiles themselves.",
    checks: &[Check::Dockerfile(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[
                ("Dockerfile", "FROM oven/bun:1\nCOPY . .\nRUN bun install --frozen-lockfile\n"),
                ("flake.nix", "{ outputs = _: { }; }\n"),
                ("flake.lock", "{ \"nodes\": { \"root\": { } }, \"root\": \"root\", \"version\": 7 }\n"),
            ],
        },
        Example {
            findings: 1,
            files: &[
                (
                    "Dockerfile",
                    "FROM node:24\nRUN --mount=type=cache,target=/x \\\n    yarn workspaces focus --all --production\n",
                ),
                ("flake.nix", "{ outputs = _: { }; }\n"),
            ],
        },
        Example { findings: 0, files: &[("Dockerfile", "FROM oven/bun:1\nRUN bun install\n")] },
        Example {
            findings: 0,
            files: &[
                (".devcontainer/Dockerfile", "FROM oven/bun:1\nRUN bun install\n"),
                ("Dockerfile", "FROM scratch\nCOPY result /app\n"),
                ("flake.nix", "{ outputs = _: { }; }\n"),
            ],
        },
    ],
};

fn check(file: &Dockerfile<'_>, found: &mut Found<'_>) {
    if !file.context.has("flake.nix") || file.file.path.contains(".devcontainer/") {
        return;
    }
    let install = file.named("RUN").find(|instruction| {
        // `RUN` may have options before its commands.
        instruction.commands().iter().any(crate::lint::view::shell::installs_packages)
    });
    if let Some(install) = install {
        found.add(install.range.clone(), "installs packages, and the repository has a flake");
    }
}
