//! The `[install]` section of Bun's `bunfig.toml`: registries, and the settings that an install reads.
//!
//! Format: <https://bun.com/docs/runtime/bunfig#install-registry>. A registry is a URL, or a table of `url`, `token`,
//! `username` and `password`. Scopes may be written with or without their `@`.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use toml::{Table, Value};

use crate::{
    diagnostic::Position,
    managers::{ManagerError, installer_fields::INSTALLER_FIELDS, registries::RegistryError},
    names::BUNFIG,
};

/// The registries and certificates of a `bunfig.toml`, with variables as written.
#[derive(Clone, Default)]
pub(crate) struct Bunfig {
    /// `install.registry`.
    pub(crate) registry: Option<BunRegistry>,
    /// `install.scopes`. The keys include the `@`.
    pub(crate) scopes: BTreeMap<String, BunRegistry>,
    /// `install.cafile`.
    pub(crate) cafile: Option<String>,
    /// `install.ca`: certificates in PEM.
    pub(crate) authorities: Vec<String>,
}

/// One registry as written. It may hold secrets, so it has no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct BunRegistry {
    pub(crate) url: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
}

impl Bunfig {
    /// Reads the text of the file at `path`.
    pub(crate) fn read(path: &Utf8Path, text: &str) -> Result<Self, RegistryError> {
        let table: Table = toml::from_str(text).map_err(|error| RegistryError::Toml {
            path: path.to_owned(),
            position: error.span().map(|span| Position::of_offset(text, span.start)),
            // The long form of the message quotes the file, which may hold a token.
            message: error.message().to_owned(),
        })?;
        let Some(install) = table.get("install").and_then(Value::as_table) else { return Ok(Self::default()) };
        let registry = install.get("registry").map(|value| registry(path, "install.registry", value)).transpose()?;
        let cafile = install.get("cafile").and_then(Value::as_str).map(str::to_owned);
        let authorities = match install.get("ca") {
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        };
        Ok(Self { registry, scopes: scopes(path, install)?, cafile, authorities })
    }
}

fn scopes(path: &Utf8Path, install: &Table) -> Result<BTreeMap<String, BunRegistry>, RegistryError> {
    let entries = install.get("scopes").and_then(Value::as_table).into_iter().flatten();
    entries
        .map(|(name, value)| {
            let scope = format!("@{}", name.trim_start_matches('@'));
            Ok((scope, registry(path, &format!("install.scopes.{name}"), value)?))
        })
        .collect()
}

fn registry(path: &Utf8Path, key: &str, value: &Value) -> Result<BunRegistry, RegistryError> {
    match value {
        Value::String(url) => Ok(BunRegistry { url: Some(url.clone()), ..BunRegistry::default() }),
        Value::Table(table) => {
            let text = |name| table.get(name).and_then(Value::as_str).map(str::to_owned);
            Ok(BunRegistry {
                url: text("url"),
                token: text("token"),
                username: text("username"),
                password: text("password"),
            })
        }
        other => {
            Err(RegistryError::NotARegistry { path: path.to_owned(), key: key.to_owned(), found: other.type_str() })
        }
    }
}

/// Returns the settings in a `bunfig.toml` that an install reads.
pub(super) fn kept(text: &str) -> Result<String, ManagerError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| ManagerError::RcFile {
        file: BUNFIG,
        position: error.span().map(|span| Position::of_offset(text, span.start)),
        reason: error.message().to_owned(),
    })?;
    let install = table.get("install").and_then(toml::Value::as_table);
    let kept: toml::Table = install
        .into_iter()
        .flatten()
        .filter(|(key, _)| INSTALLER_FIELDS.bunfig.iter().any(|kept| kept == *key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Ok(kept.to_string())
}

/// Returns the keys of `[install]` that decide an install.
pub(super) fn deciding_keys(text: &str) -> BTreeSet<String> {
    let kept: toml::Table = kept(text).ok().and_then(|kept| kept.parse().ok()).unwrap_or_default();
    kept.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_text_or_a_table() {
        let text = "[install]\nregistry = \"https://a.example\"\n[install.scopes]\nx = {url = \"https://x.example\", \
                    token = \"$T\"}\n\"@y\" = \"https://y.example\"\n";
        let bunfig = Bunfig::read(Utf8Path::new("bunfig.toml"), text).ok().unwrap();
        assert_eq!(bunfig.registry.unwrap().url.as_deref(), Some("https://a.example"));
        assert_eq!(bunfig.scopes["@x"].token.as_deref(), Some("$T"));
        assert_eq!(bunfig.scopes["@y"].url.as_deref(), Some("https://y.example"));
    }

    #[test]
    fn a_syntax_error_names_its_line_and_quotes_nothing() {
        let error = Bunfig::read(Utf8Path::new("bunfig.toml"), "[install]\ntoken = \"s3cret\n").err().unwrap();
        assert!(matches!(&error, RegistryError::Toml { position: Some(at), .. } if at.line == 2), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        assert!(Bunfig::read(Utf8Path::new("b"), "[install]\nregistry = 3\n").is_err());
    }

    #[test]
    fn only_what_decides_an_install_is_kept() {
        let text = "[test]\na = 1\n[install]\nlinker = \"isolated\"\nregistry = \"https://r.example\"\n[install.scopes]\nx = \"y\"\n";
        assert_eq!(kept(text).unwrap(), "linker = \"isolated\"\n");
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_place() {
        let error = kept("[install]\nlinker = \n").unwrap_err();
        assert!(crate::diagnostic::Diagnose::location(&error).unwrap().to_string().starts_with("bunfig.toml:2:"));
    }
}
