//! Installs of single apps. Such an install has the same files as the package manager's own in a full checkout, the app is
//! built with it, and a dependency of another app does not rebuild it.

use fs_err as fs;
use serde_json::{Value, json};

use super::{
    libraries::with_built_libraries,
    trees::{Tree, built_as, is_of_musl, is_what_is_here},
};
use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project, Registry, TestContext, YARN_VERSIONS, YarnMonorepo, fail,
    monorepo::packages, succeed,
};

/// The workspaces that `web` needs.
const OF_WEB: [&str; 3] = ["apps/web", "packages/logger", "packages/ui"];
/// The workspace that `web` needs only for development.
const FOR_DEVELOPMENT: &str = "packages/stamp";
/// The workspace that `web` does not need.
const OTHER: &str = "apps/api";

/// Packages that are installed only because of development dependencies.
const DEVELOPMENT: [&str; 3] = ["dev-of-web", "dev-of-ui", "of-stamp"];

/// Adds unique development dependencies to an app and to a library. One of them is a workspace.
fn with_development(context: &TestContext, registry: &Registry, stamp: &str) {
    for name in DEVELOPMENT {
        registry.publish(Package::new(name, "1.0.0"));
    }
    for (path, group, name, range) in [
        ("apps/web", "devDependencies", "dev-of-web", "^1.0.0"),
        ("apps/web", "devDependencies", "@acme/stamp", stamp),
        ("packages/ui", "devDependencies", "dev-of-ui", "^1.0.0"),
        ("packages/stamp", "dependencies", "of-stamp", "^1.0.0"),
    ] {
        context.edit_manifest(&format!("{path}/package.json"), |manifest| manifest[group][name] = range.into());
    }
}

/// Compares both installs of `web` with a checkout. `install` installs there; its argument is `true` for the install without
/// development dependencies.
fn installs_what_web_needs<P: Project>(nix: &NixMonorepo<P>, is_left_out: fn(&str) -> bool, install: impl Fn(bool)) {
    let has = |tree: &Tree, name: &str| tree.keys().any(|path| path.contains(&format!("/{name}")));
    for (output, is_production) in [("own", false), ("production", true)] {
        nix.context().git(&["clean", "--quiet", "--force", "-dX"]);
        install(is_production);
        let built = built_as(nix, &format!("installs.web.{output}"));
        is_what_is_here(nix, &built, is_left_out);
        assert!(has(&built, "plugin") && !has(&built, "native"), "{:?}", built.keys());
        for name in DEVELOPMENT {
            assert_eq!(has(&built, name), !is_production, "{name}: {:?}", built.keys());
        }
    }
}

fn bun_installs_what_web_needs(version: &str, linker: &str) {
    let monorepo = Monorepo::with_registry(version, Registry::start(packages()), |monorepo| {
        monorepo.context.write("bunfig.toml", format!("[install]\nlinker = {linker:?}\n"));
        with_development(&monorepo.context, &monorepo.registry, "workspace:*");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    installs_what_web_needs(
        &nix,
        |_path| false,
        |is_production| {
            let workspaces = OF_WEB.into_iter().chain((!is_production).then_some(FOR_DEVELOPMENT));
            let mut install = nix.monorepo.bun(&["install", "--frozen-lockfile", "--filter=./"]);
            install.args(workspaces.map(|path| format!("--filter=./{path}")));
            succeed(install.args(is_production.then_some("--production")));
        },
    );
}

#[test]
fn e2e_bun_1_4_installs_what_an_app_needs_hoisted() {
    bun_installs_what_web_needs(BUN_VERSIONS[2], "hoisted");
}

#[test]
fn e2e_bun_1_4_installs_what_an_app_needs_isolated() {
    bun_installs_what_web_needs(BUN_VERSIONS[2], "isolated");
}

/// Yarn 1 has no command for it, so all other workspaces are removed from the checkout.
#[test]
fn e2e_yarn_1_installs_what_an_app_needs() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[0], "", |monorepo| {
        with_development(&monorepo.context, &monorepo.registry, "0.3.0");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    installs_what_web_needs(&nix, is_of_musl, |is_production| {
        nix.context().remove(OTHER);
        if is_production {
            nix.context().remove(FOR_DEVELOPMENT);
            nix.monorepo
                .context
                .edit_manifest("apps/web/package.json", |manifest| manifest["devDependencies"] = json!({}));
        }
        let mut install = nix.monorepo.yarn(&["install", "--frozen-lockfile", "--ignore-scripts"]);
        succeed(install.args(is_production.then_some("--production")));
        nix.context().git(&["checkout", "--quiet", "."]);
    });
}

#[test]
fn e2e_yarn_4_installs_what_an_app_needs() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        with_development(&monorepo.context, &monorepo.registry, "workspace:^");
        monorepo.context.edit_manifest("package.json", |manifest| manifest["dependenciesMeta"] = json!({}));
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    installs_what_web_needs(
        &nix,
        |_path| false,
        |is_production| {
            let mut install = nix.monorepo.yarn(&["workspaces", "focus", "acme", "web"]);
            succeed(install.args(is_production.then_some("--production")));
        },
    );
    // No dependency is resolved again, whether it comes from the registry or not.
    let depend = |name: &str, range: &str| {
        nix.context().edit_manifest("apps/web/package.json", |manifest| manifest["dependencies"][name] = range.into());
        fail(&mut nix.build_command("installs.web.own"))
    };
    let said = depend("local", "link:./local");
    let words = ["yarn.lock and the package.json files disagree; missing in yarn.lock:", "  local@link:./local"];
    assert!(words.iter().all(|words| said.contains(words)), "{said}");
    let said = depend("colour", "^0.9.1");
    assert!(said.contains("asked for packages that are not in yarn.lock: colour"), "{said}");
}

/// With content-addressed installs, a changed dependency of `web` installs `api` again, but does not build it.
fn keeps_apart<P: Project>(nix: &NixMonorepo<P>, workspaces: &Value) {
    let context = nix.context();
    let settings = context.folder("nix/conf/nix.conf");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("= nix-command flakes", "= nix-command flakes ca-derivations")).unwrap();
    let flake = context.read("flake.nix");
    let root = "root = ./.;";
    assert!(flake.contains(root), "{flake}");
    context.write("flake.nix", flake.replace(root, &format!("{root} contentAddressed = true;")));
    let choices = json!({ "install": "own", "scripts": ["trusted"], "workspaces": workspaces });
    context.write("splitter.json", choices.to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("own installs");
    let run = |app: &str| {
        let output = nix.build_command(app).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let ran = |words: &str| said.contains(words);
        let steps = (ran("splitter: installed"), ran(&format!("splitter: building apps/{app}:")));
        (String::from_utf8(output.stdout).unwrap(), steps)
    };
    let (api, steps) = run("api");
    assert_eq!(steps, (true, true));
    let has = |file: &str| {
        let find = ["-path", &format!("*/{file}"), "-printf", "x"];
        !succeed(context.command("find").arg(nix.build("nodeModules-api")).args(find)).is_empty()
    };
    assert!(has("trusted/built.txt") && has("untrusted/index.js") && !has("untrusted/built.txt"));
    let (web, _) = run("web");
    nix.monorepo.registry().publish(Package::new("plugin", "1.2.0").peer("host", "^1.0.0"));
    nix.monorepo.add("apps/web", "plugin@^1.2.0");
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("plugin 1.2.0");
    let (api_now, steps) = run("api");
    assert_eq!(steps, (true, false), "installed again, and not built again");
    assert_eq!(api_now, api);
    let (web_now, steps) = run("web");
    assert_eq!(steps, (true, true));
    assert_ne!(web_now, web);
}

/// Libraries are rebuilt because they use the shared install, but their outputs are the same. The library needs copies of
/// packages, because Bun's bundler writes the paths of packages into its output.
#[test]
fn e2e_with_bun_a_dependency_of_one_app_leaves_the_others_alone() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    keeps_apart(&nix, &json!({ "packages/logger": { "nodeModules": "copy" } }));
}

#[test]
fn e2e_with_yarn_1_a_dependency_of_one_app_leaves_the_others_alone() {
    let Some(nix) = NixMonorepo::with_yarn(YARN_VERSIONS[0]) else { return };
    keeps_apart(&nix, &json!({}));
}

#[test]
fn e2e_with_yarn_4_a_dependency_of_one_app_leaves_the_others_alone() {
    let Some(nix) = NixMonorepo::with_yarn(YARN_VERSIONS[2]) else { return };
    keeps_apart(&nix, &json!({}));
}
