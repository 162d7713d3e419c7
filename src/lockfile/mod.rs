//! Lockfile formats, each read into one model. Nothing here touches a file, the network or a process.

mod integrity;

pub use integrity::{Algorithm, Digest, Hasher, Integrity, IntegrityError};
