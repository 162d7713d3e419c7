//! The repositories that the cases edit.

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Value, json};

use super::Random;
use crate::support::Package;

/// The packages of the registry.
pub(super) fn packages() -> Vec<Package> {
    let mut packages = Vec::new();
    for (name, versions) in [
        ("leaf", &["1.0.0", "1.1.0", "2.0.0", "2.1.0"] as &[&str]),
        ("nested", &["1.0.0", "1.1.0", "2.0.0"]),
        ("extra", &["1.0.0", "1.1.0", "2.0.0"]),
        ("peer", &["1.0.0", "1.1.0", "2.0.0"]),
        ("opt", &["1.0.0", "2.0.0"]),
        ("tool", &["1.0.0"]),
        ("trusted", &["1.0.0"]),
        // Yarn's own patches do not apply to such old versions.
        ("typescript", &["2.0.0", "2.1.0"]),
        ("patched", &["1.0.0", "1.1.0"]),
        ("b", &["1.0.0", "2.0.0"]),
        ("c", &["1.0.0", "1.5.0", "2.0.0"]),
        ("@acme/a", &["1.0.0"]),
    ] {
        packages.extend(versions.iter().map(|version| Package::new(name, version)));
    }
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        packages.push(
            Package::new("mid", version).dependency("leaf", "^1.0.0").dependency("nested", "^1.0.0").peer("peer", "*"),
        );
    }
    packages.push(Package::new("top", "1.0.0").dependency("mid", "^1.0.0").optional("opt", "^1.0.0"));
    packages
}

/// Writes a repository without its lockfile.
pub(super) fn write(root: &Utf8Path, version: &str, random: &mut Random) {
    let (is_1, is_4) = (version.starts_with("1."), version.starts_with("4."));
    let mut root_manifest = json!({
        "name": "root", "version": "1.0.0", "private": true, "workspaces": ["packages/*"],
        "packageManager": format!("yarn@{version}"),
        "devDependencies": {"tool": "latest", "typescript": "^2.0.0"},
        "dependencies": {"top": "^1.0.0", "leaf": "^1.0.0"},
    });
    if random.one_in(2) {
        root_manifest["resolutions"] = match random.below(4) {
            0 => json!({"nested": "1.0.0"}),
            1 => json!({"mid/leaf": "2.0.0"}),
            2 => json!({"nested": "^2.0.0", "mid/nested": "1.0.0", "leaf": "1.1.0"}),
            _ if is_1 => json!({"**/mid/leaf": "1.0.0", "nested": "2.0.0", "trusted": "1.0.0"}),
            _ => json!({"nested@npm:^1.0.0": "npm:1.1.0", "top/mid": "1.0.0"}),
        };
    }
    let mut a = json!({
        "name": "@acme/a", "version": "1.2.0", "dependencies": {"mid": "^1.0.0", "alias": "npm:leaf@^2.0.0"},
        "optionalDependencies": {"opt": "^1.0.0"}, "peerDependencies": {"peer": "^1.0.0"},
        "devDependencies": {"peer": "^1.0.0"}, "bin": {"a": "./a.js"},
    });
    let mut b = json!({
        "name": "b", "version": "1.0.5", "dependencies": {"c": "^1.0.0", "leaf": "~1.0.0"}, "bin": "./b.js",
        "dependenciesMeta": {"leaf": {"built": false}},
    });
    let mut c = json!({"name": "c", "version": "1.1.0", "dependencies": {"nested": "^1.0.0"}});
    let mut d = json!({"version": "0.0.1", "dependencies": {"extra": "^1.0.0"}});
    if is_1 {
        d["name"] = json!("d");
        a["dependencies"]["b"] = json!("^1.0.0");
        if random.one_in(2) {
            b["dependencies"]["linked"] = json!("link:../../vendor/linked");
        }
    } else {
        root_manifest["dependenciesMeta"] = json!({"trusted": {"built": true}});
        a["dependencies"]["b"] = json!(random.pick(&["workspace:^", "workspace:*", "workspace:packages/b", "^1.0.0"]));
        a["peerDependenciesMeta"] = json!({"peer": {"optional": true}});
        if random.one_in(2) {
            root_manifest["dependencies"]["patched"] = json!("patch:patched@npm%3A1.0.0#./patches/patched.patch");
            write_text(root, "patches/patched.patch", PATCH);
        }
        if random.one_in(2) {
            b["dependencies"]["linked"] = json!("link:../../vendor/linked");
            b["dependencies"]["ported"] = json!("portal:../../vendor/ported");
        }
        if is_4 && random.one_in(2) {
            c["dependencies"]["leaf"] = json!("catalog:");
            c["dependencies"]["extra"] = json!("catalog:old");
        }
    }
    if random.one_in(3) {
        d["dependencies"]["@acme/a"] = json!("^1.0.0");
    }
    write_json(root, "package.json", &root_manifest);
    write_json(root, "packages/a/package.json", &a);
    write_json(root, "packages/b/package.json", &b);
    write_json(root, "packages/c/package.json", &c);
    write_json(root, "packages/d/package.json", &d);
    write_text(root, "vendor/linked/index.js", "");
    let ported = json!({"name": "ported", "version": "1.0.0", "dependencies": {"leaf": "^2.0.0"}});
    write_json(root, "vendor/ported/package.json", &ported);
    if !is_1 {
        let mut settings = "nodeLinker: node-modules\n".to_owned();
        if random.one_in(2) {
            settings += "packageExtensions:\n  mid@*:\n    dependencies:\n      extra: ^1.0.0\n";
        }
        if is_4 {
            settings += "catalog:\n  leaf: ^2.0.0\n  unused: ^1.0.0\ncatalogs:\n  old:\n    extra: ^1.0.0\n";
        }
        write_text(root, ".yarnrc.yml", &settings);
        write_text(root, "yarn.lock", "");
    }
    for script in ["packages/a/a.js", "packages/b/b.js"] {
        write_text(root, script, "");
    }
}

const PATCH: &str = "diff --git a/index.js b/index.js\nindex 0000001..0000002 100644\n--- a/index.js\n+++ b/index.js\n@@ -1 +1,2 @@\n \
                     module.exports = \"patched@1.0.0\";\n+// patched\n";

pub(super) fn write_text(root: &Utf8Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(super) fn write_json(root: &Utf8Path, path: &str, value: &Value) {
    write_text(root, path, &serde_json::to_string_pretty(value).unwrap());
}
