//! The Yarn 1 that a repository pins.

use crate::managers::{
    ManagerError, ManagerName, PackageManager, Pin, Pinned,
    yarn::pin::{FROM_ENGINES, FROM_MANIFEST, FROM_NOTHING, from_manifest, version_in_name},
};

/// The last Yarn 1.
const CLASSIC: &str = "1.22.22";

/// Finds the pin of a repository with a lockfile of Yarn 1.
pub(super) fn pin(pinned: &Pinned<'_>) -> Result<Pin, ManagerError> {
    let manager = |version, file| PackageManager { name: ManagerName::YarnClassic, version, file };
    if let Some(file) = pinned.program.clone() {
        let version = version_in_name(&file).unwrap_or_else(|| CLASSIC.to_owned());
        return Ok(Pin { manager: manager(version, Some(file)), source: "yarn-path in .yarnrc" });
    }
    let (version, source) = match (from_manifest(pinned, "yarn@1.22.22")?, pinned.engine("yarn")) {
        (Some(version), _) if !version.starts_with("1.") => return Err(ManagerError::ClassicLockfile { version }),
        (Some(version), _) => (version, FROM_MANIFEST),
        (None, Some(version)) if version.starts_with("1.") => (version, FROM_ENGINES),
        (None, _) => (CLASSIC.to_owned(), FROM_NOTHING),
    };
    Ok(Pin { manager: manager(version, None), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lockfile::Format, managers::yarn::pin::tests::pin_of};

    fn classic_of(manifest: &str, program: Option<&str>) -> Result<String, String> {
        pin_of(manifest, Format::YarnClassic, program)
    }

    #[test]
    fn a_program_in_the_repository_goes_before_the_manifest() {
        let program = ".yarn/releases/yarn-1.22.19.cjs";
        assert_eq!(classic_of("{}", Some(program)).unwrap(), "1.22.19 (yarn-path in .yarnrc)");
        assert_eq!(
            classic_of(r#"{"packageManager": "yarn@1.22.19"}"#, None).unwrap(),
            format!("1.22.19 ({FROM_MANIFEST})")
        );
        assert_eq!(classic_of(r#"{"engines": {"yarn": ">=1"}}"#, None).unwrap(), format!("1.22.22 ({FROM_NOTHING})"));
    }

    #[test]
    fn what_would_rewrite_the_lockfile_is_refused() {
        assert_eq!(
            classic_of(r#"{"packageManager": "yarn@4.5.1"}"#, None).unwrap_err(),
            "`packageManager` pins Yarn 4.5.1, but Yarn 1 wrote `yarn.lock`"
        );
        assert_eq!(
            classic_of(r#"{"packageManager": "pnpm@9.0.0"}"#, None).unwrap_err(),
            "`packageManager` is `pnpm@9.0.0`, but the lockfile is `yarn.lock`"
        );
    }
}
