//! Fuzzes the files that tell how apps are built: those of task runners, TypeScript and other tools. People write them
//! by hand, so no text may panic.

use splitter::{
    repo::{Entry, EntryKind, RepoPath, Tree, TreeError},
    split::{Choices, Split},
};

const MANIFEST: &str =
    r#"{"name": "web", "scripts": {"build": "node ../scripts/a.js", "codegen": "x"}, "dependencies": {"next": "15"}}"#;
const LOCK: &str =
    r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "acme"}, "web": {"name": "web"}}, "packages": {}}"#;

/// A monorepo with one workspace. Each of `files` contains `text`.
struct Monorepo<'a> {
    files: &'a [&'a str],
    text: &'a str,
}

impl Monorepo<'_> {
    fn text_of(&self, path: &str) -> Option<&str> {
        match path {
            "package.json" => Some(r#"{"name": "acme", "workspaces": ["web"]}"#),
            "bun.lock" => Some(LOCK),
            "web/package.json" => Some(MANIFEST),
            _ => self.files.contains(&path).then_some(self.text),
        }
    }
}

impl Tree for Monorepo<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(self.text_of(path.as_str()).map(|text| text.as_bytes().to_vec()))
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let known = ["bun.lock", "package.json", "web/package.json"];
        let mut entries: Vec<Entry> = Vec::new();
        for path in known.iter().chain(self.files).filter_map(|path| path.parse::<RepoPath>().ok()) {
            let Some(inner) = path.below(folder) else { continue };
            let (name, kind) =
                inner.split_once('/').map_or((inner, EntryKind::File), |(name, _)| (name, EntryKind::Folder));
            if !name.is_empty() && entries.iter().all(|entry| entry.name != name) {
                entries.push(Entry { name: name.to_owned(), kind });
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn link(&self, _: &RepoPath) -> Result<Option<String>, TreeError> {
        Ok(None)
    }
}

pub(crate) fn check(text: &str) {
    for files in [
        &["turbo.json", "web/turbo.json"][..],
        &["nx.json", "web/project.json"],
        &["base.json", "scripts/a.js", "tsconfig.json", "web/.eslintrc.js", "web/tsconfig.json", "web/vite.config.ts"],
    ] {
        let _ = Split::read(&Monorepo { files, text }, &Choices::default());
    }
}
