//! See `checks/reproduce.rs`.
#![no_main]

#[path = "../checks/reproduce.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: (&[u8], &[u8])| checks::check(input));
