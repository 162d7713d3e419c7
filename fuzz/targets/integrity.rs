//! Integrity texts come from lockfiles: none may panic, and what is read must survive being printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::lockfile::Integrity;

fuzz_target!(|text: &str| {
    if let Ok(integrity) = text.parse::<Integrity>() {
        assert_eq!(integrity.to_string().parse(), Ok(integrity));
    }
});
