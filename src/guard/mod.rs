//! The guard: checks whether a record matches a repository or a commit, and manages the git hook.
//!
//! - [`verdict`] checks one tree. [`staged`] checks a commit, and [`relevance`] selects the commits to check.
//! - [`findings`] describes the differences as data that `cli` prints.
//! - [`renewal`] updates the record of a commit, if the repository chose that.
//! - [`hook`] installs the git hook beside existing hooks.

mod error;
pub mod findings;
pub mod hook;
pub mod relevance;
pub mod renewal;
pub mod staged;
pub mod verdict;

pub use error::GuardError;
