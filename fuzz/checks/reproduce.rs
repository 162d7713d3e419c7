//! Fuzzes the readers of what builds write: tar, zip, gzip, zstd, ELF, source maps, JSON and texts. Anybody who can change a package can
//! choose these bytes. None may panic, and contents differ exactly if something is reported, in both directions.

use splitter::reproduce::compare_bytes;

pub(crate) fn check((first, second): (&[u8], &[u8])) {
    for name in ["main.js.map", "x"] {
        for (one, other) in [(first, second), (second, first)] {
            let (details, more) = compare_bytes(name, one, other);
            assert_eq!(details.is_empty() && more == 0, one == other);
            for excerpt in details.iter().flat_map(|detail| [&detail.first, &detail.second]) {
                assert!(excerpt.text.get(excerpt.core.clone()).is_some());
            }
        }
    }
}
