//! See `checks/registries.rs`.
#![no_main]

#[path = "../checks/registries.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| checks::check(input));
