//! Runs the Nix builders as Nix does. Mirrors and credentials come from impure variables and from files that the
//! sandbox shows.

use fs_err as fs;
use serde_json::{Value, json};

use super::{
    PASSWORD, RECORD, TOKEN, assert_holds_no_secret, assert_tells_no_secret, basic, credentials, locked_elsewhere,
    private, write_home,
};
use crate::support::{
    Fault, Registry, Small, run,
    small::{self, packages},
    succeed, tls,
};

/// Runs the builder of `deps`. Returns its output.
fn fetch_deps(small: &Small, variables: &[(&str, String)]) -> String {
    let context = &small.context;
    let record: Value = serde_json::from_str(&context.read(RECORD)).unwrap();
    let spec = json!({
        "registry": record["registry"],
        "replaces": record.get("replaces").cloned().unwrap_or(json!([])),
        "entries": record["dependencies"],
    });
    let (build, out) = (context.folder("build"), context.folder("out"));
    for folder in [&build, &out] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir(folder).unwrap();
    }
    fs::write(build.join("spec"), spec.to_string()).unwrap();
    let mut node = context.command("node");
    node.arg(context.repo().join("nix/splitter/tools/fetch-deps.mjs"));
    node.env("specPath", build.join("spec")).env("out", &out).env("NIX_BUILD_TOP", &build).env("HOME", &build);
    node.env("CURL_CA_BUNDLE", tls::file("company-ca.pem"));
    let output = run(node.envs(variables.iter().map(|(name, value)| (name, value))));
    assert_tells_no_secret(&output, "the builder's log");
    assert_holds_no_secret(&build);
    assert_holds_no_secret(&out);
    output
}

#[test]
fn a_builder_takes_credentials_from_files_that_it_is_shown() {
    let (small, storage) = private();
    let context = &small.context;
    let npmrc = context.home().join(".npmrc");
    write_home(context, ".npmrc", &format!("cafile={}\n{}", tls::file("company-ca.pem"), credentials(&small.registry)));
    succeed(&mut context.splitter(&["init"]));
    let output = fetch_deps(&small, &[]);
    assert!(
        output.starts_with("exit: 1")
            && output.contains("401")
            && output.contains("the page registries.md of splitter's documentation"),
        "{output}"
    );
    let output = fetch_deps(&small, &[("SPLITTER_NPMRC", "/no/such/file".to_owned())]);
    assert!(output.contains("cannot read the file that SPLITTER_NPMRC names"), "{output}");
    let output = fetch_deps(&small, &[("SPLITTER_NPMRC", npmrc.to_string())]);
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!(storage.authorizations(), [""; 0]);
    // A netrc has one password for each host, which works for all packages but those of the scope.
    let netrc = context.home().join("netrc");
    fs::write(&netrc, format!("machine 127.0.0.1 login developer password {PASSWORD}\n")).unwrap();
    let output = fetch_deps(&small, &[("NETRC", netrc.to_string())]);
    assert!(output.contains("1 of 3 packages") && output.contains("@scope/beta"), "{output}");
    small.registry.require("/npm/@scope/", &format!("Basic {}", basic()));
    let output = fetch_deps(&small, &[("NETRC", netrc.to_string())]);
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!(storage.authorizations(), [""; 0]);
}

#[test]
fn a_builder_reaches_a_mirror_that_the_record_does_not_know() {
    let (small, other) = locked_elsewhere();
    let context = &small.context;
    context.write(
        ".npmrc",
        format!("registry={}\n@scope:registry={}scoped/\n", small.registry.url(), small.registry.url()),
    );
    context.write("bun.lock", small::lock(&packages()[..2]));
    small.registry.serve("/scoped/@scope/beta/-/beta-2.1.0-rc.1.tgz", packages()[1].tarball());
    succeed(&mut context.splitter(&["init"]));
    let mirror = Registry::start(packages());
    mirror.move_to("/api/npm");
    mirror.require_token(TOKEN);
    let url = mirror.url();
    drop(other);
    let asked = |variables: &[(&str, String)]| {
        small.registry.take_requests();
        let output = fetch_deps(&small, variables);
        (output, mirror.take_requests(), small.registry.take_requests())
    };
    let npmrc = context.home().join("shown.npmrc");
    fs::write(&npmrc, format!("{}:_authToken={TOKEN}\n", url.replace("http:", ""))).unwrap();
    let variables =
        [("SPLITTER_REGISTRY", url.trim_end_matches('/').to_owned()), ("SPLITTER_NPMRC", npmrc.to_string())];
    let (output, at_mirror, at_registry) = asked(&variables);
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!(at_mirror, ["GET /api/npm/alpha/-/alpha-1.0.0.tgz"]);
    assert_eq!(at_registry, ["GET /scoped/@scope/beta/-/beta-2.1.0-rc.1.tgz"]);
    // Now the file alone names both registries.
    let text = fs::read_to_string(&npmrc).unwrap() + &format!("registry={url}\n@scope:registry = \"{url}\"\n");
    fs::write(&npmrc, text).unwrap();
    let (output, at_mirror, at_registry) = asked(&variables[1..]);
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!((at_mirror.len(), at_registry), (2, Vec::new()));
    // No output shows a password in the URL.
    mirror.require_token("another");
    let with_password = url.replace("http://", &format!("http://developer:{PASSWORD}@"));
    let (output, ..) = asked(&[("SPLITTER_REGISTRY", with_password)]);
    assert!(
        output.starts_with("exit: 1") && output.contains(&format!("from {url}alpha/-/alpha-1.0.0.tgz")),
        "{output}"
    );
    assert!(mirror.authorizations().contains(&format!("Basic {}", basic())));
}

#[test]
fn a_builder_asks_in_place_of_the_lockfiles_registry_as_the_record_says() {
    let (small, other) = locked_elsewhere();
    let context = &small.context;
    context.write(".npmrc", context.read(".npmrc") + "replace-registry-host=127.0.0.1\n");
    succeed(&mut context.splitter(&["init"]));
    small.registry.take_requests();
    let output = fetch_deps(&small, &[]);
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!((small.registry.take_requests().len(), other.take_requests().len()), (3, 0));
    small.registry.fail("/alpha/-/alpha-1.0.0.tgz", Fault::Status(404), usize::MAX);
    assert!(fetch_deps(&small, &[]).starts_with("exit: 0"));
    assert_eq!(other.take_requests(), ["GET /alpha/-/alpha-1.0.0.tgz"]);
}
