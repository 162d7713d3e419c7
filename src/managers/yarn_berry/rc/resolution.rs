//! The settings of a `.yarnrc.yml` that decide what Yarn writes into its lockfile.

use std::collections::BTreeMap;

use super::{Node, Settings, Value, YarnRcError, expanded, flag, variables};
use crate::lockfile::split_name;

/// Settings that decide how ranges become packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolutionSettings {
    /// `defaultProtocol`, if set: what Yarn puts before versions and tags.
    pub default_protocol: Option<String>,
    /// `enableTransparentWorkspaces`, if set: whether a range that fits a workspace means the workspace.
    pub transparent_workspaces: Option<bool>,
    /// `compressionLevel`, if set. It is part of the `cacheKey` in the lockfile.
    pub compression_level: Option<String>,
    /// `catalogs`, and `catalog` with an empty name: package, then range.
    pub catalogs: BTreeMap<String, BTreeMap<String, String>>,
    /// The dependencies in `packageExtensions`.
    pub extensions: Vec<PackageExtension>,
}

/// An entry of `packageExtensions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageExtension {
    /// The package.
    pub package: String,
    /// The range of its versions.
    pub range: String,
    /// The dependencies that it gets.
    pub dependencies: BTreeMap<String, String>,
}

impl ResolutionSettings {
    pub(super) fn of(settings: &Settings<'_>) -> Result<Self, YarnRcError> {
        let mut catalogs = BTreeMap::new();
        if let Some(node) = settings.node("catalog") {
            catalogs.insert(String::new(), ranges(node));
        }
        if let Some(Node { value: Value::Mapping(fields), .. }) = settings.node("catalogs") {
            catalogs.extend(fields.iter().map(|(name, node)| (name.clone(), ranges(node))));
        }
        let text = |key| match settings.setting(key)? {
            Some(setting) => expanded(settings, key, &setting).map(Some),
            None => Ok(None),
        };
        Ok(Self {
            default_protocol: text("defaultProtocol")?,
            transparent_workspaces: flag(settings, "enableTransparentWorkspaces")?,
            compression_level: text("compressionLevel")?,
            catalogs,
            extensions: settings.node("packageExtensions").map(extensions).unwrap_or_default(),
        })
    }
}

fn extensions(node: &Node) -> Vec<PackageExtension> {
    let Value::Mapping(fields) = &node.value else { return Vec::new() };
    let extension = |(key, node): (&String, &Node)| {
        let (package, range) = split_name(key)?;
        let Value::Mapping(fields) = &node.value else { return None };
        let dependencies = fields.get("dependencies").map(ranges).unwrap_or_default();
        Some(PackageExtension { package: package.to_owned(), range: range.to_owned(), dependencies })
    };
    fields.iter().filter_map(extension).collect()
}

/// Returns the strings of a mapping, with the defaults of their variables.
fn ranges(node: &Node) -> BTreeMap<String, String> {
    let Value::Mapping(fields) = &node.value else { return BTreeMap::new() };
    let range = |(package, node): (&String, &Node)| match &node.value {
        Value::Text(text) => Some((package.clone(), variables::expand(text, &|_| None).ok()?)),
        _ => None,
    };
    fields.iter().filter_map(range).collect()
}
