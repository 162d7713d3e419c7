//! Finds workspaces whose files read the root's `package.json`, for its version or its homepage.
//!
//! All other builds get a reduced copy of it, because a version bump must not rebuild them. No field of the copy tells a build
//! that it is not whole, so the search errs on the side of a hit: a hit too many rebuilds a workspace when the root's manifest
//! changes.

use std::borrow::Cow;

use super::Search;
use crate::{
    names::MANIFEST,
    parallel,
    repo::{EntryKind, RepoPath, Tree},
    split::{SplitError, sources::source_filter::SourceFilter},
};

/// Endings of files that can read another file.
const PROGRAMS: [&str; 13] =
    ["astro", "cjs", "cts", "js", "jsx", "mdx", "mjs", "mts", "sh", "svelte", "ts", "tsx", "vue"];

/// Folders that builds write by custom. If git ignores them, nothing in them is read.
const OUTPUTS: [&str; 6] = ["build", "dist", "lib", "out", "public", "storybook-static"];

/// The size in bytes from which a file is data or was generated.
const LARGE: usize = 1 << 20;

/// Names that programs use to find the root of the repository without a path.
const FIND_ROOT: [&str; 8] = [
    "INIT_CWD",
    "PROJECT_CWD",
    "find-up",
    "findUp",
    "findWorkspaceDir",
    "findWorkspaceRoot",
    "show-toplevel",
    "workspaceRoot",
];

/// How far before a file name the folders of its path may be named, in bytes.
const STATEMENT: usize = 200;

/// Whether a file of the workspace reads the root's manifest. `filter` says which files are sources.
pub(super) fn is_read(search: &mut Search<'_, '_>, filter: &SourceFilter) -> Result<bool, SplitError> {
    let root = search.finder.workspaces.get(&RepoPath::root());
    let root_name = root.map_or("", |manifest| manifest.name.as_str()).to_owned();
    let mut files = Vec::new();
    collect(search, filter, &search.own.clone(), &mut files)?;
    let (tree, own) = (search.finder.tree, search.own);
    let texts = parallel::map(&files, |path| text(tree, path));
    let texts = texts.into_iter().zip(&files).filter_map(|(text, path)| Some((text?, path)));
    let texts: Vec<(String, &RepoPath)> = texts.collect();
    let has_alias = texts.iter().any(|(text, path)| is_configuration(path) && names_root(text, path));
    let place = Place { own, root_name: &root_name, has_alias };
    for (text, path) in texts.iter().filter(|(_, path)| !is_json(path)) {
        if place.is_read_by(text, &path.parent()) && !search.finder.is_ignored(path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Collects the programs and TypeScript configurations in a folder of the workspace.
fn collect(
    search: &mut Search<'_, '_>,
    filter: &SourceFilter,
    folder: &RepoPath,
    files: &mut Vec<RepoPath>,
) -> Result<(), SplitError> {
    for entry in search.finder.tree.list(folder)? {
        let path = folder.child(&entry.name);
        let inner = path.below(search.own).unwrap_or_default();
        match entry.kind {
            EntryKind::File if is_wanted(&entry.name) && filter.rule(inner).is_none() => files.push(path),
            EntryKind::Folder if !search.finder.workspaces.contains_key(&path) => {
                let is_source = filter.rule(&format!("{inner}/x")).is_none();
                let is_output = OUTPUTS.contains(&entry.name.as_str()) && search.finder.is_ignored(&path)?;
                if is_source && !is_output {
                    collect(search, filter, &path, files)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_wanted(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    PROGRAMS.contains(&ending) || is_ts_config(name)
}

fn is_ts_config(name: &str) -> bool {
    (name.starts_with("tsconfig") || name.starts_with("jsconfig")) && name.ends_with(".json")
}

fn is_json(path: &RepoPath) -> bool {
    path.as_str().ends_with(".json")
}

fn is_configuration(path: &RepoPath) -> bool {
    is_ts_config(path.file_name()) || path.file_name().contains(".config.")
}

/// The text of a program. A file that is no text reads nothing.
fn text(tree: &dyn Tree, path: &RepoPath) -> Option<String> {
    let bytes = tree.read(path).ok()??;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() < LARGE)?;
    (is_configuration(path) || text.contains(MANIFEST)).then_some(text)
}

/// Whether a configuration gives the root another name: `"~/*": ["../../*"]`.
fn names_root(text: &str, path: &RepoPath) -> bool {
    let quoted = text.split(['"', '\'', '`']).filter(|part| part.starts_with("..") && part.len() < STATEMENT);
    let leads_to_root = |part: &str| path.parent().resolve(part).is_ok_and(|target| target.is_root());
    quoted.map(|part| part.trim_end_matches('*')).any(leads_to_root)
}

/// The workspace whose files are searched.
struct Place<'a> {
    own: &'a RepoPath,
    root_name: &'a str,
    /// Whether imports can name files of the root without a relative path.
    has_alias: bool,
}

impl Place<'_> {
    fn is_read_by(&self, text: &str, folder: &RepoPath) -> bool {
        let finds_root = FIND_ROOT.iter().any(|name| text.contains(name));
        text.match_indices(MANIFEST).any(|(at, _)| {
            let is_whole = !text[at + MANIFEST.len()..].starts_with(|next: char| next.is_alphanumeric());
            is_whole && (finds_root || self.is_root_named(&text[..at], folder))
        })
    }

    /// Whether the text before the file name leads to the root.
    fn is_root_named(&self, before: &str, folder: &RepoPath) -> bool {
        let start = before.rfind(|c: char| c.is_whitespace() || "\"'`(=,<".contains(c)).map_or(0, |at| at + 1);
        let path = &before[start..];
        let is_root = |path: &str| {
            let from = [folder, self.own];
            from.into_iter().any(|from| from.resolve(path).is_ok_and(|target| target.is_root()))
        };
        if path.starts_with('.') && path.ends_with('/') {
            return is_root(path);
        }
        let name = path.trim_end_matches('/');
        if !name.is_empty() && (name == self.root_name || (self.has_alias && is_alias(name))) {
            return true;
        }
        // `join(__dirname, "..", "..", "package.json")`, `${here}/../../package.json`
        let ups = "../".repeat(steps_up(before));
        !ups.is_empty() && is_root(&ups)
    }
}

/// Whether a folder's name can be an alias.
fn is_alias(name: &str) -> bool {
    !name.contains(['{', '}', '$', '.', ':'])
}

/// The number of `..` in the statement that `before` ends with.
fn steps_up(before: &str) -> usize {
    let from = before.len().saturating_sub(STATEMENT);
    let from = (from..before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(before.len());
    let near = &before[from..];
    let statement: Cow<'_, str> = near.rsplit([';', '{', '}']).next().map_or(Cow::Borrowed(near), |last| {
        // `${here}/..` has braces in a path.
        if near.contains("${") { Cow::Borrowed(near.rsplit([';', '\n']).next().unwrap_or(near)) } else { last.into() }
    });
    statement.split(|c: char| c.is_whitespace() || "\"'`/,()".contains(c)).filter(|part| *part == "..").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> bool {
        let own = "apps/web".parse().unwrap();
        Place { own: &own, root_name: "acme", has_alias: false }.is_read_by(text, &"apps/web/src/lib".parse().unwrap())
    }

    #[test]
    fn a_path_to_the_root_is_found_in_all_its_forms() {
        for text in [
            "import { version } from '../../../../package.json';",
            "import pkg from \"../../../../package.json?raw\"",
            "JSON.parse(readFileSync('../../package.json', 'utf8'))",
            "join(__dirname, '..', '..', '..', '..', 'package.json')",
            "resolve(import.meta.dir, '../../../..', \"package.json\")",
            "readFileSync(`${here}/../../../../package.json`)",
            "require('acme/package.json')",
            "version=$(jq -r .version ../../package.json)",
            "const file = join(await findWorkspaceRoot(), 'package.json');",
        ] {
            assert!(reads(text), "{text}");
        }
    }

    #[test]
    fn manifests_of_other_folders_are_not_the_roots() {
        for text in [
            "import pkg from '../../package.json';",
            "require('react/package.json')",
            "import pkg from './package.json';",
            "import pkg from '@/package.json';",
            "join(__dirname, '..', '..', 'package.json')",
            "x('..', '..', '..', '..');\nread('package.json')",
            "// see package.json",
            "import a from '../../../../package.jsonc';",
        ] {
            assert!(!reads(text), "{text}");
        }
    }

    #[test]
    fn an_alias_of_the_root_is_followed() {
        let own = "apps/web".parse().unwrap();
        let folder = "apps/web/src".parse().unwrap();
        let config = "apps/web/tsconfig.json".parse().unwrap();
        assert!(names_root(r#"{"paths": {"~/*": ["../../*"]}}"#, &config));
        assert!(!names_root(r#"{"paths": {"~/*": ["../*"]}}"#, &config));
        let place = Place { own: &own, root_name: "acme", has_alias: true };
        assert!(place.is_read_by("import pkg from '~/package.json'", &folder));
        assert!(!place.is_read_by("import pkg from '../package.json'", &folder));
    }
}
