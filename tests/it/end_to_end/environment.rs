//! Files with environment variables that a checkout's build reads are there in a build.

use fs_err as fs;
use serde_json::json;

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages, succeed,
};

fn print(name: &str) -> String {
    format!("node -p process.env.{name} > dist/{name}.txt")
}

/// Yarn 4 gives their variables to every script.
#[test]
fn e2e_yarn_4_scripts_have_the_variables_of_its_environment_files() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| {
        let context = &monorepo.context;
        context.edit_manifest("apps/web/package.json", |manifest| {
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] = format!("{build} && {} && {}", print("API"), print("PORT")).into();
        });
        context.write(".env.yarn", "API=https://api.example\n");
        context.write("config/build.env", "PORT=80\n");
        // A file that git ignores is on no other machine.
        context.write(".env.local", "PORT=81\n");
        context.write(".gitignore", format!("{}.env.local\n", context.read(".gitignore")));
        let files = "injectEnvironmentFiles:\n  - .env.yarn?\n  - ./config/build.env\n  - .env.local?\n";
        context.write(".yarnrc.yml", format!("{}{files}", context.read(".yarnrc.yml")));
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let web = nix.build("web");
    let read = |name: &str| fs::read_to_string(web.join(format!("{name}.txt"))).unwrap();
    assert_eq!((read("API").trim(), read("PORT").trim()), ("https://api.example", "80"));
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
}

/// `envDir` and its like name a folder above; the files in it are sources.
#[test]
fn e2e_a_build_reads_the_env_files_of_the_folder_that_its_configuration_names() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let context = &monorepo.context;
        context.write("apps/web/vite.config.js", "export default { envDir: '../..' };\n");
        context.write(".env.production", "VITE_API=https://api.example\n");
        context.write(".env.example", "VITE_API=\n");
        context.edit_manifest("apps/web/package.json", |manifest| {
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] =
                format!("{build} && cat $(find ../.. -maxdepth 1 -name '.env*') > dist/env.txt").into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let env = fs::read_to_string(nix.build("web").join("env.txt")).unwrap();
    assert_eq!(env, "VITE_API=https://api.example\n");
    let scan = succeed(&mut nix.context().splitter(&["scan", "--json"]));
    let scan: serde_json::Value = serde_json::from_str(&scan).unwrap();
    let of = |name: &str| {
        let files = scan["sourceSets"][name]["files"].as_array().unwrap();
        files.contains(&json!(".env.production"))
    };
    assert!(of("web") && !of("api"));
}
