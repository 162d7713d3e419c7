//! Files that install scripts download: `downloads` in `splitter.json`.
//!
//! They join the dependency list like tarballs at a URL, so they are fetched, recorded and checked in the same way. While
//! scripts run, the build serves the files under their original hosts. The user only has to find out the URLs.

use std::collections::BTreeMap;

use jsonc_parser::{ast::Value, common::Ranged};
use url::Url;

use crate::split::{
    SplitError, System,
    lock::dependencies::{Dependency, Form, Scope, merge, url_path},
};
use crate::{
    lockfile::json::{Document, JsonError},
    secrets,
};

/// Whether a text can name a package in `splitter.json`, with or without a version.
pub(in crate::split) fn may_be_package(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"*\"'\\".contains(&byte))
}

/// A file that an install script downloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The URL that the script requests.
    pub url: Url,
    /// The systems where the script requests it. Empty means all.
    pub systems: Vec<System>,
}

/// Reads `downloads`: for each package a list of URLs, or of objects with `url` and `systems`. The parameter `systems` reads
/// a list of systems.
pub(in crate::split) fn read(
    document: &Document<'_>,
    value: &Value<'_>,
    systems: impl Fn(&Value<'_>) -> Result<Vec<System>, JsonError>,
) -> Result<BTreeMap<String, Vec<Download>>, JsonError> {
    let mut all = BTreeMap::new();
    for property in &document.as_object(value)?.properties {
        if !may_be_package(property.name.as_str()) {
            let found = format!("the key \"{}\"", property.name.as_str());
            return Err(document.unexpected_at(property.range.start, "the name of a package", &found));
        }
        let mut list = Vec::new();
        for element in &document.as_array(&property.value)?.elements {
            list.push(match element {
                Value::Object(object) => {
                    let (mut found, mut on) = (None, Vec::new());
                    for property in &object.properties {
                        match property.name.as_str() {
                            "url" => found = Some(url(document, &property.value)?),
                            "systems" => on = systems(&property.value)?,
                            _ => {
                                let key = format!("the key \"{}\"", property.name.as_str());
                                return Err(document.unexpected_at(property.range.start, "`url` or `systems`", &key));
                            }
                        }
                    }
                    let url = found.ok_or_else(|| {
                        document.unexpected_at(object.range.start, "an object with `url`", "an object without it")
                    })?;
                    Download { url, systems: on }
                }
                _ => Download { url: url(document, element)?, systems: Vec::new() },
            });
        }
        all.insert(property.name.as_str().to_owned(), list);
    }
    Ok(all)
}

/// Reads a URL. It must hold no secret, because it is recorded.
fn url(document: &Document<'_>, value: &Value<'_>) -> Result<Url, JsonError> {
    let expected = "an `https:` or `http:` URL without user name, password or token";
    let wrong = |found: &str| document.unexpected_at(value.range().start, expected, found);
    let mut url = Url::parse(document.as_str(value)?).map_err(|_| wrong("a string that is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(&format!("a URL that begins with `{}:`", url.scheme())));
    }
    if secrets::has_secret(&url) {
        return Err(wrong("a URL with credentials"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Adds downloads to the dependency list and keeps it sorted by path.
pub(in crate::split) fn add(
    list: &mut Vec<Dependency>,
    downloads: &BTreeMap<String, Vec<Download>>,
    systems: &[System],
) -> Result<(), SplitError> {
    for (name, download) in downloads.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one))) {
        let scope = if download.systems.is_empty() {
            Scope::Common
        } else {
            Scope::Systems(systems.iter().copied().filter(|system| download.systems.contains(system)).collect())
        };
        if scope.is_empty() {
            continue;
        }
        let dependency = Dependency {
            path: url_path(&download.url),
            label: format!("download of {name} ({})", download.url),
            name: name.clone(),
            url: Some(download.url.clone()),
            form: Form::Verbatim,
            integrity: None,
            scope: Some(scope),
        };
        match list.binary_search_by(|known| known.path.cmp(&dependency.path)) {
            Ok(at) => merge(&mut list[at], dependency)?,
            Err(at) => list.insert(at, dependency),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostic::Diagnose as _, split::config};

    fn listed(downloads: &str, systems: &[System]) -> Vec<String> {
        let config = config::parse(&format!(r#"{{"downloads": {downloads}}}"#)).unwrap();
        let mut list = Vec::new();
        add(&mut list, &config.downloads, systems).unwrap();
        list.iter().map(|entry| format!("{} {:?}", entry.path, entry.scope)).collect()
    }

    #[test]
    fn they_are_listed_by_path_on_the_systems_that_they_are_for() {
        let text = r#"{
            "electron": [{"url": "https://files.example/b.zip", "systems": ["x86_64-linux"]},
                {"url": "https://files.example/b.zip", "systems": ["aarch64-linux"]},
                {"url": "https://files.example/c.zip", "systems": ["aarch64-darwin"]}],
            "@scope/tool": ["https://files.example/a.gz"],
        }"#;
        assert_eq!(
            listed(text, &[System::Aarch64Linux, System::X8664Linux]),
            [
                "url/files.example/a.gz Some(Common)",
                "url/files.example/b.zip Some(Systems({Aarch64Linux, X8664Linux}))",
            ]
        );
    }

    #[test]
    fn what_cannot_be_recorded_is_refused_with_its_place() {
        let error = |text: &str| config::parse(&format!("{{\n\"downloads\": {text}}}")).unwrap_err();
        for (text, place) in [
            (r#"["x"]"#, "splitter.json:2:14"),
            (r#"{"x": "https://files.example/"}"#, "splitter.json:2:20"),
            (r#"{"*": []}"#, "splitter.json:2:15"),
            (r#"{"x": ["files.example/a"]}"#, "splitter.json:2:21"),
            (r#"{"x": ["ftp://files.example/a"]}"#, "splitter.json:2:21"),
            (r#"{"x": ["https://me:secret@files.example/a"]}"#, "splitter.json:2:21"),
            (r#"{"x": ["https://files.example/a?token=secret"]}"#, "splitter.json:2:21"),
            (r#"{"x": [{"systems": []}]}"#, "splitter.json:2:21"),
            (r#"{"x": [{"url": "https://files.example/a", "system": "x"}]}"#, "splitter.json:2:56"),
        ] {
            let error = error(text);
            assert_eq!(error.location().unwrap().to_string(), place, "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
