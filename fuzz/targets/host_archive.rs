//! See `checks/host_archive.rs`.
#![no_main]

#[path = "../checks/host_archive.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::check(input));
