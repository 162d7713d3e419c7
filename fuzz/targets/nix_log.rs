//! See `checks/nix_log.rs`.
#![no_main]

#[path = "../checks/nix_log.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
