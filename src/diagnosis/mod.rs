//! What the log of a failed build says of the cause: the entry of a table, and what splitter knows of this repository.
//!
//! | module | holds |
//! | --- | --- |
//! | [`table`] | the table of failures, which builds read too |
//! | [`collect`] | the lines of a log that say something |
//! | [`causes`] | the causes in this repository, with the lines of `splitter.json` that mend them |
//! | [`entries`] | entry points of workspaces that git does not have |
//! | [`missing`] | files, modules and commands that a build did not find |
//! | `nodejs` | what a repository says of the Node.js that it wants |
//! | [`paths`] | the files of the repository that paths in a message mean |

pub mod causes;
mod collect;
mod entries;
mod missing;
mod nodejs;
mod paths;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    causes::{Cause, Place, causes},
    collect::Collector,
    missing::missing_by_trace,
    table::{Failure, Hit},
};
