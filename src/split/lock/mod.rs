//! Everything that depends on the lockfile: the lock set, the list of tarballs and its parts, fingerprints, and drift between
//! manifests and lockfile.

pub mod dependencies;
pub mod downloads;
pub mod drift;
pub mod fingerprint;
pub(super) mod lock_set;
pub(crate) mod origin;
pub mod scripts;
pub mod shards;
pub(in crate::split) mod unsatisfied;
