//! Finds the credentials of a URL.
//!
//! npm keys credentials by a "nerf dart": the URL without its scheme, cut at a `/`, such as `//host:port/path/`. A URL
//! gets the credentials of its longest key. So a token reaches no other host and no other path.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use npmrc_config_rs::{NpmrcConfig, nerf_dart};
use url::Url;

use super::{
    environment::{Environment, UnsetVariable, expand},
    secret::Secret,
};
use crate::managers::bun::bunfig::BunRegistry;

/// Credentials, or the unset variable that should hold them.
pub(super) type Credential = Result<Secret, UnsetVariable>;

/// Whether a request carries credentials. Selects the hint for status 401 or 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It carries the configured credentials.
    Credentials,
    /// Credentials are configured, but this variable is not set.
    Unset(String),
    /// No credentials are configured.
    Anonymous,
}

/// All credentials of a run. It has no `Debug`, because it holds secrets.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    /// The credentials of `bunfig.toml`, `.yarnrc.yml`, URLs and variables, by nerf dart. They override those of
    /// `.npmrc`.
    direct: BTreeMap<String, Credential>,
    /// The `.npmrc` files, in order of priority.
    npmrc: Vec<NpmrcConfig>,
    environment: Environment,
}

impl Credentials {
    pub(super) fn new(npmrc: Vec<NpmrcConfig>, environment: Environment) -> Self {
        Self { direct: BTreeMap::new(), npmrc, environment }
    }

    /// Adds the credentials of a registry in `bunfig.toml`, unless the URL already has some.
    pub(super) fn add_bun_registry(&mut self, url: &Url, registry: &BunRegistry) {
        if let Some(credential) = self.of_bun_registry(registry) {
            self.add(url, credential);
        }
    }

    /// Adds the credentials of a registry in `bunfig.toml` for the packages of one scope. `scope` starts with `@`.
    pub(super) fn add_bun_registry_for_scope(&mut self, url: &Url, scope: &str, registry: &BunRegistry) {
        if let Some(credential) = self.of_bun_registry(registry) {
            self.add_for_scope(url, scope, credential);
        }
    }

    /// Adds a token, unless the URL already has credentials.
    pub(super) fn add_token(&mut self, url: &Url, token: &str) {
        self.add(url, Ok(Secret::bearer(token)));
    }

    /// Adds the user name and password inside a URL, if any.
    pub(super) fn add_userinfo(&mut self, url: &str) {
        if let Some((url, credential)) = Url::parse(url).ok().as_ref().and_then(of_userinfo) {
            self.add(&url, Ok(credential));
        }
    }

    /// Adds credentials for all URLs below `url`, unless it already has some.
    pub(super) fn add(&mut self, url: &Url, credential: Credential) {
        self.direct.entry(nerf_dart(url)).or_insert(credential);
    }

    /// Adds the credentials that these `.npmrc` files give without a URL, unless `url` already has some.
    pub(super) fn add_top_of_npmrc(&mut self, url: &Url, files: &[NpmrcConfig]) {
        if self.find(url).is_none()
            && let Some(credential) = self.of_npmrc("", files)
        {
            self.add(url, credential);
        }
    }

    /// Whether these `.npmrc` files give credentials without a URL.
    pub(super) fn has_top(&self, files: &[NpmrcConfig]) -> bool {
        self.of_npmrc("", files).is_some()
    }

    /// Adds credentials for the packages of one scope below `url`. `scope` starts with `@`.
    pub(super) fn add_for_scope(&mut self, url: &Url, scope: &str, credential: Credential) {
        self.direct.entry(format!("{}{scope}/", nerf_dart(url))).or_insert(credential);
    }

    /// Adds credentials for all scoped packages below `url`.
    pub(super) fn add_for_scopes(&mut self, url: &Url, credential: Credential) {
        self.direct.entry(format!("{}@", nerf_dart(url))).or_insert(credential);
    }

    /// Returns the credentials of the longest key of a URL.
    pub(super) fn find(&self, url: &Url) -> Option<Credential> {
        keys_of(url).find_map(|key| self.direct.get(&key).cloned().or_else(|| self.of_npmrc(&key, &self.npmrc)))
    }

    /// Returns the credentials in `.npmrc` files for a key, or those without a URL if `key` is empty. Reads raw values,
    /// because [`NpmrcConfig::credentials_for`] decodes a password before its variable is replaced.
    fn of_npmrc(&self, key: &str, files: &[NpmrcConfig]) -> Option<Credential> {
        files.iter().find_map(|config| {
            let separator = if key.is_empty() { "" } else { ":" };
            let value = |name: &str| config.get(&format!("{key}{separator}{name}")).map(|text| self.expanded(text));
            if let Some(token) = value("_authToken") {
                return Some(token.map(|token| Secret::bearer(&token)));
            }
            if let (Some(user), Some(password)) = (value("username"), value("_password")) {
                return user
                    .and_then(|user| Ok((user, password?)))
                    .map(|(user, password)| basic(&user, &password))
                    .transpose();
            }
            value("_auth").map(|encoded| encoded.map(|encoded| Secret::basic_encoded(&encoded)))
        })
    }

    fn of_bun_registry(&self, registry: &BunRegistry) -> Option<Credential> {
        let value =
            |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(|text| self.expanded(text));
        if let Some(token) = value(&registry.token) {
            return Some(token.map(|token| Secret::bearer(&token)));
        }
        if let (Some(user), Some(password)) = (value(&registry.username), value(&registry.password)) {
            return Some(user.and_then(|user| Ok(Secret::basic(&user, &password?))));
        }
        None
    }

    fn expanded(&self, text: &str) -> Result<String, UnsetVariable> {
        expand(text, &|name| self.environment.get(name).map(str::to_owned))
    }
}

/// Decodes `_password`, which is base64 in `.npmrc`. Ignores a value that is not.
fn basic(user: &str, encoded_password: &str) -> Option<Secret> {
    let password = BASE64.decode(encoded_password.as_bytes()).ok()?;
    Some(Secret::basic(user, std::str::from_utf8(&password).ok()?))
}

/// Returns the folder of a URL, and the user name and password inside it, if any.
pub(super) fn of_userinfo(url: &Url) -> Option<(Url, Secret)> {
    let password = url.password()?;
    let decoded = |text: &str| percent_decoded(text);
    let secret = Secret::basic(&decoded(url.username()), &decoded(password));
    let mut folder = url.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", url.path()));
    }
    Some((folder, secret))
}

/// Decodes `%xx` in the user name or password of a URL.
fn percent_decoded(text: &str) -> String {
    // Decodes it as a query value. The rules are the same, except that `+` means a space there.
    let query = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Returns the keys of a URL, the longest first, each with and without its last `/`, as npm does. If a scope follows
/// the key, the key for all scopes comes first.
pub(super) fn keys_of(url: &Url) -> impl Iterator<Item = String> {
    let mut plain = url.clone();
    // Many registries encode the `/` of a scoped name.
    plain.set_path(&url.path().replace("%2f", "/").replace("%2F", "/"));
    let folder = nerf_dart(&plain);
    let host_end = folder[2..].find('/').map_or(folder.len(), |at| at + 2);
    let ends: Vec<usize> = folder.match_indices('/').map(|(at, _)| at).filter(|at| *at >= host_end).collect();
    ends.into_iter().rev().flat_map(move |end| {
        let for_scopes = folder[end + 1..].starts_with('@').then(|| format!("{}@", &folder[..=end]));
        for_scopes.into_iter().chain([folder[..=end].to_owned(), folder[..end].to_owned()])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_from_the_longest_to_the_host() {
        let url = Url::parse("https://h.example:8443/a/b/c.tgz").unwrap();
        let keys: Vec<String> = keys_of(&url).collect();
        assert_eq!(
            keys,
            [
                "//h.example:8443/a/b/",
                "//h.example:8443/a/b",
                "//h.example:8443/a/",
                "//h.example:8443/a",
                "//h.example:8443/",
                "//h.example:8443"
            ]
        );
    }

    #[test]
    fn user_names_and_passwords_of_urls_are_decoded() {
        let (url, secret) = of_userinfo(&Url::parse("https://a%40b:p+%2Fq&r@h.example/npm").unwrap()).unwrap();
        assert_eq!(secret, Secret::basic("a@b", "p+/q&r"));
        assert_eq!(nerf_dart(&url), "//h.example/npm/");
        assert_eq!(of_userinfo(&Url::parse("https://h.example/npm").unwrap()), None);
    }
}
