//! Fuzzes the reader of addresses of caches. What is printed is read as the same address.

use splitter::caches::Address;

pub(crate) fn check(text: &str) {
    let Ok(address) = text.parse::<Address>() else { return };
    assert_eq!(address.to_string().parse(), Ok(address));
}
