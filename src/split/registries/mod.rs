//! The registries that a repository itself names: a pure function of its `.npmrc` and `bunfig.toml`.
//!
//! This is kept apart from [`crate::fetch::Registries`] because it enters `splitter.lock.json`, which must be the same on
//! every machine: no user's file, no variable and no secret may reach it. For that reason `.npmrc` is read here with
//! a few lines of our own too: `npmrc-config-rs` replaces `${VAR}` with the process's variables while it reads.
//!
//! `bunfig.toml` goes before `.npmrc`, as Bun 1.4 has it (Bun up to 1.3 had it the other way round).

mod bunfig;
mod error;

use std::collections::BTreeMap;

use camino::Utf8Path;
use npmrc_config_rs::registry::{DEFAULT_REGISTRY, extract_scope};
use url::Url;

pub(crate) use self::bunfig::{BunRegistry, Bunfig};
pub use self::error::RegistryError;
use super::SplitError;
use crate::{
    diagnostic::Position,
    repo::{RepoPath, Tree, read_text},
};

/// The names of the two files, relative to the repository.
pub(crate) const NPMRC: &str = ".npmrc";
pub(crate) const BUNFIG: &str = "bunfig.toml";

/// The registries of a repository, without credentials. Each URL ends with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRegistries {
    default: Url,
    scopes: BTreeMap<String, Url>,
    names_default: bool,
}

impl ProjectRegistries {
    /// Reads the two files of a tree.
    pub(super) fn of_tree(tree: &dyn Tree) -> Result<Self, SplitError> {
        let npmrc = read_text(tree, &RepoPath::root().child(NPMRC))?;
        let bunfig = read_text(tree, &RepoPath::root().child(BUNFIG))?;
        Ok(Self::read(npmrc.as_deref(), bunfig.as_deref())?)
    }

    /// Reads the texts of the repository's root `.npmrc` and `bunfig.toml`, each where there is one.
    pub fn read(npmrc: Option<&str>, bunfig: Option<&str>) -> Result<Self, RegistryError> {
        let bunfig = bunfig.map(|text| Bunfig::read(BUNFIG.into(), text)).transpose()?.unwrap_or_default();
        let mut registries = Self::from_npmrc(npmrc.unwrap_or_default())?;
        if let Some(url) = fixed_bun_url("install.registry", bunfig.registry.as_ref())? {
            registries.default = url;
            registries.names_default = true;
        }
        for (scope, registry) in &bunfig.scopes {
            if let Some(url) = fixed_bun_url(&format!("install.scopes.{scope}"), Some(registry))? {
                registries.scopes.insert(scope.clone(), url);
            }
        }
        Ok(registries)
    }

    fn from_npmrc(text: &str) -> Result<Self, RegistryError> {
        let mut registries = Self { default: npm_default()?, scopes: BTreeMap::new(), names_default: false };
        for entry in npmrc_entries(text) {
            if entry.key == "registry" {
                registries.default = fixed_url(NPMRC.into(), &entry)?;
                registries.names_default = true;
            } else if let Some(scope) = entry.key.strip_suffix(":registry").filter(|scope| scope.starts_with('@')) {
                registries.scopes.insert(scope.to_owned(), fixed_url(NPMRC.into(), &entry)?);
            }
        }
        Ok(registries)
    }

    /// Where packages without a registry of their scope come from.
    pub fn default_registry(&self) -> &Url {
        &self.default
    }

    /// The registries of scopes, keyed by the scope with its `@`.
    pub fn scopes(&self) -> &BTreeMap<String, Url> {
        &self.scopes
    }

    /// Where a package comes from.
    pub fn registry_for(&self, package: &str) -> &Url {
        extract_scope(package).and_then(|scope| self.scopes.get(scope)).unwrap_or(&self.default)
    }

    /// Whether the repository chose its default registry, rather than leaving npm's.
    pub(crate) fn names_default(&self) -> bool {
        self.names_default
    }
}

/// npm's own default registry.
pub(crate) fn npm_default() -> Result<Url, RegistryError> {
    registry_url("npmrc-config-rs".into(), "DEFAULT_REGISTRY", DEFAULT_REGISTRY)
}

/// Reads a registry URL: it ends with `/` and carries neither credentials nor a query.
pub(crate) fn registry_url(path: &Utf8Path, key: &str, text: &str) -> Result<Url, RegistryError> {
    let wrong = |found: String| RegistryError::Url { path: path.to_owned(), key: key.to_owned(), found };
    let mut url = Url::parse(text).map_err(|_| wrong(without_userinfo(text)))?;
    strip_credentials(&mut url);
    let holds_secret = ["_auth", "_authToken", "_password"].iter().any(|key| url.path().contains(&format!("{key}=")));
    if holds_secret || !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        url.set_path("");
        return Err(wrong(url.into()));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// Takes user name, password, query and fragment away. They cannot be set on URLs that have no host.
pub(crate) fn strip_credentials(url: &mut Url) {
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
}

/// A text that is no URL, without what stands before an `@` in it.
fn without_userinfo(text: &str) -> String {
    text.rsplit('@').next().unwrap_or_default().to_owned()
}

fn fixed_bun_url(key: &str, registry: Option<&BunRegistry>) -> Result<Option<Url>, RegistryError> {
    let Some(value) = registry.and_then(|registry| registry.url.clone()) else { return Ok(None) };
    fixed_url(BUNFIG.into(), &Entry { key: key.to_owned(), value, position: None }).map(Some)
}

fn fixed_url(path: &Utf8Path, entry: &Entry) -> Result<Url, RegistryError> {
    if entry.value.starts_with('$') || entry.value.contains("${") {
        return Err(RegistryError::Variable {
            path: path.to_owned(),
            key: entry.key.clone(),
            found: without_userinfo(&entry.value),
            position: entry.position,
        });
    }
    registry_url(path, &entry.key, &entry.value)
}

struct Entry {
    key: String,
    value: String,
    position: Option<Position>,
}

/// `key = value` lines, the later of two last, with quotes and comments taken away.
fn npmrc_entries(text: &str) -> impl Iterator<Item = Entry> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        let (key, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
        let position = Some(Position { line: index + 1, column: 1 });
        // An empty value unsets a key.
        Some(Entry { key: unquoted(key), value: unquoted(value), position }).filter(|entry| !entry.value.is_empty())
    })
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.split([';', '#']).next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Diagnose as _;

    fn read(npmrc: &str, bunfig: &str) -> Result<ProjectRegistries, RegistryError> {
        ProjectRegistries::read(Some(npmrc), Some(bunfig))
    }

    #[test]
    fn without_files_it_is_the_default_of_npm() {
        let registries = ProjectRegistries::read(None, None).unwrap();
        assert_eq!(registries.default_registry().as_str(), DEFAULT_REGISTRY);
        assert!(registries.scopes().is_empty());
    }

    #[test]
    fn bunfig_goes_before_npmrc_and_credentials_are_dropped() {
        let npmrc = "registry = https://npm.registry.example/a ; mine\n@x:registry=\"https://x.registry.example\"\n\
                     //x.registry.example/:_authToken=secret\n; @z:registry=https://no.example\n";
        let only_npmrc = read(npmrc, "").unwrap();
        assert_eq!(only_npmrc.default_registry().as_str(), "https://npm.registry.example/a/");
        let both = read(npmrc, "[install]\nregistry = \"https://us:pw@bun.registry.example\"\n").unwrap();
        assert_eq!(both.default_registry().as_str(), "https://bun.registry.example/");
        assert_eq!(both.registry_for("@x/y").as_str(), "https://x.registry.example/");
        assert_eq!(both.registry_for("@z/y"), both.default_registry());
        assert!(!format!("{both:?}").contains("secret") && !format!("{both:?}").contains("pw"));
    }

    #[test]
    fn a_variable_in_a_url_is_an_error_that_says_so() {
        let error = read("a=b\n@x:registry=https://${HOST}/\n", "").unwrap_err();
        assert_eq!(error.location().unwrap().to_string(), ".npmrc:2:1");
        assert!(error.to_string().contains("`https://${HOST}/`") && !error.hints().is_empty(), "{error}");
        assert!(matches!(read("", "[install]\nregistry=\"$R\"\n"), Err(RegistryError::Variable { .. })));
        assert!(
            read("//h.example/:_authToken=${T}\n", "[install]\nregistry={url=\"https://a.example\",token=\"$T\"}\n")
                .is_ok()
        );
    }

    #[test]
    fn what_is_no_registry_is_refused_without_its_secret() {
        for text in ["ftp://a.example/", "hello", "us:pw@x", "https://a.example/:_authToken=pw", "data:,x"] {
            let error = read(&format!("registry={text}\n"), "").unwrap_err();
            assert!(matches!(error, RegistryError::Url { .. }) && !error.to_string().contains("pw"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(npmrc in "\\PC{0,60}", bunfig in "\\PC{0,60}") {
            let _ = read(&format!("registry={npmrc}"), &bunfig);
        }
    }
}
