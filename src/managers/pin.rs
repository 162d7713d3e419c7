//! Which package manager a repository pins, and where its program comes from.
//!
//! The lockfile decides which package manager it is. The pin must agree: another version would resolve the dependencies
//! again or write another lockfile format.

use serde::{Deserialize, Serialize};

use super::{ManagerError, ManagerName};
use crate::{
    lockfile::Format,
    repo::{RepoPath, Tree},
    system::System,
};

/// The source of a choice that nothing in the repository makes.
pub(super) const FROM_NOTHING: &str = "splitter's default: no version is pinned";

/// A package manager and its exact version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageManager {
    /// Its name.
    pub name: ManagerName,
    /// Its exact version.
    pub version: String,
    /// The path of its program, if the program is a file of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<RepoPath>,
}

/// A package manager, and the source of the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The package manager.
    pub manager: PackageManager,
    /// The file and field that pin it, or a note that nothing does.
    pub source: &'static str,
}

/// The npm package that holds a package manager's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramPackage {
    /// The system that it is for, or `None` if it works on all systems.
    pub system: Option<System>,
    /// The package's name.
    pub name: &'static str,
}

impl PackageManager {
    /// Returns the npm packages that hold the program for `systems`: one per system, or one for all of them. Returns
    /// none if the program is a file of the repository.
    pub fn program_packages(&self, systems: &[System]) -> Vec<ProgramPackage> {
        if self.file.is_some() { Vec::new() } else { self.name.manager().program_packages(systems) }
    }
}

impl Pin {
    /// Whether nothing in the repository pins the package manager.
    pub fn is_default(&self) -> bool {
        self.source == FROM_NOTHING
    }
}

impl ProgramPackage {
    /// Returns the part of the record that lists this package: its system, or `common`.
    pub fn part(&self) -> &'static str {
        self.system.map_or("common", System::name)
    }
}

/// The places in a repository that can pin a version.
pub(crate) struct Pinned<'a> {
    /// The repository.
    pub(crate) tree: &'a dyn Tree,
    /// `packageManager` of the root manifest, without its hash.
    pub(crate) package_manager: Option<&'a str>,
    /// The root manifest.
    pub(crate) manifest: &'a serde_json::Value,
    /// The lockfile's format.
    pub(crate) format: Format,
    /// The program that a settings file names, for example by `yarnPath`.
    pub(crate) program: Option<RepoPath>,
}

impl<'a> Pinned<'a> {
    /// Returns `packageManager` of the root manifest twice: as written, and the version alone. Fails if it names a
    /// package manager other than `name`.
    pub(super) fn in_manifest(&self, name: &str) -> Result<Option<(&'a str, &'a str)>, ManagerError> {
        let Some(pin) = self.package_manager else { return Ok(None) };
        match pin.strip_prefix(name).and_then(|rest| rest.strip_prefix('@')) {
            Some(version) => Ok(Some((pin, version))),
            None => Err(ManagerError::WrongManager { pin: pin.to_owned(), lockfile: self.format.file() }),
        }
    }

    /// Returns the version of `name` in `engines` of the root manifest, if it is exact.
    pub(super) fn engine(&self, name: &str) -> Option<String> {
        self.manifest.get("engines")?.get(name)?.as_str().and_then(exact)
    }
}

/// Returns the version if it is exact: `1.2.3`, optionally with a prerelease. The result becomes part of a URL.
pub(super) fn exact(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split('-').next()?;
    let numbers: Vec<_> = core.split('.').collect();
    let plain = numbers.len() == 3 && numbers.iter().all(|number| !number.is_empty() && number.parse::<u32>().is_ok());
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain && clean).then(|| text.to_owned())
}

/// Returns major, minor and patch. A prerelease counts as its release.
pub(crate) fn numbers(version: &str) -> Vec<u32> {
    version.split('-').next().unwrap_or_default().split('.').map(|number| number.parse().unwrap_or(0)).collect()
}
