//! An archive that a host makes comes from the network: no bytes may panic, and what was packed anew stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::fetch::repack;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(made) = repack(bytes) {
        assert!(made.len() == 1024 || repack(made.as_slice()).is_ok_and(|again| again == made));
    }
});
