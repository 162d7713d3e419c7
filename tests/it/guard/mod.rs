//! The guard with the real git: all kinds of commits, with all setups of hooks.

mod commits;
mod formats;
mod hooks;
mod index;
mod words;

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;
use fs_err as fs;

use crate::support::{Package, Small, TestContext, small, succeed};

pub(crate) const RECORD: &str = "nix/splitter/splitter.lock.json";

/// The small repository, initialised and committed, with `splitter` in `PATH` for the hooks.
pub(crate) struct Guarded {
    pub(crate) small: Small,
}

impl Guarded {
    pub(crate) fn new() -> Self {
        let mut small = Small::new();
        let programs = small.context.folder("programs");
        fs::create_dir(&programs).unwrap();
        fs::os::unix::fs::symlink(env!("CARGO_BIN_EXE_splitter"), programs.join("splitter")).unwrap();
        let path = succeed(small.context.command("sh").args(["-c", "echo \"$PATH\""]));
        small.context.set_env("PATH", format!("{programs}:{path}"));
        small.publish(Package::new("alpha", "1.1.0"));
        small.init();
        Self { small }
    }

    pub(crate) fn context(&self) -> &TestContext {
        &self.small.context
    }

    /// Locks another version of a package, without updating the record.
    pub(crate) fn make_stale(&self) {
        self.small.lock(&other_packages());
    }

    /// Returns `splitter check --staged`.
    pub(crate) fn check(&self) -> std::process::Command {
        self.context().splitter(&["check", "--staged"])
    }
}

/// The locked packages after an update of alpha.
pub(crate) fn other_packages() -> Vec<Package> {
    let mut packages = small::packages();
    packages[0] = Package::new("alpha", "1.1.0");
    packages
}

/// Files by path, with mode and content.
pub(crate) type Picture = BTreeMap<String, (u32, Vec<u8>)>;

/// Returns all files in a folder with mode and content, links with their targets, and folders.
pub(crate) fn picture(folder: &Utf8Path) -> Picture {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
            let path = next.join(entry.file_name().to_str().unwrap());
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_dir() {
                // Files that git writes at every commit do not matter here.
                if !["objects", "logs", "refs"].contains(&path.file_name().unwrap()) {
                    open.push(path.clone());
                }
                Vec::new()
            } else if metadata.is_symlink() {
                path.read_link_utf8().unwrap().into_string().into_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            files.insert(path.to_string(), (metadata.permissions().mode(), content));
        }
    }
    files
}
