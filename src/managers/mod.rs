//! The package managers: one folder each, behind one interface ([`Manager`]).
//!
//! A folder holds all that splitter knows of a package manager without the network: how its lockfile is read, which version a
//! repository pins, what it reads of settings files and which registries they name, its own files in a repository, and the
//! words in which a user is told what to do. `yarn` holds what both Yarns share, `yarn_lock` tells their lockfiles apart.
//!
//! Everybody above asks through [`ManagerName::manager`]. Two things stay elsewhere, since they belong to other layers: which
//! files and variables of a *machine* say where to fetch from (`fetch::layers`), and the Nix files of each (`scaffold::templates`).

pub mod bun;
mod error;
pub(crate) mod installer_fields;
mod npmrc;
mod pin;
pub(crate) mod registries;
pub mod yarn;
pub mod yarn_berry;
pub mod yarn_classic;
pub mod yarn_lock;

use serde::{Deserialize, Serialize};

pub(crate) use self::pin::Pinned;
use self::yarn_berry::committed_cache::CommittedCache;
pub use self::{
    error::ManagerError,
    pin::{PackageManager, Pin, ProgramPackage},
    registries::{ProjectRegistries, RegistryError},
};
use crate::{
    lockfile::Format,
    repo::{RepoPath, Tree},
    system::System,
};

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
    /// What is known of it.
    pub(crate) fn manager(self) -> &'static dyn Manager {
        match self {
            Self::Bun => &bun::Bun,
            Self::YarnClassic => &yarn_classic::YarnClassic,
            Self::YarnBerry => &yarn_berry::YarnBerry,
        }
    }

    /// The program that a user runs.
    pub fn command(self) -> &'static str {
        self.manager().command()
    }

    /// What runs a source file that is started without a build.
    pub fn runtime(self) -> &'static str {
        self.manager().runtime()
    }
}

/// What the rest of the program asks of a package manager.
pub(crate) trait Manager: Sync {
    /// The program that a user runs.
    fn command(&self) -> &'static str;

    /// What runs a source file that is started without a build.
    fn runtime(&self) -> &'static str {
        "node"
    }

    /// Whether what runs source files runs TypeScript, too: a Node.js of any age does not.
    fn runs_typescript(&self) -> bool {
        false
    }

    /// Whether a script's `pre` script is run before it.
    fn runs_pre_scripts(&self) -> bool {
        true
    }

    /// The npm packages that hold its program for these systems: one for each, or one for all.
    fn program_packages(&self, systems: &[System]) -> Vec<ProgramPackage>;

    /// Finds which version a repository pins.
    fn pin(&self, pinned: &Pinned<'_>) -> Result<Pin, ManagerError>;

    /// Its own files in a repository.
    fn own_files(&self, _tree: &dyn Tree) -> Result<OwnFiles, ManagerError> {
        Ok(OwnFiles::default())
    }

    /// The settings files that it reads at the root of a repository.
    fn settings_files(&self) -> &'static [SettingsFile];

    /// The registries that these files name.
    fn registries(&self, tree: &dyn Tree) -> Result<ProjectRegistries, ManagerError>;

    /// Whether its lockfile names the registry of a repository whose settings name none.
    fn lockfile_names_registry(&self) -> bool {
        false
    }

    /// What to do about registries, in the words of its settings.
    fn remedies(&self) -> Remedies;

    /// Lines for one of its settings files, to see what an edit of it changes.
    fn sample_settings(&self) -> SampleSettings;
}

/// The package manager's files in a repository. Only Yarn has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnFiles {
    /// Its program.
    pub(crate) program: Option<RepoPath>,
    /// Its plugins.
    pub(crate) plugins: Vec<RepoPath>,
    /// Its cache.
    pub(crate) cache: Option<CommittedCache>,
}

/// What of a settings file decides an install.
type Reduce = fn(&str) -> Result<String, ManagerError>;

/// A settings file of the lock set.
pub(crate) struct SettingsFile {
    /// Its name.
    pub(crate) name: &'static str,
    /// What in it matters, in a form in which layout does not show: its digest is recorded.
    pub(crate) normalise: Reduce,
    /// The same as the Nix files cut it from the text.
    pub(crate) as_in_nix: Reduce,
}

/// What to do about a registry that refuses or lacks something.
pub(crate) struct Remedies {
    /// The files that hold tokens.
    pub(crate) files: &'static str,
    /// Where the registry of a scope is set.
    pub(crate) scope: &'static str,
    /// Where the token of a host goes.
    pub(crate) token: fn(host: &str) -> String,
    /// Where a host's client certificate goes.
    pub(crate) certificate: fn(host: &str) -> String,
}

/// Lines for a settings file.
pub(crate) struct SampleSettings {
    /// The file.
    pub(crate) file: &'static str,
    /// A line that no install reads.
    pub(crate) comment: &'static str,
    /// A line that an install reads.
    pub(crate) setting: &'static str,
}
