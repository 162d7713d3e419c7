//! [`ManagerError`].

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

/// Why the files of a package manager were refused.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// Reading the repository failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// `bun.lock` was refused.
    #[error(transparent)]
    BunLock(#[from] BunLockError),
    /// `yarn.lock` was refused.
    #[error(transparent)]
    YarnLock(#[from] YarnLockError),
    /// The registries that the rc files name are wrong.
    #[error(transparent)]
    Registries(#[from] RegistryError),
    /// An rc file of Yarn was refused.
    #[error(transparent)]
    YarnRc(#[from] YarnRcError),
    /// The pinned package manager is not the lockfile's.
    #[error("`packageManager` is `{pin}`, but the lockfile is `{lockfile}`")]
    WrongManager {
        /// The pin in the root manifest.
        pin: String,
        /// The lockfile.
        lockfile: &'static str,
    },
    /// The pin is not an exact version.
    #[error("`{pin}` in `{file}` does not pin an exact version of {name}; expected for example `{example}`")]
    InexactPin {
        /// The package manager.
        name: &'static str,
        /// The pin.
        pin: String,
        /// The file that holds it.
        file: &'static str,
        /// What an exact pin looks like there.
        example: &'static str,
    },
    /// The pinned package manager cannot read the lockfile.
    #[error("Bun {version} cannot read lockfileVersion {lockfile_version}; it needs Bun {needed} or later")]
    ManagerTooOld {
        /// The pinned version.
        version: String,
        /// The lockfile's version.
        lockfile_version: u64,
        /// The first Bun that reads it.
        needed: &'static str,
    },
    /// The lockfile is that of Yarn 1, the pinned Yarn is a later one.
    #[error("`packageManager` pins Yarn {version}, but `yarn.lock` is that of Yarn 1")]
    ClassicLockfile {
        /// The pinned version.
        version: String,
    },
    /// The pinned Yarn writes another version of the lockfile.
    #[error(
        "Yarn {version} would rewrite `yarn.lock`, whose version {lockfile_version} is that of Yarn {from} {}",
        until.map_or("and later".to_owned(), |until| format!("to before {until}"))
    )]
    OtherWriter {
        /// The pinned version.
        version: String,
        /// The lockfile's version.
        lockfile_version: u64,
        /// The first Yarn that writes it.
        from: &'static str,
        /// The first Yarn that does not any more.
        until: Option<&'static str>,
    },
    /// An rc file is wrong.
    #[error("{reason}")]
    RcFile {
        /// The file.
        file: &'static str,
        /// The place in it.
        position: Option<Position>,
        /// What is wrong.
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
            Self::InexactPin { .. } => "an exact version makes every install the same",
            Self::ManagerTooOld { .. } => "pin the Bun that wrote the lockfile in `packageManager`",
            Self::ClassicLockfile { .. } => "`yarn install` migrates the lockfile; or pin the Yarn 1 that wrote it",
            Self::OtherWriter { .. } => "`yarn install` brings the lockfile up to date; or pin the Yarn that wrote it",
            _ => return self.inner().map(Diagnose::hints).unwrap_or_default(),
        };
        vec![hint.to_owned()]
    }
}
