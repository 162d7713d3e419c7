//! The model of a lockfile, common to all formats.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{Conditions, GitCommit, HostArchive, Integrity};
use crate::names::{BUN_LOCK, YARN_LOCK};
use crate::{diagnostic::Position, repo::RepoPath};

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Its format and version.
    pub format: Format,
    /// The dependencies that the manifests requested when it was written.
    pub requests: Requests,
    /// All packages, in the order of the file.
    pub packages: Vec<LockedPackage>,
    /// The patch file of each patched package, by `name@version`, or by Yarn's locator.
    pub patches: BTreeMap<String, RepoPath>,
    /// A digest (blake3, hexadecimal) of everything that matters to an install. It ignores key order, formatting and
    /// the versions of workspaces.
    pub digest: String,
    /// Warnings about the file.
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
    /// Returns the version of the format. Yarn 1 has only one.
    pub const fn version(self) -> u64 {
        match self {
            Self::Bun(version) | Self::YarnBerry(version) => version,
            Self::YarnClassic => 1,
        }
    }

    /// Returns the file name.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Bun(_) => BUN_LOCK,
            Self::YarnClassic | Self::YarnBerry(_) => YARN_LOCK,
        }
    }
}

/// The dependencies that the manifests requested when a lockfile was written, as far as the format records them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requests {
    /// What a `bun.lock` records.
    Bun(BunRequests),
    /// All descriptors. Yarn 1 does not record workspaces.
    ByDescriptor(LockedDescriptors),
    /// All entries, as Yarn 2 and later record them.
    ByEntry(LockedEntries),
}

impl Requests {
    /// Returns the workspaces, if the format records them.
    pub fn workspaces(&self) -> Option<&BTreeMap<RepoPath, LockedWorkspace>> {
        match self {
            Self::Bun(BunRequests { workspaces, .. }) | Self::ByEntry(LockedEntries { workspaces, .. }) => {
                Some(workspaces)
            }
            Self::ByDescriptor(_) => None,
        }
    }
}

/// A workspace as recorded in a lockfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedWorkspace {
    /// Its package name. Empty if it has none.
    pub name: String,
    /// Its dependencies: group, then package, then specifier.
    pub dependencies: BTreeMap<DependencyGroup, BTreeMap<String, String>>,
    /// Its version, if the format records it. Bun 1.2 and 1.3 do not update it.
    pub version: Option<String>,
    /// The peer dependencies that may be missing, if the format records them.
    pub optional_peers: BTreeSet<String>,
}

/// What a `bun.lock` records of the manifests, and of the packages that they asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BunRequests {
    /// The workspaces by folder. The root is the empty path.
    pub workspaces: BTreeMap<RepoPath, LockedWorkspace>,
    /// `overrides`: package, then specifier. An object is a nested override.
    pub overrides: BTreeMap<String, serde_json::Value>,
    /// `catalog` (under the empty name) and `catalogs`: catalog, then package, then specifier.
    pub catalogs: BTreeMap<String, BTreeMap<String, String>>,
    /// `trustedDependencies`, if there are any.
    pub trusted: Option<BTreeSet<String>>,
    /// The dependencies of each package, in the order of the packages.
    pub dependencies: Vec<Vec<PackageRequest>>,
}

/// A dependency of a package in a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRequest {
    /// The package that it asks for.
    pub package: String,
    /// The specifier.
    pub specifier: String,
    /// The group.
    pub group: DependencyGroup,
    /// Whether it is a peer dependency that may be missing.
    pub is_optional_peer: bool,
}

/// The entries of a lockfile of Yarn 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedDescriptors {
    /// All descriptors (`name@range`), each with the index of its package.
    pub descriptors: BTreeMap<String, usize>,
    /// The version of each package, and what it depends on, in the order of the packages.
    pub packages: Vec<(String, Vec<(String, String)>)>,
}

/// The entries of a lockfile of Yarn 2 and later. Yarn computes the whole file anew in each install, and a frozen install
/// refuses every difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedEntries {
    /// The workspaces, by folder.
    pub workspaces: BTreeMap<RepoPath, LockedWorkspace>,
    /// `cacheKey` of `__metadata`.
    pub cache_key: Option<String>,
    /// The entries, in the order of the packages.
    pub entries: Vec<LockedEntry>,
}

/// An entry of a lockfile of Yarn 2 and later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedEntry {
    /// The descriptors that it is for.
    pub descriptors: Vec<String>,
    /// The version. Workspaces have a placeholder.
    pub version: String,
    /// The dependencies: package, then range.
    pub dependencies: BTreeMap<String, String>,
    /// The peer dependencies.
    pub peers: BTreeMap<String, String>,
    /// `dependenciesMeta`: package, then setting, then value.
    pub meta: BTreeMap<String, BTreeMap<String, String>>,
    /// `peerDependenciesMeta`, in the same way.
    pub peers_meta: BTreeMap<String, BTreeMap<String, String>>,
    /// The commands, each with its file.
    pub bin: BTreeMap<String, String>,
}

/// A group of dependencies in a manifest.
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

    /// The groups whose packages are needed at run time.
    pub const AT_RUNTIME: [Self; 2] = [Self::Runtime, Self::Optional];

    /// Returns its field in a manifest.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Runtime => "dependencies",
            Self::Development => "devDependencies",
            Self::Optional => "optionalDependencies",
            Self::Peer => "peerDependencies",
        }
    }
}

/// A package in a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// The key of the entry: its install path (Bun), its descriptors (Yarn 1), or its locator (Yarn 2 and later).
    pub key: String,
    /// The position of its entry in the file.
    pub position: Position,
    /// Its real name. The key may show an alias instead.
    pub name: String,
    /// Its kind and its source.
    pub resolution: Resolution,
    /// The platforms on which it is installed.
    pub platforms: Platforms,
    /// Whether it ships inside the package that depends on it, so there is nothing to download.
    pub bundled: bool,
    /// The integrity of its file, if the lockfile records one.
    pub integrity: Option<Integrity>,
    /// The checksum of the zip that Yarn 2 and later make of it, as written. It does not apply to the tarball, but file
    /// names in a committed cache contain it.
    pub zip_checksum: Option<String>,
    /// The packages that it requires, peers included. Yarn 1 records no peers.
    pub dependencies: Vec<LockedDependency>,
    /// The descriptors that lead to it (Yarn 2 and later). For Yarn 1 see [`Requests::ByDescriptor`].
    pub descriptors: Vec<String>,
}

/// A dependency of a locked package, as the lockfile has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDependency {
    /// The name under which the package looks for it.
    pub name: String,
    /// The requested range.
    pub range: String,
}

impl LockedPackage {
    /// Returns its name in messages: `name@version` for a registry package.
    pub fn label(&self) -> String {
        match &self.resolution {
            Resolution::Registry { version, .. } => [&self.name, "@", version].concat(),
            _ => self.name.clone(),
        }
    }
}

/// The kind of a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// A version from a registry. Has a URL if the tarball is not at the registry's usual path.
    Registry {
        /// The exact version.
        version: String,
        /// The URL of the tarball, if the lockfile names it.
        url: Option<Url>,
    },
    /// A workspace of this repository.
    Workspace(RepoPath),
    /// A folder in the repository (`file:`).
    Folder(RepoPath),
    /// A link to a folder (`link:`, `portal:`), as written in the lockfile.
    Link(String),
    /// A tarball in the repository.
    LocalTarball(RepoPath),
    /// A tarball at a URL.
    RemoteTarball(Url),
    /// A commit of a git repository.
    Commit(GitCommit),
    /// The archive that a host makes of a commit.
    Archive(HostArchive),
    /// A git repository that splitter cannot fetch, as written in the lockfile.
    Git(String),
    /// A repository of a host that splitter cannot fetch, as written in the lockfile.
    GitHub(String),
    /// The repository's own root.
    Root,
    /// Another package of the lockfile with patches. There is nothing to download.
    Patched {
        /// The locator of the other package.
        source: String,
        /// The patch files in the repository. Excludes Yarn's built-in patches.
        files: Vec<RepoPath>,
    },
    /// A package that a plugin of the package manager generates during the install, as written in the lockfile.
    Plugin(String),
    /// A package that this program in the repository generates during the install (`exec:`).
    Generated(RepoPath),
}

/// The platforms on which a package is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platforms {
    /// All platforms.
    Any,
    /// The platforms that the lists of its manifest allow.
    Listed(PlatformLists),
    /// The platforms on which the conditions hold.
    Conditions(Conditions),
    /// The lockfile does not record platforms. The manifest in the tarball may.
    InTarball,
}

/// `os`, `cpu` and `libc` of a manifest, with Node's names. An empty list allows all. An entry may be negated:
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
