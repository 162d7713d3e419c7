//! Running programs: every failure says which program it was.

use std::{
    ffi::OsStr,
    process::{Command, Output},
};

use crate::Result;

/// Runs `command` with its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", name(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", name(command)).into()) }
}

/// Runs `command` silently; its error output is part of the failure.
pub(crate) fn run_silently(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|error| format!("cannot run {}: {error}", name(command)))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim().to_owned());
    }
    Err(format!("{} failed: {status}\n{}", name(command), String::from_utf8_lossy(&stderr).trim()).into())
}

/// Whether a program of this name can be started.
pub(crate) fn exists(program: &str) -> bool {
    which::which(program).is_ok()
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let text = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    format!("`{text}`")
}
