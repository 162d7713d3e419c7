//! The error of the package managers' files: lockfiles, pins and settings files.

use super::{
    bun::lockfile::BunLockError,
    registries::RegistryError,
    yarn::{lockfile::YarnLockError, rc::YarnRcError},
};
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    names::{MANIFEST, YARN_LOCK},
    repo::TreeError,
};

/// Why splitter refuses the files of a package manager.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// The repository could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// `bun.lock` is invalid.
    #[error(transparent)]
    BunLock(#[from] BunLockError),
    /// `yarn.lock` is invalid.
    #[error(transparent)]
    YarnLock(#[from] YarnLockError),
    /// An rc file names an invalid registry.
    #[error(transparent)]
    Registries(#[from] RegistryError),
    /// An rc file of Yarn is invalid.
    #[error(transparent)]
    YarnRc(#[from] YarnRcError),
    /// The pinned package manager does not belong to the lockfile.
    #[error("`packageManager` is `{pin}`, but the lockfile is `{lockfile}`")]
    WrongManager {
        /// The pin in the root manifest.
        pin: String,
        /// The name of the lockfile.
        lockfile: &'static str,
    },
    /// The pin is not an exact version.
    #[error("`{pin}` in `{file}` does not pin an exact version of {name}; expected for example `{example}`")]
    InexactPin {
        /// The package manager.
        name: &'static str,
        /// The pin as written.
        pin: String,
        /// The file with the pin.
        file: &'static str,
        /// An exact pin as that file writes it.
        example: &'static str,
    },
    /// The pinned Bun is too old for the lockfile.
    #[error("Bun {version} cannot read lockfileVersion {lockfile_version}, which needs Bun {needed} or later")]
    ManagerTooOld {
        /// The pinned version.
        version: String,
        /// The lockfile's version.
        lockfile_version: u64,
        /// The first Bun that reads it.
        needed: &'static str,
    },
    /// The lockfile is from Yarn 1, but a later Yarn is pinned.
    #[error("`packageManager` pins Yarn {version}, but Yarn 1 wrote `yarn.lock`")]
    ClassicLockfile {
        /// The pinned version.
        version: String,
    },
    /// The pinned Yarn writes another version of the lockfile.
    #[error(
        "Yarn {version} would rewrite `yarn.lock`, whose version {lockfile_version} needs Yarn {from} or later{}",
        until.map_or(String::new(), |until| format!(", but before {until}"))
    )]
    OtherWriter {
        /// The pinned version.
        version: String,
        /// The lockfile's version.
        lockfile_version: u64,
        /// The first Yarn that writes this version.
        from: &'static str,
        /// The first Yarn that no longer writes this version.
        until: Option<&'static str>,
    },
    /// An rc file is invalid.
    #[error("{reason}")]
    RcFile {
        /// The file.
        file: &'static str,
        /// The place in it.
        position: Option<Position>,
        /// The reason.
        reason: String,
    },
}

impl ManagerError {
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::Tree(error) => Some(error),
            Self::BunLock(error) => Some(error),
            Self::YarnLock(error) => Some(error),
            Self::Registries(error) => Some(error),
            Self::YarnRc(error) => Some(error),
            _ => None,
        }
    }
}

impl Diagnose for ManagerError {
    fn category(&self) -> Category {
        match self {
            Self::Tree(error) => error.category(),
            Self::Registries(error) => error.category(),
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::RcFile { file, position: Some(position), .. } => Some(Location::at(*file, *position)),
            Self::RcFile { file, .. } | Self::InexactPin { file, .. } => Some(Location::file(*file)),
            Self::WrongManager { .. } | Self::ClassicLockfile { .. } => Some(Location::file(MANIFEST)),
            Self::OtherWriter { .. } => Some(Location::file(YARN_LOCK)),
            Self::ManagerTooOld { .. } => None,
            _ => self.inner()?.location(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::WrongManager { .. } => "correct `packageManager`, or remove the lockfile that is not in use",
            Self::InexactPin { .. } => "pin an exact version, so that every install is the same",
            Self::ManagerTooOld { .. } => "in `packageManager`, pin the Bun that wrote the lockfile",
            Self::ClassicLockfile { .. } => {
                "run `yarn install` to migrate the lockfile, or pin the Yarn 1 that wrote it"
            }
            Self::OtherWriter { .. } => "run `yarn install` to update the lockfile, or pin the Yarn that wrote it",
            _ => return self.inner().map(Diagnose::hints).unwrap_or_default(),
        };
        vec![hint.to_owned()]
    }
}
