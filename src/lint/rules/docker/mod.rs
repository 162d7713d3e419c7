//! Rules about Dockerfiles.

pub(super) mod base_without_digest;
pub(super) mod install_after_sources;
pub(super) mod tool_in_image;

use crate::lint::view::{Dockerfile, Instruction, shell};

/// Returns the instructions of each stage.
fn stages<'f, 'a>(file: &'f Dockerfile<'a>) -> Vec<&'f [Instruction<'a>]> {
    let starts: Vec<usize> = (0..file.instructions.len()).filter(|at| file.instructions[*at].name == "FROM").collect();
    let ends = starts.iter().skip(1).copied().chain([file.instructions.len()]);
    starts.iter().zip(ends).map(|(start, end)| &file.instructions[*start..end]).collect()
}

/// Whether an instruction installs the packages of a JavaScript project. `npm install -g turbo` installs a program instead.
fn installs(instruction: &Instruction<'_>) -> bool {
    instruction.name == "RUN" && instruction.commands().iter().any(installs_project)
}

fn installs_project(command: &shell::Command<'_>) -> bool {
    let is_global = command.has("-g") || command.has("--global") || command.has("global");
    // A word after an option may be its value.
    let is_name = |pair: &[&str]| !pair[0].starts_with('-') && !pair[1].starts_with('-');
    let names = command.words.windows(2).skip(1).filter(|pair| is_name(pair)).count();
    shell::installs_packages(command) && !is_global && names == 0
}
