//! Fuzzes the parser of `splitter.json`. People write it by hand, so no text may panic.

use splitter::split::config;

pub(crate) fn check(text: &str) {
    let _ = config::parse(text);
}
