//! Lifecycle scripts in builds: they get downloaded files and a compiler, and run after those of their dependencies.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project as _, TestContext, YARN_VERSIONS, YarnMonorepo, fail,
    succeed, tools,
};

/// A script that downloads a file over https, which a proxy for plain http cannot see.
const DOWNLOAD: &str = r#"
const { execFileSync } = require("child_process");
const { writeFileSync } = require("fs");
const url = "https://files.example/tool-1.0.0?os=linux";
const failed = (error) => { console.error("no tool:", error.cause ?? error); process.exit(1); };
async function main() {
  const answer = await fetch(url);
  if (!answer.ok) return failed(answer.status);
  writeFileSync("fetch.txt", await answer.text());
  writeFileSync("curl.txt", execFileSync("curl", ["--silent", "--fail", url]));
  require("https").get(url, (answer) => answer.on("data", (bytes) => writeFileSync("https.txt", bytes))).on("error", failed);
}
// Do nothing while the lockfile is written.
if (process.env.NIX_BUILD_TOP) main().catch(failed);
"#;

/// Returns the folder of a package in a built tree, with any linker.
fn folder(nix: &TestContext, tree: &Utf8Path, name: &str) -> Utf8PathBuf {
    let found =
        succeed(nix.command("find").args([tree.as_str(), "-type", "d", "-path", &format!("*/node_modules/{name}")]));
    found.lines().next().unwrap_or_else(|| panic!("no {name} in {tree}")).into()
}

/// The file comes through a proxy, the loopback registry, so that its URL can have a host name.
#[test]
fn e2e_yarn_4_gives_a_script_the_file_that_it_downloads() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        let package = Package::new("downloader", "1.0.0").script("postinstall", "node download.js");
        monorepo.registry.publish(package.file("download.js", DOWNLOAD));
        // It asks for the same file, and goes on without it.
        let asks = "test -z \"$NIX_BUILD_TOP\" || curl --silent 'https://files.example/tool-1.0.0?os=linux'";
        monorepo.registry.publish(Package::new("asker", "1.0.0").script("postinstall", asks));
        monorepo.context.edit_manifest("package.json", |manifest| {
            for name in ["asker", "downloader"] {
                manifest["devDependencies"][name] = "1.0.0".into();
            }
        });
        monorepo.context.write("splitter.json", "{ \"scripts\": [\"asker\", \"downloader\"] }\n");
    });
    let Some(mut monorepo) = monorepo else { return };
    let proxy = monorepo.registry.url();
    monorepo.context.set_env("http_proxy", proxy.trim_end_matches('/'));
    monorepo.context.set_env("no_proxy", "127.0.0.1");
    let Some(nix) = NixMonorepo::of(monorepo) else { return };

    let said = fail(&mut nix.build_command("nodeModules"));
    assert!(
        said.contains("the postinstall script of downloader@1.0.0 failed (exit code 1); its last lines:"),
        "{said}"
    );
    assert!(said.contains("| no tool: 404"), "{said}");
    // One entry serves both scripts.
    let named = r#""downloads": {"asker":["https://files.example/tool-1.0.0?os=linux"]}"#;
    assert!(said.contains(named) && said.matches("hint: to provide them").count() == 1, "{said}");
    let named = named.replace("asker", "downloader");

    let registry = nix.monorepo.registry();
    registry.serve("http://files.example/tool-1.0.0", "the tool");
    nix.context().write("splitter.json", format!("{{ {} }}\n", named.replace("https:", "http:")));
    let said = fail(&mut nix.context().splitter(&["check"]));
    assert!(said.contains("downloads"), "{said}");
    succeed(&mut nix.context().splitter(&["update-hash"]));
    let tree = nix.build("nodeModules");
    let got = folder(nix.context(), &tree, "downloader");
    for file in ["fetch.txt", "https.txt", "curl.txt"] {
        assert_eq!(fs::read_to_string(got.join(file)).unwrap(), "the tool", "{file}");
    }

    registry.serve("http://files.example/tool-1.0.0", "another");
    registry.serve("http://files.example/more", "more");
    fs::remove_dir_all(nix.context().home().join(".cache/splitter")).unwrap();
    let more = named.replace("https:", "http:").replace(']', ", \"http://files.example/more\"]");
    nix.context().write("splitter.json", format!("{{ {more} }}\n"));
    let said = fail(&mut nix.context().splitter(&["update-hash"]));
    assert!(said.contains("http://files.example/tool-1.0.0") && said.contains("sha512-"), "{said}");
}

/// A native addon for Node.js, which needs headers, Python, make and a compiler.
const ADDON: &str = r"
#include <node_api.h>
static napi_value answer(napi_env env, napi_callback_info info) {
  napi_value value;
  napi_create_int32(env, 42, &value);
  return value;
}
NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, 0, 0, answer, 0, &function);
  return function;
}
";

/// A package is compiled after its dependencies, although its name sorts first.
#[test]
fn e2e_bun_1_4_compiles_a_package_after_its_dependencies() {
    let has_compiler = ["gcc", "g++", "make"].iter().all(|name| tools::program(name).is_some());
    if !has_compiler || !Utf8Path::new("/usr/bin/python3").exists() {
        return tools::skip("no compiler").unwrap_or_default();
    }
    let Some(monorepo) = Monorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let wants = "require('fs').accessSync(require('path').join(require('middle'), 'built.txt'))";
    for package in [
        Package::new("above", "1.0.0")
            .dependency("middle", "1.0.0")
            .script("preinstall", &format!("node -e \"{wants}\""))
            .script("install", "node-gyp rebuild")
            .file("binding.gyp", r#"{ "targets": [{ "target_name": "addon", "sources": ["addon.c"] }] }"#)
            .file("addon.c", ADDON),
        Package::new("middle", "1.0.0")
            .dependency("below", "1.0.0")
            .file("index.js", "module.exports = require('path').dirname(require.resolve('below'));\n"),
        Package::new("below", "1.0.0").script("postinstall", "echo built > built.txt"),
    ] {
        monorepo.registry.publish(package);
    }
    monorepo.context.write("splitter.json", "{ \"scripts\": [\"above\", \"below\"] }\n");
    monorepo.registry.claim_to_be(npmrc_config_rs::registry::DEFAULT_REGISTRY);
    monorepo.add("apps/api", "above");
    monorepo.registry.claim_nothing();
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let tree = nix.build("nodeModules");
    let addon = folder(nix.context(), &tree, "above").join("build/Release/addon.node");
    let printed = succeed(nix.context().command("node").args(["-p", &format!("require('{addon}')()")]));
    assert_eq!(printed, "42");
}
