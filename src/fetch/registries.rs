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

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use fs_err as fs;

    use super::*;

    /// Loads registries from files below a folder that holds `repo` and `home`.
    fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Registries, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        for name in ["repo", "home"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        for (path, text) in files {
            fs::write(root.join(path), text).unwrap();
        }
        let home = root.join("home");
        Registries::load(
            &root.join("repo"),
            &Environment::from_pairs(variables.iter().copied().chain([("HOME", home.as_str())])),
        )
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn authorization(registries: &Registries, text: &str) -> Option<String> {
        registries.authorization_for(&url(text)).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_order_of_files_and_variables_is_that_of_bun() {
        let files = [
            ("home/.npmrc", "registry=https://user-npmrc.example"),
            ("repo/.npmrc", "registry=https://repo-npmrc.example"),
            ("home/.bunfig.toml", "[install]\nregistry = \"https://user-bunfig.example\""),
            ("repo/bunfig.toml", "[install]\nregistry = {url = \"https://repo-bunfig.example\"}"),
        ];
        let default = |count: usize, variables: &[(&str, &str)]| {
            load(&files[..count], variables).unwrap().registry_for("x").host_str().unwrap().to_owned()
        };
        assert_eq!(default(1, &[]), "user-npmrc.example");
        assert_eq!(default(2, &[]), "repo-npmrc.example");
        assert_eq!(default(3, &[]), "user-bunfig.example");
        assert_eq!(default(4, &[]), "repo-bunfig.example");
        let variables = [("npm_config_registry", "https://npm.example"), ("BUN_CONFIG_REGISTRY", "not a URL")];
        assert_eq!(default(4, &variables), "npm.example");
        assert_eq!(default(4, &[variables[0], ("BUN_CONFIG_REGISTRY", "https://bun.example")]), "bun.example");
    }

    #[test]
    fn a_mirror_of_the_user_takes_the_place_of_the_repositorys_registry_and_of_no_other() {
        let registries = load(
            &[("repo/.npmrc", "registry=https://repo.example/npm/\n@x:registry=https://x.example\n")],
            &[("BUN_CONFIG_REGISTRY", "https://mirror.example/a")],
        )
        .unwrap();
        for (from, package, to) in [
            ("https://repo.example/npm/a/-/a-1.tgz", "a", "https://mirror.example/a/a/-/a-1.tgz"),
            ("https://repo.example/npm/@y%2fa/-/a-1.tgz?x", "@y/a", "https://mirror.example/a/@y%2fa/-/a-1.tgz?x"),
            ("https://repo.example/other/a-1.tgz", "a", "https://repo.example/other/a-1.tgz"),
            ("https://x.example/@x/a/-/a-1.tgz", "@x/a", "https://x.example/@x/a/-/a-1.tgz"),
            ("https://cdn.example/a.tgz", "a", "https://cdn.example/a.tgz"),
        ] {
            let fetched = registries.url_for_fetch(&url(from), package);
            assert_eq!(fetched.as_str(), to);
            assert_eq!(registries.url_for_record(&fetched, package).as_str(), from);
        }
        assert_eq!(registries.project().default_registry().as_str(), "https://repo.example/npm/");
    }

    #[test]
    fn without_a_mirror_no_url_is_moved() {
        let registries = load(&[], &[]).unwrap();
        let from = registries.project().default_registry().join("a/-/a-1.tgz").unwrap();
        assert_eq!(registries.url_for_fetch(&from, "a"), from);
    }

    #[test]
    fn credentials_go_to_what_lies_below_their_key_and_nowhere_else() {
        let registries = load(
            &[
                ("home/.npmrc", "//a.example/:_authToken=host\n//a.example/deep/er/:_authToken=deep\n//b.example:8443/x:_auth=dTpw\n"),
                ("repo/.npmrc", "//c.example/:username=us\n//c.example/:_password=${PASSWORD}\n//a.example/:_authToken=stronger\n"),
            ],
            &[("PASSWORD", "cHc=")],
        )
        .unwrap();
        for (text, expected) in [
            ("https://a.example/x/-/x.tgz", Some("Bearer stronger")),
            ("https://a.example/deep/er/x.tgz", Some("Bearer deep")),
            ("https://a.example/deep/error.tgz", Some("Bearer stronger")),
            ("https://a.example:8080/x.tgz", None),
            ("https://sub.a.example/x.tgz", None),
            ("https://a.example.evil.example/x.tgz", None),
            ("https://a.example@evil.example/x.tgz", None),
            ("http://a.example/x.tgz", None),
            ("https://b.example:8443/x/y/z.tgz", Some("Basic dTpw")),
            ("https://b.example:8443/xy/z.tgz", None),
            ("https://c.example/z.tgz", Some("Basic dXM6cHc=")),
        ] {
            assert_eq!(authorization(&registries, text).as_deref(), expected, "{text}");
        }
        assert!(!format!("{registries:?}").contains("deep"));
    }

    #[test]
    fn bunfig_and_variables_hold_credentials_too() {
        let bunfig = "[install]\nregistry = {url = \"http://plain.example/npm\", token = \"$T\"}\n[install.scopes]\n\
                      a = \"https://us:p%40@a.example\"\nb = {url = \"https://b.example\", username = \"us\", password = \"${P}\"}\n";
        let registries = load(&[("home/.bunfig.toml", bunfig)], &[("T", "t")]).unwrap();
        // Configured as `http:`, so that the user wants it.
        assert_eq!(authorization(&registries, "http://plain.example/npm/x.tgz").as_deref(), Some("Bearer t"));
        assert_eq!(authorization(&registries, "http://plain.example/x.tgz"), None);
        assert_eq!(
            authorization(&registries, "https://a.example/x.tgz"),
            Some(Secret::basic("us", "p@").expose().to_owned())
        );
        assert_eq!(authorization(&registries, "https://b.example/x.tgz"), None);
        assert_eq!(registries.access_for(&url("https://b.example/x.tgz")), Access::Unset("P".to_owned()));
        assert_eq!(registries.registry_for("@a/x").as_str(), "https://a.example/");
        let registries = load(&[("home/.bunfig.toml", bunfig)], &[("T", "t"), ("BUN_CONFIG_TOKEN", "strong")]).unwrap();
        assert_eq!(authorization(&registries, "http://plain.example/npm/x.tgz").as_deref(), Some("Bearer strong"));
    }

    #[test]
    fn an_unset_variable_in_a_users_registry_is_named() {
        let error = load(&[("home/.npmrc", "registry=https://${NO_SUCH_HOST_HERE}/")], &[]).unwrap_err();
        assert!(matches!(&error, RegistryError::Unset { variable, .. } if variable == "NO_SUCH_HOST_HERE"), "{error}");
    }

    #[test]
    fn proxies_and_certificates_come_from_npmrc() {
        let registries = load(
            &[(
                "home/.npmrc",
                "proxy=http://us:pw@proxy.example:3128\nhttps-proxy=null\nnoproxy=a.example\ncafile=~/ca.pem\n",
            )],
            &[],
        )
        .unwrap();
        let transport = registries.transport();
        assert!(transport.https_proxy.is_some() && transport.https_proxy == transport.http_proxy);
        assert_eq!(transport.no_proxy.as_deref(), Some("a.example"));
        assert!(transport.cafiles[0].ends_with("home/ca.pem"), "{:?}", transport.cafiles);
        assert!(!format!("{transport:?}").contains("pw"));
    }
}
