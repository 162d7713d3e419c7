//! The setups of hooks: what is written, what is only printed, and the `hook status` of each.
//!
//! The hooks of lefthook 2.2.2, prek 0.5.3, pre-commit 4.7.0 and simple-git-hooks 2.14.0 are those that the tools write, except
//! for paths of a machine.

use fs_err as fs;

use super::{Guarded, RECORD, commits, picture};
use crate::support::{TestContext, copy_folder, fail, splitter_snapshot, succeed};

/// The hooks that husky 9.1.7 writes into `.husky/_`.
pub(super) const HUSKY_EVENTS: [&str; 14] = [
    "applypatch-msg",
    "commit-msg",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-merge",
    "post-rewrite",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "prepare-commit-msg",
];

fn hook(context: &TestContext, text: &str) {
    context.write(".git/hooks/pre-commit", text);
    context.make_executable(".git/hooks/pre-commit");
}

/// Checks that nothing is written if a tool manages the hooks. Returns the output.
fn only_printed(guarded: &Guarded) -> String {
    let context = guarded.context();
    let before = picture(&context.repo());
    let lines = succeed(&mut context.splitter(&["hook", "install"]));
    assert!(fail(&mut context.splitter(&["hook", "status"])).contains("does not run"));
    succeed(&mut context.splitter(&["hook", "uninstall"]));
    commits::assert_same(&before, &picture(&context.repo()), "printed");
    lines
}

#[test]
fn lefthook_gets_lines_for_its_configuration() {
    let guarded = Guarded::new();
    let context = guarded.context();
    hook(context, include_str!("lefthook-2.2.2.sh"));
    context.write("lefthook.yml", "pre-commit:\n  commands:\n    lint:\n      run: echo lint\n");
    let lines = only_printed(&guarded);
    insta::assert_snapshot!(lines, @"
    pre-commit:
      commands:
        splitter:
          run: 'PATH=$PATH:$PWD/node_modules/.bin; ! command -v splitter >/dev/null 2>&1 || splitter hook run'
    pre-merge-commit:
      commands:
        splitter:
          run: 'PATH=$PATH:$PWD/node_modules/.bin; ! command -v splitter >/dev/null 2>&1 || splitter hook run'
    ");
    context.write("lefthook.yml", lines);
    splitter_snapshot!(context, context.splitter(&["hook", "status"]), @r"
    exit: 1
    ----- stdout
    pre-commit: runs from lefthook.yml (through .git/hooks/pre-commit)
    pre-merge-commit: does not run: .git/hooks/pre-merge-commit is missing; lefthook has not installed it, although its configuration runs splitter
    ----- stderr
    ");
}

#[test]
fn lefthook_is_known_before_it_has_set_its_hooks_up() {
    let guarded = Guarded::new();
    guarded.context().write("lefthook.yml", "pre-push: {}\n");
    assert!(only_printed(&guarded).starts_with("pre-commit:"));
}

#[test]
fn pre_commit_and_prek_get_a_local_hook() {
    for script in [include_str!("pre-commit-4.7.0.sh"), include_str!("prek-0.5.3.sh")] {
        let guarded = Guarded::new();
        let context = guarded.context();
        hook(context, script);
        context.write(".pre-commit-config.yaml", "repos: []\n");
        let lines = only_printed(&guarded);
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines, @"
            repos:
              - repo: local
                hooks:
                  - id: splitter
                    name: splitter
                    entry: sh -c 'PATH=$PATH:$PWD/node_modules/.bin; ! command -v splitter >/dev/null 2>&1 || splitter hook run'
                    language: system
                    stages: [pre-commit, pre-merge-commit]
                    always_run: true
                    pass_filenames: false
            ");
        }
        context.write(".pre-commit-config.yaml", lines);
        let status = fail(&mut context.splitter(&["hook", "status"]));
        assert!(status.contains("pre-commit: runs from .pre-commit-config.yaml"), "{status}");
    }
}

#[test]
fn git_hooks_nix_is_known_by_its_configuration_in_the_store() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let link = context.repo().join(".pre-commit-config.yaml");
    fs::os::unix::fs::symlink("/nix/store/00000000000000000000000000000000-pre-commit-config.json", link).unwrap();
    hook(context, include_str!("pre-commit-4.7.0.sh"));
    insta::assert_snapshot!(only_printed(&guarded), @r#"
    hooks.splitter = {
      enable = true;
      entry = "sh -c 'PATH=$PATH:$PWD/node_modules/.bin; ! command -v splitter >/dev/null 2>&1 || splitter hook run'";
      stages = [ "pre-commit" "pre-merge-commit" ];
      always_run = true;
      pass_filenames = false;
    };
    "#);
}

#[test]
fn simple_git_hooks_stops_a_commit_by_the_lines_that_are_printed() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let script = include_str!("simple-git-hooks-2.14.0.sh");
    hook(context, script);
    let manifest = context.read("package.json");
    let with = |command: &str| {
        let own = format!("\"simple-git-hooks\": {{ \"pre-commit\": \"{command}\" }}, \"name\"");
        context.write("package.json", manifest.replacen("\"name\"", &own, 1));
    };
    with("echo sgh-ran");
    let lines = only_printed(&guarded);
    // In brackets, so that it can follow an existing command with `&&` without hiding its failure.
    let command = "(PATH=$PATH:$PWD/node_modules/.bin; ! command -v splitter >/dev/null 2>&1 || splitter hook run)";
    assert!(lines.trim_start().starts_with(&format!("\"pre-commit\": \"{command}\",\n")), "{lines}");
    // The tool appends the command to its hook.
    with(command);
    hook(context, &script.replace("echo sgh-ran", command));
    let status = fail(&mut context.splitter(&["hook", "status"]));
    assert!(status.contains("pre-commit: runs from .git/hooks/pre-commit"), "{status}");
    guarded.make_stale();
    assert!(fail(context.command("git").args(["commit", "--all", "--message", "x"])).contains("stale: "));
}

#[test]
fn husky_in_a_fresh_clone_and_in_a_linked_work_tree_is_said_not_to_run() {
    let guarded = Guarded::new();
    let context = guarded.context();
    commits::husky(&guarded);
    succeed(&mut context.splitter(&["hook", "install"]));
    insta::assert_snapshot!(context.read(".husky/pre-commit").lines().next().unwrap(), @"#!/bin/sh");
    context.remove(".husky/_");
    splitter_snapshot!(context, context.splitter(&["hook", "status"]), @r"
    exit: 1
    ----- stdout
    pre-commit: does not run: .husky/_/pre-commit is missing, but .husky/pre-commit exists; run `npx husky` in this working tree
    pre-merge-commit: does not run: .husky/_/pre-merge-commit is missing, but .husky/pre-merge-commit exists; run `npx husky` in this working tree
    ----- stderr
    ");
    // If the script is missing too, the message does not mention it.
    context.remove(".husky");
    assert!(fail(&mut context.splitter(&["hook", "status"])).contains(".husky/_/pre-commit is missing; run"));
}

/// Case X7. Without an argument, husky 5 to 8 do nothing.
#[test]
fn husky_before_version_9_is_installed_by_its_own_command() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let manifest = context.read("package.json");
    let depends = |range: &str, more: &str| {
        let own = format!("\"devDependencies\": {{ \"husky\": \"{range}\" }}, {more} \"name\"");
        context.write("package.json", manifest.replacen("\"name\"", &own, 1));
    };
    context.write(".husky/commit-msg", "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n");
    let advice = |command: &[&str]| {
        let output = context.splitter(command).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let advice = said.lines().find(|line| line.contains("pre-commit") && line.contains("; run `"));
        advice.and_then(|line| line.split('`').nth(1)).unwrap_or(&said).to_owned()
    };
    for (range, more, expected) in [
        ("^8.0.3", "", "npx husky install"),
        ("~6.0.0", "", "npx husky install"),
        ("catalog:", "\"scripts\": { \"prepare\": \"husky install\" },", "npx husky install"),
        ("^9.1.7", "", "npx husky"),
        ("latest", "", "npx husky"),
    ] {
        depends(range, more);
        assert_eq!(advice(&["hook", "status"]), expected, "{range}");
        assert_eq!(advice(&["hook", "install"]), expected, "{range}");
    }
    // What is installed counts more than the range.
    context.write("node_modules/husky/package.json", r#"{ "name": "husky", "version": "8.0.3" }"#);
    assert_eq!(advice(&["hook", "status"]), "npx husky install");
    // As husky 8 sets it, in a linked working tree without its start.
    context.git(&["config", "core.hooksPath", ".husky"]);
    context.write(".husky/pre-commit", "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\nsplitter hook run\n");
    context.make_executable(".husky/pre-commit");
    assert_eq!(advice(&["hook", "status"]), "npx husky install");
}

#[test]
fn a_folder_of_hooks_that_others_share_is_left_alone() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let shared = context.folder("shared-hooks");
    fs::create_dir(&shared).unwrap();
    context.git(&["config", "--global", "core.hooksPath", shared.as_str()]);
    let lines = only_printed(&guarded);
    assert!(lines.contains("splitter hook run || exit 1"), "{lines}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
    context.git(&["config", "--global", "core.hooksPath", "/dev/null"]);
    assert!(fail(&mut context.splitter(&["hook", "status"])).contains("core.hooksPath turns hooks off"));
}

/// A git that reports version 2.54. Everything else is the real git.
fn newer_git(context: &TestContext) {
    let real = succeed(context.command("sh").args(["-c", "command -v git"]));
    let script =
        format!("#!/bin/sh\nif [ \"$1\" = version ]; then echo 'git version 2.54.0'; else exec '{real}' \"$@\"; fi\n");
    let path = context.folder("programs").join("git");
    fs::write(&path, script).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_newer_git_gets_a_hook_in_its_configuration_and_no_file() {
    let guarded = Guarded::new();
    let context = guarded.context();
    newer_git(context);
    hook(context, include_str!("lefthook-2.2.2.sh"));
    let before = picture(&context.repo());
    splitter_snapshot!(context, context.splitter(&["hook", "install"]), @r"
    exit: 0
    ----- stdout
    installed: hook.splitter in git's configuration of this repository
    ----- stderr
    ");
    insta::assert_snapshot!(context.git(&["config", "--get-regexp", "^hook\\."]), @"
    hook.splitter.event pre-commit
    hook.splitter.event pre-merge-commit
    hook.splitter.command PATH=$PATH:$PWD/node_modules/.bin; ! command -v splitter >/dev/null 2>&1 || splitter hook run
    ");
    // A shell runs the command, and git may append arguments.
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    let command = context.git(&["config", "hook.splitter.command"]) + " \"$@\"";
    assert!(fail(context.command("sh").args(["-c", &command])).contains("stale: "));
    splitter_snapshot!(context, context.splitter(&["hook", "status"]), @r"
    exit: 0
    ----- stdout
    pre-commit: runs from hook.splitter in git's configuration
    pre-merge-commit: runs from hook.splitter in git's configuration
    ----- stderr
    ");
    context.git(&["config", "hook.pre-commit.enabled", "false"]);
    assert!(fail(&mut context.splitter(&["hook", "status"])).contains("pre-commit: does not run"));
    context.git(&["config", "--remove-section", "hook.pre-commit"]);
    assert!(succeed(&mut context.splitter(&["hook", "install"])).starts_with("unchanged"));
    succeed(&mut context.splitter(&["hook", "uninstall"]));
    context.git(&["reset", "--quiet", "--hard"]);
    commits::assert_same(&before, &picture(&context.repo()), "git 2.54");
}

#[test]
fn people_without_splitter_get_one_line_and_their_commit() {
    let guarded = Guarded::new();
    let context = guarded.context();
    succeed(&mut context.splitter(&["hook", "install"]));
    fs::remove_file(context.folder("programs").join("splitter")).unwrap();
    let commit = || {
        let output = context.command("git").args(["commit", "--quiet", "--all", "--message", "x"]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    context.write("apps/web/src/index.ts", "console.log(7);\n");
    assert_eq!(commit(), "");
    guarded.make_stale();
    assert_eq!(commit(), "splitter is neither in PATH nor in node_modules/.bin, so this commit is not checked\n");
    let status = fail(&mut context.splitter(&["hook", "status"]));
    assert!(status.contains("`splitter` is neither in PATH nor in node_modules/.bin"), "{status}");
}

#[test]
fn splitter_as_a_development_dependency_checks_commits() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write(".gitignore", "node_modules\n");
    context.commit_all("ignore packages");
    succeed(&mut context.splitter(&["hook", "install"]));
    fs::remove_file(context.folder("programs").join("splitter")).unwrap();
    let bin = context.repo().join("node_modules/.bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_splitter"), bin.join("splitter")).unwrap();
    assert!(succeed(&mut context.splitter(&["hook", "status"])).contains("pre-commit: runs"));
    guarded.make_stale();
    assert!(fail(context.command("git").args(["commit", "--all", "--message", "x"])).contains("stale: "));
    // npx has splitter in a folder of its own, which only its own PATH names.
    fs::remove_file(bin.join("splitter")).unwrap();
    let npx = context.folder("npx/node_modules/.bin");
    fs::create_dir_all(&npx).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_splitter"), npx.join("splitter")).unwrap();
    let mut status = context.splitter(&["hook", "status"]);
    assert!(fail(status.env("PATH", format!("{npx}:/usr/bin:/bin"))).contains("neither in PATH"));
}

#[test]
fn a_variable_skips_it_once() {
    let guarded = Guarded::new();
    let context = guarded.context();
    succeed(&mut context.splitter(&["hook", "install"]));
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    let commit = || {
        let mut commit = context.command("git");
        commit.args(["commit", "--quiet", "--message", "x"]);
        commit
    };
    fail(&mut commit());
    succeed(commit().env("SPLITTER_HOOK", "0"));
}

#[test]
fn what_cannot_be_found_out_stops_no_commit_and_what_is_wrong_does() {
    let guarded = Guarded::new();
    let context = guarded.context();
    succeed(&mut context.splitter(&["hook", "install"]));
    // A partial clone without a manifest; only the network has it.
    context.write("package.json", context.read("package.json").replace("\"acme\"", "\"acme\", \"x\": 1"));
    context.git(&["add", "package.json"]);
    let object = context.git(&["rev-parse", ":apps/web/package.json"]);
    let file = context.repo().join(".git/objects").join(&object[..2]).join(&object[2..]);
    let kept = context.folder("object");
    fs::rename(&file, &kept).unwrap();
    let mut run = context.splitter(&["hook", "run"]);
    let output = run.output().unwrap();
    assert!(output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("lets it pass; run `splitter check`"), "{words}");
    fs::rename(kept, file).unwrap();
    context.write("bun.lock", "{ broken");
    context.git(&["add", "bun.lock"]);
    assert!(fail(&mut context.splitter(&["hook", "run"])).contains("bun.lock:1"));
}

#[test]
fn by_choice_it_updates_the_record_from_the_cache_and_adds_it() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write("splitter.json", "{ \"hook\": { \"update\": true } }\n");
    context.commit_all("choice");
    succeed(&mut context.splitter(&["hook", "install"]));
    let commit = |args: &[&str]| {
        let mut commit = context.command("git");
        commit.args(["commit", "--quiet", "--message", "x"]).args(args);
        commit
    };
    let original = context.read("bun.lock");
    guarded.make_stale();
    // The cache does not have it yet, and the hook uses no network.
    guarded.small.registry.take_requests();
    let refusal = fail(&mut commit(&["--all"]));
    assert!(refusal.contains("could not update") && refusal.contains("stale: "), "{refusal}");
    assert_eq!(guarded.small.registry.take_requests(), [""; 0]);
    succeed(&mut context.splitter(&["update-hash"]));
    let updated = context.read(RECORD);
    for (name, args) in [("--all", &["--all"][..]), ("plain", &[])] {
        context.git(&["reset", "--quiet", "--hard", "HEAD"]);
        guarded.make_stale();
        context.git(&["add", "bun.lock"]);
        succeed(&mut commit(args));
        assert_eq!(context.read(RECORD), updated, "{name}");
        assert_eq!(context.git(&["status", "--porcelain"]), "", "{name}");
        context.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
    // If the working tree differs, only the staged files count, and the rest stays.
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    context.write("bun.lock", &original);
    context.write(RECORD, format!("{updated}\n"));
    succeed(&mut commit(&[]));
    assert_eq!(context.git(&["show", &format!("HEAD:{RECORD}")]), updated.trim_end());
    assert_eq!(context.read(RECORD), format!("{updated}\n"));
    // With paths, git commits from a temporary index.
    context.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    guarded.make_stale();
    assert!(fail(&mut commit(&["--", "bun.lock"])).contains("name these files too"));
}

#[test]
fn two_repositories_below_one_git_share_the_hook() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let outer = context.folder("outer");
    let git = |args: &[&str]| {
        let mut git = context.command("git");
        git.arg("-C").arg(&outer).args(args);
        git
    };
    fs::create_dir(&outer).unwrap();
    succeed(&mut git(&["init", "--quiet", "--initial-branch=main"]));
    fs::remove_dir_all(context.repo().join(".git")).unwrap();
    for name in ["one", "the other"] {
        copy_folder(&context.repo(), &outer.join(name));
    }
    let hooks = outer.join(".git/hooks");
    let before = picture(&hooks);
    let splitter = |root: &str, verb: &str| {
        let mut splitter = context.splitter(&["hook", verb]);
        splitter.arg("--repo").arg(outer.join(root));
        splitter
    };
    succeed(&mut splitter("one", "install"));
    succeed(&mut splitter("the other", "install"));
    let script = fs::read_to_string(hooks.join("pre-commit")).unwrap();
    assert!(script.contains("splitter --repo one hook run") && script.contains("--repo 'the other' hook run"));
    succeed(&mut git(&["add", "--all"]));
    succeed(&mut git(&["commit", "--quiet", "--message", "both"]));
    let lock = outer.join("the other/bun.lock");
    fs::write(&lock, fs::read_to_string(&lock).unwrap().replace("alpha@1.0.0", "alpha@1.1.0")).unwrap();
    assert!(fail(&mut git(&["commit", "--quiet", "--all", "--message", "x"])).contains("stale: "));
    succeed(&mut splitter("the other", "uninstall"));
    succeed(&mut splitter("one", "status"));
    succeed(&mut git(&["commit", "--quiet", "--all", "--message", "x"]));
    succeed(&mut splitter("one", "uninstall"));
    assert_eq!(picture(&hooks), before);
}

#[test]
fn an_old_hook_is_never_lost() {
    let guarded = Guarded::new();
    let context = guarded.context();
    hook(context, "#!/usr/bin/env node\n");
    context.write(".git/hooks/pre-commit.before-splitter", "older\n");
    let before = picture(&context.repo().join(".git/hooks"));
    assert!(fail(&mut context.splitter(&["hook", "install"])).contains("because that file already exists"));
    assert_eq!(picture(&context.repo().join(".git/hooks")), before);
}

#[test]
fn init_says_how_to_get_the_hook_until_it_is_there() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let words = |args: &[&str]| String::from_utf8(context.splitter(args).output().unwrap().stderr).unwrap();
    assert!(words(&["init"]).contains("splitter hook install"));
    assert!(!words(&["init", "--no-hook"]).contains("splitter hook install"));
    succeed(&mut context.splitter(&["hook", "install"]));
    assert!(!words(&["init"]).contains("splitter hook install"));
}

#[test]
fn reviews_fold_what_splitter_wrote() {
    let guarded = Guarded::new();
    let attributes = guarded.context().git(&["check-attr", "linguist-generated", "eol", "--", RECORD, "package.json"]);
    insta::assert_snapshot!(attributes, @r"
    nix/splitter/splitter.lock.json: linguist-generated: set
    nix/splitter/splitter.lock.json: eol: lf
    package.json: linguist-generated: unspecified
    package.json: eol: unspecified
    ");
}
