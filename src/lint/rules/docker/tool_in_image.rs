//! `tool-in-image`: a program in an image that nothing in its Dockerfile runs.

use camino::Utf8Path;

use super::stages;
use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{Dockerfile, Instruction},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "tool-in-image",
    level: Level::Info,
    is_taste: false,
    why: "A tool that the program of the image does not start makes each pull larger, and helps an intruder.",
    remedy: "If the program does not start it either, take it out, or use it in an earlier stage and copy the result.",
    about: "Found are editors, and `git`, `curl` and `wget` in the last stage, if no instruction of that stage names them again. A program may \
            still start `git` or `curl` by itself, which no Dockerfile says. So these are not found if something hints at it: the image \
            starts a script, an `action.yml` is beside it, a manifest has a package that runs `git`, or a compose file may have a health check. \
            Development containers and images for CI are not found. hadolint checks versions and cleaning up.",
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
        // An editor is for people, whatever the image starts.
        Example {
            findings: 1,
            files: &[("Dockerfile", "FROM debian:13\nRUN apt-get install -y git vim\nCMD [\"./start.sh\"]\n")],
        },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM debian:13\nRUN apt-get install -y curl\nENTRYPOINT [\"docker-entrypoint.sh\"]\n",
            )],
        },
        Example {
            findings: 0,
            files: &[
                ("Dockerfile", "FROM node:24\nRUN apt-get install -y git\nCMD [\"node\", \"main.js\"]\n"),
                ("package.json", "{ \"dependencies\": { \"simple-git\": \"3\" } }"),
            ],
        },
        Example {
            findings: 0,
            files: &[
                ("web/Dockerfile", "FROM node:24\nRUN apt-get install -y curl\nCMD [\"node\", \"main.js\"]\n"),
                ("docker-compose.yml", "services: {}"),
            ],
        },
        Example {
            findings: 0,
            files: &[
                ("Dockerfile", "FROM node:24\nRUN apt-get install -y git\nCMD [\"node\", \"main.js\"]\n"),
                ("action.yml", "runs:\n  using: docker\n  image: Dockerfile\n"),
            ],
        },
        Example {
            findings: 0,
            files: &[(
                "Dockerfile",
                "FROM alpine\nCOPY install.sh .\nRUN apk add curl\nRUN ./install.sh\nCMD [\"web\"]\n",
            )],
        },
        Example { findings: 0, files: &[("Dockerfile.ci", "FROM node:24\nRUN apt-get install -y git\n")] },
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

/// Editors, which only people start.
const EDITORS: [&str; 5] = ["vim", "vim-tiny", "neovim", "nano", "emacs"];

/// Tools that programs start too.
const TOOLS: [&str; 3] = ["git", "curl", "wget"];

/// Parts of the names of npm packages that run `git`.
const OF_GIT: [&str; 12] = [
    "git",
    "commitlint",
    "lerna",
    "semantic-release",
    "conventional-",
    "changeset",
    "lint-staged",
    "release-it",
    "renovate",
    "husky",
    "release-please",
    "degit",
];

fn check(file: &Dockerfile<'_>, found: &mut Found<'_>) {
    if is_for_people(file) {
        return;
    }
    let Some(stage) = stages(file).pop() else { return };
    for instruction in stage {
        let installed = installed(instruction);
        let is_unused = |name: &&&str| installed.contains(*name) && !is_used(stage, instruction, name);
        let tools = TOOLS.iter().filter(|name| !may_be_started(file, stage, name));
        let unused: Vec<String> = tools.chain(&EDITORS).filter(is_unused).map(|name| format!("`{name}`")).collect();
        if !unused.is_empty() {
            let message = format!("nothing in this Dockerfile runs {}", unused.join(", "));
            found.add(instruction.range.clone(), message);
        }
    }
}

/// Whether people or CI systems work in the image.
fn is_for_people(file: &Dockerfile<'_>) -> bool {
    let base = file.named("FROM").last().map_or("", |from| from.arguments);
    let path = file.file.path;
    let is_ci =
        path.split(['/', '.', '-', '_']).any(|part| matches!(part, "ci" | "dev" | "runner" | "builder" | "action"));
    is_ci || path.contains("devcontainer") || path.contains("codesandbox") || base.contains("devcontainer")
}

/// Whether something in the repository hints that the program of the image starts a tool.
fn may_be_started(file: &Dockerfile<'_>, stage: &[Instruction<'_>], name: &str) -> bool {
    let starts = stage.iter().filter(|one| matches!(one.name.as_str(), "CMD" | "ENTRYPOINT"));
    let is_script = starts.map(|one| one.arguments).any(|text| text.contains(".sh") || text.contains("entrypoint"));
    // A script that is run while the image is built may use the tool.
    let runs = stage.iter().filter(|one| one.name == "RUN").flat_map(Instruction::commands);
    let runs_script =
        runs.into_iter().any(|command| command.words.iter().any(|word| Utf8Path::new(word).extension() == Some("sh")));
    let is_action = ["action.yml", "action.yaml"].iter().any(|name| file.context.has(&file.file.beside(name)));
    if is_script || runs_script || is_action {
        return true;
    }
    if name == "git" {
        let manifests = file.context.of_kinds(&[Kind::Manifest]);
        return manifests.into_iter().any(|manifest| runs_git(manifest.text));
    }
    let is_compose = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_yaml = matches!(Utf8Path::new(name).extension(), Some("yml" | "yaml"));
        (name.contains("compose") && is_yaml) || name == "fly.toml"
    };
    file.context.paths.iter().any(is_compose)
}

/// Whether a manifest names a package or a script that runs `git`. URLs and paths with `git` in them do not count.
fn runs_git(manifest: &str) -> bool {
    let words = manifest.split(|letter: char| !letter.is_ascii_alphanumeric() && !"@/-.:+".contains(letter));
    let names = words.filter(|word| !word.contains("://") && !word.contains(".git") && !word.contains("github"));
    names.into_iter().any(|word| word != "git" && OF_GIT.iter().any(|part| word.contains(part)))
        || manifest.contains("\"git ")
        || manifest.contains("&& git ")
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
