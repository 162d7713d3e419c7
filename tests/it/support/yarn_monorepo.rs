//! The monorepo of [`super::monorepo`] for Yarn: the same packages and graph, with sources in plain JavaScript that a command
//! from the registry builds.

use std::process::Command;

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::{Value, json};

use super::{
    Package, Project, Registry, TestContext,
    monorepo::{STAMP, packages},
    programs,
    sandbox::succeed,
    yarn,
};

/// A repository with a lockfile, its registry, and the Yarn that wrote the lockfile.
pub(crate) struct YarnMonorepo {
    pub(crate) context: TestContext,
    pub(crate) registry: Registry,
    pub(crate) yarn: Utf8PathBuf,
    version: String,
}

impl YarnMonorepo {
    /// Returns the monorepo with a `yarn.lock` from this version of Yarn, committed but not installed. If that Yarn is missing,
    /// records a skip and returns `None`. The lockfile of Yarn 1 contains the registry's URLs, later ones do not.
    #[track_caller]
    pub(crate) fn with_yarn(version: &str) -> Option<Self> {
        Self::with_linker(version, "node-modules", |_| ())
    }

    /// Like [`Self::with_yarn`], with this `nodeLinker`, which Yarn 1 ignores. Calls `edit` before the lockfile is written.
    #[track_caller]
    pub(crate) fn with_linker(version: &str, linker: &str, edit: impl FnOnce(&Self)) -> Option<Self> {
        Self::with_registry(version, linker, Registry::start(packages()), |monorepo| edit(monorepo))
    }

    /// Like [`Self::with_linker`], from this registry.
    #[track_caller]
    pub(crate) fn with_registry(
        version: &str,
        linker: &str,
        registry: Registry,
        edit: impl FnOnce(&mut Self),
    ) -> Option<Self> {
        let yarn = yarn(version)?;
        let mut context = TestContext::new();
        context.use_registry(&registry);
        write_sources(&context, version);
        context.git_init();
        let mut monorepo = Self { context, registry, yarn, version: version.to_owned() };
        if !monorepo.is_classic() {
            monorepo.context.write(".yarnrc.yml", format!("nodeLinker: {linker}\n"));
            // Yarn takes the folder with a lockfile as the root of the project.
            monorepo.context.write("yarn.lock", "");
        }
        edit(&mut monorepo);
        succeed(&mut monorepo.yarn(&["install"]));
        monorepo.forget_install();
        monorepo.context.commit_all("the monorepo");
        monorepo.registry.take_requests();
        Some(monorepo)
    }

    /// Whether this is Yarn 1.
    pub(crate) fn is_classic(&self) -> bool {
        is_classic(&self.version)
    }

    /// Returns a Yarn command in the repository.
    pub(crate) fn yarn(&self, args: &[&str]) -> Command {
        self.context.yarn(&self.yarn, args)
    }

    /// Returns the options of an install without scripts.
    fn without_scripts(&self) -> &str {
        if self.is_classic() { "--ignore-scripts" } else { "--mode=skip-build" }
    }

    /// Removes the files of an install except the lockfile. Yarn before version 4 cannot write the lockfile alone.
    pub(crate) fn forget_install(&self) {
        self.context.git(&["clean", "--quiet", "--force", "-dX"]);
        fs::remove_dir_all(self.context.home()).unwrap();
        fs::create_dir(self.context.home()).unwrap();
    }
}

impl Project for YarnMonorepo {
    fn context(&self) -> &TestContext {
        &self.context
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn program(&self) -> Package {
        programs::real_yarn(&self.version, &self.yarn)
    }

    fn name_registry(&self) {
        let url = self.registry.url();
        if self.is_classic() {
            self.context.write(".yarnrc", format!("registry {url:?}\n"));
        } else {
            let settings = self.context.read(".yarnrc.yml");
            let registry = format!("npmRegistryServer: {url:?}\nunsafeHttpWhitelist:\n  - 127.0.0.1\n");
            self.context.write(".yarnrc.yml", settings + &registry);
        }
        self.context.commit_all("a registry of our own");
    }

    fn add(&self, workspace: &str, package: &str) {
        let mut add = self.yarn(&["add", package, self.without_scripts()]);
        succeed(add.current_dir(self.context.repo().join(workspace)));
        self.context.git(&["clean", "--quiet", "--force", "-dX"]);
    }

    fn install(&self) {
        let frozen = if self.is_classic() { "--frozen-lockfile" } else { "--immutable" };
        succeed(&mut self.yarn(&["install", frozen, self.without_scripts()]));
    }
}

fn is_classic(version: &str) -> bool {
    version.starts_with("1.")
}

fn write_sources(context: &TestContext, yarn_version: &str) {
    // Yarn 1 matches workspaces by version only.
    let sibling = |version: &str| if is_classic(yarn_version) { version.to_owned() } else { "workspace:^".to_owned() };
    let manifest = |path: &str, name: &str, version: &str, more: Value| {
        let mut manifest = json!({ "name": name, "version": version, "private": true });
        manifest.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        context.write(path, format!("{}\n", serde_json::to_string_pretty(&manifest).unwrap()));
    };
    // Later versions of Yarn have a setting for the scripts that run. For Yarn 1, it is a choice in splitter.json.
    let dependencies_meta = if is_classic(yarn_version) {
        context.write("splitter.json", "{ \"scripts\": [\"trusted\"] }\n");
        json!({})
    } else {
        json!({ "trusted": { "built": true } })
    };
    let root = json!({
        "packageManager": format!("yarn@{yarn_version}"),
        "workspaces": ["apps/*", "packages/*"],
        "dependenciesMeta": dependencies_meta,
        "devDependencies": { "tool": "latest" },
    });
    manifest("package.json", "acme", "0.0.0", root);
    let app = |build: &str, dependencies: Value| {
        let development = json!({ "bundler": "^1.0.0", "tool": "latest" });
        json!({ "scripts": { "build": build }, "dependencies": dependencies, "devDependencies": development })
    };
    let api = json!({
        "@acme/logger": sibling("0.1.0"), "@acme/stamp": sibling("0.3.0"), "native": "^2.0.0", "trusted": "^1.0.0",
        "untrusted": "^1.0.0",
    });
    // A command of a package, and one of a workspace.
    let build = "bundle src/index.js dist/index.js && tool > dist/tool.txt && stamp api > dist/stamp.txt";
    manifest("apps/api/package.json", "api", "1.0.0", app(build, api));
    let web = json!({
        "@acme/ui": sibling("0.2.0"), "renamed": "npm:aliased@^1.0.0", "host": "^1.0.0", "plugin": "^1.0.0",
    });
    manifest("apps/web/package.json", "web", "1.0.0", app("bundle src/index.js dist/index.js", web));
    let library = |dependencies: Value| json!({ "main": "src/index.js", "dependencies": dependencies });
    manifest(
        "packages/logger/package.json",
        "@acme/logger",
        "0.1.0",
        library(json!({ "colour": "^1.0.0", "old-library": "^0.1.0" })),
    );
    manifest("packages/stamp/package.json", "@acme/stamp", "0.3.0", json!({ "bin": { "stamp": "./bin.js" } }));
    let ui = json!({ "@acme/logger": sibling("0.1.0"), "@scope/util": "^3.0.0", "release-candidate": "1.0.0-rc.2" });
    manifest("packages/ui/package.json", "@acme/ui", "0.2.0", library(ui));
    for (path, text) in SOURCES {
        context.write(path, text);
    }
    // Yarn would make the file executable.
    context.make_executable("packages/stamp/bin.js");
}

const SOURCES: [(&str, &str); 8] = [
    (".gitignore", "node_modules/\ndist/\n.yarn/\n.pnp.*\n"),
    ("apps/api/src/index.js", "const log = require(\"@acme/logger\");\nlog(`api: ${require(\"native\")}`);\n"),
    (
        "apps/web/src/index.js",
        "const render = require(\"@acme/ui\");\nrender(`web: ${require(\"plugin\")}, ${require(\"renamed\")}`);\n",
    ),
    ("apps/web/README.md", "# web\n"),
    (
        "packages/logger/src/index.js",
        "const parts = [require(\"colour\"), require(\"old-library\")];\n\
         module.exports = (line) => console.log(`[${parts.join(\", \")}] ${line}`);\n",
    ),
    ("packages/stamp/bin.js", STAMP),
    (
        "packages/ui/src/index.js",
        "const log = require(\"@acme/logger\");\n\
         module.exports = (title) => log(`${title}: ${require(\"@scope/util\")}, ${require(\"release-candidate\")}`);\n",
    ),
    ("tsconfig.json", "{ \"compilerOptions\": { \"strict\": true } }\n"),
];
