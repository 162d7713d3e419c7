//! Stores that only Nix can ask: S3 and other machines.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::Value;

use super::{Address, Archive, Cache, Found, Item, Trouble};
use crate::{
    caches::narinfo::{Hash, NarInfo, Signature, signature},
    nix::{base32, command::Nix},
};

/// A store that Nix asks.
pub(super) struct Program {
    nix: Nix,
    url: String,
    store: String,
}

impl Program {
    pub(super) fn new(nix: &Nix, address: &Address, store: &str) -> Self {
        Self { nix: nix.clone(), url: address.to_string(), store: store.to_owned() }
    }

    pub(super) async fn ask(&self, items: &[Item], cache: &Cache) -> Result<BTreeMap<Item, Found>, Trouble> {
        let paths: Vec<String> = items.iter().map(|item| item.in_store(&self.store)).collect();
        let (nix, url) = (self.nix.clone(), self.url.clone());
        let work = move || nix.infos(Some(&url), &paths.iter().map(String::as_str).collect::<Vec<_>>());
        let answer = tokio::task::spawn_blocking(work).await;
        let answer = answer.map_err(|error| Trouble::Program(error.to_string()))?;
        let answer = answer.map_err(|error| Trouble::Program(error.to_string()))?;
        let infos = answer.iter().flat_map(|value| infos(value, &self.store));
        let found = infos
            .map(|info| (info.item.clone(), cache.judged(&info.item.clone(), info, Archive::Unasked, &self.store)));
        Ok(found.filter(|(item, _)| items.contains(item)).collect())
    }
}

/// Reads the JSON of `nix path-info`, in each of its forms. Paths that the store lacks are left out.
pub fn infos(value: &Value, store: &str) -> Vec<NarInfo> {
    if let Value::Array(list) = value {
        return list.iter().filter_map(|entry| info(entry["path"].as_str()?, entry, store)).collect();
    }
    let entries = value.get("info").unwrap_or(value).as_object();
    entries.into_iter().flatten().filter_map(|(path, entry)| info(path, entry, store)).collect()
}

fn info(path: &str, entry: &Value, store: &str) -> Option<NarInfo> {
    let number = |name: &str| entry.get(name).and_then(Value::as_u64);
    let list = |name: &str| entry.get(name).and_then(Value::as_array).into_iter().flatten();
    let texts = |name: &str| list(name).filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    Some(NarInfo {
        store: store.to_owned(),
        item: path.parse().ok()?,
        url: entry["url"].as_str().unwrap_or_default().to_owned(),
        file_size: number("downloadSize"),
        nar_hash: hash(&entry["narHash"])?,
        nar_size: number("narSize")?,
        references: texts("references").iter().filter_map(|item| item.parse().ok()).collect(),
        signatures: list("signatures").filter_map(signature_of).collect(),
        content_address: content_address(&entry["ca"]),
    })
}

/// A hash is a text, or since format 3 an object.
fn hash(value: &Value) -> Option<Hash> {
    match value {
        Value::String(text) => Hash::parse(text),
        _ => Hash::parse(&format!("sha256-{}", value.get("hash")?.as_str()?)),
    }
}

fn signature_of(value: &Value) -> Option<Signature> {
    match value {
        Value::String(text) => signature(text),
        _ => signature(&format!("{}:{}", value.get("keyName")?.as_str()?, value.get("sig")?.as_str()?)),
    }
}

/// Reads a content address: a text, or an object with a method and a hash.
pub(in crate::caches) fn content_address(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    // `sha512-<base 64>` becomes `sha512:<base 32>`.
    let (algorithm, encoded) = value.get("hash")?.as_str()?.split_once('-')?;
    let hash = format!("{algorithm}:{}", base32::encode(&BASE64.decode(encoded.as_bytes()).ok()?));
    match value.get("method")?.as_str()? {
        "nar" => Some(format!("fixed:r:{hash}")),
        "flat" => Some(format!("fixed:{hash}")),
        "text" => Some(format!("text:{hash}")),
        _ => None,
    }
}
