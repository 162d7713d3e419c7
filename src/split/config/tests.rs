//! Reading `splitter.json`.

use super::*;
use crate::diagnostic::Diagnose;

#[test]
fn all_choices_are_read() {
    let config = parse(
        r#"{
          "$schema": "x", // comments and trailing commas are fine
          "systems": ["x86_64-linux", "aarch64-darwin", "x86_64-linux"],
          "rootFiles": ["babel.config.js"],
          "scripts": ["sharp", "@scope/a@1.0.0"],
          "hook": { "update": true },
          "workspaces": { "apps/web": { "kind": "app", "app": "site", "build": "bun run make", "output": "out/",
            "start": "./a.ts", "include": ["test/fixtures/**"], "exclude": ["*.md"] }, },
        }"#,
    )
    .unwrap();
    assert_eq!(config.systems, [System::Aarch64Darwin, System::X8664Linux]);
    assert!(config.hook_updates && !parse("{}").unwrap().hook_updates);
    let web = &config.workspaces["apps/web"];
    assert_eq!(
        (web.kind, web.output.as_slice(), web.start.as_deref()),
        (Some(Kind::App), ["out".to_owned()].as_slice(), Some("./a.ts"))
    );
    assert_eq!(config.root_files[0].as_str(), "babel.config.js");
    assert!(config.scripts.iter().eq(["@scope/a@1.0.0", "sharp"]));
}

#[test]
fn caches_are_addresses_with_or_without_keys() {
    let key = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
    let text = format!(
        r#"{{ "caches": ["cachix:acme", {{ "cache": "https://c.example", "publicKeys": ["{key}"], "push": false }}] }}"#
    );
    let caches = parse(&text).unwrap().caches;
    assert_eq!(
        caches.iter().map(|cache| cache.address.to_string()).collect::<Vec<_>>(),
        ["cachix:acme", "https://c.example"]
    );
    assert_eq!(
        caches.iter().map(|cache| (cache.push, cache.public_keys.len())).collect::<Vec<_>>(),
        [(true, 0), (false, 1)]
    );
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../../docs/splitter.schema.json")).unwrap();
    let keys = |pointer: &str| -> Vec<String> {
        schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        keys("/properties"),
        [
            "$schema",
            "apps",
            "buildBudget",
            "caches",
            "checks",
            "default",
            "downloads",
            "hook",
            "imageBudget",
            "input",
            "install",
            "knownDifferences",
            "lint",
            "processes",
            "rootFiles",
            "scripts",
            "services",
            "sizeBudget",
            "systems",
            "workspaces"
        ]
    );
    for key in keys("/$defs/workspace/properties") {
        let value = match key.as_str() {
            "uses" | "rootFiles" | "include" | "exclude" | "checks" | "ownScripts" | "rootScripts" => "[\"a\"]",
            "nodeModules" => "\"copy\"",
            "install" => "\"own\"",
            "exposes" => "\"output\"",
            "runtime" => "{}",
            "publish" => "true",
            "sizeBudget" | "imageBudget" => "\"1 MB\"",
            _ => "\"app\"",
        };
        assert!(parse(&format!("{{\"workspaces\": {{\"a\": {{\"{key}\": {value}}}}}}}")).is_ok(), "{key}");
    }
    assert_eq!(keys("/$defs/workspace/properties").len(), 19);
    for (key, value) in [("install", "\"none\""), ("files", "[\"views/**\"]"), ("directory", "\"workspace\"")] {
        assert!(
            parse(&format!("{{\"workspaces\": {{\"a\": {{\"runtime\": {{\"{key}\": {value}}}}}}}}}")).is_ok(),
            "{key}"
        );
    }
    assert_eq!(keys("/$defs/workspace/properties/runtime/properties"), ["directory", "files", "install"]);
}

#[test]
fn wrong_choices_are_refused_with_their_place() {
    let error = |text: &str| {
        let error = parse(text).unwrap_err();
        format!("{}: {error}", error.location().unwrap())
    };
    assert_eq!(
        error("{\"app\": {}}"),
        "splitter.json:1:2: expected `systems`, `apps`, `default`, `checks`, `install`, `input`, `rootFiles`, `scripts`, `downloads`, `sizeBudget`, `imageBudget`, `buildBudget`, `knownDifferences`, `services`, `processes`, `caches`, `lint`, `hook` or \
         `workspaces`, found the key \"app\""
    );
    assert_eq!(
        error("{\"systems\": [\"riscv64-linux\"]}"),
        "splitter.json:1:14: expected aarch64-darwin, aarch64-linux, x86_64-darwin or x86_64-linux, \
         found the string \"riscv64-linux\""
    );
    assert!(error("{\"install\": \"all\"}").contains("expected \"shared\", \"own\" or \"production\""));
    assert!(error("{\"hook\": {\"update\": 1}}").contains("expected true or false"));
    assert!(error("{\"sizeBudget\": {\"a\": \"9\"}}").contains("expected a size, such as `200 MB`, found"));
    assert!(error("{\"knownDifferences\": {\"web\": [\"[\"]}}").contains("expected a glob of files in the output"));
    assert!(error("{\"knownDifferences\": {\"web\": [\"/a\"]}}").contains("expected a glob of files in the output"));
    assert!(error("{\"knownDifferences\": {\"web\": \"a\"}}").contains("expected an array"));
    assert!(error("{\"imageBudget\": {}}").contains("expected a"));
    for text in ["{\"time\": 0}", "{\"time\": \"x\"}", "{\"cacheHits\": 1.5}", "{\"closureSize\": 1e999}"] {
        assert!(error(&format!("{{\"buildBudget\": {text}}}")).contains("expected a number"), "{text}");
    }
    assert!(error("{\"buildBudget\": {\"size\": 1}}").contains("expected `time`, `closureSize` or `cacheHits`"));
    assert!(error("{\"imageBudget\": \"9\"}").contains("expected a size, such as `200 MB`, found"));
    assert_eq!(
        error("{\"caches\": [\"acme\"]}"),
        "splitter.json:1:13: expected the address of a cache: `cachix:NAME`, `attic:SERVER/NAME`, or a URL of https, http, s3, \
         file or ssh-ng, found `acme`"
    );
    for (value, found) in [
        ("[\"https://u:geheim@h.example\"]", "found an address with a secret"),
        ("[\"file:///a?secret-key=geheim\"]", "found an address with a secret"),
        ("[{\"cache\": \"cachix:a\", \"publicKeys\": [\"geheim\"]}]", "found another text"),
        ("[\"ssh-ng://h?remote-program=x\"]", "expected a machine without parameters"),
        ("[{\"push\": true}]", "found an object without it"),
        ("[{\"cache\": \"cachix:a\", \"pull\": 1}]", "expected `cache`, `publicKeys` or `push`"),
        ("[\"cachix:a\", {\"cache\": \"cachix:a\"}]", "expected each cache once"),
        ("{}", "expected a"),
    ] {
        let error = error(&format!("{{\"caches\": {value}}}"));
        assert!(error.contains(found) && !error.contains("geheim"), "{error}");
    }
    assert!(error("{\"scripts\": [\"*\"]}").contains("the name of a package"));
    assert!(error("{\"workspaces\": {\"../x\": {}}}").ends_with("(path leaves the repository)"));
    assert!(error("{\"workspaces\": {\"x\": {\"app\": \"a.b\"}}}").contains("a name of letters"));
    assert!(
        error("{\"workspaces\": {\"x\": {\"include\": [\"a{b\"]}}}")
            .contains("braces have no comma, or are not closed")
    );
    assert_eq!(
        error("{\"workspaces\": {\"apps/x\": {}, \"./apps/x/\": {}}}"),
        "splitter.json:1:31: expected one key for each workspace, found the key \"./apps/x/\", a second one for `apps/x`"
    );
    assert!(error("{\"workspaces\": {\"x\": {\"kind\": \"tool\"}}}").contains("\"app\" or \"library\""));
    assert!(error("{\"workspaces\": {\"x\": {\"nodeModules\": true}}}").contains("expected a string"));
}

/// The choices for one workspace.
fn workspace_of(choices: &str) -> WorkspaceConfig {
    parse(&format!("{{\"workspaces\": {{\"a\": {choices}}}}}")).unwrap().workspaces.remove("a").unwrap()
}

/// Why choices for one workspace are refused.
fn refusal(choices: &str) -> String {
    parse(&format!("{{\"workspaces\": {{\"a\": {choices}}}}}")).unwrap_err().to_string()
}

#[test]
fn a_build_is_a_command_or_none() {
    assert_eq!(workspace_of("{}").build, BuildChoice::Detected);
    assert_eq!(workspace_of(r#"{"build": null}"#).build, BuildChoice::None);
    assert_eq!(workspace_of(r#"{"build": "make"}"#).build, BuildChoice::Command("make".to_owned()));
    let expected = "expected a command, or null for a workspace that is not built, found the string";
    assert_eq!(refusal(r#"{"build": ""}"#), format!(r#"{expected} """#));
    assert_eq!(refusal(r#"{"build": "  "}"#), format!(r#"{expected} "  ""#));
    assert!(refusal(r#"{"build": false}"#).contains("expected a string"));
}

#[test]
fn outputs_are_one_path_or_a_list() {
    assert_eq!(workspace_of(r#"{"output": "./lib/"}"#).output, ["lib"]);
    assert_eq!(workspace_of(r#"{"output": ["dist/client", "dist/server"]}"#).output, ["dist/client", "dist/server"]);
    assert!(refusal(r#"{"output": []}"#).starts_with("expected a folder, or a list of folders, found"));
    assert!(refusal(r#"{"output": ["../lib"]}"#).contains("leaves the repository"));
    assert!(refusal(r#"{"output": [1]}"#).contains("expected a string"));
    assert!(refusal(r#"{"output": null}"#).contains("expected a string"));
}

#[test]
fn a_start_is_a_file_or_a_command() {
    let command = "node --import ./pre.js src/server.ts";
    assert_eq!(workspace_of(&format!(r#"{{"start": "{command}"}}"#)).start.as_deref(), Some(command));
    assert!(refusal(r#"{"start": ""}"#).starts_with("expected a file or a command, such as `src/server.ts`, found"));
}

#[test]
fn what_a_program_runs_with_is_read() {
    let runtime =
        workspace_of(r#"{"runtime": {"install": "own", "files": ["views/**"], "directory": "workspace"}}"#).runtime;
    let files = vec!["views/**".to_owned()];
    assert_eq!(runtime, RuntimeConfig { install: Some(Some(Install::Own)), files, directory: true });
    let install = |text: &str| workspace_of(&format!(r#"{{"runtime": {{"install": "{text}"}}}}"#)).runtime.install;
    assert_eq!(install("none"), Some(None));
    assert_eq!(install("shared"), Some(Some(Install::Shared)));
    assert_eq!(install("production"), Some(Some(Install::Production)));
    assert_eq!(workspace_of("{}").runtime, RuntimeConfig::default());
    assert!(!workspace_of(r#"{"runtime": {"directory": "caller"}}"#).runtime.directory);
    for (wrong, expected) in [
        (r#"{"install": "all"}"#, r#"expected "production", "own", "shared" or "none", found the string "all""#),
        (r#"{"directory": "/srv"}"#, r#"expected "workspace" or "caller", found the string "/srv""#),
        (r#"{"files": "views"}"#, "expected an array"),
        (r#"{"files": ["{a,b"]}"#, r#"expected a glob, found "{a,b" (its braces have no comma, or are not closed)"#),
        (r#"{"env": {}}"#, r#"expected `install`, `files` or `directory`, found the key "env""#),
        (r#""production""#, "expected an object"),
    ] {
        let found = refusal(&format!(r#"{{"runtime": {wrong}}}"#));
        assert!(found.starts_with(expected), "{wrong}: {found}");
    }
}
