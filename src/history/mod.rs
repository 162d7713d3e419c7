//! What builds did over time: a line of JSON for each run, in the state folder of the user.
//!
//! Nix keeps no times of builds and not where a path came from, so splitter notes both while it builds. Nothing leaves the machine:
//! the file is read by `splitter stats` alone, and CI may keep it as an artifact.

pub mod compare;
mod file;
mod numbers;
mod run;
pub mod summary;

pub use self::{
    file::{History, Read},
    numbers::Times,
    run::{Build, Fetched, Image, Layer, Origin, Product, Run, StoreUse},
};
