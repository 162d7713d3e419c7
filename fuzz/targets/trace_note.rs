//! See `checks/trace_note.rs`.
#![no_main]

#[path = "../checks/trace_note.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
