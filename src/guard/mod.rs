//! The guard: whether a record fits a repository, whether a commit may be made, and the git hook that asks.
//!
//! - [`verdict`] checks one tree; [`staged`] decides about a commit, and [`relevance`] says which commits it looks at.
//! - [`findings`] holds the words for what was found, as data that `cli` prints.
//! - [`renewal`] brings the record of a commit up to date where that was chosen.
//! - [`hook`] sets the git hook up beside what is there.

mod error;
pub mod findings;
pub mod hook;
pub mod relevance;
pub mod renewal;
pub mod staged;
pub mod verdict;

pub use error::GuardError;
