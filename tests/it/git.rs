//! Dependencies from git repositories: `update-hash` uses the credentials and settings of the user, asks nothing, and reports
//! each reason why a commit cannot be fetched.

use fs_err as fs;

use crate::support::{Forge, Small, TestContext, fail, run, splitter_snapshot, succeed};

const RECORD: &str = "nix/splitter/splitter.lock.json";

/// The small repository with one more package, with this resolution.
fn small_with(resolution: &str, last: &str) -> Small {
    let mut small = Small::new();
    let entry = format!("    \"tool\": [\"tool@{resolution}\", {{}}, \"{last}\"],\n  }}\n}}\n");
    let lock = small.context.read("bun.lock").replace("  }\n}\n", &entry);
    let lock = lock.replace(r#""alpha": "*" }"#, r#""alpha": "*", "tool": "*" }"#);
    small.context.write("bun.lock", lock);
    let manifest = small.context.read("apps/web/package.json");
    small.context.write("apps/web/package.json", manifest.replace(r#""alpha": "*""#, r#""alpha": "*", "tool": "*""#));
    small.context.add_filter("[0-9a-f]{40}", "[COMMIT]");
    small
}

fn files() -> [(&'static str, &'static str); 1] {
    [("package.json", "{\"name\": \"tool\"}\n")]
}

fn write_gitconfig(context: &TestContext, text: &str) {
    fs::write(context.home().join(".gitconfig"), text).unwrap();
}

fn forget_cache(context: &TestContext) {
    fs::remove_dir_all(context.home().join(".cache")).unwrap();
}

#[test]
fn a_repository_that_wants_to_know_who_asks_is_named_and_helpers_answer() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    forge.require("me", "s3cret");
    let small = small_with(&format!("git+{}/o/tool.git#{id}", forge.url()), &id);
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @r"
    exit: 3
    ----- stdout
    ----- stderr
    downloading 4 packages (0 of 4 in the cache)
    error: 1 of 4 packages could not be downloaded
      tool (commit [COMMIT]) from http://127.0.0.1:[PORT]/o/tool.git: the host refused access to git: fatal: could not read Username for 'http://127.0.0.1:[PORT]': terminal prompts disabled
    hint: set up a git credential helper for `127.0.0.1:[PORT]`, or rewrite the URL with `url.….insteadOf` in your git configuration; git must get credentials without a prompt
    ");
    write_gitconfig(
        &small.context,
        "[credential]\n\thelper = \"!f() { echo username=me; echo password=s3cret; }; f\"\n",
    );
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 0") && !output.contains("s3cret"), "{output}");
    assert!(
        small.context.read(RECORD).contains(&format!(r#"{{"path":"git/{id}.tar","git":"{}/o/tool.git""#, forge.url()))
    );
}

#[test]
fn credentials_in_a_locked_url_are_refused_and_reach_nothing() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    let at = |user: &str| forge.url().replace("://", &format!("://{user}@"));
    for url in [
        format!("git+{}/o/tool.git", at("me:s3cret")),
        format!("git+{}/o/tool.git", at("s3cret")),
        format!("git+{}/o/tool.git?private_token=s3cret", forge.url()),
        "git+ssh://git:s3cret@forge.invalid/o/tool.git".to_owned(),
    ] {
        let small = small_with(&format!("{url}#{id}"), &id);
        for command in ["init", "scan"] {
            let output = run(&mut small.context.splitter(&["-vv", command]));
            assert!(output.starts_with("exit: 2") && output.contains("bun.lock:"), "{command} {url}: {output}");
            assert!(output.contains("contains a user name, a password or a token"), "{command} {url}: {output}");
            assert!(!output.contains("s3cret"), "{output}");
        }
        assert!(!small.context.repo().join("nix").exists());
    }
}

#[test]
fn a_token_of_the_users_git_is_used_and_not_shown() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    let small = small_with(&format!("git+{}/o/tool.git#{id}", forge.url()), &id);
    for user in ["s3cret", "me:s3cret"] {
        forge.require("me", "another");
        let with_token = forge.url().replace("://", &format!("://{user}@"));
        write_gitconfig(&small.context, &format!("[url \"{with_token}/\"]\n\tinsteadOf = {}/\n", forge.url()));
        let output = fail(&mut small.context.splitter(&["-vv", "init"]));
        // Git itself hides a password.
        assert!(output.contains("://***@") == (user == "s3cret") && !output.contains("s3cret"), "{output}");
    }
    forge.require("me", "s3cret");
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 0") && !output.contains("s3cret"), "{output}");
    assert!(!small.context.read(RECORD).contains("s3cret"));
}

#[test]
fn a_repository_of_ssh_is_reached_as_the_users_git_reaches_it() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    let small = small_with(&format!("git+ssh://git@forge.invalid:o/tool.git#{id}"), &id);
    write_gitconfig(&small.context, &format!("[url \"{}/\"]\n\tinsteadOf = ssh://git@forge.invalid/\n", forge.url()));
    succeed(&mut small.context.splitter(&["init"]));
    // The result does not depend on the settings of the machine.
    assert!(small.context.read(RECORD).contains(r#""git":"ssh://git@forge.invalid/o/tool.git""#));
    succeed(&mut small.context.splitter(&["check"]));
}

#[test]
fn a_commit_that_is_no_branchs_is_found_and_one_that_vanished_is_told() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    forge.commit("o/tool", &[("later", "")]);
    let small = small_with(&format!("git+{}/o/tool.git#{id}", forge.url()), &id);
    small.init();
    // The fetched commit stays in the cache and needs no host.
    forge.rewrite("o/tool");
    small.context.remove(RECORD);
    succeed(&mut small.context.splitter(&["update-hash", "--offline"]));
    forget_cache(&small.context);
    small.context.remove(RECORD);
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    downloading 4 packages (0 of 4 in the cache)
    error: 1 of 4 packages could not be downloaded
      tool (commit [COMMIT]) from http://127.0.0.1:[PORT]/o/tool.git: the repository no longer has the commit [COMMIT]
        required by apps/web
    hint: update the dependency to an existing commit, or restore the old one under a tag; its branch was probably rewritten or deleted
    ");
    assert_eq!(small.context.git(&["status", "--porcelain"]), " D nix/splitter/splitter.lock.json");
}

#[test]
fn a_host_that_is_gone_and_a_missing_git_are_told() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    let mut small = small_with(&format!("git+{}/o/tool.git#{id}", forge.url()), &id);
    drop(forge);
    let output = fail(&mut small.context.splitter(&["init"]));
    assert!(
        output.starts_with("exit: 3") && output.contains("/o/tool.git: git could not reach the host: "),
        "{output}"
    );
    assert!(output.contains("hint: check the network, and that git can reach `127.0.0.1:"), "{output}");
    let empty = small.context.folder("no-programs");
    fs::create_dir(&empty).unwrap();
    small.context.set_env("PATH", empty);
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @r"
    exit: 3
    ----- stdout
    ----- stderr
    downloading 1 package (3 of 4 in the cache)
    error: 1 of 4 packages could not be downloaded
      tool (commit [COMMIT]) from http://127.0.0.1:[PORT]/o/tool.git: git is not installed, or not in PATH
    hint: install git; a dependency comes from a git repository
    ");
}

#[test]
fn an_archive_with_other_bytes_is_the_same_and_one_with_other_files_is_refused() {
    let forge = Forge::start();
    let id = forge.commit("o/hub", &files());
    let mut small = small_with(&format!("github:o/hub#{}", &id[..7]), &format!("o-hub-{}", &id[..7]));
    small.context.set_env("GITHUB_API_URL", forge.url());
    small.init();
    let record = small.context.read(RECORD);
    forge.vary(7);
    forget_cache(&small.context);
    small.context.remove(RECORD);
    succeed(&mut small.context.splitter(&["update-hash"]));
    assert_eq!(small.context.read(RECORD), record);
    // The recorded hash counts on every machine.
    forge.rewrite("o/hub");
    forge.pretend("o/hub", &id[..7]);
    forget_cache(&small.context);
    let fingerprint = record.find(r#""fingerprint":""#).unwrap() + 15;
    small.context.write(RECORD, record.replace(&record[fingerprint..fingerprint + 32], &"0".repeat(32)));
    small.context.add_filter("[0-9a-f]{7}", "[REVISION]");
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    downloading 3 packages (the changed part has 3, 0 of them in the cache)
    error: 1 of 3 packages could not be downloaded
      tool (https://github.com/o/hub/archive/[REVISION].tar.gz) from http://127.0.0.1:[PORT]/repos/o/hub/tarball/[REVISION]: the files changed since the first download: expected sha512-[HASH], found sha512-[HASH]
        required by apps/web
    hint: find out why: the files of a commit never change, so its host or a proxy serves different ones; if you trust them, remove its line from `nix/splitter/splitter.lock.json` and run again
    ");
}

/// Uses the program of the templates. An end-to-end test runs it in a sandbox.
#[test]
fn a_build_fetches_the_same_bytes_with_a_netrc() {
    let forge = Forge::start();
    let id = forge.commit("o/tool", &files());
    let small = small_with(&format!("git+{}/o/tool.git#{id}", forge.url()), &id);
    small.init();
    forge.require("me", "s3cret");
    let (context, top) = (&small.context, small.context.folder("build"));
    fs::create_dir(&top).unwrap();
    fs::write(top.join("netrc"), "machine 127.0.0.1 login me password s3cret\n").unwrap();
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/nix-templates/tools");
    let program = format!(
        "import {{ createHash }} from 'node:crypto';\nimport {{ fetchCommit }} from '{tools}/fetch-git.mjs';\n\
         const archive = fetchCommit('{}/o/tool.git', '{id}');\n\
         console.log('sha512-' + createHash('sha512').update(archive).digest('base64'));\n",
        forge.url()
    );
    fs::write(top.join("fetch.mjs"), program).unwrap();
    let mut node = context.command("node");
    node.arg(top.join("fetch.mjs")).env("NIX_BUILD_TOP", &top).env("HOME", &top);
    let output = fail(&mut node);
    assert!(output.contains("git could not fetch it: ") && output.contains("terminal prompts disabled"), "{output}");
    let integrity = succeed(node.env("NETRC", top.join("netrc")));
    assert!(context.read(RECORD).contains(&format!(r#""integrity":"{integrity}""#)), "{integrity}");
}
