//! A secret that is never printed: [`Secret`].

use std::fmt;

use data_encoding::BASE64;

/// The value of an `Authorization` header. [`fmt::Debug`] prints `***`; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns `Bearer <token>`.
    pub(crate) fn bearer(token: &str) -> Self {
        Self(format!("Bearer {token}"))
    }

    /// Returns `Basic <base64 of user:password>`.
    pub(crate) fn basic(user: &str, password: &str) -> Self {
        Self::basic_encoded(&BASE64.encode(format!("{user}:{password}").as_bytes()))
    }

    /// Returns `Basic <text>`, for a text that is already encoded.
    pub(super) fn basic_encoded(encoded: &str) -> Self {
        Self(format!("Basic {encoded}"))
    }

    /// Returns the text. Use it only for the header.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_stars() {
        assert_eq!(format!("{:?}", Secret::bearer("t")), "***");
        assert_eq!(Secret::basic("us", "pw").expose(), "Basic dXM6cHc=");
    }
}
