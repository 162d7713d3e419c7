//! NAR, Nix's archive of one file, link or folder, and its hash, which identifies a fixed output.
//!
//! The format holds only what a build can depend on: names in byte order, contents, link targets and one executable
//! bit. It has no times, owners or other modes. Format: "Nix Archive (NAR) format" in the manual of Nix 2.34
//! (`protocols/nix-archive`).
//!
//! A [`Tree`] describes the content of an archive. Its files may be anywhere, so the hash of a folder of tarballs comes
//! straight from the cache: nothing is copied, no folder is created and no Nix is needed. An archive is always a
//! stream. Memory use does not depend on the size of the tree.

use std::{fmt, io, path::PathBuf, str::FromStr};

use camino::Utf8PathBuf;
use data_encoding::{BASE64, HEXLOWER};

use crate::diagnostic::{Category, Diagnose, Location};

mod folder;
mod hash;
#[cfg(test)]
mod oracle;
mod tree;
mod write;

pub use folder::{lay_out, tree_of_folder};
pub use hash::hash;
pub use tree::{DEEPEST, File, Folder, Name, NameError, Source, Tree, TreeError};
pub use write::write;

/// The sha256 of an archive, as `outputHash` and `splitter.lock.json` hold it: `sha256-<base64>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NarDigest([u8; 32]);

/// The hash and the size of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NarHash {
    /// Its sha256.
    pub digest: NarDigest,
    /// Its length in bytes, slightly more than the sum of its files.
    pub size: u64,
}

/// The text is not a [`NarDigest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `sha256-<base64 of 32 bytes>`, found `{0}`")]
pub struct NarDigestError(pub String);

impl Diagnose for NarDigestError {
    fn category(&self) -> Category {
        Category::Input
    }
}

/// Why a tree could not be read, written or hashed.
#[derive(Debug, thiserror::Error)]
pub enum NarError {
    /// The tree cannot be an archive.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file could not be read or created. The error names it.
    #[error(transparent)]
    Disk(io::Error),
    /// The archive could not be written.
    #[error("could not write the archive: {0}")]
    Write(io::Error),
    /// No thread for reading could be started.
    #[error("could not start a thread: {0}")]
    Thread(io::Error),
    /// A file changed its length while it was read. Its hash would match neither version.
    #[error("`{}` changed while it was read: it had {expected} bytes, then {found}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its length in bytes when it was opened.
        expected: u64,
        /// Its length in bytes afterwards.
        found: u64,
    },
    /// A socket, device or pipe. Archives cannot hold these.
    #[error("`{}` is neither a file, a link nor a folder", path.display())]
    Special {
        /// Its path.
        path: PathBuf,
    },
}

impl NarError {
    fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Changed { path, .. } | Self::Special { path } => Some(path),
            Self::Tree(_) | Self::Disk(_) | Self::Write(_) | Self::Thread(_) => None,
        }
    }
}

impl Diagnose for NarError {
    fn category(&self) -> Category {
        match self {
            Self::Tree(_) | Self::Special { .. } => Category::Input,
            Self::Disk(_) | Self::Write(_) | Self::Thread(_) | Self::Changed { .. } => Category::Environment,
        }
    }

    fn location(&self) -> Option<Location> {
        self.path().and_then(|path| Utf8PathBuf::from_path_buf(path.clone()).ok()).map(Location::file)
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Changed { .. } => vec!["run the command again when nothing else writes to that file".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl NarDigest {
    /// Returns the bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for NarDigest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for NarDigest {
    type Err = NarDigestError;

    fn from_str(text: &str) -> Result<Self, NarDigestError> {
        let encoded = text.strip_prefix("sha256-");
        let bytes = encoded.and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(|| NarDigestError(text.to_owned()))
    }
}

impl fmt::Display for NarDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256-{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for NarDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::LowerHex for NarDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl serde::Serialize for NarDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for NarDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for NarHash {
    /// Writes the digest as `sha256-<base64>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_sha256_is_a_digest() {
        let text = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let digest: NarDigest = text.parse().unwrap();
        assert_eq!(digest.to_string(), text);
        assert_eq!(format!("{digest:x}"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for wrong in ["", "sha256-", "sha256-AAAA", "sha512-AAAA", &text[..50], &text.replace('-', ":")] {
            assert_eq!(wrong.parse::<NarDigest>(), Err(NarDigestError(wrong.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(bytes in any::<[u8; 32]>()) {
            let digest = NarDigest::from(bytes);
            prop_assert_eq!(digest.to_string().parse::<NarDigest>().unwrap(), digest);
        }
    }
}
