//! One difference between the manifests and the lockfile, and its words.

use std::fmt;

use crate::{names::MANIFEST, repo::RepoPath};

/// One difference between a manifest and the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Drift {
    /// A workspace is missing in the lockfile.
    WorkspaceAdded {
        /// The folder of the workspace.
        workspace: RepoPath,
    },
    /// A workspace in the lockfile no longer exists.
    WorkspaceRemoved {
        /// The folder of the workspace.
        workspace: RepoPath,
    },
    /// A dependency is missing in the lockfile.
    Added {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The specifier in the manifest.
        specifier: String,
    },
    /// A dependency in the lockfile is missing in the manifest.
    Removed {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
    },
    /// The specifiers of a dependency differ.
    Changed {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The specifier in the lockfile.
        locked: String,
        /// The specifier in the manifest.
        specifier: String,
    },
    /// A dependency moved to another group, which changes what is installed.
    Moved {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The group in the lockfile.
        locked: &'static str,
        /// The group in the manifest.
        group: &'static str,
    },
    /// The lockfile has the request of a dependency, but no package for it.
    Unresolved {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The specifier.
        specifier: String,
    },
    /// A dependency is locked at a version that its range does not allow.
    LockedOutOfRange {
        /// The manifest.
        manifest: RepoPath,
        /// The package.
        package: String,
        /// The specifier.
        specifier: String,
        /// The version in the lockfile.
        version: String,
    },
    /// A package or workspace of the lockfile asks for a package that the lockfile does not have.
    PackageMissing {
        /// The entry that asks. Empty for the root.
        asker: String,
        /// The package.
        package: String,
        /// The specifier.
        specifier: String,
    },
    /// Nothing asks for a package of the lockfile.
    PackageUnneeded {
        /// The key of its entry.
        package: String,
    },
    /// The lockfile has a workspace under another name.
    WorkspaceRenamed {
        /// The manifest.
        manifest: RepoPath,
        /// The name in the lockfile.
        locked: String,
        /// The name in the manifest.
        name: String,
    },
    /// The version of a workspace is not in the range by which another one asks for it.
    WorkspaceOutOfRange {
        /// The manifest that asks.
        manifest: RepoPath,
        /// The name of the workspace.
        package: String,
        /// The specifier in the manifest.
        specifier: String,
        /// The folder of the workspace.
        workspace: RepoPath,
        /// Its version, if it has one.
        version: Option<String>,
    },
    /// An override differs.
    Override {
        /// The package.
        package: String,
        /// The specifier in the lockfile.
        locked: Option<String>,
        /// The specifier in the root's `package.json`.
        specifier: Option<String>,
    },
    /// `trustedDependencies` or `patchedDependencies` differ, and Bun 1.2 or 1.3 resolves other versions because of it.
    Settings,
    /// An entry of a catalog differs.
    Catalog {
        /// The catalog. Empty for the default one.
        catalog: String,
        /// The package.
        package: String,
        /// The specifier in the lockfile.
        locked: Option<String>,
        /// The specifier in the root's `package.json`.
        specifier: Option<String>,
    },
    /// A setting differs from what the lockfile was written for.
    Setting {
        /// The file of the setting.
        file: RepoPath,
        /// The setting.
        setting: String,
        /// What the lockfile was written for, if it is known.
        locked: Option<String>,
        /// The value in the file, if it is set.
        found: Option<String>,
    },
    /// A package in the lockfile depends on something that the lockfile does not have.
    Unlocked {
        /// The package that depends on it, as a locator.
        dependent: String,
        /// The package.
        package: String,
        /// The range.
        range: String,
        /// The ranges that the lockfile has instead.
        locked: Option<String>,
    },
    /// Nothing asks for a descriptor in the lockfile.
    Unused {
        /// The descriptor.
        descriptor: String,
    },
}

impl Drift {
    pub(super) fn setting(file: &RepoPath, setting: &str, found: Option<&str>, locked: Option<&str>) -> Self {
        let (found, locked) = (found.map(str::to_owned), locked.map(str::to_owned));
        Self::Setting { file: file.clone(), setting: setting.to_owned(), locked, found }
    }

    /// Returns the manifest and the package, if one dependency differs.
    pub(super) fn dependency(&self) -> Option<(&RepoPath, &str)> {
        match self {
            Self::Added { manifest, package, .. }
            | Self::Removed { manifest, package }
            | Self::Changed { manifest, package, .. } => Some((manifest, package)),
            _ => None,
        }
    }

    /// Returns the package that differs.
    pub(super) fn package(&self) -> Option<&str> {
        match self {
            Self::WorkspaceAdded { .. }
            | Self::WorkspaceRemoved { .. }
            | Self::WorkspaceRenamed { .. }
            | Self::Setting { .. }
            | Self::Unused { .. }
            | Self::Settings => None,
            Self::Added { package, .. }
            | Self::Removed { package, .. }
            | Self::Changed { package, .. }
            | Self::Moved { package, .. }
            | Self::Unresolved { package, .. }
            | Self::LockedOutOfRange { package, .. }
            | Self::PackageMissing { package, .. }
            | Self::PackageUnneeded { package }
            | Self::WorkspaceOutOfRange { package, .. }
            | Self::Override { package, .. }
            | Self::Unlocked { package, .. }
            | Self::Catalog { package, .. } => Some(package),
        }
    }

    /// Returns the file to report: the manifest, or the lockfile if a whole workspace differs.
    pub fn file<'a>(&'a self, lockfile: &'a str) -> &'a str {
        match self {
            Self::WorkspaceAdded { .. }
            | Self::WorkspaceRemoved { .. }
            | Self::Unlocked { .. }
            | Self::Unused { .. }
            | Self::PackageMissing { .. }
            | Self::PackageUnneeded { .. } => lockfile,
            Self::Setting { file, .. } => file.as_str(),
            Self::Override { .. } | Self::Catalog { .. } | Self::Settings => MANIFEST,
            Self::Added { manifest, .. }
            | Self::Removed { manifest, .. }
            | Self::Changed { manifest, .. }
            | Self::Moved { manifest, .. }
            | Self::Unresolved { manifest, .. }
            | Self::LockedOutOfRange { manifest, .. }
            | Self::WorkspaceRenamed { manifest, .. }
            | Self::WorkspaceOutOfRange { manifest, .. } => manifest.as_str(),
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkspaceAdded { workspace } => write!(f, "workspace `{workspace}` is not in the lockfile"),
            Self::WorkspaceRemoved { workspace } => {
                write!(f, "workspace `{workspace}` is in the lockfile, but has no package.json")
            }
            Self::Added { manifest, package, specifier } => {
                write!(f, "{manifest}: `{package}` (`{specifier}`) is not in the lockfile")
            }
            Self::Removed { manifest, package } => {
                write!(f, "{manifest}: `{package}` is in the lockfile, but not in the manifest")
            }
            Self::Changed { manifest, package, locked, specifier } => {
                write!(f, "{manifest}: `{package}` is locked for `{locked}`, but the manifest has `{specifier}`")
            }
            Self::Setting { file, setting, locked, found } => {
                write!(f, "{file}: `{setting}` is ")?;
                write_setting(f, locked.as_deref(), found.as_deref())
            }
            Self::Unlocked { dependent, package, range, locked } => {
                write!(f, "`{dependent}` depends on `{package}@{range}`")?;
                match locked {
                    Some(locked) => write!(f, ", but the lockfile has `{locked}`"),
                    None => f.write_str(", which is not in the lockfile"),
                }
            }
            Self::Unused { descriptor } => write!(f, "`{descriptor}` is in the lockfile, but nothing asks for it"),
            Self::Moved { manifest, package, locked, group } => {
                write!(f, "{manifest}: `{package}` is locked in {locked}, but the manifest has it in {group}")
            }
            Self::Unresolved { manifest, package, specifier } => {
                write!(f, "{manifest}: the lockfile has no package for `{package}` (`{specifier}`)")
            }
            Self::LockedOutOfRange { manifest, package, specifier, version } => {
                write!(f, "{manifest}: `{package}` is locked at {version}, but the manifest has `{specifier}`")
            }
            Self::PackageMissing { asker, package, specifier } => {
                let asker = if asker.is_empty() { "the root" } else { asker };
                write!(f, "the lockfile has no `{package}` (`{specifier}`), which `{asker}` needs")
            }
            Self::PackageUnneeded { package } => {
                write!(f, "the lockfile has `{package}`, which nothing needs")
            }
            Self::WorkspaceRenamed { manifest, locked, name } => {
                write!(f, "{manifest}: the workspace is locked as `{locked}`, but the manifest has the name `{name}`")
            }
            Self::WorkspaceOutOfRange { manifest, package, specifier, workspace, version } => {
                let version =
                    version.as_ref().map_or("no version".to_owned(), |version| format!("the version {version}"));
                write!(
                    f,
                    "{manifest}: asks for `{package}` (`{specifier}`), but the workspace `{workspace}` has {version}; change one of them first"
                )
            }
            Self::Settings => write!(
                f,
                "{MANIFEST}: `trustedDependencies` or `patchedDependencies` changed, and Bun resolves other versions because of it"
            ),
            Self::Override { package, locked, specifier } => {
                write!(f, "{MANIFEST}: the override of `{package}` ")?;
                write_change(f, locked.as_deref(), specifier.as_deref())
            }
            Self::Catalog { catalog, package, locked, specifier } => {
                let catalog =
                    if catalog.is_empty() { "the default catalog".to_owned() } else { format!("catalog `{catalog}`") };
                write!(f, "{MANIFEST}: `{package}` in {catalog} ")?;
                write_change(f, locked.as_deref(), specifier.as_deref())
            }
        }
    }
}

fn write_setting(f: &mut fmt::Formatter<'_>, locked: Option<&str>, found: Option<&str>) -> fmt::Result {
    match found {
        Some(found) => write!(f, "`{found}`")?,
        None => f.write_str("not set")?,
    }
    match (locked, found) {
        (Some(locked), _) => write!(f, ", but the lockfile was written for `{locked}`"),
        (None, Some(_)) => f.write_str(", but the lockfile was written without it"),
        (None, None) => Ok(()),
    }
}

fn write_change(f: &mut fmt::Formatter<'_>, locked: Option<&str>, specifier: Option<&str>) -> fmt::Result {
    match (locked, specifier) {
        (Some(locked), Some(specifier)) => write!(f, "is locked as `{locked}`, but the manifest has `{specifier}`"),
        (Some(locked), None) => write!(f, "is locked as `{locked}`, but the manifest has none"),
        (None, specifier) => write!(f, "(`{}`) is not in the lockfile", specifier.unwrap_or_default()),
    }
}
