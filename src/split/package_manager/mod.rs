//! Which package manager a repository pins, and where its program comes from.
//!
//! The lockfile says which package manager it is; what the repository pins must agree with it, since another version
//! would resolve anew or write another format.

mod bun;
mod own_files;
mod yarn;

use serde::{Deserialize, Serialize};

pub(super) use self::own_files::OwnFiles;
use super::{SplitError, System, Workspaces};
use crate::{
    lockfile::Format,
    repo::{RepoPath, Tree},
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

/// The package managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManagerName {
    /// Bun.
    Bun,
    /// Yarn 1.
    YarnClassic,
    /// Yarn 2 and later.
    YarnBerry,
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

impl From<Format> for ManagerName {
    fn from(format: Format) -> Self {
        match format {
            Format::Bun(_) => Self::Bun,
            Format::YarnClassic => Self::YarnClassic,
            Format::YarnBerry(_) => Self::YarnBerry,
        }
    }
}

impl ManagerName {
    /// The program that a user runs.
    pub const fn command(self) -> &'static str {
        match self {
            Self::Bun => "bun",
            Self::YarnClassic | Self::YarnBerry => "yarn",
        }
    }

    /// Whether what runs source files runs TypeScript, too: a Node.js of any age does not.
    pub(super) const fn runs_typescript(self) -> bool {
        matches!(self, Self::Bun)
    }

    /// What runs a source file that is started without a build.
    pub const fn runtime(self) -> &'static str {
        match self {
            Self::Bun => "bun",
            Self::YarnClassic | Self::YarnBerry => "node",
        }
    }
}

impl PackageManager {
    /// The npm packages that hold its program for these systems: one for each, or one for all, or none where the
    /// program is a file of the repository.
    pub fn program_packages(&self, systems: &[System]) -> Vec<ProgramPackage> {
        match self.name {
            ManagerName::Bun => {
                systems.iter().map(|s| ProgramPackage { system: Some(*s), name: bun::program_package(*s) }).collect()
            }
            _ if self.file.is_some() => Vec::new(),
            ManagerName::YarnClassic => vec![ProgramPackage { system: None, name: "yarn" }],
            ManagerName::YarnBerry => vec![ProgramPackage { system: None, name: "@yarnpkg/cli-dist" }],
        }
    }
}

impl ProgramPackage {
    /// Where it is recorded: under its system, or `common`.
    pub fn part(&self) -> &'static str {
        self.system.map_or("common", System::name)
    }
}

/// Finds what a repository pins. `program` is the file that its rc file names as the package manager.
pub(super) fn pin(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    format: Format,
    program: Option<RepoPath>,
) -> Result<Pin, SplitError> {
    match format {
        Format::Bun(version) => bun::pin(tree, workspaces, version),
        Format::YarnClassic => yarn::classic(workspaces, program),
        Format::YarnBerry(version) => yarn::berry(workspaces, version, program),
    }
}

/// `packageManager` of the root manifest, without the package manager's own name; refused where it names another one
/// than `name`.
fn manifest_pin<'w>(
    workspaces: &'w Workspaces,
    name: &str,
    format: Format,
) -> Result<Option<(&'w str, &'w str)>, SplitError> {
    let Some(pin) = workspaces[&RepoPath::root()].package_manager.as_deref() else { return Ok(None) };
    match pin.strip_prefix(name).and_then(|rest| rest.strip_prefix('@')) {
        Some(version) => Ok(Some((pin, version))),
        None => Err(SplitError::WrongManager { pin: pin.to_owned(), lockfile: format.file() }),
    }
}

/// An exact version in `engines` of the root manifest.
fn engine(workspaces: &Workspaces, name: &str) -> Option<String> {
    let engines = workspaces[&RepoPath::root()].json.pointer("/engines")?;
    engines.get(name)?.as_str().and_then(exact)
}

/// `1.2.3`, with a prerelease where there is one. It becomes part of a URL.
fn exact(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split('-').next()?;
    let numbers: Vec<_> = core.split('.').collect();
    let plain = numbers.len() == 3 && numbers.iter().all(|number| !number.is_empty() && number.parse::<u32>().is_ok());
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain && clean).then(|| text.to_owned())
}

/// Major, minor and patch; a prerelease counts as its release.
fn numbers(version: &str) -> Vec<u32> {
    version.split('-').next().unwrap_or_default().split('.').map(|number| number.parse().unwrap_or(0)).collect()
}
