//! `resolutions` of the root manifest, in the order of the file. The first match counts, and the manifest as a value has no
//! order.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};

use crate::{
    repo::{RepoPath, Tree, read_text},
    split::{Manifest, SplitError, manifest_path},
};

/// Returns the entries that are strings.
pub(super) fn read(tree: &dyn Tree, root: &Manifest) -> Result<Vec<(String, String)>, SplitError> {
    if root.json.get("resolutions").is_none() {
        return Ok(Vec::new());
    }
    let text = read_text(tree, &manifest_path(&RepoPath::root()))?.unwrap_or_default();
    Ok(serde_json::from_str::<Root>(text.trim_start_matches('\u{feff}'))
        .map(|root| root.resolutions.0)
        .unwrap_or_default())
}

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    resolutions: Entries,
}

/// The strings of an object, in the order of the file.
#[derive(Default)]
struct Entries(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if let Text::Text(range) = map.next_value()? {
                        // As in JavaScript, a later duplicate replaces the value and keeps the place.
                        match entries.iter_mut().find(|(earlier, _)| *earlier == key) {
                            Some((_, earlier)) => *earlier = range,
                            None => entries.push((key, range)),
                        }
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Other(IgnoredAny),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_file_is_kept() {
        let root: Root = serde_json::from_str(r#"{"resolutions": {"z": "1", "a/z": "2", "n": 3, "b": "1"}}"#).unwrap();
        assert_eq!(root.resolutions.0.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["z", "a/z", "b"]);
    }
}
