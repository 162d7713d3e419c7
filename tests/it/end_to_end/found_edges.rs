//! Builds that read what no manifest names: other workspaces by an alias, by a hoisted name, by a path or by a command, files of
//! other workspaces, and scripts of the root.

use fs_err as fs;
use serde_json::{Value, json};

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Project, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages, succeed,
};

/// Workspaces beside those of the monorepo. `site` names none of them.
fn write_others(monorepo: &impl Project, build: &str) {
    let context = monorepo.context();
    let manifests = [
        ("packages/shared", json!({ "name": "@acme/shared-lib", "dependencies": { "colour": "^1.0.0" } })),
        ("packages/never", json!({ "name": "@acme/never" })),
        ("packages/hoisted", json!({ "name": "@acme/hoisted", "main": "index.js" })),
        ("packages/spec", json!({ "name": "@acme/spec" })),
        ("packages/mytool", json!({ "name": "@acme/mytool", "bin": { "mytool": "run.js" } })),
        (
            "packages/review",
            json!({ "name": "@acme/review", "scripts": { "build": "mkdir -p dist && echo reviewed > dist/r.txt" } }),
        ),
        ("apps/site", json!({ "name": "site", "scripts": { "build": build } })),
    ];
    for (folder, mut manifest) in manifests {
        manifest["private"] = true.into();
        manifest["version"] = "1.0.0".into();
        context.write(&format!("{folder}/package.json"), format!("{manifest:#}\n"));
    }
    context.write("packages/shared/src/i.ts", "import colour from 'colour';\nexport const shared = colour;\n");
    context.write("packages/never/src/i.ts", "export {};\n");
    context.write("packages/hoisted/index.js", "exports.hoisted = 'hoisted';\n");
    context.write("packages/spec/openapi.yaml", "openapi: 3\n");
    context.write("packages/spec/other.yaml", "x: 1\n");
    let tool = "#!/usr/bin/env node\nrequire('fs').writeFileSync('tool.txt', 'tool');\n";
    context.write("packages/mytool/run.js", tool);
    context.make_executable("packages/mytool/run.js");
    context.write("docs/x.md", "# x\n");
    context.write("docs/y.md", "# y\n");
    context.write("scripts/codes.js", "require('fs').writeFileSync('apps/site/codes.txt', require('./more'));\n");
    context.write("scripts/more.js", "module.exports = 'codes';\n");
    context.edit_manifest("package.json", |manifest| {
        manifest["scripts"]["codes"] = "node scripts/codes.js".into();
        let is_yarn = build.contains("yarn");
        manifest["devDependencies"]["@acme/mytool"] = if is_yarn { "1.0.0" } else { "workspace:*" }.into();
        if !is_yarn {
            // Bun links no workspace at the root that the root does not name.
            manifest["devDependencies"]["@acme/hoisted"] = "workspace:*".into();
        }
    });
    context.write(".gitignore", "node_modules\ndist\ntool.txt\ncodes.txt\n.pnp.*\n.yarn/install-state.gz\n");
}

/// The rest of the build of `site`: it keeps what it read.
const READ: &str = "mytool && cat ../../packages/spec/openapi.yaml > dist/api.yaml && cp ../../packages/review/dist/r.txt dist/ \
    && cp tool.txt codes.txt ../../docs/x.md dist/";

/// Builds `site`, and checks what it read and what rebuilds it.
fn site_has_all<P: Project>(nix: &NixMonorepo<P>) {
    let site = nix.build("site");
    let read = |name: &str| fs::read_to_string(site.join(name)).unwrap_or_else(|_| panic!("{name}"));
    assert_eq!([read("tool.txt"), read("codes.txt"), read("x.md")], ["tool", "codes", "# x\n"]);
    assert_eq!([read("api.yaml"), read("r.txt")], ["openapi: 3\n", "reviewed\n"]);
    let context = nix.context();
    succeed(&mut context.splitter(&["check"]));
    let drv = || nix.eval(&format!("packages.{}.site", crate::support::stand_in::system()), "package: package.drvPath");
    let before = drv();
    for path in ["packages/never/src/i.ts", "packages/spec/other.yaml", "docs/y.md"] {
        context.write(path, "changed\n");
        assert_eq!(drv(), before, "{path}");
    }
    context.write("packages/spec/openapi.yaml", "openapi: 4\n");
    assert_ne!(drv(), before);
}

#[test]
fn e2e_bun_a_build_has_what_no_manifest_names() {
    let main =
        "import { shared } from '@shared';\nimport { hoisted } from '@acme/hoisted';\nconsole.log(shared, hoisted);\n";
    let paths = json!({ "@shared": ["./packages/shared/src/i.ts"], "@never": ["./packages/never/src/i.ts"] });
    let build = format!("bun run --cwd ../.. codes && bun build src/main.ts --target node --outdir dist && {READ}");
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        write_others(monorepo, &build);
        let context = &monorepo.context;
        context.write("tsconfig.json", json!({ "compilerOptions": { "paths": paths } }).to_string());
        context.write("apps/site/tsconfig.json", json!({ "extends": "../../tsconfig.json" }).to_string());
        context.write("apps/site/src/main.ts", main);
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let scan = succeed(&mut nix.context().splitter(&["scan"]));
    assert!(scan.contains("packages/shared: imports @shared (alias in tsconfig.json; src/main.ts)"), "{scan}");
    site_has_all(&nix);
    assert!(fs::read_to_string(nix.build("site").join("main.js")).unwrap().contains("hoisted"));
    let context = nix.context();
    context.commit_all("before");
    context.write("packages/shared/src/i.ts", "export const shared = 1;\n");
    let explained = succeed(&mut context.splitter(&["explain"]));
    assert!(
        explained.contains("used by apps/site, which imports @shared (alias in tsconfig.json; src/main.ts)"),
        "{explained}"
    );
    // What sources import is recorded. A check takes it from there, and says nothing of new imports.
    context.write("apps/site/src/main.ts", "import '@never';\n");
    succeed(&mut context.splitter(&["check"]));
    // An alias that leads elsewhere is configuration.
    context.write("apps/site/src/main.ts", main);
    let paths = json!({ "@shared": ["./packages/never/src/i.ts"] });
    context.write("tsconfig.json", json!({ "compilerOptions": { "paths": paths } }).to_string());
    crate::support::fail(&mut context.splitter(&["check"]));
    succeed(&mut context.splitter(&["update-hash"]));
    let record: Value = serde_json::from_str(&context.read("nix/splitter/splitter.lock.json")).unwrap();
    let site = record["workspaces"].as_array().unwrap().iter().find(|found| found["name"] == "site").unwrap();
    assert!(site["edges"]["sources"].as_array().unwrap().contains(&"packages/never".into()), "{site}");
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
}

fn yarn(version: &str, codes: &str) {
    let make = "const { hoisted } = require('@acme/hoisted');\nrequire('fs').mkdirSync('dist');\nrequire('fs').writeFileSync('dist/main.js', hoisted);\n";
    let build = format!("{codes} && node make.js && {READ}");
    let monorepo = YarnMonorepo::with_linker(version, "node-modules", |monorepo| {
        write_others(monorepo, &build);
        monorepo.context.write("apps/site/make.js", make);
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    site_has_all(&nix);
}

#[test]
fn e2e_yarn_1_a_build_has_what_no_manifest_names() {
    yarn(YARN_VERSIONS[0], "yarn --cwd ../.. codes");
}

#[test]
fn e2e_yarn_4_a_build_has_what_no_manifest_names() {
    yarn(YARN_VERSIONS[2], "yarn run -T codes");
}

/// `site` depends on the root, and on itself where its manager can.
fn write_site_of_root(monorepo: &impl Project, dependencies: &Value) {
    let context = monorepo.context();
    let build = "mkdir -p dist && node make.js";
    let site =
        json!({ "name": "site", "version": "1.0.0", "scripts": { "build": build }, "dependencies": dependencies });
    context.write("apps/site/package.json", site.to_string());
    let itself = if dependencies.get("site").is_some() { "require('site/own')" } else { "'own'" };
    let make = format!(
        "require('fs').writeFileSync('dist/root.txt', require('acme') + require('acme/package.json').version + {itself});\n"
    );
    context.write("apps/site/make.js", make);
    context.write("apps/site/own.js", "module.exports = 'own';\n");
    context.write("lib/i.js", "module.exports = require('./part');\n");
    context.write("lib/part.js", "module.exports = 'root';\n");
    context.edit_manifest("package.json", |manifest| {
        manifest["main"] = "lib/i.js".into();
        manifest["version"] = "7.7.7".into();
    });
}

fn site_has_the_root<P: Project>(nix: &NixMonorepo<P>) {
    assert_eq!(fs::read_to_string(nix.build("site").join("root.txt")).unwrap(), "root7.7.7own");
    let context = nix.context();
    context.write("lib/part.js", "module.exports = 'new';\n");
    succeed(&mut context.splitter(&["check"]));
    assert_eq!(fs::read_to_string(nix.build("site").join("root.txt")).unwrap(), "new7.7.7own");
}

#[test]
fn e2e_bun_a_workspace_depends_on_the_root() {
    for specifier in ["workspace:*", "link:../..", "file:../.."] {
        let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
            write_site_of_root(monorepo, &json!({ "acme": specifier }));
        });
        let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
        site_has_the_root(&nix);
    }
}

fn yarn_of_root(version: &str, dependencies: &Value) {
    let edit = |monorepo: &YarnMonorepo| write_site_of_root(monorepo, dependencies);
    let Some(nix) = YarnMonorepo::with_linker(version, "node-modules", edit).and_then(NixMonorepo::of) else { return };
    site_has_the_root(&nix);
}

#[test]
fn e2e_yarn_1_a_workspace_depends_on_the_root() {
    yarn_of_root(YARN_VERSIONS[0], &json!({ "acme": "link:../.." }));
}

#[test]
fn e2e_yarn_4_a_workspace_depends_on_the_root() {
    yarn_of_root(YARN_VERSIONS[2], &json!({ "acme": "workspace:*", "site": "workspace:*" }));
    yarn_of_root(YARN_VERSIONS[2], &json!({ "acme": "portal:../.." }));
}
