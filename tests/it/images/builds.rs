//! The programs of the builds that lay out an image, in Node: `image-plan.mjs` and `image-files.mjs`.

use fs_err as fs;
use serde_json::{Value, json};

use crate::support::{TestContext, run, tools};

const STORE: &str = "/nix/store";
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nix-templates/tools");

/// Returns a store path of a sample.
fn path(digit: &str, name: &str) -> String {
    format!("{STORE}/{}-{name}", digit.repeat(32))
}

/// Writes a file beside the context's repository.
fn write(context: &TestContext, path: &str, text: &str) {
    let file = context.folder(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Makes the plan of an image with a runtime, a copy of an install, and an app that refers to some of these.
fn plan(app_needs: &[String], unwanted: &Value) -> Option<Result<Value, String>> {
    tools::program("node").or_else(|| tools::skip("no node"))?;
    let context = TestContext::new();
    // The content of a root is looked at, so this one lies in the test's folder.
    write(&context, "copy/app/.packages/greet.js", "");
    let store = context.folder("");
    let store = store.as_str().trim_end_matches('/');
    let in_test = |text: &str| text.replace(STORE, store);
    let copy = context.folder("copy").into_string();
    let [runtime, install, app] =
        [("1", "node"), ("2", "install"), ("3", "app")].map(|(digit, name)| path(digit, name));
    let entry = |path: &str, references: &[String]| json!({ "path": path, "narHash": "sha256:0", "narSize": 7, "references": references });
    // The graph has the closure of the layers alone: the install is there if the app needs it.
    let mut graph = vec![entry(&runtime, &[]), entry(&copy, &[]), entry(&app, app_needs)];
    graph.extend(app_needs.contains(&install).then(|| entry(&install, &[])));
    let layers = json!([
        { "name": "runtime", "changes": "", "paths": [runtime] },
        { "name": "packages", "changes": "", "paths": [copy], "root": { "path": copy, "modes": [] }, "insteadOf": install },
        { "name": "app", "changes": "", "paths": [app] },
    ]);
    let image = json!({ "name": "web", "storeDir": STORE });
    let attributes = json!({
        "graph": graph, "layers": layers, "image": image, "unwanted": unwanted,
        "outputs": { "out": context.folder("plan.json") },
    });
    let attributes = in_test(&attributes.to_string());
    write(&context, "attributes.json", &attributes);
    let mut node = context.command("node");
    node.arg(format!("{PROGRAMS}/image-plan.mjs")).env("NIX_ATTRS_JSON_FILE", context.folder("attributes.json"));
    let output = run(&mut node);
    if !output.starts_with("exit: 0\n") {
        return Some(Err(output));
    }
    let text = fs::read_to_string(context.folder("plan.json")).unwrap();
    Some(Ok(serde_json::from_str(&text.replace(store, STORE)).unwrap()))
}

/// Returns the paths of each layer of a plan, with the root in front.
fn layers(plan: &Value) -> Vec<String> {
    let name = |path: &Value| path.as_str().unwrap().rsplit(['-', '/']).next().unwrap().to_owned();
    let layer = |layer: &Value| {
        let root = layer["root"].get("path").map(|path| format!("/{} ", name(path))).unwrap_or_default();
        let paths: Vec<_> = layer["paths"].as_array().unwrap().iter().map(|item| name(&item["path"])).collect();
        format!("{}: {root}{}", layer["name"].as_str().unwrap(), paths.join(" "))
    };
    plan["layers"].as_array().unwrap().iter().map(layer).collect()
}

#[test]
fn an_install_that_the_app_still_names_takes_the_place_of_its_copy() {
    let Some(free) = plan(&[path("1", "node")], &json!([])) else { return };
    assert_eq!(layers(&free.unwrap()), ["runtime: node", "packages: /copy ", "app: app"]);
    let named = plan(&[path("1", "node"), path("2", "install")], &json!([])).unwrap().unwrap();
    assert_eq!(layers(&named), ["runtime: node", "packages: install", "app: app"]);
}

#[test]
fn what_no_image_may_hold_is_refused_with_the_way_to_it() {
    let unwanted = json!([{ "path": path("2", "install"), "title": "its development packages" }]);
    let Some(output) = plan(&[path("2", "install")], &unwanted) else { return };
    let output = output.unwrap_err();
    assert!(output.contains("the image web would hold its development packages: "), "{output}");
}

#[test]
fn the_roots_manifest_in_an_image_has_what_programs_read() {
    if tools::program("node").is_none() {
        return tools::skip("no node").unwrap_or(());
    }
    let context = TestContext::new();
    let manifest = json!({
        "name": "acme", "version": "1.0.0", "type": "module", "imports": { "#x": "./x.js" }, "exports": "./x.js",
        "dependencies": { "greet": "1.0.0" }, "workspaces": { "packages": ["apps/*"], "catalog": { "greet": "1.0.0" } },
        "packageManager": "bun@1.4.4", "scripts": { "build": "turbo build" }, "devDependencies": { "turbo": "2.0.0" },
    });
    write(&context, "package/lib/web/package.json", &manifest.to_string());
    let own = r#"{ "name": "web", "scripts": { "start": "node main.js" } }"#;
    write(&context, "package/lib/web/apps/web/package.json", own);
    let mut node = context.command("node");
    node.arg(format!("{PROGRAMS}/image-files.mjs"));
    for (name, folder) in [("package", "package"), ("out", "out"), ("libraries", "libraries"), ("packages", "packages")]
    {
        node.env(name, context.folder(folder));
    }
    for (name, text) in
        [("packageName", "web"), ("workspace", "apps/web"), ("others", ""), ("isAlone", ""), ("site", "")]
    {
        node.env(name, text);
    }
    let output = run(node.env("install", "").env("installed", ""));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    let read =
        |file: &str| -> Value { serde_json::from_str(&fs::read_to_string(context.folder(file)).unwrap()).unwrap() };
    let expected = json!({
        "name": "acme", "version": "1.0.0", "type": "module", "imports": { "#x": "./x.js" }, "exports": "./x.js",
        "dependencies": { "greet": "1.0.0" }, "workspaces": { "packages": ["apps/*"] },
    });
    assert_eq!(read("out/app/package.json"), expected);
    // The app's own manifest is its own file.
    assert_eq!(read("out/app/apps/web/package.json")["scripts"]["start"], "node main.js");
}
