//! The apps of `frameworks/`, and the package managers that install them.

use camino::Utf8PathBuf;
use clap::ValueEnum;
use fs_err as fs;
use serde::Deserialize;

use crate::{Result, paths};

/// An app, as `frameworks/frameworks.json` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    /// Its folder below `frameworks/`, which becomes `apps/<name>`.
    pub(super) name: String,
    /// Its row in the table.
    pub(super) title: String,
    pub(super) kind: Kind,
    /// The script that starts it without Nix. Default: `start`.
    #[serde(default = "start")]
    pub(super) script: String,
    /// The file that starts it without Nix, in place of a script.
    pub(super) compiled: Option<Utf8PathBuf>,
    /// The program in its package. Default: the name.
    program: Option<String>,
    /// The folder of a site, without Nix.
    #[serde(default)]
    pub(super) output: Utf8PathBuf,
    /// What is asked for. Default: `/`.
    #[serde(default = "root")]
    pub(super) path: String,
    /// What the answer contains. Default: `Hello from <name>`.
    expects: Option<String>,
    /// The package managers that can install and start it. Default: all.
    #[serde(default = "all")]
    pub(super) managers: Vec<Manager>,
}

/// What an app makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A program that answers on `HOST` and `PORT`.
    Server,
    /// A folder of files.
    Site,
    /// A program that reads a file of the caller's folder and prints.
    Command,
}

/// A package manager of `xtask/tools.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Manager {
    Bun,
    Yarn,
    YarnBerry,
}

impl App {
    /// The name of the program in `bin/` of its package.
    pub(super) fn program(&self) -> &str {
        self.program.as_deref().unwrap_or(&self.name)
    }

    /// What the answer must contain.
    pub(super) fn expects(&self) -> String {
        match (&self.expects, self.kind) {
            (Some(text), _) => text.clone(),
            (None, Kind::Command) => "Hello from Ada".to_owned(),
            (None, _) => format!("Hello from {}", self.name),
        }
    }
}

impl Manager {
    pub(super) const ALL: [Self; 3] = [Self::Bun, Self::Yarn, Self::YarnBerry];

    /// The folder of the tool, without its version, and the version.
    pub(super) const fn tool(self) -> (&'static str, &'static str) {
        match self {
            Self::Bun => ("bun", "1.4.4"),
            Self::Yarn => ("yarn", "1.22.22"),
            Self::YarnBerry => ("yarn", "4.18.1"),
        }
    }

    /// Its column in the table.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Bun => "Bun 1.4",
            Self::Yarn => "Yarn 1",
            Self::YarnBerry => "Yarn 4",
        }
    }
}

/// The apps with these names, or all of them.
pub(super) fn load(names: &[String]) -> Result<Vec<App>> {
    let mut apps: Vec<App> = serde_json::from_str(&fs::read_to_string(folder().join("frameworks.json"))?)?;
    if let Some(unknown) = names.iter().find(|name| !apps.iter().any(|app| app.name == **name)) {
        let known: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
        return Err(format!("there is no app `{unknown}`; the apps are {}", known.join(", ")).into());
    }
    apps.retain(|app| names.is_empty() || names.contains(&app.name));
    Ok(apps)
}

/// Where the apps are.
pub(super) fn folder() -> Utf8PathBuf {
    paths::project().join("frameworks")
}

fn start() -> String {
    "start".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

fn all() -> Vec<Manager> {
    Manager::ALL.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_app_has_a_folder_and_every_folder_an_app() -> Result<()> {
        let mut listed: Vec<String> = load(&[])?.into_iter().map(|app| app.name).collect();
        let mut found = Vec::new();
        for entry in folder().read_dir_utf8()? {
            let entry = entry?;
            if entry.path().join("package.json").is_file() && entry.file_name() != "shared" {
                found.push(entry.file_name().to_owned());
            }
        }
        listed.sort();
        found.sort();
        assert_eq!(listed, found);
        Ok(())
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = load(&["nope".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("there is no app `nope`; the apps are express, "), "{error}");
    }
}
