//! Git LFS: git has pointers where the checkout has files, and a flake sees what git has.

use fs_err as fs;

use super::local::local_monorepo;
use crate::support::{BUN_VERSIONS, NixMonorepo, TestContext, fail, run, succeed};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/// Keeps tarballs as Git LFS does. The filters of git stand in for its program.
fn track_tarballs(context: &TestContext) {
    let pointer = context.folder("pointer");
    let kept = context.folder("kept");
    fs::write(&pointer, POINTER).unwrap();
    fs::copy(context.repo().join("vendor/packed-1.0.0.tgz"), &kept).unwrap();
    context.git(&["config", "filter.lfs.clean", &format!("cat > /dev/null; cat {pointer}")]);
    context.git(&["config", "filter.lfs.smudge", &format!("cat > /dev/null; cat {kept}")]);
    context.write(".gitattributes", "*.tgz filter=lfs diff=lfs merge=lfs -text\n");
    context.git(&["rm", "--quiet", "--cached", "vendor/packed-1.0.0.tgz"]);
    context.commit_all("tarballs in Git LFS");
}

#[test]
fn e2e_pointers_of_git_lfs_are_named_by_every_command_and_by_the_build() {
    let Some(monorepo) = local_monorepo(BUN_VERSIONS[2]) else { return };
    track_tarballs(&monorepo.context);
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let context = nix.context();
    assert!(context.read("flake.nix").contains("inputs.self.lfs = true;"), "a new flake has the setting");
    assert!(!run(&mut context.splitter(&["scan"])).contains("LFS"));
    context.write("flake.nix", context.read("flake.nix").replace("inputs.self.lfs = true;", ""));
    let said = run(&mut context.splitter(&["scan"]));
    assert!(said.contains("Git LFS keeps `vendor/packed-1.0.0.tgz`, which builds read"), "{said}");
    context.commit_all("without the setting");
    // A flake that is fetched by its commit has what git has.
    let flake = format!("git+file://{}?rev={}#nodeModules", context.repo(), context.git(&["rev-parse", "HEAD"]));
    let said = fail(&mut nix.nix(&["build", "--no-link", "--print-build-logs", &flake]));
    assert!(said.contains("these files are Git LFS pointers:\n"), "{said}");
    assert!(said.contains("vendor/packed-1.0.0.tgz") && said.contains("inputs.self.lfs = true;"), "{said}");
    // A checkout without Git LFS has the pointers too.
    context.write("vendor/packed-1.0.0.tgz", POINTER);
    for command in ["scan", "check", "update-hash"] {
        let said = fail(&mut context.splitter(&[command]));
        assert!(
            said.contains("`vendor/packed-1.0.0.tgz` is a Git LFS pointer") && said.contains("git lfs pull"),
            "{said}"
        );
    }
    succeed(&mut context.splitter(&["--version"]));
}
