//! Dependencies from git: commits that a package manager clones, and archives that GitHub makes.

use serde_json::{Value, json};

use super::trees;
use crate::support::{BUN_VERSIONS, Forge, Monorepo, NixMonorepo, Project as _, fail, succeed};

/// A package with files that are easy to get wrong: a symbolic link, a program, a file that archives exclude, a
/// submodule, a name outside of ASCII, a path too long for a tar header, a file that has to be built.
fn files(name: &str) -> Vec<(String, String)> {
    let manifest = json!({
        "name": name,
        "version": "1.0.0",
        "main": "index.js",
        "bin": { name: "bin/run.js" },
        "scripts": { "prepare": "node build.js", "postinstall": "node -e 0" },
    });
    let long = format!("{}/{}.txt", "folder".repeat(10), "file".repeat(20));
    [
        ("package.json", manifest.to_string()),
        ("build.js", format!("require('fs').writeFileSync('built.js', 'module.exports = \"{name}, built\";');\n")),
        ("index.js", "module.exports = require('./built.js');\n".to_owned()),
        ("bin/run.js*", format!("#!/usr/bin/env node\nconsole.log('{name} runs');\n")),
        ("alias.js", "-> index.js".to_owned()),
        (".gitattributes", "left-out.txt export-ignore\n*.txt text eol=crlf\n".to_owned()),
        (".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ../sub.git\n".to_owned()),
        ("sub", format!("commit {}", "1".repeat(40))),
        ("left-out.txt", "left out of archives\n".to_owned()),
        ("grüße.txt", "names\n".to_owned()),
        (long.as_str(), "long\n".to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

fn commit(forge: &Forge, repository: &str, name: &str) -> String {
    let files = files(name);
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    forge.commit(repository, &files)
}

fn edit(monorepo: &Monorepo, path: &str, change: impl FnOnce(&mut Value)) {
    let mut manifest = serde_json::from_str(&monorepo.context.read(path)).unwrap();
    change(&mut manifest);
    monorepo.context.write(path, format!("{manifest:#}\n"));
}

/// Returns the monorepo with an `api` that depends on a commit without a branch, on a branch, and on an archive.
fn with_repositories(version: &str, forge: &Forge) -> Option<Monorepo> {
    let mut monorepo = Monorepo::with_bun_and_mirror(version)?;
    let old = commit(forge, "o/tool", "tool");
    forge.commit("o/tool", &[("index.js", "module.exports = 'too new';\n")]);
    commit(forge, "o/branch", "branch");
    commit(forge, "o/hub", "hub");
    // Bun and splitter ask this host instead of GitHub.
    monorepo.context.set_env("GITHUB_API_URL", forge.url());
    edit(&monorepo, "package.json", |manifest| {
        let trusted = manifest["trustedDependencies"].as_array_mut().unwrap();
        trusted.extend(["tool", "branch", "hub"].map(Value::from));
    });
    edit(&monorepo, "apps/api/package.json", |manifest| {
        let dependencies = &mut manifest["dependencies"];
        dependencies["tool"] = format!("git+{}/o/tool.git#{old}", forge.url()).into();
        dependencies["branch"] = format!("git+{}/o/branch.git#main", forge.url()).into();
        dependencies["hub"] = "https://github.com/o/hub.git".into();
    });
    monorepo.context.write(
        "apps/api/src/index.ts",
        "import tool from \"tool\";\nimport branch from \"branch\";\nimport hub from \"hub\";\nconsole.log([tool, branch, hub].join());\n",
    );
    monorepo.name_registry();
    succeed(&mut monorepo.bun(&["install", "--lockfile-only"]));
    monorepo.context.commit_all("repositories");
    Some(monorepo)
}

/// The bytes of the archive differ for Bun, which locked their digest, for splitter, and for the build.
fn are_installed(version: &str) {
    let forge = Forge::start();
    let Some(monorepo) = with_repositories(version, &forge) else { return };
    forge.vary(2);
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let context = nix.context();
    succeed(&mut context.splitter(&["check"]));
    let record = context.read("nix/splitter/splitter.lock.json");
    assert!(record.contains(r#""url":"https://github.com/o/hub/archive/"#) && record.contains(r#""unpack":true"#));
    assert!(record.contains(&format!(r#""git":"{}/o/tool.git""#, forge.url())));
    // Builds cannot reach GitHub in tests. The URL is not part of a fixed output.
    forge.vary(3);
    context.write("nix/splitter/splitter.lock.json", record.replace("https://github.com", &forge.url()));
    forge.take_requests();
    let api = nix.build("api");
    let asked = forge.take_requests();
    assert!(asked.iter().any(|request| request.starts_with("GET /codeload/o/hub/")), "{asked:?}");
    assert!(asked.iter().any(|request| request == "POST /o/tool.git/git-upload-pack"), "{asked:?}");
    let printed = succeed(context.command("node").arg(api.join("index.js")));
    assert_eq!(printed, "tool, built,branch, built,hub, built");
    let built = trees::built(&nix);
    assert!(built.keys().any(|path| path.ends_with("tool/left-out.txt")), "a commit has all files");
    assert!(!built.keys().any(|path| path.ends_with("hub/left-out.txt")), "an archive has not");
    forge.vary(1);
    trees::is_the_same_as_here(&nix, &built, |_path| false);
}

#[test]
fn e2e_bun_1_2_installs_from_repositories() {
    are_installed(BUN_VERSIONS[0]);
}

#[test]
fn e2e_bun_1_3_installs_from_repositories() {
    are_installed(BUN_VERSIONS[1]);
}

#[test]
fn e2e_bun_1_4_installs_from_repositories() {
    are_installed(BUN_VERSIONS[2]);
}

/// If the commit disappears, the recorded hash stays valid, but a build that must fetch it again reports that it is gone.
#[test]
fn e2e_a_commit_that_vanished_is_named_by_the_build() {
    let forge = Forge::start();
    let Some(monorepo) = with_repositories(BUN_VERSIONS[2], &forge) else { return };
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let record = nix.context().read("nix/splitter/splitter.lock.json");
    nix.context().write("nix/splitter/splitter.lock.json", record.replace("https://github.com", &forge.url()));
    forge.rewrite("o/tool");
    let output = fail(&mut nix.build_command("nodeModules"));
    assert!(output.contains("the repository no longer has the commit"), "{output}");
    assert!(output.contains("splitter update-hash --preload"), "{output}");
}

#[test]
fn e2e_after_preload_the_build_asks_no_host() {
    let forge = Forge::start();
    let Some(monorepo) = with_repositories(BUN_VERSIONS[2], &forge) else { return };
    let Some(mut nix) = NixMonorepo::of(monorepo) else { return };
    nix.nix.in_chroot = true;
    drop(forge);
    let mut preload = nix.context().splitter(&["update-hash", "--preload"]);
    preload.envs(nix.nix.environment(nix.context())).env("SPLITTER_NIX", &nix.nix.program);
    succeed(&mut preload);
    nix.build("nodeModules");
}
