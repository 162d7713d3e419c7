//! Asks a Nix which settings it knows. [`crate::nix::installed`] asks for the rest, within a time.

use super::{Nix, NixError, run::run};
use crate::nix::settings::{Settings, Warning};

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
}
