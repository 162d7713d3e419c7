//! Finds out who gets each package of a lockfile: workspaces whose manifests ask for it, and packages that require it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Split,
    lookup::{Lookup, Target, is_package, requests},
};
use crate::{
    lockfile::{LockedPackage, Resolution},
    repo::RepoPath,
};

/// Who gets each package, by the number of the package in the lockfile.
pub struct Askers<'a> {
    split: &'a Split,
    by_package: BTreeMap<usize, Numbers<'a>>,
}

/// Who gets a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The workspaces whose manifests lead to it.
    pub workspaces: BTreeSet<RepoPath>,
    /// The packages that require it, as `name@version`.
    pub packages: BTreeSet<String>,
}

#[derive(Default)]
struct Numbers<'a> {
    workspaces: BTreeSet<&'a RepoPath>,
    packages: BTreeSet<usize>,
}

impl<'a> Askers<'a> {
    /// Follows the dependencies of all manifests and packages.
    pub fn of(split: &'a Split) -> Self {
        let lookup = Lookup::of(&split.lockfile, &split.manifests);
        let packages = &split.lockfile.packages;
        let mut by_package: BTreeMap<usize, Numbers<'a>> = BTreeMap::new();
        let only = Only::of(packages);
        for (path, manifest) in &split.manifests {
            for (_, name, range) in requests(manifest) {
                if let Some(index) = only.or(lookup.of_workspace(path, manifest, name, range), name) {
                    by_package.entry(index).or_default().workspaces.insert(path);
                }
            }
        }
        for (asker, package) in packages.iter().enumerate().filter(|(_, package)| is_package(package)) {
            for dependency in &package.dependencies {
                if let Target::Package(index) = lookup.of_package(package, &dependency.name, &dependency.range) {
                    by_package.entry(index).or_default().packages.insert(asker);
                }
            }
        }
        let mut askers = Self { split, by_package };
        askers.pass_patches_on();
        askers
    }

    /// Those that get a patched package also get the package that is patched.
    fn pass_patches_on(&mut self) {
        let packages = &self.split.lockfile.packages;
        let by_key: BTreeMap<&str, usize> =
            packages.iter().enumerate().map(|(index, package)| (package.key.as_str(), index)).collect();
        for (patched, package) in packages.iter().enumerate() {
            let Resolution::Patched { source, .. } = &package.resolution else { continue };
            let Some(source) = by_key.get(source.as_str()) else { continue };
            let Some(Numbers { workspaces, packages }) = self.by_package.remove(&patched) else { continue };
            let of_source = self.by_package.entry(*source).or_default();
            of_source.workspaces.extend(workspaces);
            of_source.packages.extend(packages);
        }
    }

    /// Iterates over the packages that anyone gets.
    pub fn iter(&self) -> impl Iterator<Item = (&'a LockedPackage, Asked)> {
        self.by_package.keys().map(|index| (&self.split.lockfile.packages[*index], self.get(*index)))
    }

    /// Returns who gets a package. `index` is its number in the lockfile.
    pub fn get(&self, index: usize) -> Asked {
        let Some(numbers) = self.by_package.get(&index) else { return Asked::default() };
        let packages = &self.split.lockfile.packages;
        Asked {
            workspaces: numbers.workspaces.iter().map(|path| (*path).clone()).collect(),
            packages: numbers.packages.iter().map(|index| packages[*index].label()).collect(),
        }
    }

    /// Returns the workspaces that get a package, through other packages too.
    pub fn users(&self, index: usize) -> BTreeSet<&'a RepoPath> {
        let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::from([index]), vec![index]);
        while let Some(index) = open.pop() {
            let Some(numbers) = self.by_package.get(&index) else { continue };
            found.extend(&numbers.workspaces);
            open.extend(numbers.packages.iter().filter(|index| seen.insert(**index)));
        }
        found
    }
}

/// The packages whose name only one package has. An unknown descriptor leads there: a catalog may have replaced it.
struct Only<'a>(BTreeMap<&'a str, Option<usize>>);

impl<'a> Only<'a> {
    fn of(packages: &'a [LockedPackage]) -> Self {
        let mut only = BTreeMap::new();
        for (index, package) in packages.iter().enumerate().filter(|(_, package)| is_package(package)) {
            only.entry(package.name.as_str()).and_modify(|known| *known = None).or_insert(Some(index));
        }
        Self(only)
    }

    fn or(&self, target: Target<'_>, name: &str) -> Option<usize> {
        match target {
            Target::Package(index) => Some(index),
            Target::Workspace(_) => None,
            Target::Nothing => self.0.get(name).copied().flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::Choices};

    /// Returns who gets each package, as `is-number@7.0.0: the root | odd@1.0.0`.
    fn asked(files: &[(&str, &str)]) -> Vec<String> {
        let tree = MemoryTree::new(files.iter().copied());
        let split = Split::read(&tree, &Choices::default()).unwrap();
        let shown = |(package, asked): (&LockedPackage, Asked)| {
            let workspaces: Vec<&str> =
                asked.workspaces.iter().map(|path| if path.is_root() { "root" } else { path.as_str() }).collect();
            let packages: Vec<&str> = asked.packages.iter().map(String::as_str).collect();
            format!("{}: {} | {}", package.label(), workspaces.join(", "), packages.join(", "))
        };
        Askers::of(&split).iter().map(shown).collect()
    }

    const ROOT: (&str, &str) = (
        "package.json",
        r#"{"name": "acme", "private": true, "packageManager": "MANAGER", "workspaces": ["apps/*"], "dependencies": {"n": "^7.0.0"}}"#,
    );
    const A: (&str, &str) = (
        "apps/a/package.json",
        r#"{"name": "a", "version": "0.0.0", "dependencies": {"n": "^6.0.0", "odd": "^1.0.0"}}"#,
    );

    fn with(manager: &str, lock: (&str, &str), more: &[(&str, &str)]) -> Vec<String> {
        let root = ROOT.1.replace("MANAGER", manager);
        asked(&[&[(ROOT.0, root.as_str()), A, lock][..], more].concat())
    }

    const EXPECTED: [&str; 3] = ["n@6.0.0: apps/a | odd@1.0.0", "n@7.0.0: root | ", "odd@1.0.0: apps/a | "];

    fn sorted(mut found: Vec<String>) -> Vec<String> {
        found.sort();
        found
    }

    /// Case X2.
    #[test]
    fn each_version_is_asked_for_by_those_who_get_it() {
        let bun = r#"{"lockfileVersion": 1,
            "workspaces": {
                "": {"name": "acme", "dependencies": {"n": "^7.0.0"}},
                "apps/a": {"name": "a", "version": "0.0.0", "dependencies": {"n": "^6.0.0", "odd": "^1.0.0"}}},
            "packages": {
                "a": ["a@workspace:apps/a"],
                "n": ["n@7.0.0", "", {}, "sha512-AAAA"],
                "odd": ["odd@1.0.0", "", {"dependencies": {"n": "^6.0.0"}}, "sha512-AAAA"],
                "a/n": ["n@6.0.0", "", {}, "sha512-AAAA"],
                "odd/n": ["n@6.0.0", "", {}, "sha512-AAAA"]}}"#;
        let found = sorted(with("bun@1.3.14", ("bun.lock", bun), &[]));
        // Bun's lockfile has the package at two places.
        let of_odd = "n@6.0.0:  | odd@1.0.0";
        assert_eq!(found, [of_odd, "n@6.0.0: apps/a | ", "n@7.0.0: root | ", "odd@1.0.0: apps/a | "]);
        let classic = "# yarn lockfile v1\n\n\nn@^6.0.0:\n  version \"6.0.0\"\n  resolved \"https://r.example/n/-/n-6.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n\n\
            n@^7.0.0:\n  version \"7.0.0\"\n  resolved \"https://r.example/n/-/n-7.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n\n\
            odd@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://r.example/odd/-/odd-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n  dependencies:\n    n \"^6.0.0\"\n";
        assert_eq!(sorted(with("yarn@1.22.22", ("yarn.lock", classic), &[])), EXPECTED);
        let entry = |name: &str, range: &str, version: &str, more: &str| {
            format!(
                "\"{name}@npm:{range}\":\n  version: {version}\n  resolution: \"{name}@npm:{version}\"\n{more}  languageName: node\n  linkType: hard\n\n"
            )
        };
        let berry = |range: &str| {
            [
                "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n".to_owned(),
                format!("\"a@workspace:apps/a\":\n  version: 0.0.0-use.local\n  resolution: \"a@workspace:apps/a\"\n  dependencies:\n    n: \"{range}\"\n    odd: \"npm:^1.0.0\"\n  languageName: unknown\n  linkType: soft\n\n"),
                "\"acme@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"acme@workspace:.\"\n  dependencies:\n    n: \"npm:^7.0.0\"\n  languageName: unknown\n  linkType: soft\n\n".to_owned(),
                entry("n", "^6.0.0", "6.0.0", ""),
                entry("n", "^7.0.0", "7.0.0", ""),
                entry("odd", "^1.0.0", "1.0.0", "  dependencies:\n    n: \"npm:^6.0.0\"\n"),
            ]
            .concat()
        };
        assert_eq!(sorted(with("yarn@4.12.0", ("yarn.lock", &berry("npm:^6.0.0")), &[])), EXPECTED);
    }

    #[test]
    fn users_are_found_through_packages() {
        let lock = r#"{"lockfileVersion": 1,
            "workspaces": {
                "": {"name": "acme", "dependencies": {"n": "^7.0.0"}},
                "apps/a": {"name": "a", "dependencies": {"n": "^7.0.0", "odd": "^1.0.0"}}},
            "packages": {
                "a": ["a@workspace:apps/a"],
                "n": ["n@7.0.0", "", {"dependencies": {"odd": "1"}}, "sha512-AAAA"],
                "odd": ["odd@1.0.0", "", {"dependencies": {"deep": "1"}}, "sha512-AAAA"],
                "deep": ["deep@1.0.0", "", {"dependencies": {"odd": "1"}}, "sha512-AAAA"]}}"#;
        let root = ROOT.1.replace("MANAGER", "bun@1.3.14");
        let tree = MemoryTree::new([(ROOT.0, root.as_str()), A, ("bun.lock", lock)]);
        let split = Split::read(&tree, &Choices::default()).unwrap();
        let users = Askers::of(&split).users(3);
        assert_eq!(users.into_iter().map(RepoPath::as_str).collect::<Vec<_>>(), ["", "apps/a"]);
    }
}
