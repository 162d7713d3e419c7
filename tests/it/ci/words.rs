//! What is found without options, and what is refused with a hint.

use super::{ci, init, paths, repository};
use crate::support::TestContext;

#[track_caller]
fn refused(context: &TestContext, words: &str, expected: &[&str]) {
    let output = ci(context, words);
    assert!(output.starts_with("exit: 2\n"), "{output}");
    for text in expected {
        assert!(output.contains(text), "{text} is not in\n{output}");
    }
    assert_eq!(paths(context), [""; 0]);
}

#[test]
fn the_ci_system_is_found_by_files_and_by_the_remote() {
    for (file, remote, expected) in [
        (".github/workflows/own.yml", "", ".github/workflows/splitter.yml"),
        (".forgejo/workflows/own.yml", "", ".forgejo/workflows/splitter.yml"),
        (".gitlab-ci.yml", "", ".gitlab/splitter.yml"),
        (".buildkite/pipeline.yml", "", ".buildkite/splitter.yml"),
        ("README.md", "git@github.example:acme/acme.git", ".github/workflows/splitter.yml"),
        ("README.md", "https://gitlab.example/acme/github.git", ".gitlab/splitter.yml"),
        ("README.md", "ssh://git@gitea.example:22/acme.git", ".forgejo/workflows/splitter.yml"),
    ] {
        let context = repository();
        context.write(file, "");
        context.git(&["add", file]);
        if !remote.is_empty() {
            context.git(&["remote", "add", "origin", remote]);
        }
        init(&context, "");
        assert!(paths(&context).contains(&expected.to_owned()), "{file} {remote}");
    }
    refused(&repository(), "init", &["the CI system of this repository is not known", "--provider github"]);
}

#[test]
fn the_default_branch_is_found() {
    let context = repository();
    context.git(&["checkout", "--quiet", "-b", "feature"]);
    context.commit_all("one");
    init(&context, "--provider github");
    assert!(context.read(".github/workflows/splitter.yml").contains(r#"branches: ["feature"]"#));
    context.git(&["branch", "master"]);
    init(&context, "--provider github --store-cache none");
    assert!(context.read(".github/workflows/splitter.yml").contains(r#"branches: ["master"]"#));
    context.git(&["update-ref", "refs/remotes/origin/trunk", "HEAD"]);
    context.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    init(&context, "--provider github --store-cache none");
    assert!(context.read(".github/workflows/splitter.yml").contains(r#"branches: ["trunk"]"#));
}

#[test]
fn caches_of_no_use_are_named() {
    let context = repository();
    for (options, expected) in [
        ("--cache file:///srv/cache", "is a cache of this machine"),
        ("--cache attic:attic.example.org/acme", "attic:attic.example.org/acme: Nix takes nothing from it"),
        ("--cache https://cache.example.org", "https://cache.example.org: Nix takes nothing from it"),
    ] {
        let output = ci(&context, &format!("init --provider github {options}"));
        assert!(output.starts_with("exit: 0\n") && output.contains(expected), "{output}");
    }
    let key = "--public-key acme:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for options in ["--cache cachix:acme".to_owned(), format!("--cache attic:attic.example.org/acme {key}")] {
        let output = ci(&context, &format!("init --provider github {options}"));
        assert!(!output.contains("warning"), "{output}");
    }
}

#[test]
fn what_makes_no_workflow_is_refused() {
    let context = repository();
    refused(&context, "init --provider gitlab --store-cache hestia", &["only GitHub has the store cache"]);
    refused(&context, "init --provider github --cache attic:ci/acme", &["`attic:ci/acme`", "attic:HOST/NAME"]);
    refused(&context, "init --provider github --cache acme", &["cachix:NAME"]);
    refused(&context, "init --provider github --cache https://cache.example.org/$(id)", &["characters"]);
    refused(&context, "init --provider github --branch ${{x}}", &["expected letters"]);
    refused(&context, "init --provider github --program git@host:x", &["expected the URL of a git repository"]);
    refused(&context, "init --provider github --runner large", &["SYSTEM=RUNNER"]);
    refused(
        &context,
        "init --provider github --runner aarch64-linux=large",
        &["`--runner` names aarch64-linux", "it builds for x86_64-linux", "--system aarch64-linux"],
    );
    refused(&context, "init --provider github --cache /srv/cache", &["hint: write `file:///srv/cache`"]);
    refused(
        &context,
        "init --provider github --images registry.example/acme --system x86_64-linux --system aarch64-linux",
        &["the images of aarch64-linux and x86_64-linux reach", "--cache"],
    );
    refused(
        &context,
        "init --provider github --images registry.example/acme --system aarch64-darwin",
        &["no system of the workflow is Linux"],
    );
    refused(
        &context,
        "init --provider buildkite --cache cachix:acme --images registry.example/acme --registry-token",
        &["the jobs of buildkite have no token"],
    );
    context.remove("flake.nix");
    refused(&context, "init --provider github", &["`flake.nix` is missing", "splitter init"]);
}
