//! The Yarn 2 or later that a repository pins.
//!
//! Each version of Yarn writes one version of the lockfile and rewrites any other, so a frozen install fails. The pin
//! must therefore be one of the versions that write this lockfile (tested with 2.4.1 to 4.18.1).

use crate::managers::{
    ManagerError, ManagerName, PackageManager, Pin, Pinned,
    pin::numbers,
    yarn::pin::{FROM_ENGINES, FROM_MANIFEST, FROM_NOTHING, from_manifest, version_in_name},
};

/// The versions of Yarn that write one version of the lockfile.
struct Writers {
    lockfile_version: u64,
    /// The first version that writes it.
    from: &'static str,
    /// The first version that no longer writes it, or `None` for the newest known lockfile version.
    until: Option<&'static str>,
    /// The version to use if a repository pins none: a late one that the registry has.
    default: &'static str,
}

const WRITERS: [Writers; 6] = [
    Writers { lockfile_version: 4, from: "2.0.0", until: Some("3.0.0"), default: "2.4.1" },
    Writers { lockfile_version: 5, from: "3.0.0", until: Some("3.2.0"), default: "3.1.1" },
    Writers { lockfile_version: 6, from: "3.2.0", until: Some("4.0.0"), default: "3.8.7" },
    Writers { lockfile_version: 8, from: "4.0.0", until: Some("4.14.0"), default: "4.13.0" },
    Writers { lockfile_version: 9, from: "4.14.0", until: Some("4.15.0"), default: "4.14.1" },
    Writers { lockfile_version: 10, from: "4.15.0", until: None, default: "4.18.1" },
];

/// Finds the pin of a repository with a lockfile of Yarn 2 or later.
pub(super) fn pin(pinned: &Pinned<'_>) -> Result<Pin, ManagerError> {
    let lockfile_version = pinned.format.version();
    let manager = |version, file| PackageManager { name: ManagerName::YarnBerry, version, file };
    let writers = WRITERS.iter().rev().find(|writers| writers.lockfile_version <= lockfile_version);
    let writers = writers.unwrap_or(&WRITERS[0]);
    let in_manifest = from_manifest(pinned, "yarn@4.18.1");
    if let Some(file) = pinned.program.clone() {
        // A file built from Yarn's sources has no version in its name. `packageManager` is then a good approximation.
        let named = version_in_name(&file);
        refuse_other_writer(named.as_deref(), lockfile_version)?;
        let version = named.or(in_manifest.ok().flatten()).unwrap_or_else(|| writers.default.to_owned());
        return Ok(Pin { manager: manager(version, Some(file)), source: "yarnPath in .yarnrc.yml" });
    }
    let (version, source) = match (in_manifest?, pinned.engine("yarn")) {
        (Some(version), _) => (version, FROM_MANIFEST),
        (None, Some(version)) => (version, FROM_ENGINES),
        (None, None) => (writers.default.to_owned(), FROM_NOTHING),
    };
    refuse_other_writer(Some(&version), lockfile_version)?;
    Ok(Pin { manager: manager(version, None), source })
}

/// Refuses a version of Yarn that writes another version of the lockfile. Some cases are not compared: prereleases
/// (only they wrote version 7), builds from sources, and lockfiles newer than all known ones.
fn refuse_other_writer(version: Option<&str>, lockfile_version: u64) -> Result<(), ManagerError> {
    let Some(version) = version.filter(|version| !version.contains('-')) else { return Ok(()) };
    let Some(writers) = WRITERS.iter().find(|writers| writers.lockfile_version == lockfile_version) else {
        return Ok(());
    };
    let number = numbers(version);
    if number >= numbers(writers.from) && writers.until.is_none_or(|until| number < numbers(until)) {
        return Ok(());
    }
    Err(ManagerError::OtherWriter {
        version: version.to_owned(),
        lockfile_version,
        from: writers.from,
        until: writers.until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lockfile::Format, managers::yarn::pin::tests::pin_of};

    fn berry_of(manifest: &str, lockfile_version: u64, program: Option<&str>) -> Result<String, String> {
        pin_of(manifest, Format::YarnBerry(lockfile_version), program)
    }

    #[test]
    fn a_program_in_the_repository_goes_before_all() {
        let manifest = r#"{"packageManager": "yarn@4.1.0"}"#;
        let path = |name: &str| format!(".yarn/releases/{name}");
        assert_eq!(berry_of(manifest, 8, Some(&path("yarn-4.9.1.cjs"))).unwrap(), "4.9.1 (yarnPath in .yarnrc.yml)");
        assert_eq!(berry_of(manifest, 8, Some(&path("yarn-sources.cjs"))).unwrap(), "4.1.0 (yarnPath in .yarnrc.yml)");
        assert_eq!(berry_of("{}", 6, Some("tools/yarn.js")).unwrap(), "3.8.7 (yarnPath in .yarnrc.yml)");
    }

    #[test]
    fn the_manifest_pins_and_the_lockfile_chooses_the_default() {
        assert_eq!(
            berry_of(r#"{"packageManager": "yarn@4.5.1+sha512.ab"}"#, 8, None).unwrap(),
            format!("4.5.1 ({FROM_MANIFEST})")
        );
        assert_eq!(berry_of(r#"{"engines": {"yarn": "3.6.0"}}"#, 6, None).unwrap(), format!("3.6.0 ({FROM_ENGINES})"));
        for (version, default) in [(4, "2.4.1"), (6, "3.8.7"), (8, "4.13.0"), (10, "4.18.1"), (99, "4.18.1")] {
            assert_eq!(berry_of("{}", version, None).unwrap(), format!("{default} ({FROM_NOTHING})"));
        }
    }

    #[test]
    fn what_would_rewrite_the_lockfile_is_refused() {
        assert_eq!(
            berry_of(r#"{"packageManager": "yarn@4.18.1"}"#, 8, None).unwrap_err(),
            "Yarn 4.18.1 would rewrite `yarn.lock`, whose version 8 needs Yarn 4.0.0 or later, but before 4.14.0"
        );
        assert_eq!(
            berry_of(r#"{"packageManager": "yarn@4.13.0"}"#, 10, None).unwrap_err(),
            "Yarn 4.13.0 would rewrite `yarn.lock`, whose version 10 needs Yarn 4.15.0 or later"
        );
        assert!(berry_of("{}", 8, Some(".yarn/releases/yarn-3.8.7.cjs")).is_err());
        assert!(berry_of(r#"{"packageManager": "yarn@4.0.0-rc.50"}"#, 7, None).is_ok());
        assert!(berry_of(r#"{"packageManager": "yarn@4"}"#, 8, None).unwrap_err().contains("exact version of Yarn"));
    }
}
