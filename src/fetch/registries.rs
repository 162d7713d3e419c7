//! Where packages are fetched from on this machine, and with which credentials.
//!
//! What enters `splitter.lock.json` is [`ProjectRegistries`] alone. A user may reach the same packages through a mirror
//! (a user's `.npmrc` or `.bunfig.toml`, or a variable); such a mirror is used for the request and is not recorded.
//!
//! The order of Bun 1.4, which was tried with the real binary: variables, the repository's `bunfig.toml`, the user's,
//! the repository's `.npmrc`, the user's, the global one. `strict-ssl=false` and client certificates are not honoured.

use std::fmt;

use camino::Utf8Path;
use npmrc_config_rs::registry::extract_scope;
use url::{Host, Url};

use super::{
    credentials::{Access, Credentials},
    environment::{Environment, UnsetVariable},
    layers::{Files, Layer, Transport},
    secret::Secret,
};
use crate::split::registries::{ProjectRegistries, RegistryError, npm_default};

/// The registries of a run, with credentials.
#[derive(Clone)]
pub struct Registries {
    project: ProjectRegistries,
    used: Layer,
    fallback: Url,
    credentials: Credentials,
    transport: Transport,
}

impl Registries {
    /// Reads the repository's, the user's and the global files, and the variables.
    pub fn load(repo_root: &Utf8Path, environment: &Environment) -> Result<Self, RegistryError> {
        let files = Files::read(repo_root, environment)?;
        let (used, fallback, transport) = (files.merged(environment)?, npm_default()?, files.transport(environment));
        let credentials = files.credentials(used.default.as_ref().unwrap_or(&fallback), environment);
        Ok(Self { project: files.into_project(), used, fallback, credentials, transport })
    }

    /// The registries of the repository alone, which is what may be recorded.
    pub fn project(&self) -> &ProjectRegistries {
        &self.project
    }

    /// Where a package's documents and tarballs are asked for on this machine.
    pub fn registry_for(&self, package: &str) -> &Url {
        let scope = extract_scope(package).and_then(|scope| self.used.scopes.get(scope));
        scope.or(self.used.default.as_ref()).unwrap_or(&self.fallback)
    }

    /// The URL to ask for `url`: below the repository's registry for the package it is moved to the registry that
    /// this machine uses for it, and any other URL is left alone.
    #[must_use]
    pub fn url_for_fetch(&self, url: &Url, package: &str) -> Url {
        moved(url, self.project.registry_for(package), self.registry_for(package)).unwrap_or_else(|| url.clone())
    }

    /// The opposite of [`Self::url_for_fetch`]: the URL to record for one that this machine's registry named.
    #[must_use]
    pub fn url_for_record(&self, url: &Url, package: &str) -> Url {
        moved(url, self.registry_for(package), self.project.registry_for(package)).unwrap_or_else(|| url.clone())
    }

    /// The `Authorization` header for a URL. A plain `http:` URL gets one only where it lies on this machine or a
    /// registry is configured with `http:` itself, so that nobody can read a token by changing a lockfile's URL.
    pub fn authorization_for(&self, url: &Url) -> Option<Secret> {
        self.may_carry_secrets(url).then(|| self.credentials.find(url)?.ok()).flatten()
    }

    /// Whether a request for `url` carries credentials, and why not.
    pub fn access_for(&self, url: &Url) -> Access {
        match self.credentials.find(url).filter(|_| self.may_carry_secrets(url)) {
            Some(Ok(_)) => Access::Credentials,
            Some(Err(UnsetVariable(name))) => Access::Unset(name),
            None => Access::Anonymous,
        }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    fn may_carry_secrets(&self, url: &Url) -> bool {
        let mut registries = self.used.scopes.values().chain(&self.used.default);
        url.scheme() == "https" || is_loopback(url) || registries.any(|registry| registry.origin() == url.origin())
    }
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries").field("project", &self.project).finish_non_exhaustive()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// `url` with the registry `from` in front of it exchanged for `to`, or none where it does not lie below `from`.
fn moved(url: &Url, from: &Url, to: &Url) -> Option<Url> {
    if from == to || url.origin() != from.origin() {
        return None;
    }
    let below = url.path().strip_prefix(from.path())?;
    let mut moved = to.clone();
    moved.set_path(&format!("{}{below}", to.path()));
    moved.set_query(url.query());
    Some(moved)
}
