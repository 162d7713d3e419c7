//! Each kind of commit with each setup of hooks: a commit that must be stopped, and the same commit after the fix.
//!
//! The files of husky 9.1.7 and simple-git-hooks 2.14.0 are those that the tools write. Tools that need their own program
//! (lefthook 2.2.2, prek 0.5.3, pre-commit 4) are in `hooks`, because the program is not available here.

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use fs_err as fs;

use super::{Guarded, Picture, RECORD, picture};
use crate::support::{fail, succeed};

/// A setup of hooks before splitter's hook is installed.
struct Arrangement {
    name: &'static str,
    set_up: fn(&Guarded),
    /// Whether its hooks run in a linked working tree. Those of husky 9 do not, without a message.
    in_worktrees: bool,
    /// Whether there was a hook before. It writes a line to `kept` on each run.
    had_hook: bool,
}

/// Another hook.
fn kept(guarded: &Guarded) -> String {
    format!("echo kept >> '{}'\n", guarded.context().folder("kept"))
}

fn executable(guarded: &Guarded, path: &str, text: &str) {
    guarded.context().write(path, text);
    guarded.context().make_executable(path);
}

/// Installs the files of husky 9.1.7.
pub(super) fn husky(guarded: &Guarded) {
    let context = guarded.context();
    context.write(".husky/_/.gitignore", "*");
    for event in super::hooks::HUSKY_EVENTS {
        executable(guarded, &format!(".husky/_/{event}"), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"");
    }
    context.write(".husky/_/h", include_str!("husky-9.1.7-h.sh"));
    context.git(&["config", "core.hooksPath", ".husky/_"]);
}

fn arrangements() -> [Arrangement; 8] {
    let plain = Arrangement { name: "no hooks", set_up: |_| {}, in_worktrees: true, had_hook: false };
    [
        Arrangement {
            name: "a hook of the shell",
            set_up: |guarded| {
                let text = format!("#!/usr/bin/env bash\nset -euo pipefail\n{}exit 0\n", kept(guarded));
                executable(guarded, ".git/hooks/pre-commit", &text);
            },
            had_hook: true,
            ..plain
        },
        Arrangement {
            name: "a hook of another program",
            set_up: |guarded| {
                let log = guarded.context().folder("kept");
                let text = format!("#!/usr/bin/env node\nrequire('fs').appendFileSync('{log}', 'kept\\n');\n");
                executable(guarded, ".git/hooks/pre-commit", &text);
            },
            had_hook: true,
            ..plain
        },
        Arrangement {
            name: "a hook that is a link",
            set_up: |guarded| {
                executable(guarded, "scripts/check.sh", &format!("#!/bin/sh\n{}", kept(guarded)));
                let link = guarded.context().repo().join(".git/hooks/pre-commit");
                fs::os::unix::fs::symlink("../../scripts/check.sh", link).unwrap();
            },
            had_hook: true,
            ..plain
        },
        Arrangement {
            name: "core.hooksPath in the repository",
            set_up: |guarded| {
                executable(guarded, ".githooks/pre-commit", &format!("#!/bin/sh\n{}", kept(guarded)));
                guarded.context().git(&["config", "core.hooksPath", ".githooks"]);
            },
            had_hook: true,
            ..plain
        },
        Arrangement {
            name: "husky 9",
            set_up: |guarded| {
                husky(guarded);
                guarded.context().write(".husky/pre-commit", kept(guarded));
            },
            in_worktrees: false,
            had_hook: true,
        },
        Arrangement {
            name: "husky 8",
            set_up: |guarded| {
                let start = "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\n";
                executable(guarded, ".husky/pre-commit", &format!("{start}{}", kept(guarded)));
                guarded.context().write(".husky/_/.gitignore", "*");
                // As husky 8 starts: it runs the script once more with `sh -e`.
                let again = "if [ -z \"$husky_skip_init\" ]; then\n  readonly husky_skip_init=1\n  export husky_skip_init\n  \
                             sh -e \"$0\" \"$@\"\n  exit $?\nfi\n";
                guarded.context().write(".husky/_/husky.sh", again);
                guarded.context().git(&["config", "core.hooksPath", ".husky"]);
            },
            in_worktrees: false,
            had_hook: true,
        },
        Arrangement {
            name: "a folder of hooks that is not there",
            set_up: |guarded| guarded.context().remove(".git/hooks"),
            ..plain
        },
        plain,
    ]
}

/// Returns `git` with these arguments, in the repository.
fn git(guarded: &Guarded, args: &[&str]) -> Command {
    let mut command = guarded.context().command("git");
    command.args(args);
    command
}

/// A kind of commit: how it stages a change of the lockfile, and the record.
type Kind = (&'static str, fn(&Guarded, &[&str]) -> Command);

/// Both get the changed paths.
const KINDS: [Kind; 4] = [
    ("commit", |guarded, paths| {
        guarded.context().git(&[&["add"], paths].concat());
        git(guarded, &["commit", "--message", "x"])
    }),
    ("commit --all", |guarded, _| git(guarded, &["commit", "--all", "--message", "x"])),
    ("commit <path>", |guarded, paths| git(guarded, &[&["commit", "--message", "x", "--"], paths].concat())),
    ("commit --amend", |guarded, paths| {
        guarded.context().git(&[&["add"], paths].concat());
        git(guarded, &["commit", "--amend", "--no-edit"])
    }),
];

fn runs_of_kept(guarded: &Guarded) -> usize {
    fs::read_to_string(guarded.context().folder("kept")).unwrap_or_default().lines().count()
}

fn every_kind_of_commit(arrangement: &Arrangement) {
    let guarded = Guarded::new();
    let context = guarded.context();
    (arrangement.set_up)(&guarded);
    context.commit_all("hooks");
    let before = picture(&context.repo());
    succeed(&mut context.splitter(&["hook", "install"]));
    assert_eq!(succeed(&mut context.splitter(&["hook", "install"])), "unchanged: the git hook is already installed");
    let status = succeed(&mut context.splitter(&["hook", "status"]));
    assert!(status.lines().all(|line| line.contains(": runs from ")), "{}: {status}", arrangement.name);
    context.commit_all("splitter's hook");
    let base = context.git(&["rev-parse", "HEAD"]);
    for (kind, commit) in KINDS {
        let name = format!("{kind} beside {}", arrangement.name);
        guarded.make_stale();
        let head = context.git(&["rev-parse", "HEAD"]);
        let refusal = fail(&mut commit(&guarded, &["bun.lock"]));
        assert!(refusal.contains("stale: ") && refusal.contains("SPLITTER_HOOK=0"), "{name}: {refusal}");
        assert_eq!(context.git(&["rev-parse", "HEAD"]), head, "{name}");
        succeed(&mut context.splitter(&["update-hash"]));
        let runs = runs_of_kept(&guarded);
        succeed(&mut commit(&guarded, &["bun.lock", RECORD]));
        assert_eq!(runs_of_kept(&guarded) > runs, arrangement.had_hook, "{name}");
        assert_eq!(context.git(&["status", "--porcelain"]), "", "{name}");
        context.git(&["reset", "--quiet", "--hard", &base]);
    }
    merge(&guarded, arrangement);
    context.git(&["reset", "--quiet", "--hard", &base]);
    worktree(&guarded, arrangement);
    succeed(&mut context.splitter(&["hook", "uninstall"]));
    assert_same(&before, &picture(&context.repo()), arrangement.name);
}

/// Asserts that all files are the same, except those that git writes when it commits.
pub(super) fn assert_same(before: &Picture, after: &Picture, name: &str) {
    let is_gits = |path: &str| {
        let Some((_, path)) = path.split_once("/.git/") else { return false };
        !path.starts_with("hooks") && path != "config"
    };
    let kept =
        |picture: &Picture| -> Vec<_> { picture.clone().into_iter().filter(|(path, _)| !is_gits(path)).collect() };
    let (before, after) = (kept(before), kept(after));
    for pair in before.iter().zip(&after) {
        assert_eq!(pair.0, pair.1, "{name}");
    }
    assert_eq!(before.len(), after.len(), "{name}");
}

/// A merge without conflicts runs only `pre-merge-commit`.
fn merge(guarded: &Guarded, arrangement: &Arrangement) {
    let context = guarded.context();
    context.git(&["checkout", "--quiet", "-b", "bump"]);
    guarded.make_stale();
    context.git(&["commit", "--quiet", "--all", "--no-verify", "--message", "bump"]);
    context.git(&["checkout", "--quiet", "main"]);
    context.write("apps/web/src/index.ts", "console.log(4);\n");
    context.git(&["commit", "--quiet", "--all", "--no-verify", "--message", "source"]);
    let refusal = fail(&mut git(guarded, &["merge", "--no-edit", "bump"]));
    assert!(refusal.contains("stale: "), "merge beside {}: {refusal}", arrangement.name);
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", RECORD]);
    succeed(&mut git(guarded, &["commit", "--no-edit"]));
    assert_eq!(context.git(&["status", "--porcelain"]), "");
}

/// In a linked working tree, git passes its folders to the hook.
fn worktree(guarded: &Guarded, arrangement: &Arrangement) {
    let context = guarded.context();
    let folder = context.folder("linked");
    context.git(&["worktree", "add", "--quiet", folder.as_str()]);
    let inside = |program: &mut Command| -> Command {
        let mut command = std::mem::replace(program, Command::new("true"));
        command.current_dir(&folder);
        command
    };
    let status = context.splitter(&["hook", "status"]).current_dir(&folder).output().unwrap();
    assert_eq!(status.status.success(), arrangement.in_worktrees, "{}", arrangement.name);
    let lock = folder.join("bun.lock");
    fs::write(&lock, fs::read_to_string(&lock).unwrap().replace("alpha@1.0.0", "alpha@1.1.0")).unwrap();
    let mut commit = inside(&mut git(guarded, &["commit", "--all", "--message", "linked"]));
    if arrangement.in_worktrees {
        let refusal = fail(&mut commit);
        assert!(refusal.contains("stale: "), "{}: {refusal}", arrangement.name);
        fs::copy(context.repo().join("bun.lock"), &lock).unwrap();
        fs::write(folder.join("apps/web/src/index.ts"), "console.log(5);\n").unwrap();
        succeed(&mut inside(&mut git(guarded, &["commit", "--all", "--message", "linked"])));
    }
    context.git(&["worktree", "remove", "--force", folder.as_str()]);
    context.git(&["branch", "--quiet", "-D", "linked"]);
}

macro_rules! beside {
    ($($name:ident: $index:literal,)*) => {
        $(#[test]
        fn $name() {
            every_kind_of_commit(&arrangements()[$index]);
        })*
    };
}

beside! {
    every_kind_of_commit_beside_a_hook_of_the_shell: 0,
    every_kind_of_commit_beside_a_hook_of_another_program: 1,
    every_kind_of_commit_beside_a_hook_that_is_a_link: 2,
    every_kind_of_commit_with_hooks_path_in_the_repository: 3,
    every_kind_of_commit_beside_husky_9: 4,
    every_kind_of_commit_beside_husky_8: 5,
    every_kind_of_commit_where_there_is_no_folder_of_hooks: 6,
    every_kind_of_commit_where_there_are_no_hooks: 7,
}

#[test]
fn an_old_hook_that_git_passed_over_is_not_run_now() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write(".git/hooks/pre-commit", format!("#!/bin/sh\n{}", kept(&guarded)));
    let mode = fs::metadata(context.repo().join(".git/hooks/pre-commit")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0);
    let before = picture(&context.repo().join(".git/hooks"));
    succeed(&mut context.splitter(&["hook", "install"]));
    context.write("apps/web/src/index.ts", "console.log(6);\n");
    succeed(&mut git(&guarded, &["commit", "--all", "--message", "x"]));
    assert_eq!(runs_of_kept(&guarded), 0);
    succeed(&mut context.splitter(&["hook", "uninstall"]));
    assert_eq!(picture(&context.repo().join(".git/hooks")), before);
}
