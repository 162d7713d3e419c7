//! Fuzzes the parsers of `.npmrc` and `bunfig.toml`. People write them by hand, so no text may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::managers::ProjectRegistries;

fuzz_target!(|texts: (&str, &str)| {
    let _ = ProjectRegistries::of_bun(Some(texts.0), Some(texts.1));
});
