//! The settings of a `.yarnrc.yml` that name registries and credentials.
//!
//! The repository's file and the user's file are read alike. Variables stay as written. Format:
//! <https://yarnpkg.com/configuration/yarnrc#npmRegistryServer>.

use std::{collections::BTreeMap, fmt};

use camino::Utf8Path;

use super::{
    YarnRcError,
    yaml::{self, Mapping, Node, Value},
};
use crate::diagnostic::Position;

/// The registries and credentials in a file. It may hold secrets, so [`fmt::Debug`] shows nothing of it.
#[derive(Clone, Default)]
pub(crate) struct NpmSettings {
    /// `npmRegistryServer`.
    pub(crate) server: Option<Setting>,
    /// The top-level credentials.
    pub(crate) auth: NpmAuth,
    /// `npmScopes`. The keys include the `@`.
    pub(crate) scopes: BTreeMap<String, NpmScope>,
    /// `npmRegistries`. The keys are URLs as written, with or without a scheme, without a final `/`.
    pub(crate) registries: BTreeMap<String, NpmAuth>,
    /// Top-level proxies and certificates.
    pub(crate) network: NetworkSettings,
    /// `networkSettings`: proxies and certificates for hosts that match a pattern.
    pub(crate) hosts: BTreeMap<String, NetworkSettings>,
    /// `injectEnvironmentFiles`.
    pub(crate) environment_files: Option<Vec<String>>,
}

/// A string and the position of its key.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) text: String,
    pub(crate) position: Position,
}

/// The settings of a scope.
#[derive(Clone, Default)]
pub(crate) struct NpmScope {
    /// Its `npmRegistryServer`.
    pub(crate) server: Option<Setting>,
    /// Its credentials.
    pub(crate) auth: NpmAuth,
}

/// Proxies and certificates as written.
#[derive(Clone, Default)]
pub(crate) struct NetworkSettings {
    /// `httpProxy`.
    pub(crate) http_proxy: Option<String>,
    /// `httpsProxy`.
    pub(crate) https_proxy: Option<String>,
    /// `httpsCaFilePath`, or `caFilePath` in Yarn 2 and 3.
    pub(crate) ca_file: Option<String>,
    /// `httpsCertFilePath`.
    pub(crate) cert_file: Option<String>,
    /// `httpsKeyFilePath`.
    pub(crate) key_file: Option<String>,
}

/// Credentials as written.
#[derive(Clone, Default)]
pub(crate) struct NpmAuth {
    /// `npmAuthToken`.
    pub(crate) token: Option<Setting>,
    /// `npmAuthIdent`: `user:password`, or the same in base64.
    pub(crate) ident: Option<Setting>,
    /// `npmAlwaysAuth`.
    pub(crate) always: Option<String>,
}

impl fmt::Debug for NpmSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NpmSettings(***)")
    }
}

impl NpmSettings {
    /// Reads the text of the `.yarnrc.yml` at `path`.
    pub(crate) fn read(path: &Utf8Path, text: &str) -> Result<Self, YarnRcError> {
        Self::of(Settings { path, prefix: "", fields: &yaml::read(path, text)? })
    }

    pub(in crate::managers) fn of(settings: Settings<'_>) -> Result<Self, YarnRcError> {
        let mut npm = Self {
            server: settings.setting("npmRegistryServer")?,
            auth: NpmAuth::of(&settings)?,
            network: NetworkSettings::of(&settings)?,
            environment_files: settings.texts("injectEnvironmentFiles")?,
            ..Self::default()
        };
        for (scope, fields) in settings.mappings("npmScopes")? {
            let prefix = format!("npmScopes.{scope}.");
            let settings = Settings { path: settings.path, prefix: &prefix, fields };
            let found = NpmScope { server: settings.setting("npmRegistryServer")?, auth: NpmAuth::of(&settings)? };
            npm.scopes.insert(format!("@{scope}"), found);
        }
        for (registry, fields) in settings.mappings("npmRegistries")? {
            let settings = Settings { path: settings.path, prefix: "npmRegistries.", fields };
            let key = registry.strip_suffix('/').unwrap_or(registry).to_owned();
            npm.registries.insert(key, NpmAuth::of(&settings)?);
        }
        for (pattern, fields) in settings.mappings("networkSettings")? {
            let settings = Settings { path: settings.path, prefix: "networkSettings.", fields };
            npm.hosts.insert(pattern.to_owned(), NetworkSettings::of(&settings)?);
        }
        Ok(npm)
    }
}

impl NetworkSettings {
    fn of(settings: &Settings<'_>) -> Result<Self, YarnRcError> {
        Ok(Self {
            http_proxy: settings.text("httpProxy")?,
            https_proxy: settings.text("httpsProxy")?,
            ca_file: settings.text("httpsCaFilePath")?.or(settings.text("caFilePath")?),
            cert_file: settings.text("httpsCertFilePath")?,
            key_file: settings.text("httpsKeyFilePath")?,
        })
    }
}

impl NpmAuth {
    fn of(settings: &Settings<'_>) -> Result<Self, YarnRcError> {
        Ok(Self {
            token: settings.setting("npmAuthToken")?,
            ident: settings.setting("npmAuthIdent")?,
            always: settings.text("npmAlwaysAuth")?,
        })
    }
}

/// A mapping of settings. Messages put `prefix` before its keys.
#[derive(Clone, Copy)]
pub(in crate::managers) struct Settings<'a> {
    pub(in crate::managers) path: &'a Utf8Path,
    pub(in crate::managers) prefix: &'a str,
    pub(in crate::managers) fields: &'a Mapping,
}

impl<'a> Settings<'a> {
    pub(in crate::managers) fn node(&self, key: &str) -> Option<&'a Node> {
        self.fields.get(key).filter(|node| node.value != Value::Null)
    }

    /// Returns a string with its position.
    pub(in crate::managers) fn setting(&self, key: &str) -> Result<Option<Setting>, YarnRcError> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match &node.value {
            Value::Text(text) => Ok(Some(Setting { text: text.clone(), position: node.position })),
            _ => Err(self.wrong_kind(key, node, "a string")),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, YarnRcError> {
        Ok(self.setting(key)?.map(|setting| setting.text))
    }

    /// Returns the strings of a list.
    fn texts(&self, key: &str) -> Result<Option<Vec<String>>, YarnRcError> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let Value::List(items) = &node.value else { return Err(self.wrong_kind(key, node, "a list")) };
        let text = |item: &Node| match &item.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.wrong_kind(key, item, "a string")),
        };
        items.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Returns the mappings nested in a mapping.
    fn mappings(&self, key: &str) -> Result<Vec<(&'a str, &'a Mapping)>, YarnRcError> {
        let Some(node) = self.node(key) else { return Ok(Vec::new()) };
        let Value::Mapping(fields) = &node.value else { return Err(self.wrong_kind(key, node, "a mapping")) };
        let mut mappings = Vec::new();
        for (name, node) in fields {
            match &node.value {
                Value::Mapping(fields) => mappings.push((name.as_str(), fields)),
                Value::Null => {}
                _ => return Err(self.wrong_kind(&format!("{key}.{name}"), node, "a mapping")),
            }
        }
        Ok(mappings)
    }

    pub(in crate::managers) fn wrong_kind(&self, key: &str, node: &Node, expected: &'static str) -> YarnRcError {
        YarnRcError::Kind {
            path: self.path.to_owned(),
            position: node.position,
            key: format!("{}{key}", self.prefix),
            expected,
            found: node.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnose as _;

    fn read(text: &str) -> Result<NpmSettings, YarnRcError> {
        NpmSettings::read(Utf8Path::new("~/.yarnrc.yml"), text)
    }

    #[test]
    fn registries_and_credentials_stand_at_three_places() {
        let npm = read(
            "npmRegistryServer: https://r.example\nnpmAlwaysAuth: true\nnpmScopes:\n  a:\n    npmRegistryServer: ${A}\n    npmAuthIdent: us:pw\n  b:\n\
             npmRegistries:\n  //r.example/:\n    npmAuthToken: ${T-}\n  'https://q.example/npm/':\n    npmAuthToken: q\n",
        )
        .unwrap();
        assert_eq!(npm.server.as_ref().unwrap().text, "https://r.example");
        assert_eq!(npm.auth.always.as_deref(), Some("true"));
        assert_eq!(npm.scopes["@a"].server.as_ref().unwrap().text, "${A}");
        assert_eq!(npm.scopes["@a"].auth.ident.as_ref().unwrap().text, "us:pw");
        assert_eq!(npm.registries["//r.example"].token.as_ref().unwrap().text, "${T-}");
        assert_eq!(npm.registries["https://q.example/npm"].token.as_ref().unwrap().text, "q");
        assert!(!format!("{npm:?}").contains("pw"));
    }

    #[test]
    fn a_setting_of_another_kind_is_refused_with_its_place_and_not_quoted() {
        let error = read("npmScopes:\n  a:\n    npmAuthToken: [s3cret]\n").unwrap_err();
        assert_eq!(error.to_string(), "`npmScopes.a.npmAuthToken` is a list; expected a string");
        assert_eq!(error.location().unwrap().to_string(), "~/.yarnrc.yml:3:5");
        for text in [
            "npmScopes: [s3cret]\n",
            "npmScopes:\n  a: s3cret\n",
            "npmAuthToken: *s3cret\n",
            "npmAuthToken: \"s3cret\n",
            "s3cret\n",
        ] {
            let error = read(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }
}
