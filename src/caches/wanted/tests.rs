use serde_json::json;

use super::*;

const A: &str = "8z3wjas3v8r3l97274kb79bz2v91mya3-a";
const B: &str = "wsqbfqcawmmdnl972wa6rbsay10h5avm-b";

fn thing(name: &str, kind: Kind, needs: &[&str]) -> Thing {
    Thing {
        name: name.to_owned(),
        kind,
        system: Some(System::X8664Linux),
        attribute: None,
        derivation: Some(format!("/s/{name}.drv")),
        paths: BTreeSet::new(),
        needs: needs.iter().map(|need| format!("/s/{need}.drv")).collect(),
        inputs: BTreeSet::new(),
    }
}

fn names(things: &[Thing]) -> Vec<&str> {
    things.iter().map(|thing| thing.name.as_str()).collect()
}

#[test]
fn what_others_need_comes_first_and_is_kept_with_them() {
    let things = in_order(vec![
        thing("web-image", Kind::Image, &["web"]),
        thing("web", Kind::Product, &["nodeModules", "library-ui"]),
        thing("library-ui", Kind::Library, &["nodeModules"]),
        thing("api", Kind::Product, &["nodeModules"]),
        thing("nodeModules", Kind::NodeModules, &["deps-common"]),
        thing("deps-common", Kind::Deps, &[]),
        thing("input", Kind::Input, &[]),
    ]);
    let order = ["deps-common", "input", "nodeModules", "library-ui", "api", "web", "web-image"];
    assert_eq!(names(&things), order);
    let wanted = Wanted { store: "/s".to_owned(), things, refused: Vec::new(), built_by: BTreeMap::new() };
    let kept = |chosen: &[&str]| {
        let mut wanted = wanted.clone();
        let chosen: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
        wanted.keep(&chosen).map(|()| names(&wanted.things).join(" "))
    };
    assert_eq!(kept(&["api"]).unwrap(), "deps-common nodeModules api");
    assert_eq!(kept(&["ui"]).unwrap(), "deps-common nodeModules library-ui");
    assert_eq!(kept(&[]).unwrap(), order.join(" "));
    assert_eq!(kept(&["api", "nothing"]), Err("nothing".to_owned()));
}

#[test]
fn all_forms_of_derivations_give_the_same() {
    let (drv, other) = (format!("/nix/store/{A}.drv"), format!("/nix/store/{B}.drv"));
    let old = json!({ &drv: { "inputDrvs": { &other: ["out"] }, "outputs": { "out": { "path": format!("/nix/store/{A}") } } } });
    let newer = json!({ &drv: { "inputDrvs": { &other: { "outputs": ["out"] } }, "outputs": { "out": { "path": format!("/nix/store/{A}") } } } });
    let fourth = json!({ "version": 4, "derivations": { format!("{A}.drv"): { "inputs": { "drvs": { format!("{B}.drv"): { "outputs": ["out"] } } }, "outputs": { "out": { "path": A } } } } });
    let out = || "out".to_owned();
    let expected = Shown {
        outputs: [(A.parse().unwrap(), out())].into(),
        names: [out()].into(),
        inputs: [(other.clone(), [out()].into())].into(),
    };
    for form in [old, newer, fourth] {
        assert_eq!(shown_in(&form, "/nix/store").unwrap(), BTreeMap::from([(drv.clone(), expected.clone())]), "{form}");
    }
    // Of a fixed output, only the hash is printed.
    let fixed = json!({ "version": 4, "derivations": { format!("{}-deps.drv", &A[..32]): { "inputs": { "drvs": {} }, "outputs": {
        "out": { "hash": "sha256-CkMIecJm+LV/QJKg+TXPP6zUi7zN5XYNR0jKQFFx6Wk=", "method": "nar" } } } } });
    let fixed = shown_in(&fixed, "/nix/store").unwrap().into_values().next().unwrap();
    let golden = crate::nix::store_path::StorePath::fixed_output(
        &"deps".parse().unwrap(),
        "sha256-CkMIecJm+LV/QJKg+TXPP6zUi7zN5XYNR0jKQFFx6Wk=".parse().unwrap(),
    );
    assert_eq!(fixed.outputs.keys().map(|item| item.in_store("/nix/store")).collect::<Vec<_>>(), [golden.to_string()]);
    // The path of a content-addressed output is not known.
    let floating = json!({ &drv: { "inputDrvs": {}, "outputs": { "out": { "hashAlgo": "r:sha256" } } } });
    assert!(shown_in(&floating, "/nix/store").unwrap()[&drv].outputs.is_empty());
    for form in [json!([]), json!({ "a": 1 }), json!({ "a": { "inputDrvs": {} } })] {
        assert_eq!(shown_in(&form, "/nix/store"), None, "{form}");
    }
}

#[test]
fn the_inputs_of_inputs_are_sources_too() {
    let path = |base: &str| format!("/nix/store/{base}");
    let archive = json!({ "path": "/nix/store/x", "inputs": {
        "nixpkgs": { "path": path(A), "inputs": {} },
        "parts": { "path": path(B), "inputs": { "lib": { "path": path(A), "inputs": {} } } },
        "local": { "inputs": {} },
    } });
    let found = sources_of(&archive);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|thing| thing.kind == Kind::Input && thing.paths.len() == 1));
    assert_eq!(sources_of(&json!(null)), []);
}

#[test]
fn an_alias_does_not_hide_the_name_of_an_app() {
    let entry = |drv: &str| json!({ "drv": format!("/nix/store/{A}{drv}.drv"), "outputs": { "out": format!("/nix/store/{A}{drv}") } });
    let derivations = |apps: &[&str]| {
        let state = json!({
            "packages": { "alias": entry("1"), "default": entry("1"), "server": entry("1"), "own": entry("2") },
            "checks": { "default": entry("1"), "tidy": entry("3") },
            "devShells": { "default": entry("4"), "docs": entry("5"), "zsh": entry("4") },
        });
        let outputs: Outputs = serde_json::from_value(state).unwrap();
        let own = apps.iter().map(|app| ((*app).to_owned(), Kind::Product)).collect();
        let mut gathered = Gathered::default();
        gathered.take(System::X8664Linux, outputs, &own);
        let shown = |thing: &Thing| format!("{} {}", thing.name, thing.kind.name());
        gathered.things.iter().map(shown).collect::<Vec<_>>()
    };
    let rest = ["tidy check", "devShell-docs devShell", "devShell-zsh devShell"];
    assert_eq!(derivations(&["server"]), [&["server product", "own package"], &rest[..]].concat());
    assert_eq!(derivations(&[]), [&["alias package", "own package"], &rest[..]].concat());
}
