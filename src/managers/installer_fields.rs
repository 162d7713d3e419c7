//! The fields of manifests and rc files that an installer reads. The Nix code reads the same JSON file.

use std::sync::LazyLock;

use serde::Deserialize;

const TEXT: &str = include_str!("../../nix-templates/manifest-fields.json");

/// The fields that matter to an install.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstallerFields {
    /// Top-level fields of `package.json`.
    pub(crate) manifest: Vec<String>,
    /// Fields of the root's `package.json` that builds of other workspaces read as well.
    pub(crate) root_in_apps: Vec<String>,
    /// Keys of `[install]` in `bunfig.toml`.
    pub(crate) bunfig: Vec<String>,
    /// Keys of `.npmrc`.
    pub(crate) npmrc: Vec<String>,
    /// Keys of Yarn 1's `.yarnrc`.
    pub(crate) yarnrc: Vec<String>,
    /// Top-level keys of `.yarnrc.yml`.
    pub(crate) yarnrc_yml: Vec<String>,
}

/// The fields. The JSON file is part of the program and a test reads it, so the fallback is never used.
pub(crate) static INSTALLER_FIELDS: LazyLock<InstallerFields> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_file_is_read() {
        assert!(INSTALLER_FIELDS.manifest.iter().any(|field| field == "dependencies"));
        assert!(INSTALLER_FIELDS.bunfig.iter().any(|key| key == "linker"));
        assert!(INSTALLER_FIELDS.npmrc.iter().any(|key| key == "omit"));
        assert!(INSTALLER_FIELDS.yarnrc.iter().any(|key| key == "--flat"));
        assert!(INSTALLER_FIELDS.yarnrc_yml.iter().any(|key| key == "nodeLinker"));
    }
}
