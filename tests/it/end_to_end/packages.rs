//! Packages run: with an empty environment, from another folder, and with nothing of what only their build needed.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::json;

use super::outputs::own_flake;
use crate::support::{
    BUN_1_3_14, BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project, Registry, TestContext, YARN_VERSIONS,
    YarnMonorepo, fail, monorepo::packages, stand_in::system, succeed,
};

/// A registry with a package that programs need, and one that only builds need.
fn registry() -> Registry {
    let own = [
        Package::new("greet", "1.0.0").file("pre.js", "globalThis.loaded = 'greet/pre';\n").bin("greeter"),
        Package::new("only-for-builds", "1.0.0"),
    ];
    Registry::start(packages().into_iter().chain(own))
}

/// Adds workspaces with a product of each kind. `workspace` is the range of a workspace.
fn with_products(context: &TestContext, workspace: &str) {
    let manifest = |path: &str, manifest: serde_json::Value| context.write(path, manifest.to_string());
    let library =
        json!({ "name": "@acme/words", "version": "1.0.0", "main": "index.js", "dependencies": { "greet": "1.0.0" } });
    manifest("packages/words/package.json", library);
    context.write("packages/words/index.js", "module.exports = `words of ${require('greet')}`;\n");

    let cat = json!({
        "name": "@acme/cat", "version": "1.0.0", "bin": { "mycat": "src/cli.js" },
        "dependencies": { "greet": "1.0.0" }, "devDependencies": { "only-for-builds": "1.0.0" },
    });
    manifest("apps/cat/package.json", cat);
    context.write("apps/cat/src/cli.js", include_str!("packages/cat.js"));

    let server = json!({
        "name": "server", "version": "2.1.0", "main": "dist/main.js",
        "scripts": {
            "build": "node build.js",
            "start": "NODE_ENV=production node --require ./pre.js -r greet/pre.js dist/main --name 'a b'",
        },
        "dependencies": { "@acme/words": workspace }, "devDependencies": { "only-for-builds": "1.0.0" },
    });
    manifest("apps/server/package.json", server);
    context.write("apps/server/build.js", include_str!("packages/build_server.js"));
    context.write("apps/server/pre.js", "globalThis.first = 'pre';\n");
    context.write("apps/server/src/main.ts", "// compiled by build.js\n");
    context.write("apps/server/views/hello.txt", "a view\n");
    context.edit_manifest("apps/server/package.json", |manifest| {
        manifest["dependencies"]["greet"] = "1.0.0".into();
    });

    let site = json!({
        "name": "site", "version": "1.0.0", "scripts": { "build": "node build.js" }, "devDependencies": { "only-for-builds": "1.0.0" },
    });
    manifest("apps/site/package.json", site);
    context.write("apps/site/build.js", include_str!("packages/build_site.js"));
}

/// Runs a program of a package with an empty environment, from another folder.
#[track_caller]
fn start(program: &Utf8Path, args: &[&str], folder: &Utf8Path) -> String {
    succeed(Command::new(program).args(args).env_clear().current_dir(folder))
}

/// The names of what a package needs at run time, without the hashes.
fn closure<P: Project>(nix: &NixMonorepo<P>, path: &Utf8Path) -> Vec<String> {
    let paths = succeed(&mut nix.nix(&["path-info", "--recursive", path.as_str()]));
    let name = |path: &str| path.rsplit('/').next().unwrap().split_once('-').unwrap().1.to_owned();
    paths.lines().map(name).collect()
}

/// No development package, no source and no tool is in a closure.
#[track_caller]
fn assert_small<P: Project>(nix: &NixMonorepo<P>, path: &Utf8Path, expected: &[&str]) {
    let mut found = closure(nix, path);
    found.retain(|name| name != path.file_name().unwrap().split_once('-').unwrap().1);
    found.sort();
    assert_eq!(found, expected, "{path}");
}

fn everything_runs<P: Project>(nix: &NixMonorepo<P>) {
    let context = nix.context();
    let elsewhere = context.folder("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::write(elsewhere.join("hello.txt"), "hello\n").unwrap();

    let cat = nix.build("cat");
    let said = start(&cat.join("bin/mycat"), &["hello.txt"], &elsewhere);
    assert_eq!(said, format!("{elsewhere} hello, greet@1.0.0"));
    let main = nix.eval(&format!("packages.{}.cat.meta", system()), "meta: meta.mainProgram");
    assert_eq!(main, "mycat");
    assert_small(nix, &cat, &["node-modules-cat-production", "nodejs"]);

    let server = nix.build("server");
    let said = start(&server.join("bin/server"), &["--port", "1"], &elsewhere);
    let expected =
        "production pre greet/pre [--name,a b,--port,1] a view, words of greet@1.0.0, without only-for-builds";
    assert_eq!(said, expected);
    let inner = server.join("lib/server/apps/server");
    assert!(inner.join("pre.js").is_file() && inner.join("package.json").is_file());
    assert!(!inner.join("src/main.ts").exists() && !inner.join("dist/.cache").exists());
    assert_small(nix, &server, &["node-modules-server-production", "nodejs"]);

    let site = nix.build("site");
    assert!(fs::read_to_string(site.join("index.html")).unwrap().contains("only-for-builds@1.0.0"));
    assert_small(nix, &site, &[]);
}

#[test]
fn e2e_products_of_bun_run_from_anywhere_and_need_nothing_of_their_builds() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry(), |monorepo| {
        with_products(&monorepo.context, "workspace:*");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    everything_runs(&nix);
}

fn products_of_yarn(version: &str, linker: &str) {
    let monorepo = YarnMonorepo::with_registry(version, linker, registry(), |monorepo| {
        with_products(&monorepo.context, if monorepo.is_classic() { "*" } else { "workspace:*" });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    everything_runs(&nix);
}

#[test]
fn e2e_products_of_yarn_1_run_from_anywhere_and_need_nothing_of_their_builds() {
    products_of_yarn(YARN_VERSIONS[0], "node-modules");
}

#[test]
fn e2e_products_of_yarn_4_run_from_anywhere_and_need_nothing_of_their_builds() {
    products_of_yarn(YARN_VERSIONS[2], "node-modules");
}

#[test]
fn e2e_products_of_plug_n_play_run_from_anywhere_and_need_nothing_of_their_builds() {
    products_of_yarn(YARN_VERSIONS[2], "pnp");
}

/// A compiled program is in `bin`, runs, and is all that the package holds.
fn compiled_programs_run(version: &str) {
    let monorepo = Monorepo::with_registry(version, registry(), |monorepo| {
        let build = "bun build src/main.ts --compile --sourcemap --outfile dist/tool && bun build src/other.ts --compile --outfile dist/other";
        let manifest = json!({
            "name": "compiled", "bin": { "mytool": "./dist/tool" }, "scripts": { "build": build },
            "dependencies": { "greet": "1.0.0" },
        });
        monorepo.context.write("apps/compiled/package.json", manifest.to_string());
        let main = "import greet from 'greet';\nconsole.log(greet, process.cwd(), process.argv.slice(2).join());\n";
        monorepo.context.write("apps/compiled/src/main.ts", main);
        monorepo.context.write("apps/compiled/src/other.ts", "console.log('the other one');\n");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let elsewhere = nix.context().folder("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let tool = nix.build("compiled");
    assert_eq!(start(&tool.join("bin/mytool"), &["a"], &elsewhere), format!("greet@1.0.0 {elsewhere} a"));
    assert_eq!(start(&tool.join("bin/other"), &[], &elsewhere), "the other one");
    let files: Vec<_> = tool.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert_eq!(files, ["bin"]);
    assert_small(&nix, &tool, &[]);
}

#[test]
fn e2e_programs_that_bun_1_2_compiles_run() {
    compiled_programs_run(BUN_VERSIONS[0]);
}

#[test]
fn e2e_programs_that_bun_1_3_14_compiles_run() {
    compiled_programs_run(BUN_1_3_14);
}

#[test]
fn e2e_programs_that_bun_1_4_compiles_run() {
    compiled_programs_run(BUN_VERSIONS[2]);
}

/// A package that loads what only its build has is refused, and the file is named.
#[test]
fn e2e_a_package_that_loads_a_file_of_its_build_is_refused_by_name() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry(), |monorepo| {
        let context = &monorepo.context;
        let manifest = json!({
            "name": "leaky", "scripts": { "build": "node build.js" },
            "devDependencies": { "only-for-builds": "1.0.0" },
        });
        context.write("apps/leaky/package.json", manifest.to_string());
        context.write("apps/leaky/build.js", include_str!("packages/build_leaky.js"));
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let said = fail(&mut nix.build_command("leaky"));
    for line in [
        "the package of leaky needs packages that only its build has:",
        "link -> ",
        "server/index.js loads a file of node-modules",
        "hint: set \"nodeModules\": \"copy\" for \"apps/leaky\" in splitter.json",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

/// Several outputs are kept, what is optional may be missing, and what is not kept is named.
#[test]
fn e2e_all_outputs_of_a_script_are_kept_and_others_are_named() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = "bun build src/index.ts --outdir build/cjs && bun build src/index.ts --outdir build/esm && mkdir types && echo > types/a.d.ts && ln -s nowhere build/esm/dangling";
        manifest["scripts"]["build"] = build.into();
    });
    succeed(&mut context.splitter(&["update-hash"]));
    let said = succeed(nix.build_command("web").arg("--print-build-logs").stderr(std::process::Stdio::inherit()));
    let web: Utf8PathBuf = said.into();
    for file in ["build/cjs/index.js", "build/esm/index.js"] {
        assert!(web.join(file).is_file(), "{file}");
    }
    assert!(!web.join("types").exists());
    let log = succeed(&mut nix.nix(&["log", ".#web"]));
    let line = "splitter: the build of web also made types in apps/web, which the package does not hold; add it to `output` in splitter.json if you need it";
    assert!(log.contains(line), "{log}");
    assert!(
        log.contains("splitter: links in the package of web lead nowhere:\n  build/esm/dangling -> nowhere"),
        "{log}"
    );
}

/// Options of the flake wrap programs.
#[test]
fn e2e_options_set_the_environment_of_programs() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context
        .edit_manifest("apps/web/package.json", |manifest| manifest["scripts"] = json!({ "start": "bun src/show.ts" }));
    context
        .write("apps/web/src/show.ts", "console.log(process.env.A, process.env.PATH, process.env.LD_LIBRARY_PATH);\n");
    succeed(&mut context.splitter(&["update-hash"]));
    let options =
        "splitter.apps.web.runtime = { env.A = \"it's\"; path = [ pkgs.coreutils ]; libraries = [ pkgs.coreutils ]; };";
    context.write("flake.nix", own_flake(options));
    context.git(&["add", "--all"]);
    let web = nix.build("web");
    let said = start(&web.join("bin/web"), &[], &context.repo());
    let words: Vec<_> = said.split(' ').collect();
    assert_eq!(words[0], "it's");
    // Bash has a path of its own where the caller has none.
    assert!(words[1].contains("-coreutils/bin") && words[2].ends_with("-coreutils/lib"), "{said}");
}
