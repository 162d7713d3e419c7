//! What few repositories of Yarn have, and those that do depend on: equal names of tarballs, a committed cache, catalogs,
//! extensions and plugins, tarballs at unusual places, scripts below unusual folders.

use serde_json::Value;

use super::yarn::{RECORD, Yarn, output_of};
use crate::support::{Package, Registry, YARN_VERSIONS, YarnMonorepo, fail, succeed};

/// The monorepo whose `api` depends on these and prints them.
fn with_dependencies(monorepo: &YarnMonorepo, dependencies: &[(&str, String)]) {
    monorepo.edit_manifest("apps/api/package.json", |manifest| {
        for (name, specifier) in dependencies {
            manifest["dependencies"][name] = specifier.as_str().into();
        }
    });
    let required: Vec<_> = dependencies.iter().map(|(name, _)| format!("require({name:?})")).collect();
    monorepo.context.write("apps/api/src/index.js", format!("console.log({});\n", required.join(", ")));
}

/// Yarn 1 finds tarballs in its offline mirror by the last part of their URLs alone.
#[test]
fn e2e_yarn_1_installs_tarballs_whose_urls_end_alike() {
    let other = Registry::start([]);
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[0], "", |monorepo| {
        let registry = &monorepo.registry;
        let places = [("first", registry, "a"), ("second", registry, "b"), ("third", &other, "b")];
        let dependencies = places.map(|(name, registry, folder)| {
            let path = format!("{folder}/v1.0.0.tgz");
            registry.serve(&format!("/{path}"), Package::new(name, "1.0.0").tarball());
            (name, format!("{}{path}", registry.url()))
        });
        with_dependencies(monorepo, &dependencies);
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    assert_eq!(output_of(&nix, "api"), "first@1.0.0 second@1.0.0 third@1.0.0");
    succeed(&mut nix.context().splitter(&["check"]));
}

/// The tarballs of the record, as paths.
fn recorded(nix: &Yarn) -> Vec<String> {
    let record: Value = serde_json::from_str(&nix.context().read(RECORD)).unwrap();
    let entries = record["dependencies"].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

/// A repository that commits the zips needs no tarballs but those that Yarn has no checksums of.
#[test]
fn e2e_yarn_4_installs_from_a_committed_cache() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        let context = &monorepo.context;
        context.write(".yarnrc.yml", context.read(".yarnrc.yml") + "enableGlobalCache: false\n");
        context.write(".gitignore", "node_modules/\ndist/\n.yarn/*\n!.yarn/cache\n");
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let context = nix.context();
    assert!(context.git(&["ls-files", ".yarn/cache"]).contains("/colour-npm-1.2.0-"));
    let paths = recorded(&nix);
    assert!(!paths.is_empty() && paths.iter().all(|path| path.starts_with("npm/@native/")), "{paths:?}");
    assert_eq!(output_of(&nix, "api"), "[colour@1.2.0, old-library@0.1.0] api: native@2.0.0");
    succeed(&mut context.splitter(&["check"]));
    // The cache of one developer is no part of the repository.
    context.write(".gitignore", "node_modules/\ndist/\n.yarn/\n");
    context.git(&["rm", "-r", "--quiet", "--cached", ".yarn"]);
    context.commit_all("no cache");
    let said = fail(&mut context.splitter(&["check"]));
    assert!(said.contains("+ native 2.0.0"), "{said}");
    succeed(&mut context.splitter(&["update-hash"]));
    let lock = context.read("yarn.lock");
    // What is for some systems alone was there before.
    let is_common =
        |line: &&str| line.starts_with("  resolution: ") && line.contains("@npm:") && !line.contains("@native/");
    let common = lock.lines().filter(is_common).count();
    assert_eq!(recorded(&nix).len(), paths.len() + common);
    nix.build("nodeModules");
}
