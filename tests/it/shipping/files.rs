//! Files that other tools read: their linters and schemas accept them, and they agree with each other.

use fs_err as fs;
use serde_json::Value;

use super::of_project;
use crate::support::{TestContext, run, succeed, tools};

const WORKFLOW: &str = ".github/workflows/release.yml";

fn read(path: &str) -> String {
    fs::read_to_string(of_project(path)).unwrap()
}

#[test]
fn e2e_linters_and_schemas_accept_the_files() {
    let Some(linters) = tools::linters() else { return };
    let Some(shellcheck) = tools::oci("shellcheck") else { return };
    let context = TestContext::new();
    context.git_init();
    for path in ["action.yml", "action/install.sh", "action/run.sh", WORKFLOW, ".pre-commit-hooks.yaml"] {
        context.write(path, read(path));
    }
    // A schema reads one document. The first one has the inputs.
    let component = read("templates/check.yml");
    let (inputs, job) = component.split_once("\n---\n").unwrap();
    context.write("inputs.yml", inputs);
    context.write("job.yml", job);
    context.write("hash.json", read("renovate/update-hash.json"));
    context.write("bots.json", read("renovate/bots.json"));

    let mut zizmor = context.command(linters.join("zizmor"));
    let output = succeed(zizmor.args(["--pedantic", "--offline", "--no-progress", "--color", "never", "."]));
    assert!(output.starts_with("No findings to report"), "{output}");
    assert_eq!(succeed(&mut context.command(linters.join("actionlint"))), "");
    for (schema, files) in [
        ("vendor.github-actions", &["action.yml"][..]),
        ("vendor.github-workflows", &[WORKFLOW]),
        ("custom.github-workflows-require-timeout", &[WORKFLOW]),
        ("vendor.gitlab-ci", &["inputs.yml", "job.yml"]),
        ("vendor.renovate", &["hash.json", "bots.json"]),
    ] {
        let mut check = context.command(linters.join("check-jsonschema"));
        succeed(check.args(["--builtin-schema", schema]).args(files));
    }
    succeed(context.command(shellcheck).args(["action/install.sh", "action/run.sh"]));
}

#[test]
fn actions_are_pinned_by_commit() {
    let text = read(WORKFLOW);
    let uses: Vec<&str> = text.lines().filter_map(|line| line.trim_start().strip_prefix("uses: ")).collect();
    assert!(uses.len() > 8, "{uses:?}");
    for action in uses {
        let (commit, version) = action.split_once('@').unwrap().1.split_once(" # v").unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
        assert!(version.split('.').count() == 3, "{action}");
    }
    // One commit of checkout everywhere.
    let known: Value = serde_json::from_str(include_str!("../../../src/ci/actions.json")).unwrap();
    assert!(text.contains(known["actions/checkout"]["commit"].as_str().unwrap()));
}

#[test]
fn targets_are_the_same_everywhere() {
    let platforms: Value = serde_json::from_str(&read("npm/platforms.json")).unwrap();
    let targets = platforms.as_object().unwrap().values().map(|platform| platform["target"].as_str().unwrap());
    for target in targets {
        for file in [WORKFLOW, "action/install.sh", "docs/installing.md"] {
            assert!(read(file).contains(target), "{file} does not name {target}");
        }
    }
}

#[test]
fn all_files_have_the_same_owner() {
    for file in ["action.yml", "templates/check.yml", "templates/bun/flake.nix", "templates/yarn/flake.nix"] {
        // The owner of the repository is in one form, which a release replaces.
        let owner = env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/");
        assert!(read(file).contains(owner), "{file}: expected `{owner}`");
    }
}

/// The pre-commit hook is a command that exists, and the completions and man pages are those of the program.
#[test]
fn installed_texts_come_from_the_program() {
    let context = TestContext::new();
    for line in read(".pre-commit-hooks.yaml").lines().filter_map(|line| line.trim().strip_prefix("entry: splitter ")) {
        let words: Vec<&str> = line.split(' ').chain(["--help"]).collect();
        succeed(&mut context.splitter(&words));
    }
    let bash = succeed(&mut context.splitter(&["completions", "bash"]));
    context.write("completions.bash", &bash);
    let complete = "source ./completions.bash; COMP_WORDS=(splitter upd); COMP_CWORD=1; _splitter splitter upd splitter; echo \"${COMPREPLY[@]}\"";
    assert_eq!(succeed(context.command("bash").args(["-c", complete])), "update-hash");
    assert!(succeed(&mut context.splitter(&["man"])).contains(".TH splitter 1"));
    succeed(&mut context.splitter(&["man", "--quiet", "--output", "man"]));
    assert!(context.read("man/splitter-update-hash.1").contains("Update the hashes"));
    let refused = run(&mut context.splitter(&["man", "--output", "completions.bash/man"]));
    assert!(refused.starts_with("exit: 3\n") && refused.contains("could not write man pages"), "{refused}");
}
