//! A new version of one package changes one part of `deps`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Package, Registry, monorepo, succeed};

const RECORD: &str = "nix/splitter/splitter.lock.json";

/// The number of packages, enough to split `deps`.
const PACKAGES: usize = 100;

fn name(number: usize) -> String {
    format!("tiny-{number}")
}

/// Makes `api` depend on these versions.
fn ask(monorepo: &Monorepo, version: impl Fn(usize) -> &'static str) {
    let path = "apps/api/package.json";
    let mut manifest: Value = serde_json::from_str(&monorepo.context.read(path)).unwrap();
    for number in 0..PACKAGES {
        manifest["dependencies"][name(number)] = version(number).into();
    }
    monorepo.context.write(path, format!("{manifest:#}\n"));
}

/// Returns the derivations of the parts.
fn derivations(nix: &NixMonorepo) -> BTreeSet<String> {
    let shown = succeed(&mut nix.nix(&["derivation", "show", ".#deps"]));
    let is_part = |text: &&str| text.contains("-deps-") && text.strip_suffix(".drv").is_some();
    shown.split('"').filter(is_part).map(str::to_owned).collect()
}

/// Returns the store path of each part, by the name of its link.
fn outputs(nix: &NixMonorepo) -> BTreeMap<String, String> {
    let links = nix.build("deps").read_dir_utf8().unwrap().map(Result::unwrap);
    links.map(|link| (link.file_name().to_owned(), link.path().read_link_utf8().unwrap().to_string())).collect()
}

#[test]
fn e2e_a_bump_downloads_one_part_of_deps_again() {
    let tiny = (0..PACKAGES).map(|number| Package::new(&name(number), "1.0.0"));
    let registry = Registry::start(monorepo::packages().into_iter().chain(tiny));
    let Some(monorepo) = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| ask(monorepo, |_| "1.0.0"))
    else {
        return;
    };
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let (monorepo, context) = (&nix.monorepo, nix.context());
    let (before, built) = (derivations(&nix), outputs(&nix));
    assert!(before.len() > 2, "deps is cut: {before:?}");

    monorepo.registry.publish(Package::new("tiny-7", "1.1.0"));
    ask(monorepo, |number| if number == 7 { "1.1.0" } else { "1.0.0" });
    succeed(&mut monorepo.bun(&["install", "--lockfile-only"]));
    let output = context.splitter(&["update-hash"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains(&format!("  1 of {} parts changed (", record(&nix).0.len())),
        "{said}"
    );
    let said = succeed(&mut context.splitter(&["explain"]));
    assert!(said.contains("~ tiny-7 1.0.0 -> 1.1.0"), "{said}");
    monorepo.registry.take_requests();

    let (after, rebuilt) = (derivations(&nix), outputs(&nix));
    let changed: Vec<_> = after.difference(&before).collect();
    assert_eq!((changed.len(), before.difference(&after).count()), (1, 1), "{changed:?}");
    assert_eq!(built.iter().filter(|(name, path)| rebuilt.get(*name) == Some(*path)).count(), before.len() - 1);
    // Only the packages of that part were downloaded.
    let (deps, dependencies) = record(&nix);
    let (_, part) = deps.iter().find(|(name, _)| changed[0].contains(&format!("-deps-{name}-"))).unwrap();
    let is_held = |entry: &&Value| entry.get("systems").is_none() && entry["shard"] == part["shard"];
    let held = dependencies
        .iter()
        .filter(is_held)
        .map(|entry| format!("GET /{}", entry["path"].as_str().unwrap().strip_prefix("npm/").unwrap()));
    let requests = monorepo.registry.take_requests();
    assert_eq!(requests.iter().cloned().collect::<BTreeSet<_>>(), held.collect());
    assert_eq!(requests.len(), usize::try_from(part["packages"].as_u64().unwrap()).unwrap());
    // An install works with several parts.
    nix.build("nodeModules");
}

/// Returns `deps` and `dependencies` of the record.
fn record(nix: &NixMonorepo) -> (serde_json::Map<String, Value>, Vec<Value>) {
    let record: Value = serde_json::from_str(&nix.context().read(RECORD)).unwrap();
    (record["deps"].as_object().unwrap().clone(), record["dependencies"].as_array().unwrap().clone())
}
