//! The one model that every lockfile format is read into.

use std::collections::BTreeMap;

use url::Url;

use super::{Conditions, GitCommit, HostArchive, Integrity};
use crate::names::{BUN_LOCK, YARN_LOCK};
use crate::{diagnostic::Position, repo::RepoPath};

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Its format and version.
    pub format: Format,
    /// What the manifests asked for when it was made.
    pub requests: Requests,
    /// Every package, in the file's order.
    pub packages: Vec<LockedPackage>,
    /// Packages with a patch: `name@version`, or the locator of Yarn, to the patch file.
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
    /// `yarn.lock` of Yarn 1.
    YarnClassic,
    /// `yarn.lock` of Yarn 2 and later, with the `version` of its `__metadata`.
    YarnBerry(u64),
}

impl Format {
    /// The version that the file gives itself; Yarn 1 has only one.
    pub const fn version(self) -> u64 {
        match self {
            Self::Bun(version) | Self::YarnBerry(version) => version,
            Self::YarnClassic => 1,
        }
    }

    /// The name of its file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Bun(_) => BUN_LOCK,
            Self::YarnClassic | Self::YarnBerry(_) => YARN_LOCK,
        }
    }
}

/// What the manifests asked for when a lockfile was made, as far as the format says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requests {
    /// The workspaces as the lockfile saw them, by folder; the root is the empty path.
    ByWorkspace(BTreeMap<RepoPath, LockedWorkspace>),
    /// Descriptors (`name@range`), whoever asked, each with the index of its package. Yarn 1 does not write down
    /// workspaces.
    ByDescriptor(BTreeMap<String, usize>),
}

impl Requests {
    /// The workspaces, where the format lists them.
    pub fn workspaces(&self) -> Option<&BTreeMap<RepoPath, LockedWorkspace>> {
        match self {
            Self::ByWorkspace(workspaces) => Some(workspaces),
            Self::ByDescriptor(_) => None,
        }
    }
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

    /// Those whose packages code runs with.
    pub const AT_RUNTIME: [Self; 2] = [Self::Runtime, Self::Optional];

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
    /// How the format names the entry: where it is installed (Bun), its descriptors (Yarn 1), its locator (Yarn 2 and
    /// later).
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
    /// The checksum of the zip that Yarn 2 and later make of it, as the lockfile writes it. It is of no use for the
    /// tarball; a committed cache is named by it.
    pub zip_checksum: Option<String>,
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
    /// A link to a folder (`link:`, `portal:`), as the lockfile writes it.
    Link(String),
    /// A tarball in the repository.
    LocalTarball(RepoPath),
    /// A tarball at a URL.
    RemoteTarball(Url),
    /// A commit of a git repository.
    Commit(GitCommit),
    /// A commit of a repository, as the archive that its host makes of it.
    Archive(HostArchive),
    /// A git repository that cannot be fetched, as the lockfile writes it.
    Git(String),
    /// A repository of a host that cannot be fetched, as the lockfile writes it.
    GitHub(String),
    /// The repository's own root.
    Root,
    /// Another package of the lockfile with patches on it; nothing to fetch.
    Patched {
        /// The locator of the other package.
        source: String,
        /// The patch files of the repository; those that Yarn has built in are not files.
        files: Vec<RepoPath>,
    },
    /// Made by a plugin of the package manager while it installs, as the lockfile writes it.
    Plugin(String),
    /// Made by this program of the repository while the package manager installs (`exec:`).
    Generated(RepoPath),
}

/// The platforms that a package is installed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platforms {
    /// All of them.
    Any,
    /// Those that the lists of its manifest admit.
    Listed(PlatformLists),
    /// Those for which the conditions hold.
    Conditions(Conditions),
    /// The lockfile does not say. If the package is bound to some, the manifest in its tarball does.
    InTarball,
}

/// `os`, `cpu` and `libc` of a manifest, as Node names platforms; an empty list admits all. An entry may be negated:
/// `!win32`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformLists {
    /// `process.platform` values.
    pub os: Vec<String>,
    /// `process.arch` values.
    pub cpu: Vec<String>,
    /// `glibc` or `musl`.
    pub libc: Vec<String>,
}
