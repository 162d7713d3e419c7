//! The one [model](Lockfile) that every lockfile is read into, and what readers of lockfiles share. Nothing here touches a file, the network or a process.

mod conditions;
mod git;
mod integrity;
pub mod json;
mod model;
pub(crate) mod names;

pub use conditions::Conditions;
pub use git::{GitCommit, HostArchive};
pub use integrity::{Algorithm, Digest, Hasher, Integrity, IntegrityError};
pub use model::{
    DependencyGroup, Format, LockedPackage, LockedWorkspace, Lockfile, PlatformLists, Platforms, Requests, Resolution,
};
pub(crate) use names::split_name;
