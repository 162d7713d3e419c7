//! Fuzzes the parser of `bun.lock`. The file is untrusted: no text may panic, and no path may leave the repository.

use splitter::{lockfile::Resolution, managers::bun::lockfile as bun};

pub(crate) fn check(text: &str) {
    let Ok(lockfile) = bun::parse(text) else { return };
    for package in &lockfile.packages {
        if let Resolution::Workspace(path) | Resolution::Folder(path) | Resolution::LocalTarball(path) =
            &package.resolution
        {
            assert!(path.parts().all(|part| part != ".."));
        }
    }
}
