//! Fuzzes the parser of integrity texts in lockfiles. No text may panic, and a printed value must parse as the same.

use splitter::lockfile::Integrity;

pub(crate) fn check(text: &str) {
    if let Ok(integrity) = text.parse::<Integrity>() {
        assert_eq!(integrity.to_string().parse(), Ok(integrity));
    }
}
