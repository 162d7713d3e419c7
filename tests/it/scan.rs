//! `splitter scan`, and options of every command: help, version, `--repo`, `--quiet`, colour.

mod products;

use serde_json::{Value, json};

use crate::support::{Small, TestContext, fail, run, splitter_snapshot, succeed};

#[test]
fn scan_shows_the_split() {
    let small = Small::new();
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @"
    exit: 0
    ----- stdout
    repository  [REPO]
    manager     bun 1.4.4 (packageManager in package.json), bun.lock version 1
    packages    3: 2 for every system, 1 for some systems only (x86_64-linux 1)

    lock set    6 files; a change to any of them makes the hashes stale
      .npmrc
      bun.lock
      4 package.json files (only the fields that an install reads)

    workspaces  4: 2 apps, 1 library, the root
      .            library (is the workspace root)
      apps/api     app api (runs a server from source and is in apps/)
                   server api: bun src/server.ts
                   runs with: production dependencies
      apps/web     app web (has a build script and is in apps/)
                   build: `bun run build` (bun build) -> dist
                   files: the output of the build, no program
      packages/ui  library (its package.json has no `build`, `start` or `dev` script)

    source sets 2 apps; editing a file outside an app's source set does not rebuild that app
      api  3 files, 92 B, from apps/api
      web  5 files, 290 B, from apps/web, packages/ui
        excluded: **/*.test.ts (1 file), README.md (1 file)
      files ignored by git are never included
    ----- stderr
    ");
}

#[test]
fn scan_of_one_app_shows_its_sources_alone() {
    let small = Small::new();
    let output = succeed(&mut small.context.splitter(&["scan", "--app", "web"]));
    assert!(output.contains("packages/ui") && !output.contains("  api  "), "{output}");
    splitter_snapshot!(small.context, small.context.splitter(&["scan", "--app", "nope"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no app `nope`; the apps are api, web
    ");
}

#[test]
fn a_misspelled_app_is_answered_with_the_nearest_name() {
    let small = Small::new();
    let said = fail(&mut small.context.splitter(&["scan", "--app", "wep"]));
    assert!(said.contains("there is no app `wep`") && said.contains("hint: did you mean `web`?"), "{said}");
}

#[test]
fn globs_that_match_no_file_are_warned_of() {
    let small = Small::new();
    let choices = json!({ "workspaces": {
        "apps/*": { "include": ["README.md"] },
        "packages/ui": { "exclude": ["fixtures/**", "*.ts"], "include": ["test/data"] },
    } });
    small.context.write("splitter.json", choices.to_string());
    let said = run(&mut small.context.splitter(&["scan"]));
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(
        warnings,
        [
            "warning: `exclude` of packages/ui in splitter.json: `fixtures/**` matches no file",
            "warning: `include` of packages/ui in splitter.json: `test/data` matches no file",
        ]
    );
    let report: Value = serde_json::from_str(&succeed(&mut small.context.splitter(&["scan", "--json"]))).unwrap();
    assert_eq!(report["warnings"].as_array().unwrap().len(), 2);
}

#[test]
fn variables_that_every_build_shares_are_told_once() {
    let small = Small::new();
    let context = &small.context;
    context.edit_manifest("apps/api/package.json", |manifest| manifest["scripts"]["build"] = "tsc".into());
    let turbo = json!({ "globalEnv": ["STAGE", "TOKEN"], "tasks": {
        "build": { "dependsOn": ["^build"] }, "web#build": { "env": ["WEB_URL"] }
    } });
    context.write("turbo.json", turbo.to_string());
    let said = succeed(&mut context.splitter(&["scan"]));
    assert_eq!(said.matches("STAGE, TOKEN").count(), 1, "{said}");
    assert!(said.contains("lists variables for all builds, which are unset unless"), "{said}");
    let of_web =
        "its task runner lists variables that are unset unless `apps.web.env` in flake.nix sets them: WEB_URL\n";
    assert!(said.contains(of_web), "{said}");
    assert!(!said.contains("apps.api.env"), "{said}");
}

#[test]
fn packages_of_a_second_host_are_named() {
    let small = Small::new();
    let npmrc = small.context.read(".npmrc");
    small.context.write(".npmrc", format!("{npmrc}@scope:registry=https://npm.acme.example/\n"));
    let said = succeed(&mut small.context.splitter(&["scan"]));
    let hosts = said.lines().find(|line| line.starts_with("hosts ")).unwrap_or(&said);
    assert!(hosts.ends_with(" 2, npm.acme.example 1 (@scope/beta@2.1.0-rc.1)"), "{hosts}");
    assert!(hosts.starts_with("hosts       127.0.0.1:"), "{hosts}");
}

/// Case X9.
#[test]
fn settings_of_linters_are_no_sources() {
    let small = Small::new();
    let context = &small.context;
    for name in [".eslintrc.js", "prettier.config.mjs", ".editorconfig", "commitlint.config.js", "dprint.json"] {
        context.write(&format!("apps/web/{name}"), "");
    }
    let said = succeed(&mut context.splitter(&["scan", "-v", "--app", "web"]));
    assert!(said.contains("  web  5 files, ") && said.contains(".editorconfig (1 file)"), "{said}");
    context.write("apps/web/src/index.ts", "import options from '../prettier.config.mjs';\n");
    let said = succeed(&mut context.splitter(&["scan", "-v", "--app", "web"]));
    assert!(said.contains("  web  6 files, ") && !said.contains("prettier.config.mjs (1 file)"), "{said}");
}

#[test]
fn scan_tells_which_apps_have_an_install_of_their_own() {
    let small = Small::new();
    let choices = r#"{"install": "own", "workspaces": {"apps/web": {"install": "production"}}}"#;
    small.context.write("splitter.json", choices);
    let output = succeed(&mut small.context.splitter(&["scan"]));
    let told: Vec<_> = output.lines().filter(|line| line.contains("its own install")).map(str::trim).collect();
    assert_eq!(told, ["has its own install", "has its own install, without development dependencies"]);
}

#[test]
fn scan_with_more_details_lists_every_manifest() {
    let small = Small::new();
    let output = succeed(&mut small.context.splitter(&["scan", "-v"]));
    assert!(output.contains("\n  packages/ui/package.json (only the fields that an install reads)\n"), "{output}");
}

#[test]
fn scan_says_what_does_not_run() {
    let small = Small::new();
    small.context.edit_manifest("packages/ui/package.json", |manifest| {
        manifest["scripts"] = json!({ "build": "tsc", "copy-editor": "x" });
    });
    small.context.write("nx.json", r#"{"targetDefaults": {"build": {"dependsOn": ["copy-editor"]}}}"#);
    let output = succeed(&mut small.context.splitter(&["scan"]));
    let shown: Vec<&str> = output.lines().map(str::trim).skip_while(|line| !line.starts_with("packages/ui")).collect();
    assert_eq!(
        shown[..3],
        [
            "packages/ui  library (apps/web depends on it)",
            "build script not used: no entry point is in an output folder; `build` in splitter.json runs it",
            "tasks not run before the build: copy-editor (no `outputs`); `build` in splitter.json runs them",
        ]
    );
}

#[test]
fn scan_as_json_has_a_version_and_every_file() {
    let small = Small::new();
    let mut context = small.context;
    context.add_filter(r#""bytes": \d+"#, r#""bytes": [N]"#);
    splitter_snapshot!(context, context.splitter(&["scan", "--json"]), @r#"
    exit: 0
    ----- stdout
    {
      "drift": [],
      "librarySourceSets": {},
      "local": [],
      "lockSet": {
        ".npmrc": "blake3-[HASH]",
        "apps/api/package.json": "blake3-[HASH]",
        "apps/web/package.json": "blake3-[HASH]",
        "bun.lock": "blake3-[HASH]",
        "package.json": "blake3-[HASH]",
        "packages/ui/package.json": "blake3-[HASH]"
      },
      "nodejs": null,
      "packageManager": {
        "lockfileVersion": 1,
        "name": "bun",
        "source": "packageManager in package.json",
        "version": "1.4.4"
      },
      "packages": {
        "parts": {
          "common": 2,
          "x86_64-linux": 1
        },
        "shards": {
          "common": 2,
          "x86_64-linux": 1
        },
        "total": 3
      },
      "root": "[REPO]",
      "rootFiles": [],
      "sourceSets": {
        "api": {
          "bytes": [N],
          "files": [
            "apps/api/package.json",
            "apps/api/src/server.ts",
            "tsconfig.json"
          ],
          "leftOut": {},
          "workspaces": [
            "apps/api"
          ]
        },
        "web": {
          "bytes": [N],
          "files": [
            "apps/web/package.json",
            "apps/web/src/index.ts",
            "packages/ui/index.ts",
            "packages/ui/package.json",
            "tsconfig.json"
          ],
          "leftOut": {
            "**/*.test.ts": {
              "bytes": [N],
              "files": 1
            },
            "README.md": {
              "bytes": [N],
              "files": 1
            }
          },
          "workspaces": [
            "apps/web",
            "packages/ui"
          ]
        }
      },
      "submodules": [],
      "systems": [
        "aarch64-darwin",
        "aarch64-linux",
        "x86_64-darwin",
        "x86_64-linux"
      ],
      "traced": {},
      "version": 2,
      "warnings": [],
      "workspaces": [
        {
          "app": null,
          "build": null,
          "buildNotUsed": false,
          "cycle": [],
          "dependencies": [],
          "env": [],
          "exposes": null,
          "found": {},
          "install": null,
          "kind": "library",
          "library": null,
          "linkTargets": [],
          "missingEntry": null,
          "name": "acme",
          "nodeModules": null,
          "notRun": [],
          "path": "",
          "product": null,
          "reason": "is the workspace root",
          "rootFiles": [],
          "rootScripts": [],
          "tasksNotRun": []
        },
        {
          "app": "api",
          "build": null,
          "buildNotUsed": false,
          "cycle": [],
          "dependencies": [],
          "env": [],
          "exposes": null,
          "found": {},
          "install": "shared",
          "kind": "app",
          "library": null,
          "linkTargets": [],
          "missingEntry": null,
          "name": "api",
          "nodeModules": {
            "how": "link",
            "reason": null
          },
          "notRun": [],
          "path": "apps/api",
          "product": {
            "files": [],
            "keeps": "sources",
            "programs": [
              {
                "file": "src/server.ts",
                "name": "api",
                "runtime": "bun"
              }
            ],
            "purpose": "server",
            "runtime": "production",
            "serves": {
              "port": 3000
            }
          },
          "reason": "runs a server from source and is in apps/",
          "rootFiles": [
            "tsconfig.json"
          ],
          "rootScripts": [],
          "tasksNotRun": []
        },
        {
          "app": "web",
          "build": {
            "command": "bun run build",
            "guessed": false,
            "optionalOutputs": [],
            "outputs": [
              "dist"
            ],
            "tool": "bun build"
          },
          "buildNotUsed": false,
          "cycle": [],
          "dependencies": [
            "packages/ui"
          ],
          "env": [],
          "exposes": null,
          "found": {},
          "install": "shared",
          "kind": "app",
          "library": null,
          "linkTargets": [],
          "missingEntry": null,
          "name": "web",
          "nodeModules": {
            "how": "link",
            "reason": null
          },
          "notRun": [],
          "path": "apps/web",
          "product": {
            "files": [],
            "keeps": "files",
            "programs": [],
            "purpose": "files",
            "runtime": null,
            "serves": null
          },
          "reason": "has a build script and is in apps/",
          "rootFiles": [
            "tsconfig.json"
          ],
          "rootScripts": [],
          "tasksNotRun": []
        },
        {
          "app": null,
          "build": null,
          "buildNotUsed": false,
          "cycle": [],
          "dependencies": [],
          "env": [],
          "exposes": null,
          "found": {},
          "install": null,
          "kind": "library",
          "library": null,
          "linkTargets": [],
          "missingEntry": null,
          "name": "@acme/ui",
          "nodeModules": null,
          "notRun": [],
          "path": "packages/ui",
          "product": null,
          "reason": "its package.json has no `build`, `start` or `dev` script",
          "rootFiles": [
            "tsconfig.json"
          ],
          "rootScripts": [],
          "tasksNotRun": []
        }
      ]
    }
    ----- stderr
    "#);
}

#[test]
fn scan_writes_nothing_and_asks_nobody() {
    let small = Small::new();
    succeed(&mut small.context.splitter(&["scan"]));
    assert_eq!(small.context.git(&["status", "--porcelain", "--ignored"]), "");
    assert_eq!(small.registry.take_requests(), [""; 0]);
    assert!(!small.context.home().join(".cache").exists());
}

#[test]
fn the_repository_is_found_from_any_folder_in_it_and_by_name() {
    let small = Small::new();
    let here = succeed(&mut small.context.splitter(&["scan", "--json"]));
    let mut below = small.context.splitter(&["scan", "--json"]);
    assert_eq!(succeed(below.current_dir(small.context.repo().join("apps/web/src"))), here);
    let mut elsewhere = small.context.splitter(&["scan", "--json", "--repo", "repo/packages"]);
    assert_eq!(succeed(elsewhere.current_dir(small.context.folder(""))), here);
    splitter_snapshot!(small.context, small.context.splitter(&["scan", "--repo", "nowhere"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: could not open the folder `nowhere`
      caused by: failed to canonicalize path `nowhere`: No such file or directory (os error 2)
    ");
}

#[test]
fn a_folder_without_a_lockfile_is_no_repository() {
    let context = TestContext::new();
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: no `bun.lock` or `yarn.lock` in `[REPO]` or any folder above it
    hint: run splitter inside a Bun or Yarn repository, or pass `--repo DIR`
    hint: run `bun install` or `yarn install` if the repository has no lockfile yet
    ");
}

#[test]
fn what_git_ignores_is_in_no_source_set() {
    let small = Small::new();
    let context = &small.context;
    context.write(".gitignore", "node_modules/\ndist/\n*.local\n");
    context.write("apps/web/src/secret.local", "x");
    context.write("apps/web/dist/index.js", "x");
    let scan: Value = serde_json::from_str(&succeed(&mut context.splitter(&["scan", "--json"]))).unwrap();
    let files = scan["sourceSets"]["web"]["files"].to_string();
    assert!(!files.contains("local") && !files.contains("dist"), "{files}");
}

#[test]
fn drift_between_manifest_and_lockfile_is_a_warning_of_scan() {
    let small = Small::new();
    let manifest = small.context.read("apps/web/package.json").replace("\"alpha\": \"*\"", "\"alpha\": \"^9\"");
    small.context.write("apps/web/package.json", manifest);
    let output = crate::support::run(&mut small.context.splitter(&["scan", "--app", "api"]));
    let warning = output.lines().find(|line| line.starts_with("warning")).unwrap();
    insta::assert_snapshot!(warning, @r"
    warning: bun.lock does not match the package.json files: apps/web/package.json: `alpha` is locked for `*`, but the manifest has `^9`; run `bun install`
    ");
    assert!(!crate::support::run(&mut small.context.splitter(&["scan", "--quiet"])).contains("warning"));
}

#[test]
fn a_newer_lockfile_version_is_read_with_a_warning() {
    let small = Small::new();
    let lock = small.context.read("bun.lock").replace("\"lockfileVersion\": 1", "\"lockfileVersion\": 99");
    small.context.write("bun.lock", lock);
    let output = crate::support::run(&mut small.context.splitter(&["scan"]));
    assert!(output.starts_with("exit: 0"), "{output}");
    let warning = output.lines().find(|line| line.starts_with("warning")).unwrap();
    insta::assert_snapshot!(warning, @r"
    warning: `bun.lock` has lockfileVersion 99; this splitter was tested with versions 0 to 3 (Bun 1.1.40 to 1.4) and reads it as version 3
    ");
}

#[test]
fn there_is_no_colour_where_there_is_no_terminal() {
    let small = Small::new();
    for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")] {
        let output = crate::support::run(small.context.splitter(&["scan"]).env(name, value));
        assert!(!output.contains('\u{1b}'), "{output:?}");
    }
    let forced = |plain: &str| {
        crate::support::run(small.context.splitter(&["scan"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", plain))
    };
    assert!(forced("").contains('\u{1b}'), "the test can tell colour");
    let mut command = small.context.splitter(&["scan"]);
    assert!(!crate::support::run(command.env("NO_COLOR", "1")).contains('\u{1b}'));
}

#[test]
fn names_cannot_draw_on_the_terminal() {
    let small = Small::new();
    small.context.write("apps/web/package.json", "{ \"name\": \"web\\u001b[31m\", \"scripts\": { \"build\": \"x\" } }");
    assert!(!crate::support::run(&mut small.context.splitter(&["scan"])).contains('\u{1b}'));
}
