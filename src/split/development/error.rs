//! What can be wrong with services and processes, beyond the format of `splitter.json`.

use thiserror::Error;

use crate::{
    diagnostic::{Category, Diagnose, Location, did_you_mean},
    names::SETTINGS,
    repo::RepoPath,
};

/// `services` or `processes` of `splitter.json` do not fit the repository, or each other.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum DevelopmentError {
    /// A process has the name of no app.
    #[error("`processes.{name}` names no app; {}, or `workspace` or `command` beside it", expected(apps))]
    NoSuchApp {
        /// The name.
        name: String,
        /// The apps.
        apps: Vec<String>,
    },
    /// A process names a folder that is no workspace.
    #[error("`processes.{name}.workspace`: `{path}` is no workspace")]
    NoSuchWorkspace {
        /// The process.
        name: String,
        /// The folder.
        path: RepoPath,
    },
    /// The workspace lacks the script.
    #[error("`processes.{name}`: `{path}` has no script `{script}`; it has {}", list(scripts))]
    NoSuchScript {
        /// The process.
        name: String,
        /// The manifest.
        path: RepoPath,
        /// The script.
        script: String,
        /// The scripts that it has.
        scripts: Vec<String>,
    },
    /// A process waits for something that does not exist.
    #[error("`{place}` waits for `{wanted}`; {}", expected(known))]
    NoSuchDependency {
        /// The key.
        place: String,
        /// What it waits for.
        wanted: String,
        /// What exists.
        known: Vec<String>,
    },
    /// Processes wait for each other.
    #[error("`processes` wait for each other: {}", cycle.join(" -> "))]
    Cycle {
        /// The names, the first one twice.
        cycle: Vec<String>,
    },
    /// Two have the same name.
    #[error("`services` and `processes` both have `{0}`, which `splitter dev` uses for one process")]
    TwiceNamed(String),
    /// Two have the same port.
    #[error("`{first}` and `{second}` both have port {port}")]
    TwicePort {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The port.
        port: u16,
    },
    /// A seed does not exist.
    #[error("`services.{service}.databases.{database}`: there is no file `{path}`")]
    NoSuchSeed {
        /// The service.
        service: String,
        /// The database.
        database: String,
        /// The file.
        path: RepoPath,
    },
    /// A text has the port of nothing.
    #[error("`{place}` has {{port:{name}}}; ports: {}", list(known))]
    NoSuchPort {
        /// The key.
        place: String,
        /// The name in the placeholder.
        name: String,
        /// The names with ports.
        known: Vec<String>,
    },
    /// A name is a command of `dev`.
    #[error("`{place}`: `{name}` is a command of `nix run .#dev`; take another name")]
    Reserved {
        /// The key.
        place: String,
        /// The name.
        name: String,
    },
}

/// `expected a, b or c`. Without names it says that there are none.
fn expected(names: &[String]) -> String {
    if names.is_empty() { "this repository has none".to_owned() } else { format!("expected {}", list(names)) }
}

/// `a, b or c`, or `none`.
fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", most.join(", "))
        }
    }
}

impl Diagnose for DevelopmentError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        Some(Location::file(SETTINGS))
    }

    fn hints(&self) -> Vec<String> {
        let similar = |known: &[String], found: &str| did_you_mean(known.iter().map(String::as_str), found);
        let hint = match self {
            Self::NoSuchApp { name, apps } => similar(apps, name),
            Self::NoSuchDependency { wanted, known, .. } => similar(known, wanted),
            Self::NoSuchPort { name, known, .. } => similar(known, name),
            Self::NoSuchScript { name, script, scripts, .. } => {
                let like = scripts.iter().find(|known| known.ends_with(script.as_str()));
                let like = like.cloned().or_else(|| scripts.first().cloned());
                like.map(|known| {
                    format!("name the script: \"processes\": {{ \"{name}\": {{ \"script\": \"{known}\" }} }}")
                })
            }
            Self::TwicePort { second, .. } => Some(format!("give `{second}` another `port`")),
            _ => None,
        };
        hint.into_iter().collect()
    }
}
