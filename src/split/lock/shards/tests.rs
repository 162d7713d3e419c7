use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::btree_set, prelude::*};

use super::*;
use crate::split::lock::dependencies::Form;

fn dependency(name: &str, version: &str, systems: Option<&[System]>) -> Dependency {
    Dependency {
        path: format!("npm/{name}/-/{name}-{version}.tgz"),
        form: Form::Verbatim,
        label: format!("{name}@{version}"),
        name: name.to_owned(),
        url: None,
        integrity: None,
        scope: Some(systems.map_or(Scope::Common, |systems| Scope::Systems(systems.iter().copied().collect()))),
    }
}

/// Returns the paths in each part, by the name of the part.
fn members(dependencies: &[Dependency]) -> BTreeMap<String, BTreeSet<String>> {
    let parts = cut(dependencies, |dependency| dependency.scope.as_ref());
    let paths = |entries: Vec<&Dependency>| entries.iter().map(|entry| entry.path.clone()).collect();
    parts.into_iter().map(|(part, entries)| (part.to_string(), paths(entries))).collect()
}

fn named(names: impl Iterator<Item = String>) -> Vec<Dependency> {
    let mut all: Vec<_> = names.map(|name| dependency(&name, "1.0.0", None)).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

fn numbered(count: usize) -> Vec<Dependency> {
    named((0..count).map(|number| format!("package-{number}")))
}

#[test]
fn a_small_repository_has_one_common_part() {
    for count in [0, 1, 50, COMMON_LIMIT] {
        let parts = members(&numbered(count));
        assert_eq!(parts.keys().collect::<Vec<_>>(), ["common"]);
        assert_eq!(parts["common"].len(), count);
    }
    assert_eq!(members(&numbered(COMMON_LIMIT + 1)).keys().collect::<Vec<_>>(), ["common-0", "common-1"]);
}

#[test]
fn of_two_thousand_packages_no_part_has_a_tenth() {
    let parts = members(&numbered(2000));
    assert!(parts.values().all(|paths| paths.len() <= COMMON_LIMIT && paths.len() * 10 <= 2000));
    assert_eq!(parts.values().map(BTreeSet::len).sum::<usize>(), 2000);
}

#[test]
fn parts_of_systems_are_cut_by_themselves() {
    let linux = [System::Aarch64Linux, System::X8664Linux];
    let mut all: Vec<_> = (0..SYSTEM_LIMIT).map(|n| dependency(&format!("native-{n}"), "1", Some(&linux))).collect();
    let names = |all: &[Dependency]| members(all).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&all), ["aarch64-linux", "common", "x86_64-linux"]);
    all.push(dependency("native-x", "1", Some(&[System::X8664Linux])));
    assert_eq!(names(&all), ["aarch64-linux", "common", "x86_64-linux-0", "x86_64-linux-1"]);
    // If a whole part and a cut part hold the same entry, the bits of the cut part are recorded.
    let parts = cut(&all, |dependency| dependency.scope.as_ref());
    let shards = shards_of(&parts);
    for (part, entries) in &parts {
        assert!(entries.iter().all(|entry| part.shard.holds(&shards[entry.path.as_str()])), "{part}");
    }
}

#[test]
fn versions_of_one_package_cannot_be_cut() {
    let all: Vec<_> = (100..400).map(|version| dependency("a", &version.to_string(), None)).collect();
    assert_eq!(members(&all)["common"].len(), 300);
}

#[test]
fn an_entry_of_which_nobody_knows_who_needs_it_is_in_no_part() {
    let unknown = Dependency { scope: None, ..dependency("a", "1", None) };
    assert_eq!(members(&[unknown])["common"].len(), 0);
}

#[test]
fn a_shard_is_binary_digits() {
    assert_eq!(serde_json::from_str::<Shard>("\"0110\"").unwrap(), Shard("0110".to_owned()));
    for wrong in ["\"2\"", "\"-\"", "\"010101010101010101010101010101010\"", "1"] {
        assert!(serde_json::from_str::<Shard>(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_new_package_changes_one_part_alone(names in btree_set("[a-z]{1,6}", 1..600), new in "[A-Z]{1,6}") {
        let before = members(&named(names.iter().cloned()));
        let after = members(&named(names.iter().cloned().chain([new.clone()])));
        // At most one old part disappears, and the new parts hold its entries and the new package.
        let gone: Vec<_> = before.values().filter(|paths| !after.values().any(|found| found == *paths)).collect();
        let come: BTreeSet<&String> = after.values().filter(|paths| !before.values().any(|found| found == *paths)).flatten().collect();
        let new = format!("npm/{new}/-/{new}-1.0.0.tgz");
        let expected: BTreeSet<&String> = gone.iter().copied().flatten().chain([&new]).collect();
        prop_assert!(gone.len() <= 1);
        prop_assert_eq!(come, expected);
    }

    #[test]
    fn a_bump_keeps_every_part(names in btree_set("[a-z]{1,6}", 2..600), version in "[2-9]\\.[0-9]\\.[0-9]") {
        let all = named(names.iter().cloned());
        let mut bumped = all.clone();
        let last = bumped.pop().unwrap();
        bumped.push(dependency(&last.name, &version, None));
        let (before, after) = (members(&all), members(&bumped));
        prop_assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        let changed: Vec<_> = before.iter().filter(|(part, paths)| after[*part] != **paths).collect();
        prop_assert_eq!(changed.len(), 1);
        prop_assert!(changed[0].1.contains(&last.path));
    }

    #[test]
    fn parts_hold_each_entry_once_and_are_no_larger_than_they_must(names in btree_set("[a-z]{1,6}", 1..600)) {
        let all = named(names.iter().cloned());
        let parts = members(&all);
        prop_assert!(parts.values().all(|paths| paths.len() <= COMMON_LIMIT));
        let held: Vec<&String> = parts.values().flatten().collect();
        prop_assert_eq!(held.len(), all.len());
        prop_assert_eq!(held.into_iter().collect::<BTreeSet<_>>(), all.iter().map(|entry| &entry.path).collect());
    }
}
