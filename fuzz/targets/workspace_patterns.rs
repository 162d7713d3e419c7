//! See `checks/workspace_patterns.rs`.
#![no_main]

#[path = "../checks/workspace_patterns.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: [&str; 3]| checks::check(input));
