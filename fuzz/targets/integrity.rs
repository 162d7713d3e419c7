//! See `checks/integrity.rs`.
#![no_main]

#[path = "../checks/integrity.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
