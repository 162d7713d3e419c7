//! `splitter cache` with a real Nix, a real nginx that takes PUT, and a second machine: another chroot store with the same
//! repository.

use std::process::Command;

use fs_err as fs;
use serde_json::Value;

use super::verify::splitter;
use crate::support::{
    BUN_VERSIONS, NixMonorepo, run, stand_in::system, succeed, tools::search_path, web_cache::WebCache,
};

/// Two machines with a cache between them.
struct Machines {
    nix: NixMonorepo,
    cache: WebCache,
    public: String,
}

impl Machines {
    fn new() -> Option<Self> {
        let mut nix = NixMonorepo::with_bun(BUN_VERSIONS[2])?;
        nix.nix.in_chroot = true;
        let cache = WebCache::start(nix.context())?;
        let key = nix.context().folder("key");
        let generated =
            succeed(&mut nix.nix.command(nix.context(), &["key", "generate-secret", "--key-name", "test-1"]));
        fs::write(&key, &generated).unwrap();
        let mut public = nix.nix.command(nix.context(), &["key", "convert-secret-to-public"]);
        let public = succeed(public.stdin(fs::File::open(&key).unwrap().into_parts().0));
        Some(Self { nix, cache, public })
    }

    /// Names the cache in `splitter.json`, and commits it.
    fn name_cache(&self) {
        let caches = serde_json::json!({ "caches": [{ "cache": self.cache.url(), "publicKeys": [self.public] }] });
        self.nix.context().write("splitter.json", caches.to_string());
        self.nix.context().commit_all("caches");
    }

    fn splitter(&self, args: &[&str]) -> Command {
        let mut command = splitter(&self.nix, args);
        command.env("SPLITTER_CACHE_KEY_FILE", self.nix.context().folder("key"));
        command
    }

    /// Runs `splitter cache status` and returns its report and its exit code.
    fn status(&self, args: &[&str]) -> (Value, i32) {
        let output = self.splitter(&[&["cache", "status", "--json"], args].concat()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}\n{said}"));
        (report, output.status.code().unwrap())
    }

    /// Returns what the first cache lacks: the name of each path with the reason.
    fn lacks(&self, args: &[&str]) -> Vec<String> {
        let (report, code) = self.status(args);
        let lacks = report["caches"][0]["lacks"].as_array().unwrap().clone();
        assert_eq!(code, i32::from(!lacks.is_empty()), "{report:#}");
        let name = |path: &str| path.rsplit('/').next().unwrap()[33..].to_owned();
        let line =
            |lack: &Value| format!("{}: {}", name(lack["path"].as_str().unwrap()), lack["why"].as_str().unwrap());
        lacks.iter().map(line).collect()
    }

    /// Builds on the second machine, whose store is empty, and returns the derivations that it builds.
    fn built_on_the_second(&self, outputs: &[&str]) -> Vec<String> {
        let store = self.nix.context().folder("second");
        let outputs: Vec<String> = outputs.iter().map(|output| format!(".#{output}")).collect();
        let mut args = vec!["build", "--no-link", "--store", store.as_str()];
        args.extend(outputs.iter().map(String::as_str));
        let (url, key) = (self.cache.url(), self.public.as_str());
        args.extend(["--substituters", url.as_str(), "--trusted-public-keys", key]);
        let mut command = self.nix.nix(&args);
        // A new machine remembers nothing of caches.
        command.env("XDG_CACHE_HOME", self.nix.context().folder("second-home")).env_remove("NIX_REMOTE");
        let output = run(&mut command);
        assert!(output.starts_with("exit: 0\n"), "{output}");
        let built = output.lines().filter_map(|line| line.strip_prefix("building '")?.strip_suffix("'..."));
        built.map(|path| path.rsplit('/').next().unwrap()[33..].trim_end_matches(".drv").to_owned()).collect()
    }
}

#[test]
fn e2e_after_a_push_a_second_machine_builds_only_what_was_edited() {
    let Some(machines) = Machines::new() else { return };
    let context = machines.nix.context();
    let drv = || machines.nix.derivations();
    let (before, record) = (drv(), context.read("nix/splitter/splitter.lock.json"));
    machines.name_cache();
    // The list of caches is no input of anything.
    assert_eq!((drv(), context.read("nix/splitter/splitter.lock.json")), (before, record));
    succeed(&mut context.splitter(&["check"]));
    succeed(&mut context.splitter(&["update-hash", "--offline"]));
    assert_eq!(context.git(&["status", "--porcelain"]), "");

    let output = run(&mut machines.splitter(&["cache", "status"]));
    assert!(output.starts_with("exit: 1\n"), "{output}");
    for line in
        [" has 0 of 9 things\n", "  web (x86_64-linux) product  missing\n", "hint: run `splitter cache push --to http"]
    {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    let output = run(&mut machines.splitter(&["cache", "push", "--dry-run"]));
    assert!(output.starts_with("exit: 0\n") && output.contains("\n  nodeModules\n"), "{output}");
    assert!(!machines.cache.take_requests().iter().any(|request| request.starts_with("PUT")), "{output}");
    let folder = context.folder("not-there-yet");
    let url = format!("file://{folder}");
    let asks: [(&[&str], i32); 2] =
        [(&["cache", "push", "--dry-run", "--to", &url], 0), (&["cache", "status", "--cache", &url], 3)];
    for (words, code) in asks {
        let output = run(&mut machines.splitter(words));
        assert!(output.starts_with(&format!("exit: {code}\n")) && !folder.exists(), "{words:?} {output}");
    }
    context.write("apps/web/src/extra.ts", "export {};\n");
    context.git(&["add", "--all"]);
    let output = run(&mut machines.splitter(&["cache", "push"]));
    assert!(output.contains("error: `apps/web/src/extra.ts` differs from the last commit"), "{output}");
    context.git(&["reset", "--quiet", "--hard"]);

    let output = run(&mut machines.splitter(&["cache", "push"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    assert!(output.contains(" has everything: ") && output.contains("nodeModules: built in "), "{output}");
    let requests = machines.cache.take_requests();
    assert!(requests.iter().any(|request| request.starts_with("PUT /nar/")), "{requests:?}");
    assert_eq!(machines.lacks(&[]), [""; 0]);
    // A second push sends nothing.
    machines.cache.take_requests();
    succeed(&mut machines.splitter(&["cache", "push"]));
    assert!(!machines.cache.take_requests().iter().any(|request| request.starts_with("PUT")));

    assert_eq!(machines.built_on_the_second(&["web", "api", "nodeModules"]), [""; 0]);
    context.write("apps/web/src/index.ts", format!("{}// edited\n", context.read("apps/web/src/index.ts")));
    // The hook holds the sources of the app.
    assert_eq!(machines.built_on_the_second(&["web", "api"]), ["splitter-hook", "web-1.0.0"]);
    context.git(&["checkout", "--quiet", "apps"]);
    faults_are_named(&machines);
    a_builder_builds_for_it(&machines);
    cachix_and_attic(&machines);
}

/// Another chroot store is a machine that builds. This one may not.
fn a_builder_builds_for_it(machines: &Machines) {
    let context = machines.nix.context();
    context.write("apps/web/src/index.ts", format!("{}// built there\n", context.read("apps/web/src/index.ts")));
    context.commit_all("an edit");
    let builder = format!("{} {} - 1", context.folder("builder"), system());
    let mut push = machines.splitter(&["cache", "push", "web", "--builders", &builder]);
    let output = run(push.args(["--max-jobs", "0"]));
    assert!(output.starts_with("exit: 0\n") && output.contains("web: building on "), "{output}");
    assert_eq!(machines.built_on_the_second(&["web"]), [""; 0]);
}

/// Their servers are stand-ins: nginx answers their requests. The programs are not packaged for Debian, so a script does what
/// `cachix push` does.
fn cachix_and_attic(machines: &Machines) {
    let (context, url) = (machines.nix.context(), machines.cache.url());
    let (bin, attic) = (context.folder("bin"), context.home().join(".config/attic"));
    for folder in [&bin, &attic] {
        fs::create_dir_all(folder).unwrap();
    }
    let key = context.folder("key");
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2 $CACHIX_AUTH_TOKEN\" = 'push acme t' ] && shift 2 && \
         exec {} copy --to '{url}?secret-key={key}' \"$@\"\n",
        machines.nix.nix.program
    );
    fs::write(bin.join("cachix"), script).unwrap();
    succeed(context.command("chmod").args(["+x", bin.join("cachix").as_str()]));
    fs::write(attic.join("config.toml"), format!("[servers.ci]\nendpoint = \"{url}\"\ntoken = \"t\"\n")).unwrap();
    let with = |args: &[&str]| {
        let mut command = machines.splitter(args);
        command.env("PATH", format!("{bin}:{}", search_path()));
        command.env("SPLITTER_CACHIX_URL", &url).env("CACHIX_AUTH_TOKEN", "t");
        run(command.args(["--option", "trusted-public-keys", &machines.public]))
    };
    context.write("apps/api/src/index.ts", format!("{}// edited\n", context.read("apps/api/src/index.ts")));
    context.commit_all("another edit");
    let output = with(&["cache", "push", "api", "--to", "cachix:acme"]);
    assert!(output.starts_with("exit: 0\n") && output.contains("cachix:acme has everything"), "{output}");
    machines.cache.take_requests();
    let output = with(&["cache", "status", "api", "--cache", "attic:ci/acme"]);
    assert!(output.starts_with("exit: 0\n"), "{output}");
    let output = with(&["cache", "pin", "api", "--to", "cachix:acme", "--keep-days", "3"]);
    assert!(output.contains(&format!("api-{}  /nix/store/", system())), "{output}");
    let requests = machines.cache.take_requests();
    for wanted in [
        "POST /_api/v1/get-missing-paths",
        "GET /acme/nix-cache-info",
        "POST /api/v1/cache/acme/narinfo",
        "POST /api/v1/cache/acme/pin",
    ] {
        assert!(requests.iter().any(|request| request.starts_with(wanted)), "{wanted}: {requests:?}");
    }
    let output = run(&mut machines.splitter(&["cache", "push", "api", "--to", "cachix:acme"]));
    assert!(output.starts_with("exit: 3\n") && output.contains("hint: set CACHIX_AUTH_TOKEN"), "{output}");
}

/// A hole, an unsigned path, a cut archive, a missing one, and servers that refuse.
fn faults_are_named(machines: &Machines) {
    let cache = &machines.cache;
    let saved = |name: &str| {
        let path = cache.narinfo(name);
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    let (hole, hole_text) = saved("-bun-");
    fs::remove_file(&hole).unwrap();
    let (unsigned, unsigned_text) = saved("-api-");
    WebCache::edit(&unsigned, |text| text.split_inclusive('\n').filter(|line| !line.starts_with("Sig")).collect());
    let (web, web_text) = saved("-web-");
    let nar = web_text.lines().find_map(|line| line.strip_prefix("URL: ")).unwrap();
    let nar = cache.files().join(nar);
    let archive = fs::read(&nar).unwrap();
    fs::write(&nar, &archive[..archive.len() / 2]).unwrap();
    let lacks = machines.lacks(&[]);
    let has = |start: &str, end: &str| lacks.iter().any(|lack| lack.starts_with(start) && lack.ends_with(end));
    assert!(has("bun-", ": missing") && has("api-", ": untrusted") && has("web-", ": cut"), "{lacks:?}");
    fs::remove_file(&nar).unwrap();
    let output = run(&mut machines.splitter(&["cache", "status"]));
    for line in ["has no signature, so Nix does not take it", "its archive is missing, although", "not usable"] {
        assert!(output.contains(line), "{line} is not in\n{output}");
    }
    // A hole is mended by a push. What the cache claims to have is not sent again, and is named.
    let output = run(&mut machines.splitter(&["cache", "push"]));
    assert!(output.starts_with("exit: 1\n") && output.contains("not usable"), "{output}");
    assert_eq!(fs::read_to_string(&hole).unwrap().lines().next(), hole_text.lines().next());
    fs::write(&unsigned, unsigned_text).unwrap();
    fs::write(&web, web_text).unwrap();
    fs::write(&nar, archive).unwrap();
    assert_eq!(machines.lacks(&[]), [""; 0]);

    for (status, says) in
        [(401, "answered 401 to a request without credentials"), (429, "answered 429, too many"), (500, "answered 500")]
    {
        let url = format!("{}/{status}", cache.url());
        let output = run(&mut machines.splitter(&["cache", "status", "--cache", &url]));
        assert!(output.starts_with("exit: 3\n") && output.contains(says), "{status}: {output}");
        // Beside a cache that has everything it is named and not fatal.
        let both = ["cache", "status", "--cache", &url, "--cache", &cache.url()];
        let output = run(&mut machines.splitter(&both));
        assert!(output.starts_with("exit: 0\n") && output.contains(says), "{status}: {output}");
    }
    let other = machines.nix.context().folder("keyless");
    let foreign = format!("file://{other}");
    let output =
        run(machines.splitter(&["cache", "push", "api", "--to", &foreign]).env_remove("SPLITTER_CACHE_KEY_FILE"));
    assert!(
        output.starts_with("exit: 1\n") && output.contains("warning: SPLITTER_CACHE_KEY_FILE is not set"),
        "{output}"
    );
    assert!(output.contains("has no signature"), "{output}");
    succeed(
        machines.splitter(&["cache", "status", "api", "--cache", &format!("{foreign}?trusted=true")]).env("A", "b"),
    );
    let output = run(&mut machines.splitter(&["cache", "pin", "api", "--to", &foreign]));
    assert!(output.starts_with("exit: 2\n") && output.contains("nothing deletes files of a folder"), "{output}");
}
