//! `splitter.json` is written by hand: no text may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::split::config;

fuzz_target!(|text: &str| {
    let _ = config::parse(text);
});
