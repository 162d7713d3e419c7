//! Fuzzes the parsers of both `yarn.lock` formats. The file is untrusted: no text may panic, and no path may leave the
//! repository.

use splitter::{
    lockfile::{Requests, Resolution},
    managers::{yarn_berry::lockfile::cache_file, yarn_lock as yarn},
};

pub(crate) fn check(text: &str) {
    let Ok(lockfile) = yarn::parse(text) else { return };
    for package in &lockfile.packages {
        if let Resolution::Workspace(path) | Resolution::Folder(path) | Resolution::LocalTarball(path) =
            &package.resolution
        {
            assert!(path.parts().all(|part| part != ".."));
        }
        if let Resolution::Patched { files, .. } = &package.resolution {
            assert!(files.iter().all(|file| file.parts().all(|part| part != "..")));
        }
        let file = package.zip_checksum.as_ref().and_then(|checksum| cache_file(&package.key, checksum));
        assert!(file.is_none_or(|file| !file.contains('/')));
    }
    if let Requests::ByDescriptor(locked) = &lockfile.requests {
        assert!(locked.descriptors.values().all(|index| *index < lockfile.packages.len()));
    }
}
