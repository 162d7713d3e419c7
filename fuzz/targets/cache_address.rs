//! See `checks/cache_address.rs`.
#![no_main]

#[path = "../checks/cache_address.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
