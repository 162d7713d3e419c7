//! The base name of a store path: [`Item`].
//!
//! Caches name store paths by their hash and refer to others by base names. Both come from servers that are not trusted, and
//! become parts of URLs and of paths. So they are checked once, here.

use std::{fmt, str::FromStr};

use crate::nix::{base32, store_path::StoreName};

/// The number of digits of the hash.
const HASH_DIGITS: usize = 32;

/// A store path without its folder: `<hash>-<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item(String);

/// The text is not `<hash>-<name>`, with or without a folder before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a store path, found `{0}`")]
pub struct ItemError(pub String);

impl Item {
    /// Returns the whole base name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the hash, by which a cache names the path.
    pub fn hash(&self) -> &str {
        &self.0[..HASH_DIGITS]
    }

    /// Returns the name without the hash.
    pub fn name(&self) -> &str {
        &self.0[HASH_DIGITS + 1..]
    }

    /// Returns the path in a store.
    pub fn in_store(&self, store: &str) -> String {
        format!("{store}/{}", self.0)
    }
}

impl FromStr for Item {
    type Err = ItemError;

    /// Reads a base name, or a path of the store.
    fn from_str(text: &str) -> Result<Self, ItemError> {
        let base = text.rsplit('/').next().unwrap_or(text);
        let split = base.split_at_checked(HASH_DIGITS);
        let is_item = split.is_some_and(|(digits, rest)| {
            base32::decode(digits).is_ok()
                && rest.strip_prefix('-').is_some_and(|name| name.parse::<StoreName>().is_ok())
        });
        if is_item { Ok(Self(base.to_owned())) } else { Err(ItemError(text.to_owned())) }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the folder of a store path.
pub fn store_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(store, _)| store).filter(|store| store.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_into_hash_and_name() {
        let path = "/nix/store/8z3wjas3v8r3l97274kb79bz2v91mya3-nodejs-22.1.0";
        let item: Item = path.parse().unwrap();
        assert_eq!((item.hash(), item.name()), ("8z3wjas3v8r3l97274kb79bz2v91mya3", "nodejs-22.1.0"));
        assert_eq!((item.in_store("/nix/store").as_str(), store_of(path)), (path, Some("/nix/store")));
        assert_eq!(item.as_str().parse(), Ok(item.clone()));
        for text in [
            "",
            "x",
            "8z3wjas3v8r3l97274kb79bz2v91mya3",
            "8z3wjas3v8r3l97274kb79bz2v91mya3-",
            "8z3wjas3v8r3l97274kb79bz2v91myaé-a",
            "8z3wjas3v8r3l97274kb79bz2v91mya3-a?b c",
            "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9",
        ] {
            assert!(text.parse::<Item>().is_err(), "{text}");
        }
    }
}
