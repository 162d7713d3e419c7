//! The one model that every lockfile format is read into.

use std::collections::BTreeMap;

use url::Url;

use super::Integrity;
use crate::{diagnostic::Position, repo::RepoPath};

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Its format and version.
    pub format: Format,
    /// The workspaces as the lockfile saw them, by folder; the root is the empty path.
    pub workspaces: BTreeMap<RepoPath, LockedWorkspace>,
    /// Every package, in the file's order.
    pub packages: Vec<LockedPackage>,
    /// Packages with a patch: `name@version` to the patch file.
    pub patches: BTreeMap<String, RepoPath>,
    /// A digest (blake3, hexadecimal) of all that matters to an install: not of key order, formatting, or the
    /// versions of the workspaces themselves.
    pub digest: String,
    /// What is odd about the file, but not wrong.
    pub warnings: Vec<String>,
}

/// A lockfile format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `bun.lock` with its `lockfileVersion`.
    Bun(u64),
}

/// A workspace as a lockfile saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedWorkspace {
    /// Its package name, empty where it has none.
    pub name: String,
    /// What it asks for: group, then package, then specifier.
    pub dependencies: BTreeMap<DependencyGroup, BTreeMap<String, String>>,
}

/// The groups of dependencies in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyGroup {
    /// `dependencies`.
    Runtime,
    /// `devDependencies`.
    Development,
    /// `optionalDependencies`.
    Optional,
    /// `peerDependencies`.
    Peer,
}

impl DependencyGroup {
    /// All groups.
    pub const ALL: [Self; 4] = [Self::Runtime, Self::Development, Self::Optional, Self::Peer];

    /// The field of a manifest that holds it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Runtime => "dependencies",
            Self::Development => "devDependencies",
            Self::Optional => "optionalDependencies",
            Self::Peer => "peerDependencies",
        }
    }
}

/// A package as locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Where it is installed, as the format writes it.
    pub key: String,
    /// Where its entry stands.
    pub position: Position,
    /// Its own name, which an alias hides in the key.
    pub name: String,
    /// What it is and where it comes from.
    pub resolution: Resolution,
    /// The platforms it is bound to.
    pub platforms: Platforms,
    /// Its content ships inside the package that depends on it: nothing to fetch.
    pub bundled: bool,
    /// What its file must match, where the lockfile says.
    pub integrity: Option<Integrity>,
}

impl LockedPackage {
    /// How messages name it: `name@version` for a registry package.
    pub fn label(&self) -> String {
        match &self.resolution {
            Resolution::Registry { version, .. } => [&self.name, "@", version].concat(),
            _ => self.name.clone(),
        }
    }
}

/// What a locked package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// A version from a registry; with a URL where the tarball does not lie at the registry's usual place.
    Registry {
        /// The exact version.
        version: String,
        /// The tarball, where the lockfile names it.
        url: Option<Url>,
    },
    /// A workspace of this repository.
    Workspace(RepoPath),
    /// A folder in the repository (`file:`).
    Folder(RepoPath),
    /// A link to a folder (`link:`).
    Link(String),
    /// A tarball in the repository.
    LocalTarball(RepoPath),
    /// A tarball at a URL.
    RemoteTarball(Url),
    /// A git repository, as the lockfile writes it.
    Git(String),
    /// A GitHub repository, as the lockfile writes it.
    GitHub(String),
    /// The repository's own root.
    Root,
}

/// The platforms that a package is bound to, as Node names them; an empty list binds to nothing.
/// An entry may be negated: `!win32`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platforms {
    /// `process.platform` values.
    pub os: Vec<String>,
    /// `process.arch` values.
    pub cpu: Vec<String>,
    /// `glibc` or `musl`.
    pub libc: Vec<String>,
}
