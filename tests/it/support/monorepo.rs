//! The monorepo of the end-to-end tests. It is small, but has the kinds of dependencies that matter, a lockfile from the
//! real Bun, and apps that can be built and run.
//!
//! Both apps depend on `logger`, and only `web` on `ui`. So there are edits that rebuild one app, both or none.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Value, json};

use super::{Package, Project, Registry, TestContext, bun, programs, sandbox::succeed};

/// A repository with a lockfile, its registry, and the Bun that wrote the lockfile.
pub(crate) struct Monorepo {
    pub(crate) context: TestContext,
    pub(crate) registry: Registry,
    pub(crate) bun: Utf8PathBuf,
    version: String,
}

/// The platforms with a binary of `native`: os, cpu, and libc if it matters.
pub(crate) const PLATFORMS: [(&str, &str, Option<&str>); 6] = [
    ("darwin", "arm64", None),
    ("darwin", "x64", None),
    ("linux", "arm64", Some("glibc")),
    ("linux", "x64", Some("glibc")),
    ("linux", "x64", Some("musl")),
    ("win32", "x64", None),
];

impl Monorepo {
    /// Returns the monorepo with a `bun.lock` from this version of Bun, committed but not installed. If that Bun is missing,
    /// records a skip and returns `None`.
    ///
    /// The lockfile is that of a user of the default registry. Bun omits the URLs of that registry only, so the loopback
    /// registry pretends to be it while the lockfile is written.
    #[track_caller]
    pub(crate) fn with_bun(version: &str) -> Option<Self> {
        let monorepo = Self::unlocked(version)?;
        monorepo.registry.claim_to_be(npmrc_config_rs::registry::DEFAULT_REGISTRY);
        monorepo.lock();
        monorepo.registry.claim_nothing();
        Some(monorepo)
    }

    /// Like [`Self::with_bun`], but with the lockfile of a mirror's user, which contains the URL of each tarball.
    #[track_caller]
    pub(crate) fn with_bun_and_mirror(version: &str) -> Option<Self> {
        let monorepo = Self::unlocked(version)?;
        monorepo.lock();
        Some(monorepo)
    }

    /// Like [`Self::with_bun`], from this registry. Calls `edit` before the lockfile is written.
    #[track_caller]
    pub(crate) fn with_registry(version: &str, registry: Registry, edit: impl FnOnce(&Self)) -> Option<Self> {
        let monorepo = Self::unlocked_at(version, registry)?;
        edit(&monorepo);
        monorepo.lock();
        Some(monorepo)
    }

    #[track_caller]
    fn unlocked(version: &str) -> Option<Self> {
        Self::unlocked_at(version, Registry::start(packages()))
    }

    #[track_caller]
    fn unlocked_at(version: &str, registry: Registry) -> Option<Self> {
        let bun = bun(version)?;
        programs::stubs(version).for_each(|package| registry.publish(package));
        let mut context = TestContext::new();
        context.use_registry(&registry);
        write_sources(&context, version);
        context.git_init();
        Some(Self { context, registry, bun, version: version.to_owned() })
    }

    fn lock(&self) {
        succeed(&mut self.bun(&["install", "--lockfile-only"]));
        // With Bun's cache of metadata, an install would not show its requests.
        fs::remove_dir_all(self.context.home().join(".bun")).unwrap();
        self.context.commit_all("the monorepo");
        self.registry.take_requests();
    }

    /// Returns a Bun command in the repository.
    pub(crate) fn bun(&self, args: &[&str]) -> Command {
        let mut command = self.context.command(&self.bun);
        // Scripts call `bun`, which must be this one.
        let folder = self.bun.parent().unwrap_or(Utf8Path::new("."));
        command.env("PATH", format!("{folder}:{}", super::tools::search_path())).args(args);
        command
    }
}

impl Project for Monorepo {
    fn context(&self) -> &TestContext {
        &self.context
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn program(&self) -> Package {
        programs::real_bun(&self.version, &self.bun)
    }

    fn name_registry(&self) {
        self.context.write(".npmrc", format!("registry={}\n", self.registry.url()));
        self.context.commit_all("a registry of our own");
    }

    fn add(&self, workspace: &str, package: &str) {
        let mut add = self.bun(&["add", "--lockfile-only", package]);
        succeed(add.current_dir(self.context.repo().join(workspace)));
    }

    fn install(&self) {
        succeed(&mut self.bun(&["install", "--frozen-lockfile"]));
    }
}

/// Returns the packages of the registry.
pub(crate) fn packages() -> Vec<Package> {
    let mut packages = vec![
        Package::new("aliased", "1.5.0"),
        Package::new("bundler", "1.0.0")
            .field("bin", json!({ "bundle": "bundle.js" }))
            .executable("bundle.js", include_str!("monorepo/bundle.js")),
        Package::new("cataloged", "1.1.0"),
        Package::new("colour", "0.9.0"),
        Package::new("colour", "1.2.0").file("README.md", "# colour\n"),
        Package::new("colour", "2.0.0-beta.1").tag("beta"),
        Package::new("host", "1.4.0"),
        Package::new("old-library", "0.1.0").dependency("colour", "^0.9.0"),
        Package::new("plugin", "1.0.0").peer("host", "^1.0.0").optional_peer("absent", "^1.0.0"),
        Package::new("release-candidate", "1.0.0-rc.2"),
        Package::new("tool", "4.9.0").bin("tool"),
        Package::new("tool", "5.0.1").bin("tool").dependency("colour", "^1.0.0"),
        Package::new("tool", "6.0.0-alpha.1").bin("tool"),
        Package::new("trusted", "1.0.0").script("postinstall", "echo built > built.txt"),
        Package::new("untrusted", "1.0.0").script("postinstall", "echo built > built.txt"),
        Package::new("@scope/util", "3.1.0").dependency("colour", "^1.0.0").bin("scope-util"),
        Package::new("@types/colour", "1.2.0").file("index.d.ts", "declare const colour: string;\nexport = colour;\n"),
    ];
    let mut native = Package::new("native", "2.0.0");
    for (os, cpu, libc) in PLATFORMS {
        let suffix = if libc == Some("musl") { "-musl" } else { "" };
        let name = format!("@native/{os}-{cpu}{suffix}");
        native = native.optional(&name, "2.0.0");
        let binary = Package::new(&name, "2.0.0").os(os).cpu(cpu).executable("bin/native", format!("{os} {cpu}\n"));
        packages.push(libc.into_iter().fold(binary, Package::libc));
    }
    packages.push(native);
    packages
}

/// A command of a workspace. It also prints its interpreter.
pub(super) const STAMP: &str = r#"#!/usr/bin/env node
const first = require("fs").readFileSync(__filename, "utf8").split("\n")[0];
console.log(`stamped ${process.argv[2]} by ${first}`);
"#;

fn write_sources(context: &TestContext, bun_version: &str) {
    let manifest = |path: &str, manifest: &Value| {
        context.write(path, format!("{}\n", serde_json::to_string_pretty(manifest).unwrap()));
    };
    manifest(
        "package.json",
        &json!({
            "name": "acme",
            "private": true,
            "packageManager": format!("bun@{bun_version}"),
            "workspaces": { "packages": ["apps/*", "packages/*"], "catalog": { "cataloged": "^1.0.0" } },
            "trustedDependencies": ["trusted"],
            "scripts": { "build": "bun run --filter '*' build" },
            "devDependencies": { "tool": "latest", "@types/colour": "^1.2.0" },
        }),
    );
    manifest(
        "apps/api/package.json",
        &app(
            "api",
            &json!({ "native": "^2.0.0", "trusted": "^1.0.0", "untrusted": "1", "@acme/stamp": "workspace:*" }),
        ),
    );
    let web =
        json!({ "@acme/ui": "workspace:*", "renamed": "npm:aliased@^1.0.0", "host": "^1.0.0", "plugin": "^1.0.0" });
    manifest("apps/web/package.json", &app("web", &web));
    manifest(
        "packages/logger/package.json",
        &json!({
            "name": "@acme/logger", "version": "0.1.0", "main": "src/index.ts",
            "dependencies": { "colour": "^1.0.0", "old-library": "^0.1.0" },
        }),
    );
    manifest(
        "packages/ui/package.json",
        &json!({
            "name": "@acme/ui", "version": "0.2.0", "main": "src/index.ts",
            "dependencies": { "@acme/logger": "workspace:^", "@scope/util": "^3.0.0", "release-candidate": "1.0.0-rc.2" },
        }),
    );
    manifest("packages/stamp/package.json", &json!({ "name": "@acme/stamp", "bin": { "stamp": "./bin.js" } }));
    context.write("packages/stamp/bin.js", STAMP);
    context.write("packages/logger/src/index.ts", include_str!("monorepo/logger.ts"));
    context.write("packages/ui/src/index.ts", include_str!("monorepo/ui.ts"));
    context.write("apps/api/src/index.ts", include_str!("monorepo/api.ts"));
    context.write("apps/web/src/index.ts", include_str!("monorepo/web.ts"));
    context.write("apps/web/README.md", "# web\n");
    context.write("apps/web/src/index.test.ts", "import { test } from \"bun:test\";\n\ntest(\"nothing\", () => {});\n");
    context.write("tsconfig.json", "{ \"compilerOptions\": { \"strict\": true } }\n");
    context.write(".gitignore", "node_modules/\ndist/\n");
}

fn app(name: &str, dependencies: &Value) -> Value {
    let mut manifest = json!({
        "name": name,
        "version": "1.0.0",
        "private": true,
        "scripts": { "build": "bun build src/index.ts --outdir dist --target node" },
        "dependencies": { "@acme/logger": "workspace:*", "cataloged": "catalog:" },
    });
    if name == "api" {
        // A command of a package, and one of a workspace.
        manifest["scripts"]["build"] =
            "bun build src/index.ts --outdir dist --target node && tool > dist/tool.txt && stamp api > dist/stamp.txt"
                .into();
    }
    for (name, range) in dependencies.as_object().into_iter().flatten() {
        manifest["dependencies"][name] = range.clone();
    }
    manifest
}
