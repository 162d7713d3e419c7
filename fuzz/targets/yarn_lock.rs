//! See `checks/yarn_lock.rs`.
#![no_main]

#[path = "../checks/yarn_lock.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
