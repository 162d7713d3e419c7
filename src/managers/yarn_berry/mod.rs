//! Yarn 2 and later.

pub(crate) mod committed_cache;
pub mod lockfile;
mod pin;
pub mod rc;
mod registries;

use std::collections::BTreeSet;

use self::{committed_cache::CommittedCache, rc::BerryRc};
use super::{
    Manager, ManagerError, OwnFiles, Pin, Pinned, ProgramPackage, ProjectRegistries, Remedies, SampleSettings,
    SettingsFile,
};
use crate::{names::YARNRC_YML, repo::Tree, system::System};

/// Yarn 2 and later.
pub(super) struct YarnBerry;

impl Manager for YarnBerry {
    fn command(&self) -> &'static str {
        "yarn"
    }

    fn runs_pre_scripts(&self) -> bool {
        false
    }

    fn program_packages(&self, _: &[System]) -> Vec<ProgramPackage> {
        vec![ProgramPackage { system: None, name: "@yarnpkg/cli-dist" }]
    }

    fn pin(&self, pinned: &Pinned<'_>) -> Result<Pin, ManagerError> {
        pin::pin(pinned)
    }

    fn own_files(&self, tree: &dyn Tree) -> Result<OwnFiles, ManagerError> {
        let rc = BerryRc::read(tree)?;
        let cache = rc.cache_folder.map(|folder| CommittedCache::find(tree, folder)).transpose()?;
        Ok(OwnFiles { program: rc.yarn_path, plugins: rc.plugins, cache: cache.flatten() })
    }

    fn settings_files(&self) -> &'static [SettingsFile] {
        &[SettingsFile { name: YARNRC_YML, normalise: kept, as_in_nix: kept }]
    }

    fn deciding_keys(&self, _file: &str, text: &str) -> BTreeSet<String> {
        rc::deciding_keys(text)
    }

    fn registries(&self, tree: &dyn Tree) -> Result<ProjectRegistries, ManagerError> {
        Ok(ProjectRegistries::of_berry(&BerryRc::read(tree)?)?)
    }

    fn remedies(&self) -> Remedies {
        Remedies {
            files: YARNRC_YML,
            scope: "`npmRegistryServer` of the scope in `npmScopes` of .yarnrc.yml",
            token: |host| {
                format!(
                    "~/.yarnrc.yml (`npmAuthToken` of `//{host}` in `npmRegistries`, with `npmAlwaysAuth: true` for packages \
                     without a scope)"
                )
            },
            certificate: |_| {
                "set the client certificate in ~/.yarnrc.yml, as PEM files: `httpsCertFilePath` and `httpsKeyFilePath`"
                    .to_owned()
            },
        }
    }

    fn sample_settings(&self) -> SampleSettings {
        SampleSettings { file: YARNRC_YML, comment: "\n# more\n", setting: "\nenableTransparentWorkspaces: true\n" }
    }
}

fn kept(text: &str) -> Result<String, ManagerError> {
    Ok(rc::kept(YARNRC_YML.into(), text)?)
}
