//! Views of `splitter images` that need no build: pictures, notes, and the words that cannot be told apart.

use serde_json::{Value, json};

use crate::support::{Images, fail, run, splitter_snapshot, succeed};

#[test]
fn layers_are_drawn_as_svg_and_html() {
    let images = Images::new();
    let (web, api) = (images.write("web", &images.plan("web", 1)), images.write("api", &images.plan("api", 2)));
    let draw = |file: &str| run(&mut images.context.splitter(&["images", "--plan", &web, "--plan", &api, "-o", file]));
    let output = draw("layers.svg");
    assert!(output.starts_with("exit: 0\n") && output.contains("wrote layers.svg"), "{output}");
    let svg = images.context.read("layers.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("web (linux/amd64)"), "{svg}");
    // The base and the runtime of the second image are those of the first.
    assert_eq!(svg.matches("url(#shared)").count(), 2, "{svg}");
    draw("layers.html");
    let html = images.context.read("layers.html");
    assert!(html.starts_with("<!doctype html>") && html.contains("the same layer as in web"), "{html}");
    let output = draw("none/layers.svg");
    assert!(output.starts_with("exit: 3\n") && output.contains("could not write `none/layers.svg`"), "{output}");
}

#[test]
fn a_compiled_program_gets_a_note() {
    let images = Images::new();
    let mut plan = images.plan("tool", 1);
    plan["layers"][2]["paths"] = json!([]);
    plan["layers"][3]["paths"][0]["narSize"] = 96_000_000.into();
    let plan = images.write("tool", &plan);
    splitter_snapshot!(images.context, images.context.splitter(&["images", "--plan", &plan]), @"
    exit: 0
    ----- stdout
    tool (linux/amd64): 96.0 MB without compression
      layer     size  store paths  changes with  shared with
      base   <0.1 MB            1  nixpkgs
      app    96.0 MB            1  each commit
      note: the runtime is in the layer `app`, so each edit sends all of it; build without `--compile` to send only the app's files
    ----- stderr
    ");
    let json: Value =
        serde_json::from_str(&succeed(&mut images.context.splitter(&["images", "--json", "--plan", &plan]))).unwrap();
    assert!(json["images"][0]["notes"][0].as_str().unwrap().contains("`--compile`"));
    assert_eq!((&json["images"][0]["budget"], &json["images"][0]["overBudget"]), (&Value::Null, &false.into()));
}

#[test]
fn changes_need_a_repository_and_only_one_is_shown() {
    let images = Images::new();
    let plan = images.write("web", &images.plan("web", 1));
    let error = |args: &[&str]| {
        let output = fail(images.context.splitter(&["images"]).args(args));
        assert!(output.starts_with("exit: 2\n"), "{output}");
        output
    };
    assert!(
        error(&["a..b", "--edit", "x"]).contains("expected one range of commits or one edit, found `a..b` and `x`")
    );
    assert!(error(&["--plan", &plan, "--edit", "x"]).contains("cannot be used with"));
    assert!(error(&["--plan", &plan, "a..b"]).contains("cannot be used with"));
}
