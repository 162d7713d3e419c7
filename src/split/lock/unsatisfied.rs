//! Descriptors of a Yarn 1 lockfile whose entry has a version that they do not admit. Yarn warns of an "incorrect entry", resolves
//! the descriptor anew from the registry, and accepts the lockfile. A build has no registry, so it is told which version to take.

use std::collections::{BTreeMap, BTreeSet};

use nodejs_semver::{Range, Version};

use crate::{
    lockfile::{LockedPackage, Lockfile, Requests, Resolution, split_name},
    repo::RepoPath,
    split::{Manifest, Workspaces},
};

/// Returns these descriptors, each with the version to take: the highest locked one that it admits, or else the lowest that it
/// admits at all: then the package stays the locked one, and only claims that version. Yarn refuses those that the root's own dependencies ask for.
pub(in crate::split) fn find(lockfile: &Lockfile, workspaces: &Workspaces) -> BTreeMap<String, String> {
    let Requests::ByDescriptor(locked) = &lockfile.requests else { return BTreeMap::new() };
    let root = workspaces.get(&RepoPath::root());
    let is_of_root = |name: &str, range: &str| {
        root.is_some_and(|root| {
            root.dependencies.values().any(|asked| asked.get(name).is_some_and(|asked| asked == range))
        })
    };
    let resolutions = root.map(resolutions).unwrap_or_default();
    let mut found = BTreeMap::new();
    for (descriptor, index) in &locked.descriptors {
        let Some((name, range)) = split_name(descriptor) else { continue };
        let Some(version) = version(&lockfile.packages[*index]) else { continue };
        if is_plainly_admitted(range, version) || is_of_root(name, range) || resolutions.replace(name, descriptor) {
            continue;
        }
        let (Ok(admitted), Ok(version)) = (Range::parse(range), Version::parse(version)) else { continue };
        if admitted.satisfies(&version) {
            continue;
        }
        let of_name = lockfile.packages.iter().filter(|package| package.name == name);
        let versions = of_name.filter_map(self::version).filter_map(|version| Version::parse(version).ok());
        let locked = versions.filter(|version| admitted.satisfies(version)).max();
        found
            .extend(locked.or_else(|| admitted.min_version()).map(|version| (descriptor.clone(), version.to_string())));
    }
    found
}

/// What the root's `resolutions` say of all packages with a name.
#[derive(Default)]
struct Resolutions {
    /// The names whose requests they all replace, wherever they come from.
    names: BTreeSet<String>,
    /// The descriptors that replace them.
    descriptors: BTreeSet<String>,
}

impl Resolutions {
    /// Whether Yarn never looks up a descriptor, because another one replaces it.
    fn replace(&self, name: &str, descriptor: &str) -> bool {
        self.names.contains(name) && !self.descriptors.contains(descriptor)
    }
}

fn resolutions(root: &Manifest) -> Resolutions {
    let mut found = Resolutions::default();
    for (pattern, range) in root.json.get("resolutions").and_then(serde_json::Value::as_object).into_iter().flatten() {
        let (name, is_everywhere) = match pattern.strip_prefix("**/").unwrap_or(pattern) {
            name if !name.trim_start_matches('@').contains('/')
                || (name.starts_with('@') && name.matches('/').count() == 1) =>
            {
                (name, true)
            }
            path => (last_name(path), false),
        };
        if is_everywhere {
            found.names.insert(name.to_owned());
        }
        found.descriptors.extend(range.as_str().map(|range| format!("{name}@{range}")));
    }
    found
}

/// Returns the package at the end of a path of packages.
fn last_name(path: &str) -> &str {
    let Some((folders, name)) = path.rsplit_once('/') else { return path };
    let scope = folders.rfind('/').map_or(0, |slash| slash + 1);
    if folders[scope..].starts_with('@') { &path[scope..] } else { name }
}

fn version(package: &LockedPackage) -> Option<&str> {
    match &package.resolution {
        Resolution::Registry { version, .. } => Some(version),
        _ => None,
    }
}

/// Whether a caret range, an exact version or `*` admits a version, without parsing: thousands of descriptors do.
fn is_plainly_admitted(range: &str, version: &str) -> bool {
    if range == version || range == "*" {
        return true;
    }
    let numbers = |text: &str| -> Option<[u64; 3]> {
        let parts: Vec<u64> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    match (range.strip_prefix('^').and_then(numbers), numbers(version)) {
        (Some(from), Some(found)) => from[0] > 0 && from[0] == found[0] && from[1..] <= found[1..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managers::yarn_lock;

    #[test]
    fn descriptors_that_their_entry_does_not_satisfy_get_another_version() {
        let entry = |keys: &str, version: &str| {
            format!(
                "{keys}:\n  version \"{version}\"\n  resolved \"https://registry.example/a/-/a-{version}.tgz#00\"\n\n"
            )
        };
        let text = [
            "# yarn lockfile v1\n\n",
            &entry("a@^2.3.1, a@^4.0.3, a@^5.1.0, a@latest", "2.3.2"),
            &entry("a@^4.0.4", "4.0.7"),
            &entry("\"@s/b@^1.0.0\", \"@s/b@>= 2\"", "2.0.0"),
            &entry("root@^2.0.0", "1.0.0"),
            &entry("zero@^0.2.0", "0.2.9"),
            &entry("c@1, c@^2.0.0, c@^3.0.0", "1.0.0"),
        ]
        .concat();
        let lockfile = yarn_lock::parse(&text).unwrap();
        let root = r#"{"devDependencies": {"root": "^2.0.0"}, "resolutions": {"x/a": "^4.0.3", "c": "1", "**/y/c": "^3.0.0"}}"#;
        let root = Manifest::parse("package.json", root).unwrap();
        let found = find(&lockfile, &Workspaces::from([(RepoPath::root(), root)]));
        let found: Vec<_> = found.iter().map(|(descriptor, version)| format!("{descriptor} {version}")).collect();
        assert_eq!(found, ["@s/b@^1.0.0 1.0.0", "a@^4.0.3 4.0.7", "a@^5.1.0 5.1.0", "c@^3.0.0 3.0.0"]);
    }
}
