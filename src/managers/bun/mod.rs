//! Bun 1.1.40 and later.

pub(crate) mod bunfig;
pub mod lockfile;
mod pin;
pub(crate) mod printed;
mod registries;

use std::collections::BTreeSet;

use super::{
    Manager, ManagerError, Pin, Pinned, ProgramPackage, ProjectRegistries, Remedies, SampleSettings, SettingsFile,
    npmrc,
};
use crate::{
    names::{BUNFIG, NPMRC},
    repo::{RepoPath, Tree, read_text},
    system::System,
};

/// Bun.
pub(super) struct Bun;

impl Manager for Bun {
    fn command(&self) -> &'static str {
        "bun"
    }

    fn runtime(&self) -> &'static str {
        "bun"
    }

    fn runs_typescript(&self) -> bool {
        true
    }

    fn program_packages(&self, systems: &[System]) -> Vec<ProgramPackage> {
        systems.iter().map(|s| ProgramPackage { system: Some(*s), name: pin::program_package(*s) }).collect()
    }

    fn pin(&self, pinned: &Pinned<'_>) -> Result<Pin, ManagerError> {
        pin::pin(pinned)
    }

    fn settings_files(&self) -> &'static [SettingsFile] {
        &[SettingsFile { name: BUNFIG, normalise: bunfig::kept, as_in_nix: bunfig::kept }, npmrc::FILE]
    }

    fn deciding_keys(&self, file: &str, text: &str) -> BTreeSet<String> {
        if file == BUNFIG { bunfig::deciding_keys(text) } else { npmrc::deciding_keys(text) }
    }

    fn registries(&self, tree: &dyn Tree) -> Result<ProjectRegistries, ManagerError> {
        let text = |name| read_text(tree, &RepoPath::root().child(name));
        Ok(ProjectRegistries::of_bun(text(NPMRC)?.as_deref(), text(BUNFIG)?.as_deref())?)
    }

    fn remedies(&self) -> Remedies {
        Remedies {
            files: ".npmrc or bunfig.toml",
            scope: "`@scope:registry=…` in .npmrc, [install.scopes] in bunfig.toml",
            token: |host| format!("{} or to ~/.bunfig.toml", npmrc::token(host)),
            certificate: npmrc::certificate,
        }
    }

    fn sample_settings(&self) -> SampleSettings {
        SampleSettings { file: NPMRC, comment: "\n; more\n", setting: "\nshamefully-hoist=false\n" }
    }
}
