//! Fingerprints of dependency lists.
//!
//! The fingerprint is part of the derivation's name, so an old store path cannot satisfy a wrong hash. It covers only what
//! decides the bytes: path and integrity. A mirror or a new version of splitter changes no name.

use std::fmt::Write as _;

use crate::lockfile::Integrity;

/// Returns the fingerprint of entries that are sorted by path: 32 hexadecimal digits (128 bits of blake3).
pub fn of<'a>(entries: impl Iterator<Item = (&'a str, &'a Integrity)>) -> String {
    // Hashing one text is several times faster than hashing thousands of small pieces.
    let mut text = String::new();
    for (path, integrity) in entries {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{path}\0{integrity}");
    }
    blake3::hash(text.as_bytes()).to_hex().as_str()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::Algorithm;

    #[test]
    fn it_changes_with_path_and_integrity() {
        let (a, b): (Integrity, Integrity) =
            (Algorithm::Sha512.digest(b"a").into(), Algorithm::Sha512.digest(b"b").into());
        let one = of([("x", &a)].into_iter());
        assert_eq!(one.len(), 32);
        assert_eq!(of([("x", &a)].into_iter()), one);
        assert_ne!(of([("x", &b)].into_iter()), one);
        assert_ne!(of([("y", &a)].into_iter()), one);
        assert_ne!(of([("x", &a), ("y", &a)].into_iter()), one);
    }
}
