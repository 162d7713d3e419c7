//! Which package manager a repository pins, and where its program comes from.

use serde::{Deserialize, Serialize};

use super::{SplitError, System, Workspaces};
use crate::{
    lockfile::{Format, bun},
    repo::{RepoPath, Tree, read_text},
};

/// The Bun that is used where a repository pins none. It is part of what a version of splitter writes, so that the
/// same repository gives the same `splitter.lock.json` everywhere.
pub const DEFAULT_BUN: &str = "1.4.4";

/// The first Bun that reads each `lockfileVersion`.
const BUN_READS: [(u64, &str); 4] = [(0, "1.1.40"), (1, "1.2.0"), (2, "1.4.0"), (3, "1.4.0")];

const BUN_VERSION_FILE: &str = ".bun-version";

/// A package manager and its exact version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageManager {
    /// Its name.
    pub name: ManagerName,
    /// Its exact version.
    pub version: String,
}

/// The package managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagerName {
    /// Bun.
    Bun,
}

/// A package manager, and how it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What was chosen.
    pub manager: PackageManager,
    /// What said so: a file and field, or that nothing did.
    pub source: &'static str,
}

impl PackageManager {
    /// The npm package that holds the program for a system.
    pub const fn program_package(&self, system: System) -> &'static str {
        match (self.name, system) {
            (ManagerName::Bun, System::Aarch64Darwin) => "@oven/bun-darwin-aarch64",
            (ManagerName::Bun, System::Aarch64Linux) => "@oven/bun-linux-aarch64",
            (ManagerName::Bun, System::X8664Darwin) => "@oven/bun-darwin-x64",
            (ManagerName::Bun, System::X8664Linux) => "@oven/bun-linux-x64",
        }
    }
}

/// Finds the pin: `packageManager` of the root manifest, else `.bun-version`, else an exact `engines.bun`.
pub(super) fn pin(tree: &dyn Tree, workspaces: &Workspaces, format: Format) -> Result<Pin, SplitError> {
    let Format::Bun(lockfile_version) = format else { return Err(SplitError::UnsupportedLockfile(format.file())) };
    let (version, source) = bun_version(tree, workspaces)?;
    refuse_too_old(&version, lockfile_version)?;
    Ok(Pin { manager: PackageManager { name: ManagerName::Bun, version }, source })
}

fn bun_version(tree: &dyn Tree, workspaces: &Workspaces) -> Result<(String, &'static str), SplitError> {
    let root = &workspaces[&RepoPath::root()];
    if let Some(pin) = &root.package_manager {
        let Some(version) = pin.strip_prefix("bun@") else {
            return Err(SplitError::WrongManager { pin: pin.clone(), lockfile: bun::FILE });
        };
        let inexact = SplitError::InexactPin { pin: pin.clone(), file: "package.json", example: "bun@1.4.4" };
        return exact(version).map(|version| (version, "packageManager in package.json")).ok_or(inexact);
    }
    if let Some(text) = read_text(tree, &RepoPath::root().child(BUN_VERSION_FILE))? {
        let inexact = SplitError::InexactPin { pin: text.trim().to_owned(), file: BUN_VERSION_FILE, example: "1.4.4" };
        return exact(text.trim()).map(|version| (version, BUN_VERSION_FILE)).ok_or(inexact);
    }
    let engine = root.json.pointer("/engines/bun").and_then(serde_json::Value::as_str).and_then(exact);
    Ok(match engine {
        Some(version) => (version, "engines.bun in package.json"),
        None => (DEFAULT_BUN.to_owned(), "nothing pins a version: splitter's default"),
    })
}

/// `1.2.3`, with a prerelease where there is one. It becomes part of a URL.
fn exact(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split('-').next()?;
    let numbers: Vec<_> = core.split('.').collect();
    let plain = numbers.len() == 3 && numbers.iter().all(|number| !number.is_empty() && number.parse::<u32>().is_ok());
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (plain && clean).then(|| text.to_owned())
}

fn refuse_too_old(version: &str, lockfile_version: u64) -> Result<(), SplitError> {
    let needed = BUN_READS.iter().find(|(known, _)| *known == lockfile_version).map_or("1.4.0", |(_, needed)| needed);
    if numbers(version) >= numbers(needed) {
        return Ok(());
    }
    Err(SplitError::ManagerTooOld { version: version.to_owned(), lockfile_version, needed })
}

/// Major, minor and patch; a prerelease counts as its release, since Bun's canaries read what the release reads.
fn numbers(version: &str) -> Vec<u32> {
    version.split('-').next().unwrap_or_default().split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::workspaces};

    fn pinned(files: &[(&str, &str)], lockfile_version: u64) -> Result<(String, &'static str), String> {
        let tree = MemoryTree::new(files.iter().copied());
        let workspaces = workspaces::read(&tree).unwrap();
        let pin = pin(&tree, &workspaces, Format::Bun(lockfile_version)).map_err(|error| error.to_string())?;
        Ok((pin.manager.version, pin.source))
    }

    #[test]
    fn the_most_explicit_pin_wins() {
        let manifest = r#"{"packageManager": "bun@1.3.11+sha512.x", "engines": {"bun": "1.2.0"}}"#;
        assert_eq!(pinned(&[("package.json", manifest), (".bun-version", "1.2.1\n")], 1).unwrap().0, "1.3.11");
        let manifest = r#"{"engines": {"bun": "1.2.3"}}"#;
        assert_eq!(pinned(&[("package.json", manifest), (".bun-version", "v1.2.1\n")], 1).unwrap().0, "1.2.1");
        assert_eq!(pinned(&[("package.json", manifest)], 1).unwrap(), ("1.2.3".into(), "engines.bun in package.json"));
        assert_eq!(pinned(&[("package.json", r#"{"engines": {"bun": ">=1.2"}}"#)], 1).unwrap().0, DEFAULT_BUN);
    }

    #[test]
    fn pins_that_cannot_work_are_refused() {
        let error = |pin: &str, version| {
            pinned(&[("package.json", &format!(r#"{{"packageManager": "{pin}"}}"#))], version).unwrap_err()
        };
        assert_eq!(error("yarn@4.0.0", 1), "`packageManager` is `yarn@4.0.0`, but the lockfile is `bun.lock`");
        assert!(error("bun@latest", 1).contains("does not pin an exact version"));
        assert!(error("bun@1.2", 1).contains("does not pin an exact version"));
        assert_eq!(error("bun@1.3.14", 2), "Bun 1.3.14 cannot read lockfileVersion 2; it needs Bun 1.4.0 or later");
        assert_eq!(error("bun@1.1.45", 1), "Bun 1.1.45 cannot read lockfileVersion 1; it needs Bun 1.2.0 or later");
    }
}
