//! The lockfiles that the real Yarns write for the monorepo, read by the library.

use std::collections::BTreeSet;

use fs_err as fs;
use splitter::{
    lockfile::{Format, Lockfile, Platforms, Requests, Resolution},
    managers::{yarn_berry::lockfile::cache_file, yarn_lock as yarn},
};

use crate::support::{YARN_VERSIONS, YarnMonorepo, succeed};

/// Packages from the registry for all platforms.
const UNBOUND: [&str; 13] = [
    "@scope/util@3.1.0",
    "aliased@1.5.0",
    "bundler@1.0.0",
    "colour@0.9.0",
    "colour@1.2.0",
    "host@1.4.0",
    "native@2.0.0",
    "old-library@0.1.0",
    "plugin@1.0.0",
    "release-candidate@1.0.0-rc.2",
    "tool@5.0.1",
    "trusted@1.0.0",
    "untrusted@1.0.0",
];

/// Packages from the registry for one platform.
const BOUND: [&str; 6] = [
    "@native/darwin-arm64@2.0.0",
    "@native/darwin-x64@2.0.0",
    "@native/linux-arm64@2.0.0",
    "@native/linux-x64-musl@2.0.0",
    "@native/linux-x64@2.0.0",
    "@native/win32-x64@2.0.0",
];

/// Returns the monorepo and its lockfile, or `None` if that Yarn is missing.
fn locked(version: &str) -> Option<(YarnMonorepo, Lockfile)> {
    let monorepo = YarnMonorepo::with_yarn(version)?;
    let lockfile = yarn::parse(&monorepo.context.read("yarn.lock")).unwrap();
    Some((monorepo, lockfile))
}

/// Returns the registry's packages whose platforms match `is_meant`.
fn labels(lockfile: &Lockfile, is_meant: impl Fn(&Platforms) -> bool) -> BTreeSet<String> {
    let of_registry = |resolution: &Resolution| matches!(resolution, Resolution::Registry { .. });
    let packages = lockfile.packages.iter().filter(|package| of_registry(&package.resolution));
    packages.filter(|package| is_meant(&package.platforms)).map(splitter::lockfile::LockedPackage::label).collect()
}

fn set(labels: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    labels.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_package_that_yarn_1_locked_is_read() {
    let Some((monorepo, lockfile)) = locked(YARN_VERSIONS[0]) else { return };
    assert_eq!(lockfile.format, Format::YarnClassic);
    assert_eq!(labels(&lockfile, |_| true), set(UNBOUND.into_iter().chain(BOUND)));
    assert_eq!(labels(&lockfile, |platforms| *platforms == Platforms::Any), set(["colour@0.9.0", "colour@1.2.0"]));
    for package in &lockfile.packages {
        let Resolution::Registry { url: Some(url), .. } = &package.resolution else { panic!("{package:?}") };
        assert!(url.as_str().starts_with(&monorepo.registry.url()) && package.integrity.is_some(), "{package:?}");
    }
    let Requests::ByDescriptor(descriptors) = &lockfile.requests else { panic!("{:?}", lockfile.requests) };
    let label = |descriptor: &str| lockfile.packages[descriptors.descriptors[descriptor]].label();
    assert_eq!(label("renamed@npm:aliased@^1.0.0"), "aliased@1.5.0");
    assert_eq!(label("tool@latest"), "tool@5.0.1");
    assert_eq!(label("colour@^0.9.0"), "colour@0.9.0");
}

fn every_package_that_later_yarn_locked_is_read(version: &str) {
    let Some((_, lockfile)) = locked(version) else { return };
    assert!(matches!(lockfile.format, Format::YarnBerry(_)) && lockfile.warnings.is_empty());
    assert_eq!(labels(&lockfile, |platforms| *platforms == Platforms::Any), set(UNBOUND));
    assert_eq!(labels(&lockfile, |platforms| matches!(platforms, Platforms::Conditions(_))), set(BOUND));
    let musl = |os, cpu, libc| {
        labels(&lockfile, |platforms| matches!(platforms, Platforms::Conditions(it) if it.hold(os, cpu, libc)))
    };
    assert_eq!(musl("linux", "x64", Some("musl")), set(["@native/linux-x64-musl@2.0.0"]));
    assert_eq!(musl("darwin", "x64", None), set(["@native/darwin-x64@2.0.0"]));
    let workspaces = lockfile.requests.workspaces().unwrap();
    let names: Vec<_> = workspaces.iter().map(|(path, workspace)| (path.as_str(), workspace.name.as_str())).collect();
    let expected = [
        ("", "acme"),
        ("apps/api", "api"),
        ("apps/web", "web"),
        ("packages/logger", "@acme/logger"),
        ("packages/stamp", "@acme/stamp"),
        ("packages/ui", "@acme/ui"),
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_package_that_yarn_3_locked_is_read() {
    every_package_that_later_yarn_locked_is_read(YARN_VERSIONS[1]);
}

#[test]
fn every_package_that_yarn_4_locked_is_read() {
    every_package_that_later_yarn_locked_is_read(YARN_VERSIONS[2]);
}

/// A cache in the repository holds every package with a checksum, under the predicted name.
fn a_committed_cache_is_named_as_predicted(version: &str) {
    let Some((mut monorepo, lockfile)) = locked(version) else { return };
    monorepo.context.set_env("YARN_ENABLE_GLOBAL_CACHE", "false");
    succeed(&mut monorepo.yarn(&["install"]));
    let listing = fs::read_dir(monorepo.context.repo().join(".yarn/cache")).unwrap();
    let there: BTreeSet<_> = listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let predicted: BTreeSet<_> = lockfile
        .packages
        .iter()
        .filter_map(|package| cache_file(&package.key, package.zip_checksum.as_ref()?))
        .collect();
    assert_eq!(predicted.len(), UNBOUND.len());
    assert!(predicted.is_subset(&there), "{predicted:?} is not in {there:?}");
    // The other zips are those of this machine's platform. No lockfile gives their names.
    assert!(there.difference(&predicted).all(|file| file == ".gitignore" || file.starts_with("@native-")), "{there:?}");
}

#[test]
fn a_committed_cache_of_yarn_3_is_named_as_predicted() {
    a_committed_cache_is_named_as_predicted(YARN_VERSIONS[1]);
}

#[test]
fn a_committed_cache_of_yarn_4_is_named_as_predicted() {
    a_committed_cache_is_named_as_predicted(YARN_VERSIONS[2]);
}
