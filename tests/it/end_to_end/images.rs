//! Images of packages: all three engines make them, runc runs them, and a push sends only the layers that changed.

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Value, json};

use super::{outputs::own_flake, verify::splitter};
use crate::support::{
    BUN_VERSIONS, Container, Monorepo, NixMonorepo, Package, Programs, Project, RealRegistry, Registry, TestContext,
    YARN_VERSIONS, YarnMonorepo, fail, monorepo::packages, run, stand_in::system, succeed, tools,
};

/// A registry with what the apps need: the real Fastify, a library, and stand-ins for two frameworks. Without Fastify it
/// records a skip.
#[track_caller]
fn registry() -> Option<Registry> {
    let program = |name: &str, script: &str| {
        Package::new(name, "1.0.0").field("bin", json!({ name: "cli.js" })).executable("cli.js", script)
    };
    let own = [
        Package::new("greet", "1.0.0").file("index.js", "module.exports = 'greet@1.0.0';\n"),
        Package::new("greet", "1.1.0").file("index.js", "module.exports = 'greet@1.1.0';\n"),
        Package::new("other", "1.0.0"),
        Package::new("other", "1.1.0"),
        program("vite", include_str!("images/vite.js")),
        program("next", include_str!("images/next.js")),
    ];
    let fastify = tools::real_packages()?;
    Some(Registry::start(packages().into_iter().chain(own).chain(fastify)))
}

/// Adds a server with a library, a site, and a server that brings its packages.
fn with_apps(context: &TestContext, workspace: &str) {
    let manifest = |path: &str, manifest: Value| context.write(path, manifest.to_string());
    manifest(
        "packages/words/package.json",
        json!({ "name": "@acme/words", "version": "1.0.0", "main": "index.js", "dependencies": { "greet": "1.0.0" } }),
    );
    context.write("packages/words/index.js", "module.exports = `words of ${require('greet')}`;\n");
    let server = json!({
        "name": "server", "version": "2.1.0", "description": "Says words", "license": "MIT",
        "scripts": { "build": "node build.js", "start": "node dist/main.js" },
        "dependencies": { "@acme/words": workspace, "greet": "1.0.0", "fastify": "5.12.8" },
    });
    manifest("apps/server/package.json", server);
    context.write("apps/server/build.js", include_str!("images/server.js"));
    context.write("apps/server/src/edition.json", r#"{ "edition": "first" }"#);
    manifest(
        "apps/site/package.json",
        json!({ "name": "site", "version": "1.0.0", "scripts": { "build": "vite build" }, "devDependencies": { "vite": "1.0.0" } }),
    );
    let pages = json!({
        "name": "pages", "version": "1.0.0", "scripts": { "build": "next build" },
        "dependencies": { "next": "1.0.0", "greet": "1.0.0", "other": "1.0.0" },
    });
    manifest("apps/pages/package.json", pages);
    context.write("apps/pages/next.config.js", "module.exports = { output: 'standalone' };\n");
    context.write("apps/pages/public/robots.txt", "robots\n");
}

/// The flake with choices for images.
fn flake(context: &TestContext, choices: &str) {
    context.write("flake.nix", own_flake(choices));
    context.commit_all("choices");
}

fn server_answers(container: &mut Container<'_>) {
    let answer = container.ask("/");
    assert!(
        answer.ends_with("words of greet@1.0.0 65532:65532 production /home/app /home/app refused first"),
        "{answer}"
    );
}

fn site_answers(container: &mut Container<'_>) {
    let page = container.ask("/");
    assert!(page.contains("200 OK") && page.to_lowercase().contains("cache-control: no-cache"), "{page}");
    let hashed = container.ask("/assets/index-CWY5q6lx.js");
    assert!(hashed.contains("immutable") && hashed.contains("hello hello"), "{hashed}");
    let plain = container.ask("/assets/user-settings.js");
    assert!(plain.contains("no-cache") && !plain.contains("immutable"), "{plain}");
    // Every other path gets the page of the app. A browser must not keep that page under the name of a missing file.
    let missing = container.ask("/assets/index-AAAAAAA1.js");
    assert!(missing.contains("200 OK") && missing.contains("<script") && !missing.contains("immutable"), "{missing}");
}

fn pages_answer(container: &mut Container<'_>) {
    let answer = container.ask("/");
    assert!(answer.ends_with("greet@1.0.0 // a chunk robots"), "{answer}");
}

/// Returns the layers that a push had to send, from its table.
fn sent(output: &str) -> Vec<&str> {
    let lines = output.lines().filter(|line| line.ends_with("  sent"));
    let mut names: Vec<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names
}

#[test]
fn e2e_images_of_a_bun_monorepo_run_and_send_only_what_changed() {
    let (Some(registry_program), Some(programs)) = (tools::oci("docker-registry"), Programs::find()) else { return };
    let Some(registry) = registry() else { return };
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| {
        with_apps(&monorepo.context, "workspace:*");
        let build = "bun build tool.ts --compile --outfile dist/tool";
        let manifest = json!({ "name": "push", "version": "1.0.0", "scripts": { "build": build } });
        monorepo.context.write("apps/push/package.json", manifest.to_string());
        monorepo.context.write("apps/push/tool.ts", include_str!("images/tool.ts"));
        // Runs with Bun, and depends on a package with a command for Node.js.
        let manifest = json!({
            "name": "worker", "version": "1.0.0", "scripts": { "start": "bun main.ts" }, "dependencies": { "tool": "^4.0.0" },
        });
        monorepo.context.write("apps/worker/package.json", manifest.to_string());
        monorepo.context.write("apps/worker/main.ts", "console.log(1);\n");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let images = RealRegistry::start(context, &registry_program);
    let to = format!("127.0.0.1:{}/acme/", images.port());
    let push = |names: &[&str]| {
        let mut args = vec!["images", "push"];
        args.extend(names);
        let system = system();
        args.extend(["--to", &to, "--tag", "v1", "--system", &system]);
        run(&mut splitter(&nix, &args))
    };
    let output = push(&[]);
    let ambiguous = "error: the flake has an image named `push`, so `images push` could mean to show it or to send all images\n\
                     hint: run `splitter images push push` to send it, and `splitter images --image push` to show it\n";
    assert!(output.starts_with("exit: 2\n") && output.contains(ambiguous), "{output}");
    let held = run(&mut splitter(&nix, &["images", "worker", "--json"]));
    assert!(held.starts_with("exit: 0"), "{held}");
    let output = push(&["server", "site", "pages", "push"]);
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!(output.matches("@sha256:").count(), 4, "{output}");
    let run = |name: &str| Container::run(context, &programs, &format!("docker://{to}{name}:v1"));

    let mut server = run("server");
    server_answers(&mut server);
    let env = &server.settings["env"];
    assert!(env.as_array().unwrap().contains(&"NODE_ENV=production".into()), "{env}");
    assert!(server.stop().as_millis() < 1000);
    let mut site = run("site");
    site_answers(&mut site);
    assert!(!site.log().contains(r#""level":"error""#), "{}", site.log());
    site.stop();
    let mut pages = run("pages");
    pages_answer(&mut pages);
    pages.stop();
    let mut tool = run("push");
    assert!(tool.ask("/").ends_with("compiled, 65532"));
    tool.stop();

    // A second push sends nothing. Each edit sends the layers of its own pace alone.
    let before = images.uploads();
    assert_eq!(sent(&push(&["server", "pages"])), [""; 0]);
    assert_eq!(images.uploads(), before);
    context.write("apps/server/src/edition.json", r#"{ "edition": "second" }"#);
    context.commit_all("an edit of the app");
    assert_eq!(sent(&push(&["server", "pages"])), ["app"]);
    context.write("packages/words/index.js", "module.exports = `more words of ${require('greet')}`;\n");
    context.commit_all("an edit of the library");
    assert_eq!(sent(&push(&["server", "pages"])), ["libraries"]);
    // A comment that the build drops changes no file of the image.
    context.write("apps/server/build.js", format!("{}// a comment\n", context.read("apps/server/build.js")));
    context.commit_all("a comment");
    let output = push(&["server"]);
    assert_eq!(sent(&output), ["app"], "the build itself is a file of the package: {output}");
    nix.monorepo.add("apps/pages", "other@1.1.0");
    succeed(&mut context.splitter(&["update-hash"]));
    let program = "nix/splitter/tools/image-plan.mjs";
    context.write(program, format!("{}// another version of splitter\n", context.read(program)));
    context.commit_all("another version of a package of pages");
    let output = push(&["server", "push"]);
    assert_eq!(sent(&output), [""; 0], "the packages of other apps are not its own: {output}");
    nix.monorepo.add("apps/server", "greet@1.1.0");
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("another version of a package of the server");
    let output = push(&["server", "pages"]);
    assert!(sent(&output).contains(&"packages") && !sent(&output).contains(&"runtime"), "{output}");
    let table = succeed(&mut splitter(&nix, &["images", "server", "pages", "--system", &system()]));
    assert!(table.contains("the lockfile") && table.contains("shared with"), "{table}");
    changes_are_shown_in_bytes(&nix);
}

/// Returns the layers that are sent again for each image, by a report of a comparison.
fn sent_again(report: &Value) -> Vec<String> {
    let layers = |image: &Value| {
        let sent = image["layers"].as_array().unwrap().iter().filter(|layer| layer["isSentAgain"] == true);
        let names: Vec<_> = sent.map(|layer| layer["name"].as_str().unwrap()).collect();
        format!("{}: {}", image["name"].as_str().unwrap(), names.join(" "))
    };
    report["images"].as_array().unwrap().iter().map(layers).collect()
}

/// The last commits of the test edit the app, the library, the build, and twice the lockfile.
fn changes_are_shown_in_bytes(nix: &NixMonorepo) {
    let context = nix.context();
    let system = system();
    let images = |args: &[&str]| {
        let mut all = vec!["images", "--system", &system];
        all.extend(args);
        run(&mut splitter(nix, &all))
    };
    let report = |args: &[&str]| -> Value {
        let mut all = vec!["images", "--json", "--system", &system];
        all.extend(args);
        serde_json::from_str(&succeed(&mut splitter(nix, &all))).unwrap()
    };
    let of_library = report(&["server", "pages", "HEAD~4..HEAD~3"]);
    assert_eq!(sent_again(&of_library), ["pages: ", "server: libraries"]);
    assert_eq!(of_library["sentAgain"], of_library["images"][1]["sentAgain"]);
    // A new file that git does not track is in both states.
    context.write("packages/words/new.js", "// new\n");
    let of_app = report(&["server", "--edit", "apps/server/build.js"]);
    assert_eq!((sent_again(&of_app), &of_app["isForecast"]), (vec!["server: app".to_owned()], &false.into()));
    let of_lockfile = report(&["server", "--edit", "bun.lock"]);
    assert_eq!(
        (sent_again(&of_lockfile), &of_lockfile["isForecast"]),
        (vec!["server: packages".to_owned()], &true.into())
    );
    context.remove("packages/words/new.js");
    // A budget fails before anything is sent, and names what grew.
    context.write(
        "splitter.json",
        r#"{ "imageBudget": "1 GB", "workspaces": { "apps/server": { "imageBudget": "1 kB" } } }"#,
    );
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("a budget");
    let output = images(&["server", "HEAD~4..HEAD"]);
    assert!(output.starts_with("exit: 1\n") && output.contains("over budget: the image server"), "{output}");
    assert!(output.contains(" MB more than its budget of 1.0 kB\n  grew: packages +"), "{output}");
    let output = run(&mut splitter(nix, &["images", "push", "server", "--system", &system, "--to", "127.0.0.1:1/x"]));
    assert!(output.starts_with("exit: 1\n----- stdout\n----- stderr\n"), "{output}");
    assert!(output.contains("over budget: the image server") && output.contains("largest layers: "), "{output}");
    let layout = context.folder("layout");
    let output = run(&mut splitter(nix, &["images", "write", "server", layout.as_str(), "--system", &system]));
    assert!(output.starts_with("exit: 1\n") && output.contains("over budget: the image server"), "{output}");
    assert!(!layout.exists());
}

/// Runs the images that dockerTools makes of a Yarn monorepo.
fn images_of_yarn(version: &str) {
    let (Some(programs), Some(registry)) = (Programs::find(), registry()) else { return };
    let workspace = if version.starts_with("1.") { "1.0.0" } else { "workspace:*" };
    let monorepo = YarnMonorepo::with_registry(version, "node-modules", registry, |monorepo| {
        with_apps(&monorepo.context, workspace);
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let archive = |name: &str| {
        let program = nix.build(&format!("{name}-image"));
        let file = context.folder(&format!("{name}.tar"));
        let out = std::fs::File::create(&file).unwrap();
        assert!(context.command(&program).stdout(out).status().unwrap().success());
        format!("docker-archive:{file}")
    };
    let mut server = Container::run(context, &programs, &archive("server"));
    server_answers(&mut server);
    server.stop();
    let mut site = Container::run(context, &programs, &archive("site"));
    site_answers(&mut site);
    site.stop();
    let mut pages = Container::run(context, &programs, &archive("pages"));
    pages_answer(&mut pages);
    pages.stop();
    // The image to develop in has the sources, the packages and the programs: it builds the app, and runs it.
    let program = nix.build(&format!("legacyPackages.{}.images.server.development", system()));
    let file = context.folder("development.tar");
    let out = std::fs::File::create(&file).unwrap();
    assert!(context.command(&program).stdout(out).status().unwrap().success());
    let command = "yarn run build && exec node dist/main.js";
    let source = format!("docker-archive:{file}");
    let mut development = Container::run_command(context, &programs, &source, &["sh", "-c", command]);
    let answer = development.ask("/");
    assert!(answer.ends_with("words of greet@1.0.0 0:0 development /root /app/apps/server written first"), "{answer}");
    development.stop();
}

#[test]
fn e2e_images_of_yarn_1_run() {
    images_of_yarn(YARN_VERSIONS[0]);
}

#[test]
fn e2e_images_of_yarn_4_run() {
    images_of_yarn(YARN_VERSIONS[2]);
}

/// Returns the store paths in an image of an OCI layout, each as often as a layer has it.
fn store_paths(nix: &NixMonorepo<impl Project>, layout: &Utf8Path) -> Vec<String> {
    let context = nix.context();
    let mut found = Vec::new();
    let blobs = layout.join("blobs/sha256");
    let manifest = |entry: &Utf8Path| serde_json::from_str::<Value>(&fs::read_to_string(entry).ok()?).ok();
    let files: Vec<_> = blobs.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    let layers = files.iter().filter_map(|file| manifest(file)).filter_map(|file| file["layers"].as_array().cloned());
    for layer in layers.flatten() {
        let digest = layer["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
        let list = succeed(context.command("tar").args(["--list", "--file", blobs.join(digest).as_str()]));
        let paths = list.lines().filter_map(|line| line.split_once("/nix/store/")).map(|(_, rest)| rest);
        let mut paths: Vec<String> = paths.map(|rest| rest.split('/').next().unwrap().to_owned()).collect();
        paths.sort();
        paths.dedup();
        found.extend(paths.into_iter().filter(|path| !path.is_empty()));
    }
    found
}

#[test]
fn e2e_images_by_nix2container_run_and_hold_no_path_twice() {
    let (Some(programs), Some(registry)) = (Programs::find(), registry()) else { return };
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| {
        with_apps(&monorepo.context, "workspace:*");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let choices = r#"splitter.images.engine = "nix2container";
      splitter.images.revision = "0123abc";
      splitter.images.nix2container = inputs.nix2container.packages.${system}.nix2container;
      splitter.apps.server.image = { ports = [ 8123 ]; env.EXTRA = "yes"; labels.team = "blue"; };"#;
    let input = r#"inputs.nix2container = { url = "path:/nowhere/nix2container"; inputs.nixpkgs.follows = "nixpkgs"; };
  inputs.flake-parts.url"#;
    let text = own_flake(choices)
        .replacen("inputs.flake-parts.url", input, 1)
        .replace("perSystem = { pkgs, ... }:", "perSystem = { pkgs, system, ... }:");
    context.write("flake.nix", text);
    context.commit_all("nix2container");
    let copy = nix.build("legacyPackages.$SYSTEM.images.server.copyTo".replace("$SYSTEM", &system()).as_str());
    let layout = context.folder("copied");
    succeed(context.command(copy.join("bin/copy-to")).arg(format!("oci:{layout}:v1")));
    let mut server = Container::run(context, &programs, &format!("oci:{layout}:v1"));
    server_answers(&mut server);
    let env = server.settings["env"].as_array().unwrap();
    assert!(env.contains(&"EXTRA=yes".into()) && env.contains(&"PORT=8123".into()), "{env:?}");
    server.stop();
    let inspected = succeed(&mut programs.skopeo(context, &["inspect", &format!("oci:{layout}:v1")]));
    let labels = serde_json::from_str::<Value>(&inspected).unwrap()["Labels"].clone();
    assert_eq!((&labels["team"], &labels["org.opencontainers.image.revision"]), (&"blue".into(), &"0123abc".into()));
    assert_eq!(labels["org.opencontainers.image.licenses"], "MIT");
    let paths = store_paths(&nix, &layout);
    let mut unique = paths.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(paths.len(), unique.len(), "{paths:#?}");
    assert!(!paths.iter().any(|path| path.ends_with("-node-modules")), "{paths:#?}");
}

#[test]
fn e2e_an_image_that_would_hold_development_packages_is_refused_with_the_way_to_them() {
    let Some(registry) = registry() else { return };
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| {
        with_apps(&monorepo.context, "workspace:*");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    flake(context, "splitter.apps.server.image.contents = [ config.packages.nodeModules ];");
    let text = context.read("flake.nix").replace("perSystem = { pkgs, ... }:", "perSystem = { pkgs, config, ... }:");
    context.write("flake.nix", text);
    context.commit_all("what does not belong there");
    let output = fail(&mut nix.build_command(&format!("legacyPackages.{}.images.server.plan", system())));
    assert!(
        output.contains(
            "the image server would hold the development packages of all workspaces: image-contents -> node-modules"
        ),
        "{output}"
    );
}
