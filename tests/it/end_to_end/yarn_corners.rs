//! Rare features of Yarn: equal names of tarballs, a committed cache, catalogs, extensions and plugins, tarballs at unusual
//! places, scripts below unusual folders.

use fs_err as fs;
use serde_json::{Value, json};

use super::yarn::{RECORD, Yarn, output_of};
use crate::support::{Package, Registry, YARN_VERSIONS, YarnMonorepo, fail, succeed};

/// Makes `api` depend on these and print their exports.
fn with_dependencies(monorepo: &YarnMonorepo, dependencies: &[(&str, String)]) {
    monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
        for (name, specifier) in dependencies {
            manifest["dependencies"][name] = specifier.as_str().into();
        }
    });
    let required: Vec<_> = dependencies.iter().map(|(name, _)| format!("require({name:?})")).collect();
    monorepo.context.write("apps/api/src/index.js", format!("console.log({});\n", required.join(", ")));
}

/// Yarn 1 finds tarballs in its offline mirror by the last segment of their URLs.
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

/// Scripts of trusted packages run although their folders have other names than the packages: for a scoped package, for one
/// with peers, and for one whose script is a command of its dependency.
fn runs_trusted_scripts_with_the_linker_pnpm(version: &str) {
    let monorepo = YarnMonorepo::with_linker(version, "pnpm", |monorepo| {
        let script = "echo built > built.txt";
        let packages = [
            Package::new("@scope/trusted", "1.0.0").script("postinstall", script),
            Package::new("with-peer", "1.0.0").peer("host", "^1.0.0").script("postinstall", script),
            Package::new("with-tool", "1.0.0").dependency("tool", "^5.0.0").script("install", "tool > built.txt"),
        ];
        for package in packages {
            monorepo.registry.publish(package);
        }
        monorepo.context.edit_manifest("package.json", |manifest| {
            for name in ["trusted", "@scope/trusted", "with-peer", "with-tool"] {
                manifest["dependenciesMeta"][name]["built"] = true.into();
            }
        });
        let dependencies = ["@scope/trusted", "with-peer", "with-tool", "host"].map(|name| (name, "^1.0.0".to_owned()));
        with_dependencies(monorepo, &dependencies);
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let modules = nix.build("nodeModules").join("apps/api/node_modules");
    let built = |name: &str| fs::read_to_string(modules.join(name).join("built.txt")).ok();
    for name in ["trusted", "@scope/trusted", "with-peer"] {
        assert_eq!(built(name).as_deref(), Some("built\n"), "{name}");
    }
    assert_eq!(built("with-tool").as_deref(), Some("tool 5.0.1\n"));
    assert!(modules.join("untrusted/index.js").is_file());
    assert_eq!(built("untrusted"), None);
}

#[test]
fn e2e_yarn_3_runs_trusted_scripts_with_the_linker_pnpm() {
    runs_trusted_scripts_with_the_linker_pnpm(YARN_VERSIONS[1]);
}

#[test]
fn e2e_yarn_4_runs_trusted_scripts_with_the_linker_pnpm() {
    runs_trusted_scripts_with_the_linker_pnpm(YARN_VERSIONS[2]);
}

/// Returns the paths of the recorded tarballs.
fn recorded(nix: &Yarn) -> Vec<String> {
    let record: Value = serde_json::from_str(&nix.context().read(RECORD)).unwrap();
    let entries = record["dependencies"].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

/// A repository with committed zips only needs the tarballs for which Yarn has no checksum.
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
    // A cache that is not committed does not count.
    context.write(".gitignore", "node_modules/\ndist/\n.yarn/\n");
    context.git(&["rm", "-r", "--quiet", "--cached", ".yarn"]);
    context.commit_all("no cache");
    let said = fail(&mut context.splitter(&["check"]));
    assert!(said.contains("+ native 2.0.0"), "{said}");
    succeed(&mut context.splitter(&["update-hash"]));
    let lock = context.read("yarn.lock");
    // Packages for single systems were recorded before.
    let is_common =
        |line: &&str| line.starts_with("  resolution: ") && line.contains("@npm:") && !line.contains("@native/");
    let common = lock.lines().filter(is_common).count();
    assert_eq!(recorded(&nix).len(), paths.len() + common);
    nix.build("nodeModules");
}

/// A Yarn plugin that adds a dependency to a package.
const PLUGIN: &str = r#"module.exports = {
  name: "plugin-extra",
  factory: (require) => ({
    hooks: {
      registerPackageExtensions: async (_configuration, register) => {
        const { structUtils } = require("@yarnpkg/core");
        const extension = { dependencies: { "from-plugin": "^1.0.0" } };
        register(structUtils.parseDescriptor("bare@*", true), extension);
      },
    },
  }),
};
"#;

/// The `.yarnrc.yml` of [`with_yarn_of_its_own`].
const SETTINGS: &str = "yarnPath: .yarn/releases/yarn-4.cjs
catalog:
  cataloged: ^1.0.0
catalogs:
  old:
    tool: ^4.0.0
packageExtensions:
  \"bare@*\":
    dependencies:
      from-settings: ^1.0.0
plugins:
  - path: .yarn/plugins/plugin-extra.cjs
    spec: \"./plugin-extra.cjs\"
";

/// A repository that contains Yarn and a plugin, with settings that add dependencies.
fn with_yarn_of_its_own(monorepo: &YarnMonorepo) {
    let context = &monorepo.context;
    let bare = "module.exports = [\"bare\", require(\"from-settings\"), require(\"from-plugin\")].join();\n";
    monorepo.registry.publish(Package::new("bare", "1.0.0").file("index.js", bare));
    monorepo.registry.publish(Package::new("from-settings", "1.1.0"));
    monorepo.registry.publish(Package::new("from-plugin", "1.2.0"));
    context.write(".gitignore", "node_modules/\ndist/\n.yarn/*\n!.yarn/plugins\n!.yarn/releases\n");
    context.write(".yarn/releases/yarn-4.cjs", fs::read(&monorepo.yarn).unwrap());
    context.write(".yarn/plugins/plugin-extra.cjs", PLUGIN);
    context.write(".yarnrc.yml", context.read(".yarnrc.yml") + SETTINGS);
    monorepo.context.edit_manifest("package.json", |manifest| {
        manifest.as_object_mut().unwrap().remove("packageManager");
    });
    monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
        manifest["devDependencies"]["tool"] = "catalog:old".into();
    });
    with_dependencies(monorepo, &[("bare", "^1.0.0".to_owned()), ("cataloged", "catalog:".to_owned())]);
}

#[test]
fn e2e_yarn_4_of_the_repository_installs_what_catalogs_extensions_and_a_plugin_say() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", with_yarn_of_its_own);
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let context = nix.context();
    assert!(!context.read("package.json").contains("packageManager"));
    assert_eq!(output_of(&nix, "api"), "bare,from-settings@1.1.0,from-plugin@1.2.0 cataloged@1.1.0");
    assert_eq!(fs::read_to_string(nix.build("api").join("tool.txt")).unwrap(), "tool 4.9.0\n");
    succeed(&mut context.splitter(&["check"]));
    context.write(".yarn/plugins/plugin-extra.cjs", format!("{PLUGIN}\n"));
    let said = fail(&mut context.splitter(&["check"]));
    assert!(said.contains(".yarn/plugins/plugin-extra.cjs"), "{said}");
}

/// If a registry keeps tarballs at unusual paths, the lockfile contains them.
#[test]
fn e2e_yarn_4_installs_tarballs_that_a_registry_keeps_elsewhere() {
    let files = Registry::start([]);
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        let places = [("near", &monorepo.registry, "files/near.tgz"), ("far", &files, "far/v1.tgz")];
        for (name, registry, path) in places {
            registry.serve(&format!("/{path}"), Package::new(name, "1.0.0").tarball());
            let dist = json!({ "tarball": format!("{}{path}", registry.url()) });
            let document = json!({
                "name": name,
                "dist-tags": { "latest": "1.0.0" },
                "time": { "1.0.0": "2020-01-01T00:00:00.000Z" },
                "versions": { "1.0.0": { "name": name, "version": "1.0.0", "dist": dist } },
            });
            monorepo.registry.serve(&format!("/{name}"), document.to_string());
        }
        with_dependencies(monorepo, &places.map(|(name, ..)| (name, "^1.0.0".to_owned())));
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let lock = nix.context().read("yarn.lock");
    assert_eq!(lock.matches("::__archiveUrl=http").count(), 2, "{lock}");
    assert_eq!(files.take_requests().last().unwrap(), "GET /far/v1.tgz");
    assert_eq!(output_of(&nix, "api"), "near@1.0.0 far@1.0.0");
    succeed(&mut nix.context().splitter(&["check"]));
}
