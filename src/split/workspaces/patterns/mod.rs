//! Workspace patterns, read exactly as the package manager in use reads them.
//!
//! Each package manager has its own library for globs, and they differ in ordinary cases: Yarn 1 does not know
//! `!pattern`, Bun before 1.4 does not follow links. [`dialect`] lists the differences. A workspace that splitter sees
//! and the package manager does not, or the other way round, makes a wrong graph, so there is no common subset.
//!
//! Folders are listed level by level along each pattern, so that `packages/*` costs one listing and not a walk of the
//! repository: `check` runs this on every commit.

mod braces;
pub(in crate::split) mod dialect;
mod name;
mod pattern;
mod place;
mod walk;

use std::collections::BTreeMap;

pub(in crate::split) use self::{
    braces::{Braces, expand as expand_braces},
    dialect::Dialect,
    place::Place,
};
use self::{pattern::Purpose, walk::Walk};
use crate::{
    repo::{RepoPath, Tree},
    split::SplitError,
};

/// The folders that patterns name.
#[derive(Debug, Default)]
pub(in crate::split) struct Found {
    /// The folders, with where they really are, and whether a glob found them.
    pub(in crate::split) folders: BTreeMap<RepoPath, Match>,
    /// Patterns that name no folder, or that the package manager does not read.
    pub(in crate::split) warnings: Vec<String>,
}

/// A folder that a pattern names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) struct Match {
    /// Where it is.
    pub(in crate::split) place: Place,
    /// The pattern.
    pub(in crate::split) pattern: String,
    /// Whether the pattern is a glob.
    pub(in crate::split) by_glob: bool,
}

/// Finds the folders below `base` that the patterns name and that have a `package.json`.
pub(in crate::split) fn expand(
    tree: &dyn Tree,
    base: &RepoPath,
    patterns: &[String],
    dialect: Dialect,
) -> Result<Found, SplitError> {
    let mut found = Found::default();
    let excluded = exclusions(patterns, dialect)?;
    let from_base = dialect == Dialect::Yarn4 && starts_with_glob(patterns)?;
    for (index, text) in patterns.iter().enumerate() {
        let is_exclusion = dialect.is_exclusion(text);
        if is_exclusion && dialect == Dialect::YarnClassic {
            found.warnings.push(format!(
                "workspace pattern `{text}`: Yarn 1 does not exclude folders; what it names stays a workspace"
            ));
            continue;
        }
        if text.starts_with("!!") {
            return Err(wrong(text, "it starts with two `!`"));
        }
        if dialect.is_bun() && matches!(text.as_str(), "" | "." | "./") {
            continue;
        }
        if text.is_empty() && dialect.is_berry() {
            return Err(wrong(text, "it is empty"));
        }
        if dialect.is_berry() && pattern::has_slash_in_group(text) {
            found.warnings.push(format!(
                "workspace pattern `{text}`: Yarn reads `/` inside `(…)` only after some globs, and splitter never does; write one \
                 pattern per folder"
            ));
        }
        // A Bun before 1.4 also looks for folders with such a pattern, in which its first name is any other.
        if is_exclusion && !dialect.is_old_bun() {
            continue;
        }
        let excluded = excluded.iter().filter(|exclusion| exclusion.counts_for(index, text, dialect)).collect();
        let before = found.folders.len();
        let mut walk = Walk::new(tree, base, dialect, text, excluded, from_base);
        for pattern in pattern::read(text, dialect, Purpose::Find).map_err(|reason| wrong(text, &reason))? {
            walk.find(&pattern, &mut found.folders)?;
        }
        if let Some(folder) = walk.found_twice() {
            let title = dialect.title();
            found.warnings.push(format!(
                "workspace pattern `{text}`: another pattern also names `{folder}`, and {title} refuses to install; remove one of them"
            ));
        }
        if found.folders.len() == before && !is_exclusion && !walk.has_found() {
            missing(text, dialect, &mut found.warnings)?;
        }
    }
    Ok(found)
}

/// What to say of a pattern that names nothing.
fn missing(text: &str, dialect: Dialect, warnings: &mut Vec<String>) -> Result<(), SplitError> {
    if dialect.is_bun() && dialect.is_path(text) {
        if dialect.is_old_bun() {
            return Err(wrong(text, "there is no package.json, and Bun refuses to install"));
        }
        warnings.push(format!("workspace pattern `{text}`: there is no package.json, and Bun refuses to install"));
        return Ok(());
    }
    warnings.push(format!("workspace pattern `{text}` matches no folder with a package.json{}", hint(text, dialect)));
    Ok(())
}

/// Why a pattern may match nothing that looks right.
fn hint(text: &str, dialect: Dialect) -> String {
    let title = dialect.title();
    if dialect.is_old_bun() && ["!(", "@(", "+(", "?(", "*("].iter().any(|open| text.contains(open)) {
        return format!("; {title} does not read extended globs");
    }
    if dialect.is_old_bun() && (text.starts_with('.') || text.contains("/.")) {
        return format!("; the globs of {title} match no name with a dot");
    }
    if dialect == Dialect::Yarn3 && text.ends_with('/') {
        return "; Yarn before 4 matches nothing with a glob that ends with `/`".to_owned();
    }
    String::new()
}

/// Whether a pattern starts with a glob. Yarn 4 then looks for all patterns from the root on, and compares the folders that
/// the others start in, too.
fn starts_with_glob(patterns: &[String]) -> Result<bool, SplitError> {
    for text in patterns.iter().filter(|text| !Dialect::Yarn4.is_exclusion(text)) {
        let read = pattern::read(text, Dialect::Yarn4, Purpose::Find).map_err(|reason| wrong(text, &reason))?;
        if read.iter().any(pattern::Pattern::starts_with_glob) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A pattern that takes folders away.
struct Exclusion {
    index: usize,
    patterns: Vec<pattern::Pattern>,
    ends_with_slash: bool,
}

impl Exclusion {
    /// Whether it takes folders away from what the pattern at `index` names.
    fn counts_for(&self, index: usize, text: &str, dialect: Dialect) -> bool {
        match dialect {
            Dialect::YarnClassic | Dialect::Bun12 => false,
            Dialect::Yarn3 => self.index > index,
            Dialect::Yarn4 => true,
            Dialect::Bun13 => self.index > index && !dialect.is_path(text),
            Dialect::Bun14 => !dialect.is_path(text),
        }
    }

    fn matches(&self, path: &str, dialect: Dialect) -> bool {
        let with_slash = dialect == Dialect::Yarn4;
        self.patterns.iter().any(|pattern| pattern.matches(path, dialect != Dialect::Yarn3, with_slash))
    }

    /// Whether Yarn does not enter a folder.
    fn prunes(&self, path: &str, dialect: Dialect) -> bool {
        let mut patterns = self.patterns.iter().filter(|pattern| pattern.is_pruning());
        !self.ends_with_slash && patterns.any(|pattern| pattern.matches(path, dialect != Dialect::Yarn3, false))
    }
}

fn exclusions(patterns: &[String], dialect: Dialect) -> Result<Vec<Exclusion>, SplitError> {
    let mut exclusions = Vec::new();
    for (index, text) in patterns.iter().enumerate() {
        let Some(inner) = text.strip_prefix('!') else { continue };
        // Bun 1.3 compares the text as it is written.
        let is_skewed = dialect == Dialect::Bun13 && (inner.starts_with("./") || inner.ends_with('/'));
        if !dialect.is_exclusion(text) || is_skewed || dialect == Dialect::YarnClassic {
            continue;
        }
        let patterns = pattern::read(inner, dialect, Purpose::Exclude).map_err(|reason| wrong(text, &reason))?;
        exclusions.push(Exclusion { index, patterns, ends_with_slash: inner.ends_with('/') });
    }
    Ok(exclusions)
}

fn wrong(pattern: &str, reason: &str) -> SplitError {
    SplitError::Pattern { pattern: pattern.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
