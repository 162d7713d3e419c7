//! See `checks/record.rs`.
#![no_main]

#[path = "../checks/record.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
