//! Dependencies from git with Yarn, which packs the clones. A build installs the same files as a checkout, with any package
//! manager that packs the package.

use serde_json::{Value, json};

use super::{
    trees,
    yarn::{RECORD, Yarn, output_of},
};
use crate::support::{
    Forge, Package, Project as _, SecureProxy, YARN_VERSIONS, YarnMonorepo, fail, programs, succeed, yarn,
};

const NPM_LOCK: &str = r#"{ "name": "x", "lockfileVersion": 3, "packages": {} }"#;

/// Commits a package whose `index.js` exports its name, and returns the commit's id.
fn commit(forge: &Forge, name: &str, more: &Value, files: &[(&str, &str)]) -> String {
    let mut manifest = json!({ "name": name, "version": "1.0.0", "main": "index.js" });
    manifest.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let (manifest, index) = (format!("{manifest:#}\n"), format!("module.exports = {name:?};\n"));
    let all = [&[("package.json", manifest.as_str()), ("index.js", &index)], files].concat();
    forge.commit(&format!("o/{name}"), &all)
}

/// Files that packing and archives treat differently.
const ODD_FILES: [(&str, &str); 6] = [
    ("bin/run.js*", "#!/usr/bin/env node\n"),
    ("alias.js", "-> index.js"),
    (".gitattributes", "left-out.txt export-ignore\n"),
    ("left-out.txt", "left out of archives\n"),
    (".npmignore", "test\n"),
    ("test/index.js", "\n"),
];

/// A build script that needs only Node.
const BUILD: &str = "require('fs').writeFileSync('built.js', 'module.exports = \"built\";\\n');\n";

/// Returns the monorepo. Calls `edit` to add dependencies before the lockfile is written again.
fn monorepo(
    version: &str,
    forge: &Forge,
    proxy: &SecureProxy,
    edit: impl FnOnce(&YarnMonorepo),
) -> Option<YarnMonorepo> {
    let mut monorepo = YarnMonorepo::with_yarn(version)?;
    let context = &mut monorepo.context;
    for (name, value) in proxy.environment(version) {
        context.set_env(name, value);
    }
    context.set_env("GITHUB_API_URL", forge.url());
    // Git fetches GitHub's repositories from the forge.
    context.set_env("GIT_CONFIG_COUNT", "1");
    context.set_env("GIT_CONFIG_KEY_0", format!("url.{}/.insteadOf", forge.url()));
    context.set_env("GIT_CONFIG_VALUE_0", "https://github.com/");
    if version == YARN_VERSIONS[2] {
        let settings = context.read(".yarnrc.yml");
        context.write(".yarnrc.yml", settings + "approvedGitRepositories:\n  - \"**\"\n");
    }
    for package in [Package::new("husky", "8.0.0").bin("husky"), Package::new("build-tool", "1.0.0").bin("build-tool")]
    {
        monorepo.registry.publish(package);
    }
    // The install in the checkout runs no scripts, so the build must not either.
    monorepo.context.write("splitter.json", "{}\n");
    monorepo.context.edit_manifest("package.json", |manifest| manifest["dependenciesMeta"] = json!({}));
    edit(&monorepo);
    lock(&monorepo);
    Some(monorepo)
}

fn lock(monorepo: &YarnMonorepo) {
    succeed(&mut monorepo.yarn(&["install"]));
    monorepo.forget_install();
    monorepo.context.commit_all("repositories");
}

/// Makes `api` depend on these and print their exports.
fn depend(monorepo: &YarnMonorepo, dependencies: &[(&str, String)]) {
    monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
        for (name, specifier) in dependencies {
            manifest["dependencies"][name] = specifier.as_str().into();
        }
    });
    let required: Vec<_> = dependencies.iter().map(|(name, _)| format!("require({name:?})")).collect();
    monorepo.context.write("apps/api/src/index.js", format!("console.log({});\n", required.join(", ")));
}

/// Replaces GitHub by the forge in the record, because builds cannot reach GitHub in tests. The URL is not part of a fixed
/// output.
fn take_archives_from(forge: &Forge, nix: &Yarn) {
    let record = nix.context().read(RECORD);
    assert!(record.contains(r#""url":"https://github.com/o/hub/archive/"#), "{record}");
    nix.context().write(RECORD, record.replace("https://github.com", &forge.url()));
}

/// If the script of a package needs a missing tool, the build names it.
fn what_must_be_built_is_named(forge: &Forge, nix: &Yarn) {
    let more = json!({ "scripts": { "prepare": "build-tool --now" }, "devDependencies": { "build-tool": "^1.0.0" } });
    commit(forge, "needy", &more, &[("package-lock.json", NPM_LOCK)]);
    depend(&nix.monorepo, &[("needy", format!("git+{}/o/needy.git", forge.url()))]);
    lock(&nix.monorepo);
    succeed(&mut nix.context().splitter(&["update-hash"]));
    take_archives_from(forge, nix);
    let said = fail(&mut nix.build_command("nodeModules"));
    assert!(said.contains("needy runs `prepare` and may need build-tool"), "{said}");
    assert!(said.contains("depend on a published version of these packages"), "{said}");
}

fn later_yarn_installs_what_it_packs(version: &str) {
    let forge = Forge::start();
    let Some(proxy) = SecureProxy::start(&forge) else { return };
    let monorepo = monorepo(version, &forge, &proxy, |monorepo| {
        let registry = &monorepo.registry;
        registry.publish(programs::real_yarn(YARN_VERSIONS[0], &yarn(YARN_VERSIONS[0]).unwrap()));
        let needs = json!({ "devDependencies": { "husky": "^8.0.0" }, "scripts": { "prepare": "husky install" } });
        let with = |lock| [&[lock], ODD_FILES.as_slice()].concat();
        commit(&forge, "npm-locked", &needs, &with(("package-lock.json", NPM_LOCK)));
        let classic_lock = format!(
            "# yarn lockfile v1\n\n\nhusky@^8.0.0:\n  version \"8.0.0\"\n  resolved \"{}husky/-/husky-8.0.0.tgz\"\n",
            registry.url()
        );
        commit(&forge, "classic-locked", &needs, &with(("yarn.lock", &classic_lock)));
        let built = json!({ "main": "built.js", "scripts": { "prepack": "node build.js" } });
        commit(&forge, "hub", &built, &with(("build.js", BUILD)));
        let part = |name: &str| format!("{{ \"name\": \"@mono/{name}\", \"version\": \"2.0.0\" }}\n");
        commit(
            &forge,
            "mono",
            &json!({ "private": true, "workspaces": ["packages/*"] }),
            &[
                ("packages/part/package.json", &part("part")),
                ("packages/part/index.js", "module.exports = \"part\";\n"),
                ("packages/other/package.json", &part("other")),
                ("packages/other/index.js", "module.exports = \"other\";\n"),
            ],
        );
        let at = |rest: &str| format!("{}/o/{rest}", forge.url());
        depend(
            monorepo,
            &[
                ("npm-locked", at("npm-locked.git")),
                ("classic-locked", at("classic-locked.git#head=main")),
                ("hub", "github:o/hub".to_owned()),
                ("@mono/part", at("mono.git#workspace=@mono/part")),
                ("@mono/other", at("mono.git#workspace=@mono/other")),
            ],
        );
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    let record = nix.context().read(RECORD);
    assert_eq!(record.matches(r#""path":"git/"#).count(), 3, "two workspaces of one commit are one file: {record}");
    take_archives_from(&forge, &nix);
    assert_eq!(output_of(&nix, "api"), "npm-locked classic-locked built part other");
    let built = trees::built(&nix);
    assert!(!built.keys().any(|path| path.contains("/test/") || path.ends_with("hub/left-out.txt")), "{built:?}");
    trees::is_the_same_as_here(&nix, &built, |_path| false);
    nix.monorepo.forget_install();
    what_must_be_built_is_named(&forge, &nix);
    a_committed_zip_is_no_longer_packed(&forge, &nix);
}

/// Tests the remedy in that error.
fn a_committed_zip_is_no_longer_packed(forge: &Forge, nix: &Yarn) {
    let context = nix.context();
    context.write(".gitignore", "node_modules/\ndist/\n.yarn/*\n!.yarn/cache\n.yarn/cache/*\n!.yarn/cache/needy-*\n");
    succeed(&mut nix.monorepo.yarn(&["install"]));
    nix.monorepo.forget_install();
    context.commit_all("a zip");
    succeed(&mut context.splitter(&["update-hash"]));
    assert!(!context.read(RECORD).contains("/o/needy.git"));
    take_archives_from(forge, nix);
    assert_eq!(output_of(nix, "api"), "needy");
}

#[test]
fn e2e_yarn_3_installs_from_repositories() {
    later_yarn_installs_what_it_packs(YARN_VERSIONS[1]);
}

#[test]
fn e2e_yarn_4_installs_from_repositories() {
    later_yarn_installs_what_it_packs(YARN_VERSIONS[2]);
}

#[test]
fn e2e_yarn_1_installs_from_repositories() {
    let forge = Forge::start();
    let Some(proxy) = SecureProxy::start(&forge) else { return };
    let monorepo = monorepo(YARN_VERSIONS[0], &forge, &proxy, |monorepo| {
        let old = commit(&forge, "built", &json!({}), &ODD_FILES);
        let built = json!({ "main": "built.js", "scripts": { "prepare": "node build.js" } });
        commit(&forge, "built", &built, &[("build.js", BUILD)]);
        let hooks = json!({
            "scripts": { "prepare": "husky install" },
            "devDependencies": { "husky": "^8.0.0" },
            "files": ["index.js", "bin"],
        });
        commit(&forge, "hooked", &hooks, &ODD_FILES);
        let hub = commit(&forge, "hub", &json!({}), &ODD_FILES);
        // Yarn would ask the real GitHub for this.
        let lock = monorepo.context.read("yarn.lock");
        let entry = format!(
            "\n\"hub@o/hub#{hub}\":\n  version \"1.0.0\"\n  resolved \"https://codeload.github.com/o/hub/tar.gz/{hub}\"\n"
        );
        monorepo.context.write("yarn.lock", lock + &entry);
        let at = |rest: &str| format!("git+{}/o/{rest}", forge.url());
        depend(
            monorepo,
            &[
                ("built", at("built.git")),
                ("old", at(&format!("built.git#{old}"))),
                ("hooked", at("hooked.git#main")),
                ("hub", format!("o/hub#{hub}")),
            ],
        );
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    take_archives_from(&forge, &nix);
    assert_eq!(output_of(&nix, "api"), "built built hooked hub");
    let built = trees::built(&nix);
    assert!(!built.keys().any(|path| path.ends_with("left-out.txt")), "{built:?}");
    trees::is_the_same_as_here(&nix, &built, trees::is_of_musl);
    nix.monorepo.forget_install();
    what_must_be_built_is_named(&forge, &nix);
}

/// If the history of a repository was rewritten, the error names the commit and the package.
#[test]
fn e2e_yarn_names_a_vanished_commit() {
    let forge = Forge::start();
    let Some(proxy) = SecureProxy::start(&forge) else { return };
    let monorepo = monorepo(YARN_VERSIONS[0], &forge, &proxy, |monorepo| {
        commit(&forge, "gone", &json!({}), &[]);
        depend(monorepo, &[("gone", format!("git+{}/o/gone.git", forge.url()))]);
    });
    let Some(monorepo) = monorepo else { return };
    forge.rewrite("o/gone");
    monorepo.registry.publish(monorepo.program());
    monorepo.name_registry();
    let said = fail(&mut monorepo.context.splitter(&["init"]));
    assert!(said.contains("gone (commit ") && said.contains("the repository no longer has the commit"), "{said}");
}
