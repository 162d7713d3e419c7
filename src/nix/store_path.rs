//! Store paths of fixed outputs, computed from a name and a hash.
//!
//! A recursive sha256 output depends only on its name and its NAR hash, not on the derivation, the URL or the system.
//! Its path is therefore known before anything is built, and two machines with the same hash have the same path.
//! Format: "Store Path Specification" in the manual of Nix 2.34 (`protocols/store-path`).

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::{base32, nar::NarDigest};
use crate::{
    diagnostic::{Category, Diagnose},
    lockfile::Digest,
};

/// The folder of the store. Nix can be built with another folder, but then shares no paths with other machines.
pub const STORE: &str = "/nix/store";

/// The longest name that Nix allows, in bytes.
const LONGEST_NAME: usize = 211;
/// The number of bytes of the hash in a store path.
const HASH_LENGTH: usize = 20;
/// The number of digits of the hash in a store path.
const HASH_DIGITS: usize = 32;

/// The name of a store path: the part after its hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreName(String);

/// A path in [`STORE`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorePath {
    hash: [u8; HASH_LENGTH],
    name: StoreName,
}

/// Why a text is not a name or a path of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorePathError {
    /// The name is empty.
    #[error("the name of a store path is empty")]
    Empty,
    /// The name is too long.
    #[error("the store path's name `{name}` has {} bytes; Nix allows 211", name.len())]
    Long {
        /// The name.
        name: String,
    },
    /// The name's first part, up to a dash, is `.` or `..`.
    #[error("the store path's name `{name}` must not be `.` or `..`, or start with `.-` or `..-`")]
    Dots {
        /// The name.
        name: String,
    },
    /// The name contains a character that Nix does not allow.
    #[error("the store path's name `{name}` contains `{found}`; Nix allows letters, digits and `+-._?=`")]
    Character {
        /// The name.
        name: String,
        /// The first character that is not allowed.
        found: char,
    },
    /// The text is not `/nix/store/<32 digits>-<name>`.
    #[error("expected `{STORE}/<hash>-<name>`, found `{0}`")]
    Malformed(String),
}

impl Diagnose for StorePathError {
    fn category(&self) -> Category {
        Category::Input
    }
}

impl StoreName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreName {
    type Err = StorePathError;

    fn from_str(text: &str) -> Result<Self, StorePathError> {
        let name = || text.to_owned();
        let is_allowed = |letter: &char| letter.is_ascii_alphanumeric() || "+-._?=".contains(*letter);
        if text.is_empty() {
            return Err(StorePathError::Empty);
        }
        if text.len() > LONGEST_NAME {
            return Err(StorePathError::Long { name: name() });
        }
        if let Some(found) = text.chars().find(|letter| !is_allowed(letter)) {
            return Err(StorePathError::Character { name: name(), found });
        }
        match text.split('-').next() {
            Some("." | "..") => Err(StorePathError::Dots { name: name() }),
            _ => Ok(Self(name())),
        }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StorePath {
    /// Returns the path of a recursive sha256 fixed output with this name and hash.
    pub fn fixed_output(name: &StoreName, digest: NarDigest) -> Self {
        let described = format!("source:sha256:{}:{STORE}:{name}", HEXLOWER.encode(digest.as_bytes()));
        Self { hash: fold(&Sha256::digest(described.as_bytes())), name: name.clone() }
    }

    /// Returns the path of a flat fixed output with this name and hash: one file, as `fetchurl` creates it.
    pub fn flat_output(name: &StoreName, digest: &Digest) -> Self {
        let content = format!("fixed:out:{}:{}:", digest.algorithm().name(), digest.hex());
        let content = HEXLOWER.encode(&Sha256::digest(content.as_bytes()));
        let described = format!("output:out:sha256:{content}:{STORE}:{name}");
        Self { hash: fold(&Sha256::digest(described.as_bytes())), name: name.clone() }
    }

    /// Returns the name.
    pub fn name(&self) -> &StoreName {
        &self.name
    }
}

/// Shortens a digest as Nix does: combines its bytes by exclusive or until they fit.
fn fold(digest: &[u8]) -> [u8; HASH_LENGTH] {
    let mut hash = [0; HASH_LENGTH];
    for (index, byte) in digest.iter().enumerate() {
        hash[index % HASH_LENGTH] ^= byte;
    }
    hash
}

impl FromStr for StorePath {
    type Err = StorePathError;

    fn from_str(text: &str) -> Result<Self, StorePathError> {
        let malformed = || StorePathError::Malformed(text.to_owned());
        let entry = text.strip_prefix(STORE).and_then(|rest| rest.strip_prefix('/')).ok_or_else(malformed)?;
        let (digits, rest) = entry.split_at_checked(HASH_DIGITS).ok_or_else(malformed)?;
        let name = rest.strip_prefix('-').ok_or_else(malformed)?.parse()?;
        let bytes = base32::decode(digits).map_err(|_| malformed())?;
        Ok(Self { hash: bytes.try_into().map_err(|_| malformed())?, name })
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{STORE}/{}-{}", base32::encode(&self.hash), self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lockfile::Algorithm;

    #[test]
    fn paths_are_where_nix_puts_them() {
        // From `nix store add --name <name> <path>`, and `nix hash path <path>` of the same path.
        for (digest, path) in [
            (
                "sha256-zN43XJmNhOBg7oznlZyPlMWK74PklWBq7/m5DTxtL04=",
                "/nix/store/a101ry64prhq70jyl77q503pidv67jw7-splitter-deps-common-0123",
            ),
            ("sha256-d6xi4mKdjkX2JFicDIv5niSzpyI0m/Hnm8GGAIU04kY=", "/nix/store/zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-x"),
            (
                "sha256-YoPBZoJg+QPRqJXAzWuCL6S2h2K7CxfO3vLTnZfiZVQ=",
                "/nix/store/78sw4kgnlwlwp82n9crq3226z2pb1g91-run.sh",
            ),
        ] {
            let (_, name) = path.split_once('-').unwrap();
            let computed = StorePath::fixed_output(&name.parse().unwrap(), digest.parse().unwrap());
            assert_eq!(computed.to_string(), path);
            assert_eq!(path.parse::<StorePath>().unwrap(), computed);
        }
    }

    #[test]
    fn flat_files_are_where_nix_puts_them() {
        // From `printf hello > hello-1.0.tgz; nix-store --add-fixed <algorithm> hello-1.0.tgz`.
        for (algorithm, path) in [
            (Algorithm::Sha512, "/nix/store/43jnvbiq1n16gv7anafi1rx5f8w89z4g-hello-1.0.tgz"),
            (Algorithm::Sha1, "/nix/store/77kcwlrpp7w7kqmys9gmx6zpng2jip0q-hello-1.0.tgz"),
        ] {
            let name = "hello-1.0.tgz".parse().unwrap();
            assert_eq!(StorePath::flat_output(&name, &algorithm.digest(b"hello")).to_string(), path);
        }
    }

    #[test]
    fn names_are_those_that_nix_takes() {
        // `nix store add --name <name> <path>` accepted the first list and refused the second.
        for name in [".a", "..a", ".a-b", "a-", "a?=+_-.", "0", &"x".repeat(211)] {
            assert_eq!(name.parse::<StoreName>().unwrap().as_str(), name);
        }
        for name in ["", ".", "..", ".-a", "..-b", "é", "a/b", "a b", "a\0", "a@1", &"x".repeat(212)] {
            assert!(name.parse::<StoreName>().is_err(), "{name}");
        }
    }

    #[test]
    fn texts_that_are_no_store_paths_are_refused() {
        let digits = "a101ry64prhq70jyl77q503pidv67jw7";
        for text in [
            String::new(),
            "/nix/store".to_owned(),
            format!("/nix/store/{digits}"),
            format!("/nix/store/{digits}-"),
            format!("/nix/store{digits}-x"),
            format!("/nix/store/{digits}-x/y"),
            format!("/nix/store/{}-x", digits.replace('a', "e")),
            format!("/gnu/store/{digits}-x"),
            format!("/nix/store/ü{}-x", &digits[1..]),
        ] {
            assert!(text.parse::<StorePath>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(digest in any::<[u8; 32]>(), name in "[a-z0-9+_?=][a-zA-Z0-9+._?=-]{0,60}") {
            let path = StorePath::fixed_output(&name.parse().unwrap(), NarDigest::from(digest));
            prop_assert_eq!(path.to_string().parse::<StorePath>().unwrap(), path);
        }

        #[test]
        fn no_text_panics(text in "(/nix/store/)?\\PC{0,60}") {
            let _ = text.parse::<StorePath>();
            let _ = text.parse::<StoreName>();
        }
    }
}
