//! The derivations that Nix will make of a repository, and what each is made from, worked out without Nix.
//!
//! Every derivation is known by its inputs: the files, fields and settings that its Nix file reads, each by a text that
//! changes when Nix would see a change. Two states of a repository so tell which derivations differ and why
//! ([`compare`]). Nix itself says whether that is right: `splitter verify` and `explain --nix` hold this model against it.
//!
//! The rules are those of `nix-templates/*.nix`, in the same order; who changes one changes the other.

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
    package_change::name_and_version,
};
use crate::split::{Split, System, lock::dependencies::Scope, lock::shards::Part};
use crate::{
    lockfile::Integrity,
    repo::{RepoPath, states::FileStates},
};

/// A derivation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    /// A fixed output of tarballs.
    Deps(Part),
    /// The install of all workspaces' dependencies.
    NodeModules,
    /// An app's own install, by the name of the app's derivation.
    OwnInstall(String),
    /// A library that is built by itself, by the name of its derivation.
    Library(String),
    /// An app, by the name of its derivation.
    App(String),
    /// A script of a workspace that is a check, by the name of its derivation.
    Check(String),
}

impl Id {
    /// What kind of derivation it is, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Deps(_) => "deps",
            Self::NodeModules | Self::OwnInstall(_) => "nodeModules",
            Self::Library(_) => "library",
            Self::App(_) => "app",
            Self::Check(_) => "check",
        }
    }

    /// The flake's package that it is, or is a part of; for a library and a check the name among the flake's checks, since these are among
    /// no packages.
    pub fn package(&self) -> String {
        match self {
            Self::Deps(_) => "deps".to_owned(),
            Self::NodeModules => "nodeModules".to_owned(),
            Self::OwnInstall(name) => format!("nodeModules-{name}"),
            Self::Library(name) => format!("library-{name}"),
            Self::App(name) | Self::Check(name) => name.clone(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deps(part) => write!(f, "deps-{part}"),
            Self::NodeModules | Self::OwnInstall(_) | Self::Library(_) | Self::App(_) | Self::Check(_) => {
                f.write_str(&self.package())
            }
        }
    }
}

/// A derivation, by what it is made from. Sets are of numbers in [`Parts`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derivation {
    /// The derivations that it is built from, beside libraries.
    needs: BTreeSet<Id>,
    /// The libraries whose builds it gets.
    libraries: FixedBitSet,
    /// The workspace that it builds, for an app or a library.
    pub workspace: Option<RepoPath>,
    /// The workspaces whose sources it holds, itself included, and the folders that these link to. Of a closed one it
    /// holds the manifest alone.
    parts: FixedBitSet,
    /// The root files that its sources hold.
    root_files: FixedBitSet,
    /// All else that it is made from, each with a text that changes with it.
    inputs: BTreeMap<Input, String>,
    /// What all derivations of its kind are made from.
    shared: Arc<BTreeMap<Input, String>>,
}

/// Something that a derivation is made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Input {
    /// A tarball, by its place in the fixed output.
    Package(String),
    /// A file as it is.
    File(RepoPath),
    /// A file of which only the flake can tell whether it matters: a Nix file, or data that Nix files read.
    Nix(RepoPath),
    /// The manifest of a workspace, reduced to what an install reads.
    Manifest(RepoPath),
    /// The root's manifest, reduced to what builds of other workspaces read.
    RootManifest,
    /// An rc file, reduced to what decides an install.
    Settings(RepoPath),
    /// A choice or a finding, in words.
    Setting(&'static str),
}

/// All derivations of a repository for one system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derivations {
    all: BTreeMap<Id, Derivation>,
    /// The source files of each workspace, and of each folder that one links to.
    sources: BTreeMap<RepoPath, FileStates>,
    /// The manifests of libraries that show others no more.
    shown: BTreeMap<RepoPath, FileStates>,
    /// What each root file, folder or glob stands for.
    root_files: BTreeMap<RepoPath, FileStates>,
    /// What sources are made of, and who depends on whom.
    parts: Parts,
    /// The workspaces whose manifests ask for a package.
    asked: BTreeMap<String, BTreeSet<RepoPath>>,
    /// The name and the version of packages that have another place than a registry's, by that place.
    elsewhere: BTreeMap<String, (String, String)>,
    /// All files that git does not ignore.
    files: FileStates,
}

/// What an earlier run recorded and a split does not say.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// The integrity of every tarball, by path.
    pub integrities: BTreeMap<String, Integrity>,
    /// Who needs a tarball of which the lockfile does not say it, by path.
    pub scopes: BTreeMap<String, Scope>,
    /// The package manager's program, by system or under `common`, as a text that changes with it.
    pub programs: BTreeMap<String, String>,
    /// The hash of each fixed output with its fingerprint, by part.
    pub outputs: BTreeMap<String, (String, String)>,
}

impl Derivations {
    /// Works out the derivations of a repository for one system: from its split, its files, and what is recorded of it.
    pub fn of(split: &Split, files: FileStates, recorded: &Recorded, system: System) -> Self {
        repository::derivations(split, files, recorded, system)
    }

    /// One of them.
    pub fn get(&self, id: &Id) -> Option<&Derivation> {
        self.all.get(id)
    }

    /// All of them: dependencies first.
    pub fn iter(&self) -> impl Iterator<Item = (&Id, &Derivation)> {
        self.all.iter()
    }

    /// All files that git does not ignore.
    pub fn files(&self) -> &FileStates {
        &self.files
    }

    /// The source files of a workspace, or of a folder that one links to.
    pub fn source_files(&self, folder: &RepoPath) -> impl Iterator<Item = &RepoPath> {
        self.sources.get(folder).into_iter().flat_map(FileStates::keys)
    }

    /// The name and the version of a package, by its place in a fixed output.
    fn name_and_version(&self, path: &str) -> (String, String) {
        self.elsewhere.get(path).cloned().unwrap_or_else(|| name_and_version(path))
    }
}
