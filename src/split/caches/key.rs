//! The public key of a cache: [`PublicKey`].

use std::{fmt, str::FromStr};

use data_encoding::BASE64;

/// The number of bytes of an ed25519 key.
const LENGTH: usize = 32;

/// A public key with its name, `NAME:BASE64`, as `trusted-public-keys` has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    name: String,
    bytes: [u8; LENGTH],
}

/// Why a text is not a public key. The message does not repeat the text, because it may be a secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has another form.
    #[error("expected a public key, `NAME:BASE64` with 32 bytes, such as `cache.example-1:…=`")]
    Malformed,
    /// It has the length of a secret key.
    #[error("expected a public key, found a secret key; make a new pair, because this one is no longer secret")]
    Secret,
}

/// Why a text is not a secret key. The message does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// It has another form.
    #[error("is not `NAME:BASE64` with 64 bytes")]
    Malformed,
    /// It has the length of a public key.
    #[error("has a public key")]
    Public,
}

/// Checks that a text is a secret key, `NAME:BASE64`. Nothing of it is kept.
pub fn check_secret_key(text: &str) -> Result<(), SecretKeyError> {
    match text.parse::<PublicKey>() {
        Ok(_) => Err(SecretKeyError::Public),
        Err(KeyError::Secret) => Ok(()),
        Err(KeyError::Malformed) => Err(SecretKeyError::Malformed),
    }
}

impl PublicKey {
    /// Returns the name, which signatures repeat.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the ed25519 key.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, encoded) = text.split_once(':').ok_or(KeyError::Malformed)?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(KeyError::Malformed);
        }
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| KeyError::Malformed)?;
        // A secret key is the seed and the public key.
        if bytes.len() == 2 * LENGTH {
            return Err(KeyError::Secret);
        }
        Ok(Self { name: name.to_owned(), bytes: bytes.try_into().map_err(|_| KeyError::Malformed)? })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, BASE64.encode(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_nix_writes_them() {
        let text = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
        let key: PublicKey = text.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("cache.nixos.org-1", text));
        let secret = format!("a:{}", BASE64.encode(&[7; 64]));
        assert_eq!(secret.parse::<PublicKey>(), Err(KeyError::Secret));
        assert_eq!((check_secret_key(&secret), check_secret_key(text)), (Ok(()), Err(SecretKeyError::Public)));
        assert_eq!(check_secret_key("a:AAAA"), Err(SecretKeyError::Malformed));
        for text in ["", "a", "a:", ":6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=", "a:AAAA", "a b:AAAA", "a:6NCHdD59"]
        {
            assert_eq!(text.parse::<PublicKey>(), Err(KeyError::Malformed), "{text}");
        }
    }
}
