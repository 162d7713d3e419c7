//! `splitter check`: fresh and stale records, as text and JSON.

use crate::support::{Package, Small, run, small, splitter_snapshot, succeed};

const RECORD: &str = "nix/splitter/splitter.lock.json";

/// The small repository, initialised. The registry also has alpha 1.1.0 and delta.
fn initialised() -> Small {
    let small = Small::new();
    small.init();
    small
}

#[test]
fn without_a_record_check_says_what_writes_one() {
    let small = Small::new();
    splitter_snapshot!(small.context, small.context.splitter(&["check"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: no record yet: `nix/splitter/splitter.lock.json` not found
    hint: run `splitter init`
    ");
    splitter_snapshot!(small.context, small.context.splitter(&["check", "--json"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: no record yet: `nix/splitter/splitter.lock.json` not found
    hint: run `splitter init`
    ");
}

#[test]
fn a_fresh_record_is_fresh() {
    let small = initialised();
    splitter_snapshot!(small.context, small.context.splitter(&["check"]), @r"
    exit: 0
    ----- stdout
    fresh: nix/splitter/splitter.lock.json is up to date (3 packages, 4 workspaces)
    ----- stderr
    ");
    splitter_snapshot!(small.context, small.context.splitter(&["check", "--json"]), @r#"
    exit: 0
    ----- stdout
    {
      "version": 1,
      "fresh": true,
      "packages": [],
      "files": [],
      "settings": [],
      "edited": false,
      "drift": [],
      "templates": []
    }
    ----- stderr
    "#);
    assert_eq!(small.registry.take_requests(), [""; 0]);
}

/// `check` reads no sources, so that it takes milliseconds. What a source reads of the root is found by the commands that write.
#[test]
fn what_a_source_reads_of_the_root_is_recorded_and_not_searched_by_check() {
    let small = initialised();
    let reads = |small: &Small| small.context.read(RECORD).contains(r#""rootFiles":["package.json""#);
    small.context.write("apps/web/src/index.ts", "import { version } from '../../../package.json';\n");
    succeed(&mut small.context.splitter(&["check"]));
    assert!(!reads(&small));
    succeed(&mut small.context.splitter(&["update-hash"]));
    assert!(reads(&small), "{}", small.context.read(RECORD));
    succeed(&mut small.context.splitter(&["check"]));
    // A configuration is read by `check` too.
    small.context.write("apps/api/vite.config.ts", "import { version } from '../../package.json';\n");
    let output = crate::support::fail(&mut small.context.splitter(&["check"]));
    assert!(output.contains("workspace `apps/api` changed: root files (added `package.json`)"), "{output}");
}

/// Changes the version of alpha and the bytes of gamma, removes beta, adds delta.
fn edit_lock(small: &Small) {
    small.lock(&[
        Package::new("alpha", "1.1.0"),
        Package::new("delta", "0.1.0"),
        Package::new("gamma-linux", "3.0.0").os("linux").cpu("x64").file("more.js", "more"),
    ]);
    let web = small
        .context
        .read("apps/web/package.json")
        .replace("\"alpha\": \"*\"", "\"alpha\": \"*\",\n    \"delta\": \"*\"");
    small.context.write("apps/web/package.json", web);
    let lock = small.context.read("bun.lock").replace("\"alpha\": \"*\" }", "\"alpha\": \"*\", \"delta\": \"*\" }");
    small.context.write("bun.lock", lock);
}

#[test]
fn a_stale_record_names_packages_files_and_the_remedy() {
    let small = initialised();
    edit_lock(&small);
    splitter_snapshot!(small.context, small.context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      packages
        - @scope/beta 2.1.0-rc.1
        ~ alpha 1.0.0 -> 1.1.0
        + delta 0.1.0
        ~ gamma-linux 3.0.0 (hash, URL or systems changed)
      files
        ~ apps/web/package.json
        ~ bun.lock
    run `splitter update-hash`
    ----- stderr
    ");
    splitter_snapshot!(small.context, small.context.splitter(&["check", "--json"]), @r#"
    exit: 1
    ----- stdout
    {
      "version": 1,
      "fresh": false,
      "packages": [
        {
          "name": "@scope/beta",
          "from": [
            "2.1.0-rc.1"
          ],
          "to": [],
          "change": "removed"
        },
        {
          "name": "alpha",
          "from": [
            "1.0.0"
          ],
          "to": [
            "1.1.0"
          ],
          "change": "changed"
        },
        {
          "name": "delta",
          "from": [],
          "to": [
            "0.1.0"
          ],
          "change": "added"
        },
        {
          "name": "gamma-linux",
          "from": [
            "3.0.0"
          ],
          "to": [
            "3.0.0"
          ],
          "change": "changed"
        }
      ],
      "files": [
        {
          "path": "apps/web/package.json",
          "change": "changed"
        },
        {
          "path": "bun.lock",
          "change": "changed"
        }
      ],
      "settings": [],
      "edited": false,
      "drift": [],
      "templates": []
    }
    ----- stderr
    "#);
}

#[test]
fn files_that_come_and_go_are_named() {
    let mut small = initialised();
    small.context.add_filter("-> `https://[^`]+`", "-> `[DEFAULT REGISTRY]`");
    let context = &small.context;
    context.write("bunfig.toml", "[install]\nlinker = \"hoisted\"\n");
    context.remove(".npmrc");
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      files
        - .npmrc
        + bunfig.toml
      settings
        ~ the registry changed: `http://127.0.0.1:[PORT]/` -> `[DEFAULT REGISTRY]`
    run `splitter update-hash`
    ----- stderr
    ");
}

#[test]
fn drift_has_another_remedy() {
    let small = initialised();
    let web = small
        .context
        .read("apps/web/package.json")
        .replace("\"alpha\": \"*\"", "\"alpha\": \"^2\",\n    \"new\": \"1\"");
    small.context.write("apps/web/package.json", web);
    splitter_snapshot!(small.context, small.context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      files
        ~ apps/web/package.json
    drift: bun.lock does not match the package.json files
        apps/web/package.json: `new` (`1`) is not in the lockfile
        apps/web/package.json: `alpha` is locked for `*`, but the manifest has `^2`
    run `bun install`, then `splitter update-hash`
    ----- stderr
    ");
    splitter_snapshot!(small.context, small.context.splitter(&["check", "--json"]), @r#"
    exit: 1
    ----- stdout
    {
      "version": 1,
      "fresh": false,
      "packages": [],
      "files": [
        {
          "path": "apps/web/package.json",
          "change": "changed"
        }
      ],
      "settings": [],
      "edited": false,
      "drift": [
        {
          "kind": "added",
          "manifest": "apps/web/package.json",
          "package": "new",
          "specifier": "1"
        },
        {
          "kind": "changed",
          "manifest": "apps/web/package.json",
          "package": "alpha",
          "locked": "*",
          "specifier": "^2"
        }
      ],
      "templates": []
    }
    ----- stderr
    "#);
}

/// Bun 1.2 and 1.3 leave the old range in `bun.lock`, and accept it.
#[test]
fn the_bumped_range_of_a_bumped_workspace_is_no_drift() {
    let small = initialised();
    let context = &small.context;
    context.edit_manifest("apps/web/package.json", |web| web["dependencies"]["@acme/ui"] = "^1.0.0".into());
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      files
        ~ apps/web/package.json
    drift: bun.lock does not match the package.json files
        apps/web/package.json: asks for `@acme/ui` (`^1.0.0`), but the workspace `packages/ui` has the version 0.1.0; change one of them first
    run `bun install`, then `splitter update-hash`
    ----- stderr
    ");
    context.edit_manifest("packages/ui/package.json", |ui| ui["version"] = "1.0.0".into());
    succeed(&mut context.splitter(&["update-hash"]));
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 0
    ----- stdout
    fresh: nix/splitter/splitter.lock.json is up to date (3 packages, 4 workspaces)
    ----- stderr
    ");
}

#[test]
fn changes_that_no_install_reads_leave_it_fresh() {
    let small = initialised();
    let context = &small.context;
    // The order of entries, the formatting, a comment, and the version of a workspace.
    let mut reordered = small::packages();
    reordered.reverse();
    let entries: String = reordered.iter().map(small::entry).collect();
    let lock = small::lock(&[]).replace("  \"packages\": {\n", &format!("  // by hand\n  \"packages\": {{\n{entries}"));
    let lock = lock.replace("\"version\": \"0.1.0\"", "\"version\":     \"0.2.0\"");
    assert_ne!(lock, context.read("bun.lock"));
    context.write("bun.lock", lock);
    let manifest = context.read("apps/web/package.json").replace("\"name\"", "\"description\": \"the web\", \"name\"");
    context.write("apps/web/package.json", manifest);
    context.write("apps/web/src/new.ts", "export {};\n");
    succeed(&mut context.splitter(&["check"]));
    // The lockfile is read again, not remembered.
    edit_lock(&small);
    crate::support::fail(&mut context.splitter(&["check"]));
}

#[test]
fn check_from_a_nested_folder_is_the_same() {
    let small = initialised();
    let mut below = small.context.splitter(&["check"]);
    succeed(below.current_dir(small.context.repo().join("apps/web/src")));
}

#[test]
fn a_record_of_a_newer_format_is_refused_by_all_who_would_write_it() {
    let small = initialised();
    let context = &small.context;
    let newer = context.read(RECORD).replace("\"formatVersion\": 3", "\"formatVersion\": 4");
    context.write(RECORD, &newer);
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected format version 3, found 4: a newer splitter wrote the file
      at nix/splitter/splitter.lock.json
    hint: install the version of splitter that your team uses, or a later one
    ");
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected format version 3, found 4: a newer splitter wrote the file
      at nix/splitter/splitter.lock.json
    hint: install the version of splitter that your team uses, or a later one
    ");
    crate::support::fail(&mut context.splitter(&["init"]));
    assert_eq!(context.read(RECORD), newer);
}

#[test]
fn a_merge_conflict_in_the_record_is_healed_by_update_hash() {
    let small = initialised();
    let context = &small.context;
    let right = context.read(RECORD);
    let conflict =
        right.replacen("  \"registry\"", "<<<<<<< HEAD\n  \"x\": 1,\n=======\n>>>>>>> theirs\n  \"registry\"", 1);
    assert_ne!(conflict, right);
    context.write(RECORD, conflict);
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: merge conflict markers
      at nix/splitter/splitter.lock.json:14:1
    hint: run `splitter update-hash` to rewrite the file from the lockfile
    ");
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @r"
    exit: 0
    ----- stdout
    wrote nix/splitter/splitter.lock.json: 3 packages, in [TIME]
    ----- stderr
    rewriting nix/splitter/splitter.lock.json from the lockfile (merge conflict markers)
      downloaded 0 (0 B), reused 3 (739 B) from the cache
      deps-common         sha256-[HASH] (2 packages, 471 B)
      deps-x86_64-linux   sha256-[HASH] (1 package, 268 B)
    ");
    assert_eq!(context.read(RECORD), right);
}

#[test]
fn a_real_merge_of_two_lock_edits_is_healed_by_update_hash() {
    let small = initialised();
    let context = &small.context;
    let with = |name: &str| {
        let mut packages = small::packages();
        packages.push(small.publish(Package::new(name, "1.0.0")));
        packages
    };
    for (branch, name) in [("ours", "one"), ("theirs", "other")] {
        context.git(&["checkout", "--quiet", "-b", branch, "main"]);
        small.lock(&with(name));
        succeed(&mut context.splitter(&["update-hash"]));
        context.commit_all(name);
    }
    crate::support::fail(context.command("git").args(["merge", "ours"]));
    let mut both = with("one");
    both.push(Package::new("other", "1.0.0"));
    small.lock(&both);
    succeed(&mut context.splitter(&["update-hash"]));
    succeed(&mut context.splitter(&["check"]));
    let healed = context.read(RECORD);
    context.remove(RECORD);
    succeed(&mut context.splitter(&["update-hash"]));
    assert_eq!(context.read(RECORD), healed, "it is a function of the lock set alone");
}

/// Turns the record into one of an older splitter, as far as `check` and updates read it.
fn make_older(small: &Small) {
    let older = small.context.read(RECORD).replace("\"formatVersion\": 3", "\"formatVersion\": 1");
    small.context.write(RECORD, older.replace("\"workspaces\": [", "\"workspaces\": [\n    {\"older\":true},"));
}

#[test]
fn a_record_of_an_older_splitter_asks_for_init() {
    let small = initialised();
    let context = &small.context;
    let right = context.read(RECORD);
    make_older(&small);
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    outdated: nix/splitter/splitter.lock.json was written by an older splitter (format 1; this version writes format 3)
    run `splitter init`
    ----- stderr
    ");
    assert!(crate::support::fail(&mut context.splitter(&["check", "--json"])).contains("\"olderFormat\": 1"));
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @"
    exit: 0
    ----- stdout
    wrote nix/splitter/splitter.lock.json: 3 packages (none changed), in [TIME]
    ----- stderr
    rewriting nix/splitter/splitter.lock.json (expected format version 3, found 1: an older splitter wrote the file); its recorded integrities are kept
    warning: the Nix files still read the older format; run `splitter init` to rewrite them
    ");
    assert_eq!(context.read(RECORD), right);
    // Stale packages are reported too, and one command fixes both.
    make_older(&small);
    edit_lock(&small);
    small.publish(Package::new("alpha", "1.1.0"));
    small.publish(Package::new("delta", "0.1.0"));
    small.publish(Package::new("gamma-linux", "3.0.0").os("linux").cpu("x64").file("more.js", "more"));
    let said = crate::support::fail(&mut context.splitter(&["check"]));
    assert!(said.contains("~ alpha 1.0.0 -> 1.1.0") && said.contains("run `splitter init`\n"), "{said}");
    succeed(&mut context.splitter(&["init", "--no-hook"]));
    succeed(&mut context.splitter(&["check"]));
}

#[test]
fn what_was_seen_first_outlives_the_format() {
    let small = Small::new();
    let context = &small.context;
    let url = format!("{}first-seen.tgz", small.registry.url());
    let unlocked = format!("    \"first\": [\"first@{url}\", {{}}],\n");
    context.write(
        "bun.lock",
        small::lock(&small::packages()).replace("  \"packages\": {\n", &format!("  \"packages\": {{\n{unlocked}")),
    );
    small.registry.serve("/first-seen.tgz", Package::new("first", "1.0.0").tarball());
    small.init();
    make_older(&small);
    small.registry.serve("/first-seen.tgz", Package::new("first", "1.0.0").file("other.js", "other").tarball());
    fs_err::remove_dir_all(context.home().join(".cache/splitter")).unwrap();
    // The part of this package must be read again.
    context.write(RECORD, context.read(RECORD).replacen("\"fingerprint\":\"", "\"fingerprint\":\"0", 1));
    let said = crate::support::fail(&mut context.splitter(&["init", "--no-hook"]));
    assert!(said.contains("first-seen.tgz") && said.contains("splitter.lock.json"), "{said}");
}

#[test]
fn a_new_download_is_told_as_its_url() {
    let small = Small::new();
    small.init();
    small
        .context
        .write("splitter.json", r#"{ "downloads": { "alpha": ["https://files.example/tool-1.0.gz?os=linux"] } }"#);
    let told = run(&mut small.context.splitter(&["check"]));
    assert!(told.contains("    + https://files.example/tool-1.0.gz\n"), "{told}");
}
