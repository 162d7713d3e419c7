//! Lockfile formats, each read into one [model](Lockfile). Nothing here touches a file, the network or a process.

pub mod bun;
mod conditions;
mod git;
mod integrity;
pub mod json;
mod model;
mod names;
pub mod yarn;

pub use conditions::Conditions;
pub use git::{GitCommit, HostArchive};
pub use integrity::{Algorithm, Digest, Hasher, Integrity, IntegrityError};
pub use model::{
    DependencyGroup, Format, LockedPackage, LockedWorkspace, Lockfile, PlatformLists, Platforms, Requests, Resolution,
};
pub(crate) use names::split_name;
