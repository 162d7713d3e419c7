//! Plans of images, over a store in the test's folder.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, process::Command};

use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::{Value, json};

use super::TestContext;

/// The digits of the store paths of the samples.
const HASHES: [&str; 4] = [
    "a101ry64prhq70jyl77q503pidv67jw7",
    "zhw7301m5n8d0jjzcnwndv2qw3hvz8cm",
    "43jnvbiq1n16gv7anafi1rx5f8w89z4g",
    "77kcwlrpp7w7kqmys9gmx6zpng2jip0q",
];

/// A test with a store and plans.
pub(crate) struct Images {
    pub(crate) context: TestContext,
}

impl Images {
    pub(crate) fn new() -> Self {
        let mut context = TestContext::new();
        let store = context.folder("store");
        fs::create_dir(&store).unwrap();
        context.set_env("NIX_STORE_DIR", store);
        let images = Self { context };
        images.file(1, "etc/passwd", "app:x:65532:65532::/:/bin/false\n");
        // Not `/tmp`: the store of the test is in it, and the folders on the way to a store have a mode of their own.
        fs::create_dir_all(images.path(1).join("var/tmp")).unwrap();
        images.file(2, "lib/runtime", "runtime ".repeat(20_000));
        images.file(3, "bin/app", "#!/bin/sh\necho one\n");
        images
    }

    /// Returns a store path of the samples: 1 is the root, 2 the runtime, 3 the app.
    pub(crate) fn path(&self, number: usize) -> Utf8PathBuf {
        self.context.folder("store").join(format!("{}-{}", HASHES[number], ["none", "root", "runtime", "app"][number]))
    }

    /// Writes an executable file of a store path.
    pub(crate) fn file(&self, number: usize, path: &str, content: impl AsRef<[u8]>) {
        let file = self.path(number).join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns the plan of an image. `edition` changes the hash of the app.
    pub(crate) fn plan(&self, name: &str, edition: u8) -> Value {
        let item = |number: usize, edition: u8| {
            let hash = format!("sha256:{}{edition}", "0".repeat(51));
            json!({ "path": self.path(number), "narHash": hash, "narSize": 1000 * number })
        };
        json!({
            "version": 1, "name": name, "tag": null, "registry": null, "architecture": "amd64", "os": "linux",
            "created": "1970-01-01T00:00:01Z",
            "config": {
                "Entrypoint": [self.path(3).join("bin/app")], "User": "65532:65532", "WorkingDir": "/",
                "Env": ["NODE_ENV=production"],
                "Labels": { "org.opencontainers.image.title": name },
                "Healthcheck": { "Test": ["CMD", "true"], "Interval": 30_000_000_000_u64 },
            },
            "layers": [
                { "name": "base", "changes": "nixpkgs", "paths": [], "root": {
                    "path": self.path(1), "narHash": format!("sha256:{}", "0".repeat(52)), "narSize": 100, "modes": [{ "path": "var/tmp", "mode": "1777", "uid": 0, "gid": 0 }] } },
                { "name": "none", "changes": "", "root": null, "paths": [] },
                { "name": "runtime", "changes": "nixpkgs", "root": null, "paths": [item(2, 0)] },
                { "name": "app", "changes": "each commit", "root": null, "paths": [item(3, edition)] },
            ],
        })
    }

    /// Writes a plan to a file, and returns its path.
    pub(crate) fn write(&self, name: &str, plan: &Value) -> String {
        let path = self.context.folder(&format!("{name}.json"));
        fs::write(&path, plan.to_string()).unwrap();
        path.into_string()
    }

    /// Returns `splitter images push` of the first edition of `web`.
    pub(crate) fn push(&self, to: &str, more: &[&str]) -> Command {
        let plan = self.write("web", &self.plan("web", 1));
        self.push_plan(&plan, to, more)
    }

    pub(crate) fn push_plan(&self, plan: &str, to: &str, more: &[&str]) -> Command {
        let mut command = self.context.splitter(&["images", "push", "--plan", plan, "--to", to]);
        command.args(more);
        command
    }
}
