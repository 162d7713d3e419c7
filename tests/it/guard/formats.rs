//! Report formats for CI: annotations, SARIF, `JUnit`.

use serde_json::Value;

use super::{Guarded, RECORD};
use crate::support::{fail, splitter_snapshot, succeed};

#[test]
fn github_gets_annotations_beside_the_text() {
    let guarded = Guarded::new();
    let context = guarded.context();
    splitter_snapshot!(context, context.splitter(&["check", "--format", "github"]), @r"
    exit: 0
    ----- stdout
    fresh: nix/splitter/splitter.lock.json is up to date (3 packages, 4 workspaces)
    ----- stderr
    ");
    guarded.make_stale();
    context.write("apps/web/package.json", context.read("apps/web/package.json").replace("\"*\"", "\"^2\""));
    splitter_snapshot!(context, context.splitter(&["check", "--format", "github"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      packages
        ~ alpha 1.0.0 -> 1.1.0
      files
        ~ apps/web/package.json
        ~ bun.lock
    drift: bun.lock does not match the package.json files
        apps/web/package.json: `alpha` is locked for `*`, but the manifest has `^2`
    run `bun install`, then `splitter update-hash`
    ::error file=nix/splitter/splitter.lock.json,title=splitter%3A stale::nix/splitter/splitter.lock.json: does not match the repository: ~ alpha 1.0.0 -> 1.1.0, ~ apps/web/package.json, ~ bun.lock%0Arun `bun install`, then `splitter update-hash`
    ::error file=apps/web/package.json,title=splitter%3A drift::apps/web/package.json: `alpha` is locked for `*`, but the manifest has `^2`%0Arun `bun install`, then `splitter update-hash`
    ----- stderr
    ");
}

#[test]
fn an_error_is_an_annotation_at_its_line() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write(RECORD, "{\n<<<<<<< ours\n");
    let output = fail(&mut context.splitter(&["check", "--format", "github"]));
    assert!(
        output.contains("::error file=nix/splitter/splitter.lock.json,line=2,col=1,title=splitter%3A error::"),
        "{output}"
    );
}

#[test]
fn sarif_is_json_with_every_finding() {
    let guarded = Guarded::new();
    let context = guarded.context();
    guarded.make_stale();
    let output = context.splitter(&["check", "--format", "sarif"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "stale");
    context.git(&["checkout", "--quiet", "bun.lock"]);
    let log: Value = serde_json::from_str(&succeed(&mut context.splitter(&["check", "--format", "sarif"]))).unwrap();
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn junit_has_a_failure_for_what_failed() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.remove("nix/splitter/build.nix");
    let output = fail(&mut context.splitter(&["check", "--format", "junit"]));
    assert!(output.contains("<testsuites tests=\"8\" failures=\"1\">"), "{output}");
    assert!(
        output.contains("<failure message=\"is missing\">nix/splitter/build.nix: is missing&#10;run `splitter init`")
    );
}
