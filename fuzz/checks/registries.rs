//! Fuzzes the parsers of `.npmrc` and `bunfig.toml`. People write them by hand, so no text may panic.

use splitter::managers::ProjectRegistries;

pub(crate) fn check(texts: (&str, &str)) {
    let _ = ProjectRegistries::of_bun(Some(texts.0), Some(texts.1));
}
