//! See `checks/config_globs.rs`.
#![no_main]

#[path = "../checks/config_globs.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
