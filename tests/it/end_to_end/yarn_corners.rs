//! What few repositories of Yarn have, and those that do depend on: equal names of tarballs, a committed cache, catalogs,
//! extensions and plugins, tarballs at unusual places, scripts below unusual folders.

use super::yarn::{Yarn, output_of};
use crate::support::{Package, Registry, YARN_VERSIONS, YarnMonorepo, succeed};

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
