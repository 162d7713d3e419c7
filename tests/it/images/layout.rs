//! OCI layouts, read back by an independent implementation of the specification.

use fs_err as fs;
use oci_spec::image::{Arch, ImageConfiguration, ImageIndex, ImageManifest, MediaType, OciLayout};

use crate::support::{Images, fail, run, succeed};

#[test]
fn a_layout_is_valid_and_the_same_each_time() {
    let images = Images::new();
    let plan = images.write("web", &images.plan("web", 1));
    let write = |folder: &str| {
        let folder = images.context.folder(folder);
        (succeed(&mut images.context.splitter(&["images", "write", "--plan", &plan, folder.as_str()])), folder)
    };
    let (digest, folder) = write("layout");
    OciLayout::from_file(folder.join("oci-layout")).unwrap();
    let index = ImageIndex::from_file(folder.join("index.json")).unwrap();
    let blob = |digest: &str| folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let entry = &index.manifests()[0];
    assert_eq!(entry.digest().to_string(), digest);
    let manifest = ImageManifest::from_file(blob(&digest)).unwrap();
    assert!(manifest.layers().iter().all(|layer| *layer.media_type() == MediaType::ImageLayerGzip));
    assert_eq!(manifest.annotations().as_ref().unwrap()["org.opencontainers.image.title"], "web");
    let config = ImageConfiguration::from_file(blob(manifest.config().digest().as_ref())).unwrap();
    assert_eq!((config.architecture(), config.rootfs().diff_ids().len()), (&Arch::Amd64, 3));
    assert_eq!(config.history().as_ref().unwrap().len(), 3);
    assert_eq!(config.config().as_ref().unwrap().user().as_deref(), Some("65532:65532"));
    // What OCI does not define is kept.
    let text = fs::read_to_string(blob(manifest.config().digest().as_ref())).unwrap();
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
