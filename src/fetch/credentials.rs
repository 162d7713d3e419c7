//! Which credentials belong to which URL.
//!
//! npm keys credentials by a "nerf dart": the URL without its scheme, cut at a `/`, such as `//host:port/path/`. A URL
//! gets those of the longest key that it lies under, so that a token reaches neither another host nor another path.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use npmrc_config_rs::{NpmrcConfig, nerf_dart};
use url::Url;

use super::{
    environment::{Environment, UnsetVariable, expand},
    secret::Secret,
};
use crate::managers::bun::bunfig::BunRegistry;

/// Credentials, or the variable that would have held them.
pub(super) type Credential = Result<Secret, UnsetVariable>;

/// Whether a request carries credentials, for the hint of an answer 401 or 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It carries those that are configured.
    Credentials,
    /// Some are configured, and the variable that they name is not set.
    Unset(String),
    /// None are configured.
    Anonymous,
}

/// All credentials of a run. It has no `Debug`, as the `.npmrc` values hold secrets.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    /// Those of `bunfig.toml`, of URLs and of variables, by nerf dart; they go before those of `.npmrc`.
    direct: BTreeMap<String, Credential>,
    /// The `.npmrc` files, the strongest first.
    npmrc: Vec<NpmrcConfig>,
    environment: Environment,
}

impl Credentials {
    pub(super) fn new(npmrc: Vec<NpmrcConfig>, environment: Environment) -> Self {
        Self { direct: BTreeMap::new(), npmrc, environment }
    }

    /// Adds what a registry of a `bunfig.toml` carries, unless a stronger file gave some for the same URL.
    pub(super) fn add_bun_registry(&mut self, url: &Url, registry: &BunRegistry) {
        if let Some(credential) = self.of_bun_registry(registry) {
            self.add(url, credential);
        }
    }

    /// The same for the packages of one scope alone; the scope has its `@`.
    pub(super) fn add_bun_registry_for_scope(&mut self, url: &Url, scope: &str, registry: &BunRegistry) {
        if let Some(credential) = self.of_bun_registry(registry) {
            self.add_for_scope(url, scope, credential);
        }
    }

    /// Adds a token, unless there is something for this URL.
    pub(super) fn add_token(&mut self, url: &Url, token: &str) {
        self.add(url, Ok(Secret::bearer(token)));
    }

    /// Adds the user name and password that a URL carries, where it does.
    pub(super) fn add_userinfo(&mut self, url: &str) {
        if let Some((url, credential)) = Url::parse(url).ok().as_ref().and_then(of_userinfo) {
            self.add(&url, Ok(credential));
        }
    }

    /// Adds credentials for what lies below a URL, unless there are some.
    pub(super) fn add(&mut self, url: &Url, credential: Credential) {
        self.direct.entry(nerf_dart(url)).or_insert(credential);
    }

    /// Adds what `.npmrc` files say without a URL, for what lies below `url`, unless there is something.
    pub(super) fn add_top_of_npmrc(&mut self, url: &Url) {
        if self.find(url).is_none()
            && let Some(credential) = self.of_npmrc("")
        {
            self.add(url, credential);
        }
    }

    /// The same for the packages of one scope alone; the scope has its `@`.
    pub(super) fn add_for_scope(&mut self, url: &Url, scope: &str, credential: Credential) {
        self.direct.entry(format!("{}{scope}/", nerf_dart(url))).or_insert(credential);
    }

    /// The same for the packages of all scopes.
    pub(super) fn add_for_scopes(&mut self, url: &Url, credential: Credential) {
        self.direct.entry(format!("{}@", nerf_dart(url))).or_insert(credential);
    }

    /// The credentials for a URL, by the longest key that it lies under.
    pub(super) fn find(&self, url: &Url) -> Option<Credential> {
        keys_of(url).find_map(|key| self.direct.get(&key).cloned().or_else(|| self.of_npmrc(&key)))
    }

    /// What `.npmrc` files hold for a key, or without one for an empty key. Values are taken raw, as [`NpmrcConfig::credentials_for`] would decode a
    /// password before its variable is replaced.
    fn of_npmrc(&self, key: &str) -> Option<Credential> {
        self.npmrc.iter().find_map(|config| {
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

/// `_password` is base64 in `.npmrc`; what is not is no credential.
fn basic(user: &str, encoded_password: &str) -> Option<Secret> {
    let password = BASE64.decode(encoded_password.as_bytes()).ok()?;
    Some(Secret::basic(user, std::str::from_utf8(&password).ok()?))
}

/// The folder of a URL, and the user name and password that it carries, if any.
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

/// Undoes the `%xx` of a URL's user name or password.
fn percent_decoded(text: &str) -> String {
    // A query value is decoded by the same rules, but for `+`, which stands for a space there.
    let query = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The keys that a URL lies under, the longest first, each with and without its last `/`, as npm looks them up. Where a
/// scope follows, the key that is for all scopes goes before.
pub(super) fn keys_of(url: &Url) -> impl Iterator<Item = String> {
    let mut plain = url.clone();
    // The `/` of a scoped name is often written so.
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
