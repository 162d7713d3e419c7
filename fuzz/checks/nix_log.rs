//! Fuzzes the reader of Nix's log. Builders and Nix print it, so no line may panic.

use splitter::nix::command::log;

pub(crate) fn check(line: &str) {
    for line in [line, &format!("@nix {line}")] {
        let _ = (log::parse(line), log::announced(line), log::name_of(line));
    }
    assert!(!log::plain(line).contains('\u{1b}'));
}
