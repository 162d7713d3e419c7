//! Where the project and its tools lie.

use camino::{Utf8Path, Utf8PathBuf};

/// The project's root.
pub(crate) fn project() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Utf8Path::new("."))
}

/// Where the tools lie: `SPLITTER_TOOLS_DIR`, or `target/tools` of the project. Not `CARGO_TARGET_DIR`: that may be
/// shared between projects, and tests started by a plain `cargo test` must find the tools too.
pub(crate) fn tools_dir() -> Utf8PathBuf {
    let chosen = std::env::var("SPLITTER_TOOLS_DIR").map_or_else(|_| "target/tools".into(), Utf8PathBuf::from);
    project().join(chosen)
}
