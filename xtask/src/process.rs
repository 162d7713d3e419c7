//! Runs programs. Every error names the program.

use std::{
    ffi::OsStr,
    process::{Command, Output},
};

use camino::Utf8Path;

use crate::Result;

/// Runs `command` with the same stdout and stderr as this program.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("could not run {}: {error}", name(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", name(command)).into()) }
}

/// Runs `command` without output, and returns its stdout. An error contains its stderr.
pub(crate) fn run_silently(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|error| format!("could not run {}: {error}", name(command)))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim().to_owned());
    }
    Err(format!("{} failed: {status}\n{}", name(command), String::from_utf8_lossy(&stderr).trim()).into())
}

/// Whether a program is on `PATH`, or among the system's programs, which are not on everybody's.
pub(crate) fn exists(program: &str) -> bool {
    which::which(program).is_ok()
        || ["/usr/sbin", "/sbin"].iter().any(|folder| Utf8Path::new(folder).join(program).is_file())
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let text = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    format!("`{text}`")
}
