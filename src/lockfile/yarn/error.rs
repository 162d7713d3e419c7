//! Why a `yarn.lock` was refused.

use crate::diagnostic::{Category, Diagnose, Location};

/// Why a `yarn.lock` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YarnLockError {
    /// It is the JSON of Yarn 6.
    #[error("`yarn.lock` is the JSON lockfile of Yarn 6, which is not supported")]
    Json,
}

impl Diagnose for YarnLockError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        Some(Location::file(super::FILE))
    }
}
