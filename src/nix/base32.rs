//! Nix's base32, the encoding of hashes in store paths.
//!
//! The digits are taken from the least significant bit on and then written backwards, in an alphabet without `e`, `o`,
//! `t` and `u`. Format: `src/libutil/base-nix-32.cc` of Nix.
//!
//! [`data_encoding`] has the same bit order in [`BASE32_DNSCURVE`], with other letters for the same digits. Using that
//! constant instead of a specification built at run time leaves nothing that can fail.

use data_encoding::{BASE32_DNSCURVE, DecodeKind};

/// Nix's letter for each digit from 0 to 31.
const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";
/// `DNSCurve`'s letter for each digit from 0 to 31.
const DNSCURVE: &[u8; 32] = b"0123456789bcdfghjklmnpqrstuvwxyz";

/// Why a text is not Nix base32.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Base32Error {
    /// A character is not a digit.
    #[error("`{found}` in `{text}` is not a digit of Nix's base32")]
    Digit {
        /// The whole text.
        text: String,
        /// The first character that is not a digit.
        found: char,
    },
    /// No number of bytes has this many digits.
    #[error("`{text}` has {found} digits, which no number of bytes has in base32")]
    Length {
        /// The whole text.
        text: String,
        /// Its length in digits.
        found: usize,
    },
    /// The remaining bits are not zero. Without this check, two texts would mean the same bytes.
    #[error("`{text}` has bits left over after its last byte")]
    Trailing {
        /// The whole text.
        text: String,
    },
}

/// Encodes `bytes`: 20 bytes give 32 digits, 32 bytes give 52.
pub fn encode(bytes: &[u8]) -> String {
    let digits = BASE32_DNSCURVE.encode(bytes);
    digits.bytes().rev().filter_map(|letter| translate(letter, DNSCURVE, ALPHABET)).map(char::from).collect()
}

/// Decodes the output of [`encode`]. Anything else is refused, upper case included, as in Nix.
pub fn decode(text: &str) -> Result<Vec<u8>, Base32Error> {
    let mut digits = Vec::with_capacity(text.len());
    for found in text.chars().rev() {
        let digit = u8::try_from(found).ok().and_then(|letter| translate(letter, ALPHABET, DNSCURVE));
        digits.push(digit.ok_or_else(|| Base32Error::Digit { text: text.to_owned(), found })?);
    }
    BASE32_DNSCURVE.decode(&digits).map_err(|error| match error.kind {
        DecodeKind::Trailing => Base32Error::Trailing { text: text.to_owned() },
        DecodeKind::Length | DecodeKind::Symbol | DecodeKind::Padding => {
            Base32Error::Length { text: text.to_owned(), found: digits.len() }
        }
    })
}

fn translate(letter: u8, from: &[u8; 32], to: &[u8; 32]) -> Option<u8> {
    from.iter().position(|candidate| *candidate == letter).map(|digit| to[digit])
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digests_are_written_as_nix_writes_them() {
        // nix hash convert --hash-algo <sha1|sha256> --from base16 --to nix32 <hex>
        for (hex, digits) in [
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "143xibwh31h9bvxzalr0sjvbbvpa6ffs"),
            (
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            ),
            (
                "0000000000000000000000000000000000000000000000000000000000000001",
                "0080000000000000000000000000000000000000000000000000",
            ),
        ] {
            let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(encode(&bytes), digits);
            assert_eq!(decode(digits).unwrap(), bytes);
        }
    }

    #[test]
    fn every_digit_is_its_own() {
        let bytes = decode(std::str::from_utf8(ALPHABET).unwrap()).unwrap();
        assert_eq!(encode(&bytes).as_bytes(), ALPHABET);
        assert_eq!((encode(&[]).as_str(), decode("").unwrap()), ("", vec![]));
    }

    #[test]
    fn wrong_texts_are_refused() {
        assert!(matches!(decode("0e"), Err(Base32Error::Digit { found: 'e', .. })));
        assert!(matches!(decode("0A"), Err(Base32Error::Digit { found: 'A', .. })));
        assert!(matches!(decode("ß0"), Err(Base32Error::Digit { found: 'ß', .. })));
        assert!(matches!(decode("0"), Err(Base32Error::Length { found: 1, .. })));
        assert!(matches!(decode("zz"), Err(Base32Error::Trailing { .. })));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn a_text_that_is_read_is_the_only_one_for_its_bytes(text in "[0-9a-z]{0,60}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
