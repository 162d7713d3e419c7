//! See `checks/config.rs`.
#![no_main]

#[path = "../checks/config.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
