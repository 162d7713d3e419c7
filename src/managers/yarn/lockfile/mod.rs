//! What the two formats of `yarn.lock` share: lines and what no lockfile may hold (`line`), keys and what is below them
//! (`tree`), errors and digests. Each has its own grammar, and its own way to say what a package is.
//!
//! Neither is read with a YAML library: such a library forgets where things stand, and takes what no Yarn writes.

pub(in crate::managers) mod digest;
mod error;
pub(in crate::managers) mod line;
pub(in crate::managers) mod tree;

pub use error::YarnLockError;

pub(in crate::managers) use crate::names::YARN_LOCK as FILE;
