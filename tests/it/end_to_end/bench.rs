//! `splitter bench` with a real Nix: its numbers are those of Nix's log, and it changes neither the store nor the work tree.

use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Value, json};

use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, succeed};

/// Makes a `nix` that keeps what the real one prints to stderr, with the other programs of Nix beside it.
fn noting_nix(nix: &NixMonorepo, folder: &Utf8Path) {
    fs::create_dir_all(folder.join("logs")).unwrap();
    let real = nix.nix.program.canonicalize().unwrap();
    let real_store = real.with_file_name("nix-store");
    fs::os::unix::fs::symlink(real_store, folder.join("nix-store")).unwrap();
    let script = format!(
        "#!/bin/sh\nlog={folder}/logs/$$\n'{}' \"$@\" 2>\"$log\"\ncode=$?\ncat \"$log\" >&2\nexit $code\n",
        real.display()
    );
    fs::write(folder.join("nix"), script).unwrap();
    fs::set_permissions(folder.join("nix"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Counts the builds in the logs of all runs.
fn builds_in(logs: &Utf8Path) -> usize {
    let text = |entry: std::io::Result<fs::DirEntry>| fs::read_to_string(entry.unwrap().path()).unwrap();
    let is_build = |line: &&str| {
        let event = line.strip_prefix("@nix ").and_then(|json| serde_json::from_str::<Value>(json).ok());
        event.is_some_and(|event| event["action"] == "start" && event["type"] == 105)
    };
    fs::read_dir(logs).unwrap().map(|entry| text(entry).lines().filter(is_build).count()).sum()
}

fn names(folder: &Utf8Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // Nix makes `.links` in every store.
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// Returns the names of what a side built, without versions.
fn built(report: &Value, scenario: &str, side: &str) -> Vec<String> {
    let row = report["rows"].as_array().unwrap().iter().find(|row| row["scenario"] == scenario).unwrap();
    let names = row[side]["built"].as_array().unwrap_or_else(|| panic!("{scenario} {side} in {report:#}"));
    names
        .iter()
        .map(|name| {
            name.as_str().unwrap().trim_end_matches(|c: char| c == '-' || c == '.' || c.is_ascii_digit()).to_owned()
        })
        .collect()
}

#[test]
fn e2e_bench_measures_what_nix_built() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let folder = context.folder("noting");
    noting_nix(&nix, &folder);
    let store = context.folder("nix/store");
    let (status, paths) = (context.git(&["status", "--porcelain"]), names(&store));
    let report = context.folder("bench.json");
    let page = context.folder("bench.html");
    let args = ["bench", "web", "--quick", "--report", report.as_str(), "--report", page.as_str()];
    let mut command = splitter(&nix, &args);
    let table = succeed(command.env("SPLITTER_NIX", folder.join("nix")));
    assert!(table.contains("App edit") && table.contains('×'), "{table}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(
        (&report["version"], &report["runs"], &report["repository"]["built"]),
        (&1.into(), &1.into(), &json!(["web"]))
    );
    // The usual build is one derivation, and every edit builds it again.
    for scenario in ["cold", "app-edit", "readme-edit"] {
        assert_eq!(built(&report, scenario, "unsplit"), ["unsplit-web"], "{scenario}");
    }
    assert!(built(&report, "cold", "split").contains(&"node-modules".to_owned()), "{report:#}");
    assert_eq!(built(&report, "app-edit", "split"), ["web"]);
    for (scenario, side) in [("readme-edit", "split"), ("no-change", "split"), ("no-change", "unsplit")] {
        assert_eq!(built(&report, scenario, side), [""; 0], "{scenario} {side}");
    }
    let all = report["rows"].as_array().unwrap().iter().flat_map(|row| [&row["split"], &row["unsplit"]]);
    let counted: usize = all.map(|side| side["built"].as_array().unwrap().len()).sum();
    assert_eq!(counted, builds_in(&folder.join("logs")));
    assert!(fs::read_to_string(page).unwrap().contains("<h2>Where the time went</h2>"));
    // Nothing is left, and nothing else changed.
    assert_eq!((context.git(&["status", "--porcelain"]), names(&store)), (status, paths));
    assert_eq!(names(&context.home().join(".cache/splitter/bench")), [""; 0]);
    assert_eq!(names(&context.folder("tmp")), [""; 0]);
}
