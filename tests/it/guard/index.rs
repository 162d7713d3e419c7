//! `check --staged`: reads the index of the next commit, in all its forms and places.

use fs_err as fs;

use super::{Guarded, RECORD, picture};
use crate::support::{fail, splitter_snapshot, succeed};

#[test]
fn nothing_staged_is_nothing_to_say_whatever_the_work_tree_holds() {
    let guarded = Guarded::new();
    guarded.make_stale();
    assert_eq!(succeed(&mut guarded.check()), "");
    let context = guarded.context();
    context.write("apps/web/src/index.ts", "console.log(3);\n");
    context.git(&["add", "apps/web/src/index.ts"]);
    assert_eq!(succeed(&mut guarded.check()), "");
}

#[test]
fn a_stale_index_is_refused_and_the_work_tree_says_what_to_do() {
    let guarded = Guarded::new();
    let context = guarded.context();
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    let before = picture(&context.repo());
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match the staged files
      packages
        ~ alpha 1.0.0 -> 1.1.0
      files
        ~ bun.lock
    run `splitter update-hash`, then `git add nix/splitter/splitter.lock.json`
    ----- stderr
    ");
    assert_eq!(picture(&context.repo()), before, "it writes nothing");
    succeed(&mut context.splitter(&["update-hash"]));
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 1
    ----- stdout
    unstaged: the working tree is up to date, but these changes are not staged
        nix/splitter/splitter.lock.json
    run `git add nix/splitter/splitter.lock.json`
    ----- stderr
    ");
    context.git(&["add", RECORD]);
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 0
    ----- stdout
    fresh: nix/splitter/splitter.lock.json is up to date (3 packages, 4 workspaces)
    ----- stderr
    ");
}

#[test]
fn edits_that_are_not_staged_do_not_count() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write("package.json", context.read("package.json").replace("\"acme\"", "\"acme\", \"description\": \"x\""));
    context.git(&["add", "package.json"]);
    guarded.make_stale();
    succeed(&mut guarded.check());
    // A deleted file.
    context.remove("apps/web/package.json");
    succeed(&mut guarded.check());
}

#[test]
fn split_and_sparse_indexes_are_read() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.git(&["update-index", "--split-index"]);
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    fail(&mut guarded.check());
    context.git(&["reset", "--quiet", "--hard"]);
    context.git(&["update-index", "--no-split-index"]);
    context.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "apps/api"]);
    assert!(!context.repo().join(RECORD).exists() && !context.repo().join("packages").exists());
    context.write("tsconfig.json", "{ }\n");
    context.git(&["add", "tsconfig.json"]);
    assert!(succeed(&mut guarded.check()).contains("fresh"));
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    assert!(fail(&mut guarded.check()).contains("alpha 1.0.0 -> 1.1.0"));
}

#[test]
fn what_is_only_intended_is_not_staged() {
    let guarded = Guarded::new();
    let context = guarded.context();
    // As if the record had never been added: `init` advises `--intent-to-add`, and a commit excludes such files.
    context.git(&["rm", "--quiet", "--cached", RECORD]);
    context.git(&["add", "--intent-to-add", RECORD]);
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 1
    ----- stdout
    unstaged: nix/splitter/splitter.lock.json is not staged, but other files in nix/splitter are
    run `git add nix/splitter/splitter.lock.json`
    ----- stderr
    ");
    context.git(&["add", RECORD]);
    succeed(&mut guarded.check());
    // A new workspace added with `--intent-to-add` is not part of the commit.
    context.write("apps/new/package.json", "{\"name\": \"new\"}\n");
    context.git(&["add", "--intent-to-add", "apps/new/package.json"]);
    context.write("tsconfig.json", "{ }\n");
    context.git(&["add", "tsconfig.json"]);
    assert!(succeed(&mut guarded.check()).contains("4 workspaces"));
}

#[test]
fn conflict_stages_are_named_with_their_remedy() {
    let guarded = Guarded::new();
    let context = guarded.context();
    for (branch, text) in
        [("ours", "{ \"name\": \"acme\", \"a\": 1 }\n"), ("theirs", "{ \"name\": \"acme\", \"b\": 2 }\n")]
    {
        context.git(&["checkout", "--quiet", "-b", branch, "main"]);
        context.write("package.json", text);
        context.write(RECORD, text);
        context.commit_all(branch);
    }
    fail(context.command("git").args(["merge", "ours"]));
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 1
    ----- stdout
    unmerged: these files have unresolved merge conflicts
        nix/splitter/splitter.lock.json: resolve the lockfile, run `splitter update-hash`, then `git add` both files
        package.json: resolve it, run the install of the package manager, then `git add` it
    ----- stderr
    ");
}

#[test]
fn line_ends_and_filters_do_not_matter() {
    let guarded = Guarded::new();
    let context = guarded.context();
    // A filter such as git-crypt's: git stores other bytes than an install reads.
    context.git(&["config", "filter.rot.clean", "tr a-z n-za-m"]);
    context.git(&["config", "filter.rot.smudge", "tr n-za-m a-z"]);
    context.git(&["config", "core.autocrlf", "true"]);
    context.write(".gitattributes", ".npmrc filter=rot\n");
    let lines = |path: &str| context.write(path, context.read(path).replace('\n', "\r\n"));
    ["package.json", "bun.lock", "apps/web/package.json"].into_iter().for_each(lines);
    context.git(&["add", "--all", "--renormalize"]);
    context.git(&["add", "--all"]);
    assert!(context.git(&["show", ":.npmrc"]).starts_with("ertvfgel="));
    succeed(&mut context.splitter(&["check"]));
    // Attributes alone are not relevant. Together with a manifest, everything is read.
    context
        .write("apps/web/package.json", context.read("apps/web/package.json").replace("\"web\"", "\"web\", \"x\": 1"));
    context.git(&["add", "--all"]);
    assert!(succeed(&mut guarded.check()).contains("fresh"));
}

#[test]
fn patches_with_other_line_ends_are_the_same_patches() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let lock = context.read("bun.lock").replace(
        "  \"packages\": {\n",
        "  \"patchedDependencies\": { \"alpha@1.0.0\": \"patches/alpha.patch\" },\n  \"packages\": {\n",
    );
    context.write("bun.lock", lock);
    context.write("patches/alpha.patch", "--- a\n+++ b\n");
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("patch");
    context.git(&["config", "core.autocrlf", "true"]);
    context.write("patches/alpha.patch", "--- a\r\n+++ b\r\n");
    succeed(&mut context.splitter(&["check"]));
    context.write("patches/alpha.patch", "--- a\r\n+++ c\r\n");
    context.git(&["add", "patches"]);
    assert!(fail(&mut guarded.check()).contains("~ patches/alpha.patch"));
}

#[test]
fn a_repository_below_the_top_of_git_is_its_own() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let outer = context.folder("outer");
    fs::create_dir(&outer).unwrap();
    let git = |args: &[&str]| {
        let mut git = context.command("git");
        succeed(git.arg("-C").arg(&outer).args(args))
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    fs::remove_dir_all(context.repo().join(".git")).unwrap();
    fs::rename(context.repo(), outer.join("js")).unwrap();
    fs::create_dir(context.repo()).unwrap();
    git(&["add", "--all"]);
    let check = || {
        let mut check = guarded.check();
        check.current_dir(&outer).args(["--repo", "js"]);
        check
    };
    assert!(succeed(&mut check()).contains("fresh"));
    git(&["commit", "--quiet", "--message", "all"]);
    let lock = outer.join("js/bun.lock");
    fs::write(&lock, fs::read_to_string(&lock).unwrap().replace("alpha@1.0.0", "alpha@1.1.0")).unwrap();
    git(&["add", "--all"]);
    assert!(fail(&mut check()).contains("alpha 1.0.0 -> 1.1.0"));
    // In a hook of a linked working tree, git passes the folders of the outer repository.
    let mut named = check();
    named.env("GIT_DIR", outer.join(".git")).env("GIT_INDEX_FILE", outer.join(".git/index"));
    assert!(fail(&mut named).contains("alpha 1.0.0 -> 1.1.0"));
}

#[test]
fn submodules_are_read_at_the_commit_that_is_staged() {
    let guarded = Guarded::new();
    let context = guarded.context();
    let (library, repo) = (context.folder("library"), context.repo());
    fs::create_dir(&library).unwrap();
    let in_library = |args: &[&str]| {
        let mut git = context.command("git");
        succeed(git.arg("-C").arg(&library).args(args))
    };
    in_library(&["init", "--quiet", "--initial-branch=main"]);
    fs::write(library.join("package.json"), "{\"name\": \"sub\", \"dependencies\": {\"alpha\": \"*\"}}\n").unwrap();
    in_library(&["add", "--all"]);
    in_library(&["commit", "--quiet", "--message", "one"]);
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.as_str(), "packages/sub"];
    context.git(&add);
    let lock = context.read("bun.lock").replace(
        "    \"packages/ui\":",
        "    \"packages/sub\": { \"name\": \"sub\", \"dependencies\": { \"alpha\": \"*\" } },\n    \"packages/ui\":",
    );
    context.write("bun.lock", lock);
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    assert!(succeed(&mut guarded.check()).contains("5 workspaces"));
    context.git(&["commit", "--quiet", "--message", "submodule"]);
    // The submodule has newer commits; only the staged one counts.
    fs::write(repo.join("packages/sub/package.json"), "{\"name\": \"sub\"}\n").unwrap();
    context.write("tsconfig.json", "{ }\n");
    context.git(&["add", "tsconfig.json"]);
    succeed(&mut guarded.check());
    let sub = repo.join("packages/sub");
    succeed(context.command("git").arg("-C").arg(&sub).args(["commit", "--quiet", "--all", "--message", "two"]));
    context.git(&["add", "packages/sub"]);
    let refusal = fail(&mut guarded.check());
    assert!(refusal.contains("~ packages/sub/package.json"), "{refusal}");
}

#[test]
fn a_branch_without_splitter_is_none_of_its_concern() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.git(&["rm", "-r", "--quiet", "nix/splitter", "flake.nix"]);
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    assert_eq!(succeed(&mut guarded.check()), "");
    context.git(&["commit", "--quiet", "--no-verify", "--message", "without splitter"]);
    context.git(&["rm", "--quiet", "bun.lock"]);
    assert_eq!(succeed(&mut guarded.check()), "");
}

#[test]
fn without_git_it_says_so() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.remove(".git");
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `[REPO]` is not in a git repository
    ");
}

#[test]
fn a_record_of_an_older_splitter_stops_only_what_makes_it_stale() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write(RECORD, context.read(RECORD).replace("\"formatVersion\": 3", "\"formatVersion\": 1"));
    context.commit_all("an older record");
    context.write("package.json", context.read("package.json").replace("\"acme\"", "\"acme\", \"description\": \"x\""));
    context.git(&["add", "package.json"]);
    assert_eq!(succeed(&mut guarded.check()), "");
    guarded.make_stale();
    context.git(&["add", "bun.lock"]);
    splitter_snapshot!(context, guarded.check(), @r"
    exit: 1
    ----- stdout
    outdated: nix/splitter/splitter.lock.json was written by an older splitter (format 1; this version writes format 3)
    stale: nix/splitter/splitter.lock.json does not match the staged files
      packages
        ~ alpha 1.0.0 -> 1.1.0
      files
        ~ bun.lock
    run `splitter init`, then `git add nix/splitter`
    ----- stderr
    ");
}
