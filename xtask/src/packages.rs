//! Downloads real packages for the tests, which serve them on the loopback: a framework and all that it needs, with the
//! versions and integrities of `packages.json`.

use std::thread;

use camino::Utf8Path;
use fs_err as fs;
use serde::Deserialize;
use splitter::lockfile::Integrity;

use crate::{Result, tools};

/// How many downloads run at once.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    integrity: Integrity,
}

impl Package {
    /// Returns the name of its file, which tests know too.
    fn file(&self) -> String {
        format!("{}-{}.tgz", self.name.replace('/', "+"), self.version)
    }
}

/// Downloads the packages that are missing in `dir`. Returns their number.
pub(crate) fn download_missing(dir: &Utf8Path) -> Result<usize> {
    let packages: Vec<Package> = serde_json::from_str(include_str!("../packages.json"))?;
    let missing: Vec<&Package> = packages.iter().filter(|package| !dir.join(package.file()).is_file()).collect();
    if missing.is_empty() {
        return Ok(0);
    }
    fs::create_dir_all(dir)?;
    eprintln!("setup: downloading {} packages", missing.len());
    let registry = tools::registry();
    thread::scope(|scope| {
        let parts = missing.chunks(missing.len().div_ceil(AT_ONCE));
        let running: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().try_for_each(|package| download(dir, package, &registry))))
            .collect();
        for thread in running {
            thread.join().map_err(|_| "a download panicked")??;
        }
        Ok(missing.len())
    })
}

/// Downloads a package under its final name only if its bytes are right.
fn download(dir: &Utf8Path, package: &Package, registry: &str) -> Result<()> {
    let scratch = tempfile::NamedTempFile::new_in(dir)?;
    let file = Utf8Path::from_path(scratch.path()).ok_or("the path of the tools folder is not UTF-8")?;
    tools::download_package(registry, &package.name, &package.version, &package.integrity, file)?;
    scratch.persist(dir.join(package.file()))?;
    Ok(())
}
