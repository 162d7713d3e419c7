//! A model of the derivations of a repository and of their inputs, computed without Nix.
//!
//! A derivation is described by its inputs: the files, fields and settings that its Nix file reads. Each input has a text that
//! changes when Nix would see a change. [`compare`] takes two states of a repository, and tells which derivations differ and
//! why. `splitter verify` and `explain --nix` check the model against the real Nix.
//!
//! The rules repeat those of `nix-templates/*.nix`, in the same order. If you change one, change the other.

mod builds;
mod compare;
mod input_cause;
mod inputs;
mod judge;
mod package_change;
mod parts;
#[cfg(test)]
mod random;
mod repository;
mod root_changes;
mod source_set;
#[cfg(test)]
mod tests;
mod union;
mod ways;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use fixedbitset::FixedBitSet;

use self::parts::Parts;
pub use self::{
    compare::{Cause, Change, Comparison, Effect, Verdict, compare},
    inputs::ORDERS,
    package_change::name_and_version,
    source_set::{Origin, SourcePart},
};
use crate::split::{Split, System, askers::Asked, config::Install, lock::dependencies::Scope, lock::shards::Part};
use crate::{
    lockfile::Integrity,
    repo::{RepoPath, states::FileStates},
};

/// The start of the flake's names for installs of programs.
pub const INSTALLS: &str = "installs.";

/// The name of the input that is the package manager's name, version and program.
pub const PACKAGE_MANAGER: &str = "package manager";

/// A derivation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    /// A fixed output with tarballs.
    Deps(Part),
    /// The shared install, with the dependencies of all workspaces.
    NodeModules,
    /// The own install that the build of an app uses, by the name of the app.
    OwnInstall(String),
    /// The install that the programs of an app run with, by the name of the app. Absent if it is the one of the build.
    RuntimeInstall(String, Install),
    /// The build of a library, by the name of the library.
    Library(String),
    /// An app, by its name.
    App(String),
    /// A check, by its name.
    Check(String),
}

impl Id {
    /// Returns the kind of the derivation, for JSON output.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Deps(_) => "deps",
            Self::NodeModules | Self::OwnInstall(_) | Self::RuntimeInstall(..) => "nodeModules",
            Self::Library(_) => "library",
            Self::App(_) => "app",
            Self::Check(_) => "check",
        }
    }

    /// Returns the package of the flake that contains it. Libraries and checks are not packages, so for them it is the name
    /// among the flake's checks. The install of programs is a legacy package.
    pub fn package(&self) -> String {
        match self {
            Self::Deps(_) => "deps".to_owned(),
            Self::NodeModules => "nodeModules".to_owned(),
            Self::OwnInstall(name) => format!("nodeModules-{name}"),
            Self::RuntimeInstall(name, install) => format!("{INSTALLS}{name}.{}", install.name()),
            Self::Library(name) => format!("library-{name}"),
            Self::App(name) | Self::Check(name) => name.clone(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deps(part) => write!(f, "deps-{part}"),
            _ => f.write_str(&self.package()),
        }
    }
}

/// The inputs of a derivation. Sets hold numbers from [`Parts`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derivation {
    /// The derivations that it is built from, without libraries.
    needs: BTreeSet<Id>,
    /// The libraries whose build output it gets.
    libraries: FixedBitSet,
    /// The workspace that it builds, if it is an app, a library or a check.
    pub workspace: Option<RepoPath>,
    /// The workspaces whose sources it reads (including its own), and the folders that these link to. From a closed workspace
    /// it reads only the manifest.
    parts: FixedBitSet,
    /// The root files that it reads.
    root_files: FixedBitSet,
    /// All other inputs, each with a text that changes with the input.
    inputs: BTreeMap<Input, String>,
    /// Inputs that all derivations of its kind share.
    shared: Arc<BTreeMap<Input, String>>,
}

/// An input of a derivation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Input {
    /// A tarball, by its path in the fixed output.
    Package(String),
    /// A file, with its whole content.
    File(RepoPath),
    /// A Nix file, or data that Nix files read. Only Nix can tell whether a change of it matters.
    Nix(RepoPath),
    /// The manifest of a workspace, reduced to the fields that an install reads.
    Manifest(RepoPath),
    /// The root manifest, reduced to the fields that builds of other workspaces read.
    RootManifest,
    /// An rc file, reduced to the settings that an install reads.
    Settings(RepoPath),
    /// A choice of the user or a result of detection, by a name to show.
    Setting(&'static str),
}

/// All derivations of a repository for one system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derivations {
    all: BTreeMap<Id, Derivation>,
    /// The source files of each workspace and of each linked folder.
    sources: BTreeMap<RepoPath, FileStates>,
    /// The manifests of closed libraries, which show nothing else.
    shown: BTreeMap<RepoPath, FileStates>,
    /// The files of each root file, folder or glob.
    root_files: BTreeMap<RepoPath, FileStates>,
    /// The workspaces, linked folders, root files and libraries by number, with their dependencies.
    parts: Parts,
    /// Who gets each package, by its name and version.
    asked: BTreeMap<(String, String), Asked>,
    /// The name and version of packages that do not come from a registry, by their path in the fixed output.
    elsewhere: BTreeMap<String, (String, String)>,
    /// All files that git does not ignore.
    files: FileStates,
}

/// Recorded facts that a split does not know.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// The integrity of each tarball, by path.
    pub integrities: BTreeMap<String, Integrity>,
    /// The systems that need each tarball, by path, when the lockfile does not say (Yarn 1).
    pub scopes: BTreeMap<String, Scope>,
    /// A text that changes with the package manager's program, by system or under `common`.
    pub programs: BTreeMap<String, String>,
    /// The fingerprint and the hash of each fixed output, by part.
    pub outputs: BTreeMap<String, (String, String)>,
}

impl Derivations {
    /// Computes the derivations for one system from the split, the files and the recorded facts.
    pub fn of(split: &Split, files: FileStates, recorded: &Recorded, system: System) -> Self {
        repository::derivations(split, files, recorded, system)
    }

    /// Returns one derivation.
    pub fn get(&self, id: &Id) -> Option<&Derivation> {
        self.all.get(id)
    }

    /// Iterates over all derivations, dependencies first.
    pub fn iter(&self) -> impl Iterator<Item = (&Id, &Derivation)> {
        self.all.iter()
    }

    /// Returns the derivations that one is built from.
    pub fn needs(&self, id: &Id) -> Vec<&Id> {
        let Some(derivation) = self.all.get(id) else { return Vec::new() };
        let libraries = derivation.libraries.ones().filter_map(|number| self.parts.libraries.get(number));
        derivation.needs.iter().chain(libraries.map(|library| &library.id)).collect()
    }

    /// Returns all files that git does not ignore.
    pub fn files(&self) -> &FileStates {
        &self.files
    }

    /// Iterates over the source files of a workspace or a linked folder.
    pub fn source_files(&self, folder: &RepoPath) -> impl Iterator<Item = &RepoPath> {
        self.sources.get(folder).into_iter().flat_map(FileStates::keys)
    }

    /// Returns the name and version of a package by its path in the fixed output.
    fn name_and_version(&self, path: &str) -> (String, String) {
        self.elsewhere.get(path).cloned().unwrap_or_else(|| name_and_version(path))
    }
}
