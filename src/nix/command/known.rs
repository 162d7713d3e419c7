//! Asks the installed Nix which settings it knows, which version it is, and whether its daemon trusts this user.

use super::{Nix, NixError, run::run};
use crate::nix::settings::{Settings, StoreInfo, Version, Warning};

/// What the installed Nix says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its settings.
    pub settings: Settings,
    /// What it says of wrong settings.
    pub warnings: Vec<Warning>,
}

impl Nix {
    /// Returns the settings that this Nix knows, with what is set, and its warnings about what it does not know.
    pub fn known_settings(&self) -> Result<Known, NixError> {
        let mut command = self.command(self.program());
        command.args(super::FEATURES).args(["config", "show", "--json"]);
        let mut warnings = Vec::new();
        let shown = run(&mut command, &mut |line| warnings.extend(Warning::parse(line)))?.json()?;
        Ok(Known { settings: Settings::of(&shown), warnings })
    }

    /// Like [`Nix::known_settings`], with `NIX_CONFIG` as the only configuration. It shows what a text would set.
    pub fn settings_of(&self, config: &str) -> Result<Known, NixError> {
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        let mut command = self.command(self.program());
        command.args(super::FEATURES).args(["config", "show", "--json"]);
        command.env("NIX_CONF_DIR", nothing).env("NIX_USER_CONF_FILES", nothing).env("NIX_CONFIG", config);
        let mut warnings = Vec::new();
        let shown = run(&mut command, &mut |line| warnings.extend(Warning::parse(line)))?.json()?;
        Ok(Known { settings: Settings::of(&shown), warnings })
    }

    /// Returns which program this is, and its version; none if its answer is unknown.
    pub fn known_version(&self) -> Result<Option<Version>, NixError> {
        Ok(Version::parse(&self.version()?))
    }

    /// Asks a store who it is, and whether it trusts this user. Without a store it is the one of this computer. Its warnings name
    /// settings that the daemon ignored.
    pub fn store_info(&self, store: Option<&str>) -> Result<(StoreInfo, Vec<Warning>), NixError> {
        let mut command = self.command(self.program());
        command.args(super::FEATURES).args(["store", "info", "--json"]);
        command.args(store.into_iter().flat_map(|store| ["--store", store]));
        let mut warnings = Vec::new();
        let answer = run(&mut command, &mut |line| warnings.extend(Warning::parse(line)))?;
        let info =
            serde_json::from_value(answer.json()?).map_err(|_| answer.unexpected("what a store says of itself"))?;
        Ok((info, warnings))
    }
}
