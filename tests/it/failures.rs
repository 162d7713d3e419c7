//! The table of failures over the output of real tools: builds read it with JavaScript, `splitter build` with Rust.

use std::{collections::BTreeMap, fmt::Write as _, process::Command};

use camino::Utf8Path;
use fs_err as fs;
use serde_json::Value;
use splitter::diagnosis::Collector;

const PROGRAM: &str = r#"
import { readFileSync, readdirSync } from "node:fs";
const [, table, folder] = process.argv.slice(0, 3);
const { collector, explain } = await import(table);
const all = {};
for (const name of readdirSync(folder).sort()) {
  const found = collector();
  const text = readFileSync(`${folder}/${name}`, "utf8");
  // In pieces, as a pipe brings them.
  for (let at = 0; at < text.length; at += 7) found.add(text.slice(at, at + 7));
  const hits = found.end();
  all[name] = { hits: hits.map(({ id, parts }) => [id, Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined))]), words: explain(hits, "apps/web") };
}
console.log(JSON.stringify(all));
"#;

#[test]
fn javascript_and_rust_read_the_same_in_the_output_of_real_tools() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/failures");
    let table = format!("file://{root}/nix-templates/tools/failures.mjs");
    let program = PROGRAM.replace("process.argv.slice(0, 3)", "[0, process.argv.at(-2), process.argv.at(-1)]");
    let output = Command::new("node")
        .args(["--input-type=module", "--eval", &program, &table, folder.as_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of_node: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).unwrap();
    let mut table = String::new();
    for (name, of_node) in &of_node {
        let mut collector = Collector::default();
        fs::read_to_string(folder.join(name)).unwrap().lines().for_each(|line| collector.add(line));
        let hits: Vec<Value> = collector.hits().iter().map(|hit| serde_json::json!([hit.id, hit.parts])).collect();
        assert_eq!(of_node["hits"], Value::from(hits.clone()), "{name}");
        let shown: Vec<String> = hits.iter().map(|hit| format!("{} {}", hit[0].as_str().unwrap(), hit[1])).collect();
        writeln!(table, "{name}: {}", shown.join(" | ")).unwrap();
    }
    insta::assert_snapshot!("failures", table);
}

const OF_WORKSPACES: &str = r#"
import { mkdirSync, symlinkSync } from "node:fs";
const [tools, root] = process.argv.slice(-2);
const { collector, explain } = await import(`${tools}/failures.mjs`);
const { isWorkspace } = await import(`${tools}/run-command.mjs`);
mkdirSync(`${root}/packages/ui`, { recursive: true });
mkdirSync(`${root}/apps/web/node_modules/@acme`, { recursive: true });
mkdirSync(`${root}/apps/web/node_modules/copied`);
symlinkSync("../../../../packages/ui", `${root}/apps/web/node_modules/@acme/ui`);
const found = collector();
found.add("Error: Cannot find module '@acme/ui/dist/index.js'\nRequire stack:\n");
const isPresent = (name) => isWorkspace(name, [`${root}/apps/web`, root], root);
console.log(JSON.stringify([explain(found.end(), "apps/web", isPresent)[0], ["copied", "gone", "@acme/ui"].map(isPresent)]));
"#;

/// The log does not call a workspace missing if the build has it.
#[test]
fn a_workspace_that_the_build_has_is_not_called_missing() {
    let folder = tempfile::tempdir().unwrap();
    let tools = format!("{}/nix-templates/tools", env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", OF_WORKSPACES, "--", &tools]).arg(folder.path().join("source"));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (said, present): (String, Vec<bool>) = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        said.starts_with("perhaps because the build has the workspace of `@acme/ui/dist/index.js`, but not the file"),
        "{said}"
    );
    assert_eq!(present, [false, false, true]);
}
