//! The bundled monorepo: two apps, two libraries, real dependencies, lockfiles by the real Bun.

use crate::{repo::RepoPath, scaffold::files::Files};

macro_rules! sample {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../fixtures/", $folder, "/", $path)))),*]
    };
}

/// The monorepo as it is at first.
const AT_FIRST: &[(&str, &str)] = sample!["demo":
    ".gitignore",
    "README.md",
    "apps/api/package.json",
    "apps/api/src/server.test.ts",
    "apps/api/src/server.ts",
    "apps/web/index.html",
    "apps/web/package.json",
    "apps/web/src/main.tsx",
    "apps/web/tsconfig.json",
    "apps/web/vite.config.ts",
    "bun.lock",
    "package.json",
    "packages/clock/package.json",
    "packages/clock/src/index.ts",
    "packages/greeting/package.json",
    "packages/greeting/src/index.ts",
    "tsconfig.json",
];

/// What `bun add hono@4.9.1` in `apps/api` changes.
const BUMPED: &[(&str, &str)] = sample!["demo-bumped": "apps/api/package.json", "bun.lock"];

/// The source file that the demo edits, of the app that it builds.
pub(super) const SOURCE: &str = "apps/api/src/server.ts";
pub(super) const APP: &str = "api";

/// What the demo does to it.
pub(super) const EDIT: &str = "\napp.get(\"/health\", (context) => context.text(\"ok\"));\n";

/// The files of the monorepo as it is at first.
pub(super) fn at_first() -> Files {
    files(AT_FIRST)
}

/// The files that a bump of one dependency changes.
pub(super) fn bumped() -> Files {
    files(BUMPED)
}

fn files(list: &[(&str, &str)]) -> Files {
    let mut files = Files::default();
    for (path, content) in list {
        files.put(path.split('/').fold(RepoPath::root(), |folder, part| folder.child(part)), *content);
    }
    files
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use fs_err as fs;

    use super::*;

    fn below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &format!("{path}/"), found);
            } else {
                found.push(path);
            }
        }
        found.sort();
    }

    #[test]
    fn every_file_of_the_sample_is_bundled() {
        for (name, bundled) in [("demo", AT_FIRST), ("demo-bumped", BUMPED)] {
            let mut found = Vec::new();
            below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name), "", &mut found);
            assert_eq!(bundled.iter().map(|(path, _)| *path).collect::<Vec<_>>(), found, "{name}");
        }
    }
}
