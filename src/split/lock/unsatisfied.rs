//! Descriptors of a Yarn 1 lockfile whose entry has a version that they do not admit. Yarn warns of an "incorrect entry", resolves
//! the descriptor anew from the registry, and accepts the lockfile. A build has no registry, so it is told which version to take.

use std::collections::BTreeMap;

use nodejs_semver::{Range, Version};

use crate::{
    lockfile::{LockedPackage, Lockfile, Requests, Resolution, split_name},
    repo::RepoPath,
    split::Workspaces,
};

/// Returns these descriptors, each with the version to take: the highest locked one that it admits, or else the lowest that it
/// admits at all. Yarn refuses those that the root's own dependencies ask for.
pub(in crate::split) fn find(lockfile: &Lockfile, workspaces: &Workspaces) -> BTreeMap<String, String> {
    let Requests::ByDescriptor(descriptors) = &lockfile.requests else { return BTreeMap::new() };
    let root = workspaces.get(&RepoPath::root());
    let is_of_root = |name: &str, range: &str| {
        root.is_some_and(|root| {
            root.dependencies.values().any(|asked| asked.get(name).is_some_and(|asked| asked == range))
        })
    };
    let mut found = BTreeMap::new();
    for (descriptor, index) in descriptors {
        let Some((name, range)) = split_name(descriptor) else { continue };
        let Some(version) = version(&lockfile.packages[*index]) else { continue };
        if is_plainly_admitted(range, version) || is_of_root(name, range) {
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
    use crate::{managers::yarn_lock, split::Manifest};

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
        ]
        .concat();
        let lockfile = yarn_lock::parse(&text).unwrap();
        let root = Manifest::parse("package.json", r#"{"devDependencies": {"root": "^2.0.0"}}"#).unwrap();
        let found = find(&lockfile, &Workspaces::from([(RepoPath::root(), root)]));
        let found: Vec<_> = found.iter().map(|(descriptor, version)| format!("{descriptor} {version}")).collect();
        assert_eq!(found, ["@s/b@^1.0.0 1.0.0", "a@^4.0.3 4.0.7", "a@^5.1.0 5.1.0"]);
    }
}
