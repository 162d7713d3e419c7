//! The overrides and catalogs of the root's `package.json`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{lockfile::BunRequests, split::Manifest, split::lock::drift::Drift};

/// What the root's `package.json` says for all workspaces.
#[derive(Default)]
pub(super) struct Settings {
    /// Package, then specifier. An object is a nested override.
    pub(super) overrides: BTreeMap<String, Value>,
    /// Catalog, then package, then specifier. The default catalog has the empty name.
    pub(super) catalogs: BTreeMap<String, BTreeMap<String, String>>,
}

impl Settings {
    pub(super) fn of(root: &Manifest) -> Self {
        let mut overrides = BTreeMap::new();
        // Bun reads `overrides` if there are any, and else `resolutions`.
        for field in ["resolutions", "overrides"] {
            let entries = root.json.get(field).and_then(Value::as_object).filter(|entries| !entries.is_empty());
            if let Some(entries) = entries {
                overrides = entries.iter().map(|(name, value)| (plain_name(name, field), value.clone())).collect();
            }
        }
        Self { overrides, catalogs: catalogs(root) }
    }

    /// The specifier that an override gives to a package. `Err` if it is one that depends on who asks.
    pub(super) fn overridden<'s>(&'s self, package: &str, root: &'s Manifest) -> Result<Option<&'s str>, Nested> {
        let is_nested = |value: &Value| value.as_object().is_some_and(|nested| nested.contains_key(package));
        match self.overrides.get(package) {
            Some(Value::String(text)) => match text.strip_prefix('$') {
                Some(name) => of_root(root, name).map(Some).ok_or(Nested),
                None => Ok(Some(text)),
            },
            Some(_) => Err(Nested),
            None if self.overrides.values().any(is_nested) => Err(Nested),
            None => Ok(None),
        }
    }
}

/// An override that depends on who asks.
pub(super) struct Nested;

fn of_root<'m>(root: &'m Manifest, package: &str) -> Option<&'m str> {
    root.dependencies.values().find_map(|specifiers| specifiers.get(package)).map(String::as_str)
}

/// `resolutions` may write `**/` before a name.
fn plain_name(name: &str, field: &str) -> String {
    if field == "resolutions" { name.trim_start_matches("**/").to_owned() } else { name.to_owned() }
}

fn catalogs(root: &Manifest) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut catalogs = BTreeMap::new();
    // Bun reads those in `workspaces` if there are any, and else those at the top.
    let workspaces = root.json.get("workspaces");
    let field = |name: &str| {
        let inner = workspaces.and_then(|workspaces| workspaces.get(name)).and_then(Value::as_object);
        inner.or_else(|| root.json.get(name).and_then(Value::as_object))
    };
    if let Some(default) = field("catalog") {
        catalogs.insert(String::new(), strings(default));
    }
    for (name, catalog) in field("catalogs").into_iter().flatten() {
        if let Some(catalog) = catalog.as_object() {
            catalogs.insert(name.clone(), strings(catalog));
        }
    }
    catalogs
}

fn strings(object: &serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    object.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// Returns the differences of overrides, without a verdict on them.
pub(super) fn changed_overrides(settings: &Settings, requests: &BunRequests) -> Vec<Drift> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    differing(&requests.overrides, &settings.overrides)
        .into_iter()
        .map(|(package, locked, specifier)| Drift::Override {
            package: package.to_owned(),
            locked: locked.map(text),
            specifier: specifier.map(text),
        })
        .collect()
}

/// Returns the differences of catalogs, without a verdict on them.
pub(super) fn changed_catalogs(settings: &Settings, requests: &BunRequests) -> Vec<Drift> {
    let none = BTreeMap::new();
    let names: std::collections::BTreeSet<_> = settings.catalogs.keys().chain(requests.catalogs.keys()).collect();
    let mut drifts = Vec::new();
    for catalog in names {
        let locked = requests.catalogs.get(catalog).unwrap_or(&none);
        let wanted = settings.catalogs.get(catalog).unwrap_or(&none);
        drifts.extend(differing(locked, wanted).into_iter().map(|(package, locked, specifier)| Drift::Catalog {
            catalog: catalog.clone(),
            package: package.to_owned(),
            locked: locked.cloned(),
            specifier: specifier.cloned(),
        }));
    }
    drifts
}

type Difference<'m, V> = (&'m str, Option<&'m V>, Option<&'m V>);

fn differing<'m, V: PartialEq>(
    locked: &'m BTreeMap<String, V>,
    wanted: &'m BTreeMap<String, V>,
) -> Vec<Difference<'m, V>> {
    let gone =
        locked.iter().filter(|(name, _)| !wanted.contains_key(*name)).map(|(name, value)| (name, Some(value), None));
    let other = wanted.iter().map(|(name, value)| (name, locked.get(name), Some(value)));
    other.chain(gone).filter(|(_, locked, wanted)| locked != wanted).map(|(name, a, b)| (name.as_str(), a, b)).collect()
}
