//! What this machine knows of caches: the settings of Nix, and the tokens in the environment and in the tools' own files.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Address, PublicKey, netrc::Netrc};
use crate::{
    fetch::{Environment, Secret},
    nix::command::{Nix, NixError},
    reading,
    split::caches::attic_endpoint,
};

/// The variable with the token of Cachix, as `cachix` reads it.
pub const CACHIX_TOKEN: &str = "CACHIX_AUTH_TOKEN";
/// The variable with the URL of another Cachix than the public one.
pub const CACHIX_URL: &str = "SPLITTER_CACHIX_URL";
/// The public Cachix.
const CACHIX: &str = "https://cachix.org";

/// The settings of this machine. It has no `Debug`, because it holds secrets.
#[derive(Clone, Default)]
pub struct Machine {
    /// The caches that Nix asks.
    pub substituters: Vec<Address>,
    /// The keys that Nix trusts.
    pub keys: Vec<PublicKey>,
    netrc: Netrc,
    cachix: Option<Secret>,
    cachix_url: Option<Url>,
    attic: Attic,
}

/// The configuration of `attic`.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Attic {
    servers: BTreeMap<String, AtticServer>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct AtticServer {
    endpoint: String,
    token: Option<String>,
    token_file: Option<Utf8PathBuf>,
}

impl Machine {
    /// Reads the settings of Nix and of the tools.
    pub fn read(nix: &Nix, environment: &Environment) -> Result<Self, NixError> {
        Ok(Self::of(&nix.settings()?, environment))
    }

    /// Like [`Machine::read`], with the JSON of `nix config show`.
    pub fn of(settings: &Value, environment: &Environment) -> Self {
        let setting = |name: &str| settings.get(name).and_then(|setting| setting.get("value"));
        // Stores that are no caches, such as `daemon`, are left out.
        let substituters = texts(setting("substituters")).filter_map(|text| text.parse().ok()).collect();
        let keys = texts(setting("trusted-public-keys")).filter_map(|text| text.parse().ok()).collect();
        let netrc = setting("netrc-file").and_then(Value::as_str).and_then(|path| reading::text(path).ok());
        let folder = environment.get("XDG_CONFIG_HOME").map(Utf8PathBuf::from);
        let folder = folder.or_else(|| environment.get("HOME").map(|home| Utf8PathBuf::from(home).join(".config")));
        let file = |name: &str| folder.as_ref().and_then(|folder| reading::text(folder.join(name)).ok());
        let token = environment.get(CACHIX_TOKEN).map(str::to_owned);
        let token = token.or_else(|| cachix_token(&file("cachix/cachix.dhall")?));
        Self {
            substituters,
            keys,
            netrc: netrc.map(|text| Netrc::parse(&text)).unwrap_or_default(),
            cachix: token.map(|token| Secret::bearer(&token)),
            cachix_url: environment.get(CACHIX_URL).and_then(as_base),
            attic: file("attic/config.toml").and_then(|text| toml::from_str(&text).ok()).unwrap_or_default(),
        }
    }

    /// Returns the credentials in the netrc file for the host of a URL.
    pub(super) fn netrc(&self, url: &Url) -> Option<Secret> {
        self.netrc.of(url.host_str()?).cloned()
    }

    /// Returns the URL of Cachix's interface, and whether it is the public one.
    pub(super) fn cachix_url(&self) -> Option<(Url, bool)> {
        let own = self.cachix_url.clone().map(|url| (url, false));
        own.or_else(|| as_base(CACHIX).map(|url| (url, true)))
    }

    /// Returns the token of Cachix.
    pub(super) fn cachix_token(&self) -> Option<Secret> {
        self.cachix.clone()
    }

    /// Returns the URL of an Attic server, and the name of the server in the configuration of `attic`.
    pub(super) fn attic_server(&self, server: &str) -> Option<(Url, Option<&str>)> {
        if let Some((name, known)) = self.attic.servers.get_key_value(server) {
            return Some((as_base(&known.endpoint)?, Some(name)));
        }
        let url = as_base(&attic_endpoint(server)?)?;
        let is_it = |(_, known): &(&String, &AtticServer)| as_base(&known.endpoint).as_ref() == Some(&url);
        let name = self.attic.servers.iter().find(is_it).map(|(name, _)| name.as_str());
        Some((url, name))
    }

    /// Whether there is a token for Cachix.
    pub fn has_cachix_token(&self) -> bool {
        self.cachix.is_some()
    }

    /// Returns the name of an Attic server in the configuration of `attic`, by its name or its host.
    pub fn attic_name(&self, server: &str) -> Option<&str> {
        self.attic_server(server)?.1
    }

    /// Returns the token for an Attic server.
    pub(super) fn attic_token(&self, name: Option<&str>) -> Option<Secret> {
        let server = self.attic.servers.get(name?)?;
        let from_file = || Some(reading::text(server.token_file.as_ref()?).ok()?.trim().to_owned());
        server.token.clone().or_else(from_file).map(|token| Secret::bearer(&token))
    }
}

fn as_base(text: &str) -> Option<Url> {
    Url::parse(&format!("{}/", text.trim_end_matches('/'))).ok()
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the token in the configuration of `cachix`, which is Dhall: `{ authToken = "…", … }`.
fn cachix_token(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("authToken")?;
    let (_, rest) = rest.trim_start().strip_prefix('=')?.split_once('"')?;
    let (token, _) = rest.split_once('"')?;
    (!token.is_empty()).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_and_tokens_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::create_dir_all(path("attic")).unwrap();
        std::fs::create_dir_all(path("cachix")).unwrap();
        std::fs::write(path("netrc"), "machine h.example password p").unwrap();
        std::fs::write(path("secret"), "from-file\n").unwrap();
        let config = format!(
            "default-server = \"ci\"\n[servers.ci]\nendpoint = \"https://a.example/\"\ntoken = \"t\"\n[servers.b]\nendpoint = \"https://b.example\"\ntoken-file = \"{}\"\n",
            path("secret")
        );
        std::fs::write(path("attic/config.toml"), config).unwrap();
        std::fs::write(path("cachix/cachix.dhall"), "{ authToken =\n    \"c\"\n, hostname = \"x\" }").unwrap();
        let settings = json!({
            "substituters": { "value": ["https://cache.nixos.org/", "daemon", "ssh://old"] },
            "trusted-public-keys": { "value": ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=", "x"] },
            "netrc-file": { "value": path("netrc") },
        });
        let machine = Machine::of(&settings, &Environment::from([("XDG_CONFIG_HOME", path("").as_str())]));
        assert_eq!(
            machine.substituters.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["https://cache.nixos.org"]
        );
        assert_eq!(machine.keys.len(), 1);
        assert_eq!(machine.netrc(&"https://h.example/x".parse().unwrap()), Some(Secret::basic("", "p")));
        assert_eq!(machine.cachix_token(), Some(Secret::bearer("c")));
        let (url, name) = machine.attic_server("ci").unwrap();
        assert_eq!((url.as_str(), name), ("https://a.example/", Some("ci")));
        assert_eq!(machine.attic_token(name), Some(Secret::bearer("t")));
        let (_, name) = machine.attic_server("b.example").unwrap();
        assert_eq!(machine.attic_token(name), Some(Secret::bearer("from-file")));
        assert!(machine.attic_server("nowhere").is_none());
        let own = Environment::from([(CACHIX_TOKEN, "e"), ("XDG_CONFIG_HOME", path("").as_str())]);
        assert_eq!(Machine::of(&json!({}), &own).cachix_token(), Some(Secret::bearer("e")));
    }
}
