//! Fingerprints of dependency lists.
//!
//! A fingerprint is part of the derivation's name, so that a wrong hash cannot be satisfied by an old store path. It
//! covers what decides the bytes (path and integrity) and nothing else: a mirror or a new splitter changes no name.

use crate::lockfile::Integrity;

/// The fingerprint of entries that are sorted by path: 32 hexadecimal digits (128 bits of blake3).
pub fn of<'a>(entries: impl Iterator<Item = (&'a str, &'a Integrity)>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, integrity) in entries {
        hasher.update(path.as_bytes());
        hasher.update(b"\0");
        hasher.update(integrity.to_string().as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex().as_str()[..32].to_owned()
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
