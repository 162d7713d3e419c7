//! The JSON of a plan, before it is checked. Unknown keys are ignored: a later version of the Nix files may add some.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(super) struct Versioned {
    pub(super) version: u64,
}

#[derive(Deserialize)]
pub(super) struct Plan {
    pub(super) name: String,
    #[serde(default)]
    pub(super) tag: Option<String>,
    #[serde(default)]
    pub(super) registry: Option<String>,
    pub(super) architecture: String,
    pub(super) os: String,
    pub(super) created: String,
    pub(super) config: Map<String, Value>,
    pub(super) layers: Vec<Layer>,
}

#[derive(Deserialize)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) changes: String,
    #[serde(default)]
    pub(super) root: Option<Root>,
    pub(super) paths: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root {
    pub(super) path: String,
    pub(super) nar_hash: String,
    pub(super) nar_size: u64,
    #[serde(default)]
    pub(super) modes: Vec<Mode>,
}

#[derive(Deserialize)]
pub(super) struct Mode {
    pub(super) path: String,
    #[serde(rename = "mode")]
    pub(super) bits: String,
    #[serde(default)]
    pub(super) uid: u32,
    #[serde(default)]
    pub(super) gid: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) nar_hash: String,
    pub(super) nar_size: u64,
}
