//! `splitter reproduce` with a real Nix: a build that is made to differ in many ways, each found with its file and its cause.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::verify::splitter;
use crate::support::{BUN_VERSIONS, NixMonorepo, fail, run, succeed};

/// The file of each way to differ, with the cause that is found and the place of the first detail.
const WAYS: [(&str, &str, &str); 12] = [
    ("addon.node", "native-build", ".note.gnu.build-id"),
    ("app.tsbuildinfo", "tsbuildinfo", "/root/0"),
    ("banner.js", "date", "line 1"),
    ("config.js", "build-path", "line 1"),
    ("main.js.map", "build-path", "/sources/0"),
    ("pages.json", "order", "/pages"),
    ("release.json", "uuid", "/release"),
    ("site.tar", "archive-time", "index.html"),
    ("site.zip", "archive-time", "index.html"),
    ("text.gz", "gzip-time", "time"),
    ("token.json", "hash-or-id", "/salt"),
    ("workers.json", "cores", "/threads"),
];

fn report(nix: &NixMonorepo, args: &[&str], code: i32) -> Value {
    let output = splitter(nix, &[&["reproduce", "--json"], args].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{said}"))
}

fn derivation<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut all = report["derivations"].as_array().unwrap().iter();
    all.find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// Returns the path of each file that differs, with its first cause and place.
fn files<'a>(derivation: &'a Value) -> BTreeMap<&'a str, (&'a str, &'a str)> {
    let all = derivation["outputs"].as_array().unwrap().iter().flat_map(|output| output["files"].as_array().unwrap());
    all.map(|file| {
        let detail = &file["details"][0];
        let name = file["path"].as_str().unwrap().rsplit('/').next().unwrap_or_default();
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        (name, (text(&detail["cause"]["id"]), text(&detail["place"])))
    })
    .collect()
}

#[test]
fn e2e_reproduce_names_each_file_that_differs_and_its_cause() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("apps/web/build.mjs", include_str!("reproduce/build.mjs"));
    context.write("apps/web/program.elf", include_bytes!("../../../src/reproduce/samples/small.elf"));
    let settings = |more: Value| {
        let mut settings = json!({ "workspaces": { "apps/web": { "build": "node build.mjs" } } });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        context.write("splitter.json", settings.to_string());
    };
    settings(json!({}));
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"]["start"] = "node dist/banner.js".into();
    });
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("a build that differs");

    // `api` is reproducible, and so is what it needs. `web` is not.
    let found = report(&nix, &["--images"], 1);
    assert_eq!((&found["version"], &found["reproducible"]), (&1.into(), &false.into()));
    for name in ["nodeModules", "api"] {
        assert_eq!(derivation(&found, name)["result"], "same", "{found:#}");
    }
    let web = derivation(&found, "web");
    assert_eq!(web["result"], "differs");
    let expected: BTreeMap<&str, (&str, &str)> =
        WAYS.iter().map(|(file, cause, place)| (*file, (*cause, *place))).collect();
    assert_eq!(files(web), expected, "{web:#}");
    // The layer with the files of `web` differs, and all others are the same.
    let image = &found["images"][0];
    let layers = image["layers"].as_array().unwrap_or_else(|| panic!("no image in {found:#}"));
    let differ = layers.iter().filter(|layer| layer["same"] == false).count();
    assert_eq!((differ, &image["name"], &image["trouble"]), (1, &"web".into(), &Value::Null), "{image:#}");
    assert!(layers.len() > 1 && layers[0]["first"].as_str().unwrap().starts_with("sha256:"), "{image:#}");
    assert_eq!(derivation(&found, "web (image)")["follows"][0], "web");
    // Nothing stays: neither in the user's store nor in the cache folder.
    let path = web["outputs"][0]["first"]["path"].as_str().unwrap();
    assert!(!camino::Utf8Path::new(path).exists(), "{path}");
    let cache = fs_err::read_dir(context.home().join(".cache/splitter"));
    let left = cache.into_iter().flatten().flatten().map(|entry| entry.file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.starts_with("splitter-reproduce-")));

    // Differences that splitter.json allows. One glob allows nothing.
    let known: Vec<String> = WAYS.iter().map(|(file, ..)| format!("**/{file}")).chain(["**/none".to_owned()]).collect();
    settings(json!({ "knownDifferences": { "web": known } }));
    let text = run(&mut splitter(&nix, &["reproduce", "web", "--only", "--deeper", "-v"]));
    assert!(text.starts_with("exit: 0\n----- stdout\nweb  differs as known: 12 files\n"), "{text}");
    assert!(text.contains("`**/none` of web allows no difference now"), "{text}");
    let lines = [
        "/banner.js (known)\n    line 1  [date]\n      - /* built at 20",
        "built twice: in /build and /second/deeper/build, on ",
    ];
    assert!(lines.iter().all(|line| text.contains(line)), "{text}");
    settings(json!({ "knownDifferences": { "wbe": [] } }));
    let text = fail(&mut splitter(&nix, &["reproduce", "web"]));
    assert!(text.starts_with("exit: 2\n") && text.contains("`knownDifferences` has the package `wbe`"), "{text}");

    // Nix's own verdict.
    settings(json!({}));
    let text = run(&mut splitter(&nix, &["reproduce", "web", "--only", "--rebuild"]));
    assert!(text.starts_with("exit: 1\n") && text.contains("\nweb  differs\n"), "{text}");
    assert_eq!(context.git(&["status", "--porcelain"]).trim(), "", "nothing changes in the repository");
}
