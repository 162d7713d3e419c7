//! Expresses the difference between two lists of tarballs as packages and versions.

use std::collections::BTreeMap;

/// Returns the name and version in the path of a tarball, or the path itself if the tarball does not come from a registry.
pub fn name_and_version(path: &str) -> (String, String) {
    let parts = path.strip_prefix("npm/").and_then(|rest| rest.split_once("/-/"));
    let Some((name, file)) = parts else { return (path.to_owned(), String::new()) };
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem = file.strip_suffix(".tgz").unwrap_or(file);
    let version = stem.strip_prefix(base).and_then(|rest| rest.strip_prefix('-')).unwrap_or(stem);
    (name.to_owned(), version.to_owned())
}

/// The removed and added versions of a package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    pub(super) from: Vec<String>,
    pub(super) to: Vec<String>,
}

/// Groups packages by name. `gone` are the removed or changed ones, `come` the added or changed ones, each as name and version.
pub(super) fn by_name(
    gone: impl Iterator<Item = (String, String)>,
    come: impl Iterator<Item = (String, String)>,
) -> BTreeMap<String, Versions> {
    let mut changes: BTreeMap<String, Versions> = BTreeMap::new();
    for (name, version) in gone {
        changes.entry(name).or_default().from.push(version);
    }
    for (name, version) in come {
        changes.entry(name).or_default().to.push(version);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_name_and_version() {
        for (path, expected) in [
            ("npm/react/-/react-19.1.0.tgz", ("react", "19.1.0")),
            ("npm/react/-/react-19.0.0-rc.1.tgz", ("react", "19.0.0-rc.1")),
            ("npm/@a/b-c/-/b-c-1.0.0.tgz", ("@a/b-c", "1.0.0")),
            ("url/cdn.example/x.tgz", ("url/cdn.example/x.tgz", "")),
        ] {
            let (name, version) = name_and_version(path);
            assert_eq!((name.as_str(), version.as_str()), expected);
        }
    }
}
