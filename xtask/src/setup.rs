//! `cargo xtask setup`: everything that the tests drive, in one folder.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::{Result, nix, tools};

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

/// Installs what is missing. Safe to run twice at once: the second waits for the first.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    let dir = tools_dir();
    fs::create_dir_all(&dir)?;
    let lock = fs::File::create(dir.join(".lock"))?;
    lock.lock()?;
    let installed = tools::install_missing(&dir);
    let nix = nix::install_if_missing(&dir);
    let news = installed? + usize::from(nix?);
    if news > 0 {
        eprintln!("setup: {news} tools installed in {dir} ({:.1} s)", start.elapsed().as_secs_f32());
    }
    Ok(())
}
