//! `package.json` is written by hand: no text may panic, and what is normalised is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::split::Manifest;

fuzz_target!(|text: &str| {
    let Ok(manifest) = Manifest::parse("package.json", text) else { return };
    let normalised = manifest.normalised().to_string();
    if let Ok(again) = Manifest::parse("package.json", &normalised) {
        assert_eq!(again.digest(), manifest.digest());
    }
});
