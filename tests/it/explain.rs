//! `splitter explain`: shows what an edit rebuilds, without Nix.

use serde_json::{Value, json};

use crate::support::{Package, Small, run, small, splitter_snapshot, succeed};

/// The small repository, initialised. Ids of commits are masked, because they depend on the port of the registry.
fn initialised() -> Small {
    let mut small = Small::new();
    small.context.add_filter(r"\([0-9a-f]{7}\)", "([COMMIT])");
    small.init();
    small
}

#[test]
fn edits_are_told_with_what_they_rebuild() {
    let small = initialised();
    let context = &small.context;
    splitter_snapshot!(context, context.splitter(&["explain"]), @"
    exit: 0
    ----- stdout
    HEAD ([COMMIT]) -> the working tree: no file changed

    nothing is rebuilt: all 6 derivations are kept
    ----- stderr
    ");
    context.write("packages/ui/index.ts", "export const a = 1;\n");
    context.write("apps/web/src/index.test.ts", "// more\n");
    context.write("README.md", "# more\n");
    context.write("apps/api/src/new.ts", "\n");
    splitter_snapshot!(context, context.splitter(&["explain"]), @"
    exit: 0
    ----- stdout
    HEAD ([COMMIT]) -> the working tree: 4 files changed

    rebuilt: 2 of 6 derivations
      api  app in apps/api
        + apps/api/src/new.ts
      web  app in apps/web
        ~ packages/ui/index.ts (used by apps/web)

    kept: 4 of 6 derivations
      deps-common, deps-x86_64-linux, nodeModules, installs.api.production

    read by no build: 2 changed files
        + README.md
        ~ apps/web/src/index.test.ts
    ----- stderr
    git does not track apps/api/src/new.ts, so Nix does not see it yet: run `git add --intent-to-add apps/api/src/new.ts`
    ");
    // Only the staged files.
    context.git(&["add", "packages"]);
    splitter_snapshot!(context, context.splitter(&["explain", "--staged"]), @"
    exit: 0
    ----- stdout
    HEAD ([COMMIT]) -> the staged files: 1 file changed

    rebuilt: 1 of 6 derivations
      web  app in apps/web
        ~ packages/ui/index.ts (used by apps/web)

    kept: 5 of 6 derivations
      deps-common, deps-x86_64-linux, nodeModules, installs.api.production, api
    ----- stderr
    ");
}

#[test]
fn a_commit_without_splitter_has_no_derivations() {
    let mut small = Small::new();
    small.context.add_filter(r"\([0-9a-f]{7}\)", "([COMMIT])");
    small.context.add_filter(r"\d+ files changed", "[N] files changed");
    succeed(&mut small.context.splitter(&["init"]));
    let context = &small.context;
    splitter_snapshot!(context, context.splitter(&["explain"]), @"
    exit: 0
    ----- stdout
    HEAD ([COMMIT]) -> the working tree: [N] files changed
    HEAD ([COMMIT]) has no nix/splitter yet, so everything is new: commit it, then run `splitter explain` again

    new: 6 of 6 derivations
      deps-common              downloaded packages
      deps-x86_64-linux        downloaded packages that only x86_64-linux needs
      nodeModules              installed packages
      installs.api.production  packages that api runs with
      api                      app in apps/api
      web                      app in apps/web
    ----- stderr
    git does not track flake.nix and 117 more, so Nix does not see them yet: run `git add --intent-to-add flake.nix`, and the same for the others
    ");
    context.commit_all("splitter init");
    std::os::unix::fs::symlink("/nix/store/x-web-0", context.repo().join("result")).unwrap();
    std::os::unix::fs::symlink("apps", context.repo().join("result-of-mine")).unwrap();
    let told = succeed(&mut context.splitter(&["explain"]));
    assert!(told.contains("-> the working tree: 1 file changed") && told.contains("+ result-of-mine"), "{told}");
    splitter_snapshot!(context, context.splitter(&["explain", "HEAD~1..HEAD"]), @"
    exit: 0
    ----- stdout
    HEAD~1 ([COMMIT]) -> HEAD ([COMMIT]): [N] files changed
    HEAD~1 ([COMMIT]) has no nix/splitter yet, so everything is new

    new: 6 of 6 derivations
      deps-common              downloaded packages
      deps-x86_64-linux        downloaded packages that only x86_64-linux needs
      nodeModules              installed packages
      installs.api.production  packages that api runs with
      api                      app in apps/api
      web                      app in apps/web
    ----- stderr
    ");
    let json = |range: &str| -> Value {
        serde_json::from_str(&succeed(&mut context.splitter(&["explain", range, "--json"]))).unwrap()
    };
    for (range, effect) in [("HEAD~1..HEAD", "added"), ("HEAD..HEAD~1", "removed")] {
        let report = json(range);
        let derivations = report["derivations"].as_array().unwrap();
        assert_eq!(derivations.len(), 6);
        assert!(derivations.iter().all(|one| one["effect"] == effect && one["causes"] == json!([])), "{report}");
    }
    let back = succeed(&mut context.splitter(&["explain", "HEAD..HEAD~1"]));
    assert!(back.contains(" has no nix/splitter, so it has no derivations of splitter\n\nremoved: 6 of 6"), "{back}");
}

#[test]
fn a_new_version_of_the_package_manager_is_told_without_its_url() {
    let small = initialised();
    let manifest = small.context.read("package.json").replace("bun@1.4.4", "bun@1.4.5");
    small.context.write("package.json", manifest);
    let told = succeed(&mut small.context.splitter(&["explain"]));
    assert!(told.contains("    ~ package manager: bun 1.4.4 -> 1.4.5\n"), "{told}");
}

#[test]
fn an_option_that_explain_lacks_is_not_taken_for_one_of_nix() {
    let small = Small::new();
    splitter_snapshot!(small.context, small.context.splitter(&["explain", "--app", "web"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: unexpected argument '--app' found

    Usage: splitter explain [OPTIONS] [REV] [-- <NIX-OPTIONS>...]

    For more information, try '--help'.
    ");
}

#[test]
fn a_root_file_is_told_with_who_reads_it() {
    let small = Small::new();
    let context = &small.context;
    context.write("splitter.json", r#"{ "rootFiles": ["data"] }"#);
    context.write("data/a.json", "1\n");
    context.write("tsconfig.base.json", "{}\n");
    context.write("packages/ui/tsconfig.json", "{ \"extends\": \"../../tsconfig.base.json\" }\n");
    small.init();
    context.write("data/a.json", "2\n");
    context.write("tsconfig.base.json", "{ }\n");
    let told = succeed(&mut context.splitter(&["explain"]));
    let rebuilt = &told[told.find("rebuilt").unwrap()..told.find("kept").unwrap()];
    let expected = "rebuilt: 2 of 6 derivations\n  \
          api  app in apps/api\n    \
            ~ data/a.json (read by every build)\n  \
          web  app in apps/web\n    \
            ~ data/a.json (read by every build)\n    \
            ~ tsconfig.base.json (read by packages/ui, used by apps/web)\n\n";
    assert_eq!(rebuilt, expected);
}

#[test]
fn a_package_is_told_with_who_asks_for_it() {
    let small = initialised();
    let context = &small.context;
    let mut packages = small::packages();
    packages[1] = small.publish(Package::new("@scope/beta", "2.2.0"));
    packages.push(small.publish(Package::new("delta", "1.0.0")));
    small.lock(&packages);
    splitter_snapshot!(context, context.splitter(&["explain"]), @"
    exit: 0
    ----- stdout
    HEAD ([COMMIT]) -> the working tree: 1 file changed

    rebuilt: 5 of 6 derivations
      deps-common              downloaded packages
        ~ @scope/beta 2.1.0-rc.1 -> 2.2.0 (required by packages/ui)
        + delta 1.0.0 (required by other packages)
      nodeModules              installed packages
        because deps-common is rebuilt
        ~ bun.lock
      installs.api.production  packages that api runs with
        because deps-common is rebuilt
        ~ bun.lock
      api                      app in apps/api
        because nodeModules is rebuilt
        because installs.api.production is rebuilt
      web                      app in apps/web
        because nodeModules is rebuilt

    kept: 1 of 6 derivations
      deps-x86_64-linux
    ----- stderr
    warning: nix/splitter/splitter.lock.json does not match the working tree; this shows the result after `splitter update-hash`
    ");
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("newer packages");
    let explained = succeed(&mut context.splitter(&["explain", "HEAD~1..HEAD", "--json"]));
    let report: Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["from"]["name"], "HEAD~1");
    assert_eq!(report["to"]["recorded"], true);
    assert_eq!(report["files"], json!({ "bun.lock": "changed", "nix/splitter/splitter.lock.json": "changed" }));
    assert_eq!(report["unusedFiles"], json!([]));
    assert_eq!(
        report["derivations"][0],
        json!({
            "name": "deps-common", "kind": "deps", "package": "deps", "effect": "rebuilt",
            "causes": [
                { "kind": "package", "name": "@scope/beta", "from": ["2.1.0-rc.1"], "to": ["2.2.0"], "workspaces": ["packages/ui"], "packages": [] },
                { "kind": "package", "name": "delta", "from": [], "to": ["1.0.0"], "workspaces": [], "packages": [] },
            ],
        })
    );
}

#[test]
fn an_unknown_commit_is_refused() {
    let small = Small::new();
    splitter_snapshot!(small.context, small.context.splitter(&["explain", "nowhere"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: commit `nowhere` not found
    hint: name a commit, branch or tag of this clone; if the clone is shallow, fetch the commit first
    ");
    let small = Small::without_git();
    splitter_snapshot!(small.context, small.context.splitter(&["explain"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `[REPO]` is not in a git repository
    ");
    let mut verify = small.context.splitter(&["verify"]);
    splitter_snapshot!(small.context, verify.env("PATH", ""), @r"
    exit: 3
    ----- stdout
    ----- stderr
    error: `nix` was not found in SPLITTER_NIX or PATH
    hint: install Nix from https://nixos.org/download
    hint: or set SPLITTER_NIX=/path/to/nix
    ");
}

#[test]
fn a_library_with_a_build_names_its_files_and_its_dependants_name_the_library() {
    let small = Small::new();
    let context = &small.context;
    context.edit_manifest("packages/ui/package.json", |manifest| {
        manifest["main"] = "dist/index.js".into();
        manifest["scripts"] = json!({ "build": "tsc" });
    });
    small.init();
    context.commit_all("a library with a build");
    context.write("packages/ui/src/new.ts", "export {};\n");
    let output = succeed(&mut context.splitter(&["explain"]));
    assert_eq!(output.matches("packages/ui/src/new.ts").count(), 1, "{output}");
    assert!(output.contains("because library-ui is rebuilt"), "{output}");
    context.remove("packages/ui/src/new.ts");
    context.edit_manifest("packages/ui/package.json", |manifest| {
        manifest["main"] = "index.ts".into();
    });
    let output = succeed(&mut context.splitter(&["explain"]));
    assert!(output.contains("because library-ui is removed") && output.contains("removed: 1 of"), "{output}");
}

#[test]
fn before_init_no_state_is_called_stale() {
    let small = Small::new();
    let output = run(&mut small.context.splitter(&["explain"]));
    assert!(output.contains("no record yet: run `splitter init`") && !output.contains("does not match"), "{output}");
    small.init();
    let output = run(&mut small.context.splitter(&["explain", "HEAD~1"]));
    assert!(output.contains("has no nix/splitter yet, so everything is new"), "{output}");
}
