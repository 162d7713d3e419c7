//! `cargo xtask setup`: installs all tools for the tests into one folder.

use std::time::Instant;

use fs_err as fs;

use crate::{Result, linters, nix, packages, paths::tools_dir, tools};

/// Installs missing tools. A second run at the same time waits for the first.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    let dir = tools_dir();
    fs::create_dir_all(&dir)?;
    let lock = fs::File::create(dir.join(".lock"))?;
    lock.lock()?;
    let installed = tools::install_missing(&dir);
    let packages = packages::download_missing(&dir.join("packages"));
    let nix = nix::install_if_missing(&dir);
    nix::install_programs_of_tests()?;
    let linters = linters::install_if_missing(&dir);
    packages?;
    let news = installed? + usize::from(nix?) + usize::from(linters?);
    if news > 0 {
        eprintln!("setup: {news} tools installed in {dir} ({:.1} s)", start.elapsed().as_secs_f32());
    }
    Ok(())
}
