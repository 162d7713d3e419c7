//! `install-after-sources`: an install that every edit runs again.

use super::{installs, stages};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{Dockerfile, Instruction},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "install-after-sources",
    level: Level::Warning,
    is_taste: false,
    why: "All sources are copied before the packages are installed, so every edit of any file installs everything again.",
    remedy: "Copy the manifests and the lockfile first, install, and copy the sources after that.",
    about: "Found is `COPY . …` or `ADD . …` before an install in the same stage. An install with a cache mount, or one with `--offline`, still \
            runs again, but downloads nothing, and is not found. Stages after `turbo prune` and copies of single folders are not found. \
            splitter cuts this for you: its install depends on nothing but the lock set.",
    checks: &[Check::Dockerfile(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "Dockerfile",
                "FROM oven/bun:1\nWORKDIR /app\nCOPY . .\nRUN bun install --frozen-lockfile\nRUN bun run build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM oven/bun:1\nCOPY package.json bun.lock ./\nRUN bun install --frozen-lockfile\nCOPY . .\nRUN bun run build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM node:24 AS prune\nCOPY . .\nRUN turbo prune web --docker\nFROM node:24 AS deps\nCOPY --from=prune /out/json .\nRUN yarn install --immutable\nFROM node:24\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci\nFROM node:24\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev\n",
            )],
        },
        Example {
            findings: 1,
            files: &[("Dockerfile", "FROM node:24\nADD ./ /app/\nRUN cd /app && corepack enable && \\\n  yarn\n")],
        },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM node:24\nCOPY . .\nRUN npm install -g \"turbo@^2\"\nRUN npm i pm2\nRUN turbo prune web --docker\n",
            )],
        },
    ],
};

fn check(file: &Dockerfile<'_>, found: &mut Found<'_>) {
    for stage in stages(file) {
        let Some(copy) = stage.iter().position(copies_all) else { continue };
        // A first install before the copy already has its layer.
        if stage[..copy].iter().any(|instruction| installs(instruction)) {
            continue;
        }
        let install = stage[copy..].iter().find(|instruction| installs(instruction));
        if let Some(install) = install.filter(|install| {
            !install.arguments.starts_with("--mount=type=cache") && !install.arguments.contains("--offline")
        }) {
            let line = crate::diagnostic::Position::of_offset(file.file.text, install.range.start).line;
            found.add(stage[copy].range.clone(), format!("line {line} installs packages after this"));
        }
    }
}

/// Whether an instruction copies the whole build context.
fn copies_all(instruction: &Instruction<'_>) -> bool {
    let mut words = instruction.arguments.split_whitespace().filter(|word| !word.starts_with("--"));
    let is_copy = matches!(instruction.name.as_str(), "COPY" | "ADD") && !instruction.arguments.contains("--from");
    is_copy && matches!(words.next(), Some("." | "./")) && words.count() == 1
}
