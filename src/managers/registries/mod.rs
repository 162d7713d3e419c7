//! The registries that a repository names: a pure function of its rc files.
//!
//! They enter `splitter.lock.json`, which must be the same on every machine: no user's file, no variable and no secret
//! may reach it. [`crate::fetch::Registries`] is separate for that reason. It is also why this module reads `.npmrc`
//! itself: `npmrc-config-rs` replaces `${VAR}` with variables of the process while it reads.
//!
//! The package manager decides which files count. Bun 1.4 prefers `bunfig.toml` to `.npmrc`; Bun up to 1.3 did the
//! opposite. Yarn 1 prefers `.npmrc` to `.yarnrc` (tested with the real one). Later Yarns read only `.yarnrc.yml`.

mod error;
mod of_lockfile;
mod replaced;

use std::collections::BTreeMap;

use camino::Utf8Path;
use npmrc_config_rs::registry::{DEFAULT_REGISTRY, extract_scope};
use url::Url;

pub use self::error::RegistryError;
pub(crate) use self::replaced::{REPLACE_REGISTRY_HOST, ReplaceHost, is_npms, is_yarns};
use super::{ManagerError, ManagerName, yarn::rc::Setting};
use crate::{diagnostic::Position, lockfile::Format, names::NPMRC, repo::Tree, secrets::masked};

/// The registries of a repository, without credentials. Each URL ends with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRegistries {
    pub(super) default: Url,
    pub(super) scopes: BTreeMap<String, Url>,
    pub(super) names_default: bool,
    pub(super) replace_host: ReplaceHost,
}

impl ProjectRegistries {
    /// Reads the rc files of the package manager that `format` belongs to.
    pub(crate) fn of_tree(tree: &dyn Tree, format: Format) -> Result<Self, ManagerError> {
        ManagerName::from(format).manager().registries(tree)
    }

    /// Reads a `.npmrc`.
    pub(crate) fn from_npmrc(text: &str) -> Result<Self, RegistryError> {
        let mut registries = Self {
            default: npm_default()?,
            scopes: BTreeMap::new(),
            names_default: false,
            replace_host: ReplaceHost::default(),
        };
        for entry in npmrc_entries(text) {
            if entry.key == "registry" {
                registries.default = fixed_url(NPMRC.into(), &entry)?;
                registries.names_default = true;
            } else if let Some(scope) = entry.key.strip_suffix(":registry").filter(|scope| scope.starts_with('@')) {
                registries.scopes.insert(scope.to_owned(), fixed_url(NPMRC.into(), &entry)?);
            } else if entry.key == REPLACE_REGISTRY_HOST {
                registries.replace_host = ReplaceHost::parse(&entry.value);
            }
        }
        Ok(registries)
    }

    /// Returns the registry of packages whose scope has no registry.
    pub fn default_registry(&self) -> &Url {
        &self.default
    }

    /// Returns the registries of scopes. The keys include the `@`.
    pub fn scopes(&self) -> &BTreeMap<String, Url> {
        &self.scopes
    }

    /// Returns the registry of a package.
    pub fn registry_for(&self, package: &str) -> &Url {
        extract_scope(package).and_then(|scope| self.scopes.get(scope)).unwrap_or(&self.default)
    }

    /// Returns the hosts in the lockfile whose URLs are replaced by these registries.
    pub(crate) fn replace_host(&self) -> &ReplaceHost {
        &self.replace_host
    }

    /// Whether the rc files name the default registry. If so, a user's own default does not replace it.
    pub(crate) fn names_default(&self) -> bool {
        self.names_default
    }
}

/// Returns npm's default registry.
pub(crate) fn npm_default() -> Result<Url, RegistryError> {
    registry_url("npmrc-config-rs".into(), "DEFAULT_REGISTRY", DEFAULT_REGISTRY)
}

/// Reads a registry URL. The result ends with `/` and has neither credentials nor a query.
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

/// Returns a URL that is safe to show: without user name, password and query (which may hold a signature).
pub(crate) fn without_secrets(url: &Url) -> Url {
    let mut url = url.clone();
    strip_credentials(&mut url);
    url
}

/// Removes user name, password, query and fragment. URLs without a host cannot have the first two.
pub(crate) fn strip_credentials(url: &mut Url) {
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
}

/// Removes everything before an `@`, and tokens, from a text that is not a URL.
fn without_userinfo(text: &str) -> String {
    masked(text.rsplit('@').next().unwrap_or_default())
}

pub(super) fn fixed_url(path: &Utf8Path, entry: &RcEntry) -> Result<Url, RegistryError> {
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

/// A line of a `.npmrc`, or a setting of another file.
pub(crate) struct RcEntry {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) position: Option<Position>,
}

impl RcEntry {
    pub(super) fn of(key: String, setting: &Setting) -> Self {
        Self { key, value: setting.text.clone(), position: Some(setting.position) }
    }
}

/// Returns the `key = value` lines in their order, without quotes and comments. Of two with one key, the later counts.
pub(crate) fn npmrc_entries(text: &str) -> impl Iterator<Item = RcEntry> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        let (key, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
        let position = Some(Position { line: index + 1, column: 1 });
        // An empty value unsets a key.
        Some(RcEntry { key: unquoted(key), value: unquoted(value), position }).filter(|entry| !entry.value.is_empty())
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
    use crate::{
        diagnostic::Diagnose as _,
        names::{YARNRC, YARNRC_YML},
        repo::MemoryTree,
    };

    fn read(npmrc: &str, bunfig: &str) -> Result<ProjectRegistries, RegistryError> {
        ProjectRegistries::of_bun(Some(npmrc), Some(bunfig))
    }

    #[test]
    fn without_files_it_is_the_default_of_npm() {
        let registries = ProjectRegistries::of_bun(None, None).unwrap();
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

    fn of_files(format: Format, files: &[(&str, &str)]) -> Result<ProjectRegistries, ManagerError> {
        ProjectRegistries::of_tree(&MemoryTree::new(files.iter().copied()), format)
    }

    const RC_FILES: [(&str, &str); 3] = [
        (NPMRC, "registry=https://npmrc.example\n@a:registry=https://a.npmrc.example\n"),
        (
            YARNRC,
            "registry \"https://yarnrc.example\"\n\"@a:registry\" \"https://a.yarnrc.example\"\n\"@b:registry\" \"https://us:pw@b.yarnrc.example\"\n",
        ),
        (
            YARNRC_YML,
            "npmRegistryServer: https://berry.example\nnpmAuthToken: ${T}\nnpmScopes: {a: {npmRegistryServer: 'https://a.berry.example/npm'}, b: {npmAuthToken: secret}}\n",
        ),
    ];

    #[test]
    fn each_yarn_reads_files_of_its_own() {
        let classic = of_files(Format::YarnClassic, &RC_FILES).unwrap();
        assert_eq!(classic.default_registry().as_str(), "https://npmrc.example/");
        assert_eq!(classic.registry_for("@a/x").as_str(), "https://a.npmrc.example/");
        assert_eq!(classic.registry_for("@b/x").as_str(), "https://b.yarnrc.example/");
        let classic = of_files(Format::YarnClassic, &RC_FILES[1..]).unwrap();
        assert!(classic.names_default() && classic.default_registry().as_str() == "https://yarnrc.example/");
        let berry = of_files(Format::YarnBerry(8), &RC_FILES).unwrap();
        assert_eq!(berry.default_registry().as_str(), "https://berry.example/");
        assert_eq!(berry.registry_for("@a/x").as_str(), "https://a.berry.example/npm/");
        assert_eq!(berry.registry_for("@b/x").as_str(), DEFAULT_REGISTRY);
        assert_eq!(berry.registry_for("@c/x").as_str(), "https://berry.example/");
        assert_eq!(
            of_files(Format::YarnBerry(8), &RC_FILES[..2]).unwrap().default_registry().as_str(),
            DEFAULT_REGISTRY
        );
    }

    #[test]
    fn a_variable_in_a_url_of_a_yarn_file_is_an_error_even_with_a_default() {
        for (format, file, text, place) in [
            (
                Format::YarnBerry(8),
                YARNRC_YML,
                "a: b\nnpmRegistryServer: https://${H:-h.example}/\n",
                ".yarnrc.yml:2:1",
            ),
            (Format::YarnBerry(8), YARNRC_YML, "npmScopes:\n  a:\n    npmRegistryServer: ${R}\n", ".yarnrc.yml:3:5"),
            (Format::YarnClassic, YARNRC, "registry \"https://${H}/\"\n", ".yarnrc:1:1"),
        ] {
            let error = of_files(format, &[(file, text)]).unwrap_err();
            assert!(matches!(&error, ManagerError::Registries(RegistryError::Variable { .. })), "{error}");
            assert_eq!(error.location().unwrap().to_string(), place);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(npmrc in "\\PC{0,60}", bunfig in "\\PC{0,60}") {
            let _ = read(&format!("registry={npmrc}"), &bunfig);
        }
    }
}
