//! `package.json`, read for what the split needs.
//!
//! Format: <https://docs.npmjs.com/cli/configuring-npm/package-json>, with Bun's `workspaces.catalog`,
//! `trustedDependencies` and `patchedDependencies`.

use std::collections::BTreeMap;

use jsonc_parser::{
    ast::{Object, Value},
    common::Ranged,
};

use crate::split::{SplitError, Workspaces, workspaces::patterns::Place};
use crate::{
    diagnostic::{Location, Position},
    lockfile::{
        DependencyGroup,
        json::{Counts, Dialect, Document, DuplicateKey, JsonError, to_serde},
        split_name,
    },
    managers::{ManagerName, installer_fields::INSTALLER_FIELDS},
    repo::RepoPath,
    secrets::{self, masked},
};

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// The package's name, empty where it has none.
    pub name: String,
    /// The workspace patterns, where the manifest has any.
    pub workspaces: Option<Vec<String>>,
    /// What it asks for: group, then package, then specifier.
    pub dependencies: BTreeMap<DependencyGroup, BTreeMap<String, String>>,
    /// Its scripts.
    pub scripts: BTreeMap<String, String>,
    /// The package manager that it pins: `bun@1.4.4`, without a hash after `+`.
    pub package_manager: Option<String>,
    /// Patches: `name@version` to the patch file.
    pub patches: BTreeMap<String, String>,
    /// What it links to.
    pub links: Vec<LinkRequest>,
    /// What it has others link to (`resolutions`, `overrides`).
    pub links_for_all: Vec<LinkRequest>,
    /// Where its folder really is, if the path of the workspace leads through links.
    pub(in crate::split) place: Option<Place>,
    /// Its duplicate keys.
    pub(in crate::split) duplicates: Vec<DuplicateKey>,
    /// Whether only Bun reads it as Bun does: it is no plain JSON, or it has duplicate keys.
    pub is_loose: bool,
    /// All of it.
    pub json: serde_json::Value,
}

/// A dependency whose specifier leads to a place in the repository by itself, and not by the package's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    /// The package.
    pub package: String,
    /// `link:<path>`, `portal:<path>` or, of Bun, `workspace:<name>@<range>`.
    pub specifier: String,
    /// Where it stands.
    pub position: Position,
}

impl LinkRequest {
    fn is_one(specifier: &str) -> bool {
        ["link:", "portal:"].iter().any(|start| specifier.starts_with(start))
            || specifier.strip_prefix("workspace:").and_then(split_name).is_some()
    }

    /// What stands behind the protocol.
    pub(in crate::split) fn target(&self) -> &str {
        self.specifier.split_once(':').map_or("", |(_, target)| target)
    }

    /// The name of the workspace that it is, where it is one under another name.
    pub(in crate::split) fn workspace_name(&self) -> Option<&str> {
        self.specifier.strip_prefix("workspace:").and_then(split_name).map(|(name, _)| name)
    }
}

impl Manifest {
    /// Reads the text of the manifest at `path`, and refuses it if a URL in what an installer reads holds a secret.
    pub(in crate::split) fn read(path: &RepoPath, text: &str, manager: ManagerName) -> Result<Self, SplitError> {
        let manifest = Self::parse_as(path.as_str(), text, manager)?;
        if secrets::find(text).is_some() {
            secrets::refuse_in(path.as_str(), &manifest.normalised().to_string(), text)?;
        }
        Ok(manifest)
    }

    /// Reads the text of the manifest at `file`, which is plain JSON.
    pub fn parse(file: &str, text: &str) -> Result<Self, JsonError> {
        Self::parse_as(file, text, ManagerName::YarnBerry)
    }

    /// Reads the text of the manifest at `file` as a package manager does. Bun allows comments, trailing commas and single quotes.
    pub(in crate::split) fn parse_as(file: &str, text: &str, manager: ManagerName) -> Result<Self, JsonError> {
        let is_bun = manager == ManagerName::Bun;
        let dialect = if is_bun { Dialect::Bun } else { Dialect::Json };
        let (document, duplicates) =
            Document::parse_with(file, text, dialect, |path| Some(if is_bun { counts(path) } else { Counts::Last }))?;
        let root = document.object()?;
        let is_loose = is_bun && (!duplicates.is_empty() || !is_plain(text));
        let mut manifest =
            Self { json: to_serde(&Value::Object(root.clone())), duplicates, is_loose, ..Self::default() };
        manifest.name = string(&document, root, "name")?.unwrap_or_default();
        manifest.package_manager =
            string(&document, root, "packageManager")?.map(|pin| masked(pin.split('+').next().unwrap_or_default()));
        manifest.workspaces = workspaces(&document, root)?;
        manifest.scripts = strings(&document, root, "scripts")?;
        manifest.patches = strings(&document, root, "patchedDependencies")?;
        for group in DependencyGroup::ALL {
            let specifiers = strings(&document, root, group.field())?;
            if specifiers.values().any(|specifier| LinkRequest::is_one(specifier)) {
                links(&document, root.get_object(group.field()), &mut manifest.links);
            }
            if !specifiers.is_empty() {
                manifest.dependencies.insert(group, specifiers);
            }
        }
        for field in ["resolutions", "overrides"] {
            links(&document, root.get_object(field), &mut manifest.links_for_all);
        }
        Ok(manifest)
    }

    /// Returns a warning for each duplicate key.
    pub(in crate::split) fn warnings<'a>(
        &'a self,
        path: &'a RepoPath,
        manager: ManagerName,
    ) -> impl Iterator<Item = String> + use<'a> {
        self.duplicates.iter().map(move |DuplicateKey { position, key, counts }| {
            let counts = if *counts == Counts::First { "first" } else { "last" };
            let place = Location::at(path.as_str(), *position);
            format!("{place}: duplicate key `{key}`; {} uses the {counts} one", manager.title())
        })
    }

    /// Whether any group asks for the package.
    pub fn depends_on(&self, package: &str) -> bool {
        self.dependencies.values().any(|specifiers| specifiers.contains_key(package))
    }

    /// The manifest reduced to what an installer reads.
    pub fn normalised(&self) -> serde_json::Value {
        let kept =
            INSTALLER_FIELDS.manifest.iter().filter_map(|field| Some((field.clone(), self.json.get(field)?.clone())));
        serde_json::Value::Object(kept.collect())
    }

    /// The folder that holds the files of this workspace, whose path is `path`.
    pub(in crate::split) fn real_or<'a>(&'a self, path: &'a RepoPath) -> &'a RepoPath {
        self.place.as_ref().map_or(path, |place| &place.real)
    }

    /// The digest (blake3, hexadecimal) of the normalised manifest.
    pub fn digest(&self) -> String {
        digest_of(&self.normalised())
    }

    /// The manifest of the root, reduced in the same way. An install reads its version only for workspaces that depend on the root, so
    /// a release does not install again.
    pub(in crate::split) fn normalised_root(&self, workspaces: &Workspaces) -> serde_json::Value {
        let mut normalised = self.normalised();
        let is_needed = !self.name.is_empty() && workspaces.values().any(|other| other.depends_on(&self.name));
        if let Some(fields) = normalised.as_object_mut().filter(|_| !is_needed) {
            fields.remove("version");
        }
        normalised
    }
}

/// The digest (blake3, hexadecimal) of a normalised manifest.
pub(in crate::split) fn digest_of(normalised: &serde_json::Value) -> String {
    blake3::hash(normalised.to_string().as_bytes()).to_hex().to_string()
}

/// Returns which of several equal keys counts for Bun, in the object at a path of keys. Bun looks up fields, and finds the first
/// one. It copies other objects key by key into maps, where a later entry replaces an earlier one.
fn counts(path: &[String]) -> Counts {
    match path {
        [] => Counts::First,
        [key] if key == "workspaces" || DependencyGroup::ALL.iter().any(|group| group.field() == key) => Counts::First,
        _ => Counts::Last,
    }
}

/// Adds the links among the values of an object, and of those in it.
fn links(document: &Document<'_>, object: Option<&Object<'_>>, found: &mut Vec<LinkRequest>) {
    for property in object.into_iter().flat_map(|object| &object.properties) {
        if let Some(object) = property.value.as_object() {
            links(document, Some(object), found);
        }
        let text = property.value.as_string_lit().map_or("", |text| text.value.as_ref());
        if LinkRequest::is_one(text) {
            found.push(LinkRequest {
                package: property.name.as_str().to_owned(),
                specifier: text.to_owned(),
                position: document.position(property.range.start),
            });
        }
    }
}

fn string(document: &Document<'_>, object: &Object<'_>, key: &str) -> Result<Option<String>, JsonError> {
    object.get(key).map(|property| document.as_str(&property.value).map(str::to_owned)).transpose()
}

/// A map of strings. Values that are no strings (npm allows what it ignores) are passed over in `scripts` alone;
/// elsewhere they are an error, since an installer would refuse them too.
fn strings(document: &Document<'_>, object: &Object<'_>, key: &str) -> Result<BTreeMap<String, String>, JsonError> {
    let Some(property) = object.get(key) else { return Ok(BTreeMap::new()) };
    let mut strings = BTreeMap::new();
    for entry in &document.as_object(&property.value)?.properties {
        let name = entry.name.as_str();
        match document.as_str(&entry.value) {
            Ok(text) => strings.insert(name.to_owned(), text.to_owned()),
            Err(_) if key == "scripts" => continue,
            Err(error) => return Err(error),
        };
        if key != "scripts" && name.chars().any(char::is_control) {
            return Err(document.unexpected_at(entry.range.start, "a package name", "a control character in it"));
        }
    }
    Ok(strings)
}

/// `workspaces` is an array of patterns, or an object whose `packages` is one.
fn workspaces(document: &Document<'_>, root: &Object<'_>) -> Result<Option<Vec<String>>, JsonError> {
    let Some(property) = root.get("workspaces") else { return Ok(None) };
    let patterns = match &property.value {
        Value::Array(patterns) => patterns,
        Value::Object(object) => match object.get("packages") {
            Some(packages) => document.as_array(&packages.value)?,
            None => return Ok(Some(Vec::new())),
        },
        value => return Err(document.unexpected(value, "an array of patterns, or an object with `packages`")),
    };
    let mut texts = Vec::new();
    for element in &patterns.elements {
        let text = document.as_str(element)?;
        if text.chars().any(char::is_control) {
            return Err(document.unexpected_at(element.range().start, "a pattern", "a control character in it"));
        }
        texts.push(text.to_owned());
    }
    Ok(Some(texts))
}

/// Whether a text is plain JSON, but for a byte order mark.
fn is_plain(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse("package.json", text).unwrap()
    }

    #[test]
    fn workspaces_have_an_array_and_an_object_form() {
        assert_eq!(manifest(r#"{"workspaces": ["a/*"]}"#).workspaces.unwrap(), ["a/*"]);
        assert_eq!(manifest(r#"{"workspaces": {"packages": ["a/*"], "catalog": {}}}"#).workspaces.unwrap(), ["a/*"]);
        assert_eq!(manifest("{}").workspaces, None);
        let error = Manifest::parse("package.json", r#"{"workspaces": "a"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected an array of patterns, or an object with `packages`, found the string \"a\""
        );
    }

    #[test]
    fn the_digest_is_of_what_an_installer_reads() {
        let base = manifest(r#"{"name": "a", "dependencies": {"x": "1", "y": "2"}}"#).digest();
        let same = manifest(
            r#"{"description": "d", "scripts": {"build": "x"}, "dependencies": {"y": "2", "x": "1"}, "name": "a"}"#,
        );
        assert_eq!(same.digest(), base);
        assert_ne!(manifest(r#"{"name": "a", "dependencies": {"x": "1", "y": "3"}}"#).digest(), base);
        assert_ne!(manifest(r#"{"name": "a", "bin": "b.js", "dependencies": {"x": "1", "y": "2"}}"#).digest(), base);
    }

    #[test]
    fn the_roots_version_counts_if_a_workspace_depends_on_the_root() {
        let root = manifest(r#"{"name": "acme", "version": "1.0.0", "private": true}"#);
        let with = |text: &str| {
            let workspaces =
                Workspaces::from([(RepoPath::root(), root.clone()), (RepoPath::root().child("a"), manifest(text))]);
            root.normalised_root(&workspaces).to_string()
        };
        assert_eq!(with("{}"), r#"{"name":"acme","private":true}"#);
        assert!(with(r#"{"dependencies": {"acme": "workspace:^1.0.0"}}"#).contains("1.0.0"));
    }

    #[test]
    fn a_number_survives_normalising() {
        let first = manifest(r#"{"cpu": 10777777777777777777677777777777777777777777000000740348991}"#);
        assert_eq!(manifest(&first.normalised().to_string()).digest(), first.digest());
    }

    #[test]
    fn a_specifier_must_be_a_string() {
        let error = Manifest::parse("a/package.json", "{\n \"dependencies\": {\"x\": 1}}").unwrap_err();
        assert_eq!(error.to_string(), "expected a string, found the number 1");
    }

    #[test]
    fn comments_are_for_bun_and_equal_keys_for_all() {
        let of_bun = |text| Manifest::parse_as("package.json", text, ManagerName::Bun).unwrap();
        assert_eq!(of_bun("{ // the root\n'name': \"r\", /* x */ \"workspaces\": [\"a\",],}").name, "r");
        assert_eq!(Manifest::parse("package.json", "{ // x\n}").unwrap_err().to_string(), "comments are not allowed");
        let text =
            r#"{"name": "a", "scripts": {"s": "1", "s": "2"}, "dependencies": {"x": "1", "x": "2"}, "name": "b"}"#;
        let parts = |manifest: &Manifest| {
            let of = &manifest.dependencies[&DependencyGroup::Runtime]["x"];
            format!("{} {} {of}", manifest.name, manifest.scripts["s"])
        };
        // As Bun 1.2 to 1.4 and as Yarn 1 to 4.
        assert_eq!(parts(&of_bun(text)), "a 2 1");
        assert_eq!(parts(&manifest(text)), "b 2 2");
        let path = RepoPath::root().child("package.json");
        let warnings: Vec<String> = of_bun(text).warnings(&path, ManagerName::Bun).collect();
        assert_eq!(
            warnings,
            [
                "package.json:1:86: duplicate key `name`; Bun uses the first one",
                "package.json:1:37: duplicate key `s`; Bun uses the last one",
                "package.json:1:75: duplicate key `x`; Bun uses the first one",
            ]
        );
    }

    #[test]
    fn the_pin_is_read_without_its_hash() {
        let pin = manifest(r#"{"packageManager": "bun@1.4.4+sha512.abc"}"#).package_manager;
        assert_eq!(pin.as_deref(), Some("bun@1.4.4"));
    }
}
