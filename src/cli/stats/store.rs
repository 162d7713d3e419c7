//! What the store holds, where it came from, and what a garbage collection would free.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    closure::path_info,
    history::StoreUse,
    nix::command::{Nix, NixError},
};

pub(super) fn measure(nix: &Nix) -> Result<StoreUse, NixError> {
    let (all, dead) = (nix.all_paths()?, nix.dead_paths()?);
    Ok(sums(&all, dead.iter().map(|path| path.rsplit('/').next().unwrap_or(path))))
}

fn sums<'a>(all: &Value, dead: impl Iterator<Item = &'a str>) -> StoreUse {
    let sizes: BTreeMap<String, u64> =
        path_info::parse(all).unwrap_or_default().into_iter().map(|(name, item)| (name, item.size)).collect();
    let mut sums = StoreUse { paths: sizes.len() as u64, size: sizes.values().sum(), ..StoreUse::default() };
    for name in dead {
        sums.dead_paths += 1;
        sums.dead_size += sizes.get(name).copied().unwrap_or_default();
    }
    for entry in entries(all) {
        // Only an output has a derivation that made it. Nix trusts what it built itself.
        match (&entry["deriver"], &entry["ultimate"]) {
            (Value::String(_), Value::Bool(true)) => sums.built_paths += 1,
            (Value::String(_), _) => sums.fetched_paths += 1,
            _ => {}
        }
    }
    sums
}

/// Iterates over the paths in all forms of `nix path-info --json`.
fn entries(all: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match all.get("info").unwrap_or(all) {
        Value::Array(entries) => Box::new(entries.iter()),
        Value::Object(entries) => Box::new(entries.values()),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dead_paths_are_a_part_of_all_and_outputs_came_from_somewhere() {
        let entry = |size: u64, deriver: Option<&str>, is_built: bool| json!({ "narSize": size, "references": [], "deriver": deriver, "ultimate": is_built });
        let all = json!({
            "/s/a": entry(5, Some("/s/a.drv"), true),
            "/s/b": entry(7, Some("/s/b.drv"), false),
            "/s/c": entry(1, Some("/s/c.drv"), false),
            "/s/source": entry(2, None, false),
        });
        let expected = StoreUse { paths: 4, size: 15, dead_paths: 2, dead_size: 7, built_paths: 1, fetched_paths: 2 };
        assert_eq!(sums(&all, ["b", "unknown"].into_iter()), expected);
        assert_eq!(sums(&json!({ "version": 2, "info": all }), ["b", "unknown"].into_iter()), expected);
        assert_eq!(sums(&json!(7), std::iter::empty()), StoreUse::default());
    }
}
