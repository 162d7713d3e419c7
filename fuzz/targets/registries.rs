//! `.npmrc` and `bunfig.toml` are written by hand: no text may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::managers::ProjectRegistries;

fuzz_target!(|texts: (&str, &str)| {
    let _ = ProjectRegistries::of_bun(Some(texts.0), Some(texts.1));
});
