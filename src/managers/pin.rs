//! Which package manager a repository pins, and where its program comes from.
//!
//! The lockfile says which package manager it is; what the repository pins must agree with it, since another version
//! would resolve anew or write another format.

use serde::{Deserialize, Serialize};

use super::{ManagerError, ManagerName};
use crate::{
    lockfile::Format,
    repo::{RepoPath, Tree},
    system::System,
};

/// A package manager and its exact version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageManager {
    /// Its name.
    pub name: ManagerName,
    /// Its exact version.
    pub version: String,
    /// Its program, where that is a file of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<RepoPath>,
}

/// A package manager, and how it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What was chosen.
    pub manager: PackageManager,
    /// What said so: a file and field, or that nothing did.
    pub source: &'static str,
}

/// The npm package that holds a package manager's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramPackage {
    /// The system that it is for; none where it serves all.
    pub system: Option<System>,
    /// The package's name.
    pub name: &'static str,
}

impl PackageManager {
    /// The npm packages that hold its program for these systems: one for each, or one for all, or none where the
    /// program is a file of the repository.
    pub fn program_packages(&self, systems: &[System]) -> Vec<ProgramPackage> {
        if self.file.is_some() { Vec::new() } else { self.name.manager().program_packages(systems) }
    }
}

impl ProgramPackage {
    /// Where it is recorded: under its system, or `common`.
    pub fn part(&self) -> &'static str {
        self.system.map_or("common", System::name)
    }
}

/// All in a repository that may pin a version.
pub(crate) struct Pinned<'a> {
    /// The repository.
    pub(crate) tree: &'a dyn Tree,
    /// `packageManager` of the root manifest, without a hash.
    pub(crate) package_manager: Option<&'a str>,
    /// The root manifest.
    pub(crate) manifest: &'a serde_json::Value,
    /// The lockfile's format.
    pub(crate) format: Format,
    /// The program that a settings file names.
    pub(crate) program: Option<RepoPath>,
}

impl<'a> Pinned<'a> {
    /// `packageManager` of the root manifest, whole and without the package manager's own name; refused where it names
    /// another one than `name`.
    pub(super) fn in_manifest(&self, name: &str) -> Result<Option<(&'a str, &'a str)>, ManagerError> {
        let Some(pin) = self.package_manager else { return Ok(None) };
        match pin.strip_prefix(name).and_then(|rest| rest.strip_prefix('@')) {
            Some(version) => Ok(Some((pin, version))),
            None => Err(ManagerError::WrongManager { pin: pin.to_owned(), lockfile: self.format.file() }),
        }
    }

    /// An exact version in `engines` of the root manifest.
    pub(super) fn engine(&self, name: &str) -> Option<String> {
        self.manifest.get("engines")?.get(name)?.as_str().and_then(exact)
    }
}

/// `1.2.3`, with a prerelease where there is one. It becomes part of a URL.
pub(super) fn exact(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split('-').next()?;
    let numbers: Vec<_> = core.split('.').collect();
    let plain = numbers.len() == 3 && numbers.iter().all(|number| !number.is_empty() && number.parse::<u32>().is_ok());
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain && clean).then(|| text.to_owned())
}

/// Major, minor and patch; a prerelease counts as its release.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split('-').next().unwrap_or_default().split('.').map(|number| number.parse().unwrap_or(0)).collect()
}
