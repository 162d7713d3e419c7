//! Errors of `splitter cache`.

use crate::{
    caches::{SecretKeyError, Trouble},
    diagnostic::{Category, Diagnose, Location, did_you_mean},
    names::SETTINGS,
};

/// The variable that names the file with the secret key of a cache.
pub(super) const KEY_FILE: &str = "SPLITTER_CACHE_KEY_FILE";

/// Why caches cannot be asked, or not pushed to.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum CacheError {
    /// No cache is named.
    #[error("no cache is named: `caches` in {SETTINGS} is empty, and so is `{0}`")]
    NoCache(&'static str),
    /// The flake has no such thing.
    #[error("`{name}` not found in the flake; it has {}", known.join(", "))]
    Unknown { name: String, known: Vec<String> },
    /// No cache answers.
    #[error("no cache answers: {}", shown(away))]
    AllAway { away: Vec<(String, Trouble)> },
    /// No cache answers, although a push made each empty one a cache.
    #[error("no cache answers: {}", shown(away))]
    AllAwayInPush { away: Vec<(String, Trouble)> },
    /// The repository has changes that no commit has.
    #[error("{} from the last commit, and a checkout of it may need other store paths", differ(files))]
    Dirty { files: Vec<String> },
    /// The program of a service is missing.
    #[error("`{program}` was not found in PATH; it pushes to {address}")]
    NoProgram { program: &'static str, address: String },
    /// The service is not known to its program.
    #[error("the configuration of attic on this machine has no server for {0}")]
    NoAtticServer(String),
    /// No token.
    #[error("no token for {0}")]
    NoToken(String),
    /// The program of a service reads only the store of this machine.
    #[error("`{program}` reads only the store of this machine, so `--store` does not go with {address}")]
    OtherStore { program: &'static str, address: String },
    /// The variable names no file.
    #[error("`{KEY_FILE}` names no file: `{0}`")]
    KeyFile(String),
    /// The file has no secret key.
    #[error("`{KEY_FILE}` names no secret key: `{path}` {error}")]
    Key { path: String, error: SecretKeyError },
    /// The server is no cache, and takes no file that makes it one.
    #[error("{address} has no file `nix-cache-info`, and the server refuses it: {trouble}")]
    Info { address: String, info: String, trouble: Trouble },
    /// The folder cannot be made a cache.
    #[error("could not make the folder a cache: {0}")]
    Write(std::io::Error),
    /// The cache has no pins.
    #[error("{address} has no pins: {why}")]
    NoPins { address: String, why: &'static str, hint: String },
    /// More than one cache could be meant.
    #[error("expected one cache to pin in, found {}", found.join(", "))]
    SeveralCaches { found: Vec<String> },
    /// The cache lacks what is to be pinned.
    #[error("{address} does not have {}, so it cannot be pinned", names.join(", "))]
    NotThere { address: String, names: Vec<String> },
    /// The cache refused the pin.
    #[error("could not pin `{name}` in {address}: {trouble}")]
    Pin { name: String, address: String, trouble: Trouble },
    /// Pins need names.
    #[error("expected the names of packages to pin")]
    NoNames,
}

fn shown(away: &[(String, Trouble)]) -> String {
    away.iter().map(|(address, trouble)| format!("{address}: {trouble}")).collect::<Vec<_>>().join("; ")
}

/// Returns what to do if a push does not make a cache, so that the hint is not the command just typed.
fn hint_in_push((address, trouble): &(String, Trouble)) -> Option<String> {
    match trouble {
        Trouble::NoCache(_) => Some(format!("check the address, and the file `nix-cache-info` of {address}")),
        _ => trouble.hint(address),
    }
}

fn differ(files: &[String]) -> String {
    match files {
        [one] => format!("`{one}` differs"),
        [first, ..] => format!("`{first}` and {} more differ", files.len() - 1),
        [] => "files differ".to_owned(),
    }
}

impl Diagnose for CacheError {
    fn category(&self) -> Category {
        match self {
            Self::Write(_)
            | Self::Info { .. }
            | Self::AllAway { .. }
            | Self::AllAwayInPush { .. }
            | Self::NoProgram { .. }
            | Self::NoAtticServer(_)
            | Self::NoToken(_)
            | Self::Pin { .. } => Category::Environment,
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        matches!(self, Self::NoCache(_)).then(|| Location::file(SETTINGS))
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoCache(option) => vec![
                format!("name one: `{option} cachix:NAME`, `{option} https://…` or `{option} file:///…`"),
                format!("or write it into {SETTINGS}: \"caches\": [\"cachix:NAME\"]"),
            ],
            Self::Unknown { name, known } => did_you_mean(known.iter().map(String::as_str), name).into_iter().collect(),
            Self::AllAway { away } => away.iter().filter_map(|(address, trouble)| trouble.hint(address)).collect(),
            Self::AllAwayInPush { away } => away.iter().filter_map(hint_in_push).collect(),
            Self::Dirty { .. } => vec!["commit or stash the changes, or pass `--allow-dirty`".to_owned()],
            Self::NoProgram { program, .. } => {
                vec![format!(
                    "install it: `nix profile install nixpkgs#{program}{}`",
                    if *program == "attic" { "-client" } else { "" }
                )]
            }
            Self::NoAtticServer(_) => vec!["run `attic login NAME URL TOKEN` once".to_owned()],
            Self::NoToken(address) if address.starts_with("cachix:") => {
                vec!["set CACHIX_AUTH_TOKEN, or run `cachix authtoken`".to_owned()]
            }
            Self::Key { error: SecretKeyError::Public, .. } => {
                vec![
                    "name the file that `nix key generate-secret` wrote; the public key goes into `publicKeys`"
                        .to_owned(),
                ]
            }
            Self::Key { .. } => vec!["make a key: `nix key generate-secret --key-name NAME > FILE`".to_owned()],
            Self::Info { info, .. } => {
                let lines: Vec<String> = info.lines().map(|line| format!("`{line}`")).collect();
                vec![
                    format!("put a file `nix-cache-info` there with the lines {}", lines.join(", ")),
                    "check that the server takes uploads with PUT, and that this machine may send them".to_owned(),
                ]
            }
            Self::OtherStore { .. } => vec!["use `--builders`: Nix then copies the results to this machine".to_owned()],
            Self::NoPins { hint, .. } => vec![hint.clone()],
            Self::SeveralCaches { .. } => vec!["name one with `--to`".to_owned()],
            Self::NotThere { address, .. } => vec![format!("run `splitter cache push --to {address}` first")],
            Self::Pin { address, trouble, .. } => trouble.hint(address).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}
