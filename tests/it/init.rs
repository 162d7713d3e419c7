//! `splitter init`: the files that it writes, repeated runs, and files that it does not touch.

use std::collections::BTreeMap;

use fs_err as fs;

use splitter::{scaffold::templates::Layout, split::ManagerName};

use crate::support::{Small, TestContext, run, splitter_snapshot, succeed};

/// Returns every file that git does not ignore, with its bytes.
fn files(context: &TestContext) -> BTreeMap<String, Vec<u8>> {
    let listed = context.git(&["ls-files", "--cached", "--others", "--exclude-standard"]);
    listed.lines().map(|path| (path.to_owned(), fs::read(context.repo().join(path)).unwrap())).collect()
}

#[test]
fn init_writes_a_flake_its_parts_and_the_record() {
    let mut small = Small::new();
    small.context.add_filter(r"\(\d+ files\)", "([N] files)");
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @"
    exit: 0
    ----- stdout
    ready: 3 packages and 2 apps in [TIME]
    ----- stderr
    downloading 3 packages (0 of 3 in the cache)
      created flake.nix
      created nix/splitter/ ([N] files)
    git: Nix sees only files that git tracks; run `git add --intent-to-add flake.nix nix/splitter` (it stages no content)
    next: run `nix build .#api`; after each change to the lockfile, run `splitter update-hash`
    hint: add `result` and `result-*` to .gitignore; `nix build` makes these links
    hook: run `splitter hook install` to add a git hook that stops commits with stale hashes
    ");
    let status = small.context.git(&["status", "--porcelain", "--untracked-files=normal"]);
    assert_eq!(status, "?? flake.nix\n?? nix/");
    let files = small.context.git(&["ls-files", "--others"]);
    let mut expected: Vec<_> = Layout::Vendored(ManagerName::Bun).targets().map(|(path, _)| path.to_string()).collect();
    expected.extend(["flake.nix".to_owned(), "nix/splitter/splitter.lock.json".to_owned()]);
    expected.sort();
    assert_eq!(files.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn init_twice_changes_nothing() {
    let small = Small::new();
    succeed(&mut small.context.splitter(&["init"]));
    let before = files(&small.context);
    small.registry.take_requests();
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @r"
    exit: 0
    ----- stdout
    ready: 3 packages and 2 apps in [TIME]
    ----- stderr
      all files are up to date
    git: Nix sees only files that git tracks; run `git add --intent-to-add flake.nix nix/splitter` (it stages no content)
    next: run `nix build .#api`; after each change to the lockfile, run `splitter update-hash`
    hook: run `splitter hook install` to add a git hook that stops commits with stale hashes
    ");
    assert_eq!(files(&small.context), before);
    assert_eq!(small.registry.take_requests(), [""; 0]);
}

#[test]
fn the_record_is_the_same_from_any_cache_and_in_any_folder() {
    let small = Small::new();
    small.init();
    let record = small.context.read("nix/splitter/splitter.lock.json");
    small.context.remove("nix");
    fs::remove_dir_all(small.context.home()).unwrap();
    let moved = small.context.folder("elsewhere");
    fs::rename(small.context.repo(), &moved).unwrap();
    let mut command = small.context.splitter(&["init", "--repo", "."]);
    command.current_dir(&moved);
    // The context's own working folder no longer exists.
    succeed(&mut command);
    assert_eq!(fs::read_to_string(moved.join("nix/splitter/splitter.lock.json")).unwrap(), record);
}

#[test]
fn the_record_is_sorted_with_one_entry_a_line() {
    let small = Small::new();
    small.init();
    let mut context = small.context;
    context.add_filter(r#""fingerprint": ?"[0-9a-f]{32}""#, "\"fingerprint\": [FINGERPRINT]");
    splitter_snapshot!(context, context.command("cat").arg("nix/splitter/splitter.lock.json"), @r#"
    exit: 0
    ----- stdout
    {
      "formatVersion": 3,
      "generator": "splitter [VERSION]",
      "packageManager": {
        "name": "bun",
        "version": "1.4.4",
        "tarballs": {
          "aarch64-darwin": {"url":"http://127.0.0.1:[PORT]/@oven/bun-darwin-aarch64/-/bun-darwin-aarch64-1.4.4.tgz","integrity":"sha512-[HASH]"},
          "aarch64-linux": {"url":"http://127.0.0.1:[PORT]/@oven/bun-linux-aarch64/-/bun-linux-aarch64-1.4.4.tgz","integrity":"sha512-[HASH]"},
          "x86_64-darwin": {"url":"http://127.0.0.1:[PORT]/@oven/bun-darwin-x64/-/bun-darwin-x64-1.4.4.tgz","integrity":"sha512-[HASH]"},
          "x86_64-linux": {"url":"http://127.0.0.1:[PORT]/@oven/bun-linux-x64/-/bun-linux-x64-1.4.4.tgz","integrity":"sha512-[HASH]"}
        }
      },
      "registry": "http://127.0.0.1:[PORT]/",
      "systems": ["aarch64-darwin","aarch64-linux","x86_64-darwin","x86_64-linux"],
      "lockSet": {
        ".npmrc": "blake3-[HASH]",
        "apps/api/package.json": "blake3-[HASH]",
        "apps/web/package.json": "blake3-[HASH]",
        "bun.lock": "blake3-[HASH]",
        "package.json": "blake3-[HASH]",
        "packages/ui/package.json": "blake3-[HASH]"
      },
      "deps": {
        "common": {"fingerprint": [FINGERPRINT],"hash":"sha256-[HASH]","packages":2,"bytes":471},
        "x86_64-linux": {"system":"x86_64-linux","fingerprint": [FINGERPRINT],"hash":"sha256-[HASH]","packages":1,"bytes":268}
      },
      "dependencies": [
        {"path":"npm/@scope/beta/-/beta-2.1.0-rc.1.tgz","integrity":"sha512-[HASH]"},
        {"path":"npm/alpha/-/alpha-1.0.0.tgz","integrity":"sha512-[HASH]"},
        {"path":"npm/gamma-linux/-/gamma-linux-3.0.0.tgz","integrity":"sha512-[HASH]","systems":["x86_64-linux"]}
      ],
      "workspaces": [
        {"path":"","name":"acme","dependencies":[],"rank":0},
        {"path":"apps/api","name":"api","dependencies":[],"rank":0,"rootFiles":["tsconfig.json"],"package":{"name":"api","keeps":"sources","programs":[{"name":"api","runtime":"bun","file":"src/server.ts"}],"runtime":"production","serves":{"port":3000}}},
        {"path":"apps/web","name":"web","dependencies":["packages/ui"],"rank":1,"rootFiles":["tsconfig.json"],"build":{"command":"bun run build","outputs":["dist"]},"package":{"name":"web","keeps":"files"}},
        {"path":"packages/ui","name":"@acme/ui","dependencies":[],"rank":0,"rootFiles":["tsconfig.json"]}
      ],
      "local": [],
      "rootFiles": [],
      "source": {"include":{},"exclude":{}}
    }
    ----- stderr
    "#);
}

#[test]
fn chosen_systems_and_apps_are_kept_for_later_runs() {
    let small = Small::new();
    let context = &small.context;
    succeed(&mut context.splitter(&["init", "--system", "x86_64-linux", "--system", "aarch64-darwin", "--app", "web"]));
    insta::assert_snapshot!(context.read("splitter.json"), @r#"
    {
      "apps": [
        "web"
      ],
      "systems": [
        "aarch64-darwin",
        "x86_64-linux"
      ]
    }
    "#);
    succeed(&mut context.splitter(&["check"]));
    let record = context.read("nix/splitter/splitter.lock.json");
    succeed(&mut context.splitter(&["update-hash"]));
    succeed(&mut context.splitter(&["init"]));
    assert_eq!(context.read("nix/splitter/splitter.lock.json"), record);
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["systems"], serde_json::json!(["aarch64-darwin", "x86_64-linux"]));
    splitter_snapshot!(context, context.splitter(&["init", "--app", "nope"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no app `nope`; the apps are api, web
    ");
}

#[test]
fn choices_are_added_to_a_splitter_json_that_is_there() {
    let small = Small::new();
    let context = &small.context;
    context.write("splitter.json", r#"{ "workspaces": { "apps/web": { "output": "build" } } }"#);
    succeed(&mut context.splitter(&["init", "--system", "x86_64-linux"]));
    insta::assert_snapshot!(context.read("splitter.json"), @r#"
    {
      "systems": [
        "x86_64-linux"
      ],
      "workspaces": {
        "apps/web": {
          "output": "build"
        }
      }
    }
    "#);
    let again = context.read("splitter.json");
    succeed(&mut context.splitter(&["init", "--system", "x86_64-linux"]));
    assert_eq!(context.read("splitter.json"), again);
}

#[test]
fn an_own_flake_is_left_alone_and_its_lines_are_printed() {
    let small = Small::new();
    let flake = "{\n  outputs = { nixpkgs, ... }: {\n    packages.x86_64-linux = { };\n  };\n}\n";
    small.context.write("flake.nix", flake);
    small.context.commit_all("a flake");
    let mut context = small.context;
    context.add_filter(r"\(\d+ files\)", "([N] files)");
    splitter_snapshot!(context, context.splitter(&["init"]), @"
    exit: 0
    ----- stdout
    ready: 3 packages and 2 apps in [TIME]
    ----- stderr
    downloading 3 packages (0 of 3 in the cache)
      created nix/splitter/ ([N] files)
    flake.nix was not changed. It uses plain outputs. To add splitter's outputs, save this diff to a file and run `git apply FILE`:
    --- a/flake.nix
    +++ b/flake.nix
    @@ -1,5 +1,10 @@
     {
    -  outputs = { nixpkgs, ... }: {
    +  outputs = { nixpkgs, ... }: let
    +    splitterFor = pkgs: (import ./nix/splitter { inherit pkgs; root = ./.; }).outputs;
    +  in {
    -    packages.x86_64-linux = { };
    +    legacyPackages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).legacyPackages;
    +    checks.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).checks;
    +    devShells.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).devShells;
    +    packages.x86_64-linux = (splitterFor nixpkgs.legacyPackages.x86_64-linux).packages // { };
       };
     }
    git: Nix sees only files that git tracks; run `git add --intent-to-add nix/splitter` (it stages no content)
    next: apply the diff, then run `nix build .#api`; after each change to the lockfile, run `splitter update-hash`
    hint: add `result` and `result-*` to .gitignore; `nix build` makes these links
    hook: run `splitter hook install` to add a git hook that stops commits with stale hashes
    ");
    assert_eq!(context.read("flake.nix"), flake);
    // If the flake has the lines, nothing is printed.
    context.write("flake.nix", "{ imports = [ ./nix/splitter ]; }\n");
    assert!(!run(&mut context.splitter(&["init"])).contains("is yours"));
    // Older versions of splitter wrote this line to the flake.
    let line = "inherit (builtins.fromJSON (builtins.readFile ./nix/splitter/splitter.lock.json)) systems;";
    context.write("flake.nix", format!("{{ imports = [ ./nix/splitter ]; {line} }}\n"));
    let output = run(&mut context.splitter(&["init"]));
    assert!(output.contains("replace the line that reads splitter.lock.json with:\n    systems = import"), "{output}");
}

#[test]
fn without_git_init_says_what_that_means() {
    let small = Small::without_git();
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("git: this is not a git repository"), "{output}");
}

#[test]
fn untracked_files_are_named_until_git_has_them() {
    let small = Small::new();
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("git add --intent-to-add flake.nix nix/splitter"), "{output}");
    small.context.git(&["add", "--intent-to-add", "flake.nix", "nix/splitter"]);
    assert!(!run(&mut small.context.splitter(&["init"])).contains("git add"));
}

#[test]
fn a_choice_that_init_saves_is_named_for_git_too() {
    let small = Small::new();
    let output = run(&mut small.context.splitter(&["init", "--app", "web"]));
    assert!(output.contains("git add --intent-to-add flake.nix nix/splitter splitter.json`"), "{output}");
}

#[test]
fn links_to_builds_are_to_be_ignored_is_said_once() {
    let small = Small::new();
    let hint = "hint: add `result` and `result-*` to .gitignore";
    assert!(run(&mut small.context.splitter(&["init"])).contains(hint));
    assert!(!run(&mut small.context.splitter(&["init"])).contains(hint));
    small.context.remove("nix");
    small.context.write(".gitignore", "result\n");
    assert!(!run(&mut small.context.splitter(&["init"])).contains(hint));
}

#[test]
fn a_repository_without_apps_is_told_that_nothing_is_built() {
    let small = Small::new();
    small.context.write("apps/web/package.json", r#"{"name": "web"}"#);
    small.context.write("apps/api/package.json", r#"{"name": "api"}"#);
    small.context.write("apps/api/index.ts", "");
    let output = run(&mut small.context.splitter(&["init"]));
    let told = output.lines().filter(|line| line.starts_with("warning") || line.contains("is a library"));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    warning: bun.lock does not match the package.json files: apps/web/package.json: `@acme/ui` is in the lockfile, but not in the manifest, and 1 difference more; run `bun install`
    warning: nothing will be built: no workspace is an app
    hint: `apps/api` is a library: its package.json has no `build`, `start` or `dev` script; to make it an app, set `"workspaces": { "apps/api": { "start": "index.ts" } }` in splitter.json
    hint: `apps/web` is a library: its package.json has no `build`, `start` or `dev` script; to make it an app, set `"workspaces": { "apps/web": { "start": "src/index.ts" } }` in splitter.json
    "#);
}

#[test]
fn a_version_that_the_registry_lacks_for_one_system_can_be_left_out() {
    let small = Small::new();
    let place = "/@oven/bun-linux-aarch64/1.4.4";
    small.registry.fail(place, crate::support::Fault::Status(404), usize::MAX);
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: Bun 1.4.4 for aarch64-linux is not in the registry (http://127.0.0.1:[PORT]/@oven%2fbun-linux-aarch64/1.4.4: the registry answered 404)
    hint: pin another version (packageManager in package.json), or leave this system out: `splitter init --system aarch64-darwin --system x86_64-darwin --system x86_64-linux`
    ");
    let systems = ["--system", "aarch64-darwin", "--system", "x86_64-darwin", "--system", "x86_64-linux"];
    succeed(&mut small.context.splitter(&[&["init"][..], &systems].concat()));
    small.context.edit_manifest("package.json", |manifest| manifest["packageManager"] = "bun@1.4.9".into());
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: Bun 1.4.9 for aarch64-darwin, x86_64-darwin, x86_64-linux is not in the registry (http://127.0.0.1:[PORT]/@oven%2fbun-darwin-aarch64/1.4.9: the registry answered 404)
    hint: pin another version (packageManager in package.json)
    ");
}

#[test]
fn formatters_are_told_to_leave_the_generated_files() {
    let small = Small::new();
    small.context.write(".prettierignore", "dist/\n");
    small.context.write("biome.json", r#"{"$schema": "https://biomejs.dev/schemas/2.1.0/schema.json"}"#);
    let output = run(&mut small.context.splitter(&["init"]));
    let hint = [
        "hint: if a formatter edits nix/splitter/, `splitter check` fails. Leave the folder out:",
        "    Prettier, in .prettierignore: nix/splitter/",
        r#"    Biome, in biome.json: "files": { "includes": ["**", "!nix/splitter/**"] }"#,
    ];
    assert!(output.contains(&hint.join("\n")), "{output}");
    small.context.write(".prettierignore", "dist/\nnix/splitter/\n");
    small.context.write("biome.json", r#"{"files": {"includes": ["**", "!nix/splitter/**"]}}"#);
    assert!(!run(&mut small.context.splitter(&["init"])).contains("formatter"));
}

#[test]
fn leftovers_of_other_tools_are_named_once() {
    let small = Small::new();
    small.context.write("bun.nix", "{ }\n");
    small.context.write("nix/build.nix", "{ bun2nix }: bun2nix.hook\n");
    small.context.write("nix/hashes.json", r#"{"x86_64-linux": "sha256-AAAA"}"#);
    let output = run(&mut small.context.splitter(&["init"]));
    let bun2nix = "hint: splitter replaces bun2nix. When the new packages build, remove bun.nix, its calls in nix/build.nix (https://github.com/OWNER/splitter/blob/main/docs/migrating.md)";
    assert!(output.contains(bun2nix), "{output}");
    assert!(output.contains("If nothing else reads it, remove nix/hashes.json"), "{output}");
    assert!(!run(&mut small.context.splitter(&["init"])).contains("bun2nix"));
}

#[test]
fn quiet_leaves_the_result_alone() {
    let small = Small::new();
    splitter_snapshot!(small.context, small.context.splitter(&["init", "--quiet"]), @r"
    exit: 0
    ----- stdout
    ready: 3 packages and 2 apps in [TIME]
    ----- stderr
    ");
}

#[test]
fn edited_and_left_over_files_of_splitter_are_mended() {
    let small = Small::new();
    small.init();
    let context = &small.context;
    let right = files(context);
    context.write("nix/splitter/build.nix", "broken");
    context.remove("nix/splitter/deps.nix");
    context.write("nix/splitter/old.nix", "# Generated by splitter: do not edit. From an older version.\n");
    context.write("nix/splitter/mine.nix", "# my own\n");
    splitter_snapshot!(context, context.splitter(&["init", "--repo", "apps"]), @"
    exit: 0
    ----- stdout
    ready: 3 packages and 2 apps in [TIME]
    ----- stderr
      created nix/splitter/ (1 file)
      changed nix/splitter/ (1 file)
      removed nix/splitter/ (1 file)
    git: Nix sees only files that git tracks; run `git add --intent-to-add nix/splitter` (it stages no content)
    next: run `nix build .#api`; after each change to the lockfile, run `splitter update-hash`
    hook: run `splitter hook install` to add a git hook that stops commits with stale hashes
    ");
    context.remove("nix/splitter/mine.nix");
    assert_eq!(files(context), right);
}

#[test]
fn what_is_in_the_way_of_a_file_is_named_and_nothing_is_advised() {
    let small = Small::new();
    let context = &small.context;
    context.write("justfile", "build:\n    bun run build\n");
    let init = || run(&mut context.splitter(&["init", "--just", "--no-hook"]));
    let refused = |hint: &str| {
        let output = init();
        assert!(output.starts_with("exit: 2\n") && output.contains(hint), "{output}");
        assert!(!output.contains("add the line") && !output.contains("ready"), "{output}");
        assert!(!context.repo().join("nix/splitter").exists(), "{output}");
    };
    for name in ["flake.nix", "splitter.just"] {
        let place = context.repo().join(name);
        fs::create_dir(&place).unwrap();
        refused(&format!("hint: move the folder `{name}` away"));
        fs::remove_dir(&place).unwrap();
        std::os::unix::fs::symlink("nowhere", &place).unwrap();
        refused(&format!("hint: replace the link `{name}` with a file"));
        fs::remove_file(&place).unwrap();
    }
    context.write("nix", "a file");
    refused("hint: move the file `nix` away");
    context.remove("nix");
    assert!(init().contains("add the line"));
}

#[test]
fn recipes_for_just_are_written_once_and_never_over_edits() {
    let small = Small::new();
    let context = &small.context;
    let init = || run(&mut context.splitter(&["init", "--just", "--no-hook"]));
    let output = init();
    assert!(output.contains("created justfile") && output.contains("created splitter.just"), "{output}");
    assert!(context.read("justfile").contains("mod splitter 'splitter.just'\n"));
    assert!(init().contains("all files are up to date"));
    context.write("justfile", "build:\n    bun run build\n");
    let output = init();
    assert!(output.contains("add the line `mod splitter 'splitter.just'` to justfile"), "{output}");
    let edited = format!("{}mine:\n", context.read("splitter.just"));
    context.write("splitter.just", &edited);
    let output = init();
    assert!(output.contains("splitter.just was edited and is kept"), "{output}");
    assert_eq!(
        (context.read("splitter.just"), context.read("justfile")),
        (edited, "build:\n    bun run build\n".to_owned())
    );
}
