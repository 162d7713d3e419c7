//! A company's registry, from the developer to the sandbox: TLS with its own authority, a password, a token for one scope,
//! tarballs on another host. Real package managers write the lockfiles, and no secret is stored anywhere.

use std::process::Command;

use fs_err as fs;

use crate::{
    registries::{self, PASSWORD, TOKEN, assert_tells_no_secret, make_private, secrets},
    support::{
        BUN_VERSIONS, Monorepo, NixMonorepo, Project, Registry, TestContext, YARN_VERSIONS, YarnMonorepo,
        monorepo::packages, run, succeed, tls,
    },
};

/// Starts the registry, and the host of its tarballs.
fn private() -> (Registry, Registry) {
    let (registry, storage) = (Registry::start_with_tls(packages()), Registry::start_with_tls(packages()));
    make_private(&registry, &storage);
    (registry, storage)
}

/// Writes a developer's settings for each package manager to the home folder.
fn write_home(context: &TestContext, registry: &Registry) {
    let ca = tls::file("company-ca.pem");
    let url = registry.url();
    let scope = format!("{{ url = \"{url}\", token = \"{TOKEN}\" }}");
    let default = format!("{{ url = \"{url}\", username = \"developer\", password = \"{PASSWORD}\" }}");
    let bunfig = format!("[install]\ncafile = \"{ca}\"\nregistry = {default}\n[install.scopes]\nscope = {scope}\n");
    let yarnrc = format!(
        "httpsCaFilePath: {ca}\nnpmRegistryServer: {url}\nnpmAlwaysAuth: true\nnpmAuthIdent: developer:{PASSWORD}\nnpmScopes:\n  scope:\n    \
         npmRegistryServer: {url}\n    npmAuthToken: {TOKEN}\n"
    );
    fs::create_dir_all(context.home().join(".config")).unwrap();
    for (file, text) in [(".config/.bunfig.toml", &bunfig), (".yarnrc.yml", &yarnrc)] {
        fs::write(context.home().join(file), text).unwrap();
    }
    // Yarn 1 uses another home folder for root, but reads this file above the repository.
    let npmrc = format!("always-auth=true\n{}", registries::credentials(registry));
    fs::write(context.folder(".npmrc"), npmrc).unwrap();
}

/// Returns the files below a folder that contain a secret.
fn with_secrets(context: &TestContext, folder: &str) -> String {
    let patterns: Vec<String> = secrets().iter().map(|secret| format!("--regexp={secret}")).collect();
    let mut grep = context.command("grep");
    grep.args(["-r", "-l", "-a", "--fixed-strings"]).args(patterns).arg(context.folder(folder));
    run(&mut grep)
}

/// Writes the record, builds in a sandbox that shows the credentials, and searches all results for secrets.
fn keeps_its_secrets<P: Project>(monorepo: P, storage: &Registry) {
    write_home(monorepo.context(), monorepo.registry());
    storage.publish(monorepo.program());
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    let context = nix.context();
    let said = run(&mut context.splitter(&["-vv", "update-hash"]));
    assert!(said.starts_with("exit: 0"), "{said}");
    assert_tells_no_secret(&said, "the output");
    // Neither file can express all settings alone.
    let [netrc, npmrc] = ["secrets/netrc", "secrets/npmrc"].map(|file| context.folder(file));
    fs::create_dir(context.folder("secrets")).unwrap();
    fs::write(&netrc, format!("machine 127.0.0.1 login developer password {PASSWORD}\n")).unwrap();
    let key = nix.monorepo.registry().url().replace("https:", "");
    fs::write(&npmrc, format!("{key}@scope/:_authToken={TOKEN}\n{key}private/:_authToken={TOKEN}\n")).unwrap();
    let with_certificates = |mut command: Command| {
        // Nix shows this file to downloading builds as the machine's certificates.
        command.env("NIX_SSL_CERT_FILE", tls::file("company-ca.pem")).args(["--option", "compress-build-log", "false"]);
        command
    };
    let refused = run(&mut with_certificates(nix.build_command("deps")));
    assert!(
        refused.starts_with("exit: 1") && refused.contains("the page registries.md of splitter's documentation"),
        "{refused}"
    );
    let asked_before = storage.authorizations().len();
    let mut build = with_certificates(nix.build_command("nodeModules"));
    build.env("NETRC", &netrc).env("SPLITTER_NPMRC", &npmrc);
    build.args(["--option", "extra-sandbox-paths", &format!("{netrc} {npmrc}")]);
    let output = build.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert_tells_no_secret(&(said + &refused), "the log");
    assert_eq!(storage.authorizations().len(), asked_before, "a redirect takes no secret along");
    let derivation = succeed(&mut nix.nix(&["path-info", "--derivation", ".#nodeModules"]));
    assert!(fs::read_to_string(derivation).unwrap().contains("deps-common-"));
    // The store with derivations and database, the logs, the repository, and splitter's cache.
    for folder in ["nix", "repo", "home/.cache/splitter"] {
        assert_eq!(with_secrets(context, folder), "exit: 1\n----- stdout\n----- stderr\n", "{folder}");
    }
    assert!(with_secrets(context, "secrets").contains("secrets/netrc"), "the search finds what there is");
}

#[test]
fn e2e_bun_1_4_builds_from_a_private_registry() {
    let (registry, storage) = private();
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| {
        write_home(&monorepo.context, &monorepo.registry);
        monorepo.name_registry();
    });
    if let Some(monorepo) = monorepo {
        keeps_its_secrets(monorepo, &storage);
    }
}

fn builds_from_a_private_registry(version: &str) {
    let (registry, storage) = private();
    let monorepo = YarnMonorepo::with_registry(version, "node-modules", registry, |monorepo| {
        write_home(&monorepo.context, &monorepo.registry);
        if version == YARN_VERSIONS[0] {
            // A netrc file has one secret per host.
            monorepo.context.write(".npmrc", format!("@scope:registry={}private/\n", monorepo.registry.url()));
            monorepo.context.set_env("npm_config_cafile", tls::file("company-ca.pem"));
        }
    });
    if let Some(monorepo) = monorepo {
        keeps_its_secrets(monorepo, &storage);
    }
}

#[test]
fn e2e_yarn_1_builds_from_a_private_registry() {
    builds_from_a_private_registry(YARN_VERSIONS[0]);
}

#[test]
fn e2e_yarn_4_builds_from_a_private_registry() {
    builds_from_a_private_registry(YARN_VERSIONS[2]);
}
