//! See `checks/manifest.rs`.
#![no_main]

#[path = "../checks/manifest.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
