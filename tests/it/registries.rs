//! Tests with registries as companies run them: a private certificate authority, tokens, passwords, client
//! certificates, tarballs on another host, proxies, and URLs that differ from the lockfile's. The record is always the
//! same, and it holds no secret.

mod builders;

use camino::Utf8Path;
use data_encoding::BASE64;
use fs_err as fs;
use serde_json::json;

use crate::support::{
    Package, Proxy, Registry, Small, TestContext, fail, run,
    small::{self, packages},
    succeed, tls,
};

pub(crate) const TOKEN: &str = "t0ken-0f-the-sc0pe";
pub(crate) const PASSWORD: &str = "passw0rd-0f-the-developer";

/// Returns `developer:<password>` in base64.
pub(crate) fn basic() -> String {
    BASE64.encode(format!("developer:{PASSWORD}").as_bytes())
}

/// Returns the secrets in each of their forms.
pub(crate) fn secrets() -> [String; 4] {
    [TOKEN.to_owned(), PASSWORD.to_owned(), basic(), BASE64.encode(PASSWORD.as_bytes())]
}

/// Checks that no file below a folder holds a secret.
#[track_caller]
pub(crate) fn assert_holds_no_secret(folder: &Utf8Path) {
    for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            assert_holds_no_secret(entry.path());
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            assert_tells_no_secret(&String::from_utf8_lossy(&bytes), entry.path().as_str());
        }
    }
}

#[track_caller]
pub(crate) fn assert_tells_no_secret(text: &str, place: &str) {
    for secret in secrets() {
        assert!(!text.contains(&secret), "{place} holds {secret}: {text}");
    }
}

/// Makes a registry private. It is below `/npm` and requires a password. `@scope`, and `/npm/private`, which may be its
/// registry, require a token. Its tarballs are on another host, which requires nothing.
pub(crate) fn make_private(registry: &Registry, storage: &Registry) {
    registry.move_to("/npm");
    registry.require("/npm/", &format!("Basic {}", basic()));
    for folder in ["/npm/@scope/", "/npm/private/"] {
        registry.require(folder, &format!("Bearer {TOKEN}"));
    }
    // `localhost` counts as another host than `127.0.0.1`.
    registry.keep_tarballs_at(&storage.url().replace("127.0.0.1", "localhost"));
}

/// Returns `.npmrc` lines with the credentials of [`make_private`].
pub(crate) fn credentials(registry: &Registry) -> String {
    let (key, password) = (registry.url().replace("https:", ""), BASE64.encode(PASSWORD.as_bytes()));
    format!(
        "{key}:username=developer\n{key}:_password={password}\n{key}@scope/:_authToken={TOKEN}\n\
         {key}private/:_authToken={TOKEN}\n"
    )
}

/// Creates a repository with a private registry. Returns it and the host of its tarballs.
fn private() -> (Small, Registry) {
    let (registry, storage) = (Registry::start_with_tls(packages()), Registry::start_with_tls(packages()));
    make_private(&registry, &storage);
    (Small::of(registry), storage)
}

fn write_home(context: &TestContext, file: &str, text: &str) {
    fs::write(context.home().join(file), text).unwrap();
}

const RECORD: &str = "nix/splitter/splitter.lock.json";

#[test]
fn a_private_registry_is_used_and_its_secrets_go_nowhere_else() {
    let (small, storage) = private();
    let context = &small.context;
    let ca = tls::file("company-ca.pem");
    let npmrc =
        |more: &str| write_home(context, ".npmrc", &format!("cafile={ca}\n{}{more}", credentials(&small.registry)));
    npmrc("");
    let output = run(&mut context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_tells_no_secret(&output, "the output");
    assert_holds_no_secret(&context.repo());
    assert_holds_no_secret(&context.home().join(".cache"));
    assert_eq!(storage.authorizations(), [""; 0]);
    assert!(!storage.take_requests().is_empty());
    let seen = small.registry.authorizations();
    assert!(seen.contains(&format!("Bearer {TOKEN}")) && seen.contains(&format!("Basic {}", basic())), "{seen:?}");
    // A refusal names the host, but no credentials.
    fs::remove_dir_all(context.home().join(".cache")).unwrap();
    small.registry.require("/npm/alpha", "Bearer another");
    let output = run(&mut context.splitter(&["-vv", "update-hash", "--jobs", "1"]));
    assert!(output.starts_with("exit: 0"), "unchanged packages need no download: {output}");
    context.remove("nix");
    let output = run(&mut context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 3") && output.contains("check the credentials"), "{output}");
    assert_tells_no_secret(&output, "the error");
}

#[test]
fn a_companys_authority_is_trusted_where_one_of_its_files_is_named() {
    let (mut small, _storage) = private();
    let ca = tls::file("company-ca.pem");
    let pem = fs::read_to_string(&ca).unwrap();
    let credentials = credentials(&small.registry);
    let init = |small: &Small| {
        let _ = fs::remove_dir_all(small.context.home().join(".cache"));
        let _ = fs::remove_dir_all(small.context.repo().join("nix"));
        run(&mut small.context.splitter(&["init"]))
    };
    write_home(&small.context, ".npmrc", &credentials);
    let output = init(&small);
    assert!(
        output.contains("the host's certificate is not trusted") && output.contains("NODE_EXTRA_CA_CERTS"),
        "{output}"
    );
    let inline = format!("ca=\"{}\"\n", pem.trim_end().replace('\n', "\\n"));
    for (file, text) in [
        (".npmrc", format!("cafile={ca}\n{credentials}")),
        (".npmrc", format!("{inline}{credentials}")),
        (
            ".npmrc",
            format!(
                "ca[]=\"{0}\"\n{1}{credentials}",
                pem.trim_end().replace('\n', "\\n"),
                inline.replace("ca=", "ca[]=")
            ),
        ),
        (".bunfig.toml", format!("[install]\ncafile = \"{ca}\"\n")),
        (".bunfig.toml", format!("[install]\nca = \"\"\"{pem}\"\"\"\n")),
    ] {
        write_home(&small.context, ".npmrc", &credentials);
        write_home(&small.context, file, &text);
        let output = init(&small);
        assert!(output.starts_with("exit: 0"), "{text}: {output}");
    }
    write_home(&small.context, ".bunfig.toml", "");
    write_home(&small.context, ".npmrc", &format!("ca=none\n{credentials}"));
    assert!(init(&small).contains("`ca` in .npmrc or bunfig.toml holds no PEM certificate"));
    write_home(&small.context, ".npmrc", &credentials);
    for variable in ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] {
        small.context.set_env(variable, ca.as_str());
        let output = init(&small);
        assert!(output.starts_with("exit: 0"), "{variable}: {output}");
        small.context.set_env(variable, "");
    }
}

/// Runs `splitter init` with a registry that requires a client certificate, and with this file in the home folder.
fn init_with_client_certificate(small: &Small, file: &str, text: &str) -> String {
    let _ = fs::remove_dir_all(small.context.home().join(".cache"));
    let _ = fs::remove_dir_all(small.context.repo().join("nix"));
    write_home(&small.context, file, text);
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    let key = fs::read_to_string(tls::file("client-key.pem")).unwrap();
    assert!(!output.contains(key.lines().nth(1).unwrap()), "{output}");
    output
}

#[test]
fn npms_files_name_client_certificates() {
    let small = Small::of(Registry::start_with_client_certificates(packages()));
    let [ca, certificate, key] = ["company-ca.pem", "client.pem", "client-key.pem"].map(tls::file);
    let host = small.registry.url().replace("https:", "");
    let text = |file: &Utf8Path| fs::read_to_string(file).unwrap().trim_end().replace('\n', "\\n");
    let output = init_with_client_certificate(&small, ".npmrc", &format!("cafile={ca}\n"));
    assert!(output.starts_with("exit: 3") && output.contains("the host requires a client certificate"), "{output}");
    assert!(output.contains(&format!("{host}:certfile")), "{output}");
    // A host that ends the connection before the request leaves may be asked again: its reason was not read yet.
    let retries: Vec<&str> = output.lines().filter(|line| line.contains("retrying")).collect();
    assert!(retries.iter().all(|line| line.contains("connection was not ready")), "{retries:?}");
    for own in [
        format!("{host}:certfile={certificate}\n{host}:keyfile={key}\n"),
        format!("cert=\"{}\"\nkey=\"{}\"\n", text(&certificate), text(&key)),
    ] {
        let output = init_with_client_certificate(&small, ".npmrc", &format!("cafile={ca}\n{own}"));
        assert!(output.starts_with("exit: 0"), "{output}");
    }
    let other = format!("cafile={ca}\n//other.example/:certfile={certificate}\n//other.example/:keyfile={key}\n");
    assert!(init_with_client_certificate(&small, ".npmrc", &other).starts_with("exit: 3"));
    let wrong = format!("cafile={ca}\n{host}:certfile={certificate}\n{host}:keyfile={certificate}\n");
    let output = init_with_client_certificate(&small, ".npmrc", &wrong);
    assert!(
        output.starts_with("exit: 2") && output.contains("cannot use the client certificate and its key"),
        "{output}"
    );
}

/// Creates a repository of Yarn 4 with this registry.
fn berry(registry: Registry) -> Small {
    registry.publish(Package::new("@yarnpkg/cli-dist", "4.9.1"));
    let small = Small { context: TestContext::new(), registry };
    let manifest =
        json!({ "name": "acme", "packageManager": "yarn@4.9.1", "dependencies": { "@scope/beta": "2.1.0-rc.1" } });
    small.context.write("package.json", manifest.to_string());
    small.context.write(
        "yarn.lock",
        "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"@scope/beta@npm:2.1.0-rc.1\":\n  version: 2.1.0-rc.1\n  \
         resolution: \"@scope/beta@npm:2.1.0-rc.1\"\n  languageName: node\n  linkType: hard\n\n\"acme@workspace:.\":\n  \
         version: 0.0.0-use.local\n  resolution: \"acme@workspace:.\"\n  dependencies:\n    \"@scope/beta\": \
         \"npm:2.1.0-rc.1\"\n  languageName: unknown\n  linkType: soft\n",
    );
    small
        .context
        .write(".yarnrc.yml", format!("nodeLinker: node-modules\nnpmRegistryServer: {}\n", small.registry.url()));
    small
}

#[test]
fn yarns_files_name_client_certificates_for_all_hosts_and_for_some() {
    let small = berry(Registry::start_with_client_certificates(packages()));
    let [ca, certificate, key] = ["company-ca.pem", "client.pem", "client-key.pem"].map(tls::file);
    let files = |indent: &str, ca: &Utf8Path| {
        format!(
            "{indent}httpsCaFilePath: {ca}\n{indent}httpsCertFilePath: {certificate}\n{indent}httpsKeyFilePath: {key}\n"
        )
    };
    let no = Utf8Path::new("/no/such/file");
    for (text, code) in [
        (files("", &ca), 0),
        (format!("networkSettings:\n  \"127.*\":\n{}", files("    ", &ca)), 0),
        // A longer pattern overrides a shorter one, and the top level comes last.
        (
            format!(
                "{}networkSettings:\n  \"*\":\n    httpsProxy: http://127.0.0.1:1\n  \"127.0.0.1\":\n    httpsProxy: \"\"\n",
                files("", &ca)
            ),
            3,
        ),
        (format!("networkSettings:\n  \"*.example\":\n{}", files("    ", &ca)), 3),
        (format!("networkSettings:\n  \"*\":\n{}", files("    ", no)), 3),
    ] {
        let output = init_with_client_certificate(&small, ".yarnrc.yml", &text);
        assert!(output.starts_with(&format!("exit: {code}")), "{text}: {output}");
    }
}

#[test]
fn yarns_environment_files_hold_variables() {
    let mut small = berry(Registry::start(packages()));
    small.registry.require_token(TOKEN);
    let home =
        format!("npmRegistryServer: {}\nnpmAlwaysAuth: true\nnpmAuthToken: ${{COMPANY_TOKEN}}\n", small.registry.url());
    write_home(&small.context, ".yarnrc.yml", &home);
    small.context.set_env("COMPANY_TOKEN", "weaker");
    small.context.set_env("PART", "sc0pe");
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("check the credentials"), "{output}");
    small.context.write(".env.yarn", format!("# mine\nCOMPANY_TOKEN=\"{}\"\n", TOKEN.replace("sc0pe", "${PART}")));
    succeed(&mut small.context.splitter(&["init"]));
    small.context.remove("nix");
    fs::remove_dir_all(small.context.home().join(".cache")).unwrap();
    small
        .context
        .write(".yarnrc.yml", small.context.read(".yarnrc.yml") + "injectEnvironmentFiles: [other.env, none.env?]\n");
    assert!(fail(&mut small.context.splitter(&["init"])).contains("check the credentials"));
    small.context.write("other.env", format!("export COMPANY_TOKEN='{TOKEN}'\n"));
    succeed(&mut small.context.splitter(&["init"]));
    assert_tells_no_secret(&small.context.read(RECORD), "the record");
}

#[test]
fn yarn_1_reads_files_above_the_repository_and_tokens_without_a_url() {
    for top in [false, true] {
        let registry = Registry::start(packages().into_iter().chain([Package::new("yarn", "1.22.22")]));
        let small = Small { context: TestContext::new(), registry };
        let url = small.registry.url();
        small.context.write("package.json", r#"{ "name": "acme", "dependencies": { "alpha": "1.0.0" } }"#);
        let integrity = packages()[0].integrity();
        small.context.write(
            "yarn.lock",
            format!("# yarn lockfile v1\n\n\nalpha@1.0.0:\n  version \"1.0.0\"\n  resolved \"{url}alpha/-/alpha-1.0.0.tgz\"\n  integrity {integrity}\n"),
        );
        small.registry.require_token(TOKEN);
        assert!(fail(&mut small.context.splitter(&["init"])).contains("401"));
        let (above, key) = (small.context.folder(".npmrc"), url.replace("http:", ""));
        let text =
            if top { format!("registry={url}\n_authToken={TOKEN}\n") } else { format!("{key}:_authToken={TOKEN}\n") };
        fs::write(above, text).unwrap();
        succeed(&mut small.context.splitter(&["init"]));
    }
}

#[test]
fn proxies_with_a_password_are_used_unless_a_host_needs_none() {
    let registry = Registry::start_with_tls(packages());
    let mut small = Small::of(registry);
    let ca = tls::file("company-ca.pem");
    let proxy = Proxy::start(&basic());
    let host = small.registry.url().replace("https://", "");
    let with = |password: &str| format!("http://developer:{password}@{}", proxy.address());
    let init = |small: &Small, npmrc: &str| {
        let _ = fs::remove_dir_all(small.context.home().join(".cache"));
        let _ = fs::remove_dir_all(small.context.repo().join("nix"));
        write_home(&small.context, ".npmrc", &format!("cafile={ca}\n{npmrc}"));
        let output = run(&mut small.context.splitter(&["-vv", "init"]));
        assert_tells_no_secret(&output, "the output");
        output
    };
    let output = init(&small, &format!("https-proxy={}\n", with("wr0ng")));
    assert!(output.starts_with("exit: 3") && output.contains("http://user:password@host:port"), "{output}");
    assert!(!output.contains("wr0ng"), "{output}");
    assert_eq!(proxy.targets(), [""; 0]);
    let output = init(&small, &format!("https-proxy={}\n", with(PASSWORD)));
    assert!(output.starts_with("exit: 0"), "{output}");
    let used = proxy.targets();
    assert!(used.contains(&format!("CONNECT {}", host.trim_end_matches('/'))), "{used:?}");
    assert!(init(&small, &format!("proxy={}\nnoproxy=127.0.0.1\n", with(PASSWORD))).starts_with("exit: 0"));
    assert_eq!(proxy.targets().len(), used.len(), "noproxy is honoured");
    small.context.set_env("https_proxy", with(PASSWORD));
    assert!(init(&small, "").starts_with("exit: 0"));
    assert!(proxy.targets().len() > used.len());
    let used = proxy.targets();
    small.context.set_env("no_proxy", "other.example,127.0.0.1");
    assert!(init(&small, "").starts_with("exit: 0"));
    assert_eq!(proxy.targets().len(), used.len(), "no_proxy is honoured");
}

/// Creates a repository whose lockfile names the URLs of another registry with the same packages. Returns both.
fn locked_elsewhere() -> (Small, Registry) {
    let small = Small::new();
    let other = Registry::start(packages());
    let lock = packages().iter().fold(small.context.read("bun.lock"), |lock, package| {
        let url = format!("{}{}", other.url(), package.tarball_path().trim_start_matches('/'));
        let entry = small::entry(package);
        lock.replace(&entry, &entry.replacen("\"\"", &format!("\"{url}\""), 1))
    });
    small.context.write("bun.lock", lock);
    (small, other)
}

#[test]
fn another_registry_is_asked_in_place_of_the_lockfiles_where_the_repository_says_so() {
    let (small, other) = locked_elsewhere();
    let context = &small.context;
    succeed(&mut context.splitter(&["init"]));
    assert_eq!(other.take_requests().len(), 3, "the lockfile's URLs are requested");
    let without = context.read(RECORD);
    assert!(!without.contains("replaces"), "{without}");
    fs::remove_dir_all(context.home().join(".cache")).unwrap();
    context.remove("nix");
    context.write(".npmrc", context.read(".npmrc") + "replace-registry-host=127.0.0.1\n");
    succeed(&mut context.splitter(&["init"]));
    assert_eq!(other.take_requests(), [""; 0]);
    let record = context.read(RECORD);
    assert!(record.contains(&format!("\"replaces\": [\"{}\"]", other.url())), "{record}");
    assert!(
        record.contains(&format!("\"url\":\"{}alpha/-/alpha-1.0.0.tgz\"", other.url())),
        "the record keeps the lockfile's URL"
    );
    succeed(&mut context.splitter(&["check"]));
    // If the registry lacks a package, the lockfile's URL is used.
    fs::remove_dir_all(context.home().join(".cache")).unwrap();
    context.remove("nix");
    small.registry.fail("/alpha/-/alpha-1.0.0.tgz", crate::support::Fault::Status(404), usize::MAX);
    succeed(&mut context.splitter(&["init"]));
    assert_eq!(other.take_requests(), ["GET /alpha/-/alpha-1.0.0.tgz"]);
    assert_eq!(context.read(RECORD), record);
}

#[test]
fn a_users_choice_of_registries_leaves_no_trace_in_the_record() {
    let (mut small, other) = locked_elsewhere();
    succeed(&mut small.context.splitter(&["init"]));
    let record = small.context.read(RECORD);
    let host = other.url();
    drop(other);
    for (npmrc, variable) in [
        ("replace-registry-host=always\n", None),
        ("", Some("always")),
        ("replace-registry-host=never\n", Some("127.0.0.1")),
    ] {
        fs::remove_dir_all(small.context.home().join(".cache")).unwrap();
        small.context.remove("nix");
        write_home(&small.context, ".npmrc", npmrc);
        small.context.set_env("npm_config_replace_registry_host", variable.unwrap_or_default());
        succeed(&mut small.context.splitter(&["init"]));
        assert_eq!(small.context.read(RECORD), record);
    }
    // A mirror whose metadata names another host for the program.
    let mirror = Registry::start(packages());
    crate::support::programs::stubs("1.4.4").for_each(|package| mirror.publish(package));
    mirror.claim_to_be("http://cdn.example/");
    fs::remove_dir_all(small.context.home().join(".cache")).unwrap();
    small.context.remove("nix");
    small.context.set_env("SPLITTER_REGISTRY", mirror.url());
    succeed(&mut small.context.splitter(&["init"]));
    assert!(mirror.take_requests().len() >= 7);
    assert_eq!(small.context.read(RECORD), record);
    assert!(record.contains(&host) && !record.contains("cdn.example"));
}

#[test]
fn a_password_in_a_lockfile_is_refused_and_not_shown() {
    let (small, other) = locked_elsewhere();
    let with_password = other.url().replace("http://", &format!("http://developer:{PASSWORD}@"));
    small.context.write("bun.lock", small.context.read("bun.lock").replace(&other.url(), &with_password));
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 2") && output.contains("bun.lock:"), "{output}");
    assert!(output.contains("contains a user name, a password or a token"), "{output}");
    assert_tells_no_secret(&output, "the error");
}

#[test]
fn a_secret_in_any_url_that_builds_read_is_refused_and_not_shown() {
    let with_password = format!("https://developer:{PASSWORD}@registry.example/a.tgz");
    let with_token = format!("https://registry.example/a.tgz?access_token={TOKEN}");
    let encoded = format!("https%3A%2F%2Fregistry.example%2Fa.tgz%3Ftoken%3D{TOKEN}");
    let manifest = |field: &str| json!({ "name": "web", "dependencies": {}, field: { "a": with_token } }).to_string();
    let yarn_1 = format!("# yarn lockfile v1\n\n\na@^1.0.0:\n  version \"1.0.0\"\n  resolved \"{with_token}\"\n");
    let later = format!(
        "__metadata:\n  version: 8\n\n\"a@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0::__archiveUrl={encoded}\"\n  linkType: hard\n"
    );
    let plain_yarn = "__metadata:\n  version: 8\n";
    for (lockfile, file, text) in [
        ("bun.lock", "apps/web/package.json", manifest("dependencies")),
        ("bun.lock", "apps/web/package.json", manifest("overrides")),
        ("bun.lock", "splitter.json", json!({ "downloads": { "a": [with_token] } }).to_string()),
        ("bun.lock", "splitter.json", json!({ "downloads": { "a": [{ "url": with_password }] } }).to_string()),
        ("yarn.lock", "yarn.lock", yarn_1),
        ("yarn.lock", "yarn.lock", later),
        ("yarn.lock", ".yarnrc.yml", format!("plugins:\n  - path: a.cjs\n    spec: \"{with_password}\"\n")),
        ("yarn.lock", ".yarnrc.yml", format!("catalog:\n  a: \"{with_token}\"\n")),
    ] {
        let small = Small::without_git();
        if lockfile == "yarn.lock" {
            small.context.remove("bun.lock");
            small.context.write("yarn.lock", plain_yarn);
            small.context.write("a.cjs", "");
            let root = small.context.read("package.json").replace("bun@1.4.4", "yarn@4.9.1");
            small.context.write("package.json", root);
        }
        small.context.write(file, &text);
        let output = run(&mut small.context.splitter(&["-vv", "init"]));
        assert!(output.starts_with("exit: 2") && output.contains(&format!("{file}:")), "{file} {text}: {output}");
        assert!(output.contains("password"), "{file} {text}: {output}");
        assert_tells_no_secret(&output, "the error");
        assert!(!small.context.repo().join("nix").exists());
    }
}

#[test]
fn bytes_that_a_hostile_repository_brought_reach_no_other_one() {
    let evil = Registry::start(vec![Package::new("alpha", "1.0.0").file("evil.js", "evil")]);
    let yarn_1 = |registry: &str| {
        let small = Small::without_git();
        small.context.remove("bun.lock");
        small.context.remove("apps");
        small.context.remove("packages");
        let manifest =
            json!({ "name": "acme", "packageManager": "yarn@1.22.22", "dependencies": { "alpha": "1.0.0" } });
        small.context.write("package.json", manifest.to_string());
        small.context.write(".yarnrc", "yarn-path \"yarn.js\"\n");
        small.context.write("yarn.js", "");
        let resolved = "http://registry.example/alpha/-/alpha-1.0.0.tgz";
        let lock = format!("# yarn lockfile v1\n\n\nalpha@1.0.0:\n  version \"1.0.0\"\n  resolved \"{resolved}\"\n");
        small.context.write("yarn.lock", lock);
        small.context.write(".npmrc", registry);
        small
    };
    let mut honest = yarn_1("registry=http://registry.example/\n");
    let cache = honest.context.home().join("shared");
    honest.context.set_env("SPLITTER_CACHE_DIR", cache.as_str());
    let mut hostile = yarn_1(&format!("registry={}\nreplace-registry-host=always\n", evil.url()));
    hostile.context.set_env("SPLITTER_CACHE_DIR", cache.as_str());
    succeed(&mut hostile.context.splitter(&["init"]));
    hostile.context.remove("nix");
    succeed(&mut hostile.context.splitter(&["init", "--offline"]));
    let output = run(&mut honest.context.splitter(&["init", "--offline"]));
    assert!(output.starts_with("exit: 3") && output.contains("alpha@1.0.0"), "{output}");
}
