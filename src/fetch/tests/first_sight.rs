//! Tests that downloads of a hostile repository never reach an honest one. All repositories of a user share the cache.

use super::*;

/// Creates a repository with these files, which shares the cache of `other`.
fn repository(format: Format, other: &World, files: &[(&str, &str)]) -> World {
    let world = World { cache: other.cache.clone(), ..World::of(format) };
    files.iter().fold(world, |world, (path, text)| world.write(path, text))
}

/// Starts a server that answers each request with the same bytes, or with metadata of a version that has them.
fn hostile_server() -> Server {
    Server::start(|_, request| {
        if request.path.contains("/-/") {
            return Reply::ok(b"evil");
        }
        let tarball = "http://registry.example/tool/-/tool-1.0.0.tgz";
        let dist = format!(r#"{{"tarball":"{tarball}","integrity":"{}"}}"#, sha512(b"evil"));
        Reply::ok(format!(r#"{{"name":"tool","version":"1.0.0","dist":{dist}}}"#).as_bytes())
    })
}

fn left_pad() -> [Wanted; 1] {
    [wanted(Url::parse("http://registry.example/left-pad/-/left-pad-1.0.0.tgz").unwrap(), None)]
}

const HONEST_NPMRC: (&str, &str) = ("repo/.npmrc", "registry=http://registry.example/\n");
const HONEST_YARNRC: (&str, &str) =
    ("repo/.yarnrc.yml", "npmRegistryServer: http://registry.example/\nunsafeHttpWhitelist: ['*']\n");

/// Returns settings with which a hostile repository gets the bytes from `server`.
fn hostile_settings(server: &Url) -> Vec<(Format, &'static str, String)> {
    let honest = HONEST_NPMRC.1;
    let yarnrc = HONEST_YARNRC.1;
    vec![
        (Format::YarnClassic, "repo/.npmrc", format!("registry={server}\nreplace-registry-host=always\n")),
        (Format::YarnClassic, "repo/.npmrc", format!("registry={server}\nreplace-registry-host=registry.example\n")),
        (Format::Bun(1), "repo/.npmrc", format!("registry={server}\nreplace-registry-host=always\n")),
        (Format::YarnClassic, "repo/.npmrc", format!("{honest}proxy={server}\n")),
        (Format::Bun(1), "repo/.npmrc", format!("{honest}proxy={server}\n")),
        (Format::YarnClassic, "repo/.yarnrc", format!("registry \"http://registry.example/\"\nproxy \"{server}\"\n")),
        (Format::YarnBerry(8), "repo/.yarnrc.yml", format!("{yarnrc}httpProxy: {server}\n")),
        (
            Format::YarnBerry(8),
            "repo/.yarnrc.yml",
            format!("{yarnrc}networkSettings:\n  '*.example':\n    httpProxy: {server}\n"),
        ),
    ]
}

#[tokio::test]
async fn no_setting_of_a_repository_puts_its_bytes_into_another_one() {
    let server = hostile_server();
    for (format, file, text) in hostile_settings(&server.url) {
        let hostile = World::of(format).write(file, &text);
        let fetched = hostile.fetch(&left_pad()).await.unwrap();
        assert_eq!(fetched[0].integrity, sha512(b"evil"), "{text}");
        assert_eq!(hostile.offline(&left_pad()).unwrap()[0].origin, DownloadOrigin::Cached, "{text}");
        let honest = repository(format, &hostile, &[HONEST_NPMRC, HONEST_YARNRC]);
        let found = honest.offline(&left_pad());
        assert!(matches!(&found, Err(FetchError::Missing { .. })), "{text}{found:?}");
    }
}

#[tokio::test]
async fn no_setting_of_a_repository_chooses_the_package_manager_of_another_one() {
    let server = hostile_server();
    for (format, file, text) in hostile_settings(&server.url).into_iter().filter(|(.., text)| text.contains("roxy")) {
        let hostile = World::of(format).write(file, &text);
        let found = hostile.downloader().package_version("tool", "1.0.0").await.unwrap();
        assert_eq!(found.integrity, sha512(b"evil"), "{text}");
        let honest = repository(format, &hostile, &[HONEST_NPMRC, HONEST_YARNRC]);
        assert_eq!(honest.known_version("tool", "1.0.0"), None, "{text}");
    }
}

#[tokio::test]
async fn the_program_of_a_package_manager_lies_at_its_registry() {
    let server = hostile_server();
    let hostile = World::of(Format::YarnClassic).write("repo/.npmrc", &format!("registry={}\n", server.url));
    let error = hostile.downloader().package_version("tool", "1.0.0").await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("registry.example") && text.contains(server.url.as_str()), "{text}");
    assert!(!error.hints().is_empty() && error.category() == Category::Input);
    let honest = repository(Format::YarnClassic, &hostile, &[HONEST_NPMRC]);
    assert_eq!(honest.known_version("tool", "1.0.0"), None);
}

/// Returns the cache names of a first download from a public URL, and of the versions of a tool.
fn names(world: &World) -> [String; 2] {
    let registries = world.registries();
    let [wanted] = left_pad();
    let of_url = registries.sight_of(&wanted.url, &wanted.package, &wanted.form);
    [of_url, registries.sight_of_versions("tool")].map(|sight| sight.as_str().to_owned())
}

#[test]
fn what_a_repository_changes_on_the_way_is_part_of_the_name() {
    let honest = |format| {
        names(&World::of(format).write(HONEST_NPMRC.0, HONEST_NPMRC.1).write(HONEST_YARNRC.0, HONEST_YARNRC.1))
    };
    let pem = "ca=\"-----BEGIN CERTIFICATE-----\"\n";
    for (format, file, text) in [
        (Format::Bun(1), ".npmrc", "https-proxy=http://evil.example:1\n"),
        (Format::Bun(1), ".npmrc", "https-proxy=http://evil.example:1\ncafile=ca.pem\n"),
        (Format::Bun(1), ".npmrc", "cafile=ca.pem\n"),
        (Format::Bun(1), ".npmrc", pem),
        (Format::Bun(1), ".npmrc", "noproxy=registry.example\n"),
        (Format::Bun(1), ".npmrc", "cert=a\nkey=b\n"),
        (Format::Bun(1), ".npmrc", "//other.example/:certfile=a\n//other.example/:keyfile=b\n"),
        (Format::Bun(1), ".npmrc", "//registry.example/:_authToken=evil\n"),
        (Format::Bun(1), ".npmrc", "_auth=evil\n"),
        (Format::Bun(1), "bunfig.toml", "[install]\ncafile = \"ca.pem\"\n"),
        (Format::Bun(1), "bunfig.toml", "[install]\nca = \"evil\"\n"),
        (
            Format::Bun(1),
            "bunfig.toml",
            "[install.scopes]\nx = {url = \"http://registry.example\", token = \"evil\"}\n",
        ),
        (Format::YarnClassic, ".npmrc", "https-proxy=http://evil.example:1\n"),
        (Format::YarnClassic, ".yarnrc", "https-proxy \"http://evil.example:1\"\n"),
        (Format::YarnClassic, ".yarnrc", "cafile \"ca.pem\"\n"),
        (Format::YarnClassic, "../.npmrc", "https-proxy=http://evil.example:1\n"),
        (Format::YarnClassic, "../.npmrc", "//registry.example/:_authToken=evil\n"),
        (Format::YarnBerry(8), ".yarnrc.yml", "httpsProxy: http://evil.example:1\nhttpsCaFilePath: ca.pem\n"),
        (Format::YarnBerry(8), ".yarnrc.yml", "httpsCaFilePath: ca.pem\n"),
        (
            Format::YarnBerry(8),
            ".yarnrc.yml",
            "networkSettings:\n  'cdn.example':\n    httpsProxy: http://evil.example:1\n",
        ),
        (Format::YarnBerry(8), ".yarnrc.yml", "networkSettings:\n  'cdn.example':\n    httpsCaFilePath: ca.pem\n"),
        (Format::YarnBerry(8), ".yarnrc.yml", "npmRegistries:\n  //registry.example:\n    npmAuthToken: evil\n"),
        (Format::YarnBerry(8), ".env.yarn", "SOME_TOKEN=evil\n"),
        (Format::YarnBerry(8), "../.yarnrc.yml", "httpsProxy: http://evil.example:1\n"),
    ] {
        let file = format!("repo/{file}");
        let rc = [HONEST_NPMRC, HONEST_YARNRC].into_iter().find_map(|(path, text)| (path == file).then_some(text));
        let text = format!("{}{text}", rc.unwrap_or_default());
        let world = World::of(format).write("repo/ca.pem", "evil").write(HONEST_NPMRC.0, HONEST_NPMRC.1);
        let world = world.write(HONEST_YARNRC.0, HONEST_YARNRC.1).write(&file, &text);
        let (changed, honest) = (names(&world), honest(format));
        assert!(changed[0] != honest[0] && changed[1] != honest[1], "{format:?} {file}: {text}");
    }
}

#[test]
fn an_authority_is_named_by_its_content() {
    let with = |pem: &str| names(&World::new().write("repo/.npmrc", "cafile=ca.pem\n").write("repo/ca.pem", pem));
    assert_eq!(with("company"), with("company"), "two checkouts share an entry");
    assert_ne!(with("company"), with("evil"));
}

#[test]
fn what_is_the_users_or_reaches_no_host_is_no_part_of_the_name() {
    for format in [Format::Bun(1), Format::YarnClassic, Format::YarnBerry(8)] {
        let plain = names(&World::of(format));
        for (file, text) in [
            (
                "home/.npmrc",
                "https-proxy=http://us:pw@proxy.example:1\n//registry.example/:_authToken=t\nca=\"company\"\n",
            ),
            ("home/.bunfig.toml", "[install]\nca = \"company\"\n"),
            ("home/.yarnrc", "https-proxy \"http://proxy.example:1\"\n"),
            (
                "home/.yarnrc.yml",
                "httpsProxy: http://proxy.example:1\nnpmAuthToken: t\nnetworkSettings:\n  '*':\n    httpProxy: http://p.example\n",
            ),
            ("repo/.npmrc", "save-exact=true\nnode-linker=hoisted\n"),
            ("repo/.yarnrc.yml", "nodeLinker: node-modules\nenableTelemetry: false\n"),
            ("repo/bunfig.toml", "[install]\nlinker = \"hoisted\"\n"),
        ] {
            assert_eq!(names(&World::of(format).write(file, text)), plain, "{format:?} {file}");
        }
    }
}

#[test]
fn a_file_of_the_users_that_lies_in_the_repository_is_the_repositorys() {
    let world = World::new().write("repo/evil.npmrc", "https-proxy=http://evil.example:1\n");
    let load = |variables: &[(&str, &str)]| {
        let (repo, home) = (world.root.join("repo"), world.root.join("home"));
        let environment = Environment::from_pairs(variables.iter().copied().chain([("HOME", home.as_str())]));
        let project = ProjectRegistries::of_bun(None, None).unwrap();
        let registries = Registries::load(&repo, Format::Bun(1), &project, &environment).unwrap();
        registries.sight_of_versions("tool")
    };
    let inside = world.root.join("repo/evil.npmrc");
    assert_ne!(load(&[("NPM_CONFIG_USERCONFIG", inside.as_str())]), load(&[]));
    assert_eq!(load(&[("NPM_CONFIG_USERCONFIG", "/elsewhere/npmrc"), ("X", "https://a.example:1/b")]), load(&[]));
}

#[test]
fn a_mirror_of_the_user_is_remembered_as_the_mirror() {
    // The lockfile chooses the URLs that the mirror replaces, so their entries must differ from those of other hosts.
    let mirror = hostile_server();
    let world = World::of(Format::YarnClassic)
        .write("repo/.npmrc", "registry=http://registry.example/\n")
        .write("home/.npmrc", "");
    let environment = Environment::from([("npm_config_registry", mirror.url.as_str())]);
    let project = world.registries().project().clone();
    let mirrored = Registries::load(&world.root.join("repo"), world.format, &project, &environment).unwrap();
    let [wanted] = left_pad();
    let sight = |registries: &Registries| registries.sight_of(&wanted.url, &wanted.package, &wanted.form);
    assert_ne!(sight(&mirrored), sight(&world.registries()));
}

#[test]
fn two_forms_of_one_address_are_two_sights() {
    let (registries, [wanted]) = (World::new().registries(), left_pad());
    let sight = |form: Form| registries.sight_of(&wanted.url, &wanted.package, &form);
    let id = |digit: &str| Form::Commit(digit.repeat(40));
    let all = [sight(Form::Verbatim), sight(Form::Repacked), sight(id("0")), sight(id("1"))];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}
