//! `splitter size`, with a real Nix: what a package needs to run, which file holds it, budgets and the comparison of commits.

use serde_json::Value;

use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, fail, run, stand_in::system, succeed};

/// Adds a package to the flake, whose files hold `nodeModules` twice, and `more`.
fn with_tool(nix: &NixMonorepo, more: &str) {
    let flake = nix.context().read("flake.nix");
    let start = flake.find("      packages = ").unwrap();
    let end = flake.find("      legacyPackages = ").unwrap();
    let packages = format!(
        r#"      packages = nixpkgs.lib.genAttrs systems (
        system:
        let
          split = splitterFor system;
        in
        split.outputs.packages
        // {{
          tool = nixpkgs.legacyPackages.${{system}}.runCommand "tool" {{ }} ''
            mkdir -p $out/lib
            echo "require('${{split.nodeModules}}/x')" > $out/lib/server.js
            ln -s ${{split.nodeModules}} $out/modules
            echo nothing > $out/plain.txt
            {more}
          '';
        }}
      );
"#
    );
    nix.context().write("flake.nix", format!("{}{packages}{}", &flake[..start], &flake[end..]));
}

fn json(nix: &NixMonorepo, args: &[&str]) -> Value {
    serde_json::from_str(&succeed(&mut splitter(nix, args))).unwrap()
}

fn package<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut packages = report["packages"].as_array().unwrap().iter();
    packages.find(|package| package["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
fn e2e_size_names_the_file_that_holds_a_reference() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    with_tool(&nix, "");
    nix.context().commit_all("a tool");
    // Before anything is built.
    let output = run(&mut splitter(&nix, &["size", "--no-build", "tool"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    assert!(output.contains("not in the store, so not measured: tool"), "{output}");
    let report = json(&nix, &["size", "tool", "--json"]);
    assert_eq!((&report["version"], &report["system"]), (&1.into(), &system().into()));
    let tool = package(&report, "tool");
    let path = tool["path"].as_str().unwrap();
    assert_eq!(path, nix.build("tool"));
    let modules = nix.build("nodeModules");
    let references = tool["references"].as_array().unwrap();
    let reference = references.iter().find(|reference| reference["path"] == modules.as_str()).unwrap();
    assert_eq!(reference["files"], serde_json::json!(["lib/server.js", "modules"]), "{report:#}");
    assert_eq!(reference["fileCount"], 2);
    // Nix's own numbers.
    let info = succeed(&mut nix.nix(&["path-info", "--json", "--json-format", "2", "--closure-size", path]));
    let info: Value = serde_json::from_str(&info).unwrap();
    let info = info["info"].as_object().unwrap().values().next().unwrap();
    assert_eq!((&tool["closureSize"], &tool["ownSize"]), (&info["closureSize"], &info["narSize"]));
    let parts = tool["parts"].as_array().unwrap();
    let needed = succeed(&mut nix.nix(&["path-info", "--recursive", path]));
    assert_eq!(parts.len(), needed.lines().count());
    // Every part but the output comes from a file.
    let text = succeed(&mut splitter(&nix, &["size", "tool"]));
    for words in ["package", "closure", "own files", "held by", "(own files)", "lib/server.js, modules"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let output = run(&mut splitter(&nix, &["size", "tool", "--no-build"]));
    assert!(output.contains("lib/server.js, modules") && !output.contains("not in the store"), "{output}");
    // All apps and installs, which are the packages of splitter itself. Nothing else is built now.
    let report = json(&nix, &["size", "--json"]);
    for name in ["api", "web", "nodeModules"] {
        assert!(package(&report, name)["closureSize"].as_u64().unwrap() > 0);
    }
    assert!(report["packages"].as_array().unwrap().iter().all(|package| package["name"] != "deps"));
    assert_eq!(package(&report, "web")["workspace"], "apps/web");
    assert_eq!(nix.context().git(&["status", "--porcelain"]), "", "size changes nothing in the repository");
}

#[test]
fn e2e_size_compares_commits_and_keeps_budgets() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    with_tool(&nix, "");
    context.commit_all("a tool");
    let extra = r#"runCommand "extra-1.0" { } "head -c 2000000 /dev/zero > $out""#;
    let more = format!(
        "head -c 3000000 /dev/zero > $out/large; echo ${{nixpkgs.legacyPackages.${{system}}.{extra}}} > $out/extra.txt"
    );
    with_tool(&nix, &more);
    context.commit_all("a large file, and another reference");
    // What lies in the working tree does not count.
    context.write("flake.nix", "broken: nixpkgs");
    let report = json(&nix, &["size", "tool", "HEAD~1..HEAD", "--json"]);
    let tool = package(&report, "tool");
    let grown = tool["closureSize"].as_u64().unwrap() - tool["before"]["closureSize"].as_u64().unwrap();
    assert!((5_000_000..5_002_000).contains(&grown), "{report:#}");
    let changes: Vec<_> = tool["changes"].as_array().unwrap().iter().map(|change| &change["name"]).collect();
    assert_eq!(changes, [&Value::Null, &"extra".into()]);
    assert_eq!(tool["changes"][1]["before"], Value::Null);
    assert_eq!(report["from"]["name"], "HEAD~1");
    let text = succeed(&mut splitter(&nix, &["size", "tool", "--from", "HEAD~1", "--to", "HEAD"]));
    let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in ["tool: +5.0 MB", "+3.0 MB <0.1 MB 3.0 MB (own files)", "+2.0 MB - 2.0 MB extra extra.txt"] {
        assert!(lines.iter().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert_eq!(context.git(&["status", "--porcelain"]), " M flake.nix", "size changes nothing in the repository");
    context.git(&["checkout", "--quiet", "flake.nix"]);

    // A budget is kept.
    context.write("splitter.json", r#"{ "sizeBudget": { "tool": "900 MB" } }"#);
    let report = json(&nix, &["size", "tool", "--json"]);
    assert_eq!(
        (&package(&report, "tool")["budget"], &report["overBudget"]),
        (&900_000_000.into(), &Value::Array(vec![]))
    );
    // And exceeded: the largest parts are named, or what grew.
    context.write("splitter.json", r#"{ "sizeBudget": { "tool": "2 MB" } }"#);
    let output = fail(&mut splitter(&nix, &["size", "tool", "--quiet"]));
    assert!(output.starts_with("exit: 1\n"), "{output}");
    assert!(output.contains("over budget: tool has") && output.contains("its budget of 2.0 MB"), "{output}");
    assert!(output.contains("largest parts: "), "{output}");
    let output = fail(&mut splitter(&nix, &["size", "tool", "--from", "HEAD~1"]));
    assert!(output.contains("grew: (own files) +3.0 MB, extra +2.0 MB"), "{output}");
    let output = fail(&mut splitter(&nix, &["size", "tool", "--json"]));
    assert!(output.contains(r#""overBudget": true"#), "{output}");
    // A workspace has its own.
    context.write("splitter.json", r#"{ "workspaces": { "apps/web": { "sizeBudget": "1 B" } } }"#);
    let output = fail(&mut splitter(&nix, &["size", "web"]));
    assert!(output.contains("over budget: web has"), "{output}");

    // Wrong names.
    context.write("splitter.json", r#"{ "sizeBudget": { "tol": "2 MB" } }"#);
    let output = fail(&mut splitter(&nix, &["size", "tool"]));
    assert!(output.starts_with("exit: 2\n") && output.contains("`sizeBudget` has the package `tol`"), "{output}");
    context.remove("splitter.json");
    let output = fail(&mut splitter(&nix, &["size", "tol"]));
    assert!(
        output.starts_with("exit: 2\n") && output.contains("package `tol` not found in the flake; it has api,"),
        "{output}"
    );
    let output = fail(&mut splitter(&nix, &["size", "a..b", "--from", "c"]));
    assert!(output.contains("expected one range of commits, found `c` and `a..b`"), "{output}");
}
