//! Fuzzes workspace patterns, as every package manager reads them. A manifest comes from outside: no pattern may panic or
//! hang.

use std::collections::BTreeSet;

use serde_json::json;
use splitter::{
    repo::{Entry, EntryKind, RepoPath, Tree, TreeError},
    split::{Choices, Split},
};

/// The folders of workspaces.
const FOLDERS: [&str; 6] = ["apps/web", "packages/.a/b", "packages/a", "packages/a/b", "packages/ab", "packages/node_modules/c"];

const YARN_1: &str = "# yarn lockfile v1\n";
const YARN_3: &str = "__metadata:\n  version: 6\n  cacheKey: 8\n";
const YARN_4: &str = "__metadata:\n  version: 10\n  cacheKey: 10c0\n";
const BUN: &str = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "root"}}, "packages": {}}"#;

const MANAGERS: [(&str, &str, &str); 6] = [
    ("yarn@1.22.22", "yarn.lock", YARN_1),
    ("yarn@3.8.7", "yarn.lock", YARN_3),
    ("yarn@4.0.0", "yarn.lock", YARN_4),
    ("bun@1.2.23", "bun.lock", BUN),
    ("bun@1.3.14", "bun.lock", BUN),
    ("bun@1.4.0", "bun.lock", BUN),
];

/// A repository with the folders above, and a link that leads round in a circle.
struct Repository {
    manifest: String,
    lockfile: (&'static str, &'static str),
}

impl Tree for Repository {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        let text = match path.as_str() {
            "package.json" => Some(self.manifest.clone()),
            name if name == self.lockfile.0 => Some(self.lockfile.1.to_owned()),
            path => {
                let number = path.strip_suffix("/package.json").and_then(|path| FOLDERS.iter().position(|one| *one == path));
                number.map(|number| json!({"name": format!("w{number}"), "version": "1.0.0"}).to_string())
            }
        };
        Ok(text.map(String::into_bytes))
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let paths = FOLDERS.iter().filter_map(|path| path.parse::<RepoPath>().ok());
        let names = paths.filter_map(|path| Some(path.below(folder)?.split('/').next()?.to_owned()));
        let names: BTreeSet<String> = names.filter(|name| !name.is_empty()).collect();
        let mut entries: Vec<Entry> = names.into_iter().map(|name| Entry { name, kind: EntryKind::Folder }).collect();
        if folder.as_str() == "packages" {
            entries.push(Entry { name: "up".to_owned(), kind: EntryKind::Link });
        }
        Ok(entries)
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        Ok((path.as_str() == "packages/up").then(|| "..".to_owned()))
    }
}

pub(crate) fn check(patterns: [&str; 3]) {
    for (pin, file, text) in MANAGERS {
        let manifest = json!({"name": "root", "private": true, "packageManager": pin, "workspaces": patterns}).to_string();
        let _ = Split::read(&Repository { manifest, lockfile: (file, text) }, &Choices::default());
    }
}
