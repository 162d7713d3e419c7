//! File names that several modules use.
//!
//! This module is below all others, because even the lowest one ([`crate::repo`]) finds a repository by its lockfile. Names of
//! a new package manager belong here, so that code for "all lockfiles" or "all settings" includes them.

/// Where the pages of the documentation are, for messages. A release names the owner (docs/releasing.md).
pub const DOCS: &str = "https://github.com/OWNER/splitter/blob/main/docs";

/// The folder of the Nix files that splitter writes.
pub const NIX_FOLDER: &str = "nix/splitter";

/// The path of the record.
pub const RECORD: &str = "nix/splitter/splitter.lock.json";

/// The name of [`RECORD`] in its folder.
pub const RECORD_FILE: &str = "splitter.lock.json";

/// The settings of splitter.
pub const SETTINGS: &str = "splitter.json";

/// The manifest of a workspace or a package.
pub const MANIFEST: &str = "package.json";

/// The lockfile of Bun.
pub const BUN_LOCK: &str = "bun.lock";

/// The binary lockfile of older versions of Bun. splitter does not read it.
pub const BUN_LOCK_BINARY: &str = "bun.lockb";

/// The lockfile of all versions of Yarn.
pub const YARN_LOCK: &str = "yarn.lock";

/// Lockfiles that splitter reads.
pub const LOCKFILES: [&str; 2] = [BUN_LOCK, YARN_LOCK];

/// Files that mark the root of a repository.
pub const ROOT_MARKS: [&str; 3] = [BUN_LOCK, BUN_LOCK_BINARY, YARN_LOCK];

/// Lockfiles of unsupported package managers. A repository with only these is found too, for a clear error.
pub const FOREIGN_LOCKFILES: [&str; 3] = ["pnpm-lock.yaml", "package-lock.json", "npm-shrinkwrap.json"];

/// Settings of Bun.
pub const BUNFIG: &str = "bunfig.toml";

/// Settings that Bun and Yarn 1 share with npm.
pub const NPMRC: &str = ".npmrc";

/// Settings of Yarn 1.
pub const YARNRC: &str = ".yarnrc";

/// Settings of Yarn 2 and later.
pub const YARNRC_YML: &str = ".yarnrc.yml";

/// Settings of package managers.
pub const RC_FILES: [&str; 4] = [BUNFIG, NPMRC, YARNRC, YARNRC_YML];

/// The file that pins the version of Bun.
pub const BUN_VERSION: &str = ".bun-version";

/// The folder for the program, plugins, patches and cache of Yarn.
pub const YARN_FOLDER: &str = ".yarn";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_lies_in_the_folder_of_nix_files() {
        assert_eq!(RECORD, format!("{NIX_FOLDER}/{RECORD_FILE}"));
    }
}
