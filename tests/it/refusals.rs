//! Repositories that cannot be split. Each error says what is wrong, where, and what to do, and exits with 2.

mod yarn;

use std::path::Path;

use crate::support::{Small, TestContext, fail, splitter_snapshot, succeed};

/// Returns the small repository with one text in a file replaced.
fn small_with(path: &str, from: &str, to: &str) -> TestContext {
    let small = Small::without_git();
    let text = small.context.read(path);
    assert!(text.contains(from), "{from} is not in\n{text}");
    small.context.write(path, text.replacen(from, to, 1));
    small.context
}

#[test]
fn a_binary_lockfile_is_refused_with_the_way_to_a_text_one() {
    let context = TestContext::new();
    context.write("package.json", "{}");
    context.write("bun.lockb", "#!/usr/bin/env bun\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `bun.lockb` is Bun's binary lockfile; splitter reads the text lockfile `bun.lock`
    hint: run `bun install --save-text-lockfile --frozen-lockfile --lockfile-only`, then remove `bun.lockb`
    ");
}

#[test]
fn a_lockfile_of_pnpm_alone_is_refused() {
    let context = TestContext::new();
    context.write("package.json", "{}");
    context.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `pnpm-lock.yaml` is not supported; splitter reads `bun.lock` and `yarn.lock`
    ");
}

#[test]
fn two_lockfiles_are_refused() {
    let small = Small::without_git();
    small.context.write("yarn.lock", "# yarn lockfile v1\n");
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: found both `bun.lock` and `yarn.lock` at the root of the repository; `packageManager` (`bun@1.4.4`) uses `bun.lock`
    hint: remove the other lockfile
    ");
}

#[test]
fn a_lockfile_without_a_root_manifest_is_refused() {
    let small = Small::without_git();
    small.context.remove("package.json");
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: no `package.json` at the root of the repository
    ");
}

#[test]
fn conflict_markers_in_the_lockfile_are_named() {
    let context = small_with("bun.lock", "    \"alpha\":", "<<<<<<< HEAD\n=======\n>>>>>>> theirs\n    \"alpha\":");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: merge conflict markers in `bun.lock`
      at bun.lock:12:1
    hint: resolve the conflict in the manifests, take either side of `bun.lock`, and run `bun install`
    ");
}

#[test]
fn a_truncated_lockfile_is_named() {
    let small = Small::without_git();
    let lock = small.context.read("bun.lock");
    small.context.write("bun.lock", &lock[..lock.len() / 2]);
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: unterminated string literal
      at bun.lock:11:21
    hint: if the file is damaged, restore it with git, or delete it and run `bun install`, which resolves all versions again
    ");
    small.context.write("bun.lock", "");
    splitter_snapshot!(small.context, small.context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: the file is empty; expected an object
      at bun.lock:1:1
    hint: if the file is damaged, restore it with git, or delete it and run `bun install`, which resolves all versions again
    ");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let context = small_with(
        "bun.lock",
        "    \"alpha\":",
        "    \"alpha\": [\"alpha@0.0.1\", \"\", {}, \"sha512-AA==\"],\n    \"alpha\":",
    );
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: duplicate key `alpha`
      at bun.lock:13:5
    hint: remove one of the two (a merge may have kept both), then run `bun install`
    ");
}

#[test]
fn a_workspace_outside_the_repository_is_refused() {
    let context = small_with("bun.lock", "\"packages/ui\": {", "\"../../etc\": {");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: wrong path `../../etc`: path leaves the repository
      at bun.lock:7:5
    hint: move the file or folder into the repository
    ");
}

#[test]
fn a_package_whose_name_is_a_path_is_refused() {
    let context = small_with("bun.lock", "alpha@1.0.0", "../../alpha@1.0.0");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: package `alpha`: `../../alpha` is not a package name
      at bun.lock:12:14
    ");
}

#[test]
fn a_wrong_manifest_is_named_with_its_place() {
    let context = small_with("apps/web/package.json", "\"alpha\": \"*\"", "\"alpha\": 1");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected a string, found the number 1
      at apps/web/package.json:4:14
    ");
    let context = small_with("apps/web/package.json", "{", "{,");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: unexpected token in object
      at apps/web/package.json:1:2
    ");
    let context = small_with("apps/web/package.json", "{", "[{");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: unterminated array
      at apps/web/package.json:1:1
    ");
}

#[test]
fn a_wrong_choice_in_splitter_json_is_named_with_its_place() {
    let small = Small::without_git();
    let context = &small.context;
    context.write("splitter.json", "{\n  \"sistems\": []\n}\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected `systems`, `apps`, `default`, `checks`, `install`, `input`, `rootFiles`, `scripts`, `downloads`, `sizeBudget`, `imageBudget`, `buildBudget`, `knownDifferences`, `services`, `processes`, `caches`, `lint`, `hook` or `workspaces`, found the key "sistems"
      at splitter.json:2:3
    hint: did you mean `systems`?
    "#);
    context.write("splitter.json", "{ \"systems\": [\"vax\"] }\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected aarch64-darwin, aarch64-linux, x86_64-darwin or x86_64-linux, found the string "vax"
      at splitter.json:1:15
    "#);
    context.write("splitter.json", "{ \"workspaces\": { \"apps/nope\": { \"kind\": \"app\" } } }\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no workspace in `apps/nope`
      at splitter.json
    ");
    context.write("splitter.json", "{ \"workspaces\": { \"../x\": { \"kind\": \"app\" } } }\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected a path inside the repository, found "../x" (path leaves the repository)
      at splitter.json:1:19
    "#);
    context.write("splitter.json", "{ \"workspaces\": { \"apps/web\": { \"output\": \"../../out\" } } }\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: expected a path inside the repository, found "../../out" (path leaves the repository)
      at splitter.json:1:43
    "#);
}

#[test]
fn a_wrong_workspace_pattern_is_named() {
    let context = small_with("package.json", "apps/*", "!!apps/a");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: wrong workspace pattern `!!apps/a`: it starts with two `!`
      at package.json
    ");
    let context = small_with("package.json", "apps/*", "../*");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: wrong workspace pattern `../*`: path leaves the repository
      at package.json
    ");
}

#[test]
fn what_bun_has_outside_of_the_repository_is_refused() {
    let asked = "\"alpha\": \"*\"";
    let context = small_with("apps/web/package.json", asked, &format!("{asked},\n    \"x\": \"link:../../../x\""));
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `x` links out of the repository (`link:../../../x`): path leaves the repository
      at apps/web/package.json:5:5
    hint: move the folder into the repository, or publish the package and depend on a version
    ");
    let entry =
        |entry: &str| small_with("bun.lock", "  \"packages\": {\n", &format!("  \"packages\": {{\n    {entry},\n"));
    let context = entry("\"x\": [\"x@file:../x\", {}]");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: wrong path `file:../x`: path leaves the repository
      at bun.lock:10:11
    hint: move the file or folder into the repository
    ");
    let context = entry("\"x\": [\"x@../x.tgz\", {}]");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: wrong path `../x.tgz`: path leaves the repository
      at bun.lock:10:11
    hint: move the file or folder into the repository
    ");
    // A link that `bun link` registered on one machine.
    let context = entry("\"x\": [\"x@link:x\", {}]");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: package `x` is a link to `x`, which `bun link` registers on one machine only
      at bun.lock:10:5
    hint: link to a folder of the repository, such as `link:./path/to/it`
    ");
}

#[test]
fn a_repository_without_a_commit_is_refused() {
    let context = small_with(
        "bun.lock",
        "  \"packages\": {\n",
        "  \"packages\": {\n    \"forked\": [\"forked@github:a/b#main\", {}, \"a-b-main\", \"sha512-AA==\"],\n",
    );
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: cannot fetch the GitHub dependency `forked`: expected a 40-digit commit at an http(s), git or ssh URL, found `github:a/b#main`
      at bun.lock:10:5
    hint: remove the dependency and add it again so that the lockfile names the commit, or depend on a version from the registry
    ");
}

#[test]
fn pins_that_do_not_fit_the_lockfile_are_refused() {
    let context = small_with("package.json", "bun@1.4.4", "yarn@4.0.0");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `packageManager` is `yarn@4.0.0`, but the lockfile is `bun.lock`
      at package.json
    hint: correct `packageManager`, or remove the lockfile that is not in use
    ");
    let context = small_with("package.json", "bun@1.4.4", "bun@latest");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `bun@latest` in `package.json` does not pin an exact version of Bun; expected for example `bun@1.4.4`
      at package.json
    hint: pin an exact version, so that every install is the same
    ");
    let context = small_with("package.json", "bun@1.4.4", "bun@1.1.40");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: Bun 1.1.40 cannot read lockfileVersion 1, which needs Bun 1.2.0 or later
    hint: in `packageManager`, pin the Bun that wrote the lockfile
    ");
}

#[test]
fn two_workspaces_of_one_name_are_refused() {
    let context = small_with("apps/api/package.json", "\"api\"", "\"web\"");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: two workspaces are named `web`: `apps/api` and `apps/web`
    hint: give each workspace its own name
    ");
}

#[test]
fn links_upwards_and_in_a_circle_are_no_panic() {
    let small = Small::without_git();
    let repo = small.context.repo();
    std::os::unix::fs::symlink(Path::new(".."), repo.join("apps/web/src/up")).unwrap();
    std::os::unix::fs::symlink(Path::new("circle"), repo.join("apps/circle")).unwrap();
    succeed(&mut small.context.splitter(&["scan"]));
}

#[test]
fn a_start_script_that_is_not_understood_is_refused_until_splitter_json_says_what_it_runs() {
    let small = Small::new();
    let start = |script: &str| {
        let manifest = serde_json::json!({ "name": "api", "scripts": { "start": script } });
        small.context.write("apps/api/package.json", format!("{manifest:#}\n"));
    };
    start("node src/server.ts && node src/other.ts");
    let output = fail(&mut small.context.splitter(&["scan"]));
    for words in [
        "the script `start` of `apps/api` is not supported: expected one command that runs one file, found `&&` in `node src/server.ts && node src/other.ts`",
        "apps/api/package.json",
        r#"hint: set what starts the app in splitter.json: `"workspaces": { "apps/api": { "start": "src/server.ts" } }`"#,
        r#"hint: `start` can be a whole command, such as `"start": "node --import ./pre.js src/server.ts"`: its variables, options and arguments are kept; several commands (`&&`), pipes, redirections and `$VAR` are not supported"#,
        r#"`"workspaces": { "apps/api": { "kind": "library" } }`"#,
    ] {
        assert!(output.contains(words), "{words} is not in\n{output}");
    }
    // Each hint works.
    let choose = |choice: &str| {
        small.context.write("splitter.json", format!(r#"{{ "workspaces": {{ "apps/api": {{ {choice} }} }} }}"#));
    };
    for (choice, program) in [
        (r#""start": "src/server.ts""#, "server api: bun src/server.ts"),
        (
            r#""start": "A=b node --import ./pre.js src/server.ts --port 1""#,
            "server api: A=b node --import ./pre.js src/server.ts --port 1",
        ),
        (r#""kind": "library""#, "apps/api     library"),
    ] {
        choose(choice);
        let output = succeed(&mut small.context.splitter(&["scan"]));
        assert!(output.contains(program), "{program} is not in\n{output}");
    }
    for (start, part) in [("node a.js && node b.js", "&&"), ("node a.js $ARGS", "$ARGS"), ("node a.js | cat", "|")] {
        choose(&format!(r#""start": "{start}""#));
        let output = fail(&mut small.context.splitter(&["scan"]));
        let message = format!(
            "`start` of `apps/api` is not supported: expected a file, or one command without `&&`, pipes, redirections and `$VAR`; \
             found `{part}` in `{start}`"
        );
        assert!(output.contains(&message) && output.contains("at splitter.json"), "{output}");
    }
    // The start command does not matter if the app is not among the chosen ones.
    small.context.write("splitter.json", r#"{ "apps": ["web"] }"#);
    succeed(&mut small.context.splitter(&["scan"]));
}

/// Without a word, a package with a build has no program if its script is not supported. `scan` says so.
#[test]
fn a_start_script_of_a_build_that_is_not_supported_is_named() {
    let small = Small::new();
    let manifest = serde_json::json!({ "name": "api", "scripts": {
        "build": "tsc --outDir dist", "start": "node dist/a.js && node dist/b.js" } });
    small.context.write("apps/api/package.json", format!("{manifest:#}\n"));
    let output = succeed(&mut small.context.splitter(&["scan"]));
    let words = "`&&` in the script `start` is not supported; `start` in splitter.json sets a program";
    assert!(output.contains(words), "{output}");
}

/// Options, variables and arguments of a script are kept, and not dropped without a word.
#[test]
fn a_start_script_with_options_is_kept_whole() {
    let small = Small::new();
    small.context.write("apps/api/pre.js", "");
    for (script, program) in [
        ("node --import ./pre.js src/server.ts", "node --import ./pre.js src/server.ts"),
        ("NODE_ENV=production bun src/server.ts", "NODE_ENV=production bun src/server.ts"),
        ("cross-env A=b bun --preload ./pre.js src/server.ts", "A=b bun --preload ./pre.js src/server.ts"),
        ("bun --env-file=.env src/server.ts --port 1", "bun --env-file=.env src/server.ts --port 1"),
    ] {
        let manifest = serde_json::json!({ "name": "api", "scripts": { "start": script } });
        small.context.write("apps/api/package.json", format!("{manifest:#}\n"));
        let output = succeed(&mut small.context.splitter(&["scan"]));
        assert!(output.contains(&format!("server api: {program}\n")), "{output}");
    }
}
