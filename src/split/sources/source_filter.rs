//! The names that source sets exclude. They come from one JSON file that Nix reads too; `source.nix` has the same rules.

use std::sync::LazyLock;

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::Deserialize;

const TEXT: &str = include_str!("../../../nix-templates/source-filter.json");

/// The excluded names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::split) struct SourceFilter {
    /// Folder names at any depth.
    folders: Vec<String>,
    /// Folder names directly in a workspace.
    workspace_folders: Vec<String>,
    /// File names at any depth.
    files: Vec<String>,
    /// File names directly in a workspace, in upper or lower case, alone or with `.md`, `.mdx` or `.txt`.
    workspace_files: Vec<String>,
    /// Starts of file names directly in a workspace: settings of linters and formatters, which checks read.
    workspace_settings: Vec<String>,
    /// Ends of file names at any depth.
    suffixes: Vec<String>,
    /// The names among them that belong to tests, which checks read.
    tests: Tests,
}

/// Names of tests.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tests {
    folders: Vec<String>,
    workspace_folders: Vec<String>,
    suffixes: Vec<String>,
}

/// The filter for checks, whose source sets include tests.
pub(in crate::split) static CHECK_FILTER: LazyLock<SourceFilter> = LazyLock::new(|| {
    let mut filter: SourceFilter = serde_json::from_str(TEXT).unwrap_or_default();
    let Tests { folders, workspace_folders, suffixes } = std::mem::take(&mut filter.tests);
    filter.folders.retain(|name| !folders.contains(name));
    filter.workspace_folders.retain(|name| !workspace_folders.contains(name));
    filter.suffixes.retain(|suffix| !suffixes.contains(suffix));
    filter.workspace_settings.clear();
    filter
});

/// The filter for builds. The fallback is never used: the file is part of the program, and a test reads it.
pub(in crate::split) static SOURCE_FILTER: LazyLock<SourceFilter> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

impl SourceFilter {
    /// Returns the rule that excludes a file, as a pattern to show. `inner` is the path in the workspace.
    pub(in crate::split) fn rule(&self, inner: &str) -> Option<String> {
        let (folders, name) = inner.rsplit_once('/').map_or(("", inner), |(folders, name)| (folders, name));
        self.folder_rule(folders).or_else(|| self.file_rule(name, folders.is_empty()))
    }

    /// Starts of the names of settings of linters and formatters.
    #[cfg(test)]
    pub(in crate::split) fn settings(&self) -> &[String] {
        &self.workspace_settings
    }

    fn folder_rule(&self, folders: &str) -> Option<String> {
        let mut parts = folders.split('/').filter(|part| !part.is_empty());
        let first = parts.next()?;
        if self.workspace_folders.iter().any(|name| name == first) {
            return Some(format!("{first}/"));
        }
        std::iter::once(first)
            .chain(parts)
            .find(|part| self.folders.iter().any(|name| name == part))
            .map(|part| format!("**/{part}/"))
    }

    fn file_rule(&self, name: &str, in_workspace_folder: bool) -> Option<String> {
        if self.files.iter().any(|file| file == name) {
            return Some(format!("**/{name}"));
        }
        if let Some(suffix) = self.suffixes.iter().find(|suffix| name.ends_with(suffix.as_str())) {
            return Some(format!("**/*{suffix}"));
        }
        let is_setting = in_workspace_folder && self.workspace_settings.iter().any(|start| name.starts_with(start));
        if is_setting {
            return Some(name.to_owned());
        }
        let lower = name.to_ascii_lowercase();
        let stem = [".md", ".mdx", ".txt"].iter().find_map(|ending| lower.strip_suffix(ending)).unwrap_or(&lower);
        (in_workspace_folder && self.workspace_files.iter().any(|file| file == stem)).then(|| name.to_owned())
    }
}

/// Whether a path in `splitter.json` is a glob, once its braces are written out.
pub(in crate::split) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Globs of `splitter.json`, matched against paths in a workspace. A glob that matches a folder also matches everything in it.
#[derive(Debug, Default)]
pub(in crate::split) struct Globs(Vec<(String, GlobMatcher)>);

impl Globs {
    /// Compiles globs. Every glob that the reader of `splitter.json` accepts compiles.
    pub(in crate::split) fn new(globs: &[String]) -> Self {
        Self::compiled(globs, true)
    }

    /// Compiles globs that match folders, and nothing in them.
    pub(in crate::split) fn of_folders(globs: &[String]) -> Self {
        Self::compiled(globs, false)
    }

    fn compiled(globs: &[String], with_content: bool) -> Self {
        let compile = |glob: &str| -> Option<GlobMatcher> {
            let built = GlobBuilder::new(glob).literal_separator(true).build();
            built.ok().map(|glob: Glob| glob.compile_matcher())
        };
        let mut compiled = Vec::new();
        for glob in globs {
            let plain = glob.trim_start_matches("./").trim_end_matches('/');
            let content = with_content.then(|| format!("{plain}/**"));
            for pattern in std::iter::once(plain.to_owned()).chain(content) {
                compiled.extend(compile(&pattern).map(|matcher| (glob.clone(), matcher)));
            }
        }
        Self(compiled)
    }

    /// Returns the first glob that matches.
    pub(in crate::split) fn find(&self, inner: &str) -> Option<&str> {
        self.0.iter().find(|(_, matcher)| matcher.is_match(inner)).map(|(glob, _)| glob.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_file_leaves_out_what_no_build_reads() {
        let rule = |inner| SOURCE_FILTER.rule(inner);
        assert_eq!(rule("src/a.ts"), None);
        assert_eq!(rule("src/__tests__/a.ts").as_deref(), Some("**/__tests__/"));
        assert_eq!(rule("src/a.test.ts").as_deref(), Some("**/*.test.ts"));
        assert_eq!(rule("tests/a.ts").as_deref(), Some("tests/"));
        assert_eq!(rule("src/tests/a.ts"), None);
        assert_eq!(rule("README.md").as_deref(), Some("README.md"));
        assert_eq!(rule("src/README.md"), None);
        assert_eq!(rule("eslint.config.mjs").as_deref(), Some("eslint.config.mjs"));
        assert_eq!(rule("templates/eslint.config.mjs"), None, "a template");
        assert_eq!(rule("flake.nix").as_deref(), Some("**/*.nix"));
        assert_eq!(rule("node_modules/x/index.js").as_deref(), Some("**/node_modules/"));
    }

    #[test]
    fn a_check_reads_tests_and_nothing_else_that_is_left_out() {
        for inner in [
            ".eslintrc.js",
            "biome.json",
            "src/__tests__/a.ts",
            "src/a.test.ts",
            "tests/a.ts",
            "src/__snapshots__/a.snap",
        ] {
            assert!(SOURCE_FILTER.rule(inner).is_some() && CHECK_FILTER.rule(inner).is_none(), "{inner}");
        }
        for inner in ["README.md", "flake.nix", "node_modules/x/index.js", "coverage/x"] {
            assert!(CHECK_FILTER.rule(inner).is_some(), "{inner}");
        }
        let Tests { folders, workspace_folders, suffixes } = &SOURCE_FILTER.tests;
        assert!(folders.iter().all(|name| SOURCE_FILTER.folders.contains(name)));
        assert!(workspace_folders.iter().all(|name| SOURCE_FILTER.workspace_folders.contains(name)));
        assert!(suffixes.iter().all(|suffix| SOURCE_FILTER.suffixes.contains(suffix)));
    }

    #[test]
    fn a_glob_that_names_a_folder_stands_for_all_in_it() {
        let globs = Globs::new(&["tests/fixtures/".to_owned(), "*.md".to_owned(), "src/**/x.ts".to_owned()]);
        assert!(globs.find("tests/fixtures/a/b.json").is_some());
        assert!(globs.find("a.md").is_some() && globs.find("docs/a.md").is_none());
        assert!(globs.find("src/x.ts").is_some() && globs.find("src/a/b/x.ts").is_some());
    }
}
