//! Globs that reach into other workspaces: those of a compiler, and those that name no kind of file.

use super::{
    EdgeKind, mentions,
    search::{Mention, Search},
};
use crate::{
    repo::{EntryKind, RepoPath},
    split::{SplitError, sources::source_filter::Globs},
};

/// What TypeScript takes where a glob names no ending.
const TYPESCRIPT: [&str; 3] = ["ts", "tsx", "[cm]ts"];

/// The same with `allowJs`.
const JAVASCRIPT: [&str; 3] = ["js", "jsx", "[cm]js"];

/// What a glob of a program means where it names no kind of file and reaches whole workspaces.
const SOURCES: [&str; 8] = ["[jt]s", "[jt]sx", "[cm][jt]s", "astro", "html", "mdx", "svelte", "vue"];

impl Search<'_, '_> {
    /// Adds what a glob of a compiler matches. Its last part matches files with an ending of the compiler, or a folder if it has
    /// neither a wildcard nor an ending. What is in other workspaces are programs, and so edges.
    pub(super) fn add_compiled(
        &mut self,
        path: &RepoPath,
        with_javascript: bool,
        text: &dyn Fn() -> String,
    ) -> Result<(), SplitError> {
        let Some((base, rest)) = mentions::glob_base(path) else { return Ok(()) };
        if (base.is_root() && (rest == "*" || rest.starts_with("**"))) || path.is_within(self.own) {
            return Ok(());
        }
        if base.parts().any(|part| part == "node_modules") || !self.finder.is_folder(&base)? {
            return Ok(());
        }
        if let Some(owner) = self.finder.owner(&base) {
            self.add_compiled_edge(owner, text);
            return Ok(());
        }
        if matches!(rest.as_str(), "**" | "**/*") && !self.holds_workspaces(&base) {
            self.add_path(&base, Mention::Compiler, text)?;
            return Ok(());
        }
        if self.finder.is_ignored(&base)? {
            return Ok(());
        }
        let javascript = if with_javascript { JAVASCRIPT.as_slice() } else { &[] };
        for plain in mentions::without_braces(&rest) {
            let glob = of_compiler(&plain);
            let reached = self.reached(&base, &glob)?;
            let places = if reached.is_empty() { vec![glob] } else { self.beside_workspaces(&base, &glob)? };
            for owner in &reached {
                self.add_compiled_edge(owner, text);
            }
            for place in places {
                let endings = TYPESCRIPT.iter().chain(javascript).copied();
                self.found.files.extend(with_endings(&place, endings).iter().map(|glob| base.child(glob)));
            }
        }
        Ok(())
    }

    /// Adds an edge to a workspace whose programs are compiled, if the build has a compiler. Bundlers do not read what a
    /// configuration includes.
    pub(super) fn add_compiled_edge(&mut self, owner: &RepoPath, text: &dyn Fn() -> String) {
        if self.compiles {
            self.add_edge(owner, EdgeKind::Import, || format!("compiles {}", text()));
        }
    }

    /// The other workspaces in which a glob below a folder can match.
    fn reached(&mut self, base: &RepoPath, glob: &str) -> Result<Vec<RepoPath>, SplitError> {
        let parts: Vec<&str> = glob.split('/').collect();
        let mut reached = Vec::new();
        for workspace in self.finder.workspaces.keys().filter(|path| *path != self.own && !path.is_root()) {
            let Some(inner) = workspace.below(base).filter(|inner| !inner.is_empty()) else { continue };
            let Some(rest) = in_folder(&parts, inner) else { continue };
            let plain = rest.iter().take(rest.len().saturating_sub(1)).take_while(|part| !is_pattern(part));
            let folder = plain.fold(workspace.clone(), |folder, part| folder.child(part));
            if self.finder.is_folder(&folder)? {
                reached.push(workspace.clone());
            }
        }
        Ok(reached)
    }

    /// The parts of a glob that stay outside all workspaces, though others of its matches are in some.
    fn beside_workspaces(&mut self, base: &RepoPath, glob: &str) -> Result<Vec<String>, SplitError> {
        let (first, rest) = glob.split_once('/').unwrap_or((glob, ""));
        let mut places = Vec::new();
        if first == "**" {
            places.push(rest.rsplit('/').next().unwrap_or_default().to_owned());
        }
        for entry in self.finder.list(base)?.iter().filter(|entry| entry.kind == EntryKind::Folder) {
            let folder = base.child(&entry.name);
            if self.finder.owner(&folder).is_some() || self.holds_workspaces(&folder) || rest.is_empty() {
                continue;
            }
            if first == "**" {
                places.push(format!("{}/{glob}", entry.name));
            } else if is_match(first, &entry.name) {
                places.push(format!("{}/{rest}", entry.name));
            }
        }
        Ok(places)
    }

    /// The globs that a program means by one: itself, or its programs alone if it takes all files of workspaces. Nobody reads their
    /// manifests and READMEs that way.
    pub(super) fn narrowed(&self, base: &RepoPath, glob: &str) -> Vec<String> {
        let rest = glob.strip_prefix(base.as_str()).unwrap_or(glob).trim_start_matches('/');
        let takes_all = rest.split('/').all(|part| matches!(part, "*" | "**"));
        let is_whole = self.finder.workspaces.contains_key(base) || self.holds_workspaces(base);
        if takes_all && is_whole { with_endings(glob, SOURCES.into_iter()) } else { vec![glob.to_owned()] }
    }
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

fn is_match(pattern: &str, name: &str) -> bool {
    Globs::of_folders(&[pattern.to_owned()]).find(name).is_some()
}

/// A last part without wildcard and ending is a folder.
fn of_compiler(glob: &str) -> String {
    let last = glob.rsplit('/').next().unwrap_or_default();
    if is_pattern(last) || last.contains('.') { glob.to_owned() } else { format!("{glob}/**/*") }
}

/// What is left of a glob in a folder that it reaches. Its last part is for files.
fn in_folder<'p, 't>(parts: &'p [&'t str], folder: &str) -> Option<&'p [&'t str]> {
    let mut rest = parts;
    for name in folder.split('/') {
        match rest {
            ["**", ..] => return Some(rest),
            [part, more @ ..] if !more.is_empty() && is_match(part, name) => rest = more,
            _ => return None,
        }
    }
    Some(rest)
}

/// Adds endings to a glob that has none.
fn with_endings<'e>(glob: &str, endings: impl Iterator<Item = &'e str>) -> Vec<String> {
    let last = glob.rsplit('/').next().unwrap_or_default();
    if last == "**" {
        return endings.map(|ending| format!("{glob}/*.{ending}")).collect();
    }
    if last.contains('.') || !is_pattern(last) {
        return vec![glob.to_owned()];
    }
    endings.map(|ending| format!("{glob}.{ending}")).collect()
}
