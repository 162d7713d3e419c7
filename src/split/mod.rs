//! The split itself: what depends on the lockfile alone, and what depends on source. Pure: values in, values out.

pub mod config;
pub mod dependencies;
pub mod detect;
pub mod drift;
mod error;
pub mod fingerprint;
pub mod graph;
mod installer_fields;
mod lock_set;
mod manifest;
mod package_manager;
mod registries;
mod system;
mod workspaces;

pub use error::SplitError;
pub use lock_set::LockSet;
pub use manifest::Manifest;
pub use package_manager::{DEFAULT_BUN, ManagerName, PackageManager, Pin};
pub use registries::ProjectRegistries;
pub use system::{System, SystemError};
pub use workspaces::{Workspaces, manifest_path};
