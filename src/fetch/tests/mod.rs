//! Tests of downloads from a server on the loopback interface.

mod bounds;
mod first_sight;

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::Mutex,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use url::Url;

use super::{
    retry::Patience,
    test_server::{Reply, Server},
    *,
};
use crate::{
    diagnostic::{Category, Diagnose as _},
    lockfile::{Algorithm, Format, Integrity},
    managers::ProjectRegistries,
    repo::WorkTree,
    split::lock::dependencies::Form,
};

/// An empty repository, home folder and cache.
struct World {
    format: Format,
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    cache: Utf8PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        for name in ["repo", "home"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let cache = root.join("cache");
        Self { format: Format::Bun(1), _folder: folder, root, cache }
    }

    fn of(format: Format) -> Self {
        Self { format, ..Self::new() }
    }

    fn write(self, path: &str, text: &str) -> Self {
        fs::write(self.root.join(path), text).unwrap();
        self
    }

    fn registries(&self) -> Registries {
        let home = self.root.join("home");
        let environment = Environment::from([("HOME", home.as_str()), ("TOKEN", "t0k")]);
        let (repo, format) = (self.root.join("repo"), self.format);
        let project = ProjectRegistries::of_tree(&WorkTree::at(repo.clone()), format).unwrap();
        Registries::load(&repo, format, &project, &environment).unwrap()
    }

    fn cache(&self) -> Cache {
        Cache::open(&self.cache).unwrap()
    }

    fn offline(&self, wanted: &[Wanted]) -> Result<Vec<Fetched>, FetchError> {
        from_cache_only(&self.cache(), &self.registries(), wanted)
    }

    fn record_path(&self, wanted: &Wanted) -> Utf8PathBuf {
        let sight = self.registries().sight_of(&wanted.url, &wanted.package, &wanted.form);
        self.cache().record_path(&sight)
    }

    fn known_version(&self, name: &str, version: &str) -> Option<PackageVersion> {
        package_version_from_cache(&self.cache(), &self.registries(), name, version)
    }

    /// Returns a downloader with short pauses, so that tests are fast.
    fn downloader(&self) -> Downloader {
        let mut downloader = Downloader::new(self.registries(), self.cache(), DEFAULT_JOBS);
        downloader.patience = Patience {
            first_pause: Duration::from_millis(2),
            longest_retry_after: Duration::from_secs(2),
            stall: Duration::from_millis(500),
            ..Patience::default()
        };
        downloader
    }

    async fn fetch(&self, wanted: &[Wanted]) -> Result<Vec<Fetched>, FetchError> {
        self.downloader().fetch(wanted, &Silent).await
    }

    /// Counts the tarballs in the cache, complete or not.
    fn files(&self) -> usize {
        ["cache/tarballs/sha512", "cache/tmp"].iter().map(|folder| count_files(&self.root.join(folder))).sum()
    }
}

fn count_files(folder: &Utf8Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| Utf8PathBuf::from_path_buf(entry.unwrap().path()).unwrap())
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}

fn sha512(bytes: &[u8]) -> Integrity {
    Algorithm::Sha512.digest(bytes).into()
}

fn wanted(url: Url, integrity: Option<Integrity>) -> Wanted {
    let (label, package) = ("left-pad@1.0.0".to_owned(), "left-pad".to_owned());
    Wanted { label, package, url, form: Form::Verbatim, integrity, recorded_in: None }
}

fn only_failure(outcome: Result<Vec<Fetched>, FetchError>) -> (Reason, Vec<String>, Category) {
    let error = outcome.unwrap_err();
    let (hints, category) = (error.hints(), error.category());
    let FetchError::Failed { mut failures, .. } = error else { panic!("{error}") };
    assert_eq!(failures.len(), 1);
    (failures.remove(0).reason, hints, category)
}

#[tokio::test]
async fn a_tarball_is_downloaded_once_and_then_comes_from_the_cache() {
    // Larger than one piece.
    let body = vec![7; 700_000];
    let (world, content) = (World::new(), body.clone());
    let server = Server::start(move |_, _| Reply::ok(&content));
    let list = [wanted(server.at("a.tgz"), Some(sha512(&body))), wanted(server.at("a.tgz"), Some(sha512(&body)))];
    let first = world.fetch(&list).await.unwrap();
    assert_eq!((first[0].origin, first[0].size), (DownloadOrigin::Downloaded, 700_000));
    assert_eq!(fs::read(&first[0].path).unwrap(), body);
    assert_eq!(first[0], first[1]);
    let second = world.fetch(&list).await.unwrap();
    assert_eq!((second[1].origin, &second[1].path), (DownloadOrigin::Cached, &first[0].path));
    assert_eq!(world.offline(&list).unwrap(), second);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(world.files(), 1);
}

#[tokio::test]
async fn the_order_is_that_of_the_list_and_progress_is_told() {
    #[derive(Default)]
    struct Notes {
        planned: Vec<(usize, usize)>,
        bytes: u64,
        labels: BTreeSet<String>,
    }
    struct Told(Mutex<Notes>);
    impl Progress for Told {
        fn planned(&self, files: usize, cached: usize) {
            self.0.lock().unwrap().planned.push((files, cached));
        }
        fn received(&self, bytes: u64) {
            self.0.lock().unwrap().bytes += bytes;
        }
        fn finished(&self, label: &str) {
            self.0.lock().unwrap().labels.insert(label.to_owned());
        }
    }
    let world = World::new();
    let server = Server::start(|_, request| Reply::ok(request.path.as_bytes()));
    let list: Vec<Wanted> = (0..40)
        .map(|number| Wanted {
            label: format!("p{number}"),
            ..wanted(server.at(&number.to_string()), Some(sha512(format!("/{number}").as_bytes())))
        })
        .collect();
    let told = Told(Mutex::default());
    let fetched = world.downloader().fetch(&list, &told).await.unwrap();
    for (number, file) in fetched.iter().enumerate() {
        assert_eq!(fs::read_to_string(&file.path).unwrap(), format!("/{number}"));
    }
    let Notes { planned, bytes, labels } = told.0.into_inner().unwrap();
    assert_eq!((planned, bytes, labels.len()), (vec![(40, 0)], fetched.iter().map(|file| file.size).sum(), 40));
}

#[tokio::test]
async fn what_is_worth_it_is_asked_again() {
    let world = World::new();
    let server = Server::start(|number, _| match number {
        0 => Reply::status(500),
        1 => Reply::status(429),
        2 => Reply { cut_at: Some(3), ..Reply::ok(b"content") },
        _ => Reply::ok(b"content"),
    });
    world.fetch(&[wanted(server.at("a.tgz"), Some(sha512(b"content")))]).await.unwrap();
    assert_eq!(server.requests().len(), 4);
    assert_eq!(world.files(), 1);
}

#[tokio::test]
async fn a_server_that_never_recovers_is_named_with_its_answer() {
    let (world, server) = (World::new(), Server::start(|_, _| Reply::status(503)));
    let (reason, _, category) = only_failure(world.fetch(&[wanted(server.at("a.tgz"), Some(sha512(b"x")))]).await);
    assert!(matches!(reason, Reason::Status { status: 503, .. }), "{reason}");
    assert_eq!((category, server.requests().len()), (Category::Environment, 5));
}

#[tokio::test]
async fn retry_after_is_waited_for_unless_it_is_too_long() {
    let world = World::new();
    let server = Server::start(|number, _| match number {
        0 => Reply::status(429).with("Retry-After", "1"),
        1 => Reply::ok(b"content"),
        _ => Reply::status(503).with("Retry-After", "3600"),
    });
    let start = Instant::now();
    world.fetch(&[wanted(server.at("a.tgz"), Some(sha512(b"content")))]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    only_failure(world.fetch(&[wanted(server.at("b.tgz"), Some(sha512(b"other")))]).await);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let world = World::new();
    let server = Server::start(|_, _| Reply { cut_at: Some(3), hangs: true, ..Reply::ok(b"content") });
    let mut downloader = world.downloader();
    downloader.patience.attempts = 2;
    // Long enough for a busy machine to send the first bytes.
    downloader.patience.stall = Duration::from_secs(1);
    let list = [wanted(server.at("a.tgz"), Some(sha512(b"content")))];
    let (reason, _, category) = only_failure(downloader.fetch(&list, &Silent).await);
    assert!(matches!(reason, Reason::Stalled), "{reason}");
    assert_eq!((category, server.requests().len()), (Category::Environment, 2));
}

#[tokio::test]
async fn wrong_content_is_asked_for_once_more_and_then_named() {
    let (world, server) = (World::new(), Server::start(|_, _| Reply::ok(b"evil")));
    let expected = Integrity::from(Algorithm::Sha1.digest(b"good"));
    let error = world.fetch(&[wanted(server.at("a.tgz"), Some(expected.clone()))]).await.unwrap_err();
    let text = error.to_string();
    for part in ["left-pad@1.0.0", server.at("a.tgz").as_str(), &expected.to_string(), &sha1_text(b"evil")] {
        assert!(text.contains(part), "`{part}` is missing in {text}");
    }
    assert_eq!((server.requests().len(), error.category()), (2, Category::Input));
    assert_eq!(world.files(), 0);
}

fn sha1_text(bytes: &[u8]) -> String {
    Algorithm::Sha1.digest(bytes).to_string()
}

#[tokio::test]
async fn content_that_was_broken_on_the_way_once_is_no_failure() {
    let world = World::new();
    let server = Server::start(|number, _| Reply::ok(if number == 0 { b"broken" } else { b"content" }));
    world.fetch(&[wanted(server.at("a.tgz"), Some(sha512(b"content")))]).await.unwrap();
}

#[tokio::test]
async fn one_failure_does_not_end_the_others() {
    let world = World::new();
    let server = Server::start(|_, request| if request.path == "/a" { Reply::status(404) } else { Reply::ok(b"b") });
    let list = [wanted(server.at("a"), Some(sha512(b"a"))), wanted(server.at("b"), Some(sha512(b"b")))];
    let (reason, hints, category) = only_failure(world.fetch(&list).await);
    assert!(matches!(reason, Reason::Status { status: 404, .. }), "{reason}");
    assert!(hints[0].contains("private") && category == Category::Input, "{hints:?}");
    // The missing file was requested once. The other one stays in the cache.
    assert_eq!(server.requests().len(), 2);
    let FetchError::Missing { missing, wanted: 2 } = world.offline(&list).unwrap_err() else { panic!() };
    assert_eq!(missing, ["left-pad@1.0.0"]);
}

#[tokio::test]
async fn offline_names_all_that_is_missing() {
    let world = World::new();
    let list = ["a@1", "b@2"].map(|label| Wanted {
        label: label.to_owned(),
        ..wanted(Url::parse("https://registry.example/x").unwrap(), Some(sha512(label.as_bytes())))
    });
    let error = world.offline(&list).unwrap_err();
    assert_eq!(error.to_string(), "2 of 2 packages are not in the cache\n  a@1\n  b@2");
    assert_eq!(error.category(), Category::Environment);
}

#[tokio::test]
async fn a_token_is_sent_where_it_belongs_and_a_refusal_is_explained() {
    let server = Server::start(|_, _| Reply::status(401));
    let host = server.url.host_str().unwrap().to_owned();
    let key = format!("//{host}:{}/", server.url.port().unwrap());
    let list = [wanted(server.at("a.tgz"), Some(sha512(b"x")))];
    for (npmrc, sent, hint) in [
        (format!("{key}:_authToken=${{TOKEN}}\n"), Some("Bearer t0k"), "check the credentials"),
        (format!("{key}other/:_authToken=abc\n"), None, "add a token"),
        (format!("{key}:_authToken=${{NO_SUCH_VARIABLE_HERE}}\n"), None, "set `NO_SUCH_VARIABLE_HERE`"),
        (format!("{key}:username=us\n{key}:_password=cHc=\n"), Some("Basic dXM6cHc="), "check the credentials"),
    ] {
        let world = World::new().write("home/.npmrc", &npmrc);
        let (reason, hints, category) = only_failure(world.fetch(&list).await);
        assert!(matches!(reason, Reason::Status { status: 401, .. }) && hints[0].contains(hint), "{reason} {hints:?}");
        assert_eq!(category, Category::Environment);
        assert_eq!(server.requests().last().unwrap().authorization.as_deref(), sent);
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_token() {
    let other = Server::start(|_, _| Reply::ok(b"content"));
    let target = other.at("elsewhere.tgz");
    let server = Server::start(move |number, _| match number {
        0 => Reply::status(302).with("Location", "/here.tgz"),
        _ => Reply::status(307).with("Location", target.as_str()),
    });
    let npmrc: String = [&server, &other]
        .map(|server| format!("//127.0.0.1:{}/:_authToken=${{TOKEN}}\n", server.url.port().unwrap()))
        .concat();
    let world = World::new().write("home/.npmrc", &npmrc);
    world.fetch(&[wanted(server.at("a.tgz"), Some(sha512(b"content")))]).await.unwrap();
    let authorizations: Vec<_> = server.requests().into_iter().map(|request| request.authorization).collect();
    assert_eq!(authorizations, [Some("Bearer t0k".to_owned()), Some("Bearer t0k".to_owned())]);
    assert_eq!(other.requests()[0].authorization, None);
}

#[tokio::test]
async fn yarn_sends_its_tokens_to_their_registry_and_no_redirect_takes_them_along() {
    for format in [Format::YarnClassic, Format::YarnBerry(8)] {
        let other = Server::start(|_, _| Reply::ok(b"content"));
        let target = other.at("elsewhere.tgz");
        let server = Server::start(move |_, _| Reply::status(307).with("Location", target.as_str()));
        let yarnrc =
            format!("npmScopes:\n  acme:\n    npmRegistryServer: {}\n    npmAuthToken: ${{TOKEN}}\n", server.url);
        let port = server.url.port().unwrap();
        let world = World::of(format)
            .write("home/.yarnrc.yml", &yarnrc)
            .write("home/.yarnrc", &format!("\"@acme:registry\" \"{}\"\n", server.url))
            .write("home/.npmrc", &format!("//127.0.0.1:{port}/:_authToken=${{TOKEN}}\n"));
        let list = [Wanted {
            package: "@acme/a".to_owned(),
            ..wanted(server.at("@acme/a/-/a-1.tgz"), Some(sha512(b"content")))
        }];
        world.fetch(&list).await.unwrap();
        assert_eq!(server.requests()[0].authorization.as_deref(), Some("Bearer t0k"), "{format:?}");
        assert_eq!(other.requests()[0].authorization, None, "{format:?}");
    }
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named_where_its_token_is_needed() {
    let server = Server::start(|_, _| Reply::status(401));
    let yarnrc =
        format!("npmAlwaysAuth: true\nnpmRegistryServer: {}\nnpmAuthToken: ${{NO_SUCH_VARIABLE_HERE}}\n", server.url);
    let world = World::of(Format::YarnBerry(8)).write("home/.yarnrc.yml", &yarnrc);
    let list = [wanted(server.at("a/-/a-1.tgz"), Some(sha512(b"x")))];
    let (_, hints, category) = only_failure(world.fetch(&list).await);
    assert!(hints[0].contains("set `NO_SUCH_VARIABLE_HERE`"), "{hints:?}");
    assert_eq!((category, server.requests()[0].authorization.as_deref()), (Category::Environment, None));
}

#[tokio::test]
async fn redirects_without_end_are_left() {
    let (world, server) = (World::new(), Server::start(|_, _| Reply::status(302).with("Location", "/again")));
    let (reason, ..) = only_failure(world.fetch(&[wanted(server.at("a.tgz"), Some(sha512(b"x")))]).await);
    assert!(matches!(reason, Reason::Redirect { .. }), "{reason}");
}

#[tokio::test]
async fn a_url_without_integrity_keeps_its_first_content() {
    let world = World::new();
    let server = Server::start(|number, _| Reply::ok(if number == 0 { b"first" } else { b"later" }));
    let list = [wanted(server.at("a.tgz"), None)];
    let first = world.fetch(&list).await.unwrap();
    assert_eq!(first[0].integrity, sha512(b"first"));
    assert_eq!(world.fetch(&list).await.unwrap()[0].origin, DownloadOrigin::Cached);
    world.cache().forget(&first[0].integrity).unwrap();
    let (reason, hints, _) = only_failure(world.fetch(&list).await);
    assert!(matches!(reason, Reason::Changed { .. }), "{reason}");
    assert!(hints[0].contains("delete"), "{hints:?}");
    fs::remove_file(world.record_path(&list[0])).unwrap();
    assert_eq!(world.fetch(&list).await.unwrap()[0].integrity, sha512(b"later"));
}

#[tokio::test]
async fn an_interrupt_leaves_what_is_complete_and_no_part_of_the_rest() {
    let world = World::new();
    let long = vec![1; 600_000];
    let content = long.clone();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "/long" => Reply { cut_at: Some(400_000), hangs: true, ..Reply::ok(&content) },
        _ => Reply::ok(b"short"),
    });
    let list = [wanted(server.at("long"), Some(sha512(&long))), wanted(server.at("short"), Some(sha512(b"short")))];
    let mut downloader = world.downloader();
    downloader.patience.stall = Duration::from_mins(1);
    let short_is_there = async {
        while server.requests().len() < 2 || world.cache().find(&sha512(b"short")).is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        outcome = downloader.fetch(&list, &Silent) => panic!("{outcome:?}"),
        () = short_is_there => {}
    }
    // A piece that is being written when the future is dropped is removed after the write.
    for _ in 0..100 {
        if world.files() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.files(), 1);
    assert!(world.cache().find(&sha512(b"short")).is_some());
}

#[tokio::test]
async fn a_network_that_is_not_there_ends_the_run_soon() {
    let world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let list: Vec<Wanted> = (0..500_u32)
        .map(|number| {
            let url = Url::parse(&format!("http://{closed}/{number}")).unwrap();
            wanted(url, Some(sha512(&number.to_le_bytes())))
        })
        .collect();
    let mut downloader = Downloader::new(world.registries(), world.cache(), NonZeroUsize::new(8).unwrap());
    downloader.patience.first_pause = Duration::from_millis(200);
    let start = Instant::now();
    let error = downloader.fetch(&list, &Silent).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(error.category(), Category::Environment);
    assert!(error.to_string().starts_with("500 of 500") && error.to_string().ends_with("and 490 more"), "{error}");
}

/// Case X6. Git names the repository that it could not reach.
#[tokio::test]
async fn git_is_quoted_for_its_own_repository_alone() {
    let world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let of = |name: &str| {
        let url = Url::parse(&format!("http://{closed}/acme/{name}.git")).unwrap();
        Wanted { label: name.to_owned(), form: Form::Commit("0123456789".repeat(4)), ..wanted(url, None) }
    };
    let mut downloader = Downloader::new(world.registries(), world.cache(), NonZeroUsize::MIN);
    downloader.patience.first_pause = Duration::from_millis(10);
    let names = ["one", "two", "three"];
    let error = downloader.fetch(&names.map(of), &Silent).await.unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "{error}");
    for (line, name) in lines.iter().zip(names) {
        let others = names.iter().filter(|other| **other != name);
        assert!(line.contains(&format!("/acme/{name}.git: git could not reach the host")), "{error}");
        assert!(others.into_iter().all(|other| !line.contains(&format!("/{other}.git"))), "{error}");
        assert!(line.contains(&format!("connect to {}", closed.ip())), "the reason stays: {error}");
    }
}

#[tokio::test]
async fn a_mirror_of_the_user_is_asked_and_not_recorded() {
    let server = Server::start(|_, _| Reply::ok(b"content"));
    let world = World::new()
        .write("repo/.npmrc", "@acme:registry=https://registry.example/\n")
        .write("home/.bunfig.toml", &format!("[install.scopes]\nacme = \"{}\"\n", server.at("npm")));
    let url = Url::parse("https://registry.example/@acme/a/-/a-1.0.0.tgz").unwrap();
    let list = [Wanted { package: "@acme/a".to_owned(), ..wanted(url, None) }];
    let fetched = world.fetch(&list).await.unwrap();
    assert_eq!(server.requests()[0].path, "/npm/@acme/a/-/a-1.0.0.tgz");
    assert_eq!(world.offline(&list).unwrap()[0].integrity, fetched[0].integrity);
}

#[tokio::test]
async fn a_version_is_asked_for_once_and_recorded_below_the_repositorys_registry() {
    let server = Server::start(|_, request| {
        // Like a mirror, it puts its own host into the URL of the tarball.
        let tarball = format!("http://{}/npm/@acme/left/-/left-1.2.3.tgz", request.host);
        let dist = format!(r#"{{"tarball":"{tarball}","integrity":"{}"}}"#, sha512(b"x"));
        Reply::ok(format!(r#"{{"name":"@acme/left","version":"1.2.3","dist":{dist},"more":[1]}}"#).as_bytes())
    });
    let world = World::new()
        .write("repo/.npmrc", "registry=https://registry.example/\n")
        .write("home/.bunfig.toml", &format!("[install]\nregistry = \"{}\"\n", server.at("npm")));
    let found = world.downloader().package_version("@acme/left", "1.2.3").await.unwrap();
    assert_eq!(found.url.as_str(), "https://registry.example/@acme/left/-/left-1.2.3.tgz");
    assert_eq!(found.integrity, sha512(b"x"));
    assert_eq!(server.requests()[0].path, "/npm/@acme%2fleft/1.2.3");
    assert_eq!(world.downloader().package_version("@acme/left", "1.2.3").await.unwrap(), found);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(world.known_version("@acme/left", "1.2.3"), Some(found));
    assert_eq!(world.known_version("@acme/left", "1.2.4"), None);
    let error = world.downloader().package_version("other", "9.9.9").await.unwrap_err();
    assert!(matches!(&error, MetadataError::Document { .. }), "{error}");
}
