//! [`Plan`]: what an image is made of, as the Nix build writes it.
//!
//! The file comes from a build, so anybody who can change the flake can change it. Everything is checked before it is used:
//! each path must be a path of the store, and no path may be in two layers.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::{Map, Value};

mod error;
mod raw;
#[cfg(test)]
mod tests;

pub use error::PlanError;

use super::{
    reference::{is_repository, is_tag},
    store::Store,
};
use crate::{diagnostic::Position, nix::base32, reading};

/// The most layers. Overlay file systems take no more.
const MOST_LAYERS: usize = 127;
/// The most store paths, or modes, of a layer.
const MOST_ENTRIES: usize = 100_000;
/// The largest owner that a tar header can hold.
const MOST_ID: u32 = 0o7_777_777;
/// The number of characters of a wrong value that a message shows.
const SHOWN: usize = 80;

/// An image for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The name of the image in a registry.
    pub name: String,
    /// The tag. Without one, the digest gives it.
    pub tag: Option<String>,
    /// The registry, and the folder in it.
    pub registry: Option<String>,
    /// The platform.
    pub platform: Platform,
    /// The time of creation that the image shows. It is in no layer.
    pub created: String,
    /// The configuration, as OCI and Docker define it.
    pub config: Map<String, Value>,
    /// The layers, from rare to frequent change.
    pub layers: Vec<Layer>,
}

/// The platform of an image, in the words of Go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// The system.
    pub os: String,
    /// The processor, such as `amd64`.
    pub architecture: String,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

/// A group of store paths that change together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The name.
    pub name: String,
    /// What changes it.
    pub changes: String,
    /// The store path whose content lands at the root of the image.
    pub root: Option<Root>,
    /// The store paths, sorted. Each lands at its own path.
    pub paths: Vec<Item>,
}

/// A store path whose content lands at the root of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The name in the store.
    pub base_name: String,
    /// The hash of the content, in one form.
    pub nar_hash: [u8; 32],
    /// The size of the content, in bytes.
    pub nar_size: u64,
    /// Modes and owners, by the path below the root. All other files belong to root and keep the modes of the store.
    pub modes: BTreeMap<String, Mode>,
}

/// The mode and the owner of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// The bits.
    pub mode: u32,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// A store path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// The name in the store.
    pub base_name: String,
    /// The hash of the content, in one form.
    pub nar_hash: [u8; 32],
    /// The size of the content, in bytes.
    pub nar_size: u64,
}

impl Plan {
    /// Reads the plan in a file.
    pub fn read(path: &Utf8Path, store: &Store) -> Result<Self, PlanError> {
        let bytes = reading::bytes(path);
        let bytes = bytes.map_err(|error| PlanError::Read { path: path.to_owned(), why: error.to_string() })?;
        Self::parse(&bytes, store)
    }

    /// Reads a plan from JSON.
    pub fn parse(json: &[u8], store: &Store) -> Result<Self, PlanError> {
        let syntax = |error: &serde_json::Error| {
            let position = Position { line: error.line().max(1), column: error.column().max(1) };
            PlanError::Syntax { position, message: error.to_string() }
        };
        let raw::Versioned { version } = serde_json::from_slice(json).map_err(|error| syntax(&error))?;
        if version != 1 {
            return Err(PlanError::Version { found: version });
        }
        let raw: raw::Plan = serde_json::from_slice(json).map_err(|error| syntax(&error))?;
        let plan = checked(raw, store)?;
        refuse_duplicates(&plan, store)?;
        Ok(plan)
    }

    /// Returns the layers with files. Others are left out of an image.
    pub fn layers_with_files(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().filter(|layer| !layer.is_empty())
    }

    /// Returns the size of all layers, in bytes, without compression.
    pub fn size(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.size()))
    }

    /// Returns the labels of the image that are also annotations.
    pub fn annotations(&self) -> BTreeMap<&str, &str> {
        let labels = self.config.get("Labels").and_then(Value::as_object).into_iter().flatten();
        let texts = labels.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        texts.filter(|(key, _)| key.starts_with("org.opencontainers.image.")).collect()
    }
}

impl Layer {
    /// Returns what the content of this layer depends on, as text. Equal texts mean equal bytes.
    pub fn identity(&self) -> String {
        let mut text = String::new();
        let mut line = |words: &[&str]| {
            text.push_str(&words.join(" "));
            text.push('\n');
        };
        if let Some(root) = &self.root {
            // No file of the image bears the name of the store path, so the content alone counts.
            line(&["root", &base32::encode(&root.nar_hash)]);
            for (path, Mode { mode, uid, gid }) in &root.modes {
                // Quoted, since a path may hold anything.
                line(&["mode", &format!("{path:?}"), &format!("{mode:o}"), &uid.to_string(), &gid.to_string()]);
            }
        }
        for item in &self.paths {
            line(&["path", &item.base_name, &base32::encode(&item.nar_hash)]);
        }
        text
    }

    /// Whether the layer has neither a root nor store paths.
    pub fn is_empty(&self) -> bool {
        self.root.is_none() && self.paths.is_empty()
    }

    /// Returns the size of all files, in bytes: of the root and of the store paths.
    pub fn size(&self) -> u64 {
        let root = self.root.as_ref().map_or(0, |root| root.nar_size);
        self.paths.iter().fold(root, |sum, item| sum.saturating_add(item.nar_size))
    }
}

fn checked(raw: raw::Plan, store: &Store) -> Result<Plan, PlanError> {
    let raw::Plan { name, tag, registry, architecture, os, created, config, layers } = raw;
    let at = |key: &str| key.to_owned();
    check(is_repository(&name), || at("name"), "the name of a repository in lower case", &name)?;
    if let Some(tag) = &tag {
        check(is_tag(tag), || at("tag"), "a tag: letters, digits, `_`, `.` and `-`, at most 128", tag)?;
    }
    for (key, value) in [("architecture", &architecture), ("os", &os)] {
        let is_word = value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        check(is_word && (1..=32).contains(&value.len()), || at(key), "a word such as `amd64` or `linux`", value)?;
    }
    check(is_time(&created), || at("created"), "a time such as `1970-01-01T00:00:01Z`", &created)?;
    limit(&at("layers"), layers.len(), MOST_LAYERS)?;
    let layers = layers.into_iter().enumerate().map(|(index, layer)| checked_layer(index, layer, store));
    let platform = Platform { os, architecture };
    Ok(Plan { name, tag, registry, platform, created, config, layers: layers.collect::<Result<_, _>>()? })
}

fn checked_layer(index: usize, raw: raw::Layer, store: &Store) -> Result<Layer, PlanError> {
    let raw::Layer { name, changes, root, paths } = raw;
    let at = |key: &str| format!("layers[{index}].{key}");
    let is_line = |text: &str| !text.is_empty() && text.len() <= 200 && !text.contains(char::is_control);
    check(is_line(&name), || at("name"), "a name of one line", &name)?;
    check(changes.is_empty() || is_line(&changes), || at("changes"), "one line of text", &changes)?;
    limit(&at("paths"), paths.len(), MOST_ENTRIES)?;
    let root = root.map(|root| checked_root(index, root, store)).transpose()?;
    let item = |(number, raw::Item { path, nar_hash, nar_size }): (usize, raw::Item)| {
        let at = |key: &str| format!("layers[{index}].paths[{number}].{key}");
        let base_name = base_name(&path, || at("path"), store)?;
        let nar_hash = checked_hash(&nar_hash, || at("narHash"))?;
        Ok(Item { base_name, nar_hash, nar_size })
    };
    let mut paths = paths.into_iter().enumerate().map(item).collect::<Result<Vec<_>, PlanError>>()?;
    paths.sort_unstable();
    Ok(Layer { name, changes, root, paths })
}

fn checked_root(index: usize, raw: raw::Root, store: &Store) -> Result<Root, PlanError> {
    let base_name = base_name(&raw.path, || format!("layers[{index}].root.path"), store)?;
    limit(&format!("layers[{index}].root.modes"), raw.modes.len(), MOST_ENTRIES)?;
    let mut modes = BTreeMap::new();
    for (number, raw::Mode { path, bits: mode, uid, gid }) in raw.modes.into_iter().enumerate() {
        let at = |key: &str| format!("layers[{index}].root.modes[{number}].{key}");
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        check(path.split('/').all(is_plain), || at("path"), "a relative path without `.` and `..`", &path)?;
        let is_octal = (1..=4).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let bits = u32::from_str_radix(&mode, 8).ok().filter(|_| is_octal);
        let bits = bits.ok_or_else(|| wrong(at("mode"), "up to four octal digits", &mode))?;
        for (key, id) in [("uid", uid), ("gid", gid)] {
            check(id <= MOST_ID, || at(key), "a number up to 2097151", &id.to_string())?;
        }
        if modes.insert(path.clone(), Mode { mode: bits, uid, gid }).is_some() {
            return Err(wrong(at("path"), "each path once", &path));
        }
    }
    let nar_hash = checked_hash(&raw.nar_hash, || format!("layers[{index}].root.narHash"))?;
    Ok(Root { base_name, nar_hash, nar_size: raw.nar_size, modes })
}

fn base_name(path: &str, at: impl Fn() -> String, store: &Store) -> Result<String, PlanError> {
    let name = store.base_name(path).map(str::to_owned);
    name.ok_or_else(|| wrong(at(), "a store path such as `/nix/store/<hash>-<name>`", path))
}

/// A store path that two layers hold would be sent twice, and the second would change with the first.
fn refuse_duplicates(plan: &Plan, store: &Store) -> Result<(), PlanError> {
    let (mut paths, mut roots) = (BTreeMap::new(), BTreeMap::new());
    for layer in &plan.layers {
        let name = layer.name.as_str();
        let items = layer.paths.iter().map(|item| (item.base_name.as_str(), paths.insert(&item.base_name, name)));
        let items: Vec<_> = items.collect();
        let root = layer.root.as_ref().map(|root| (root.base_name.as_str(), roots.insert(&root.base_name, name)));
        if let Some((path, Some(first))) = items.into_iter().chain(root).find(|(_, earlier)| earlier.is_some()) {
            let path = store.folder().join(path).into_string();
            return Err(PlanError::Twice { path, first: first.to_owned(), second: name.to_owned() });
        }
    }
    Ok(())
}

fn checked_hash(text: &str, at: impl Fn() -> String) -> Result<[u8; 32], PlanError> {
    nar_digest(text).ok_or_else(|| wrong(at(), "`sha256:` and 52 digits of base32", text))
}

/// Reads a hash in the forms that versions of Nix print.
fn nar_digest(text: &str) -> Option<[u8; 32]> {
    let bytes = match text.strip_prefix("sha256-") {
        Some(encoded) => data_encoding::BASE64.decode(encoded.as_bytes()).ok()?,
        None => base32::decode(text.strip_prefix("sha256:")?).ok()?,
    };
    bytes.try_into().ok()
}

/// Whether a text is a time as RFC 3339 defines it, without a check of the calendar.
fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let shape = |text: &str| -> String {
        text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
    };
    let zone = time.find(['Z', '+', '-']).map(|at| time.split_at(at));
    let Some((time, zone)) = zone else { return false };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    shape(date) == "0000-00-00"
        && shape(time) == "00:00:00"
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (zone == "Z" || ["+00:00", "-00:00"].contains(&shape(zone).as_str()))
}

fn check(is_right: bool, at: impl Fn() -> String, expected: &'static str, found: &str) -> Result<(), PlanError> {
    if is_right { Ok(()) } else { Err(wrong(at(), expected, found)) }
}

fn wrong(at: String, expected: &'static str, found: &str) -> PlanError {
    PlanError::Value { at, expected, found: found.chars().take(SHOWN).collect() }
}

fn limit(at: &str, found: usize, most: usize) -> Result<(), PlanError> {
    if found <= most { Ok(()) } else { Err(PlanError::TooMany { at: at.to_owned(), found, most }) }
}
