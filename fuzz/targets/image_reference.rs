//! See `checks/image_reference.rs`.
#![no_main]

#[path = "../checks/image_reference.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
