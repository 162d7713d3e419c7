//! Continuous integration: the workflow that `splitter ci init` writes, and the plan of `splitter ci matrix`.
//!
//! | module | holds |
//! | --- | --- |
//! | [`settings`] | what a user chose |
//! | [`provider`] | the files of each CI system, from the templates in `ci-templates/` |
//! | [`actions`] | the actions of GitHub with their commits, as a table |
//! | [`written`] | the first lines of written files, and how a file differs from what would be written |
//! | [`diff`] | a unified diff |
//! | [`matrix`] | the jobs that build what no cache has |
//!
//! Everything here is a function of its arguments.

pub mod actions;
pub mod diff;
pub mod matrix;
pub mod provider;
pub mod settings;
mod template;
pub mod written;

pub use self::{
    provider::{WrittenFile, compare, files, is_marked, origin, wanted},
    settings::{Images, Program, Provider, Settings, StoreCache},
    written::Finding,
};
