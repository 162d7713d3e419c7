//! Tests with servers on the loopback. Narinfos come from `tests/narinfo/golden.txt`.

use std::sync::atomic::{AtomicUsize, Ordering};

use fs_err as fs;

use super::*;
use crate::fetch::{
    Environment,
    test_server::{Reply, Request, Server},
};

const GOLDEN: &str = include_str!("../../../tests/narinfo/golden.txt");
const KEY: &str = "golden-1:3x829q0hWOErax+oWUSWb/x5wjevbXuLJFX937mr2ys=";
const A: &str = "vfdj1g50j0iax7b3s2952v08c8mlvwm3-a";
const B: &str = "gi2ca4qykl23i0djyl3l1rnlyvf60hnp-b";
const GONE: &str = "8z3wjas3v8r3l97274kb79bz2v91mya3-gone";

fn narinfo(name: &str) -> Option<&'static str> {
    GOLDEN.split("\n\n").find(|text| text.contains(&format!("StorePath: /nix/store/{name}\n")))
}

/// Answers as a cache with the golden paths.
fn as_cache(request: &Request) -> Reply {
    let file = request.path.rsplit('/').next().unwrap_or_default();
    let name = [A, B].into_iter().find(|name| Some(&name[..32]) == file.strip_suffix(".narinfo"));
    if file == "nix-cache-info" {
        Reply::ok(b"StoreDir: /nix/store\nPriority: 40\n")
    } else if let Some(text) = name.and_then(narinfo) {
        Reply::ok(text.as_bytes())
    } else if request.path.contains("/nar/1hq6y") {
        Reply::ok(&[0; 166])
    } else {
        Reply::status(404)
    }
}

fn items() -> Vec<Item> {
    [A, B, GONE].into_iter().map(|name| name.parse().unwrap()).collect()
}

fn cache_with(address: &str, variables: &[(&str, &str)], settings: &serde_json::Value) -> Cache {
    let machine = Machine::of(settings, &Environment::from_pairs(variables.iter().copied()));
    let nix = Nix::at("/nowhere/nix");
    let asking = Asking { stall: Duration::from_millis(500), ..Asking::new(&machine, &nix, "/nix/store") };
    let choice = CacheChoice { public_keys: vec![KEY.parse().unwrap()], ..CacheChoice::of(address.parse().unwrap()) };
    Cache::new(&choice, &asking).unwrap()
}

fn cache(address: &str) -> Cache {
    cache_with(address, &[], &serde_json::json!({}))
}

/// Asks, and shows each answer as a text.
fn shown(cache: &Cache, depth: Depth) -> Result<Vec<String>, Trouble> {
    let answers = crate::fetch::run(cache.ask(&items(), depth)).unwrap()?;
    let show = |(item, found): (Item, Found)| match found {
        Found::Info { trust, archive, .. } => format!("{}: {trust}, {archive:?}", item.name()),
        Found::Unreadable(why) => format!("{}: {why}", item.name()),
    };
    Ok(answers.into_iter().map(show).collect())
}

#[test]
fn a_web_server_is_asked_for_infos_and_archives() {
    let server = Server::start(|_, request| as_cache(request));
    let cache = cache(&format!("{}sub", server.url));
    let expected = ["b: signed by golden-1, Missing", "a: signed by golden-1, There"];
    assert_eq!(shown(&cache, Depth::Archives).unwrap(), expected);
    let requests = server.requests();
    assert_eq!(requests[0].path, "/sub/nix-cache-info");
    assert!(requests.iter().all(|request| request.authorization.is_none() && request.path.starts_with("/sub/")));
    assert_eq!(requests.len(), 6);
}

#[test]
fn a_folder_is_read_and_a_cut_archive_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let address = format!("file://{path}");
    assert!(matches!(shown(&cache(&address), Depth::Infos), Err(Trouble::NoCache(_))));
    fs::write(format!("{path}/nix-cache-info"), "StoreDir: /nix/store\n").unwrap();
    fs::create_dir(format!("{path}/nar")).unwrap();
    for name in [A, B] {
        fs::write(format!("{path}/{}.narinfo", &name[..32]), narinfo(name).unwrap()).unwrap();
    }
    fs::write(format!("{path}/nar/1hq6yji978cjnigckafw10g50gz8czz71p37l79y7x8dmfvc2pvd.nar.zst"), [0; 80]).unwrap();
    fs::write(format!("{path}/{}.narinfo", &GONE[..32]), narinfo(B).unwrap()).unwrap();
    let expected = [
        format!("gone: it is about {B}"),
        "b: signed by golden-1, Missing".to_owned(),
        "a: signed by golden-1, Cut { expected: 166, found: 80 }".to_owned(),
    ];
    assert_eq!(shown(&cache(&address), Depth::Archives).unwrap(), expected);
    fs::write(format!("{path}/nix-cache-info"), "StoreDir: /gnu/store\n").unwrap();
    assert!(
        matches!(shown(&cache(&address), Depth::Infos), Err(Trouble::Store { found, .. }) if found == "/gnu/store")
    );
    assert!(shown(&cache(&format!("{address}?trusted=true")), Depth::Infos).is_err());
}

#[test]
fn passing_faults_are_asked_again_and_lasting_ones_are_named() {
    let faults = |path: &'static str, status: u16, times: usize| {
        let count = AtomicUsize::new(0);
        let server = Server::start(move |_, request| {
            let is_meant = request.path.contains(path);
            if is_meant && count.fetch_add(1, Ordering::Relaxed) < times {
                Reply::status(status).with("Retry-After", "0")
            } else {
                as_cache(request)
            }
        });
        shown(&cache(server.url.as_str()), Depth::Infos).map(|found| found.len())
    };
    assert_eq!(faults("narinfo", 503, 1), Ok(2));
    assert_eq!(faults("narinfo", 429, 2), Ok(2));
    assert_eq!(faults("narinfo", 403, 9), Ok(0));
    assert_eq!(faults("nix-cache-info", 500, 99), Err(Trouble::Status(500)));
    assert_eq!(faults("narinfo", 429, 999), Err(Trouble::Throttled { retry_after: Some(Duration::ZERO) }));
    assert_eq!(faults("narinfo", 401, 9), Err(Trouble::Denied { status: 401, has_credentials: false }));
    assert_eq!(faults("nix-cache-info", 403, 9), Err(Trouble::Denied { status: 403, has_credentials: false }));
    assert!(matches!(faults("nix-cache-info", 404, 9), Err(Trouble::NoCache(_))));
    assert_eq!(faults("narinfo", 418, 9), Err(Trouble::Status(418)));
}

#[test]
fn a_cache_that_is_away_is_not_asked_again() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let cache_at = |port: u16| cache(&format!("http://127.0.0.1:{port}"));
    let away = cache_at(silent.local_addr().unwrap().port());
    assert_eq!(shown(&away, Depth::Infos), Err(Trouble::Stalled));
    let asked = std::time::Instant::now();
    assert_eq!(shown(&away, Depth::Infos), Err(Trouble::Stalled));
    assert!(asked.elapsed() < Duration::from_millis(300));
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    assert!(matches!(shown(&cache_at(port), Depth::Infos), Err(Trouble::Connect(_))));
}

#[test]
fn credentials_go_to_their_host_alone() {
    let other = Server::start(|_, request| as_cache(request));
    let elsewhere = other.url.clone();
    let server = Server::start(move |_, request| {
        if request.path.ends_with(&format!("{}.narinfo", &A[..32])) {
            Reply::status(302).with("Location", elsewhere.join(&request.path).unwrap())
        } else {
            as_cache(request)
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join("netrc");
    fs::write(&netrc, "machine 127.0.0.1 login u password p\n").unwrap();
    let settings = serde_json::json!({ "netrc-file": { "value": netrc.to_str().unwrap() } });
    let cache = cache_with(server.url.as_str(), &[], &settings);
    assert_eq!(shown(&cache, Depth::Infos).unwrap().len(), 2);
    assert!(server.requests().iter().all(|request| request.authorization.as_deref() == Some("Basic dTpw")));
    assert!(other.requests().iter().all(|request| request.authorization.is_none()));
    assert_eq!(other.requests().len(), 1);
}

/// Returns which of the asked hashes the stand-in lacks.
fn missing(hashes: &serde_json::Value) -> Vec<String> {
    let hashes = hashes.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().to_owned());
    hashes.filter(|hash| ![A, B].iter().any(|name| name.starts_with(hash))).collect()
}

#[test]
fn cachix_is_asked_for_all_paths_at_once() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/api/v1/cache/acme" => Reply::ok(format!("{{\"uri\":\"http://{}/acme\"}}", request.host).as_bytes()),
        "/api/v1/cache/acme/narinfo" => {
            Reply::ok(serde_json::json!(missing(&request.body.parse().unwrap())).to_string().as_bytes())
        }
        _ => as_cache(request),
    });
    let variables = [("SPLITTER_CACHIX_URL", server.url.as_str()), ("CACHIX_AUTH_TOKEN", "t")];
    let cache = cache_with("cachix:acme", &variables, &serde_json::json!({}));
    assert_eq!(shown(&cache, Depth::Infos).unwrap().len(), 2);
    let requests = server.requests();
    let asked: Vec<_> = requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    assert_eq!(asked[..3], ["POST /api/v1/cache/acme/narinfo", "GET /api/v1/cache/acme", "GET /acme/nix-cache-info"]);
    assert!(requests.iter().all(|request| request.authorization.as_deref() == Some("Bearer t")));
    // Two narinfos: the third is known to be missing.
    assert_eq!(requests.len(), 5);
}

#[test]
fn attic_is_asked_for_all_paths_at_once() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/_api/v1/get-missing-paths" => {
            let question: serde_json::Value = request.body.parse().unwrap();
            assert_eq!(question["cache"], "acme");
            let missing = missing(&question["store_path_hashes"]);
            Reply::ok(serde_json::json!({ "missing_paths": missing }).to_string().as_bytes())
        }
        _ => as_cache(request),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    fs::create_dir(format!("{path}/attic")).unwrap();
    let config = format!("[servers.ci]\nendpoint = \"{}\"\ntoken = \"t\"\n", server.url);
    fs::write(format!("{path}/attic/config.toml"), config).unwrap();
    let address =
        |host: &str| cache_with(&format!("attic:{host}/acme"), &[("XDG_CONFIG_HOME", path)], &serde_json::json!({}));
    for host in ["ci", server.url.as_str().trim_start_matches("http://").trim_end_matches('/')] {
        assert_eq!(shown(&address(host), Depth::Infos).unwrap().len(), 2, "{host}");
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 8);
    assert!(requests.iter().all(|request| request.authorization.as_deref() == Some("Bearer t")));
    assert!(requests.iter().any(|request| request.path == format!("/acme/{}.narinfo", &A[..32])));
    assert_eq!(shown(&address("other"), Depth::Infos), Err(Trouble::UnknownServer("other".to_owned())));
}

#[test]
fn a_bulk_request_that_fails_is_no_trouble() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/api/v1/cache/acme" => Reply::ok(format!("{{\"uri\":\"http://{}/acme/\"}}", request.host).as_bytes()),
        path if path.starts_with("/api/") => Reply::status(404),
        _ => as_cache(request),
    });
    let variables = [("SPLITTER_CACHIX_URL", server.url.as_str()), ("CACHIX_AUTH_TOKEN", "t")];
    let cache = cache_with("cachix:acme", &variables, &serde_json::json!({}));
    assert_eq!(shown(&cache, Depth::Infos).unwrap().len(), 2);
}

#[test]
fn an_empty_server_becomes_a_cache_and_says_if_it_refuses() {
    let make = |has_info: bool, put: u16| {
        let answer = move |request: &Request| match request.method.as_str() {
            "GET" if has_info => Reply::ok(b"StoreDir: /nix/store\n"),
            "GET" => Reply::status(404),
            _ => Reply::status(put),
        };
        let server = Server::start(move |_, request| answer(request));
        let made = crate::fetch::run(cache(server.url.as_str()).make("StoreDir: /nix/store\n")).unwrap();
        let puts = server.requests().into_iter().filter(|request| request.method == "PUT");
        (made, puts.map(|request| (request.path, request.body)).collect::<Vec<_>>())
    };
    let sent = || vec![("/nix-cache-info".to_owned(), "StoreDir: /nix/store\n".to_owned())];
    assert_eq!(make(false, 201), (Ok(()), sent()));
    assert_eq!(make(true, 201), (Ok(()), vec![]));
    assert_eq!(make(false, 405), (Err(Trouble::Refused(405)), sent()));
    assert_eq!(make(false, 403), (Err(Trouble::Denied { status: 403, has_credentials: false }), sent()));
    assert_eq!(make(false, 501).0, Err(Trouble::Refused(501)));
}
