//! Installs the programs that check workflows, from PyPI, into a folder of Python's own.
//!
//! pip finds the index through its own configuration, so mirrors work. All versions are in `linters.txt`.

use std::process::Command;

use camino::Utf8Path;
use fs_err as fs;

use crate::{Result, nix, process};

/// The exact versions, with those of their dependencies.
const VERSIONS: &str = include_str!("../linters.txt");

/// Installs them if they are missing, and returns whether it did. Without Python their tests are skipped; that is not an error.
pub(crate) fn install_if_missing(tools: &Utf8Path) -> Result<bool> {
    // actionlint checks the shell of workflows with it, if it is there.
    if nix::is_debian_root() {
        nix::require_programs(&["shellcheck"])?;
    }
    let folder = tools.join("linters");
    // Written last, so an interrupted installation is repeated.
    let mark = folder.join(".versions");
    if fs::read_to_string(&mark).is_ok_and(|text| text == VERSIONS) {
        return Ok(false);
    }
    if !process::exists("python3") {
        eprintln!("setup: WARNING: python3 not found; tests of the written workflows are SKIPPED");
        return Ok(false);
    }
    eprintln!("setup: installing linters of workflows");
    let make = || process::run_silently(Command::new("python3").args(["-m", "venv", "--clear", folder.as_str()]));
    if make().is_err() {
        // Debian has this part of Python in a package of its own.
        nix::install_debian_packages(&["python3-venv"])?;
        make()?;
    }
    let list = folder.join("versions.txt");
    fs::write(&list, VERSIONS)?;
    let mut pip = Command::new(folder.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
    process::run_silently(pip.args(["--requirement", list.as_str()]))?;
    fs::write(mark, VERSIONS)?;
    Ok(true)
}
