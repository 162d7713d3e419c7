//! Subresource Integrity as used in lockfiles: one or more of `sha512-<base64>`.
//!
//! Format: <https://www.w3.org/TR/SRI/#the-integrity-attribute>. Options after `?` are ignored.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};
use sha2::Digest as _;

/// A hash algorithm. The order is from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// 20 bytes. Used by old lockfiles and by packages published before 2017.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes. Registries use it today.
    Sha512,
}

impl Algorithm {
    /// The length of the longest digest in bytes.
    const LONGEST: usize = 64;

    /// Returns the length of its digests in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Returns its name in integrity texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Computes the digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

/// A digest of the right length for its algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    /// The digest, padded with zeros. An array avoids an allocation for each of thousands of digests.
    bytes: [u8; Algorithm::LONGEST],
}

impl Digest {
    /// The length of the longest digest in base64.
    const LONGEST_TEXT: usize = Algorithm::LONGEST.div_ceil(3) * 4;

    /// Creates a digest from bytes. `None` if their number does not match the algorithm.
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == algorithm.digest_len()).then(|| Self::padded(algorithm, bytes))
    }

    fn padded(algorithm: Algorithm, digest: &[u8]) -> Self {
        let mut bytes = [0; Algorithm::LONGEST];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { algorithm, bytes }
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_len()]
    }

    /// Returns the bytes in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(self.bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        f.write_str("-")?;
        let mut buffer = [0; Self::LONGEST_TEXT];
        let text = &mut buffer[..BASE64.encode_len(self.bytes().len())];
        BASE64.encode_mut(self.bytes(), text);
        // Base64 is ASCII.
        f.write_str(str::from_utf8(text).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = IntegrityError;

    fn from_str(text: &str) -> Result<Self, IntegrityError> {
        let malformed = || IntegrityError::Malformed(text.to_owned());
        let (name, rest) = text.split_once('-').ok_or_else(malformed)?;
        let algorithm = Algorithm::named(name).ok_or_else(|| IntegrityError::Algorithm(text.to_owned()))?;
        let encoded = rest.split('?').next().unwrap_or_default();
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| malformed())?;
        Self::new(algorithm, &bytes).ok_or_else(malformed)
    }
}

/// The digests of the strongest algorithm in an integrity text. A file must match any one of them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Integrity {
    digests: Vec<Digest>,
}

/// Why a text is not an [`Integrity`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// It is not `<algorithm>-<base64>`, or the digest has the wrong length.
    #[error("malformed integrity `{0}`; expected `sha512-<base64>`")]
    Malformed(String),
    /// It has no known algorithm.
    #[error("unknown integrity algorithm in `{0}`; expected sha512, sha384, sha256 or sha1")]
    Algorithm(String),
}

impl Integrity {
    /// Returns the algorithm of its digests, the strongest in the text.
    pub fn algorithm(&self) -> Algorithm {
        self.digests[0].algorithm
    }

    /// Returns the digests, sorted and of one algorithm. A file must match any one of them.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Whether a file with this digest matches.
    pub fn accepts(&self, digest: &Digest) -> bool {
        self.digests.contains(digest)
    }
}

impl From<Digest> for Integrity {
    fn from(digest: Digest) -> Self {
        Self { digests: vec![digest] }
    }
}

impl FromStr for Integrity {
    type Err = IntegrityError;

    /// Parses digests separated by white space. Ignores unknown algorithms if there is a known one.
    fn from_str(text: &str) -> Result<Self, IntegrityError> {
        let mut digests = Vec::with_capacity(1);
        let mut unknown = None;
        for word in text.split_ascii_whitespace() {
            match word.parse::<Digest>() {
                Ok(digest) => digests.push(digest),
                Err(IntegrityError::Algorithm(word)) => unknown = Some(IntegrityError::Algorithm(word)),
                Err(malformed) => return Err(malformed),
            }
        }
        let Some(strongest) = digests.iter().map(Digest::algorithm).max() else {
            return Err(unknown.unwrap_or_else(|| IntegrityError::Malformed(text.to_owned())));
        };
        digests.retain(|digest| digest.algorithm == strongest);
        digests.sort();
        digests.dedup();
        Ok(Self { digests })
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, digest) in self.digests.iter().enumerate() {
            write!(f, "{}{digest}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for Integrity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Integrity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest of streamed bytes.
#[derive(Clone)]
pub enum Hasher {
    /// See [`Algorithm::Sha1`].
    Sha1(Box<sha1::Sha1>),
    /// See [`Algorithm::Sha256`].
    Sha256(Box<sha2::Sha256>),
    /// See [`Algorithm::Sha384`].
    Sha384(Box<sha2::Sha384>),
    /// See [`Algorithm::Sha512`].
    Sha512(Box<sha2::Sha512>),
}

impl Hasher {
    /// Creates a hasher without input.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(Box::default()),
            Algorithm::Sha256 => Self::Sha256(Box::default()),
            Algorithm::Sha384 => Self::Sha384(Box::default()),
            Algorithm::Sha512 => Self::Sha512(Box::default()),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Returns the digest of all bytes.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha1(hasher) => Digest::padded(Algorithm::Sha1, &hasher.finalize()),
            Self::Sha256(hasher) => Digest::padded(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha384(hasher) => Digest::padded(Algorithm::Sha384, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::padded(Algorithm::Sha512, &hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_strongest_algorithm_counts() {
        let sha1 = Algorithm::Sha1.digest(b"x");
        let sha512 = Algorithm::Sha512.digest(b"x");
        let both: Integrity = format!("{sha1} {sha512}").parse().unwrap();
        assert_eq!(both.algorithm(), Algorithm::Sha512);
        assert!(both.accepts(&sha512) && !both.accepts(&sha1));
        assert_eq!(both.to_string(), sha512.to_string());
    }

    #[test]
    fn several_digests_of_one_algorithm_are_alternatives() {
        let (a, b) = (Algorithm::Sha512.digest(b"a"), Algorithm::Sha512.digest(b"b"));
        let either: Integrity = format!("{b} md5-xx {a}?opt").parse().unwrap();
        assert!(either.accepts(&a) && either.accepts(&b));
        assert_eq!(either.to_string().parse::<Integrity>().unwrap(), either);
    }

    #[test]
    fn wrong_texts_are_refused() {
        for text in ["", "sha512", "sha512-!!!", "sha512-AAAA", "sha1-AAAA"] {
            assert!(matches!(text.parse::<Integrity>(), Err(IntegrityError::Malformed(_))), "{text}");
        }
        assert!(matches!("md5-AAAA".parse::<Integrity>(), Err(IntegrityError::Algorithm(_))));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
            for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
                let digest = algorithm.digest(&bytes);
                prop_assert_eq!(digest.bytes().len(), algorithm.digest_len());
                prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<Integrity>();
        }
    }
}
