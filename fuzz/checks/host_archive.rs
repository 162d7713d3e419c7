//! Fuzzes the repacking of archives that hosts make. They come from the network: no bytes may panic, and repacking the
//! result must change nothing.

use splitter::fetch::repack;

pub(crate) fn check(bytes: &[u8]) {
    if let Ok(made) = repack(bytes) {
        assert!(made.len() == 1024 || repack(made.as_slice()).is_ok_and(|again| again == made));
    }
}
