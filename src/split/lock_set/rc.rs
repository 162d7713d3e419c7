//! The rc files of the lock set, reduced to what decides an install. Registries are in the dependency list already,
//! tokens and caches must not matter.

use crate::{
    diagnostic::Position,
    lockfile::Format,
    names::{BUNFIG, NPMRC},
    split::{
        SplitError,
        installer_fields::INSTALLER_FIELDS,
        yarnrc::{BERRY_FILE, CLASSIC_FILE, kept_of_berry, kept_of_classic},
    },
};

type Normalise = fn(&str) -> Result<String, SplitError>;

/// The rc files at the root that the package manager of a lockfile reads, and how each is reduced: for its digest, where
/// order and white space do not count, and as the Nix files do it.
pub(super) const fn files(format: Format) -> &'static [(&'static str, Normalise, Normalise)] {
    match format {
        Format::Bun(_) => &[(BUNFIG, bunfig, bunfig), (NPMRC, npmrc, npmrc_lines)],
        Format::YarnClassic => &[(CLASSIC_FILE, yarnrc, yarnrc), (NPMRC, npmrc, npmrc_lines)],
        Format::YarnBerry(_) => &[(BERRY_FILE, yarnrc_yml, yarnrc_yml)],
    }
}

fn yarnrc(text: &str) -> Result<String, SplitError> {
    Ok(kept_of_classic(CLASSIC_FILE.into(), text)?)
}

fn yarnrc_yml(text: &str) -> Result<String, SplitError> {
    Ok(kept_of_berry(BERRY_FILE.into(), text)?)
}

fn bunfig(text: &str) -> Result<String, SplitError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| SplitError::RcFile {
        file: BUNFIG,
        position: error.span().map(|span| Position::of_offset(text, span.start)),
        reason: error.message().to_owned(),
    })?;
    let install = table.get("install").and_then(toml::Value::as_table);
    let kept: toml::Table = install
        .into_iter()
        .flatten()
        .filter(|(key, _)| INSTALLER_FIELDS.bunfig.iter().any(|kept| kept == *key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Ok(kept.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for all rc files")]
fn npmrc(text: &str) -> Result<String, SplitError> {
    let settings = text.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()));
    let mut kept: Vec<String> = settings
        .filter(|(key, _)| INSTALLER_FIELDS.npmrc.iter().any(|kept| kept == key.trim_end_matches("[]")))
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    kept.sort();
    Ok(kept.concat())
}

/// The lines that match `^\s*([A-Za-z-]+)(\[\])?\s*=` with such a key, in their order.
#[expect(clippy::unnecessary_wraps, reason = "one signature for all rc files")]
fn npmrc_lines(text: &str) -> Result<String, SplitError> {
    let is_kept = |line: &&str| {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        key.is_some_and(|key| INSTALLER_FIELDS.npmrc.iter().any(|kept| kept == key.strip_suffix("[]").unwrap_or(key)))
    };
    Ok(text.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnose;

    #[test]
    fn only_what_decides_an_install_is_kept() {
        let text = "[test]\na = 1\n[install]\nlinker = \"isolated\"\nregistry = \"https://r.example\"\n[install.scopes]\nx = \"y\"\n";
        assert_eq!(bunfig(text).unwrap(), "linker = \"isolated\"\n");
        let text = "//r.example/:_authToken=secret\nomit = dev\n; note\nregistry=https://r.example\n";
        assert_eq!(npmrc(text).unwrap(), "omit=dev\n");
        assert_eq!(npmrc_lines(text).unwrap(), "omit = dev\n");
    }

    #[test]
    fn each_package_manager_has_files_of_its_own() {
        let names = |format| files(format).iter().map(|(name, ..)| *name).collect::<Vec<_>>();
        assert_eq!(names(Format::Bun(1)), ["bunfig.toml", ".npmrc"]);
        assert_eq!(names(Format::YarnClassic), [".yarnrc", ".npmrc"]);
        assert_eq!(names(Format::YarnBerry(8)), [".yarnrc.yml"]);
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_place() {
        let error = bunfig("[install]\nlinker = \n").unwrap_err();
        assert!(error.location().unwrap().to_string().starts_with("bunfig.toml:2:"));
    }
}
