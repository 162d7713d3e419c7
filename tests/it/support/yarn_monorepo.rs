//! The monorepo of [`super::monorepo`] as a user of Yarn has it: the same packages and graph, sources in plain JavaScript,
//! built by a command from the registry.

use std::process::Command;

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::{Value, json};

use super::{Registry, TestContext, monorepo::packages, sandbox::succeed, yarn};

/// A repository with a lockfile, the registry that it came from, and the Yarn that wrote it.
pub(crate) struct YarnMonorepo {
    pub(crate) context: TestContext,
    pub(crate) registry: Registry,
    pub(crate) yarn: Utf8PathBuf,
}

impl YarnMonorepo {
    /// The monorepo with a `yarn.lock` by this version of Yarn, committed to git, not installed. None, and a recorded
    /// skip, where that Yarn is missing. The lock of Yarn 1 holds the registry's URLs, later ones do not.
    #[track_caller]
    pub(crate) fn with_yarn(version: &str) -> Option<Self> {
        let yarn = yarn(version)?;
        let registry = Registry::start(packages());
        let mut context = TestContext::new();
        context.use_registry(&registry);
        write_sources(&context, version);
        context.git_init();
        let monorepo = Self { context, registry, yarn };
        succeed(&mut monorepo.yarn(&["install"]));
        monorepo.forget_install();
        monorepo.context.commit_all("the monorepo");
        monorepo.registry.take_requests();
        Some(monorepo)
    }

    /// Yarn in the repository.
    pub(crate) fn yarn(&self, args: &[&str]) -> Command {
        self.context.yarn(&self.yarn, args)
    }

    /// Removes what an install leaves but for the lockfile: no version of Yarn before 4 writes that alone.
    pub(crate) fn forget_install(&self) {
        self.context.git(&["clean", "--quiet", "--force", "-dX"]);
        fs::remove_dir_all(self.context.home()).unwrap();
        fs::create_dir(self.context.home()).unwrap();
    }
}

fn write_sources(context: &TestContext, yarn_version: &str) {
    let is_classic = yarn_version.starts_with("1.");
    // Yarn 1 knows workspaces by their versions alone
    let sibling = |version: &str| if is_classic { version.to_owned() } else { "workspace:^".to_owned() };
    let manifest = |path: &str, name: &str, version: &str, more: Value| {
        let mut manifest = json!({ "name": name, "version": version, "private": true });
        manifest.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        context.write(path, format!("{}\n", serde_json::to_string_pretty(&manifest).unwrap()));
    };
    let root = json!({
        "packageManager": format!("yarn@{yarn_version}"),
        "workspaces": ["apps/*", "packages/*"],
        "devDependencies": { "tool": "latest" },
    });
    manifest("package.json", "acme", "0.0.0", root);
    let app = |dependencies: Value| {
        let scripts = json!({ "build": "bundle src/index.js dist/index.js" });
        json!({ "scripts": scripts, "dependencies": dependencies, "devDependencies": { "bundler": "^1.0.0" } })
    };
    let api = json!({ "@acme/logger": sibling("0.1.0"), "native": "^2.0.0", "trusted": "^1.0.0" });
    manifest("apps/api/package.json", "api", "1.0.0", app(api));
    let web = json!({
        "@acme/ui": sibling("0.2.0"), "renamed": "npm:aliased@^1.0.0", "host": "^1.0.0", "plugin": "^1.0.0",
    });
    manifest("apps/web/package.json", "web", "1.0.0", app(web));
    let library = |dependencies: Value| json!({ "main": "src/index.js", "dependencies": dependencies });
    manifest(
        "packages/logger/package.json",
        "@acme/logger",
        "0.1.0",
        library(json!({ "colour": "^1.0.0", "old-library": "^0.1.0" })),
    );
    let ui = json!({ "@acme/logger": sibling("0.1.0"), "@scope/util": "^3.0.0", "release-candidate": "1.0.0-rc.2" });
    manifest("packages/ui/package.json", "@acme/ui", "0.2.0", library(ui));
    for (path, text) in SOURCES {
        context.write(path, text);
    }
    if !is_classic {
        context.write(".yarnrc.yml", "nodeLinker: node-modules\n");
        // an empty lockfile tells Yarn that the project's root is here
        context.write("yarn.lock", "");
    }
}

const SOURCES: [(&str, &str); 6] = [
    (".gitignore", "node_modules/\ndist/\n.yarn/\n"),
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
    (
        "packages/ui/src/index.js",
        "const log = require(\"@acme/logger\");\n\
         module.exports = (title) => log(`${title}: ${require(\"@scope/util\")}, ${require(\"release-candidate\")}`);\n",
    ),
];
