//! What `splitter images` says: the table, JSON, and errors about plans and names.

use serde_json::Value;

use crate::support::{Images, fail, run, splitter_snapshot, succeed};

#[test]
fn the_table_shows_what_images_share() {
    let images = Images::new();
    let mut api = images.plan("api", 1);
    api["layers"][3]["paths"] = serde_json::json!([]);
    let (web, api) = (images.write("web", &images.plan("web", 1)), images.write("api", &api));
    let args = ["images", "--plan", &web, "--plan", &api];
    splitter_snapshot!(images.context, images.context.splitter(&args), @"
    exit: 0
    ----- stdout
    web (linux/amd64): <0.1 MB without compression
      layer       size  store paths  changes with  shared with
      base     <0.1 MB            1  nixpkgs       api
      runtime  <0.1 MB            1  nixpkgs       api
      app      <0.1 MB            1  each commit

    api (linux/amd64): <0.1 MB without compression
      layer       size  store paths  changes with  shared with
      base     <0.1 MB            1  nixpkgs       web
      runtime  <0.1 MB            1  nixpkgs       web
    ----- stderr
    ");
    let json: Value = serde_json::from_str(&succeed(images.context.splitter(&args).arg("--json"))).unwrap();
    assert_eq!((&json["version"], &json["images"][0]["layers"][1]["sharedWith"][0]), (&1.into(), &"api".into()));
}

#[test]
fn wrong_plans_are_named_with_their_place() {
    let images = Images::new();
    let error = |text: &str| {
        let path = images.context.folder("plan.json");
        fs_err::write(&path, text).unwrap();
        let output = fail(&mut images.context.splitter(&["images", "--plan", path.as_str()]));
        assert!(output.starts_with("exit: 2\n"), "{output}");
        output
    };
    assert!(error("{").contains("plan.json:1:1"));
    assert!(error(r#"{"version":7}"#).contains("has version 7"));
    let mut plan = images.plan("web", 1);
    plan["layers"][3]["paths"][0]["path"] = "/etc/passwd".into();
    assert!(
        error(&plan.to_string()).contains("`layers[3].paths[0].path` in the plan of an image: expected a store path")
    );
    plan["layers"][3]["paths"][0] = plan["layers"][2]["paths"][0].clone();
    assert!(error(&plan.to_string()).contains("twice: in the layers `runtime` and `app`"));
    plan["name"] = "\u{1b}[31mweb".into();
    assert!(!error(&plan.to_string()).contains('\u{1b}'));
}

#[test]
fn wrong_places_are_named() {
    let images = Images::new();
    let plan = images.write("web", &images.plan("web", 1));
    let other = images.write("api", &images.plan("api", 1));
    let push = |args: &[&str]| run(images.context.splitter(&["images", "push", "--plan", &plan]).args(args));
    assert!(push(&[]).contains("hint: add `--to REGISTRY/web`"));
    assert!(push(&["--to", "acme/web"]).contains("names no registry"));
    assert!(
        push(&["--to", "http://registry.example/web"]).contains("plain HTTP is only for registries on this machine")
    );
    assert!(push(&["--to", "registry.example/Web"]).contains("the repository `Web` is not valid"));
    assert!(push(&["--to", "registry.example/web", "--tag", "a b"]).contains("`a b` is not a tag"));
    assert!(
        push(&["--to", "registry.example/web", "--plan", &other])
            .contains("names one repository, but there are 2 images")
    );
}
