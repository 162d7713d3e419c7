//! What the advice is made from.

use serde::Serialize;

use super::{Profile, network::Answer};
use crate::{
    machine::Computer,
    nix::settings::{Settings, StoreInfo, Version, Warning},
};

/// The file where Determinate Nix takes settings of the user. It writes `nix.conf` itself.
pub const DETERMINATE_FILE: &str = "/etc/nix/nix.custom.conf";

/// The file of the daemon.
pub const DAEMON_FILE: &str = "/etc/nix/nix.conf";

/// The Nix of this computer.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    /// Its version; none if it prints an unknown one.
    pub version: Option<Version>,
    /// The settings that it knows.
    pub settings: Settings,
    /// What it says of wrong settings.
    pub warnings: Vec<Warning>,
    /// Its store; none if the daemon does not answer.
    pub store: Option<StoreInfo>,
}

/// A cache of `splitter.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TeamCache {
    /// As in `splitter.json`.
    pub address: String,
    /// The URL for `substituters`, if Nix can read from it.
    pub substituter: Option<String>,
    /// The public keys.
    pub keys: Vec<String>,
    /// Whether its address tells Nix to take paths without a signature.
    pub unsigned: bool,
}

/// All of it.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The computer.
    pub computer: &'a Computer,
    /// Its Nix.
    pub nix: Option<&'a Installed>,
    /// The caches of the repository.
    pub caches: &'a [TeamCache],
    /// How fast caches answer; empty if they were not asked.
    pub answers: &'a [Answer],
    /// Whether the settings are for a job of CI.
    pub for_ci: bool,
    /// How much of the computer builds may take.
    pub profile: Profile,
}

impl Situation<'_> {
    /// Returns the settings of the installed Nix.
    pub fn settings(&self) -> Option<&Settings> {
        self.nix.map(|nix| &nix.settings)
    }

    /// Whether the computer, with its store, is deleted after the job.
    pub fn is_thrown_away(&self) -> bool {
        self.computer.kind.throw_away.holds()
    }

    /// Whether a setting of Nix that is a list has this word.
    pub fn has_word(&self, setting: &str, word: &str) -> bool {
        let text = self.settings().and_then(|settings| settings.get(setting)).map(crate::nix::settings::Setting::text);
        text.is_some_and(|text| text.split_whitespace().any(|found| found == word))
    }
}
