//! A repository that needs no package manager: its `bun.lock` is made here, for packages of a loopback registry.
//!
//! `apps/web` has a build and depends on `packages/ui`. `apps/api` runs from its sources.

use serde_json::{Value, json};

use super::{Package, Registry, TestContext, programs};

/// A repository, and the registry in its `.npmrc`.
pub(crate) struct Small {
    pub(crate) context: TestContext,
    pub(crate) registry: Registry,
}

/// Returns the locked packages: a plain one, a scoped one, and one for a single system.
pub(crate) fn packages() -> Vec<Package> {
    vec![
        Package::new("alpha", "1.0.0"),
        Package::new("@scope/beta", "2.1.0-rc.1"),
        Package::new("gamma-linux", "3.0.0").os("linux").cpu("x64"),
    ]
}

impl Small {
    /// Creates the repository, committed to git.
    pub(crate) fn new() -> Self {
        let small = Self::without_git();
        small.context.git_init();
        small.context.commit_all("small");
        small
    }

    pub(crate) fn without_git() -> Self {
        Self::of(Registry::start(packages()))
    }

    /// Creates the repository without git, and adds fake packages of Bun to the registry.
    pub(crate) fn of(registry: Registry) -> Self {
        programs::stubs("1.4.4").for_each(|package| registry.publish(package));
        let small = Self { context: TestContext::new(), registry };
        write_sources(&small.context);
        small.context.write(".npmrc", format!("registry={}\n", small.registry.url()));
        small.lock(&packages());
        small
    }

    /// Writes a lockfile with exactly these packages.
    pub(crate) fn lock(&self, packages: &[Package]) {
        // Bun refuses a lockfile that lacks what a manifest asks for. A link is nothing to download.
        let is_missing = |needed: &&str| !packages.iter().any(|package| package.name == *needed);
        let missing = ["alpha", "@scope/beta"].into_iter().filter(is_missing);
        let link = |needed| format!("    \"{needed}\": [\"{needed}@link:./packages/ui\", {{}}],\n");
        let links = missing.map(link).collect::<Vec<_>>().concat();
        let start = "  \"packages\": {\n";
        self.context.write("bun.lock", lock(packages).replace(start, &[start, &links].concat()));
    }

    /// Adds a version to the registry, and returns it.
    pub(crate) fn publish(&self, package: Package) -> Package {
        self.registry.publish(package.clone());
        package
    }

    /// Runs `splitter init`, commits the result, and discards the recorded requests.
    pub(crate) fn init(&self) {
        super::succeed(&mut self.context.splitter(&["init"]));
        self.context.commit_all("splitter init");
        self.registry.take_requests();
    }
}

/// Writes all files of the repository except the lockfile.
pub(crate) fn write_sources(context: &TestContext) {
    let manifests = [
        (
            "package.json",
            json!({ "name": "acme", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"] }),
        ),
        (
            "apps/web/package.json",
            json!({
                "name": "web",
                "scripts": { "build": "bun build src/index.ts --outdir dist" },
                "dependencies": { "alpha": "*", "@acme/ui": "workspace:*" },
            }),
        ),
        ("apps/api/package.json", json!({ "name": "api", "scripts": { "start": "bun src/server.ts" } })),
        (
            "packages/ui/package.json",
            json!({ "name": "@acme/ui", "version": "0.1.0", "dependencies": { "@scope/beta": "*" } }),
        ),
    ];
    for (path, manifest) in manifests {
        context.write(path, format!("{manifest:#}\n"));
    }
    context.write("apps/web/src/index.ts", "console.log(1);\n");
    context.write("apps/web/src/index.test.ts", "\n");
    context.write("apps/web/README.md", "# web\n");
    context.write("apps/api/src/server.ts", "console.log(2);\n");
    context.write("packages/ui/index.ts", "export {};\n");
    context.write("tsconfig.json", "{}\n");
    context.write(".gitignore", "node_modules/\ndist/\n");
}

/// Returns a lockfile with these packages for the repository of [`write_sources`].
pub(crate) fn lock(packages: &[Package]) -> String {
    let mut entries: Vec<String> = packages.iter().map(entry).collect();
    entries.push("    \"@acme/ui\": [\"@acme/ui@workspace:packages/ui\"],\n".to_owned());
    entries.sort();
    format!(
        r#"{{
  "lockfileVersion": 1,
  "workspaces": {{
    "": {{ "name": "acme" }},
    "apps/api": {{ "name": "api" }},
    "apps/web": {{ "name": "web", "dependencies": {{ "@acme/ui": "workspace:*", "alpha": "*" }} }},
    "packages/ui": {{ "name": "@acme/ui", "version": "0.1.0", "dependencies": {{ "@scope/beta": "*" }} }},
  }},
  "packages": {{
{}  }}
}}
"#,
        entries.concat()
    )
}

/// Returns the line of a package in the lockfile.
pub(crate) fn entry(package: &Package) -> String {
    let manifest = package.manifest();
    let mut bound = serde_json::Map::new();
    for field in ["os", "cpu"] {
        if let Some([value]) = manifest.get(field).and_then(Value::as_array).map(Vec::as_slice) {
            bound.insert(field.to_owned(), value.clone());
        }
    }
    let (name, version) = (&manifest["name"], &manifest["version"]);
    let (name, version) = (name.as_str().unwrap(), version.as_str().unwrap());
    let tuple = json!([format!("{name}@{version}"), "", bound, package.integrity()]);
    format!("    \"{name}\": {tuple},\n")
}
