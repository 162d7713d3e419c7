//! Where packages are fetched from on this machine, and with which credentials.
//!
//! What enters `splitter.lock.json` is [`ProjectRegistries`] alone. A user may reach the same packages through a mirror
//! (a file of the user's own, or a variable); such a mirror is used for the request and is not recorded.
//!
//! Which files count, and in which order, is in `layers`. `strict-ssl=false` is not honoured.

use std::fmt;

use camino::Utf8Path;
use npmrc_config_rs::registry::extract_scope;
use url::{Host, Url};

use super::{
    credentials::{Access, Credentials},
    environment::{Environment, UnsetVariable},
    github::GitHub,
    layers::{self, Layer, Transport, Transports},
    secret::Secret,
    way::Way,
};
use crate::{
    lockfile::Format,
    managers::registries::{ProjectRegistries, RegistryError, ReplaceHost},
};

/// The registries of a run, with credentials.
#[derive(Clone)]
pub struct Registries {
    format: Format,
    project: ProjectRegistries,
    used: Layer,
    credentials: Credentials,
    transports: Transports,
    replace_host: ReplaceHost,
    github: GitHub,
    way: Way,
}

impl Registries {
    /// Reads the files of the repository and of the user that the package manager of a lockfile reads, and the variables.
    /// `project` is what the repository itself says.
    pub fn load(
        repo_root: &Utf8Path,
        format: Format,
        project: &ProjectRegistries,
        environment: &Environment,
    ) -> Result<Self, RegistryError> {
        let settings = layers::read(format, repo_root, project, environment)?;
        // What cannot be read without the repository's files depends on them.
        let users = layers::read_users(format, repo_root, project, environment).ok();
        let way = Way::of(&settings, users.as_ref());
        let layers::Settings { used, mut credentials, transports, replace_host, .. } = settings;
        let replace_host = replace_host.unwrap_or_else(|| project.replace_host().clone());
        let github = GitHub::of(environment);
        github.add_token(environment, &mut credentials);
        Ok(Self { format, project: project.clone(), used, credentials, transports, replace_host, github, way })
    }

    /// The registries of the repository alone, which is what may be recorded.
    pub fn project(&self) -> &ProjectRegistries {
        &self.project
    }

    /// Where a package's documents and tarballs are asked for on this machine.
    pub fn registry_for(&self, package: &str) -> &Url {
        let scope = extract_scope(package).and_then(|scope| self.used.scopes.get(scope));
        scope.or(self.used.default.as_ref()).unwrap_or(self.project.default_registry())
    }

    /// The URL to ask for `url`: below the repository's registry for the package it is moved to the registry that
    /// this machine uses for it, likewise below a registry that only stands for it (see [`Self::replaces`]), an archive of
    /// GitHub's to its API where that is configured, and any other URL is left alone.
    #[must_use]
    pub fn url_for_fetch(&self, url: &Url, package: &str) -> Url {
        self.at_registry(url, package).or_else(|| self.github.archive(url)).unwrap_or_else(|| url.clone())
    }

    /// The URLs that are asked for `url`, in this order, without GitHub's API: only the environment can name that one.
    pub(super) fn asked(&self, url: &Url, package: &str) -> Vec<Url> {
        let first = self.at_registry(url, package).unwrap_or_else(|| url.clone());
        let second = self.replaces(url, package).then(|| url.clone());
        [first].into_iter().chain(second).collect()
    }

    fn at_registry(&self, url: &Url, package: &str) -> Option<Url> {
        let used = self.registry_for(package);
        let moved_to_used = |from: &Url| moved(url, from, used);
        moved_to_used(self.project.registry_for(package)).or_else(|| moved_to_used(&self.replaced(url, package)?))
    }

    /// Whether another registry is asked in place of the one that `url` names, as npm's `replace-registry-host` has it.
    pub(super) fn replaces(&self, url: &Url, package: &str) -> bool {
        self.replaced(url, package).is_some()
    }

    fn replaced(&self, url: &Url, package: &str) -> Option<Url> {
        let is_own = moved(url, self.project.registry_for(package), self.registry_for(package)).is_some();
        if is_own { None } else { self.replace_host.replaced(url, package, self.registry_for(package)) }
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

    /// The lockfile's format, by which files were chosen.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// What the repository's own files change on the way to a host.
    pub(super) fn way(&self) -> Way {
        self.way
    }

    pub(super) fn transport_for(&self, url: &Url) -> Transport {
        self.transports.for_url(url)
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

#[cfg(test)]
mod tests;
