//! The package managers: one folder each, behind one interface ([`Manager`]).
//!
//! A folder holds everything that splitter knows about a package manager without the network: how to read its lockfile,
//! its settings files and the version that a repository pins, and the hints that name its settings. `yarn` holds what
//! Yarn 1 and later Yarns share. `yarn_lock` detects the format of a `yarn.lock`.
//!
//! All other modules ask through [`ManagerName::manager`]. Two things belong to other layers: `fetch::layers` reads the
//! files and variables of the *machine*, and `scaffold::templates` holds the Nix files.

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

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use self::pin::{Pinned, numbers};
pub(crate) use self::yarn::rc::yaml;
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
    /// Returns everything that splitter knows about this package manager.
    pub(crate) fn manager(self) -> &'static dyn Manager {
        match self {
            Self::Bun => &bun::Bun,
            Self::YarnClassic => &yarn_classic::YarnClassic,
            Self::YarnBerry => &yarn_berry::YarnBerry,
        }
    }

    /// Returns its name in texts.
    pub fn title(self) -> &'static str {
        match self {
            Self::Bun => "Bun",
            Self::YarnClassic | Self::YarnBerry => "Yarn",
        }
    }

    /// Returns the name of the command-line program.
    pub fn command(self) -> &'static str {
        self.manager().command()
    }

    /// Returns the program that runs a source file without a build.
    pub fn runtime(self) -> &'static str {
        self.manager().runtime()
    }
}

/// The questions that other modules ask about a package manager.
pub(crate) trait Manager: Sync {
    /// Returns the name of the command-line program.
    fn command(&self) -> &'static str;

    /// Returns the program that runs a source file without a build.
    fn runtime(&self) -> &'static str {
        "node"
    }

    /// Whether [`Self::runtime`] runs TypeScript files. Older versions of Node.js do not.
    fn runs_typescript(&self) -> bool {
        false
    }

    /// Whether the package manager runs a script's `pre` script first.
    fn runs_pre_scripts(&self) -> bool {
        true
    }

    /// Returns the npm packages that hold the program for `systems`: one per system, or one for all of them.
    fn program_packages(&self, systems: &[System]) -> Vec<ProgramPackage>;

    /// Finds the version that a repository pins.
    fn pin(&self, pinned: &Pinned<'_>) -> Result<Pin, ManagerError>;

    /// Finds the package manager's own files in a repository: program, plugins and cache.
    fn own_files(&self, _tree: &dyn Tree) -> Result<OwnFiles, ManagerError> {
        Ok(OwnFiles::default())
    }

    /// Returns the settings files that the package manager reads at the root of a repository.
    fn settings_files(&self) -> &'static [SettingsFile];

    /// Returns the keys in the text of a settings file of this name that decide an install.
    fn deciding_keys(&self, file: &str, text: &str) -> BTreeSet<String>;

    /// Reads the registries that the settings files name.
    fn registries(&self, tree: &dyn Tree) -> Result<ProjectRegistries, ManagerError>;

    /// Whether the lockfile names the default registry when the settings files name none.
    fn lockfile_names_registry(&self) -> bool {
        false
    }

    /// Returns the parts of hints about registries, in terms of this package manager's settings.
    fn remedies(&self) -> Remedies;

    /// Returns sample lines for a settings file. `verify` appends them to see what an edit rebuilds.
    fn sample_settings(&self) -> SampleSettings;
}

/// The package manager's own files in a repository. Only Yarn has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnFiles {
    /// The program.
    pub(crate) program: Option<RepoPath>,
    /// The plugins.
    pub(crate) plugins: Vec<RepoPath>,
    /// The committed cache.
    pub(crate) cache: Option<CommittedCache>,
}

/// Reduces the text of a settings file to the settings that an install reads.
type Reduce = fn(&str) -> Result<String, ManagerError>;

/// A settings file of the lock set.
pub(crate) struct SettingsFile {
    /// Its name.
    pub(crate) name: &'static str,
    /// Returns the settings that matter, in a form that does not depend on layout. Its digest is recorded.
    pub(crate) normalise: Reduce,
    /// Returns the same settings as the Nix code cuts them from the text.
    pub(crate) as_in_nix: Reduce,
}

/// Parts of hints about a registry that refuses a request or has no package.
pub(crate) struct Remedies {
    /// The files that hold tokens.
    pub(crate) files: &'static str,
    /// Where the registry of a scope is set.
    pub(crate) scope: &'static str,
    /// Returns where to put the token of a host.
    pub(crate) token: fn(host: &str) -> String,
    /// Returns where to put the client certificate for a host.
    pub(crate) certificate: fn(host: &str) -> String,
}

/// Sample lines for a settings file.
pub(crate) struct SampleSettings {
    /// The file.
    pub(crate) file: &'static str,
    /// A line that no install reads.
    pub(crate) comment: &'static str,
    /// A line that an install reads.
    pub(crate) setting: &'static str,
}
