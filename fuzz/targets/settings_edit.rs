//! See `checks/settings_edit.rs`.
#![no_main]

#[path = "../checks/settings_edit.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
