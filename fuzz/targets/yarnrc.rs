//! See `checks/yarnrc.rs`.
#![no_main]

#[path = "../checks/yarnrc.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
