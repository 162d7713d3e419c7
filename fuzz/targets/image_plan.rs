//! See `checks/image_plan.rs`.
#![no_main]

#[path = "../checks/image_plan.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &str| checks::check(input));
