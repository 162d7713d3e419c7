//! Checks of the installed Nix: is it there, does its daemon answer, and do its settings help.

mod basics;
mod jobs;
pub mod place;
mod safety;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::place::Place;
use super::model::{Entry, Finding};
use crate::{
    fetch::Environment,
    machine::Computer,
    nix::{
        installed::{Installed, NoAnswer},
        settings::Settings,
    },
};

checks! {
    Nix;
    INSTALLED = "nix-installed", SlowCi, CacheMisses, SlowBuilds, DiskFull, HashMismatch;
    VERSION = "nix-version", SlowBuilds;
    SETTINGS = "nix-settings", SlowCi, CacheMisses, SlowBuilds;
    DAEMON = "daemon", SlowCi, CacheMisses, SlowBuilds;
    TRUSTED = "trusted-user", SlowCi, CacheMisses;
    FLAKES = "flakes";
    UNKNOWN = "unknown-settings", SlowCi, SlowBuilds;
    IGNORED = "ignored-settings", SlowCi, CacheMisses, SlowBuilds;
    SUBSTITUTION = "substitution", SlowCi, CacheMisses;
    REMEMBERED = "remembered-misses", SlowCi, CacheMisses;
    FALLBACK = "fallback", SlowCi;
    JOBS = "jobs-and-cores", SlowCi, SlowBuilds;
    OPTIMISE = "optimise-store", SlowBuilds;
    SANDBOX = "sandbox", CacheMisses, HashMismatch;
    BUILD_DIR = "build-dir";
    DANGEROUS = "dangerous-settings";
}

/// What the checks of Nix are made of.
pub struct Facts<'a> {
    /// The installed Nix, if there is one.
    pub installed: Option<&'a Installed>,
    /// A Nix that is not in PATH.
    pub elsewhere: Option<PathBuf>,
    /// Where settings belong.
    pub place: Place,
    /// The configuration files that Nix reads.
    pub files: Vec<PathBuf>,
    /// The variables of this process.
    pub environment: &'a Environment,
    /// The computer.
    pub computer: &'a Computer,
    /// Whether programs may have namespaces of their own here, which the sandbox needs.
    pub namespaces: Option<bool>,
    /// The folder of builds and its permissions, if it exists.
    pub build_dir: Option<(PathBuf, u32)>,
    /// Whether `splitter.json` names caches.
    pub has_team_caches: bool,
}

impl Facts<'_> {
    /// Returns a sentence that says how to set a setting.
    fn to_set(&self, name: &str, value: &str) -> String {
        match self.written(name) {
            // A line in another file would be overruled by this one.
            Some(at) if !matches!(self.place, Place::Modules) => format!("change it to `{name} = {value}` in {at}"),
            _ => self.place.to_set(name, value),
        }
    }

    /// Returns where a setting is written.
    fn written(&self, name: &str) -> Option<String> {
        place::find(&self.files, self.environment, name)
    }

    /// Returns where a setting is written, for the middle of a sentence.
    fn in_file(&self, name: &str) -> String {
        self.written(name).map(|at| format!(" ({at})")).unwrap_or_default()
    }
}

/// Makes all checks of Nix.
pub fn check(facts: &Facts<'_>) -> Vec<Entry> {
    let Some(nix) = facts.installed else { return vec![basics::missing(facts)] };
    if let Some(answer) = nix.is_other() {
        return vec![basics::other(&answer, facts)];
    }
    let mut entries = basics::check(nix, facts);
    match &nix.settings {
        Ok(settings) => {
            entries.push(SETTINGS.fine("Nix reads its settings"));
            entries.extend(of_settings(settings, nix, facts));
        }
        Err(error) => entries.push(unreadable(error, facts)),
    }
    entries
}

fn of_settings(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries = basics::of_settings(settings, nix, facts);
    entries.extend(basics::downloads(settings, nix, facts));
    entries.extend(jobs::check(settings, facts));
    entries.extend(safety::check(settings, nix, facts));
    entries
}

/// Returns the entry for settings that Nix cannot read.
fn unreadable(error: &NoAnswer, facts: &Facts<'_>) -> Entry {
    let Some(reason) = error.reason() else { return SETTINGS.unknown(error.to_string()) };
    let files: Vec<String> =
        facts.files.iter().filter(|file| file.is_file()).map(|file| file.display().to_string()).collect();
    let finding = Finding::problem(
        98,
        format!("Nix cannot read its settings: {reason}"),
        "Every command of Nix fails until this is mended, and the checks of settings and caches could not be made.",
    );
    SETTINGS.found(if reason.contains("NIX_CONFIG") {
        finding.so("mend the variable NIX_CONFIG: each line is `name = value`, with spaces around `=`")
    } else if files.is_empty() {
        finding
    } else {
        finding.so(format!("mend the line in {}", files.join(" or ")))
    })
}
