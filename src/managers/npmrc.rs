//! `.npmrc`, which Bun, Yarn 1 and npm share: the keys that an install reads, and parts of hints.

use std::collections::BTreeSet;

use super::{ManagerError, SettingsFile, installer_fields::INSTALLER_FIELDS};
use crate::names::NPMRC;

/// `.npmrc` as part of the lock set.
pub(super) const FILE: SettingsFile = SettingsFile { name: NPMRC, normalise: normalised, as_in_nix: lines };

/// Returns where to put the token of a host.
pub(super) fn token(host: &str) -> String {
    format!("~/.npmrc (`//{host}/:_authToken=${{NPM_TOKEN}}`)")
}

/// Returns where to put the client certificate for a host.
pub(super) fn certificate(host: &str) -> String {
    format!("set the client certificate in ~/.npmrc, as PEM files: `//{host}/:certfile=…` and `//{host}/:keyfile=…`")
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for all rc files")]
fn normalised(text: &str) -> Result<String, ManagerError> {
    let settings = text.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()));
    let mut kept: Vec<String> = settings
        .filter(|(key, _)| INSTALLER_FIELDS.npmrc.iter().any(|kept| kept == key.trim_end_matches("[]")))
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    kept.sort();
    Ok(kept.concat())
}

/// Returns the kept lines in their order: those that match `^\s*([A-Za-z-]+)(\[\])?\s*=` with a key that an install
/// reads.
#[expect(clippy::unnecessary_wraps, reason = "one signature for all rc files")]
fn lines(text: &str) -> Result<String, ManagerError> {
    let is_kept = |line: &&str| {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        key.is_some_and(|key| INSTALLER_FIELDS.npmrc.iter().any(|kept| kept == key.strip_suffix("[]").unwrap_or(key)))
    };
    Ok(text.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect())
}

/// Returns the keys that decide an install.
pub(super) fn deciding_keys(text: &str) -> BTreeSet<String> {
    let settings = normalised(text).unwrap_or_default();
    let keys = settings.lines().filter_map(|line| line.split_once('='));
    keys.map(|(key, _)| key.trim_end_matches("[]").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_decides_an_install_is_kept() {
        let text = "//r.example/:_authToken=secret\nomit = dev\n; note\nregistry=https://r.example\n";
        assert_eq!(normalised(text).unwrap(), "omit=dev\n");
        assert_eq!(lines(text).unwrap(), "omit = dev\n");
    }
}
