//! Adding a tree to the store. A build of the same hash finds it there and downloads nothing.
//!
//! This uses `nix-store --add-fixed`, not `nix store add`. The former is the same in every version of Nix and its
//! forks. The newer command is experimental and had other names. `nix-store` takes the name from the folder, so the
//! tree is laid out in a folder of that name, with hard links if the file system allows them.

use std::{
    io,
    path::{Path, PathBuf},
};

use camino::Utf8Path;
use fs_err as fs;

use super::{Nix, NixError, run::run};
use crate::{
    ending::Folder,
    lockfile::Digest,
    nix::{
        nar::{self, NarDigest, NarError, Tree},
        store_path::{StoreName, StorePath},
    },
};

/// The program next to `nix`.
const NIX_STORE: &str = "nix-store";

impl Nix {
    /// Adds `tree`, whose hash is `digest`, to the store as a fixed output named `name`. Checks that it lies at the
    /// path that the hash gives. If the store already has that path, nothing is done.
    ///
    /// The tree is laid out in a temporary folder in `scratch`. If `scratch` is on the file system of the tree's files,
    /// nothing is copied.
    pub fn add(
        &self,
        tree: &Tree,
        name: &StoreName,
        digest: NarDigest,
        scratch: &Utf8Path,
    ) -> Result<StorePath, NixError> {
        let expected = StorePath::fixed_output(name, digest);
        if self.has(&expected) {
            return Ok(expected);
        }
        let folder = folder_in(scratch).map_err(NarError::Disk)?;
        let laid_out = folder.path().join(name.as_str());
        nar::lay_out(tree, &laid_out)?;
        self.add_fixed(&["--recursive", "sha256"], &laid_out, expected)
    }

    /// Adds one file, whose digest is `digest`, as the flat fixed output named `name`, as `fetchurl` would. Otherwise
    /// like [`Nix::add`].
    pub fn add_file(
        &self,
        file: &Utf8Path,
        name: &StoreName,
        digest: &Digest,
        scratch: &Utf8Path,
    ) -> Result<StorePath, NixError> {
        let expected = StorePath::flat_output(name, digest);
        if self.has(&expected) {
            return Ok(expected);
        }
        let folder = folder_in(scratch).map_err(NarError::Disk)?;
        let laid_out = folder.path().join(name.as_str());
        nar::lay_out(&Tree::file(file), &laid_out)?;
        self.add_fixed(&[digest.algorithm().name()], &laid_out, expected)
    }

    fn add_fixed(&self, how: &[&str], path: &Path, expected: StorePath) -> Result<StorePath, NixError> {
        let mut command = self.command(nix_store_beside(self.program()));
        command.arg("--add-fixed").args(how).arg(path);
        let found = run(&mut command, &mut |_| {})?.text()?;
        match found.trim() {
            found if found == expected.to_string() => Ok(expected),
            found => Err(NixError::OtherPath { expected, found: found.to_owned() }),
        }
    }

    /// Whether the store has `path`. Any failure counts as no.
    pub fn has(&self, path: &StorePath) -> bool {
        let mut command = self.command(nix_store_beside(self.program()));
        command.args(["--check-validity", &path.to_string()]);
        run(&mut command, &mut |_| {}).is_ok()
    }
}

/// Creates a folder in `scratch`. Its path is absolute, since Nix may run in another folder.
fn folder_in(scratch: &Utf8Path) -> io::Result<Folder> {
    fs::create_dir_all(scratch)?;
    Folder::new("preload-", camino::absolute_utf8(scratch)?.as_std_path())
}

/// Returns the `nix-store` of the same Nix: next to the program, next to the target of its link, or else in PATH.
pub(super) fn nix_store_beside(nix: &Path) -> PathBuf {
    let beside = |nix: &Path| nix.parent().map(|folder| folder.join(NIX_STORE)).filter(|program| program.is_file());
    let behind_links = || fs::canonicalize(nix).ok().and_then(|nix| beside(&nix));
    beside(nix).or_else(behind_links).unwrap_or_else(|| NIX_STORE.into())
}
