//! OCI layouts, read back by skopeo.

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::{Value, json};

use crate::support::{Images, fail, run, succeed, tools};

#[test]
fn a_layout_is_valid_and_the_same_each_time() {
    let images = Images::new();
    let plan = images.write("web", &images.plan("web", 1));
    let write = |folder: &str| {
        let folder = images.context.folder(folder);
        (succeed(&mut images.context.splitter(&["images", "write", "--plan", &plan, folder.as_str()])), folder)
    };
    let (digest, folder) = write("layout");
    let json = |path: Utf8PathBuf| -> Value { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() };
    let blob = |digest: &str| folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    assert_eq!(json(folder.join("oci-layout"))["imageLayoutVersion"], "1.0.0");
    assert_eq!(json(folder.join("index.json"))["manifests"][0]["digest"], digest);
    let manifest = json(blob(&digest));
    assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "web");
    for layer in manifest["layers"].as_array().unwrap() {
        assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    }
    if let Some(skopeo) = tools::oci("skopeo") {
        let inspect = |words: &[&str]| -> Value {
            let place = format!("oci:{folder}");
            let words = [&["inspect"], words, &[place.as_str()]].concat();
            serde_json::from_str(&succeed(&mut super::real::skopeo(&images, &skopeo, &words))).unwrap()
        };
        assert_eq!(inspect(&["--raw"]), manifest);
        let config = inspect(&["--config"]);
        assert_eq!((&config["architecture"], &config["os"]), (&json!("amd64"), &json!("linux")));
        let length = |of: &Value| of.as_array().map(Vec::len);
        assert_eq!((length(&config["rootfs"]["diff_ids"]), length(&config["history"])), (Some(3), Some(3)));
        assert_eq!(config["config"]["User"], "65532:65532");
    }
    // What OCI does not define is kept.
    let text = fs::read_to_string(blob(manifest["config"]["digest"].as_str().unwrap())).unwrap();
    assert!(text.contains(r#""Healthcheck":{"Interval":30000000000,"Test":["CMD","true"]}"#), "{text}");
    assert_eq!(write("other").0, digest);
    assert_eq!(write("layout").0, digest, "a layout is replaced");
    let names = fs::read_dir(images.context.folder("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".splitter")));
}

#[test]
fn other_folders_are_not_replaced() {
    let images = Images::new();
    let plan = images.write("web", &images.plan("web", 1));
    images.context.write("mine/file", "x");
    let output = fail(&mut images.context.splitter(&["images", "write", "--plan", &plan, "mine"]));
    assert!(output.starts_with("exit: 2\n") && output.contains("`mine` exists, and is no OCI layout"), "{output}");
    assert_eq!(images.context.read("mine/file"), "x");
    let output = run(&mut images.context.splitter(&["images", "write", "--plan", &plan, "a", "b"]));
    assert!(output.contains("expected a folder, found `a b`"), "{output}");
    fs::remove_dir_all(images.path(3)).unwrap();
    let output = fail(&mut images.context.splitter(&["images", "write", "--plan", &plan, "new"]));
    assert!(output.contains("cannot make the layer `app` of `web`"), "{output}");
    assert!(!images.context.repo().join("new").exists());
}

#[test]
fn leftovers_of_a_killed_run_are_removed() {
    let images = Images::new();
    let plan = images.write("web", &images.plan("web", 1));
    let leftover = images.context.repo().join(".splitter-layout-aB3aB3aB3aB3");
    fs::create_dir_all(leftover.join("new")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(150));
    succeed(&mut images.context.splitter(&["images", "write", "--plan", &plan, "layout"]));
    assert!(!leftover.exists());
}
