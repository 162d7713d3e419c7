//! `tool-in-image`: a program in an image that nothing in its Dockerfile runs.

use super::stages;
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{Dockerfile, Instruction},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "tool-in-image",
    level: Level::Info,
    is_taste: false,
    why: "The image has a tool that nothing in its Dockerfile runs; it makes each pull larger, and helps an intruder.",
    remedy: "Take it out, or use it in an earlier stage and copy the result.",
    about: "Found are `git`, `curl`, `wget` and editors in the last stage, if no instruction of that stage names them again. The program of the image \
            may still start them, so this is only a hint. Development containers are not found. hadolint checks versions and cleaning up.",
    checks: &[Check::Dockerfile(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "Dockerfile",
                "FROM node:24-slim\nRUN apt-get update && apt-get install -y git\nCMD [\"node\", \"main.js\"]\n",
            )],
        },
        Example { findings: 1, files: &[("Dockerfile", "FROM debian:13\nRUN apt-get install -y git vim\n")] },
        Example { findings: 0, files: &[(".devcontainer/Dockerfile", "FROM debian:13\nRUN apt-get install -y vim\n")] },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM node:24 AS build\nRUN apt-get install -y git\nFROM node:24-slim\nRUN apt-get update && apt-get install -y curl wget && \\\n  wget https://example.com/a\nHEALTHCHECK CMD curl -f http://localhost\n",
            )],
        },
    ],
};

const TOOLS: [&str; 8] = ["git", "curl", "wget", "vim", "vim-tiny", "neovim", "nano", "emacs"];

fn check(file: &Dockerfile<'_>, found: &mut Found<'_>) {
    let base = file.named("FROM").last().map_or("", |from| from.arguments);
    if file.file.path.contains("devcontainer")
        || base.contains("devcontainer")
        || file.file.path.contains("codesandbox")
    {
        return;
    }
    let Some(stage) = stages(file).pop() else { return };
    for instruction in stage {
        let installed = installed(instruction);
        let is_unused = |name: &&&str| installed.contains(*name) && !is_used(stage, instruction, name);
        let unused: Vec<String> = TOOLS.iter().filter(is_unused).map(|name| format!("`{name}`")).collect();
        if !unused.is_empty() {
            found.add(instruction.range.clone(), format!("nothing here runs {}", unused.join(", ")));
        }
    }
}

/// Returns the packages that an instruction installs with the package manager of the distribution.
fn installed<'a>(instruction: &Instruction<'a>) -> Vec<&'a str> {
    let is_manager =
        |program: &str| matches!(program, "apt" | "apt-get" | "apk" | "dnf" | "yum" | "microdnf" | "zypper");
    let commands = instruction.commands().into_iter();
    let installs =
        commands.filter(|command| is_manager(command.program()) && (command.has("install") || command.has("add")));
    // A version may follow: `git=2.49.1-r0`.
    installs.flat_map(|command| command.words).map(|word| word.split('=').next().unwrap_or(word)).collect()
}

/// Whether something in the stage may run a program: another command, a script that is copied, a health check.
fn is_used(stage: &[Instruction<'_>], install: &Instruction<'_>, name: &str) -> bool {
    let names = |text: &str| {
        text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').any(|word| word == name)
    };
    let others = stage.iter().filter(|other| other.range != install.range);
    let mut later =
        others.filter(|other| matches!(other.name.as_str(), "RUN" | "CMD" | "ENTRYPOINT" | "HEALTHCHECK" | "SHELL"));
    let in_same = install.commands().iter().any(|command| command.program() == name);
    in_same || later.any(|other| names(other.arguments))
}
