//! Fuzzes the parser of names of images. A registry may be reached without TLS only on this machine.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::image::Reference;

fuzz_target!(|text: &str| {
    if let Ok(reference) = Reference::parse(text) {
        let address = reference.address();
        assert!(
            address.scheme() == "https"
                || address
                    .host_str()
                    .is_some_and(|host| { host.ends_with("localhost") || host.starts_with("127.") || host == "[::1]" })
        );
        assert!(address.username().is_empty() && address.password().is_none());
    }
});
