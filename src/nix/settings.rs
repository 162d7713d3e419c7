//! The settings that an installed Nix knows, and what it says of them.
//!
//! `nix config show --json` lists every setting of this version, so no table of ours can be wrong about it. What is wrong in a
//! configuration comes as lines on stderr.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Which program calls itself `nix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// The one of the Nix project.
    Nix,
    /// Determinate Nix.
    Determinate,
    /// Lix.
    Lix,
}

impl Flavour {
    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nix => "Nix",
            Self::Determinate => "Determinate Nix",
            Self::Lix => "Lix",
        }
    }
}

/// The version of a `nix`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Version {
    /// Which program it is.
    pub flavour: Flavour,
    /// The version of Nix that it is like, such as `(2, 34)`.
    pub number: (u32, u32),
    /// The whole version, such as `2.34.8`. Determinate Nix has one of its own before it: `3.15.2, 2.33.1`.
    pub text: String,
}

impl Version {
    /// Reads the output of `nix --version`: `nix (Nix) 2.34.8`, `nix (Lix, like Nix) 2.93.0`,
    /// `nix (Determinate Nix 3.15.2) 2.33.1`.
    pub fn parse(printed: &str) -> Option<Self> {
        let line = printed.trim().lines().next()?.strip_prefix("nix (")?;
        let (name, number) = line.split_once(')')?;
        let number = number.trim();
        let mut parts = number.split(['.', '-', '+', 'p']).map(|part| part.parse().ok());
        let parsed = (parts.next()??, parts.next().flatten().unwrap_or_default());
        let (flavour, own) = match name.strip_prefix("Determinate Nix") {
            Some(own) => (Flavour::Determinate, own.trim()),
            None if name.starts_with("Lix") => (Flavour::Lix, ""),
            None => (Flavour::Nix, ""),
        };
        let text = if own.is_empty() { number.to_owned() } else { format!("{own}, {number}") };
        Some(Self { flavour, number: parsed, text })
    }
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// What is set.
    pub value: Value,
    /// What holds if nothing is set.
    #[serde(default)]
    pub default_value: Value,
    /// Its description in Markdown.
    #[serde(default)]
    pub description: String,
    /// Its other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The experimental feature that it needs.
    #[serde(default)]
    pub experimental_feature: Option<String>,
}

impl Setting {
    /// Whether the value differs from the default.
    pub fn is_changed(&self) -> bool {
        self.value != self.default_value
    }

    /// Returns the value as in `nix.conf`.
    pub fn text(&self) -> String {
        text_of(&self.value)
    }
}

/// Returns a value as in `nix.conf`. Lists are words, and sets are `name=value`.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let words = fields.iter().map(|(name, value)| format!("{name}={}", text_of(value)));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

/// All settings of an installed Nix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    by_name: BTreeMap<String, Setting>,
}

impl Settings {
    /// Reads the JSON of `nix config show --json`. Entries that are no settings are left out.
    pub fn of(shown: &Value) -> Self {
        let entries = shown.as_object().into_iter().flatten();
        let settings = entries.filter_map(|(name, value)| Some((name.clone(), Setting::deserialize(value).ok()?)));
        Self { by_name: settings.collect() }
    }

    /// Returns a setting by its name or an alias; none if this Nix does not know it.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.named(name).map(|(_, setting)| setting)
    }

    /// Returns a setting with the name that this version prefers.
    pub fn named(&self, name: &str) -> Option<(&str, &Setting)> {
        let direct = self.by_name.get_key_value(name);
        let found = direct
            .or_else(|| self.by_name.iter().find(|(_, setting)| setting.aliases.iter().any(|alias| alias == name)));
        found.map(|(name, setting)| (name.as_str(), setting))
    }

    /// Returns all settings by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.by_name.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    /// Returns a boolean.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.value.as_bool()
    }

    /// Returns a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.value.as_u64()
    }

    /// Returns a text.
    pub fn string(&self, name: &str) -> Option<&str> {
        self.get(name)?.value.as_str()
    }

    /// Returns a list of words.
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .and_then(|setting| setting.value.as_array())
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// Whether there are none, as with an answer that was not understood.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

/// A line of Nix about a setting.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Warning {
    /// This Nix does not know the setting.
    Unknown {
        /// The name.
        setting: String,
    },
    /// The daemon ignores the setting, because the user is not trusted.
    Restricted {
        /// The name.
        setting: String,
    },
    /// The daemon ignores a cache, because the user is not trusted and the cache is not in `trusted-substituters`.
    Substituter {
        /// The URL.
        url: String,
    },
    /// Another line.
    Other {
        /// The text.
        text: String,
    },
}

impl Warning {
    /// Reads a line of stderr. Only warnings are returned.
    pub fn parse(line: &str) -> Option<Self> {
        let plain = without_colours(line);
        let text = plain.trim().strip_prefix("warning:")?.trim();
        let quoted = || text.split('\'').nth(1).map(str::to_owned);
        let warning = if text.starts_with("unknown setting") {
            quoted().map(|setting| Self::Unknown { setting })
        } else if text.contains("it is a restricted setting") {
            quoted().map(|setting| Self::Restricted { setting })
        } else if text.starts_with("ignoring untrusted substituter") {
            quoted().map(|url| Self::Substituter { url })
        } else {
            None
        };
        Some(warning.unwrap_or_else(|| Self::Other { text: text.to_owned() }))
    }
}

/// Removes the escapes that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// What `nix store info --json` says of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct StoreInfo {
    /// `daemon`, `local`, or another URL.
    #[serde(default)]
    pub url: String,
    /// The version of the daemon, or of this `nix` if there is none.
    #[serde(default)]
    pub version: Option<String>,
    /// Whether the daemon trusts this user. Older versions do not say it.
    #[serde(default, deserialize_with = "trust")]
    pub trusted: Option<bool>,
}

impl StoreInfo {
    /// Whether a daemon does the work, so that its settings count.
    pub fn is_daemon(&self) -> bool {
        self.url.starts_with("daemon") || self.url.starts_with("unix:")
    }
}

/// Some versions print 0 and 1.
fn trust<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(trusted) => Some(trusted),
        Value::Number(number) => Some(number.as_u64() == Some(1)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_three_flavours_are_told_apart() {
        let parse = |text| Version::parse(text).map(|version| (version.flavour, version.number, version.text));
        assert_eq!(parse("nix (Nix) 2.34.8\n"), Some((Flavour::Nix, (2, 34), "2.34.8".to_owned())));
        assert_eq!(parse("nix (Lix, like Nix) 2.93.0"), Some((Flavour::Lix, (2, 93), "2.93.0".to_owned())));
        let determinate = Some((Flavour::Determinate, (2, 33), "3.15.2, 2.33.1".to_owned()));
        assert_eq!(parse("nix (Determinate Nix 3.15.2) 2.33.1"), determinate);
        let unreleased = parse("nix (Nix) 2.36.0pre20261101_88b09c6");
        assert_eq!(unreleased.map(|version| version.1), Some((2, 36)));
        assert_eq!(parse("nix-2.3"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_setting_is_found_by_its_alias() {
        let settings = Settings::of(&json!({
            "max-jobs": {"aliases": ["build-max-jobs"], "defaultValue": 1, "value": 4, "experimentalFeature": null},
            "substituters": {"value": ["https://a", "https://b"], "defaultValue": []},
            "impure-env": {"value": {"a": "b"}, "experimentalFeature": "configurable-impure-env"},
            "odd": 3,
        }));
        let (name, setting) = settings.named("build-max-jobs").unwrap();
        assert_eq!((name, setting.text().as_str(), setting.is_changed()), ("max-jobs", "4", true));
        assert_eq!(settings.get("substituters").unwrap().text(), "https://a https://b");
        assert_eq!(settings.get("impure-env").unwrap().text(), "a=b");
        assert!(settings.get("impure-env").unwrap().experimental_feature.is_some());
        assert_eq!(settings.get("odd"), None);
        assert_eq!(settings.iter().count(), 3);
        assert!(Settings::of(&json!([1])).is_empty());
    }

    #[test]
    fn warnings_name_the_setting() {
        let parse = Warning::parse;
        assert_eq!(
            parse("warning: unknown setting 'parallel-builds'"),
            Some(Warning::Unknown { setting: "parallel-builds".to_owned() })
        );
        let restricted = "\x1b[35;1mwarning:\x1b[0m ignoring the client-specified setting 'sandbox', because it is a restricted setting and you are not a trusted user";
        assert_eq!(parse(restricted), Some(Warning::Restricted { setting: "sandbox".to_owned() }));
        let cache = "warning: ignoring untrusted substituter 'https://x.example', you are not a trusted user.";
        assert_eq!(parse(cache), Some(Warning::Substituter { url: "https://x.example".to_owned() }));
        assert_eq!(parse("warning: other"), Some(Warning::Other { text: "other".to_owned() }));
        assert_eq!(parse("error: x"), None);
    }

    #[test]
    fn trust_is_a_truth_value_or_a_number() {
        let info = |text| serde_json::from_str::<StoreInfo>(text).unwrap();
        assert_eq!(info(r#"{"trusted":true,"url":"local","version":"2.34.8"}"#).trusted, Some(true));
        assert_eq!(info(r#"{"trusted":0,"url":"daemon","version":"2.18"}"#).trusted, Some(false));
        let daemon = info(r#"{"trusted":null,"url":"unix:///nix/var/nix/daemon-socket/socket"}"#);
        assert_eq!((daemon.trusted, daemon.is_daemon()), (None, true));
        assert!(!info(r#"{"url":"local"}"#).is_daemon());
    }
}
