//! Fuzzes the parser of what a traced build notes. A build can write anything there, so no text may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::proof::trace::Note;

fuzz_target!(|text: &str| {
    let _ = Note::parse(text);
});
