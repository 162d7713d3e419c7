//! Builds that others need are run for them, whatever their workspaces are: apps by a task runner's order or by name, and
//! libraries whose entry points are made in place.

use fs_err as fs;
use serde_json::json;

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Package, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages, succeed,
};

/// `web` takes the output of `api`, which it names nowhere in its manifest.
#[test]
fn e2e_an_app_is_built_for_another_one_that_a_task_runner_builds_after_it() {
    let turbo = ("turbo.json", json!({ "tasks": { "web#build": { "dependsOn": ["api#build"] } } }));
    let project = json!({ "targets": { "build": { "dependsOn": [{ "target": "build", "projects": ["backend"] }] } } });
    let nx = [
        ("nx.json", json!({})),
        ("apps/api/project.json", json!({ "name": "backend" })),
        ("apps/web/project.json", project),
    ];
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] = format!("{build} && cp ../api/dist/index.js dist/api.js").into();
    });
    for files in [&[turbo][..], &nx] {
        for (path, content) in files {
            context.write(path, content.to_string());
        }
        succeed(&mut context.splitter(&["update-hash"]));
        context.git(&["add", "--all"]);
        let (web, api) = (nix.build("web"), nix.build("api"));
        assert!(api.join("index.js").is_file());
        assert_eq!(fs::read(web.join("api.js")).unwrap(), fs::read(api.join("index.js")).unwrap());
        succeed(&mut super::verify::splitter(&nix, &["verify"]));
        context.remove(files[0].0);
    }
}

/// The studio is a site with nothing to import, and `web` depends on it to have it built.
#[test]
fn e2e_a_site_that_an_app_depends_on_is_built_for_it_and_stays_a_package() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let context = &monorepo.context;
        let make = "#!/usr/bin/env node\nconst fs = require('fs');\nfs.mkdirSync('dist');\nfs.writeFileSync('dist/index.html', 'studio');\n";
        monorepo.registry.publish(
            Package::new("vite", "7.0.0").field("bin", json!({ "vite": "vite.js" })).executable("vite.js", make),
        );
        let studio = json!({ "name": "studio", "private": true, "scripts": { "build": "vite build" }, "devDependencies": { "vite": "^7.0.0" } });
        context.write("packages/studio/package.json", studio.to_string());
        context.write("packages/studio/index.html", "<p>studio</p>\n");
        context.edit_manifest("apps/web/package.json", |manifest| {
            manifest["devDependencies"]["studio"] = "workspace:*".into();
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] = format!("{build} && cp ../../packages/studio/dist/index.html dist/").into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let studio = nix.build("studio");
    assert_eq!(fs::read_to_string(studio.join("index.html")).unwrap(), "studio");
    assert_eq!(fs::read_to_string(nix.build("web").join("index.html")).unwrap(), "studio");
}

/// The entry point of a library lies beside its sources, and git ignores it.
#[test]
fn e2e_a_library_whose_entry_point_is_made_in_place_is_built() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        let context = &monorepo.context;
        context.edit_manifest("packages/logger/package.json", |manifest| {
            manifest["main"] = "config.js".into();
            manifest["scripts"] = json!({ "build": "cp src/index.js config.js" });
        });
        context.write("packages/logger/.gitignore", "config.js\n");
        context.edit_manifest("packages/ui/package.json", |manifest| manifest["main"] = "src/gone.js".into());
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    assert_eq!(super::yarn::output_of(&nix, "api"), "[colour@1.2.0, old-library@0.1.0] api: native@2.0.0");
    // What a developer built decides nothing.
    context.write("packages/logger/config.js", "module.exports = () => {};\n");
    succeed(&mut context.splitter(&["check"]));
    let scan = succeed(&mut context.splitter(&["scan"]));
    let warning = "warning: its entry point `src/gone.js` is not in git, and it has no build script";
    assert!(scan.contains(warning), "{scan}");
}
