//! See `checks/narinfo.rs`.
#![no_main]

#[path = "../checks/narinfo.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
