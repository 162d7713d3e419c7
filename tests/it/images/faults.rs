//! What a registry does wrong. Whatever it is, no tag names an image that is not whole, and a run ends.

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use fs_err as fs;

use crate::support::{Images, OciFault, OciRegistry, fail, run, succeed};

/// Returns where a push goes.
fn to(registry: &OciRegistry) -> String {
    format!("{}/web:v1", registry.name())
}

fn uploads(requests: &[String]) -> usize {
    requests.iter().filter(|request| request.starts_with("PUT") && request.contains("/blobs/")).count()
}

#[test]
fn a_push_prints_the_digest_and_a_second_one_sends_nothing() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    let line = succeed(&mut images.push(&to(&registry), &["--tag", "latest"]));
    let requests = registry.take_requests();
    // Three layers and the configuration. The empty layer is left out.
    assert_eq!(uploads(&requests), 4, "{requests:#?}");
    assert_eq!(requests.last().unwrap(), "PUT /v2/web/manifests/latest");
    assert_eq!(registry.tags("web"), ["latest", "v1"]);
    let manifest = registry.manifest("web", "v1");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 3);
    assert!(line.starts_with(&format!("{}/web@sha256:", registry.name())) && !line.contains('\n'), "{line}");
    assert_eq!(succeed(&mut images.push(&to(&registry), &["--tag", "latest"])), line);
    assert_eq!(registry.take_requests(), ["HEAD /v2/web/manifests/v1", "HEAD /v2/web/manifests/latest"]);
}

#[test]
fn only_the_layer_that_changed_is_sent() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    succeed(&mut images.push(&to(&registry), &[]));
    registry.take_requests();
    images.file(3, "bin/app", "#!/bin/sh\necho two\n");
    // Neither of the other layers is even read.
    fs::remove_dir_all(images.path(1)).unwrap();
    fs::remove_dir_all(images.path(2)).unwrap();
    let plan = images.write("web", &images.plan("web", 2));
    let output = run(&mut images.push_plan(&plan, &to(&registry), &[]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    assert_eq!(uploads(&registry.take_requests()), 2, "the layer and the configuration");
    assert_eq!(output.matches("in the registry\n").count(), 2, "{output}");
}

#[test]
fn another_repository_of_the_registry_gives_its_layers() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    succeed(&mut images.push(&to(&registry), &[]));
    registry.take_requests();
    let output = run(&mut images.push(&format!("{}/acme/", registry.name()), &[]));
    assert!(
        output.contains("base                156 B  mounted from web") || output.contains("mounted from web"),
        "{output}"
    );
    assert_eq!(uploads(&registry.take_requests()), 1, "the configuration");
    assert_eq!(registry.tags("acme/web").len(), 1);
    assert_eq!(registry.tags("acme/web")[0].len(), 12);
}

#[test]
fn faults_that_pass_are_tried_again() {
    for fault in [OciFault::Status(429, Some(0)), OciFault::Status(503, None), OciFault::Cut, OciFault::Lost] {
        for start in ["HEAD /v2/web/blobs/", "POST /v2/web/blobs/", "PUT /v2/web/blobs/", "PUT /v2/web/manifests/"] {
            let (images, registry) = (Images::new(), OciRegistry::start());
            registry.fail(start, fault, 1);
            let output = run(&mut images.push(&to(&registry), &[]));
            assert!(output.starts_with("exit: 0\n"), "{start} {fault:?}: {output}");
            assert!(output.contains("; again in "), "{start} {fault:?}: {output}");
            assert_eq!(registry.tags("web"), ["v1"], "{start} {fault:?}");
        }
    }
}

#[test]
fn faults_that_stay_end_the_run_and_nothing_is_tagged() {
    for (fault, why) in [
        (OciFault::Status(500, None), "the registry answered 500: FAULT: on demand"),
        (OciFault::Status(403, None), "the registry answered 403"),
        (OciFault::Status(413, None), "the registry answered 413"),
        (OciFault::Status(429, Some(3600)), "the registry answered 429"),
        (OciFault::WrongDigest, "the registry stored other content: expected sha256:"),
        (OciFault::Cut, "the transfer was interrupted"),
    ] {
        for start in ["PUT /v2/web/blobs/", "PUT /v2/web/manifests/sha256"] {
            let (images, registry) = (Images::new(), OciRegistry::start());
            registry.fail(start, fault, usize::MAX);
            let output = run(&mut images.push(&to(&registry), &[]));
            assert!(output.starts_with("exit: 3\n----- stdout\n-----"), "{start} {fault:?}: {output}");
            assert!(output.contains(why), "{start} {fault:?}: {output}");
            assert!(registry.tags("web").is_empty(), "{start} {fault:?}");
        }
    }
}

#[test]
fn a_registry_that_says_nothing_is_given_up() {
    for start in ["HEAD /v2/web/blobs/", "PUT /v2/web/blobs/"] {
        let (mut images, registry) = (Images::new(), OciRegistry::start());
        images.context.set_env("SPLITTER_STALL_TIMEOUT", "0.3");
        registry.fail(start, OciFault::Silence, usize::MAX);
        let output = fail(&mut images.push(&to(&registry), &[]));
        assert!(output.contains("the connection stalled") && output.starts_with("exit: 3\n"), "{output}");
        assert!(registry.tags("web").is_empty());
    }
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    let images = Images::new();
    let output = fail(&mut images.push("127.0.0.1:1/web", &[]));
    assert!(output.contains("`127.0.0.1:1/web`: no connection"), "{output}");
    assert!(output.contains("hint: check the name of the registry"), "{output}");
}

#[test]
fn a_dry_run_sends_nothing() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    let output = run(&mut images.push(&to(&registry), &["--dry-run"]));
    assert!(output.contains("would be sent") && output.contains("would send"), "{output}");
    assert!(registry.take_requests().iter().all(|request| request.starts_with("HEAD ")));
    let digest = |output: &str| output.lines().find(|line| line.contains("@sha256:")).unwrap().to_owned();
    assert_eq!(digest(&output), succeed(&mut images.push(&to(&registry), &[])));
}

#[test]
fn a_damaged_cache_heals() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    let line = succeed(&mut images.push(&to(&registry), &[]));
    let layers = images.context.home().join(".cache/splitter/images/layers");
    for entry in fs::read_dir(&layers).unwrap() {
        fs::write(entry.unwrap().path(), "{").unwrap();
    }
    let received = registry.received();
    assert_eq!(succeed(&mut images.push(&to(&registry), &[])), line);
    assert_eq!(registry.received(), received);
    let texts = fs::read_dir(&layers).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    assert!(texts.into_iter().all(|text| text.contains("check")));
}

#[test]
fn platforms_become_an_index() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    let mut arm = images.plan("web", 1);
    arm["architecture"] = "arm64".into();
    let (amd, arm) = (images.write("amd", &images.plan("web", 1)), images.write("arm", &arm));
    let line = succeed(&mut images.push_plan(&arm, &to(&registry), &["--plan", &amd]));
    let index = registry.manifest("web", "v1");
    let platforms: Vec<_> =
        index["manifests"].as_array().unwrap().iter().map(|image| &image["platform"]["architecture"]).collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    assert_eq!(
        succeed(&mut images.push_plan(&amd, &to(&registry), &["--plan", &arm])),
        line,
        "the order does not count"
    );
    let output = fail(&mut images.push_plan(&amd, &to(&registry), &["--plan", &amd]));
    assert!(output.contains("two plans of the image `web` are for linux/amd64"), "{output}");
}

#[test]
fn the_same_image_has_the_same_digest_in_each_format() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    for format in ["gzip", "zstd", "none"] {
        let push = |repository: &str| {
            let to = format!("{}/{repository}", registry.name());
            let line = succeed(&mut images.push(&to, &["--compression", format]));
            line.split_once('@').unwrap().1.to_owned()
        };
        let first = push(&format!("a-{format}"));
        fs::remove_dir_all(images.context.home().join(".cache")).unwrap();
        assert_eq!(push(&format!("b-{format}")), first, "{format}");
    }
}

#[test]
fn a_layer_that_cannot_be_mounted_is_sent() {
    for fault in [OciFault::Status(500, None), OciFault::Status(403, None), OciFault::Cut] {
        let (images, registry) = (Images::new(), OciRegistry::start());
        succeed(&mut images.push(&to(&registry), &[]));
        registry.take_requests();
        registry.fail("POST /v2/api/blobs/uploads/?mount", fault, usize::MAX);
        let output = run(&mut images.push(&format!("{}/api:v1", registry.name()), &[]));
        assert!(output.starts_with("exit: 0\n") && output.matches("  sent\n").count() == 3, "{fault:?}: {output}");
        assert_eq!(registry.tags("api"), ["v1"]);
    }
}

#[test]
fn a_killed_push_tags_nothing_and_the_next_one_ends_it() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    registry.fail("PUT /v2/web/blobs/", OciFault::Silence, 1);
    let mut push = images.push(&to(&registry), &["--quiet"]);
    let mut child = push.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while uploads(&registry.take_requests()) == 0 {
        assert!(start.elapsed() < Duration::from_mins(1), "no upload");
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(registry.tags("web").is_empty());
    succeed(&mut images.push(&to(&registry), &[]));
    assert_eq!(registry.tags("web"), ["v1"]);
    assert_eq!(fs::read_dir(images.context.home().join(".cache/splitter/tmp")).unwrap().count(), 0);
}
