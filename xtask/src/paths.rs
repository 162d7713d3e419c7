//! The folders of the project and of its tools.

use camino::{Utf8Path, Utf8PathBuf};

/// Returns the root of the project.
pub(crate) fn project() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Utf8Path::new("."))
}

/// Returns the folder of the tools: `SPLITTER_TOOLS_DIR`, else `target/tools`. `CARGO_TARGET_DIR` is not used, because
/// projects may share it, and a plain `cargo test` must find the tools too.
pub(crate) fn tools_dir() -> Utf8PathBuf {
    let chosen = std::env::var("SPLITTER_TOOLS_DIR").map_or_else(|_| "target/tools".into(), Utf8PathBuf::from);
    project().join(chosen)
}
