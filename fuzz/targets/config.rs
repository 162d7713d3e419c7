//! Fuzzes the parser of `splitter.json`. People write it by hand, so no text may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::split::config;

fuzz_target!(|text: &str| {
    let _ = config::parse(text);
});
