//! `splitter ci`: the written workflows, and the plan of their jobs.

mod matrix;
mod words;
mod written;

use crate::support::{TestContext, run, succeed};

/// Options, and the name of their snapshots.
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) options: &'static str,
}

/// Choices whose files are compared with expected ones. Together they have every line of the templates.
pub(super) const CHOICES: [Choice; 9] = [
    Choice { name: "github", options: "--provider github --program https://git.example.org/splitter" },
    Choice {
        name: "github-cachix",
        options: "--provider github --cache cachix:acme --cache cachix:upstream --images registry.example/acme --bots \
                  --system x86_64-linux --system aarch64-linux --system aarch64-darwin --runner x86_64-linux=ubuntu-26.04",
    },
    Choice {
        name: "github-s3",
        options: "--provider github --cache s3://acme?region=eu-west-1 --cache https://cache.example.org \
                  --public-key cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= --store-cache cache-nix-action",
    },
    Choice {
        name: "github-attic",
        options: "--provider github --cache attic:attic.example.org/acme --cache ssh-ng://ci@builder.example.org \
                  --public-key acme:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    },
    Choice {
        name: "github-hestia",
        options: "--provider github --store-cache hestia --images registry.example/acme --registry-token",
    },
    Choice { name: "forgejo", options: "--provider forgejo --cache cachix:acme --images registry.example/acme --bots" },
    Choice {
        name: "gitlab",
        options: "--provider gitlab --cache cachix:acme --cache s3://acme --images registry.example/acme --registry-token --bots",
    },
    Choice { name: "gitlab-plain", options: "--provider gitlab --program https://git.example.org/splitter" },
    Choice {
        name: "buildkite",
        options: "--provider buildkite --cache cachix:acme --cache attic:attic.example.org/acme --images registry.example/acme \
                  --bots",
    },
];

/// Returns a repository that a workflow can be written for.
pub(super) fn repository() -> TestContext {
    let context = TestContext::new();
    context.git_init();
    add_monorepo(&context, "");
    context
}

/// Adds what splitter reads of a monorepo to a folder of the repository.
pub(super) fn add_monorepo(context: &TestContext, folder: &str) {
    context.write(&format!("{folder}package.json"), r#"{ "name": "acme" }"#);
    let lockfile = r#"{ "lockfileVersion": 1, "workspaces": { "": { "name": "acme" } }, "packages": {} }"#;
    context.write(&format!("{folder}bun.lock"), lockfile);
    context.write(&format!("{folder}flake.nix"), "{ outputs = _: { }; }\n");
}

/// Runs `splitter ci init` with these words, which must succeed.
#[track_caller]
pub(super) fn init(context: &TestContext, options: &str) -> String {
    let words: Vec<&str> = ["ci", "init"].into_iter().chain(options.split_whitespace()).collect();
    succeed(&mut context.splitter(&words))
}

/// Runs `splitter ci` with these words, and returns its exit code and output.
pub(super) fn ci(context: &TestContext, words: &str) -> String {
    let words: Vec<&str> = ["ci"].into_iter().chain(words.split_whitespace()).collect();
    run(&mut context.splitter(&words))
}

/// Returns the paths of the written files.
pub(super) fn paths(context: &TestContext) -> Vec<String> {
    let listed = context.git(&["ls-files", "--others", "--", ".github", ".forgejo", ".gitlab", ".buildkite"]);
    listed.lines().map(str::to_owned).collect()
}
