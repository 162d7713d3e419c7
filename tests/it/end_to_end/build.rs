//! `splitter build` with a real Nix: why something is built, the causes of failed builds, and `--fix`.

use serde_json::{Value, json};

use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, Project, YARN_VERSIONS, YarnMonorepo, run, succeed};

/// Runs `splitter build` with JSON.
fn report<P: Project>(nix: &NixMonorepo<P>, args: &[&str]) -> Value {
    let args = [&["build", "--json"], args].concat();
    let output = splitter(nix, &args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}\n{said}"))
}

fn row<'a>(report: &'a Value, list: &str, name: &str) -> &'a Value {
    let mut rows = report[list].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
fn e2e_build_says_why_and_what_is_built() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let output = run(&mut splitter(&nix, &["build"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    for line in [
        "nodeModules: building: first `splitter build` here",
        "web: building: first `splitter build` here",
        "web: built in ",
    ] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    assert!(output.contains("  result-1\n"), "{output}");
    let output = run(&mut splitter(&nix, &["build"]));
    assert!(output.contains("api  unchanged  result\nweb  unchanged  result-1\n"), "{output}");
    context
        .write("packages/logger/src/index.ts", format!("{}// edited\n", context.read("packages/logger/src/index.ts")));
    let report = report(&nix, &["--no-link"]);
    let causes = ["packages/logger/src/index.ts changed (used by apps/web)"];
    assert_eq!(row(&report, "packages", "web")["causes"], serde_json::json!(causes));
    let output = run(&mut splitter(&nix, &["build", "nothing"]));
    let known = "error: package `nothing` not found in the flake; it has api, deps, nodeModules, web\n";
    assert!(output.starts_with("exit: 2\n") && output.contains(known), "{output}");
    // A version of a package.
    nix.monorepo.add("apps/web", "colour@1.2.0");
    succeed(&mut context.splitter(&["update-hash"]));
    let output = run(&mut splitter(&nix, &["build", "web", "-v"]));
    for line in [
        "nodeModules: building: bun.lock changed, ",
        "web: building: apps/web/package.json changed, nodeModules is rebuilt\n",
        "web> Running phase: buildPhase\n",
    ] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    context
        .write("apps/web/src/index.ts", "import './missing';\nimport data from '../README.md';\nconsole.log(data)\n");
    let output = run(&mut splitter(&nix, &["build", "web"]));
    assert!(output.starts_with("exit: 1\n----- stdout\nweb  failed\n"), "{output}");
    for line in [
        "error: the build of web in apps/web failed\n",
        "  | error: Could not resolve: \"./missing\"\n",
        "cause: `apps/web/README.md` is not among the sources of this build: the rule `README.md` leaves it out\n",
        "hint: add to splitter.json: \"workspaces\": { \"apps/web\": { \"include\": [\"README.md\"] } }\n",
        "hint: git has no such file: ",
        "  the whole log: `nix log ",
    ] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    // A failed build is no last build, and `-q` prints only results and errors.
    context.write("apps/web/src/index.ts", "console.log(1)\n");
    let output = run(&mut splitter(&nix, &["build", "web", "-q"]));
    assert!(
        output.starts_with("exit: 0\n----- stdout\nweb  built in ") && output.ends_with("----- stderr\n"),
        "{output}"
    );
    the_history_has_all_of_it(&nix);
}

/// `splitter stats` gives the sums of the builds above, and asks the real Nix for the store.
fn the_history_has_all_of_it(nix: &NixMonorepo) {
    let stats = |args: &[&str]| {
        let mut command = nix.context().splitter(&[&["stats"], args].concat());
        succeed(command.env("SPLITTER_NIX", &nix.nix.program).envs(nix.nix.environment(nix.context())))
    };
    let sums: Value = serde_json::from_str(&stats(&["--json"])).unwrap();
    assert_eq!((&sums["runs"], &sums["failedRuns"]), (&json!(6), &json!(1)), "{sums:#}");
    let web = row(&sums, "packages", "web");
    assert_eq!((&web["built"], &web["unchanged"], &web["failed"]), (&json!(4), &json!(1), &json!(1)), "{web:#}");
    let api = row(&sums, "packages", "api");
    assert_eq!((&api["built"], &api["unchanged"], &api["failed"]), (&json!(2), &json!(1), &json!(0)), "{api:#}");
    assert!(web["closures"][0]["size"].as_u64().unwrap() > 0, "{web:#}");
    let web = row(&sums, "builds", "web");
    assert_eq!(
        (&web["times"]["count"], &web["failed"], &web["kind"]),
        (&json!(4), &json!(1), &json!("app")),
        "{web:#}"
    );
    let edit = "packages/logger/src/index.ts changed (used by apps/web)";
    let causes = sums["causes"].as_array().unwrap();
    assert!(causes.iter().any(|cause| cause["cause"] == edit && cause["names"] == json!(["web"])), "{causes:#?}");
    let text = stats(&["--store", "--record"]);
    assert!(text.contains("; a garbage collection would free "), "{text}");
    let metrics = stats(&["--prometheus"]);
    assert!(metrics.contains("splitter_store_bytes{part=\"all\"} "), "{metrics}");
}

/// Sets the build command of `web`, and other keys of `splitter.json` for it.
fn set_build(nix: &NixMonorepo, command: &str) {
    nix.context().write("splitter.json", json!({ "workspaces": { "apps/web": { "build": command } } }).to_string());
    succeed(&mut nix.context().splitter(&["update-hash"]));
    nix.context().git(&["add", "--all"]);
}

/// Builds `web` with a command that fails, and returns the causes: the name, what it says, and the lines that mend it.
fn causes(nix: &NixMonorepo, command: &str) -> Vec<String> {
    set_build(nix, command);
    let report = report(nix, &["web", "--no-link"]);
    assert_eq!(report["built"], false, "{command}: {report:#}");
    let failures = report["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{command}: {report:#}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cause = |cause: &Value| {
        let settings: Vec<String> = cause["settings"].as_array().unwrap().iter().map(text).collect();
        format!(
            "{}: {} | {}",
            text(&cause["id"]),
            text(&cause["says"]),
            if settings.is_empty() { text(&cause["hint"]) } else { settings.join(" ") }
        )
    };
    let causes: Vec<String> = failures[0]["causes"].as_array().unwrap().iter().map(cause).collect();
    causes
}

/// A command that prints a program. splitter does not find what it imports, as in a program that a tool makes.
const HIDDEN: &str = r#"printf 'import text from "../READ%s" with { type: "text" }; import { a } from "../src/new"; import { stamp } from "@acme/%s/lib"; console.log(text, a, stamp);' ME.md stamp"#;

/// What Nix says of the last build.
fn said(nix: &NixMonorepo) -> String {
    run(&mut nix.build_command("web"))
}

#[test]
fn e2e_build_names_the_cause_of_a_failure() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("docs/x.md", "x\n");
    context.write(".nvmrc", "16\n");
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"]["prepare"] = "mkdir -p generated && echo generated > generated/a.txt".into();
    });
    context.write("apps/web/nothing.ts", "import 'nothing-such';\n");
    let copy = |from: &str| format!("mkdir dist && cp {from} dist/");
    let node = |program: &str| format!("node -e '{program}'");
    for (command, expected) in [
        (copy("$(echo README).md"), r#"file: `apps/web/README.md` is not among the sources of this build: the rule `README.md` leaves it out | "workspaces": { "apps/web": { "include": ["README.md"] } }"#),
        (copy("../../$(echo docs)/x.md"), r#"file: `docs/x.md` is not among the sources of this build: it is in no workspace, and nothing that splitter reads names it | "workspaces": { "apps/web": { "rootFiles": ["docs/x.md"] } }"#),
        ("printf 'import \"@acme/%s/bin.js\"' stamp > gen.ts && bun build gen.ts --outdir dist".to_owned(), r#"| "workspaces": { "apps/web": { "uses": ["packages/stamp"] } }"#),
        ("stamp web".to_owned(), r#"command: `stamp` is a command of `packages/stamp`, which apps/web/package.json does not name | add "@acme/stamp": "workspace:*""#),
        (copy("generated/a.txt"), r#"scripts: prepare of `apps/web` did not run, and the build lacks something that git does not have | "workspaces": { "apps/web": { "ownScripts": ["prepare"] } }"#),
        ("bun build nothing.ts --outdir dist".to_owned(), "module: `nothing-such` is not among the sources and packages of this build | no workspace and no package in bun.lock is called `nothing-such`: add it to apps/web/package.json"),
        (node("fetch(\"https://api.example\")"), "network: a build has no network | "),
        ("git rev-parse HEAD".to_owned(), "git: a build has no git repository and no git | pass what it reads from git as a variable of this app (`apps.web.env`)"),
        ("acme-gen".to_owned(), "command: the command `acme-gen` is not there"),
        (node("process.stdin.setRawMode(true)"), "terminal: a tool asks a question"),
        ("node --max-old-space-size=20 -e 'const a = []; for (;;) a.push({ a: [a.length] })'".to_owned(), "memory: the build ran out of memory"),
        ("mkdir -p made types && touch made/a.js".to_owned(), "output: the build did not create `dist`, but made, types"),
        ("mkdir -p made && touch made/a.js".to_owned(), r#"output: the build did not create `dist`, but made | if that is the output, write in splitter.json: "workspaces": { "apps/web": { "output": "made" } }"#),
        ("echo > node_modules/host/cache.txt".to_owned(), r#"| "workspaces": { "apps/web": { "nodeModules": "copy" } }"#),
        ("echo 'int x(void){return 1;}' > x.c && gcc -shared -fPIC -o libx.so.42 -Wl,-soname,libx.so.42 x.c && echo 'int x(void); int main(void){return x();}' > m.c && gcc -o m m.c ./libx.so.42 && rm libx.so.42 && ./m".to_owned(), "library: a native library is missing"),
        (node("require(\"crypto\").createHash(\"md4\")"), "openssl: "),
    ] {
        let found = causes(&nix, &command);
        assert!(found.first().is_some_and(|cause| cause.contains(expected)), "{command}: {found:#?}\n{}", said(&nix));
    }
    // The end of the log of a bare `nix build` says what the derivation can know.
    set_build(&nix, &node("fetch(\"https://api.example\")"));
    let said = said(&nix);
    assert!(
        said.contains("web>   perhaps because a build has no network: ")
            && said.contains("docs/troubleshooting.md#no-network)\n"),
        "{said}"
    );
    // Copies mend it, and nothing else changes.
    set_build(&nix, "echo > node_modules/host/cache.txt && mkdir dist && touch dist/a");
    let report = report(&nix, &["web", "--fix", "--no-link"]);
    assert_eq!(report["built"], true, "{report:#}");
    assert_eq!(report["changes"].as_array().unwrap().len(), 1, "{report:#}");
    assert!(context.read("splitter.json").contains(r#""nodeModules": "copy""#));
}

#[test]
fn e2e_build_fix_writes_lines_until_all_is_built() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("docs/x.md", "x\n");
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"]["prepare"] = "mkdir -p generated && echo generated > generated/a.txt".into();
        manifest["scripts"]["build"] =
            format!("mkdir gen && {HIDDEN} > gen/main.ts && bun build gen/main.ts --outdir dist --target node && cat ../../$(echo docs)/x.md && cp generated/a.txt ../../made.txt dist/").into();
    });
    context.edit_manifest("package.json", |manifest| {
        manifest["scripts"]["postinstall"] = "cp tsconfig.json made.txt".into();
    });
    context.write("bunfig.toml", "[install]\nlinker = \"hoisted\"\n");
    context.write("packages/stamp/lib.ts", "export const stamp = 1;\n");
    context.write("splitter.json", "{\n  // mine\n  \"workspaces\": {}\n}\n");
    context.commit_all("a web that misses files");
    context.write("apps/web/src/new.ts", "export const a = 1;\n");
    succeed(&mut context.splitter(&["update-hash"]));
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    for line in [
        r#"+ "workspaces": { "apps/web": { "include": ["README.md"] } }"#,
        "    `apps/web/README.md` is not among the sources of this build: the rule `README.md` leaves it out",
        "+ git add --intent-to-add apps/web/src/new.ts",
        r#"+ "workspaces": { "apps/web": { "ownScripts": ["prepare"] } }"#,
        r#"+ "workspaces": { "apps/web": { "uses": ["packages/stamp"] } }"#,
        r#"+ "workspaces": { "apps/web": { "rootFiles": ["docs/x.md"] } }"#,
        r#"+ "workspaces": { "apps/web": { "rootScripts": ["postinstall"] } }"#,
    ] {
        assert_eq!(output.matches(line).count(), 1, "{line} in\n{output}");
    }
    insta::assert_snapshot!(context.read("splitter.json"), @r#"
    {
      // mine
      "workspaces": {
        "apps/web": {
          "include": ["README.md"],
          "uses": ["packages/stamp"],
          "rootFiles": ["docs/x.md"],
          "ownScripts": ["prepare"],
          "rootScripts": ["postinstall"]
        }
      }
    }
    "#);
    // Nothing is left to do, and the record is fresh.
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.contains("web  unchanged  result\n") && !output.contains("\n+ "), "{output}");
    succeed(&mut context.splitter(&["check"]));
    // Without a link to it, the workspace is among the sources and still not found: that line is taken back.
    context.write("bunfig.toml", "[install]\nlinker = \"isolated\"\n");
    context.git(&["checkout", "--quiet", "splitter.json"]);
    succeed(&mut context.splitter(&["update-hash"]));
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.starts_with("exit: 1\n"), "{output}");
    assert!(
        output
            .contains("- \"workspaces\": { \"apps/web\": { \"uses\": [\"packages/stamp\"] } }\n    it did not help\n"),
        "{output}"
    );
    assert!(
        output.contains(r#"hint: add "@acme/stamp": "workspace:*" to `dependencies` of apps/web/package.json"#),
        "{output}"
    );
    assert!(context.read("splitter.json").contains("README.md") && !context.read("splitter.json").contains("uses"));
    succeed(&mut context.splitter(&["check"]));
    // A fault that no line mends ends it, and no line is written twice.
    context.edit_manifest("apps/web/package.json", |manifest| manifest["scripts"]["build"] = "cat nowhere.txt".into());
    context.write("splitter.json", "{}");
    succeed(&mut context.splitter(&["update-hash"]));
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"].as_object_mut().unwrap().remove("prepare");
    });
    context.edit_manifest("package.json", |manifest| {
        manifest["scripts"].as_object_mut().unwrap().remove("postinstall");
    });
    let before = context.read("splitter.json");
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(
        output.starts_with("exit: 1\n") && output.contains("no line of splitter.json is known to mend this"),
        "{output}"
    );
    assert_eq!(context.read("splitter.json"), before);
}

/// A command that says nothing of the file that it misses is built again under strace.
#[test]
fn e2e_build_fix_finds_what_no_log_names() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("docs/x.md", "x\n");
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] = format!("{build} && test -f ../../$(echo docs)/x.md").into();
    });
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("a web that misses a file without a word");
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    assert!(output.contains(r#"+ "workspaces": { "apps/web": { "rootFiles": ["docs/x.md"] } }"#), "{output}");
}

#[test]
fn e2e_build_names_the_node_that_the_repository_wants() {
    let Some(monorepo) = YarnMonorepo::with_yarn(YARN_VERSIONS[0]) else { return };
    monorepo.context.edit_manifest("apps/web/package.json", |manifest| manifest["engines"] = json!({ "node": "16.x" }));
    monorepo.context.write(".nvmrc", "16\n");
    monorepo.context.commit_all("an old Node.js");
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let report = report(&nix, &["web", "--no-link"]);
    let cause = &report["failures"][0]["causes"][0];
    let says = "a tool wants another version of Node.js (engines.node of apps/web/package.json wants Node.js 16.x)";
    assert_eq!(cause["says"], says, "{report:#}");
    assert_eq!(cause["hint"], "set `nodejs = pkgs.nodejs_16;` in flake.nix, if your nixpkgs has that version");
}

#[test]
fn e2e_build_fix_works_right_after_init() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.git(&["rm", "--cached", "-r", "--quiet", "flake.nix", "nix"]);
    let output = run(&mut splitter(&nix, &["build", "web"]));
    assert!(output.starts_with("exit: 2\n"), "{output}");
    for line in [
        "error: git does not track flake.nix, nix/splitter, so Nix does not see them\n",
        "hint: run `git add --intent-to-add flake.nix nix/splitter` (it stages no content)\n",
    ] {
        assert!(output.contains(line), "{output}");
    }
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"]["build"] = "mkdir dist && cp $(echo README).md dist/".into();
    });
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    for line in ["+ git add --intent-to-add flake.nix nix/splitter\n", "+ git add --intent-to-add splitter.json\n"] {
        assert!(output.contains(line), "{output}");
    }
    // A stale record: `--fix` updates it, and without it nothing is built.
    context.write(
        "splitter.json",
        json!({ "workspaces": { "apps/web": { "build": "mkdir dist && touch dist/b" } } }).to_string(),
    );
    let output = run(&mut splitter(&nix, &["build", "web"]));
    assert!(output.starts_with("exit: 2\n") && output.contains("splitter update-hash"), "{output}");
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
}

/// The entry point of a workspace is made by a script of the root. The line that runs the script stays, although the next failure
/// has the same warning in its log, and a trace finds what that one lacks.
#[test]
fn e2e_build_fix_runs_the_script_that_makes_an_entry_point() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("docs/x.md", "x\n");
    context.write(".gitignore", format!("{}\n.gen\n", context.read(".gitignore")));
    context.edit_manifest("packages/logger/package.json", |manifest| {
        manifest["exports"] = json!({ ".": "./src/index.ts", "./gen": "./.gen/i.ts" });
    });
    context.edit_manifest("package.json", |manifest| {
        let made = "mkdir -p packages/logger/.gen && echo 'export const made = 1;' > packages/logger/.gen/i.ts";
        manifest["scripts"]["postinstall"] = made.into();
    });
    context.write("apps/web/src/index.ts", "import { made } from '@acme/logger/gen';\nconsole.log(made)\n");
    let warning =
        "error Could not open cafile: ENOENT: no such file or directory, open '/etc/ssl/certs/ca-certificates.crt'";
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] =
            format!("echo \"{warning}\" && {build} && test -f ../../$(echo docs)/x.md").into();
    });
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("an entry point that a script makes");
    let output = run(&mut splitter(&nix, &["build", "web", "--fix"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    for line in [
        r#"+ "workspaces": { "apps/web": { "rootScripts": ["postinstall"] } }"#,
        "git does not have `packages/logger/.gen/i.ts`, the entry point of `packages/logger` for `@acme/logger/gen`",
        r#"+ "workspaces": { "apps/web": { "rootFiles": ["docs/x.md"] } }"#,
    ] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    assert!(!output.contains("it did not help") && !output.contains("ca-certificates.crt` is not"), "{output}");
}
