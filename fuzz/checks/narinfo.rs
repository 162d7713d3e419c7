//! Fuzzes the reader of what caches say of a store path. Servers send it, so no text may panic, and no name may leave its folder.

use splitter::caches::narinfo::parse;

pub(crate) fn check(text: &str) {
    let Ok(info) = parse(text) else { return };
    assert!(info.references.iter().chain([&info.item]).all(|item| !item.as_str().contains(['/', '\n'])));
    assert!(!info.trust(&[]).is_enough() || info.content_address.is_some());
    assert!(!info.fingerprint().contains('\n'));
}
