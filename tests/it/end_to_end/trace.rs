//! `splitter trace`, with a real Nix and strace: the files that a build looks for and does not get, and those that it never
//! reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{checks::with_checks, libraries::with_built_libraries, verify::splitter};
use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Project, TestContext, YARN_VERSIONS, YarnMonorepo, fail, run, succeed,
    tools::{self, skip},
};

/// A build that reads files in every way that programs have.
const BUILD: &str = r#"import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import imported from "./src/imported.mjs";

const texts = [imported, readFileSync("src/opened.txt", "utf8"), await readFile("src/later.txt", "utf8")];
texts.push(existsSync("src/asked.txt") ? "asked" : "not asked", statSync("src/stat.txt").size);
texts.push(realpathSync("src/real.txt").length, execFileSync("./src/run.sh", { cwd: "." }));
process.chdir("src");
texts.push(readFileSync("moved.txt", "utf8"), readFileSync("./nested/../dots.txt", "utf8"));
execFileSync("cat", ["by-cat.txt"]);
await new Promise((done, failed) => {
  const worker = new Worker("require('node:fs').readFileSync('worker.txt')", { eval: true });
  worker.on("exit", done).on("error", failed);
});
for (const name of readdirSync("listed")) texts.push(readFileSync(`listed/${name}`, "utf8"));
mkdirSync("../dist", { recursive: true });
writeFileSync("../dist/out.txt", texts.join("\n"));
"#;

/// The files that the build reads in a way that shows a missing one.
const FOUND: [&str; 11] = [
    "build.mjs",
    "src/imported.mjs",
    "src/opened.txt",
    "src/later.txt",
    "src/asked.txt",
    "src/stat.txt",
    "src/real.txt",
    "src/run.sh",
    "src/moved.txt",
    "src/by-cat.txt",
    "src/worker.txt",
];

/// Gives `web` the build.
fn write_build(context: &TestContext) {
    context.edit_manifest("apps/web/package.json", |manifest| manifest["scripts"]["build"] = "node build.mjs".into());
    context.write("apps/web/build.mjs", BUILD);
    context.write("apps/web/src/imported.mjs", "export default 'imported';\n");
    context.write("apps/web/src/run.sh", "#!/bin/sh\necho run\n");
    context.make_executable("apps/web/src/run.sh");
    let texts =
        ["opened", "later", "asked", "stat", "real", "moved", "dots", "by-cat", "worker", "listed/a", "listed/b"];
    for name in texts {
        context.write(&format!("apps/web/src/{name}.txt"), name);
    }
    context.write("apps/web/src/nested/unread.txt", "");
}

fn has_strace() -> Option<()> {
    if tools::program("strace").is_some() { Some(()) } else { skip("no strace") }
}

fn with_bun() -> Option<NixMonorepo> {
    has_strace()?;
    let monorepo = Monorepo::with_bun(BUN_VERSIONS[2])?;
    write_build(&monorepo.context);
    NixMonorepo::of(monorepo)
}

/// Writes `splitter.json`, and the record for it.
fn configure<P: Project>(nix: &NixMonorepo<P>, settings: &Value) {
    nix.context().write("splitter.json", settings.to_string());
    succeed(&mut nix.context().splitter(&["update-hash", "--quiet"]));
}

/// Runs a trace, and returns its report. The exit code says whether it is complete.
fn trace<P: Project>(nix: &NixMonorepo<P>, args: &[&str]) -> Value {
    let output = splitter(nix, &[&["trace", "--json"], args].concat()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(output.status.code(), Some(i32::from(report["complete"] == false)), "{report:#}");
    report
}

fn build<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["builds"].as_array().unwrap().iter().find(|build| build["name"] == name).unwrap()
}

/// Returns the paths of a list of a build.
fn paths<'a>(report: &'a Value, name: &str, list: &str) -> BTreeSet<&'a str> {
    let entries = build(report, name)[list].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().or(entry.as_str()).unwrap()).collect()
}

/// Takes out each file in turn: the trace names it and nothing else.
fn assert_each_is_found<P: Project>(nix: &NixMonorepo<P>, files: &[&str], args: &[&str]) {
    for file in files {
        configure(nix, &json!({ "workspaces": { "apps/web": { "exclude": [file] } } }));
        let report = trace(nix, &[&["web"], args].concat());
        let expected = format!("apps/web/{file}");
        assert_eq!(paths(&report, "web", "missing"), BTreeSet::from([expected.as_str()]), "{report:#}");
        assert_eq!(report["missing"], 1);
    }
}

#[test]
fn e2e_trace_names_each_file_that_is_taken_out() {
    let Some(nix) = with_bun() else { return };
    let report = trace(&nix, &[]);
    assert_eq!((&report["version"], &report["complete"], &report["missing"]), (&1.into(), &true.into(), &0.into()));
    let names: Vec<_> = report["builds"].as_array().unwrap().iter().map(|build| &build["name"]).collect();
    assert_eq!(names, ["api", "web"]);
    let unread = paths(&report, "web", "unread");
    assert!(
        unread.contains("apps/web/src/nested/unread.txt") && unread.contains("packages/ui/src/index.ts"),
        "{unread:?}"
    );
    assert!(!unread.iter().any(|path| path.contains("listed") || path.ends_with("package.json")), "{unread:?}");
    assert_each_is_found(&nix, &FOUND, &[]);
    // A file that is only listed is found by the build over the whole repository.
    configure(&nix, &json!({ "workspaces": { "apps/web": { "exclude": ["src/listed/a.txt"] } } }));
    let report = trace(&nix, &["apps/web"]);
    assert_eq!(report["complete"], true);
    assert!(paths(&report, "web", "mayBeMissing").contains("apps/web/src/listed/a.txt"), "{report:#}");
    let text = run(&mut splitter(&nix, &["trace", "web"]));
    assert!(text.contains("unclear") && text.contains("apps/web/src/listed/a.txt"), "{text}");
    assert_each_is_found(&nix, &["src/listed/a.txt", "src/opened.txt"], &["--full"]);
}

/// A build that reads files that no rule gives it, one after the other. No text names two of them.
const NEEDY: &str = r#"import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const up = (...parts) => ["..", "..", ...parts].join("/");
const paths = ["README.md", "tests/data.json", up("config", "shared.json"), up("packages", "stamp", "openapi.yaml")];
mkdirSync("dist", { recursive: true });
writeFileSync("dist/out.txt", paths.map((path) => readFileSync(path, "utf8")).join("\n"));
"#;

#[test]
fn e2e_trace_write_adds_what_is_missing() {
    let Some(nix) = with_bun() else { return };
    let context = nix.context();
    context.write("apps/web/build.mjs", NEEDY);
    context.write("apps/web/tests/data.json", "{}\n");
    context.write("config/shared.json", "{}\n");
    context.write("packages/stamp/openapi.yaml", "openapi: 3\n");
    context.write("splitter.json", "{\n  // kept\n  \"workspaces\": {}\n}\n");
    succeed(&mut context.splitter(&["update-hash", "--quiet"]));
    context.commit_all("a needy build");
    // A command that fails is traced up to there.
    let report = trace(&nix, &["web"]);
    let web = build(&report, "web");
    assert_eq!((&web["exitCode"], &report["complete"]), (&1.into(), &false.into()), "{report:#}");
    assert_eq!(paths(&report, "web", "missing"), BTreeSet::from(["apps/web/README.md"]), "{report:#}");
    assert!(web["log"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("ENOENT")), "{web:#}");
    let text = run(&mut splitter(&nix, &["trace", "web"]));
    assert!(text.starts_with("exit: 1\n"), "{text}");
    let line = r#""workspaces": { "apps/web": { "include": ["README.md"] } }"#;
    assert!(text.contains("apps/web/README.md: the rule `README.md` leaves it out") && text.contains(line), "{text}");
    assert_eq!(context.git(&["status", "--porcelain"]), "", "a trace writes nothing");

    let output = succeed(&mut splitter(&nix, &["trace", "web", "--write"]));
    assert!(
        output.contains("+ \"workspaces\"") && output.contains("wrote nix/splitter/splitter.lock.json, splitter.json"),
        "{output}"
    );
    insta::assert_snapshot!(context.read("splitter.json"), @r#"
    {
      // kept
      "workspaces": {
        "apps/web": {
          "include": ["README.md", "tests/data.json"],
          "rootFiles": ["config/shared.json", "packages/stamp/openapi.yaml"]
        }
      }
    }
    "#);
    assert_eq!(context.git(&["status", "--porcelain"]), " M nix/splitter/splitter.lock.json\n M splitter.json");
    succeed(&mut context.splitter(&["check"]));
    let report = trace(&nix, &["web"]);
    assert_eq!((&report["complete"], &report["missing"]), (&true.into(), &0.into()), "{report:#}");
    // Now there is nothing to add, and nothing is written.
    let before = context.read("splitter.json");
    succeed(&mut splitter(&nix, &["trace", "web", "--write"]));
    assert_eq!(context.read("splitter.json"), before);
}

#[test]
fn e2e_trace_reads_what_a_bundler_could_not_resolve() {
    let Some(()) = has_strace() else { return };
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("apps/web/src/index.ts", "import data from \"./stories/data.stories\";\nconsole.log(data);\n");
    context.write("apps/web/src/stories/data.stories.ts", "export default 1;\n");
    context.write("apps/web/src/stories/other.stories.ts", "export default 1;\n");
    context.git(&["add", "--all"]);
    let report = trace(&nix, &["web"]);
    let expected = BTreeSet::from(["apps/web/src/stories/data.stories.ts"]);
    assert_eq!(paths(&report, "web", "missing"), expected, "{report:#}");
    assert_eq!(build(&report, "web")["missing"][0]["sign"], "inLog");
    let report = trace(&nix, &["web", "--full"]);
    assert_eq!(paths(&report, "web", "missing"), expected, "{report:#}");

    // A package of a workspace that nothing names.
    context.write("apps/web/src/index.ts", "require([\"@acme\", \"stamp\"].join(\"/\"));\n");
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"]["build"] = "mkdir -p dist && node src/index.js".into();
    });
    context.git(&["mv", "--force", "apps/web/src/index.ts", "apps/web/src/index.js"]);
    succeed(&mut context.splitter(&["update-hash", "--quiet"]));
    let report = trace(&nix, &["web"]);
    assert_eq!(paths(&report, "web", "missing"), BTreeSet::from(["packages/stamp"]), "{report:#}");
    let line = r#""workspaces": { "apps/web": { "uses": ["packages/stamp"] } }"#;
    assert_eq!(build(&report, "web")["missing"][0]["setting"], line);

    // A file that git does not track.
    context.write("apps/web/src/index.js", "require(\"fs\").readFileSync(\"src/news.json\");\n");
    context.write("apps/web/src/news.json", "1\n");
    let text = run(&mut splitter(&nix, &["trace", "web"]));
    assert!(text.contains("apps/web/src/news.json") && text.contains("git does not track it"), "{text}");

    let text = fail(&mut splitter(&nix, &["trace", "wbe"]));
    assert!(
        text.starts_with("exit: 2\n")
            && text.contains("nothing that splitter builds is named `wbe`; it builds api, web"),
        "{text}"
    );
}

#[test]
fn e2e_trace_of_yarn_names_what_is_taken_out_and_nothing_else() {
    for version in [YARN_VERSIONS[0], YARN_VERSIONS[2]] {
        let Some(()) = has_strace() else { return };
        let Some(monorepo) = YarnMonorepo::with_linker(version, "node-modules", |monorepo| {
            write_build(&monorepo.context);
            // Yarn looks for each of these.
            monorepo.context.edit_manifest("package.json", |manifest| {
                manifest["workspaces"] =
                    json!(["apps/api", "apps/web", "packages/logger", "packages/ui", "packages/stamp"]);
            });
        }) else {
            return;
        };
        let Some(nix) = NixMonorepo::of(monorepo) else { return };
        let report = trace(&nix, &["--full"]);
        assert_eq!((&report["complete"], &report["missing"]), (&true.into(), &0.into()), "{version}: {report:#}");
        assert_each_is_found(&nix, &["build.mjs", "src/opened.txt", "src/moved.txt"], &[]);
        configure(&nix, &json!({ "workspaces": { "apps/web": { "exclude": ["src/listed/b.txt"] } } }));
        let report = trace(&nix, &["web", "--full"]);
        assert_eq!(paths(&report, "web", "missing"), BTreeSet::from(["apps/web/src/listed/b.txt"]), "{report:#}");
    }
}

#[test]
fn e2e_trace_of_libraries_and_checks() {
    let Some(()) = has_strace() else { return };
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_built_libraries(&nix);
    let report = trace(&nix, &[]);
    let names: Vec<_> =
        report["builds"].as_array().unwrap().iter().map(|build| build["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["library-logger", "library-stamp", "library-ui", "api", "web"]);
    assert_eq!(report["complete"], true, "{report:#}");
    // A library that fails is traced, and what needs it is not built.
    configure(&nix, &json!({ "workspaces": { "packages/ui": { "exclude": ["src/index.ts"] } } }));
    let report = trace(&nix, &["web"]);
    assert_eq!(paths(&report, "library-ui", "missing"), BTreeSet::from(["packages/ui/src/index.ts"]), "{report:#}");
    assert_eq!(report["notTraced"], json!([{ "name": "web", "kind": "app", "failed": "library-ui" }]));
    let text = run(&mut splitter(&nix, &["trace", "packages/ui"]));
    assert!(text.contains("library-ui read") && text.contains("failed with exit code 1"), "{text}");
    configure(&nix, &json!({ "workspaces": { "packages/stamp": { "exclude": ["bin.js"] } } }));
    let report = trace(&nix, &["library-stamp"]);
    assert_eq!(paths(&report, "library-stamp", "missing"), BTreeSet::from(["packages/stamp/bin.js"]), "{report:#}");
}

#[test]
fn e2e_trace_marks_what_has_not_changed_since() {
    let Some(()) = has_strace() else { return };
    let Some(nix) = with_checks() else { return };
    let context = nix.context();
    context.write("apps/web/.eslintrc.json", "{}\n");
    context.commit_all("checks");
    let marks = |command: &str| {
        let report: Value = serde_json::from_str(&succeed(&mut context.splitter(&[command, "--json"]))).unwrap();
        report["traced"].clone()
    };
    assert_eq!(marks("scan"), json!({}));
    let report = trace(&nix, &["web", "web-test"]);
    assert_eq!(report["complete"], true, "{report:#}");
    assert!(build(&report, "web-test")["readFiles"].as_u64().unwrap() > 0);
    // No build looks for the configuration of linters.
    assert_eq!(paths(&report, "web", "missing"), BTreeSet::new());
    let clean = json!({ "missing": 0, "failed": false, "full": false });
    assert_eq!(marks("scan"), json!({ "web": clean, "web-test": clean }));
    assert_eq!(marks("explain"), marks("scan"));
    assert!(succeed(&mut context.splitter(&["scan"])).contains("traced: nothing missing"));
    let text = succeed(&mut context.splitter(&["explain"]));
    assert!(text.contains("traced, and unchanged since (nothing missing): web, web-test"), "{text}");
    // A test is a source of the check alone.
    context.write("apps/web/src/index.test.ts", "// nothing\n");
    assert_eq!(marks("explain"), json!({ "web": clean }));
    context.git(&["checkout", "--quiet", "apps/web"]);
    assert_eq!(marks("scan"), json!({ "web": clean, "web-test": clean }));

    // `verify --trace` finds a file that both the model and Nix leave out.
    let report: Value = serde_json::from_str(&succeed(&mut splitter(&nix, &["verify", "--trace", "--json"]))).unwrap();
    assert_eq!((&report["surprises"], &report["trace"]["missing"]), (&0.into(), &0.into()));
    configure(&nix, &json!({ "checks": ["test"], "workspaces": { "apps/web": { "exclude": ["src/index.ts"] } } }));
    let text = fail(&mut splitter(&nix, &["verify", "--trace"]));
    assert!(
        text.starts_with("exit: 1\n") && text.contains("agreed") && text.contains("missing   apps/web/src/index.ts"),
        "{text}"
    );
}
