//! The registries that this machine uses, with credentials.
//!
//! Only [`ProjectRegistries`] are recorded in `splitter.lock.json`. A user's file or variable may name a mirror.
//! splitter sends requests to the mirror and does not record it.
//!
//! The module `layers` defines which files are read, and in which order. `strict-ssl=false` is not honoured.

use std::fmt;

use camino::Utf8Path;
use npmrc_config_rs::registry::extract_scope;
use url::{Host, Url};

use super::{
    cautions::{Caution, Cautions, Pending},
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
    users: Option<Users>,
    cautions: Cautions,
}

/// The settings of the user's own files and variables.
#[derive(Clone)]
struct Users {
    credentials: Credentials,
    transports: Transports,
}

impl Registries {
    /// Reads the files and variables that the package manager of the lockfile reads. `project` are the registries of
    /// the repository.
    pub fn load(
        repo_root: &Utf8Path,
        format: Format,
        project: &ProjectRegistries,
        environment: &Environment,
    ) -> Result<Self, RegistryError> {
        let settings = layers::read(format, repo_root, project, environment)?;
        // On an error the user's settings depend on the repository's files, so `Way` counts all of them.
        let users = layers::read_users(format, repo_root, project, environment).ok();
        let way = Way::of(&settings, users.as_ref());
        let layers::Settings { used, mut credentials, transports, replace_host, cautions, .. } = settings;
        let replace_host = replace_host.unwrap_or_else(|| project.replace_host().clone());
        let github = GitHub::of(environment);
        github.add_token(environment, &mut credentials);
        let users = users.map(|layers::Settings { used, mut credentials, transports, .. }| {
            github.add_token(environment, &mut credentials);
            (used, Users { credentials, transports })
        });
        let is_news = |pending: &Pending| !users.as_ref().is_some_and(|(used, users)| users.know(pending, used));
        let cautions = Cautions::new(cautions.into_iter().filter(is_news).collect());
        let users = users.map(|(_, users)| users);
        let project = project.clone();
        Ok(Self { format, project, used, credentials, transports, replace_host, github, way, users, cautions })
    }

    /// Returns the registries of the repository. Only these may be recorded.
    pub fn project(&self) -> &ProjectRegistries {
        &self.project
    }

    /// Returns the registry that this machine uses for a package's metadata and tarballs.
    pub fn registry_for(&self, package: &str) -> &Url {
        let scope = extract_scope(package).and_then(|scope| self.used.scopes.get(scope));
        scope.or(self.used.default.as_ref()).unwrap_or(self.project.default_registry())
    }

    /// Returns the URL to request instead of `url`. A URL below the repository's registry moves to the registry that
    /// this machine uses. So does a URL below a replaced registry, see [`Self::replaces`]. A GitHub archive moves to
    /// the API if one is configured. Other URLs stay.
    #[must_use]
    pub fn url_for_fetch(&self, url: &Url, package: &str) -> Url {
        self.at_registry(url, package).or_else(|| self.github.archive(url)).unwrap_or_else(|| url.clone())
    }

    /// Returns the URLs to request for `url`, in order. Excludes GitHub's API, which only the environment can name.
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

    /// Whether `replace-registry-host` of npm replaces the registry of `url`.
    pub(super) fn replaces(&self, url: &Url, package: &str) -> bool {
        self.replaced(url, package).is_some()
    }

    fn replaced(&self, url: &Url, package: &str) -> Option<Url> {
        let is_own = moved(url, self.project.registry_for(package), self.registry_for(package)).is_some();
        if is_own { None } else { self.replace_host.replaced(url, package, self.registry_for(package)) }
    }

    /// Returns the `Authorization` header for a URL. A plain `http:` URL gets one only on this machine, or if a
    /// registry on its host is configured with `http:`. Otherwise a changed URL in a lockfile could leak a token.
    pub fn authorization_for(&self, url: &Url) -> Option<Secret> {
        self.may_carry_secrets(url).then(|| self.credentials.find(url)?.ok()).flatten()
    }

    /// Returns whether a request for `url` carries credentials, and if not, why.
    pub fn access_for(&self, url: &Url) -> Access {
        match self.credentials.find(url).filter(|_| self.may_carry_secrets(url)) {
            Some(Ok(_)) => Access::Credentials,
            Some(Err(UnsetVariable(name))) => Access::Unset(name),
            None => Access::Anonymous,
        }
    }

    /// Returns the format of the lockfile, which selected the settings files.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the digest of the repository's own proxies, certificates and credentials.
    pub(super) fn way(&self) -> Way {
        self.way
    }

    pub(super) fn transport_for(&self, url: &Url) -> Transport {
        self.transports.for_url(url)
    }

    /// Notes that a request was sent, for [`Self::cautions`].
    pub(super) fn requested(&self, url: &Url, has_credentials: bool) {
        self.cautions.requested(url, has_credentials);
        if !has_credentials && self.is_exposed(url) {
            self.cautions.raise(Caution::Exposed { host: url.host_str().unwrap_or_default().to_owned() });
        }
    }

    /// Returns what the repository's settings did with secrets of the user in the requests so far.
    pub fn cautions(&self) -> Vec<Caution> {
        self.cautions.raised()
    }

    /// Whether a host of the repository's choice could read the user's credentials for a URL: the repository sets the
    /// proxy, and the connection is not encrypted or the repository also sets the trusted certificates.
    fn is_exposed(&self, url: &Url) -> bool {
        let Some(users) = &self.users else { return false };
        let credential = users.credentials.find(url);
        if credential.is_none() || credential != self.credentials.find(url) {
            return false;
        }
        let (used, own) = (self.transports.for_url(url), users.transports.for_url(url));
        let is_encrypted = url.scheme() == "https";
        let (proxy, own_proxy) =
            if is_encrypted { (used.https_proxy, own.https_proxy) } else { (used.http_proxy, own.http_proxy) };
        let trusts_others = used.cafiles != own.cafiles || used.authorities != own.authorities;
        proxy.is_some() && proxy != own_proxy && (!is_encrypted || trusts_others)
    }

    fn may_carry_secrets(&self, url: &Url) -> bool {
        if self.is_exposed(url) {
            return false;
        }
        let mut registries = self.used.scopes.values().chain(&self.used.default);
        url.scheme() == "https" || is_loopback(url) || registries.any(|registry| registry.origin() == url.origin())
    }
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries").field("project", &self.project).finish_non_exhaustive()
    }
}

impl Users {
    /// Whether there is nothing to tell: the user's own settings name the host, or it is npm's.
    fn know(&self, pending: &Pending, used: &Layer) -> bool {
        let Caution::Sent { to, .. } = &pending.caution else { return pending.is_about_npm() };
        let names_host =
            |url: &Url| to.split('/').next() == Some(&url[url::Position::BeforeHost..url::Position::AfterPort]);
        let has_credentials =
            Url::parse(&format!("https://{to}/")).is_ok_and(|url| self.credentials.find(&url).is_some());
        pending.is_about_npm() || has_credentials || used.default.iter().chain(used.scopes.values()).any(names_host)
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

/// Returns `url` with its registry `from` replaced by `to`. `None` if `url` is not below `from`, or both are equal.
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
