//! Git submodules that builds need: a workspace, a patch, a local tarball, root files; and a monorepo that is a submodule itself.

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::Value;

use super::local::local_monorepo;
use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Registry, fail, monorepo::packages, run, succeed};

/// Turns a folder of the monorepo into a submodule. Returns the repository that it comes from.
fn make_submodule(monorepo: &Monorepo, path: &str) -> Utf8PathBuf {
    let context = &monorepo.context;
    let origin = context.folder(&format!("origin-{}", path.replace('/', "-")));
    fs::rename(context.repo().join(path), &origin).unwrap();
    let git = |args: &[&str]| succeed(context.command("git").current_dir(&origin).args(args));
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "one"]);
    context.git(&["rm", "-r", "--quiet", "--cached", path]);
    context.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", origin.as_str(), path]);
    context.commit_all("a submodule");
    origin
}

/// A monorepo whose workspace `packages/ui` and folder `vendor`, with a root file, are submodules.
fn with_submodules() -> Option<Monorepo> {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let context = &monorepo.context;
        context.write("vendor/tsconfig.json", context.read("tsconfig.json"));
        context.write("vendor/README.md", "# vendor\n");
        context.edit_manifest("apps/web/package.json", |manifest| {
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] =
                format!("{build} && cat ../../vendor/tsconfig.json > dist/vendor.json").into();
        });
    })?;
    make_submodule(&monorepo, "packages/ui");
    make_submodule(&monorepo, "vendor");
    Some(monorepo)
}

const SETTING: &str = "inputs.self.submodules = true;";

#[test]
fn e2e_a_workspace_in_a_submodule_builds_with_the_setting_and_says_so_without() {
    let Some(nix) = with_submodules().and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let record: Value = serde_json::from_str(&context.read("nix/splitter/splitter.lock.json")).unwrap();
    assert_eq!(record["submodules"], serde_json::json!(["packages/ui", "vendor"]));
    assert!(context.read("flake.nix").contains(SETTING), "a new flake has the setting");
    let silent = run(&mut context.splitter(&["scan"]));
    assert!(!silent.contains("submodule"), "{silent}");
    let web = nix.build("web");
    assert!(web.join("vendor.json").is_file());
    // Edits in a submodule rebuild what reads it, and its README does not. Nix sees them if another file is edited too.
    let before = nix.derivations();
    context.write("packages/ui/src/index.ts", format!("{}\n", context.read("packages/ui/src/index.ts")));
    let explained = run(&mut context.splitter(&["explain", "HEAD"]));
    assert!(explained.contains("~ packages/ui/src/index.ts (used by apps/web)"), "{explained}");
    assert!(explained.contains("only files in git submodules changed"), "{explained}");
    assert_eq!(nix.derivations(), before);
    context.write(".gitignore", format!("{}\n", context.read(".gitignore")));
    let explained = run(&mut context.splitter(&["explain", "HEAD"]));
    assert!(!explained.contains("only files in git submodules changed"), "{explained}");
    let after = nix.derivations();
    assert_ne!(before["web"], after["web"]);
    assert_eq!(before["api"], after["api"]);
    context.write("vendor/README.md", "# more\n");
    assert_eq!(nix.derivations(), after);
    // Without the setting nothing can be built, and every command says what to do.
    let flake = context.read("flake.nix");
    context.write("flake.nix", flake.replace(SETTING, ""));
    for command in ["scan", "check", "init", "update-hash"] {
        let said = run(&mut context.splitter(&[command]));
        assert!(said.contains("`packages/ui`, `vendor`: add `inputs.self.submodules = true;`"), "{command}: {said}");
    }
    let said = fail(&mut nix.build_command("web"));
    assert!(said.contains("Nix does not see the files of these git submodules"), "{said}");
    assert!(said.contains("packages/ui") && said.contains(SETTING) && said.contains("submodules=1"), "{said}");
    let by_command = nix.nix(&["build", "--no-link", "--print-out-paths", ".?submodules=1#web"]).output().unwrap();
    assert!(by_command.status.success(), "{}", String::from_utf8_lossy(&by_command.stderr));
}

/// A patch and a tarball in submodules belong to the install.
#[test]
fn e2e_patches_and_tarballs_in_submodules_are_installed() {
    let Some(monorepo) = local_monorepo(BUN_VERSIONS[2]) else { return };
    make_submodule(&monorepo, "vendor");
    make_submodule(&monorepo, "patches");
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let context = nix.context();
    let api = nix.build("api");
    let printed = succeed(context.command("node").arg(api.join("index.js")));
    assert!(printed.contains("native, patched") && printed.contains("packed@1.0.0"), "{printed}");
    context.write("flake.nix", context.read("flake.nix").replace(SETTING, ""));
    let said = fail(&mut nix.build_command("nodeModules"));
    assert!(said.contains("Nix does not see the files of these git submodules"), "{said}");
    // In a clone without them, every command names the submodule and what to run.
    context.git(&["submodule", "--quiet", "deinit", "--force", "--all"]);
    for command in ["scan", "check", "update-hash"] {
        let said = fail(&mut context.splitter(&[command]));
        assert!(said.contains("because the git submodule `") && said.contains("git submodule update --init"), "{said}");
    }
}

#[test]
fn e2e_verify_and_check_follow_submodules() {
    let Some(nix) = with_submodules().and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let report = succeed(&mut super::verify::splitter(&nix, &["verify", "--json"]));
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["surprises"], 0, "{report:#}");
    let edits = super::verify::rebuilds(&report);
    assert_eq!(
        edits.get("source of a library packages/ui/src/index.ts").map(String::as_str),
        Some("web"),
        "{edits:#?}"
    );
    // A new commit of a submodule that changes a manifest makes the record stale.
    let inner =
        |args: &[&str]| succeed(context.command("git").current_dir(context.repo().join("packages/ui")).args(args));
    context.edit_manifest("packages/ui/package.json", |manifest| manifest["dependencies"]["new"] = "1.0.0".into());
    inner(&["commit", "--quiet", "--all", "--message", "a new dependency"]);
    context.git(&["add", "packages/ui"]);
    let said = fail(&mut context.splitter(&["check", "--staged"]));
    assert!(said.contains("packages/ui/package.json"), "{said}");
    let explained = succeed(&mut context.splitter(&["explain", "HEAD", "--staged"]));
    assert!(explained.contains("packages/ui/package.json"), "{explained}");
}

#[test]
fn e2e_a_monorepo_that_is_a_submodule_builds() {
    let monorepo = Monorepo::with_bun(BUN_VERSIONS[2]);
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let outer = context.folder("outer");
    fs::create_dir(&outer).unwrap();
    let git = |args: &[&str]| succeed(context.command("git").current_dir(&outer).args(args));
    git(&["init", "--quiet"]);
    let repo = context.repo();
    git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repo.as_str(), "inner"]);
    let inner = outer.join("inner");
    succeed(context.splitter(&["check"]).current_dir(&inner));
    let explained = succeed(context.splitter(&["explain", "HEAD"]).current_dir(&inner));
    assert!(explained.contains("nothing is rebuilt"), "{explained}");
    let built = succeed(nix.build_command("web").current_dir(&inner));
    assert_eq!(built, nix.build("web").as_str());
}
