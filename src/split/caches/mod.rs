//! Binary caches as the user names them: addresses and public keys.
//!
//! `splitter.json` and the command line name caches in the same words. What a cache has is asked by
//! [`caches`](crate::caches).

mod address;
mod key;

pub use self::{
    address::{Address, AddressError, Parameters, attic_endpoint},
    key::{KeyError, PublicKey, SecretKeyError, check_secret_key},
};

/// A cache of `splitter.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheChoice {
    /// The address.
    pub address: Address,
    /// The keys that may sign its store paths, besides those in the settings of Nix.
    pub public_keys: Vec<PublicKey>,
    /// Whether `splitter cache push` and the workflow push to it.
    pub push: bool,
}

impl CacheChoice {
    /// Returns a cache without keys of its own.
    pub fn of(address: Address) -> Self {
        Self { address, public_keys: Vec::new(), push: true }
    }
}
