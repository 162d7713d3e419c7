use proptest::prelude::*;
use serde_json::json;

use super::*;

const A: &str = "/nix/store/a101ry64prhq70jyl77q503pidv67jw7-a";
const B: &str = "/nix/store/zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-b";
const HASH: &str = "sha256:0000000000000000000000000000000000000000000000000000";

fn valid() -> Value {
    let item = |path: &str| json!({ "path": path, "narHash": HASH, "narSize": 7 });
    json!({
        "version": 1, "name": "acme/web", "tag": null, "registry": null, "architecture": "amd64", "os": "linux",
        "created": "1970-01-01T00:00:01Z",
        "config": { "Labels": { "org.opencontainers.image.title": "web", "own": "x" } },
        "layers": [
            { "name": "base", "changes": "nixpkgs", "paths": [item(B)],
              "root": { "path": A, "narHash": HASH, "narSize": 5, "modes": [{ "path": "tmp", "mode": "1777", "uid": 0, "gid": 0 }] } },
            { "name": "app", "changes": "each commit", "root": null, "paths": [item(A)] },
        ],
    })
}

fn parse(plan: &Value) -> Result<Plan, String> {
    Plan::parse(plan.to_string().as_bytes(), &Store::default()).map_err(|error| error.to_string())
}

/// Returns the error of the valid plan with another value at a JSON pointer.
fn error_with(pointer: &str, value: Value) -> String {
    let mut plan = valid();
    *plan.pointer_mut(pointer).unwrap() = value;
    parse(&plan).unwrap_err()
}

#[test]
fn a_plan_is_read() {
    let plan = parse(&valid()).unwrap();
    assert_eq!((plan.name.as_str(), plan.platform.to_string().as_str()), ("acme/web", "linux/amd64"));
    let root = plan.layers[0].root.as_ref().unwrap();
    assert_eq!(root.modes["tmp"], Mode { mode: 0o1777, uid: 0, gid: 0 });
    assert_eq!((plan.layers[0].size(), plan.layers[1].size()), (12, 7));
    assert_eq!(plan.annotations(), BTreeMap::from([("org.opencontainers.image.title", "web")]));
    assert_eq!(
        plan.layers[0].identity(),
        "root 0000000000000000000000000000000000000000000000000000\nmode \"tmp\" 1777 0 0\n\
         path zhw7301m5n8d0jjzcnwndv2qw3hvz8cm-b 0000000000000000000000000000000000000000000000000000\n"
    );
}

#[test]
fn both_forms_of_a_hash_are_one() {
    let mut plan = valid();
    *plan.pointer_mut("/layers/1/paths/0/narHash").unwrap() =
        "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into();
    assert_eq!(parse(&plan), parse(&valid()));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    assert!(error_with("/version", 2.into()).ends_with("has version 2; this splitter reads version 1"));
    let outside = "`layers[1].paths[0].path` in the plan of an image: expected a store path such as \
                   `/nix/store/<hash>-<name>`, found `/etc`";
    assert_eq!(error_with("/layers/1/paths/0/path", "/etc".into()), outside);
    for (pointer, value) in [
        ("/name", json!("Web")),
        ("/name", json!("../web")),
        ("/tag", json!("a/b")),
        ("/os", json!("")),
        ("/created", json!("now")),
        ("/layers/0/root/path", json!("/nix/store")),
        ("/layers/0/root/modes/0/path", json!("../etc")),
        ("/layers/0/root/modes/0/path", json!("/tmp")),
        ("/layers/0/root/modes/0/mode", json!("0999")),
        ("/layers/0/root/modes/0/mode", json!("+777")),
        ("/layers/0/root/modes/0/uid", json!(3_000_000)),
        ("/layers/0/paths/0/narHash", json!("md5:1")),
        ("/layers/0/name", json!("a\nb")),
    ] {
        let key = pointer.rsplit('/').next().unwrap();
        let error = error_with(pointer, value);
        assert!(error.contains(key) && error.contains("expected "), "{pointer}: {error}");
    }
    assert!(error_with("/layers", Value::Null).contains("at line 1 column "));
}

#[test]
fn a_path_in_two_layers_is_refused() {
    let error = error_with("/layers/1/paths/0/path", B.into());
    assert_eq!(error, format!("the plan of an image has `{B}` twice: in the layers `base` and `app`"));
    let mut plan = valid();
    *plan.pointer_mut("/layers/1/root").unwrap() = json!({ "path": A, "narHash": HASH, "narSize": 5 });
    assert!(parse(&plan).unwrap_err().contains(A));
}

#[test]
fn lists_have_a_limit() {
    let layer = |number: usize| json!({ "name": number.to_string(), "changes": "", "paths": [] });
    let layers: Vec<Value> = (0..128).map(layer).collect();
    assert!(error_with("/layers", layers.into()).contains("has 128 entries; the most are 127"));
}

#[test]
fn times_have_the_form_of_rfc_3339() {
    for time in ["1970-01-01T00:00:01Z", "2026-11-30T10:00:00.123Z", "2026-11-30T10:00:00+01:00"] {
        assert!(is_time(time), "{time}");
    }
    for time in ["", "T", "1970-01-01", "1970-01-01T00:00:01", "1970-01-01T00:00:01Zx", "1970-01-01T00:00:01.Z"] {
        assert!(!is_time(time), "{time}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = Plan::parse(text.as_bytes(), &Store::default());
        let _ = is_time(&text);
    }

    #[test]
    fn no_value_at_any_place_panics(place in 0_usize..24, text in "\\PC{0,20}", number in any::<i64>(), kind in 0..4) {
        let value = [json!(text), json!(number), Value::Null, json!([{}])][usize::try_from(kind).unwrap()].clone();
        let pointers = [
            "/version", "/name", "/tag", "/registry", "/architecture", "/os", "/created", "/config", "/layers", "/layers/0",
            "/layers/0/name", "/layers/0/changes", "/layers/0/root", "/layers/0/root/path", "/layers/0/root/modes",
            "/layers/0/root/modes/0", "/layers/0/root/modes/0/path", "/layers/0/root/modes/0/mode",
            "/layers/0/root/modes/0/uid", "/layers/0/paths", "/layers/0/paths/0", "/layers/0/paths/0/path",
            "/layers/0/paths/0/narHash", "/layers/0/paths/0/narSize",
        ];
        let mut plan = valid();
        *plan.pointer_mut(pointers[place]).unwrap() = value;
        let _ = parse(&plan);
    }
}
