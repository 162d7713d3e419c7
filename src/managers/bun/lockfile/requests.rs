//! What a `bun.lock` records of the manifests: overrides, catalogs and the dependencies of packages.
//!
//! Bun itself ignores values of another type here, so they are no errors.

use std::collections::{BTreeMap, BTreeSet};

use jsonc_parser::ast::{Object, Value};

use crate::lockfile::{DependencyGroup, PackageRequest, json::to_serde};

/// Returns `overrides`.
pub(super) fn overrides(root: &Object<'_>) -> BTreeMap<String, serde_json::Value> {
    let overrides = root.get_object("overrides").into_iter().flat_map(|overrides| &overrides.properties);
    overrides.map(|property| (property.name.as_str().to_owned(), to_serde(&property.value))).collect()
}

/// Returns `catalog`, under the empty name, and `catalogs`.
pub(super) fn catalogs(root: &Object<'_>) -> BTreeMap<String, BTreeMap<String, String>> {
    let named = root.get_object("catalogs").into_iter().flat_map(|catalogs| &catalogs.properties);
    let named = named.filter_map(|catalog| Some((catalog.name.as_str(), catalog.value.as_object()?)));
    let default = root.get_object("catalog").map(|catalog| ("", catalog));
    named.chain(default).map(|(name, catalog)| (name.to_owned(), strings(catalog))).collect()
}

/// Returns `trustedDependencies`.
pub(super) fn trusted(root: &Object<'_>) -> Option<BTreeSet<String>> {
    let names = root.get_array("trustedDependencies")?.elements.iter();
    Some(names.filter_map(|name| Some(name.as_string_lit()?.value.as_ref().to_owned())).collect())
}

/// Returns the dependencies of each entry of `packages`, in the file's order.
pub(super) fn dependencies(root: &Object<'_>) -> Vec<Vec<PackageRequest>> {
    let entries = root.get_object("packages").into_iter().flat_map(|packages| &packages.properties);
    entries
        .map(|entry| {
            let elements = entry.value.as_array().map(|array| array.elements.as_slice()).unwrap_or_default();
            elements.iter().find_map(Value::as_object).map(package).unwrap_or_default()
        })
        .collect()
}

fn package(info: &Object<'_>) -> Vec<PackageRequest> {
    let mut requests = Vec::new();
    for group in DependencyGroup::ALL {
        for property in info.get_object(group.field()).into_iter().flat_map(|group| &group.properties) {
            let Some(specifier) = property.value.as_string_lit() else { continue };
            let name = property.name.as_str();
            requests.push(PackageRequest {
                package: name.to_owned(),
                specifier: specifier.value.as_ref().to_owned(),
                group,
                is_optional_peer: group == DependencyGroup::Peer && optional_peers(info).any(|peer| peer == name),
            });
        }
    }
    requests
}

/// Returns the names in `optionalPeers`.
pub(super) fn optional_peers<'o>(fields: &'o Object<'_>) -> impl Iterator<Item = &'o str> {
    let names = fields.get_array("optionalPeers").into_iter().flat_map(|names| &names.elements);
    names.filter_map(|name| Some(name.as_string_lit()?.value.as_ref()))
}

fn strings(object: &Object<'_>) -> BTreeMap<String, String> {
    let entries = object.properties.iter();
    entries
        .filter_map(|entry| {
            Some((entry.name.as_str().to_owned(), entry.value.as_string_lit()?.value.as_ref().to_owned()))
        })
        .collect()
}
