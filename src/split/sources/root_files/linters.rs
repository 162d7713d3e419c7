//! Settings of linters and formatters: which builds lint, and which programs read the settings. No other build has them as sources.

use std::collections::BTreeSet;

use super::{
    specifiers::is_imported,
    tables::{LINTING, NEXT_WITHOUT_LINT, SETTINGS},
};
use crate::{
    repo::{Entry, EntryKind, RepoPath},
    split::{Manifest, Workspaces},
};

/// Whether a build lints: its workspace or the root depends on a package that lints during builds.
pub(super) fn lints(workspaces: &Workspaces, path: &RepoPath) -> bool {
    let manifests = [path, &RepoPath::root()].map(|path| workspaces.get(path));
    manifests
        .into_iter()
        .flatten()
        .any(|manifest| LINTING.iter().any(|package| manifest.depends_on(package)) || has_linting_next(manifest))
}

fn has_linting_next(manifest: &Manifest) -> bool {
    let ranges = manifest.dependencies.values().filter_map(|group| group.get("next"));
    ranges.into_iter().any(|range| {
        let start = range.trim_start_matches(|first: char| !first.is_ascii_digit());
        let major =
            start.split(|next: char| !next.is_ascii_digit()).next().and_then(|digits| digits.parse::<u64>().ok());
        // A range without a number can be any version.
        major.is_none_or(|major| major < NEXT_WITHOUT_LINT)
    })
}

/// Whether a file directly in a workspace holds settings of a linter or a formatter.
pub(super) fn is_setting(name: &str) -> bool {
    SETTINGS.iter().any(|(_, starts)| starts.iter().any(|start| name.starts_with(start)))
}

/// The settings of linters that a workspace has, with the words of their tools.
pub(super) struct Settings {
    files: Vec<(String, Vec<&'static str>)>,
}

impl Settings {
    /// Finds the settings among the entries of a workspace's folder.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let tools = |name: &str| -> Vec<&'static str> {
            let is_one = |starts: &&[&str]| starts.iter().any(|start| name.starts_with(start));
            SETTINGS.iter().filter(|(_, starts)| is_one(starts)).map(|(tool, _)| *tool).collect()
        };
        let files = entries.iter().filter(|entry| entry.kind != EntryKind::Folder);
        let files = files.map(|entry| (entry.name.clone(), tools(&entry.name)));
        Self { files: files.filter(|(_, tools)| !tools.is_empty()).collect() }
    }

    /// Returns the settings that a program reads: it names the file, or it uses the tool. A configuration uses each tool whose name it
    /// has, as `prettier: true` does.
    pub(super) fn read_by(&self, text: &str, is_configuration: bool) -> BTreeSet<&str> {
        let uses = |tool: &str| if is_configuration { text.contains(tool) } else { calls(text, tool) };
        let is_read = |(name, tools): &&(String, Vec<&'static str>)| {
            names_file(text, name) || tools.iter().any(|tool| uses(tool))
        };
        self.files.iter().filter(is_read).map(|(name, _)| name.as_str()).collect()
    }
}

/// Whether a text has the name of a file, with or without its ending, in quotes or after a folder.
fn names_file(text: &str, name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem });
    text.match_indices(stem).any(|(at, _)| text[..at].ends_with(['/', '"', '\'', '`']))
}

/// Whether a program imports a tool, or has a command in quotes that runs it.
fn calls(text: &str, tool: &str) -> bool {
    text.match_indices(tool).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + tool.len()..]);
        let Some(quote) = before.chars().next_back().filter(|last| matches!(last, '"' | '\'' | '`')) else {
            return false;
        };
        after.starts_with(' ') || (after.starts_with([quote, '/']) && is_imported(&before[..before.len() - 1]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::sources::source_filter::SOURCE_FILTER;

    /// Case X9.
    #[test]
    fn the_table_and_the_filter_of_sources_have_the_same_names() {
        for start in SETTINGS.iter().flat_map(|(_, starts)| *starts) {
            assert!(SOURCE_FILTER.rule(&format!("{start}x")).is_some(), "{start}");
            assert!(SOURCE_FILTER.rule(&format!("src/{start}x")).is_none(), "{start}");
        }
        for start in SOURCE_FILTER.settings() {
            assert!(is_setting(start), "{start}");
        }
    }

    #[test]
    fn a_program_reads_the_settings_that_it_names_and_those_of_tools_that_it_uses() {
        let entry = |name: &str| Entry { name: name.to_owned(), kind: EntryKind::File };
        let settings = Settings::of(&[".prettierrc", "eslint.config.mjs", "biome.json", "index.ts"].map(entry));
        let read = |text: &str| settings.read_by(text, false).into_iter().collect::<Vec<_>>();
        assert_eq!(read("import { format } from 'prettier';"), [".prettierrc"]);
        assert_eq!(read("spawn(`prettier --write .`)"), [".prettierrc"]);
        assert_eq!(read("readFileSync(new URL('../.prettierrc', import.meta.url))"), [".prettierrc"]);
        assert_eq!(read("import config from \"../eslint.config\";"), ["eslint.config.mjs"]);
        assert_eq!(read("import x from \"../biome.json\""), ["biome.json"]);
        for text in ["// prettier-ignore", "const a = 'prettier';", "/* eslint-disable */", "'use eslint'"] {
            assert_eq!(read(text), [""; 0], "{text}");
        }
        assert_eq!(settings.read_by("export default { output: { prettier: true } }", true).len(), 1);
    }
}
