//! The Bun that a repository pins.

use crate::{
    managers::{
        ManagerError, ManagerName, PackageManager, Pin, Pinned,
        pin::{FROM_NOTHING, exact, numbers},
    },
    names::{BUN_VERSION, MANIFEST},
    repo::{RepoPath, read_text},
    system::System,
};

/// The Bun for repositories that pin none. It is fixed for each version of splitter, so the same repository gives the
/// same `splitter.lock.json` everywhere.
const DEFAULT: &str = "1.4.4";

/// The first Bun that reads each `lockfileVersion`.
const READS: [(u64, &str); 4] = [(0, "1.1.40"), (1, "1.2.0"), (2, "1.4.0"), (3, "1.4.0")];

/// Returns the npm package that holds Bun for a system.
pub(super) const fn program_package(system: System) -> &'static str {
    match system {
        System::Aarch64Darwin => "@oven/bun-darwin-aarch64",
        System::Aarch64Linux => "@oven/bun-linux-aarch64",
        System::X8664Darwin => "@oven/bun-darwin-x64",
        System::X8664Linux => "@oven/bun-linux-x64",
    }
}

/// Finds the pin: `packageManager` of the root manifest, else `.bun-version`, else an exact `engines.bun`.
pub(super) fn pin(pinned: &Pinned<'_>) -> Result<Pin, ManagerError> {
    let (version, source) = version(pinned)?;
    refuse_too_old(&version, pinned.format.version())?;
    Ok(Pin { manager: PackageManager { name: ManagerName::Bun, version, file: None }, source })
}

fn version(pinned: &Pinned<'_>) -> Result<(String, &'static str), ManagerError> {
    let inexact =
        |pin: &str, file, example| ManagerError::InexactPin { name: "Bun", pin: pin.to_owned(), file, example };
    if let Some((pin, version)) = pinned.in_manifest("bun")? {
        let version = exact(version).ok_or_else(|| inexact(pin, MANIFEST, "bun@1.4.4"))?;
        return Ok((version, "packageManager in package.json"));
    }
    if let Some(text) = read_text(pinned.tree, &RepoPath::root().child(BUN_VERSION))? {
        let version = exact(text.trim()).ok_or_else(|| inexact(text.trim(), BUN_VERSION, "1.4.4"))?;
        return Ok((version, BUN_VERSION));
    }
    Ok(match pinned.engine("bun") {
        Some(version) => (version, "engines.bun in package.json"),
        None => (DEFAULT.to_owned(), FROM_NOTHING),
    })
}

fn refuse_too_old(version: &str, lockfile_version: u64) -> Result<(), ManagerError> {
    let needed = READS.iter().find(|(known, _)| *known == lockfile_version).map_or("1.4.0", |(_, needed)| needed);
    if numbers(version) >= numbers(needed) {
        return Ok(());
    }
    Err(ManagerError::ManagerTooOld { version: version.to_owned(), lockfile_version, needed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lockfile::Format, repo::MemoryTree};

    fn pinned(files: &[(&str, &str)], lockfile_version: u64) -> Result<(String, &'static str), String> {
        let tree = MemoryTree::new(files.iter().copied());
        let manifest = files.iter().find(|(name, _)| *name == MANIFEST).map_or("{}", |(_, text)| text);
        let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
        let package_manager = manifest["packageManager"].as_str().and_then(|pin| pin.split('+').next());
        let format = Format::Bun(lockfile_version);
        let pinned = Pinned { tree: &tree, package_manager, manifest: &manifest, format, program: None };
        let pin = pin(&pinned).map_err(|error| error.to_string())?;
        Ok((pin.manager.version, pin.source))
    }

    #[test]
    fn the_most_explicit_pin_wins() {
        let manifest = r#"{"packageManager": "bun@1.3.11+sha512.x", "engines": {"bun": "1.2.0"}}"#;
        assert_eq!(pinned(&[("package.json", manifest), (".bun-version", "1.2.1\n")], 1).unwrap().0, "1.3.11");
        let manifest = r#"{"engines": {"bun": "1.2.3"}}"#;
        assert_eq!(pinned(&[("package.json", manifest), (".bun-version", "v1.2.1\n")], 1).unwrap().0, "1.2.1");
        assert_eq!(pinned(&[("package.json", manifest)], 1).unwrap(), ("1.2.3".into(), "engines.bun in package.json"));
        assert_eq!(pinned(&[("package.json", r#"{"engines": {"bun": ">=1.2"}}"#)], 1).unwrap().0, DEFAULT);
    }

    #[test]
    fn pins_that_cannot_work_are_refused() {
        let error = |pin: &str, version| {
            pinned(&[("package.json", &format!(r#"{{"packageManager": "{pin}"}}"#))], version).unwrap_err()
        };
        assert_eq!(error("yarn@4.0.0", 1), "`packageManager` is `yarn@4.0.0`, but the lockfile is `bun.lock`");
        assert!(error("bun@latest", 1).contains("does not pin an exact version"));
        assert!(error("bun@1.2", 1).contains("does not pin an exact version"));
        assert_eq!(error("bun@1.3.14", 2), "Bun 1.3.14 cannot read lockfileVersion 2, which needs Bun 1.4.0 or later");
        assert_eq!(error("bun@1.1.45", 1), "Bun 1.1.45 cannot read lockfileVersion 1, which needs Bun 1.2.0 or later");
    }
}
