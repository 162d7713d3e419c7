//! The npm packages of the package managers themselves: real ones for builds, and small fakes of Bun for other tests.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use camino::Utf8Path;
use fs_err as fs;

use super::Package;

/// The platforms, as the packages name them.
const PLATFORMS: [&str; 4] = ["darwin-aarch64", "darwin-x64", "linux-aarch64", "linux-x64"];

/// Returns packages of this version of Bun with a program that does nothing.
pub(crate) fn stubs(version: &str) -> impl Iterator<Item = Package> {
    PLATFORMS.into_iter().map(move |platform| {
        Package::new(&format!("@oven/bun-{platform}"), version).executable("bin/bun", "#!/bin/sh\n")
    })
}

/// Returns the package for another platform with the program for this machine: what is compiled with it runs here.
pub(crate) fn bun_as(platform: &str, version: &str, bun: &Utf8Path) -> Package {
    Package::new(&format!("@oven/bun-{platform}"), version).executable("bin/bun", fs::read(bun).unwrap()).pack()
}

/// Returns the package for this machine with the real program. It is packed once a run, because it has about 100 MB.
pub(crate) fn real_bun(version: &str, bun: &Utf8Path) -> Package {
    static PACKED: Mutex<BTreeMap<String, Package>> = Mutex::new(BTreeMap::new());
    let mut packed = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    let package = packed.entry(version.to_owned()).or_insert_with(|| {
        let os = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
        let cpu = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x64" };
        bun_as(&format!("{os}-{cpu}"), version, bun)
    });
    package.clone()
}

/// Returns the package of this version of Yarn. `script` is the installed `bin/yarn.js`.
pub(crate) fn real_yarn(version: &str, script: &Utf8Path) -> Package {
    let name = if version.starts_with("1.") { "yarn" } else { "@yarnpkg/cli-dist" };
    let folder = script.parent().and_then(Utf8Path::parent).unwrap();
    let mut package = Package::new(name, version);
    for part in ["bin", "lib"] {
        for file in folder.join(part).read_dir_utf8().into_iter().flatten().map(Result::unwrap) {
            let path = format!("{part}/{}", file.file_name());
            package = package.executable(&path, fs::read(file.path()).unwrap());
        }
    }
    package.pack()
}
