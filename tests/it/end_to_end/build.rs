//! `splitter build` with a real Nix: why something is built, the causes of failed builds, and `--fix`.

use serde_json::Value;

use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, Project as _, run, succeed};

/// Runs `splitter build` with JSON.
fn json(nix: &NixMonorepo, args: &[&str]) -> Value {
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
    eprintln!("{output}");
    assert!(output.starts_with("exit: 0\n"), "{output}");
    for line in ["nodeModules: building: first build here", "web: building: first build here", "web: built in "] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    assert!(output.contains("  result-1\n"), "{output}");
    let output = run(&mut splitter(&nix, &["build"]));
    eprintln!("{output}");
    assert!(output.contains("api  unchanged  result\nweb  unchanged  result-1\n"), "{output}");
    context.write("packages/logger/src/index.ts", format!("{}// edited\n", context.read("packages/logger/src/index.ts")));
    let report = json(&nix, &["--no-link"]);
    eprintln!("{report:#}");
    let causes = ["packages/logger/src/index.ts changed (used by apps/web)"];
    assert_eq!(row(&report, "packages", "web")["causes"], serde_json::json!(causes));
    let output = run(&mut splitter(&nix, &["build", "nothing"]));
    eprintln!("{output}");
    // A version of a package.
    nix.monorepo.add("apps/web", "colour@1.2.0");
    succeed(&mut context.splitter(&["update-hash"]));
    let output = run(&mut splitter(&nix, &["build", "web", "-v"]));
    eprintln!("{output}");
    context.write("apps/web/src/index.ts", "import './missing';\nimport data from '../README.md';\nconsole.log(data)\n");
    let output = run(&mut splitter(&nix, &["build", "web"]));
    eprintln!("{output}");
}
