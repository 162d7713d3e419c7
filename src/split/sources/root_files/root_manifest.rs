//! Finds workspaces whose files read the root's `package.json`, for its version or its homepage.
//!
//! All other builds get a reduced copy of it, because a version bump must not rebuild them. No field of the copy tells a build
//! that it is not whole, so the search errs on the side of a hit: a hit too many rebuilds a workspace when the root's manifest
//! changes.

use crate::{names::MANIFEST, repo::RepoPath, split::Manifest};

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

/// Words in statements whose paths are relative to the file.
const OF_FILE: [&str; 6] = ["__dirname", "__filename", "from ", "import", "require", "new URL"];

/// How far before a file name the folders of its path may be named, in bytes.
const STATEMENT: usize = 200;

/// Whether a configuration gives the root another name: `"~/*": ["../../*"]`.
pub(super) fn names_root(text: &str, path: &RepoPath) -> bool {
    let quoted = text.split(['"', '\'', '`']).filter(|part| part.starts_with("..") && part.len() < STATEMENT);
    let leads_to_root = |part: &str| path.parent().resolve(part).is_ok_and(|target| target.is_root());
    quoted.map(|part| part.trim_end_matches('*')).any(leads_to_root)
}

/// The workspace whose files are searched.
pub(super) struct Place<'a> {
    pub(super) own: &'a RepoPath,
    pub(super) root_name: &'a str,
    /// Whether imports can name files of the root without a relative path.
    pub(super) has_alias: bool,
    /// The manifests of the workspace and of the root.
    pub(super) manifests: [Option<&'a Manifest>; 2],
}

impl Place<'_> {
    pub(super) fn is_read_by(&self, text: &str, folder: &RepoPath) -> bool {
        let finds_root = FIND_ROOT.iter().any(|name| text.contains(name));
        text.match_indices(MANIFEST).any(|(at, _)| {
            let is_whole = !text[at + MANIFEST.len()..].starts_with(|next: char| next.is_alphanumeric());
            is_whole && (finds_root || self.is_root_named(&text[..at], folder))
        })
    }

    fn is_dependency(&self, name: &str) -> bool {
        self.manifests.iter().flatten().any(|manifest| manifest.depends_on(name))
    }

    /// Whether the text before the file name leads to the root.
    fn is_root_named(&self, before: &str, folder: &RepoPath) -> bool {
        let is_end = |c: char| c.is_whitespace() || "\"'`(=,<".contains(c);
        let path = before.rsplit(is_end).next().unwrap_or_default();
        let near = statement(before);
        // Imports are relative to the file, other paths mostly to the folder in which the script runs.
        let of_file = OF_FILE.iter().any(|word| near.contains(word));
        let is_root = |path: &str| {
            let from = [Some(folder), Some(self.own).filter(|_| !of_file)];
            from.into_iter().flatten().any(|from| from.resolve(path).is_ok_and(|target| target.is_root()))
        };
        if path.starts_with('.') && path.ends_with('/') {
            return is_root(path);
        }
        let name = path.trim_end_matches('/');
        if !name.is_empty()
            && (name == self.root_name || (self.has_alias && is_alias(name) && !self.is_dependency(name)))
        {
            return true;
        }
        // `join(__dirname, "..", "..", "package.json")`, `${here}/../../package.json`
        let ups = "../".repeat(steps_up(near));
        !ups.is_empty() && is_root(&ups)
    }
}

/// Whether a folder's name can be an alias.
fn is_alias(name: &str) -> bool {
    !name.contains(['{', '}', '$', '.', ':'])
}

/// The statement that `before` ends with, as far as it can be told without a parser.
fn statement(before: &str) -> &str {
    let from = before.len().saturating_sub(STATEMENT);
    let from = (from..before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(before.len());
    let near = &before[from..];
    // `${here}/..` has braces in a path.
    let ends: &[char] = if near.contains("${") { &[';', '\n'] } else { &[';', '{', '}'] };
    match near.rsplit(ends).next() {
        // `import { version } from` has braces too.
        Some(last) if last.trim_start().starts_with("from") => near,
        last => last.unwrap_or(near),
    }
}

/// The number of `..` in a statement.
fn steps_up(statement: &str) -> usize {
    statement.split(|c: char| c.is_whitespace() || "\"'`/,()".contains(c)).filter(|part| *part == "..").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> bool {
        let own = "apps/web".parse().unwrap();
        Place { own: &own, root_name: "acme", has_alias: false, manifests: [None, None] }
            .is_read_by(text, &"apps/web/src/lib".parse().unwrap())
    }

    #[test]
    fn a_path_to_the_root_is_found_in_all_its_forms() {
        for text in [
            "import { version } from '../../../../package.json';",
            "import pkg from \"../../../../package.json?raw\"",
            "JSON.parse(readFileSync('../../package.json', 'utf8'))",
            "readFileSync(path.resolve('..', '..', 'package.json'))",
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
        let place = Place { own: &own, root_name: "acme", has_alias: true, manifests: [None, None] };
        assert!(place.is_read_by("import pkg from '~/package.json'", &folder));
        assert!(!place.is_read_by("import pkg from '../package.json'", &folder));
    }
}
