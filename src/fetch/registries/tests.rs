//! Tests of the registries and credentials that settings files and variables give.

use camino::Utf8PathBuf;
use fs_err as fs;

use super::*;
use crate::{managers::yarn::rc::YarnRcError, repo::WorkTree};

/// Loads registries from files in a temporary folder with `repo` and `home`.
fn load_for(format: Format, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Registries, RegistryError> {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    for name in ["repo", "home"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    for (path, text) in files {
        fs::write(root.join(path), text).unwrap();
    }
    let (repo, home) = (root.join("repo"), root.join("home"));
    let project = ProjectRegistries::of_tree(&WorkTree::at(repo.clone()), format).unwrap();
    let variables = variables.iter().copied().chain([("HOME", home.as_str())]);
    Registries::load(&repo, format, &project, &Environment::from_pairs(variables))
}

fn load(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Registries, RegistryError> {
    load_for(Format::Bun(1), files, variables)
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn authorization(registries: &Registries, text: &str) -> Option<String> {
    registries.authorization_for(&url(text)).map(|secret| secret.expose().to_owned())
}

#[test]
fn the_order_of_files_and_variables_is_that_of_bun() {
    let files = [
        ("home/.npmrc", "registry=https://user-npmrc.example"),
        ("repo/.npmrc", "registry=https://repo-npmrc.example"),
        ("home/.bunfig.toml", "[install]\nregistry = \"https://user-bunfig.example\""),
        ("repo/bunfig.toml", "[install]\nregistry = {url = \"https://repo-bunfig.example\"}"),
    ];
    let default = |count: usize, variables: &[(&str, &str)]| {
        load(&files[..count], variables).unwrap().registry_for("x").host_str().unwrap().to_owned()
    };
    assert_eq!(default(1, &[]), "user-npmrc.example");
    assert_eq!(default(2, &[]), "repo-npmrc.example");
    assert_eq!(default(3, &[]), "user-bunfig.example");
    assert_eq!(default(4, &[]), "repo-bunfig.example");
    let variables = [("npm_config_registry", "https://npm.example"), ("BUN_CONFIG_REGISTRY", "not a URL")];
    assert_eq!(default(4, &variables), "npm.example");
    assert_eq!(default(4, &[variables[0], ("BUN_CONFIG_REGISTRY", "https://bun.example")]), "bun.example");
}

#[test]
fn a_mirror_of_the_user_takes_the_place_of_the_repositorys_registry_and_of_no_other() {
    let registries = load(
        &[("repo/.npmrc", "registry=https://repo.example/npm/\n@x:registry=https://x.example\n")],
        &[("BUN_CONFIG_REGISTRY", "https://mirror.example/a")],
    )
    .unwrap();
    for (from, package, to) in [
        ("https://repo.example/npm/a/-/a-1.tgz", "a", "https://mirror.example/a/a/-/a-1.tgz"),
        ("https://repo.example/npm/@y%2fa/-/a-1.tgz?x", "@y/a", "https://mirror.example/a/@y%2fa/-/a-1.tgz?x"),
        ("https://repo.example/other/a-1.tgz", "a", "https://repo.example/other/a-1.tgz"),
        ("https://x.example/@x/a/-/a-1.tgz", "@x/a", "https://x.example/@x/a/-/a-1.tgz"),
        ("https://cdn.example/a.tgz", "a", "https://cdn.example/a.tgz"),
    ] {
        let fetched = registries.url_for_fetch(&url(from), package);
        assert_eq!(fetched.as_str(), to);
    }
    assert_eq!(registries.project().default_registry().as_str(), "https://repo.example/npm/");
}

#[test]
fn without_a_mirror_no_url_is_moved() {
    let registries = load(&[], &[]).unwrap();
    let from = registries.project().default_registry().join("a/-/a-1.tgz").unwrap();
    assert_eq!(registries.url_for_fetch(&from, "a"), from);
}

#[test]
fn credentials_go_to_what_lies_below_their_key_and_nowhere_else() {
    let registries = load(
        &[
            (
                "home/.npmrc",
                "//a.example/:_authToken=host\n//a.example/deep/er/:_authToken=deep\n//b.example:8443/x:_auth=dTpw\n",
            ),
            (
                "repo/.npmrc",
                "//c.example/:username=us\n//c.example/:_password=${PASSWORD}\n//a.example/:_authToken=stronger\n",
            ),
        ],
        &[("PASSWORD", "cHc=")],
    )
    .unwrap();
    for (text, expected) in [
        ("https://a.example/x/-/x.tgz", Some("Bearer stronger")),
        ("https://a.example/deep/er/x.tgz", Some("Bearer deep")),
        ("https://a.example/deep/error.tgz", Some("Bearer stronger")),
        ("https://a.example:8080/x.tgz", None),
        ("https://sub.a.example/x.tgz", None),
        ("https://a.example.evil.example/x.tgz", None),
        ("https://a.example@evil.example/x.tgz", None),
        ("http://a.example/x.tgz", None),
        ("https://b.example:8443/x/y/z.tgz", Some("Basic dTpw")),
        ("https://b.example:8443/xy/z.tgz", None),
        ("https://c.example/z.tgz", Some("Basic dXM6cHc=")),
    ] {
        assert_eq!(authorization(&registries, text).as_deref(), expected, "{text}");
    }
    assert!(!format!("{registries:?}").contains("deep"));
}

#[test]
fn bunfig_and_variables_hold_credentials_too() {
    let bunfig = "[install]\nregistry = {url = \"http://plain.example/npm\", token = \"$T\"}\n[install.scopes]\n\
                  a = \"https://us:p%40@a.example\"\nb = {url = \"https://b.example\", username = \"us\", password = \"${P}\"}\n";
    let registries = load(&[("home/.bunfig.toml", bunfig)], &[("T", "t")]).unwrap();
    // The user configured `http:`, so the token may be sent.
    assert_eq!(authorization(&registries, "http://plain.example/npm/x.tgz").as_deref(), Some("Bearer t"));
    assert_eq!(authorization(&registries, "http://plain.example/x.tgz"), None);
    assert_eq!(
        authorization(&registries, "https://a.example/x.tgz"),
        Some(Secret::basic("us", "p@").expose().to_owned())
    );
    assert_eq!(authorization(&registries, "https://b.example/x.tgz"), None);
    assert_eq!(registries.access_for(&url("https://b.example/x.tgz")), Access::Unset("P".to_owned()));
    assert_eq!(registries.registry_for("@a/x").as_str(), "https://a.example/");
    let registries = load(&[("home/.bunfig.toml", bunfig)], &[("T", "t"), ("BUN_CONFIG_TOKEN", "strong")]).unwrap();
    assert_eq!(authorization(&registries, "http://plain.example/npm/x.tgz").as_deref(), Some("Bearer strong"));
}

#[test]
fn a_scope_of_bunfig_may_have_a_token_of_its_own_at_the_default_registry() {
    let bunfig = "[install.scopes]\na = {url = \"https://r.example/npm\", token = \"of-a\"}\n";
    let npmrc = "registry=https://r.example/npm/\n//r.example/npm/:_authToken=of-all\n";
    let registries = load(&[("home/.bunfig.toml", bunfig), ("home/.npmrc", npmrc)], &[]).unwrap();
    for (path, expected) in [("@a/x", "of-a"), ("@a%2fx", "of-a"), ("@b/x", "of-all"), ("x", "of-all")] {
        let found = authorization(&registries, &format!("https://r.example/npm/{path}/-/x-1.tgz"));
        assert_eq!(found, Some(format!("Bearer {expected}")), "{path}");
    }
}

#[test]
fn yarn_1_asks_for_what_yarns_name_has_at_npm_where_there_is_a_token_for_it() {
    let npm = npmrc_config_rs::registry::DEFAULT_REGISTRY;
    let project = ProjectRegistries::of_bun(Some("registry=https://r.yarnpkg.com/"), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let fetched = |npmrc: &str| {
        fs::write(home.join(".npmrc"), npmrc).unwrap();
        let environment = Environment::from([("HOME", home.as_str())]);
        let root = Utf8Path::new("/no/such/folder");
        let registries = Registries::load(root, Format::YarnClassic, &project, &environment).unwrap();
        let url = registries.url_for_fetch(&url("https://r.yarnpkg.com/@a/x/-/x-1.tgz"), "@a/x");
        let authorization = authorization(&registries, url.as_str());
        (url.to_string(), authorization)
    };
    assert_eq!(fetched(""), ("https://r.yarnpkg.com/@a/x/-/x-1.tgz".to_owned(), None));
    let key = npm.trim_start_matches("https:").to_owned();
    for npmrc in [format!("{key}:_authToken=t\n"), "_authToken=t\n".to_owned()] {
        assert_eq!(fetched(&npmrc), (format!("{npm}@a/x/-/x-1.tgz"), Some("Bearer t".to_owned())));
    }
}

#[test]
fn a_repository_does_not_get_the_token_without_a_url_of_the_user() {
    let sent = |files: &[(&str, &str)], to: &str| {
        authorization(&load_for(Format::YarnClassic, files, &[]).unwrap(), &format!("https://{to}/x/-/x-1.tgz"))
    };
    let users = ("home/.npmrc", "registry=https://mine.example/\n_authToken=t\n");
    for repositorys in
        [("repo/.npmrc", "registry=https://evil.example/\n"), ("repo/.yarnrc", "registry \"https://evil.example\"")]
    {
        assert_eq!(sent(&[users, repositorys], "evil.example"), None);
        assert_eq!(sent(&[users, repositorys], "mine.example"), Some("Bearer t".to_owned()));
        assert_eq!(sent(&[("home/.npmrc", "_authToken=t\n"), repositorys], "evil.example"), None);
    }
    let own = ("repo/.npmrc", "registry=https://own.example/\n_authToken=o\n");
    assert_eq!(sent(&[users, own], "own.example"), Some("Bearer o".to_owned()));
    assert_eq!(sent(&[users, own], "mine.example"), Some("Bearer t".to_owned()));
}

/// Returns the cautions of one request to a URL, and whether it carries credentials.
fn requested(format: Format, files: &[(&str, &str)], variables: &[(&str, &str)], to: &str) -> (bool, Vec<String>) {
    let registries = load_for(format, files, variables).unwrap();
    let has_credentials = registries.authorization_for(&url(to)).is_some();
    registries.requested(&url(to), has_credentials);
    (has_credentials, registries.cautions().iter().map(ToString::to_string).collect())
}

#[test]
fn a_repository_does_not_get_the_token_of_a_variable() {
    let to = "https://evil.example/@a/x/-/x-1.tgz";
    let bun =
        (Format::Bun(1), ("repo/.npmrc", "registry=https://evil.example\n"), "BUN_CONFIG_TOKEN", "BUN_CONFIG_REGISTRY");
    let yarnrc = ("repo/.yarnrc.yml", "npmRegistryServer: https://evil.example\nnpmAlwaysAuth: true\n");
    let berry = (Format::YarnBerry(8), yarnrc, "YARN_NPM_AUTH_TOKEN", "YARN_NPM_REGISTRY_SERVER");
    for (format, file, token, registry) in [bun, berry] {
        let (is_sent, said) = requested(format, &[file], &[(token, "t")], to);
        assert!(!is_sent && said.len() == 1, "{said:?}");
        assert!(said[0].contains(&format!("`{token}`")) && said[0].contains("`evil.example`"), "{said:?}");
        // The user names the registry too.
        for variable in [registry, "SPLITTER_REGISTRY"] {
            let variables = [(token, "t"), (variable, "https://evil.example/")];
            assert_eq!(requested(format, &[file], &variables, to), (true, Vec::new()), "{variable}");
        }
        // Other hosts get nothing, without a word.
        assert_eq!(requested(format, &[file], &[(token, "t")], "https://other.example/x.tgz"), (false, Vec::new()));
    }
}

#[test]
fn a_repository_does_not_get_the_token_at_the_top_of_the_users_yarnrc() {
    let to = "https://evil.example/@a/x/-/x-1.tgz";
    let evil =
        ["npmRegistryServer: https://evil.example\n", "npmScopes: {a: {npmRegistryServer: 'https://evil.example'}}\n"];
    let users = [
        "npmAuthToken: t\n",
        "npmRegistryServer: https://mine.example\nnpmAuthIdent: 'us:pw'\nnpmAlwaysAuth: true\n",
        "npmScopes: {a: {npmAuthToken: t}}\n",
        "npmScopes: {a: {npmRegistryServer: 'https://mine.example', npmAuthToken: t}}\n",
        // A variable from the repository's `.env.yarn` does not make a registry the user's.
        "npmRegistryServer: https://${HOST-mine.example}\nnpmAuthToken: t\n",
        "npmRegistryServer: https://${HOST}\nnpmAuthToken: t\n",
    ];
    for (users, repositorys) in users.iter().flat_map(|users| evil.map(|evil| (*users, evil))) {
        if users.contains("npmScopes") && !repositorys.contains("npmScopes") {
            continue;
        }
        let files =
            [("home/.yarnrc.yml", users), ("repo/.yarnrc.yml", repositorys), ("repo/.env.yarn", "HOST=evil.example\n")];
        let (is_sent, said) = requested(Format::YarnBerry(8), &files, &[], to);
        assert!(!is_sent && said.len() == 1, "{users}{repositorys}{said:?}");
        assert!(
            said[0].contains("~/.yarnrc.yml was not sent to `evil.example`") || users.contains("npmScopes"),
            "{said:?}"
        );
        let keyed = format!("{users}npmRegistries: {{//evil.example: {{npmAuthToken: mine}}}}\n");
        let keyed = [("home/.yarnrc.yml", keyed.as_str()), files[1], files[2]];
        if !users.contains("npmScopes") {
            assert_eq!(requested(Format::YarnBerry(8), &keyed, &[], to), (true, Vec::new()), "{keyed:?}");
        }
        // The repository's own credentials are sent, and the user's still go to the user's registry.
        let own = format!("{repositorys}npmAuthToken: own\n");
        let own = [files[0], ("repo/.yarnrc.yml", own.as_str())];
        let registries = registries_of_yarn_if_set(&own);
        if let Some(registries) = registries {
            assert_eq!(authorization(&registries, to).as_deref(), Some("Bearer own"), "{own:?}");
        }
    }
}

/// Loads the registries, unless a variable is not set.
fn registries_of_yarn_if_set(files: &[(&str, &str)]) -> Option<Registries> {
    load_for(Format::YarnBerry(8), files, &[]).ok()
}

#[test]
fn a_variable_that_the_repository_sends_is_named_with_its_place() {
    let to = "https://evil.example/@a/x/-/x-1.tgz";
    let npmrc = ("repo/.npmrc", "# note\n//evil.example/:_authToken=${AWS_SECRET}\n");
    let top = ("repo/.npmrc", "registry=https://evil.example\n_authToken=x${AWS_SECRET}\n");
    let bunfig = (
        "repo/bunfig.toml",
        "[install]\n[install.scopes]\na = {url = \"https://evil.example\", token = \"$AWS_SECRET\"}\n",
    );
    let yarnrc = ("repo/.yarnrc.yml", "a: b\nnpmRegistries:\n  //evil.example:\n    npmAuthToken: ${AWS_SECRET:-}\n");
    let scope = (
        "repo/.yarnrc.yml",
        "npmScopes:\n  a:\n    npmRegistryServer: https://evil.example\n    npmAuthIdent: ${MINE}\n",
    );
    let env = ("repo/.env.yarn", "MINE=us:${AWS_SECRET}\n");
    let above = (".yarnrc.yml", "npmRegistryServer: https://evil.example/${AWS_SECRET}/\n");
    for (format, files, place) in [
        (Format::Bun(1), vec![npmrc], ".npmrc:2"),
        (Format::YarnClassic, vec![npmrc], ".npmrc:2"),
        (Format::YarnClassic, vec![top], ".npmrc:2"),
        (Format::Bun(1), vec![bunfig], "bunfig.toml:3"),
        (Format::YarnBerry(8), vec![yarnrc], ".yarnrc.yml:4"),
        (Format::YarnBerry(8), vec![scope, env], ".yarnrc.yml:4"),
        (Format::YarnBerry(8), vec![above], ".yarnrc.yml:1"),
    ] {
        let to = if files[0] == above { "https://evil.example/s3cret/x/-/x-1.tgz" } else { to };
        let (_, said) = requested(format, &files, &[("AWS_SECRET", "s3cret")], to);
        assert_eq!(said.len(), 1, "{files:?} {said:?}");
        assert!(said[0].contains(&format!("{place} sent the variable `AWS_SECRET` to `evil.example`")), "{said:?}");
        assert!(!said[0].contains("s3cret"), "{said:?}");
        // A variable that is not set, and a host that gets no request, are nothing to tell.
        if files[0] != above {
            assert_eq!(requested(format, &files, &[], to).1, Vec::<String>::new(), "{files:?}");
        }
        let other = requested(format, &files, &[("AWS_SECRET", "s3cret")], "https://other.example/@a/x/-/x-1.tgz");
        assert_eq!(other, (false, Vec::new()), "{files:?}");
        // Nor is a host that the user's own settings name.
        let known = [
            ("home/.npmrc", "//evil.example/:_authToken=${AWS_SECRET}\n"),
            ("home/.yarnrc.yml", "npmRegistries: {//evil.example: {npmAuthToken: '${AWS_SECRET}'}}\n"),
        ];
        let files: Vec<_> = files.into_iter().chain(known).collect();
        assert_eq!(requested(format, &files, &[("AWS_SECRET", "s3cret")], to).1, Vec::<String>::new(), "{files:?}");
    }
}

#[test]
fn npms_own_registry_may_get_a_variable_without_a_word() {
    let npm = npmrc_config_rs::registry::DEFAULT_REGISTRY;
    let npmrc = format!("{}:_authToken=${{NPM_TOKEN}}\n", npm.trim_start_matches("https:"));
    let files = [("repo/.npmrc", npmrc.as_str())];
    let (is_sent, said) = requested(Format::Bun(1), &files, &[("NPM_TOKEN", "t")], &format!("{npm}x/-/x-1.tgz"));
    assert_eq!((is_sent, said), (true, Vec::new()));
}

#[test]
fn a_proxy_and_an_authority_of_the_repository_do_not_see_the_users_credentials() {
    let home = ("home/.npmrc", "//r.example/:_authToken=t\n");
    let to = "https://r.example/x/-/x-1.tgz";
    let sent = |repositorys: &str, more: &str, to: &str| {
        let home = format!("{}{more}", home.1);
        requested(Format::Bun(1), &[("home/.npmrc", &home), ("repo/.npmrc", repositorys)], &[], to)
    };
    let (proxy, authority) = ("https-proxy=http://evil.example\nproxy=http://evil.example\n", "cafile=ca.pem\n");
    assert_eq!(sent(proxy, "", to), (true, Vec::new()));
    assert_eq!(sent(authority, "", to), (true, Vec::new()));
    let both = format!("{proxy}{authority}");
    let (is_sent, said) = sent(&both, "", to);
    assert!(!is_sent && said[0].contains("your credentials were not sent to `r.example`"), "{said:?}");
    let (is_sent, said) = sent(proxy, "", "http://127.0.0.1:1/x");
    assert!(!is_sent && said.is_empty(), "{said:?}");
    let local = "//127.0.0.1:1/:_authToken=t\n";
    assert!(sent("", local, "http://127.0.0.1:1/x").0);
    assert!(!sent(proxy, local, "http://127.0.0.1:1/x").0);
    // The repository's own credentials are its own affair.
    let own = format!("{both}//own.example/:_authToken=own\n");
    assert_eq!(sent(&own, "", "https://own.example/x"), (true, Vec::new()));
}

#[test]
fn an_unset_variable_in_a_users_registry_is_named() {
    let error = load(&[("home/.npmrc", "registry=https://${NO_SUCH_HOST_HERE}/")], &[]).unwrap_err();
    assert!(matches!(&error, RegistryError::Unset { variable, .. } if variable == "NO_SUCH_HOST_HERE"), "{error}");
}

#[test]
fn the_order_of_files_and_variables_is_that_of_yarn_1() {
    let files = [
        ("home/.yarnrc", "registry \"https://user-yarnrc.example\""),
        ("repo/.yarnrc", "registry \"https://repo-yarnrc.example\""),
        ("home/.npmrc", "registry=https://user-npmrc.example"),
        ("repo/.npmrc", "registry=https://repo-npmrc.example"),
        ("repo/.yarnrc.yml", "npmRegistryServer: https://no.example"),
    ];
    let default = |count: usize, variables: &[(&str, &str)]| {
        let registries = load_for(Format::YarnClassic, &files[..count], variables).unwrap();
        registries.registry_for("x").host_str().unwrap().to_owned()
    };
    assert_eq!(default(1, &[]), "user-yarnrc.example");
    assert_eq!(default(2, &[]), "repo-yarnrc.example");
    assert_eq!(default(3, &[]), "user-npmrc.example");
    assert_eq!(default(5, &[]), "repo-npmrc.example");
    let variables = [("YARN_REGISTRY", "https://yarn.example"), ("npm_config_registry", "https://npm.example")];
    assert_eq!(default(5, &variables[..1]), "yarn.example");
    assert_eq!(default(5, &variables), "npm.example");
}

#[test]
fn a_mirror_of_the_user_takes_the_place_of_the_registry_that_a_lockfile_names() {
    let project = |text| ProjectRegistries::of_bun(Some(text), None).unwrap();
    let named_by_lock = project("registry=https://lock.example");
    let root = Utf8PathBuf::from("/no/such/folder");
    let load = |variables: &[(&str, &str)]| {
        let environment = Environment::from_pairs(variables.iter().copied());
        Registries::load(&root, Format::YarnClassic, &named_by_lock, &environment).unwrap()
    };
    assert_eq!(load(&[]).registry_for("x").as_str(), "https://lock.example/");
    let registries = load(&[("YARN_REGISTRY", "https://mirror.example/npm")]);
    let fetched = registries.url_for_fetch(&url("https://lock.example/x/-/x-1.tgz"), "x");
    assert_eq!(fetched.as_str(), "https://mirror.example/npm/x/-/x-1.tgz");
}

#[test]
fn the_order_of_files_and_variables_is_that_of_later_yarn() {
    let files = [
        ("home/.yarnrc.yml", "npmRegistryServer: https://${HOST:-user}.example"),
        (".yarnrc.yml", "npmRegistryServer: https://above.example"),
        ("repo/.yarnrc.yml", "npmRegistryServer: https://repo.example"),
        ("repo/.npmrc", "registry=https://no.example"),
    ];
    let default = |count: usize, variables: &[(&str, &str)]| {
        let registries = load_for(Format::YarnBerry(8), &files[..count], variables).unwrap();
        registries.registry_for("x").host_str().unwrap().to_owned()
    };
    assert_eq!(default(1, &[]), "user.example");
    assert_eq!(default(1, &[("HOST", "mirror")]), "mirror.example");
    assert_eq!(default(2, &[]), "above.example");
    assert_eq!(default(4, &[]), "repo.example");
    assert_eq!(default(4, &[("YARN_NPM_REGISTRY_SERVER", "https://variable.example")]), "variable.example");
    let error = load_for(Format::YarnBerry(8), &[("home/.yarnrc.yml", "npmRegistryServer: ${NO_SUCH}")], &[]);
    assert!(matches!(error, Err(RegistryError::Unset { variable, .. }) if variable == "NO_SUCH"));
    let error = load_for(Format::YarnBerry(8), &[("home/.yarnrc.yml", "npmAuthToken: [s3cret")], &[]).unwrap_err();
    assert!(matches!(&error, RegistryError::YarnRc(YarnRcError::Yaml { .. })), "{error}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

fn registries_of_yarn(files: &[(&str, &str)]) -> Registries {
    load_for(Format::YarnBerry(8), files, &[]).unwrap()
}

/// Returns the credentials that files of Yarn 2 and later give for a URL.
fn yarn_authorization(files: &[(&str, &str)], variables: &[(&str, &str)], text: &str) -> Option<String> {
    authorization(&load_for(Format::YarnBerry(8), files, variables).unwrap(), text)
}

#[test]
fn yarns_credentials_are_those_of_the_scope_else_of_the_registry_else_at_the_top() {
    let files = [
        (
            "repo/.yarnrc.yml",
            "npmRegistryServer: https://r.example/npm\nnpmAuthToken: ${TOP}\nnpmScopes:\n  a: {npmRegistryServer: 'https://a.example'}\n\
             \x20 b: {npmRegistryServer: 'https://s.example'}\n  c: {npmRegistryServer: 'https://s.example/'}\n  d: {}\n  e: {npmRegistryServer: 'https://e.example'}\n",
        ),
        (
            "home/.yarnrc.yml",
            "npmScopes:\n  b: {npmRegistryServer: 'https://s.example', npmAuthToken: of-b}\n  c: {npmRegistryServer: 'https://s.example', npmAuthIdent: 'us:pw'}\n  d: {npmAuthIdent: dXM6cHc=}\n\
             npmRegistries:\n  //a.example: {npmAuthToken: of-a}\n  'https://cdn.example/x/': {npmAuthToken: of-cdn}\n  //e.example: {npmAlwaysAuth: true}\n",
        ),
    ];
    for (text, expected) in [
        ("https://a.example/@a/x/-/x-1.tgz", Some("Bearer of-a")),
        ("https://a.example/download/x", Some("Bearer of-a")),
        ("https://s.example/@b%2fx", Some("Bearer of-b")),
        ("https://s.example/@c/x/-/x-1.tgz", Some("Basic dXM6cHc=")),
        ("https://r.example/npm/@d/x/-/x-1.tgz", Some("Bearer top")),
        ("https://r.example/npm/@other/x/-/x-1.tgz", Some("Bearer top")),
        // Without `npmAlwaysAuth`, only scoped packages get credentials.
        ("https://r.example/npm/x/-/x-1.tgz", None),
        ("https://r.example/@other/x/-/x-1.tgz", None),
        ("https://e.example/@e/x/-/x-1.tgz", None),
        ("https://cdn.example/x/y.tgz", Some("Bearer of-cdn")),
        ("https://cdn.example/y.tgz", None),
        ("http://a.example/@a/x/-/x-1.tgz", None),
        ("https://a.example.evil.example/@a/x/-/x-1.tgz", None),
        ("https://evil.example/@a/x/-/x-1.tgz", None),
    ] {
        assert_eq!(yarn_authorization(&files, &[("TOP", "top")], text).as_deref(), expected, "{text}");
    }
    // A scope without a registry uses Yarn's default one, which gets its token.
    let of_d = registries_of_yarn(&files).registry_for("@d/x").join("@d/x/-/x-1.tgz").unwrap();
    assert_eq!(yarn_authorization(&files, &[], of_d.as_str()).as_deref(), Some("Basic dXM6cHc="));
    let always = [("TOP", "top"), ("YARN_NPM_ALWAYS_AUTH", "1")];
    assert_eq!(yarn_authorization(&files, &always, "https://r.example/npm/x/-/x-1.tgz").as_deref(), Some("Bearer top"));
}

#[test]
fn yarns_variables_hold_credentials_too() {
    let files =
        [("repo/.yarnrc.yml", "npmRegistryServer: https://r.example\nnpmAuthToken: ${TOP-}\nnpmAuthIdent: weak\n")];
    let scoped = "https://r.example/@a%2Fx/1.0.0";
    assert_eq!(yarn_authorization(&files, &[], scoped).as_deref(), Some("Basic weak"));
    let registry = ("YARN_NPM_REGISTRY_SERVER", "https://r.example");
    let token = [registry, ("YARN_NPM_AUTH_TOKEN", "t")];
    assert_eq!(yarn_authorization(&files, &token, scoped).as_deref(), Some("Bearer t"));
    let ident = [registry, ("YARN_NPM_AUTH_IDENT", "us:pw")];
    assert_eq!(yarn_authorization(&files, &ident, scoped).as_deref(), Some("Basic dXM6cHc="));
    let files = [("home/.yarnrc.yml", "npmAuthToken: ${NO_SUCH}\nnpmAuthIdent: weak\n")];
    let registries = load_for(Format::YarnBerry(8), &files, &[]).unwrap();
    let scoped = registries.project().default_registry().join("@a/x/-/x-1.tgz").unwrap();
    assert_eq!(registries.access_for(&scoped), Access::Unset("NO_SUCH".to_owned()));
}

#[test]
fn the_files_of_yarn_name_proxies_and_certificates() {
    let classic = [("home/.yarnrc", "https-proxy \"http://us:pw@p.example\"\ncafile \"~/ca.pem\"\nproxy false\n")];
    let berry = [("repo/.yarnrc.yml", "httpsProxy: http://us:${PW:-pw}@p.example\nhttpsCaFilePath: ~/ca.pem\n")];
    for registries in [load_for(Format::YarnClassic, &classic, &[]), load_for(Format::YarnBerry(8), &berry, &[])] {
        let registries = registries.unwrap();
        let transport = registries.transport_for(&url("https://r.example"));
        assert_eq!(transport.https_proxy.as_ref().unwrap().0, "http://us:pw@p.example");
        assert_eq!(transport.http_proxy, None);
        assert!(transport.cafiles[0].ends_with("home/ca.pem"), "{:?}", transport.cafiles);
    }
}

#[test]
fn proxies_and_certificates_come_from_npmrc() {
    let registries = load(
        &[(
            "home/.npmrc",
            "proxy=http://us:s3cret@proxy.example:3128\nhttps-proxy=null\nnoproxy=a.example\ncafile=~/ca.pem\n",
        )],
        &[],
    )
    .unwrap();
    let transport = registries.transport_for(&url("https://r.example"));
    assert!(transport.https_proxy.is_some() && transport.https_proxy == transport.http_proxy);
    assert_eq!(transport.no_proxy.as_deref(), Some("a.example"));
    assert!(transport.cafiles[0].ends_with("home/ca.pem"), "{:?}", transport.cafiles);
    assert!(!format!("{transport:?}").contains("s3cret"));
}
