//! Yarn 1.

pub mod lockfile;
mod pin;
pub mod rc;
mod registries;

use std::collections::BTreeSet;

use self::rc::ClassicRc;
use super::{
    Manager, ManagerError, OwnFiles, Pin, Pinned, ProgramPackage, ProjectRegistries, Remedies, SampleSettings,
    SettingsFile, npmrc,
};
use crate::{
    names::{NPMRC, YARNRC},
    repo::{RepoPath, Tree, read_text},
    system::System,
};

/// Yarn 1.
pub(super) struct YarnClassic;

impl Manager for YarnClassic {
    fn command(&self) -> &'static str {
        "yarn"
    }

    fn program_packages(&self, _: &[System]) -> Vec<ProgramPackage> {
        vec![ProgramPackage { system: None, name: "yarn" }]
    }

    fn pin(&self, pinned: &Pinned<'_>) -> Result<Pin, ManagerError> {
        pin::pin(pinned)
    }

    fn own_files(&self, tree: &dyn Tree) -> Result<OwnFiles, ManagerError> {
        Ok(OwnFiles { program: ClassicRc::read(tree)?.yarn_path()?, ..OwnFiles::default() })
    }

    fn settings_files(&self) -> &'static [SettingsFile] {
        const YARNRC_FILE: SettingsFile = SettingsFile { name: YARNRC, normalise: kept, as_in_nix: kept };
        &[YARNRC_FILE, npmrc::FILE]
    }

    fn deciding_keys(&self, _file: &str, text: &str) -> BTreeSet<String> {
        rc::deciding_keys(text)
    }

    fn registries(&self, tree: &dyn Tree) -> Result<ProjectRegistries, ManagerError> {
        let npmrc = read_text(tree, &RepoPath::root().child(NPMRC))?;
        Ok(ProjectRegistries::of_classic(npmrc.as_deref(), &ClassicRc::read(tree)?)?)
    }

    fn lockfile_names_registry(&self) -> bool {
        true
    }

    fn remedies(&self) -> Remedies {
        Remedies {
            files: NPMRC,
            scope: "`@scope:registry=…` in .npmrc",
            token: npmrc::token,
            certificate: npmrc::certificate,
        }
    }

    fn sample_settings(&self) -> SampleSettings {
        SampleSettings { file: YARNRC, comment: "\n# more\n", setting: "\n--install.ignore-optional false\n" }
    }
}

fn kept(text: &str) -> Result<String, ManagerError> {
    Ok(rc::kept(YARNRC.into(), text)?)
}
