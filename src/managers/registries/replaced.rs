//! URLs in a lockfile that mean "the configured registry": npm's `replace-registry-host`.
//!
//! A lockfile written with npm's own registry also works with a company's registry: the installer asks that registry
//! for each tarball, at the usual place. npm does this for its own host by default. Yarn's host is another name of the
//! same registry. The lockfile's hashes check the bytes, so the choice of server is safe.

use url::{Host, Url};

use super::{ProjectRegistries, npm_default};

/// The key in a `.npmrc`.
pub(crate) const REPLACE_REGISTRY_HOST: &str = "replace-registry-host";

/// The domain of Yarn. Its name for npm's registry is a subdomain.
const YARN_DOMAIN: &str = "yarnpkg.com";

/// The hosts in a lockfile that the configured registry replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ReplaceHost {
    /// `npmjs`: the host of npm's own registry.
    #[default]
    Npm,
    /// `never`: none.
    Never,
    /// `always`: all.
    Always,
    /// This host.
    Host(String),
}

impl ReplaceHost {
    /// Reads the value of `replace-registry-host`.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "" | "npmjs" => Self::Npm,
            "never" => Self::Never,
            "always" => Self::Always,
            host => Self::Host(host.to_ascii_lowercase()),
        }
    }

    /// Returns the registry in the URL of a package's tarball, if `registry` replaces it.
    pub(crate) fn replaced(&self, url: &Url, package: &str, registry: &Url) -> Option<Url> {
        let counts = match self {
            Self::Never => false,
            Self::Always => true,
            Self::Npm => is_npms(url) && !is_npms(registry),
            Self::Host(host) => url.host_str() == Some(host),
        };
        if !counts {
            return None;
        }
        registry_of(url, package).filter(|named| named != registry)
    }
}

impl ProjectRegistries {
    /// Returns the registry in a tarball's URL, if the repository's own registry replaces it.
    pub(crate) fn replaced(&self, url: &Url, package: &str) -> Option<Url> {
        self.replace_host.replaced(url, package, self.registry_for(package))
    }
}

/// Whether a URL belongs to npm's own registry, under npm's or Yarn's name.
pub(crate) fn is_npms(url: &Url) -> bool {
    is_yarns(url) || npm_default().is_ok_and(|npm| npm.host() == url.host())
}

/// Whether a URL belongs to npm's registry under Yarn's name.
pub(crate) fn is_yarns(url: &Url) -> bool {
    let Some(Host::Domain(name)) = url.host() else { return false };
    name.strip_suffix(YARN_DOMAIN).is_some_and(|rest| rest.ends_with('.'))
}

/// Returns the registry of a tarball at the usual place, `<registry><name>/-/<file>`.
pub(super) fn registry_of(url: &Url, name: &str) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || !url.username().is_empty() {
        return None;
    }
    let (folder, file) = url.path().rsplit_once("/-/")?;
    let names = [name.to_owned(), name.replace('/', "%2f"), name.replace('/', "%2F")];
    let path = names.iter().find_map(|name| folder.strip_suffix(name.as_str()))?;
    let mut registry = url.clone();
    registry.set_path(Some(path).filter(|path| path.ends_with('/') && !file.contains('/'))?);
    registry.set_fragment(None);
    Some(registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn replaced(choice: &str, url: &Url, registry: &str) -> Option<String> {
        let registry = Url::parse(registry).unwrap();
        ReplaceHost::parse(choice).replaced(url, "@s/a", &registry).map(String::from)
    }

    #[test]
    fn npms_host_stands_for_the_registry_unless_it_is_told_otherwise() {
        let npm = npm_default().unwrap();
        let tarball = npm.join("@s/a/-/a-1.0.0.tgz").unwrap();
        let company = "https://npm.company.example/npm/";
        assert_eq!(replaced("npmjs", &tarball, company), Some(npm.to_string()));
        assert_eq!(replaced("", &tarball, npm.as_str()), None);
        assert_eq!(replaced("never", &tarball, company), None);
        let yarn = url("https://r.yarnpkg.com/@s%2fa/-/a-1.0.0.tgz");
        assert_eq!(replaced("npmjs", &yarn, company).as_deref(), Some("https://r.yarnpkg.com/"));
        assert_eq!(replaced("npmjs", &yarn, npm.as_str()), None, "it is the same registry");
        assert!(!is_npms(&url("https://notyarnpkg.com/")) && !is_npms(&url("https://yarnpkg.com.evil.example/")));
    }

    #[test]
    fn another_host_does_where_it_is_named() {
        let old = url("https://old.example:8443/npm/@s/a/-/a-1.0.0.tgz#0123");
        for (choice, expected) in [
            ("npmjs", None),
            ("Old.example", Some("https://old.example:8443/npm/")),
            ("always", Some("https://old.example:8443/npm/")),
            ("new.example", None),
        ] {
            assert_eq!(replaced(choice, &old, "https://new.example/").as_deref(), expected, "{choice}");
        }
        for text in
            ["https://old.example/b/-/a-1.0.0.tgz", "https://old.example/a.tgz", "https://old.example/@s/a/-/a.tgz?x"]
        {
            assert_eq!(replaced("always", &url(text), "https://new.example/"), None, "{text}");
        }
    }
}
