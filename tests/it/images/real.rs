//! Real tools: a registry, skopeo, umoci and runc take what splitter makes, and the image runs.

use std::process::Command;

use camino::Utf8Path;
use data_encoding::BASE64;
use fs_err as fs;
use serde_json::Value;

use crate::{
    end_to_end::verify::splitter,
    support::{
        BUN_VERSIONS, Images, NixMonorepo, OciRegistry, RealRegistry, fail, run, stand_in::system, succeed, tls, tools,
    },
};

/// Returns a skopeo command that trusts all images.
pub(super) fn skopeo(images: &Images, program: &Utf8Path, args: &[&str]) -> Command {
    let policy = images.context.folder("policy.json");
    fs::write(&policy, r#"{"default":[{"type":"insecureAcceptAnything"}]}"#).unwrap();
    let mut command = images.context.command(program);
    command.args(["--policy", policy.as_str()]).args(args);
    command
}

/// Puts a shell and its libraries into the image, and an app that it runs.
fn with_shell(images: &Images) {
    let shell = fs::canonicalize("/bin/sh").unwrap();
    images.file(2, "bin/sh", fs::read(&shell).unwrap());
    let listed = Command::new("ldd").arg(&shell).output().unwrap();
    for library in String::from_utf8_lossy(&listed.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
        images.file(1, library.trim_start_matches('/'), fs::read(library).unwrap());
    }
    let script = format!(
        "#!{}/bin/sh\nwhile read -r key value rest; do [ \"$key\" = Uid: ] && echo \"user $value\"; done < /proc/self/status\n\
         : > /var/tmp/x && echo tmp is writable\n( : > /etc/x ) 2> /dev/null || echo etc is not\necho \"$NODE_ENV\"\n",
        images.path(2)
    );
    images.file(3, "bin/app", script);
}

#[test]
fn e2e_images_are_pulled_unpacked_and_run() {
    let Some(registry) = tools::oci("docker-registry") else { return };
    let (Some(program), Some(umoci), Some(runc)) = (tools::oci("skopeo"), tools::oci("umoci"), tools::oci("runc"))
    else {
        return;
    };
    let images = Images::new();
    with_shell(&images);
    let registry = RealRegistry::start(&images.context, &registry);
    for format in ["gzip", "zstd", "none"] {
        let repository = format!("acme/web-{format}");
        let to = format!("{}/{repository}:v1", registry.name());
        let line = succeed(&mut images.push(&to, &["--compression", format]));
        let digest = line.split_once('@').unwrap().1;
        let source = format!("docker://{to}");
        let inspected = succeed(&mut skopeo(&images, &program, &["inspect", "--tls-verify=false", &source]));
        let inspected: Value = serde_json::from_str(&inspected).unwrap();
        assert_eq!(inspected["Digest"], digest);
        let layout = images.context.folder(&format!("pulled-{format}"));
        let target = format!("oci:{layout}:v1");
        succeed(&mut skopeo(&images, &program, &["copy", "--src-tls-verify=false", &source, &target]));
        if format == "zstd" {
            // umoci of Debian 12 reads no zstd; skopeo checked the digests.
            continue;
        }
        let bundle = images.context.folder(&format!("bundle-{format}"));
        let image = format!("{layout}:v1");
        succeed(images.context.command(&umoci).args(["unpack", "--image", &image, bundle.as_str()]));
        assert_eq!(run_bundle(&images, &runc, &bundle), "user 65532\ntmp is writable\netc is not\nproduction");
    }
}

fn run_bundle(images: &Images, runc: &Utf8Path, bundle: &Utf8Path) -> String {
    let path = bundle.join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    config["process"]["terminal"] = false.into();
    fs::write(&path, config.to_string()).unwrap();
    let state = images.context.folder("runc");
    let name = format!("splitter-{}-{}", std::process::id(), bundle.file_name().unwrap());
    let args = ["--root", state.as_str(), "run", "--bundle", bundle.as_str(), &name];
    succeed(images.context.command(runc).args(args))
}

#[test]
fn e2e_images_send_only_what_changed() {
    let (Some(registry), Some(program)) = (tools::oci("docker-registry"), tools::oci("skopeo")) else { return };
    let images = Images::new();
    let registry = RealRegistry::start(&images.context, &registry);
    let to = format!("{}/web:v1", registry.name());
    let line = succeed(&mut images.push(&to, &[]));
    // Three layers, the configuration, the manifest by its digest and by its tag.
    assert_eq!(registry.uploads(), 6);
    assert_eq!(succeed(&mut images.push(&to, &[])), line);
    assert_eq!(registry.uploads(), 6, "a second push sends nothing");
    images.file(3, "bin/app", "#!/bin/sh\necho two\n");
    let plan = images.write("web", &images.plan("web", 2));
    succeed(&mut images.push_plan(&plan, &to, &[]));
    assert_eq!(registry.uploads(), 10, "the app's layer, the configuration, the manifest twice");
    let other = format!("{}/api:v1", registry.name());
    let output = run(&mut images.push_plan(&plan, &other, &[]));
    assert_eq!(output.matches("mounted from web").count(), 3, "{output}");
    // skopeo finds the same image in a layout, and has nothing to send either.
    let layout = images.context.folder("layout");
    let digest =
        succeed(&mut images.context.splitter(&["images", "write", "--plan", &plan, layout.as_str(), "--tag", "v1"]));
    let source = format!("oci:{layout}:v1");
    let target = format!("docker://{}/copied:v1", registry.name());
    succeed(&mut skopeo(&images, &program, &["copy", "--dest-tls-verify=false", &source, &target]));
    let inspected = succeed(&mut skopeo(&images, &program, &["inspect", "--tls-verify=false", &target]));
    assert_eq!(serde_json::from_str::<Value>(&inspected).unwrap()["Digest"], digest.as_str());
}

/// The password `hunter2-secret` in the form of htpasswd.
const HTPASSWD: &str = "me:$2b$05$abcdefghijklmnopqrstuuco6HW5qgMYWmvqwt2HG533btIvodevS\n";

#[test]
fn e2e_images_go_to_a_registry_with_tls_and_passwords() {
    let Some(program) = tools::oci("docker-registry") else { return };
    let mut images = Images::new();
    let passwords = images.context.folder("htpasswd");
    fs::write(&passwords, HTPASSWD).unwrap();
    let (certificate, key) = (tls::file("server.pem"), tls::file("server-key.pem"));
    let http = format!(", tls: {{ certificate: {certificate}, key: {key} }}");
    let auth = format!("auth: {{ htpasswd: {{ realm: test, path: {passwords} }} }}\n");
    let registry = RealRegistry::start_with(&images.context, &program, &http, &auth);
    let to = format!("https://{}/acme/web:v1", registry.name());
    let output = fail(&mut images.push(&to, &[]));
    assert!(output.contains("the certificate of the registry is not trusted: "), "{output}");
    assert!(output.contains("hint: set SSL_CERT_FILE"), "{output}");
    images.context.set_env("SSL_CERT_FILE", tls::file("company-ca.pem"));
    let output = fail(&mut images.push(&to, &[]));
    assert!(output.contains("answered 401 to a request without credentials"), "{output}");
    let config = images.context.home().join(".docker/config.json");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    let login = |password: &str| {
        let auth = BASE64.encode(format!("me:{password}").as_bytes());
        let file = serde_json::json!({ "auths": { registry.name(): { "auth": auth } } });
        fs::write(&config, file.to_string()).unwrap();
    };
    login("wrong-secret");
    let output = fail(images.push(&to, &[]).arg("-vv"));
    assert!(output.contains("the registry answered 401") && !output.contains("wrong-secret"), "{output}");
    login("hunter2-secret");
    let line = succeed(&mut images.push(&to, &[]));
    assert!(line.starts_with(&format!("{}/acme/web@sha256:", registry.name())), "{line}");
    assert_eq!(succeed(&mut images.push(&to, &[])), line);
}

#[test]
fn e2e_images_for_several_platforms_are_one_index() {
    let (Some(registry), Some(program)) = (tools::oci("docker-registry"), tools::oci("skopeo")) else { return };
    let images = Images::new();
    let registry = RealRegistry::start(&images.context, &registry);
    let to = format!("{}/web:v1", registry.name());
    let mut arm = images.plan("web", 1);
    arm["architecture"] = "arm64".into();
    let (amd, arm) = (images.write("amd", &images.plan("web", 1)), images.write("arm", &arm));
    let line = succeed(&mut images.push_plan(&amd, &to, &["--plan", &arm]));
    let raw =
        succeed(&mut skopeo(&images, &program, &["inspect", "--raw", "--tls-verify=false", &format!("docker://{to}")]));
    let index: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    for architecture in ["amd64", "arm64"] {
        let target = format!("oci:{}:v1", images.context.folder(architecture));
        let args =
            ["--override-arch", architecture, "copy", "--src-tls-verify=false", &format!("docker://{line}"), &target];
        succeed(&mut skopeo(&images, &program, &args));
    }
}

#[test]
fn e2e_images_plans_are_built_by_nix() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let plan = r#"plan = let
          pkgs = nixpkgs.legacyPackages.${system};
          app = pkgs.runCommand "app" { } "mkdir -p $out/bin; echo hello > $out/bin/app";
        in pkgs.runCommand "web-plan" { } ''
          cat > $out <<EOF
          { "version": 1, "name": "acme/web", "tag": "v7", "architecture": "amd64", "os": "linux",
            "created": "1970-01-01T00:00:01Z", "config": { "Cmd": ["${app}/bin/app"] },
            "layers": [{ "name": "app", "changes": "each commit", "paths": [{ "path": "${app}", "narSize": 136,
              "narHash": "sha256:0000000000000000000000000000000000000000000000000000" }] }] }
          EOF
        '';"#;
    let flake = nix.context().read("flake.nix");
    let own = "legacyPackages = forAllSystems \"legacyPackages\";";
    assert!(flake.contains(own), "{flake}");
    let with_image = format!(
        "legacyPackages = nixpkgs.lib.genAttrs systems (system: (splitterFor system).outputs.legacyPackages // {{ images.web = {{ {plan} }}; }});"
    );
    nix.context().write("flake.nix", flake.replace(own, &with_image));
    nix.context().commit_all("an image");
    let table = succeed(&mut splitter(&nix, &["images", "--system", &system()]));
    assert!(table.contains("acme/web (linux/amd64)") && table.contains("each commit"), "{table}");
    let registry = OciRegistry::start();
    let to = format!("{}/", registry.name());
    let line = succeed(&mut splitter(&nix, &["images", "push", "web", "--system", &system(), "--to", &to]));
    assert!(line.starts_with(&format!("{}/acme/web@sha256:", registry.name())), "{line}");
    assert_eq!(registry.tags("acme/web"), ["v7"]);
    let output = fail(&mut splitter(&nix, &["images", "push", "api", "--to", &to]));
    assert!(output.contains("image `api` not found in the flake; it has web"), "{output}");
}
