//! What a user chose for CI. The choices are kept in the written files, so that they can be written again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    split::caches::{Address, CacheChoice, PublicKey},
    system::System,
};

/// A CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Forgejo Actions, and Gitea's.
    Forgejo,
    /// Buildkite.
    Buildkite,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Github, Self::Gitlab, Self::Forgejo, Self::Buildkite];

    /// Returns the name in options and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Forgejo => "forgejo",
            Self::Buildkite => "buildkite",
        }
    }

    /// Returns the runners of a system, as the provider names them: a label, a tag or a queue.
    pub fn runner(self, system: System) -> String {
        // A test checks that the table has all of them.
        let table: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_str(include_str!("runners.json")).unwrap_or_default();
        table.get(self.name()).and_then(|labels| labels.get(system.name())).cloned().unwrap_or_default()
    }
}

/// What keeps the Nix store between the runs of GitHub's workflows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreCache {
    /// Nothing.
    #[default]
    None,
    /// cache-nix-action: the store as one entry of GitHub's cache.
    CacheNixAction,
    /// hestia: GitHub's cache as a binary cache.
    Hestia,
}

/// Where CI gets splitter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// From a variable of the CI system with the URL of a clone of splitter.
    #[default]
    Variable,
    /// From the clone of splitter at this URL.
    Url(String),
    /// From the input `splitter` of the flake.
    Input,
}

/// How container images are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// The registry, and a folder in it.
    pub registry: String,
    /// Whether the job's own token is the password, and not a secret.
    #[serde(default, skip_serializing_if = "is_default")]
    pub job_token: bool,
}

/// All choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The CI system.
    pub provider: Provider,
    /// The branch whose runs fill the caches and send images.
    pub branch: String,
    /// The folder of the lockfile, if it is not the root of the git repository.
    #[serde(default, skip_serializing_if = "is_default")]
    pub folder: String,
    /// The systems to build for.
    pub systems: Vec<System>,
    /// Runners that differ from the table.
    #[serde(default, skip_serializing_if = "is_default")]
    pub runners: BTreeMap<System, String>,
    /// The binary caches that CI reads and pushes to. Without any: those of `splitter.json`.
    #[serde(default, skip_serializing_if = "is_default", with = "addresses")]
    pub caches: Vec<Address>,
    /// Public keys of the caches, unless their tool knows them.
    #[serde(default, skip_serializing_if = "is_default", with = "keys")]
    pub public_keys: Vec<PublicKey>,
    /// What keeps the Nix store between runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub store_cache: StoreCache,
    /// How images are sent, if they are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub images: Option<Images>,
    /// Whether the hashes are updated on the branches of bots.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bots: bool,
    /// Where CI gets splitter.
    #[serde(default, skip_serializing_if = "is_default")]
    pub program: Program,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Settings {
    /// Returns the runner for a system.
    pub fn runner(&self, system: System) -> String {
        self.runners.get(&system).cloned().unwrap_or_else(|| self.provider.runner(system))
    }

    /// Returns the caches, with those of `splitter.json` if no others were chosen.
    pub fn caches(&self, team: &[CacheChoice]) -> Vec<CacheChoice> {
        if self.caches.is_empty() {
            return team.to_vec();
        }
        let choice = |address: &Address| match team.iter().find(|choice| choice.address == *address) {
            Some(known) => known.clone(),
            None => CacheChoice::of(address.clone()),
        };
        self.caches.iter().map(choice).collect()
    }

    /// Returns whether what one job built reaches the next one.
    pub fn shares_builds(&self, team: &[CacheChoice]) -> bool {
        let is_shared = |cache: &CacheChoice| cache.push && is_read(&cache.address);
        self.store_cache == StoreCache::Hestia || self.caches(team).iter().any(is_shared)
    }
}

/// Returns whether CI reads a cache. The daemon of Nix has no key for another machine: jobs push to it, and read what it serves
/// over HTTP.
pub fn is_read(address: &Address) -> bool {
    !matches!(address, Address::Ssh { .. })
}

/// Addresses as texts.
mod addresses {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::split::caches::Address;

    pub(super) fn serialize<S: Serializer>(list: &[Address], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// Public keys as texts.
mod keys {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::split::caches::PublicKey;

    pub(super) fn serialize<S: Serializer>(list: &[PublicKey], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PublicKey>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// Returns whether a text can stand in a workflow: in quotes of YAML, in a command, and never as an expression of the CI system.
pub fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@?&=+%,~".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_a_runner_for_every_system() {
        let table: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_str(include_str!("runners.json")).unwrap();
        for provider in Provider::ALL {
            let labels = &table[provider.name()];
            assert!(System::ALL.iter().all(|system| labels.contains_key(system.name())), "{provider:?}");
        }
        assert_eq!(Provider::Github.runner(System::Aarch64Linux), "ubuntu-24.04-arm");
    }

    #[test]
    fn expressions_and_quotes_are_not_plain() {
        assert!(is_plain("s3://bucket?region=eu-west-1&endpoint=https://s3.example.org"));
        for text in ["", "a b", "${{ x }}", "$(id)", "a\"b", "a'b", "a\nb", "`id`", "-x", "a;b", "a#b"] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
