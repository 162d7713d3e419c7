//! Labels of the commit, and the time of creation: in the configuration, never in a layer or in a plan.

use fs_err as fs;
use serde_json::Value;

use crate::support::{Images, fail, run, succeed};

const REVISION: &str = "org.opencontainers.image.revision";
const CREATED: &str = "org.opencontainers.image.created";

/// Writes the image with these options. Returns the digest, the configuration, and the annotations.
fn written(images: &Images, more: &[&str]) -> (String, Value, Value) {
    let plan = images.write("web", &images.plan("web", 1));
    let layout = images.context.folder("layout");
    let mut command = images.context.splitter(&["images", "write", "--plan", &plan, layout.as_str()]);
    let digest = succeed(command.args(more));
    let blob = |digest: &str| -> Value {
        let file = layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    let manifest = blob(&digest);
    (digest, blob(manifest["config"]["digest"].as_str().unwrap()), manifest["annotations"].clone())
}

/// Makes a commit at a known time, and returns its id.
fn commit(images: &Images) -> String {
    let git = |args: &[&str]| {
        let mut command = images.context.command("git");
        command.env("GIT_COMMITTER_DATE", "1700000000 +0200");
        succeed(command.args(args))
    };
    images.context.write("package.json", "{}");
    images.context.write("bun.lock", "{}");
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "first"]);
    git(&["rev-parse", "HEAD"])
}

#[test]
fn the_commit_is_in_the_configuration_alone() {
    let images = Images::new();
    let (outside, config, _) = written(&images, &[]);
    assert_eq!((config["config"]["Labels"].get(REVISION), &config["created"]), (None, &"1970-01-01T00:00:01Z".into()));
    let id = commit(&images);
    let (digest, labelled, annotations) = written(&images, &[]);
    let labels = &labelled["config"]["Labels"];
    assert_eq!((&labels[REVISION], &labels[CREATED]), (&id.as_str().into(), &"2023-11-14T22:13:20Z".into()));
    assert_eq!(
        (&annotations[REVISION], &annotations["org.opencontainers.image.title"]),
        (&id.as_str().into(), &"web".into())
    );
    assert_eq!(labelled["created"], "2023-11-14T22:13:20Z");
    assert_eq!(labelled["rootfs"], config["rootfs"], "layers stay the same");
    assert_eq!(written(&images, &[]).0, digest, "the same commit has the same digest");
    assert_eq!(written(&images, &["--no-git-labels"]).0, outside);
    // A new file that git does not track is in no build.
    images.context.write("new.txt", "x");
    assert_eq!(written(&images, &[]).0, digest);
    images.context.write("package.json", "{ }");
    assert_eq!(written(&images, &[]).1["config"]["Labels"][REVISION], format!("{id}-dirty"));
}

#[test]
fn labels_and_times_of_the_user_win() {
    let mut images = Images::new();
    commit(&images);
    let (_, config, _) = written(&images, &["--label", "team=blue=green", "--label", &format!("{REVISION}=mine")]);
    let labels = &config["config"]["Labels"];
    assert_eq!((&labels["team"], &labels[REVISION]), (&"blue=green".into(), &"mine".into()));
    let plan = images.write("web", &images.plan("web", 1));
    let output = fail(&mut images.context.splitter(&["images", "write", "--plan", &plan, "x", "--label", "=a"]));
    assert!(output.starts_with("exit: 2\n") && output.contains("expected `KEY=VALUE`"), "{output}");
    // Every shell of nixpkgs has this time, and nobody chose it.
    images.context.set_env("IN_NIX_SHELL", "impure");
    images.context.set_env("SOURCE_DATE_EPOCH", "315532800");
    assert_eq!(written(&images, &[]).1["created"], "2023-11-14T22:13:20Z");
    images.context.set_env("SOURCE_DATE_EPOCH", "1000000000");
    let (_, config, _) = written(&images, &[]);
    assert_eq!(
        (&config["created"], &config["config"]["Labels"][CREATED]),
        (&"2001-09-09T01:46:40Z".into(), &"2001-09-09T01:46:40Z".into())
    );
    assert_eq!(written(&images, &["--no-git-labels"]).1["created"], "2001-09-09T01:46:40Z");
    images.context.set_env("SOURCE_DATE_EPOCH", "now");
    let output = run(&mut images.context.splitter(&["images", "write", "--plan", &plan, "x"]));
    assert!(
        output.starts_with("exit: 2\n") && output.contains("`SOURCE_DATE_EPOCH` is not a number of seconds"),
        "{output}"
    );
}
