//! Fuzzes the parser of what a traced build notes. A build can write anything there, so no text may panic.

use splitter::proof::trace::Note;

pub(crate) fn check(text: &str) {
    let _ = Note::parse(text);
}
