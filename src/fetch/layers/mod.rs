//! The files and variables that say where this machine fetches from, and their order.
//!
//! Which they are depends on the package manager, and so on the lockfile: each has a module here.

mod berry;
mod bun;
mod classic;
mod dotenv;
mod npmrc;
mod transport;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use url::Url;

pub(super) use self::transport::{ClientCertificate, Transport, Transports};

use super::{
    credentials::Credentials,
    environment::{Environment, UnsetVariable, expand},
};
use crate::{
    lockfile::Format,
    managers::registries::{ProjectRegistries, RegistryError, ReplaceHost, registry_url},
};

/// What all files and variables together say.
pub(super) struct Settings {
    pub(super) used: Layer,
    pub(super) credentials: Credentials,
    pub(super) transports: Transports,
    /// Which hosts in the lockfile stand for the registry, where anything beside the repository says it.
    pub(super) replace_host: Option<ReplaceHost>,
    /// What files other than the user's say of credentials, as it is written there.
    pub(super) credentials_of_repository: Vec<String>,
}

/// What one file, or all files together, say.
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

/// Reads what the package manager of a lockfile reads. `project` gives the registry that tokens without a URL are for
/// where nothing names another.
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

/// The same without the files of the repository and of the folders above it: what the user alone says.
pub(super) fn read_users(
    format: Format,
    root: &Utf8Path,
    project: &ProjectRegistries,
    environment: &Environment,
) -> Result<Settings, RegistryError> {
    read(format, NO_REPOSITORY.into(), project, &environment.without_paths_into(root))
}

/// A folder that does not exist and has none above it, by the convention for users without a home.
const NO_REPOSITORY: &str = "/nonexistent";

/// Names a registry to ask, whatever the package manager: the same variable that the builders of the Nix files read.
const REGISTRY_VARIABLE: &str = "SPLITTER_REGISTRY";

/// The registry of the first of these variables that holds one: package managers pass over a value that is no `http:` or
/// `https:` URL, and so does this.
fn environment_layer(variables: &[&str], environment: &Environment) -> Layer {
    let mut urls = variables.iter().filter_map(|name| registry_url((*name).into(), name, environment.get(name)?).ok());
    Layer { default: urls.next(), scopes: BTreeMap::new() }
}

/// `false` and `null` are how npm's files unset a key.
fn is_set(text: &str) -> bool {
    !matches!(text, "" | "false" | "null" | "undefined")
}

/// A file that is named relative to the repository or to the home folder.
fn file_path(root: &Utf8Path, text: &str, environment: &Environment) -> Utf8PathBuf {
    match (text.strip_prefix("~/"), environment.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => root.join(text),
    }
}

fn read_if_there(path: &Utf8Path) -> Result<Option<String>, RegistryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn expanded(path: &Utf8Path, key: &str, text: &str, environment: &Environment) -> Result<String, RegistryError> {
    expand(text, &|name| environment.get(name).map(str::to_owned))
        .map_err(|UnsetVariable(variable)| unset(path, key, variable))
}

fn unset(path: &Utf8Path, key: &str, variable: String) -> RegistryError {
    RegistryError::Unset { path: path.to_owned(), key: key.to_owned(), variable }
}
