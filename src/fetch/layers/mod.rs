//! The settings files and variables that name registries, credentials, proxies and certificates, and their order.
//!
//! They depend on the package manager. The lockfile tells which one is used, and each has a module here.

mod berry;
mod bun;
mod classic;
mod dotenv;
mod npmrc;
pub(super) mod outside;
mod transport;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use url::Url;

pub(super) use self::transport::{ClientCertificate, Transport, Transports};

use super::{
    cautions::{Caution, Pending, Reach},
    credentials::Credentials,
    environment::{Environment, UnsetVariable, expand},
};
use crate::{
    diagnostic::Position,
    lockfile::Format,
    managers::registries::{ProjectRegistries, RegistryError, ReplaceHost, registry_url},
    reading,
};

/// The merged settings of all files and variables.
pub(super) struct Settings {
    pub(super) used: Layer,
    pub(super) credentials: Credentials,
    pub(super) transports: Transports,
    /// The hosts in the lockfile to replace with the registry, if a setting of this machine or the repository names
    /// them.
    pub(super) replace_host: Option<ReplaceHost>,
    /// The credentials in files other than the user's, as written there.
    pub(super) credentials_of_repository: Vec<String>,
    /// What the repository's settings may do with secrets of the user.
    pub(super) cautions: Vec<Pending>,
}

/// The registries that one file sets, or all files merged.
#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) default: Option<Url>,
    pub(super) scopes: BTreeMap<String, Url>,
}

impl Layer {
    fn override_with(&mut self, stronger: Self) {
        self.default = stronger.default.or(self.default.take());
        self.scopes.extend(stronger.scopes);
    }
}

/// Reads the same files and variables as the package manager of the lockfile. `project` gives the default registry,
/// which gets the repository's tokens without a URL, unless a setting names another. The user's tokens without a URL go
/// to the registry that the user's own files and variables name, or to npm's.
pub(super) fn read(
    format: Format,
    root: &Utf8Path,
    project: &ProjectRegistries,
    environment: &Environment,
) -> Result<Settings, RegistryError> {
    match format {
        Format::Bun(_) => bun::read(root, project, environment),
        Format::YarnClassic => classic::read(root, project, environment),
        Format::YarnBerry(_) => berry::read(root, project, environment),
    }
}

/// Reads only the user's settings: without the files of the repository and of the folders above it.
pub(super) fn read_users(
    format: Format,
    root: &Utf8Path,
    project: &ProjectRegistries,
    environment: &Environment,
) -> Result<Settings, RegistryError> {
    read(format, NO_REPOSITORY.into(), project, &environment.without_paths_into(root))
}

/// A folder that does not exist. By convention it is the home of users without one.
const NO_REPOSITORY: &str = "/nonexistent";

/// The variable that names a registry for every package manager. The Nix builders read it too.
const REGISTRY_VARIABLE: &str = "SPLITTER_REGISTRY";

/// Returns the registry of the first of these variables that holds an `http:` or `https:` URL. Package managers also
/// skip other values.
fn environment_layer(variables: &[&str], environment: &Environment) -> Layer {
    let mut urls = variables.iter().filter_map(|name| registry_url((*name).into(), name, environment.get(name)?).ok());
    Layer { default: urls.next(), scopes: BTreeMap::new() }
}

/// Returns a caution for each of these variables, which a credential below `key` uses.
fn sent_below(path: &Utf8Path, position: Option<Position>, variables: Vec<String>, key: &str) -> Vec<Pending> {
    let registry = key.split('@').next().unwrap_or_default();
    let pending = |variable| Pending {
        reach: Reach::Credentials(key.to_owned()),
        caution: Caution::sent(path, position, variable, registry),
    };
    variables.into_iter().map(pending).collect()
}

/// Whether a value sets its key. In npm's files `false` and `null` unset it.
fn is_set(text: &str) -> bool {
    !matches!(text, "" | "false" | "null" | "undefined")
}

/// Resolves a file name that is relative to the repository or to the home folder.
fn file_path(root: &Utf8Path, text: &str, environment: &Environment) -> Utf8PathBuf {
    match (text.strip_prefix("~/"), environment.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => root.join(text),
    }
}

fn read_if_there(path: &Utf8Path) -> Result<Option<String>, RegistryError> {
    match reading::text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(unreadable(path, source)),
    }
}

/// Makes an error of the system's error for a file.
fn unreadable(path: &Utf8Path, source: std::io::Error) -> RegistryError {
    match reading::refused(&source) {
        Some(why) => RegistryError::Refused { path: path.to_owned(), why },
        None => source.into(),
    }
}

fn expanded(path: &Utf8Path, key: &str, text: &str, environment: &Environment) -> Result<String, RegistryError> {
    expand(text, &|name| environment.get(name).map(str::to_owned))
        .map_err(|UnsetVariable(variable)| unset(path, key, variable))
}

fn unset(path: &Utf8Path, key: &str, variable: String) -> RegistryError {
    RegistryError::Unset { path: path.to_owned(), key: key.to_owned(), variable }
}
