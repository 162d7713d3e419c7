//! The [model](Lockfile) of a lockfile, common to all formats, and code that their readers share.
//!
//! Nothing here uses files, the network or processes.

mod conditions;
mod git;
pub(crate) mod hints;
mod integrity;
pub mod json;
mod model;
pub(crate) mod names;

pub use conditions::Conditions;
pub use git::{GitCommit, HostArchive};
pub use integrity::{Algorithm, Digest, Hasher, Integrity, IntegrityError};
pub use model::{
    BunRequests, DependencyGroup, Format, LockedDependency, LockedDescriptors, LockedEntries, LockedEntry,
    LockedPackage, LockedWorkspace, Lockfile, PackageRequest, PlatformLists, Platforms, Requests, Resolution,
};
pub(crate) use names::split_name;
