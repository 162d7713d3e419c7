//! Credentials: Docker's and podman's files, helpers, tokens. No secret is ever printed.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use camino::Utf8Path;
use data_encoding::BASE64;
use fs_err as fs;
use serde_json::json;

use crate::support::{Images, OciAuth, OciRegistry, run};

const PASSWORD: &str = "hunter2-secret";

fn write(path: &Utf8Path, value: &serde_json::Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

fn auths(registry: &OciRegistry, password: &str) -> serde_json::Value {
    json!({ "auths": { registry.name(): { "auth": BASE64.encode(format!("me:{password}").as_bytes()) } } })
}

/// Pushes with the most verbose log, and checks that no secret is in the output.
fn push(images: &Images, registry: &OciRegistry) -> String {
    let output = run(&mut images.push(&format!("{}/acme/web:v1", registry.name()), &["-vv"]));
    let encoded = BASE64.encode(format!("me:{PASSWORD}").as_bytes());
    let token = BASE64.encode(b"repository:acme/web:pull,push");
    for secret in [PASSWORD, &encoded, &token] {
        assert!(!output.contains(secret), "{output}");
    }
    output
}

#[test]
fn basic_and_tokens_work_with_the_files_of_docker_and_podman() {
    for auth in [OciAuth::Basic(format!("me:{PASSWORD}")), OciAuth::Token(format!("me:{PASSWORD}"))] {
        for path in [".docker/config.json", ".config/containers/auth.json"] {
            let (images, registry) = (Images::new(), OciRegistry::start());
            registry.require(auth.clone());
            write(&images.context.home().join(path), &auths(&registry, PASSWORD));
            let output = push(&images, &registry);
            assert!(output.starts_with("exit: 0\n"), "{path} {auth:?}: {output}");
            assert_eq!(registry.tags("acme/web"), ["v1"]);
            let tokens = registry.take_requests().iter().filter(|request| request.ends_with("/token")).count();
            assert!(tokens <= 1, "one token is enough for {path}");
        }
    }
}

#[test]
fn a_helper_gives_an_identity_token() {
    let (mut images, registry) = (Images::new(), OciRegistry::start());
    registry.require(OciAuth::Identity(PASSWORD.to_owned()));
    let folder = images.context.folder("programs");
    fs::create_dir(&folder).unwrap();
    let helper = folder.join("docker-credential-test");
    fs::write(&helper, format!("#!/bin/sh\nread key\n[ \"$1 $key\" = \"get {}\" ] || exit 1\necho '{{\"Username\":\"<token>\",\"Secret\":\"{PASSWORD}\"}}'\n", registry.name())).unwrap();
    fs::set_permissions(&helper, Permissions::from_mode(0o755)).unwrap();
    images.context.set_env("PATH", format!("{folder}:/usr/bin:/bin"));
    let config = images.context.folder("docker");
    write(&config.join("config.json"), &json!({ "credsStore": "test" }));
    images.context.set_env("DOCKER_CONFIG", config);
    let output = push(&images, &registry);
    assert!(output.starts_with("exit: 0\n"), "{output}");
    let other = images.context.folder("auth.json");
    write(&other, &json!({ "credHelpers": { registry.name(): "missing" } }));
    images.context.set_env("REGISTRY_AUTH_FILE", other);
    let output = push(&images, &registry);
    assert!(output.contains("the credential helper `docker-credential-missing` failed: not found"), "{output}");
}

#[test]
fn wrong_and_missing_credentials_are_told_apart() {
    let (images, registry) = (Images::new(), OciRegistry::start());
    registry.require(OciAuth::Token(format!("me:{PASSWORD}")));
    let output = push(&images, &registry);
    assert!(output.contains("the registry answered 401 to a request without credentials"), "{output}");
    assert!(output.contains(&format!("run `docker login {}`", registry.name())), "{output}");
    write(&images.context.home().join(".docker/config.json"), &auths(&registry, "wrong-hunter2"));
    let output = push(&images, &registry);
    assert!(output.contains("the registry answered 401: DENIED: wrong password"), "{output}");
    assert!(!output.contains("wrong-hunter2"), "{output}");
    assert!(registry.tags("acme/web").is_empty());
    fs::write(images.context.home().join(".docker/config.json"), format!("\"{PASSWORD}\"")).unwrap();
    let output = push(&images, &registry);
    assert!(
        output.contains("the credentials of registries are not valid") && output.starts_with("exit: 2\n"),
        "{output}"
    );
}
