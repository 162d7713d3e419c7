//! Reads the JSON of `nix path-info --json`. It has had three forms:
//!
//! - until Nix 2.18, a list of objects with `path`
//! - since Nix 2.19, an object with an entry for each path
//! - format 2 (`--json-format 2`, Nix 2.33), that object under `info`, with base names instead of paths

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::base_name;

/// A valid store path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The size of its files, as an archive.
    pub size: u64,
    /// The store paths that it refers to, by base name, without itself.
    pub references: BTreeSet<String>,
    /// The hash of its files as an archive, as Nix prints it.
    pub hash: String,
}

/// Valid store paths, by base name.
pub type Items = BTreeMap<String, Item>;

/// Reads the output of `nix path-info --json`. Invalid paths are left out. Returns nothing if the output has an unknown form.
pub fn parse(value: &Value) -> Option<Items> {
    match value {
        Value::Array(entries) => {
            let entries = entries.iter().filter(|entry| is_valid(entry));
            entries.map(|entry| item(entry.get("path")?.as_str()?, entry)).collect()
        }
        Value::Object(entries) => {
            let entries = match entries.get("info") {
                Some(info) => info.as_object()?,
                None => entries,
            };
            entries.iter().filter(|(_, entry)| is_valid(entry)).map(|(path, entry)| item(path, entry)).collect()
        }
        _ => None,
    }
}

/// Whether an entry is about a valid path.
fn is_valid(entry: &Value) -> bool {
    !entry.is_null() && entry.get("valid") != Some(&Value::Bool(false))
}

fn item(path: &str, entry: &Value) -> Option<(String, Item)> {
    let name = base_name(path).to_owned();
    let size = entry.get("narSize")?.as_u64()?;
    let references = entry.get("references")?.as_array()?.iter().map(|path| path.as_str().map(base_name));
    let references: Option<BTreeSet<&str>> = references.collect();
    let references = references?.into_iter().filter(|other| *other != name).map(str::to_owned).collect();
    let hash = entry.get("narHash").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some((name, Item { size, references, hash }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const A: &str = "8z3wjas3v8r3l97274kb79bz2v91mya3-a";
    const B: &str = "wsqbfqcawmmdnl972wa6rbsay10h5avm-b";

    #[test]
    fn all_forms_give_the_same() {
        let full = |name: &str| format!("/nix/store/{name}");
        let list = json!([
            { "path": full(A), "narSize": 120, "references": [], "valid": true },
            { "path": full(B), "narSize": 176, "references": [full(A), full(B)] },
            { "path": full("gone"), "valid": false },
        ]);
        let map = json!({
            full(A): { "narSize": 120, "references": [], "version": 1, "storeDir": "/nix/store" },
            full(B): { "narSize": 176, "references": [full(A), full(B)], "closureSize": 296 },
            full("gone"): null,
        });
        let second = json!({
            "info": {
                A: { "narSize": 120, "references": [], "version": 2 },
                B: { "narSize": 176, "references": [A, B] },
                "gone": null,
            },
            "storeDir": "/nix/store",
            "version": 2,
        });
        let expected = Items::from([
            (A.to_owned(), Item { size: 120, ..Item::default() }),
            (B.to_owned(), Item { size: 176, references: [A.to_owned()].into(), ..Item::default() }),
        ]);
        for form in [list, map, second] {
            assert_eq!(parse(&form).as_ref(), Some(&expected), "{form}");
        }
        let hashed = json!({ full(A): { "narSize": 1, "references": [], "narHash": "sha256-AA==" } });
        assert_eq!(parse(&hashed).unwrap()[A].hash, "sha256-AA==");
        assert_eq!(parse(&json!([])), Some(Items::new()));
        assert_eq!(parse(&json!({})), Some(Items::new()));
    }

    #[test]
    fn other_forms_are_refused() {
        for form in [
            json!("a"),
            json!(["a"]),
            json!([{ "narSize": 1, "references": [] }]),
            json!({ A: { "narSize": "1", "references": [] } }),
            json!({ A: { "narSize": 1 } }),
            json!({ A: { "narSize": 1, "references": [1] } }),
            json!({ "info": [] }),
        ] {
            assert_eq!(parse(&form), None, "{form}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[{](\PC{0,20}|"path": "a", "narSize": 1)[\]}]"#) {
            if let Ok(value) = serde_json::from_str(&text) {
                let _ = parse(&value);
            }
        }
    }
}
