//! See `checks/build_files.rs`.
#![no_main]

#[path = "../checks/build_files.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
