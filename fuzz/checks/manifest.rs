//! Fuzzes the parser of `package.json`. People write it by hand: no text may panic, and a normalised manifest must have
//! the same digest.

use splitter::split::Manifest;

pub(crate) fn check(text: &str) {
    let Ok(manifest) = Manifest::parse("package.json", text) else { return };
    let normalised = manifest.normalised().to_string();
    if let Ok(again) = Manifest::parse("package.json", &normalised) {
        assert_eq!(again.digest(), manifest.digest());
    }
}
