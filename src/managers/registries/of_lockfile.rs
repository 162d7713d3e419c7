//! The default registry that a lockfile of Yarn 1 implies.
//!
//! Yarn 1 writes the whole URL of each tarball, with the host that was configured when the package was added. If the
//! repository names no registry, the most frequent one in these URLs becomes the default. The record then need not
//! repeat it for each package.

use std::{cmp::Reverse, collections::BTreeMap};

use npmrc_config_rs::registry::extract_scope;
use url::Url;

use super::{ProjectRegistries, replaced::registry_of};
use crate::{
    lockfile::{Lockfile, Resolution},
    managers::ManagerName,
};

impl ProjectRegistries {
    /// Sets the default registry from the lockfile, unless the rc files name one.
    #[must_use]
    pub(crate) fn of_lockfile(mut self, lockfile: &Lockfile) -> Self {
        if self.names_default || !ManagerName::from(lockfile.format).manager().lockfile_names_registry() {
            return self;
        }
        let mut counts: BTreeMap<Url, usize> = BTreeMap::new();
        for package in &lockfile.packages {
            let Resolution::Registry { version, url: Some(url) } = &package.resolution else { continue };
            let has_registry = extract_scope(&package.name).is_some_and(|scope| self.scopes.contains_key(scope));
            if let Some(base) = base(url, &package.name, version).filter(|_| !has_registry) {
                *counts.entry(base).or_default() += 1;
            }
        }
        // If several are equally frequent, the first in order wins, so the result is the same everywhere.
        if let Some((base, _)) = counts.into_iter().min_by_key(|(_, count)| Reverse(*count)) {
            self.default = base;
        }
        self
    }
}

/// Returns the registry of a tarball at the usual place, `<registry><name>/-/<base>-<version>.tgz`.
fn base(url: &Url, name: &str, version: &str) -> Option<Url> {
    let base_name = name.rsplit('/').next().unwrap_or(name);
    let release = version.split('+').next().unwrap_or(version);
    let is_usual = url.path().ends_with(&format!("/-/{base_name}-{release}.tgz"));
    is_usual.then(|| registry_of(url, name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostic::Position,
        lockfile::{Format, LockedDescriptors, LockedPackage, Platforms, Requests},
    };

    fn lockfile(format: Format, packages: &[(&str, &str, &str)]) -> Lockfile {
        let package = |(name, version, url): &(&str, &str, &str)| LockedPackage {
            key: String::new(),
            position: Position { line: 1, column: 1 },
            name: (*name).to_owned(),
            resolution: Resolution::Registry { version: (*version).to_owned(), url: Url::parse(url).ok() },
            platforms: Platforms::InTarball,
            bundled: false,
            integrity: None,
            zip_checksum: None,
            dependencies: Vec::new(),
            descriptors: Vec::new(),
        };
        Lockfile {
            format,
            requests: Requests::ByDescriptor(LockedDescriptors::default()),
            packages: packages.iter().map(package).collect(),
            patches: BTreeMap::new(),
            digest: String::new(),
            warnings: Vec::new(),
        }
    }

    fn default(npmrc: &str, packages: &[(&str, &str, &str)]) -> String {
        let registries = ProjectRegistries::of_bun(Some(npmrc), None).unwrap();
        registries.of_lockfile(&lockfile(Format::YarnClassic, packages)).default_registry().to_string()
    }

    const PACKAGES: [(&str, &str, &str); 7] = [
        ("a", "1.0.0", "https://b.example/npm/a/-/a-1.0.0.tgz#0123"),
        ("@s/a", "1.0.0+x", "https://b.example/npm/@s/a/-/a-1.0.0.tgz"),
        ("@s/b", "1.0.0", "https://c.example/@s%2fb/-/b-1.0.0.tgz"),
        ("@s/c", "1.0.0", "https://c.example/@s%2Fc/-/c-1.0.0.tgz"),
        ("d", "1.0.0", "https://d.example/d/-/d-1.0.0.tgz?x"),
        ("e", "1.0.0", "https://d.example/download/e.tgz"),
        ("f", "1.0.0", "https://d.example/xf/-/f-1.0.0.tgz"),
    ];

    #[test]
    fn the_registry_of_most_packages_is_the_default() {
        assert_eq!(default("", &PACKAGES[1..]), "https://c.example/");
        assert_eq!(default("", &PACKAGES), "https://b.example/npm/", "of two equally frequent ones, the smaller");
        assert_eq!(default("", &PACKAGES[4..]), default("", &[]));
    }

    #[test]
    fn what_the_rc_files_name_goes_first() {
        assert_eq!(default("registry=https://r.example\n", &PACKAGES), "https://r.example/");
        assert_eq!(default("@s:registry=https://s.example\n", &PACKAGES[1..]), default("", &[]));
        let registries = ProjectRegistries::of_bun(None, None).unwrap();
        assert_eq!(registries.clone().of_lockfile(&lockfile(Format::YarnBerry(8), &PACKAGES)), registries);
    }
}
