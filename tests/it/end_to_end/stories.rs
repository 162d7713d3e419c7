//! Stories and tests are sources of the builds that read them.

use fs_err as fs;
use serde_json::json;

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Package, Registry, monorepo::packages, succeed};

/// Lists the files below the folder with this ending into a file of the output.
fn lister(ending: &str, output: &str) -> String {
    format!(
        "#!/usr/bin/env node\nconst fs = require('fs');\n\
         const files = fs.readdirSync('.', {{ recursive: true }}).map(String);\n\
         const found = files.filter((file) => file.includes('{ending}') && !file.includes('node_modules')).sort();\n\
         if (found.length === 0) throw new Error('no files found');\n\
         fs.mkdirSync('{output}', {{ recursive: true }});\n\
         fs.writeFileSync('{output}/found.txt', found.join(' '));\n"
    )
}

#[test]
fn e2e_builds_have_the_stories_and_the_tests_that_they_read() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let tools = [
            ("storybook", ".stories.", "storybook-static"),
            ("ladle", ".stories.", "build"),
            ("histoire", ".story.", ".histoire/dist"),
            ("vitest", ".test.", "dist"),
        ];
        for (name, ending, output) in tools {
            let package = Package::new(name, "9.0.0").field("bin", json!({ name: "run.js" }));
            monorepo.registry.publish(package.executable("run.js", lister(ending, output)));
            let build = if name == "vitest" { "vitest run && cp ../../tsconfig.json dist/" } else { "" };
            let build = if build.is_empty() { format!("{name} build") } else { build.to_owned() };
            let manifest = json!({ "name": name.to_owned() + "-app", "private": true, "scripts": { "build": build }, "devDependencies": { name: "9" } });
            let folder = format!("apps/{name}-app");
            monorepo.context.write(&format!("{folder}/package.json"), manifest.to_string());
            for file in ["src/a.stories.tsx", "src/b.story.vue", "src/c.test.ts", "src/d.ts"] {
                monorepo.context.write(&format!("{folder}/{file}"), "\n");
            }
        }
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let found = |app: &str| fs::read_to_string(nix.build(app).join("found.txt")).unwrap();
    assert_eq!(found("storybook-app"), "src/a.stories.tsx");
    assert_eq!(found("ladle-app"), "src/a.stories.tsx");
    assert_eq!(found("histoire-app"), "src/b.story.vue");
    assert_eq!(found("vitest-app"), "src/c.test.ts");
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
}
