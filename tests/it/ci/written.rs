//! The written files: as expected, accepted by every linter and schema, and never written over edits.

use camino::Utf8Path;
use fs_err as fs;

use super::{CHOICES, Choice, add_monorepo, ci, init, paths, repository};
use crate::support::{TestContext, run, succeed, tools};

const WORKFLOW: &str = ".github/workflows/splitter.yml";
const BOTS: &str = ".github/workflows/splitter-bots.yml";

#[test]
fn files_are_as_expected_and_the_same_when_written_twice() {
    for Choice { name, options } in CHOICES {
        let context = repository();
        init(&context, options);
        let written = paths(&context);
        assert!(!written.is_empty(), "{name}");
        let texts: Vec<String> = written.iter().map(|path| context.read(path)).collect();
        for (path, text) in written.iter().zip(&texts) {
            // Placeholders and conditions are replaced.
            let is_left = |line: &&str| {
                ["#if", "#else", "#end", "#use", "#block", "@PIN"]
                    .iter()
                    .any(|word| line.trim_start().starts_with(word))
                    || line.split('@').skip(1).step_by(2).any(|word| {
                        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
                    })
            };
            assert_eq!(text.lines().find(is_left), None, "{name} {path}");
            assert!(text.lines().all(|line| line.trim_end() == line), "{name} {path}");
            insta::assert_snapshot!(format!("{name}-{}", path.rsplit('/').next().unwrap()), text);
        }
        // The choices are in the files.
        assert_eq!(init(&context, ""), "all files are up to date", "{name}");
        assert_eq!(init(&context, options), "all files are up to date", "{name}");
        assert_eq!(paths(&context), written);
        assert!(ci(&context, "check").starts_with("exit: 0\n"), "{name}");
    }
}

/// More options than [`CHOICES`] have, for linters alone.
fn all_choices() -> Vec<String> {
    let mut all: Vec<String> = CHOICES.iter().map(|choice| choice.options.to_owned()).collect();
    for provider in ["github", "forgejo"] {
        for cache in
            ["", "--cache cachix:acme", "--cache https://cache.example.org", "--cache attic:attic.example.org/acme"]
        {
            for more in ["", "--images registry.example/acme --bots --program https://git.example.org/splitter"] {
                all.push(format!("--provider {provider} {cache} {more}"));
            }
        }
    }
    for cache in ["--cache cachix:acme", "--cache s3://acme", ""] {
        all.push(format!("--provider github {cache} --store-cache hestia --bots"));
        all.push(format!("--provider github {cache} --store-cache none"));
        all.push(format!("--provider gitlab {cache}"));
        all.push(format!("--provider buildkite {cache}"));
    }
    all
}

/// Writes the files of all choices to one folder of each kind.
fn write_all(context: &TestContext) {
    for (number, options) in all_choices().iter().enumerate() {
        // Every other repository has splitter as an input of its flake, and is in a folder.
        let own = repository();
        if number % 3 == 1 {
            own.write("splitter.json", r#"{ "input": "github:acme/splitter" }"#);
        }
        init(&own, options);
        for path in paths(&own) {
            let (folder, name) = path.rsplit_once('/').unwrap();
            // Linters do not know that Forgejo takes URLs.
            let text = own.read(&path);
            let text = text
                .replace("uses: https://github.com/", "uses: ")
                .replace("uses: https://code.forgejo.org/", "uses: ");
            let folder = if folder.starts_with(".forgejo") { ".github/workflows" } else { folder };
            context.write(&format!("{folder}/{number:02}-{name}"), text);
        }
    }
}

/// Returns the files of a folder with this ending.
fn files(context: &TestContext, folder: &str, ending: &str) -> Vec<String> {
    let entries = Utf8Path::new(&context.repo()).join(folder).read_dir_utf8().unwrap();
    let names = entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name()));
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}

#[test]
fn e2e_every_linter_and_schema_accepts_the_files() {
    let Some(linters) = tools::linters() else { return };
    let Some(shellcheck) = tools::oci("shellcheck") else { return };
    let context = TestContext::new();
    context.git_init();
    write_all(&context);
    context.write(".github/actionlint.yaml", "self-hosted-runner: { labels: [docker] }\n");
    let workflows = files(&context, ".github/workflows", ".yml");
    assert!(workflows.len() > 30);

    let mut zizmor = context.command(linters.join("zizmor"));
    let output = succeed(zizmor.args(["--pedantic", "--offline", "--no-progress", "--color", "never", ".github"]));
    assert!(output.starts_with("No findings to report"), "{output}");
    let actionlint = succeed(&mut context.command(linters.join("actionlint")));
    assert_eq!(actionlint, "");
    let check = |schema: &str, files: &[String]| {
        let mut check = context.command(linters.join("check-jsonschema"));
        succeed(check.args(["--builtin-schema", schema]).args(files));
    };
    check("vendor.github-workflows", &workflows);
    check("custom.github-workflows-require-timeout", &workflows);
    check("vendor.gitlab-ci", &files(&context, ".gitlab", ".yml"));
    check("vendor.buildkite", &files(&context, ".buildkite", ".yml"));
    let scripts = files(&context, ".buildkite", ".sh");
    succeed(context.command(shellcheck).args(["--shell", "bash"]).args(&scripts));
}

#[test]
fn an_edited_file_is_kept_and_the_diff_makes_it_the_new_one() {
    let context = repository();
    init(&context, "--provider github --cache cachix:acme --bots");
    let written = context.read(WORKFLOW);
    let edited = written.replace("timeout-minutes: 180", "timeout-minutes: 240").replace("  gate:\n", "  own-gate:\n");
    context.write(WORKFLOW, &edited);
    let output = ci(&context, "init --provider github --cache cachix:other");
    assert!(output.starts_with("exit: 1\n----- stdout\n--- a/.github/workflows/splitter.yml\n"), "{output}");
    assert!(output.contains("not written: .github/workflows/splitter.yml was edited"), "{output}");
    assert_eq!(context.read(WORKFLOW), edited);
    // Nothing else was written or removed either.
    assert!(context.repo().join(".github/workflows/splitter-bots.yml").exists());
    let check = ci(&context, "check");
    assert!(check.starts_with("exit: 1\n----- stdout\nedited: .github/workflows/splitter.yml: "), "{check}");
    let json = ci(&context, "check --json");
    assert!(json.starts_with("exit: 1\n") && json.contains(r#""rule": "edited""#), "{json}");
    // Without the line of choices, the file is still splitter's.
    let (bots, lines) = (context.read(BOTS), written.lines().collect::<Vec<_>>());
    context.write(WORKFLOW, [&lines[..1], &lines[2..]].concat().join("\n"));
    for other in [true, false] {
        if !other {
            context.remove(BOTS);
        }
        let check = ci(&context, "check");
        assert!(check.starts_with("exit: 1\n----- stdout\nedited: .github/workflows/splitter.yml: "), "{check}");
    }
    context.write(BOTS, bots);
    context.write(WORKFLOW, &edited);

    let diff = context.splitter(&["ci", "init", "--quiet"]).output().unwrap().stdout;
    context.write("own.diff", diff);
    context.git(&["apply", "own.diff"]);
    assert_eq!(context.read(WORKFLOW), written);
    // With other options, the file of the bots goes.
    init(&context, "--provider github --cache cachix:other");
    assert_eq!(paths(&context), [WORKFLOW]);
    assert!(context.read(WORKFLOW).contains("cachix:other"));
}

#[test]
fn a_file_of_others_is_never_replaced() {
    let context = repository();
    context.write(WORKFLOW, "on: push\n");
    let output = ci(&context, "init --provider github");
    assert!(output.starts_with("exit: 1\n"), "{output}");
    assert!(output.contains("was not written by splitter"), "{output}");
    assert_eq!(context.read(WORKFLOW), "on: push\n");
    let output = ci(&context, "check");
    assert!(output.starts_with("exit: 2\n") && output.contains("no workflow of splitter"), "{output}");
}

#[test]
fn updates_of_actions_by_bots_are_no_edits() {
    let context = repository();
    init(&context, "--provider github");
    let written = context.read(WORKFLOW);
    let pin = written.lines().find_map(|line| line.split_once("uses: actions/checkout")).unwrap().1.to_owned();
    let with = |version: &str| {
        let commit = "0123456789012345678901234567890123456789";
        written.replace(&pin, &format!("@{commit} # {version}"))
    };
    // A newer one is kept.
    context.write(WORKFLOW, with("v999.0.1"));
    assert!(ci(&context, "check").starts_with("exit: 0\n"));
    assert_eq!(init(&context, ""), "all files are up to date");
    // An older one is dated.
    context.write(WORKFLOW, with("v4"));
    let output = ci(&context, "check");
    assert!(output.starts_with("exit: 1\n----- stdout\ndated: .github/workflows/splitter.yml: "), "{output}");
    assert!(output.contains("actions/checkout v4 -> v"), "{output}");
    assert_eq!(init(&context, ""), "changed .github/workflows/splitter.yml");
    assert_eq!(context.read(WORKFLOW), written);
}

#[test]
fn files_of_another_version_are_outdated_and_written_again() {
    let context = repository();
    init(&context, "--provider gitlab --bots");
    let jobs = context.read(".gitlab/splitter-jobs.yml");
    // As another version would write: the same choices, another text, and its digest.
    let other = jobs.replace(r#""branch":"main""#, r#""branch":"trunk""#);
    context.write(".gitlab/splitter-jobs.yml", &other);
    let output = ci(&context, "check");
    assert!(output.contains("outdated: .gitlab/splitter-jobs.yml: "), "{output}");
    assert_eq!(init(&context, ""), "changed .gitlab/splitter-jobs.yml");
    assert_eq!(context.read(".gitlab/splitter-jobs.yml"), jobs);
    context.remove(".gitlab/splitter-jobs.yml");
    let output = ci(&context, "check");
    assert!(output.contains("missing: .gitlab/splitter-jobs.yml: "), "{output}");
}

#[test]
fn the_caches_of_the_team_are_used_and_followed() {
    let key = "cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let context = repository();
    let own = format!(r#"{{ "cache": "https://cache.example.org", "publicKeys": ["{key}"], "push": false }}"#);
    context.write("splitter.json", format!(r#"{{ "caches": ["s3://acme", {own}] }}"#));
    init(&context, "--provider github");
    let text = context.read(WORKFLOW);
    for line in [
        "extra-substituters = s3://acme https://cache.example.org",
        &format!("extra-trusted-public-keys = {key}"),
        "splitter cache push --verbose --to \"s3://acme\"",
        "--cache s3://acme --cache https://cache.example.org",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("--to \"https://cache.example.org\"") && !text.contains("cache-nix-action"), "{text}");
    // A change of the cache changes the workflow.
    context.write("splitter.json", format!(r#"{{ "caches": ["cachix:acme", {own}] }}"#));
    assert!(ci(&context, "check").contains("outdated: .github/workflows/splitter.yml"));
    init(&context, "");
    assert!(context.read(WORKFLOW).contains("cachix/cachix-action@"));
    assert!(ci(&context, "check").starts_with("exit: 0\n"));
}

#[test]
fn a_repository_in_a_folder_has_a_workflow_of_its_own() {
    let context = TestContext::new();
    context.git_init();
    add_monorepo(&context, "services/shop/");
    let mut command = context.splitter(&["--repo", "services/shop", "ci", "init", "--provider", "github", "--bots"]);
    succeed(&mut command);
    assert_eq!(
        paths(&context),
        [".github/workflows/splitter-services-shop-bots.yml", ".github/workflows/splitter-services-shop.yml"]
    );
    let text = context.read(".github/workflows/splitter-services-shop.yml");
    for line in ["working-directory: \"services/shop\"", "name: splitter-services-shop", "'services/shop/flake.lock'"] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(run(&mut context.splitter(&["--repo", "services/shop", "ci", "check"])).starts_with("exit: 0\n"));
    // The root belongs to a different repository.
    add_monorepo(&context, "");
    assert!(ci(&context, "check").starts_with("exit: 2\n"));
}

#[test]
fn no_file_is_written_through_a_link() {
    let context = repository();
    let outside = context.folder("outside");
    fs::create_dir(&outside).unwrap();
    fs::os::unix::fs::symlink(&outside, context.repo().join(".github")).unwrap();
    let output = ci(&context, "init --provider github");
    assert!(output.starts_with("exit: 2\n") && output.contains("`.github` is a symbolic link"), "{output}");
    assert_eq!(outside.read_dir_utf8().unwrap().count(), 0);
}
