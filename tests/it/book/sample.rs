//! Packages for the sample monorepo. Their names and versions are those of its lockfiles, their content is made here.

use camino::Utf8Path;
use fs_err as fs;
use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::support::{BUN_VERSIONS, Package, programs};

const LOCK: &str = include_str!("../../../fixtures/demo/bun/bun.lock");
const BUMPED: &str = include_str!("../../../fixtures/demo/bumped/bun/bun.lock");

/// A line of a package: name, version, what else Bun knows, integrity.
fn entries() -> Regex {
    Regex::new(r#"(?m)(": \["(@?[^@"]+)@([0-9][^"]*)", "", (\{.*\}), ")sha512-[^"]+"\],?$"#).unwrap()
}

/// Returns every package of the lockfiles, before and after the update of a dependency, and the package of Bun.
pub(super) fn packages() -> Vec<Package> {
    let entries = entries();
    let of = |lock: &'static str| entries.captures_iter(lock).map(|entry| package(&entry)).collect::<Vec<_>>();
    [of(LOCK), of(BUMPED), programs::stubs(BUN_VERSIONS[2]).collect()].concat()
}

fn package(entry: &Captures<'_>) -> Package {
    let fields: Map<String, Value> = serde_json::from_str(&entry[4]).unwrap();
    let mut package = Package::new(&entry[2], &entry[3]);
    for name in fields.get("optionalPeers").and_then(Value::as_array).into_iter().flatten() {
        package = package.optional_peer(name.as_str().unwrap(), "*");
    }
    for (name, value) in fields {
        match name.as_str() {
            "dependencies" | "optionalDependencies" | "peerDependencies" | "bin" => {
                package = package.field(&name, value);
            }
            "os" | "cpu" | "libc" => package = package.field(&name, json!([value])),
            _ => {}
        }
    }
    package.file("README.md", format!("# {}\n", &entry[2]).repeat(200))
}

/// Writes the integrities of these packages into the lockfile of a folder.
pub(super) fn lock(folder: &Utf8Path) {
    let text = entries().replace_all(LOCK, |entry: &Captures<'_>| {
        let integrity = package(entry).integrity();
        entry[0].replace(&entry[0][entry[1].len()..], &format!("{integrity}\"],"))
    });
    fs::write(folder.join("bun.lock"), text.as_bytes()).unwrap();
}
