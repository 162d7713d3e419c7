//! See `checks/lint.rs`.
#![no_main]

#[path = "../checks/lint.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
