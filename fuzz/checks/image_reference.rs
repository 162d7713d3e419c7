//! Fuzzes the parser of names of images. A registry may be reached without TLS only on this machine.

use splitter::image::Reference;

pub(crate) fn check(text: &str) {
    let Ok(reference) = Reference::parse(text) else { return };
    let address = reference.address();
    let is_here = |host: &str| host.ends_with("localhost") || host.starts_with("127.") || host == "[::1]";
    assert!(address.scheme() == "https" || address.host_str().is_some_and(is_here));
    assert!(address.username().is_empty() && address.password().is_none());
}
