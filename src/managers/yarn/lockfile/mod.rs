//! Parts that the two formats of `yarn.lock` share: lines (`line`), nested keys (`tree`), errors and digests. Each
//! format has its own grammar and its own resolutions.
//!
//! No YAML library is used: it would lose positions, and accept what no Yarn writes.

pub(in crate::managers) mod digest;
mod error;
pub(in crate::managers) mod line;
pub(in crate::managers) mod tree;

pub use error::YarnLockError;

pub(in crate::managers) use crate::names::YARN_LOCK as FILE;
