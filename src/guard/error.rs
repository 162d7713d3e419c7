//! [`GuardError`].

use crate::{
    diagnostic::{Category, Diagnose, Location},
    fetch::CacheError,
    managers::RegistryError,
    repo::{GitError, TreeError, WorkTreeError},
    scaffold::{files::FilesError, record::RecordError, update::UpdateError},
    split::SplitError,
};

/// Why a repository or its staged files could not be checked or updated.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// No repository was found.
    #[error(transparent)]
    Root(#[from] WorkTreeError),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The repository cannot be split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The registries of this machine could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The cache could not be opened.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A new record could not be created.
    #[error(transparent)]
    Update(Box<UpdateError>),
    /// A new record could not be written.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl From<UpdateError> for GuardError {
    fn from(error: UpdateError) -> Self {
        Self::Update(Box::new(error))
    }
}

impl GuardError {
    fn inner(&self) -> &dyn Diagnose {
        match self {
            Self::Root(error) => error,
            Self::Git(error) => error,
            Self::Tree(error) => error,
            Self::Split(error) => error,
            Self::Record(error) => error,
            Self::Registry(error) => error,
            Self::Cache(error) => error,
            Self::Update(error) => error.as_ref(),
            Self::Files(error) => error,
        }
    }
}

impl Diagnose for GuardError {
    fn category(&self) -> Category {
        self.inner().category()
    }

    fn location(&self) -> Option<Location> {
        self.inner().location()
    }

    fn hints(&self) -> Vec<String> {
        self.inner().hints()
    }
}
