//! What depends on the lockfile: the lock set, the tarballs that it asks for and how they are cut into parts, fingerprints, and where
//! manifests and lockfile disagree.

pub mod dependencies;
pub mod downloads;
pub mod drift;
pub mod fingerprint;
pub(super) mod lock_set;
pub(crate) mod origin;
pub mod shards;
