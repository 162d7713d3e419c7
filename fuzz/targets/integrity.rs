//! Fuzzes the parser of integrity texts in lockfiles. No text may panic, and a printed value must parse as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::lockfile::Integrity;

fuzz_target!(|text: &str| {
    if let Ok(integrity) = text.parse::<Integrity>() {
        assert_eq!(integrity.to_string().parse(), Ok(integrity));
    }
});
