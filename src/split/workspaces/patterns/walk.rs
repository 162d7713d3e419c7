//! Following a pattern through the folders of a repository.

use std::collections::BTreeMap;

use super::{
    Exclusion, Match, Place,
    dialect::Dialect,
    pattern::{Part, Pattern},
    place::Step,
    wrong,
};
use crate::{
    names::MANIFEST,
    repo::{EntryKind, RepoPath, Tree, TreeError},
    split::SplitError,
};

/// The most folders that one pattern may list: links can lead round in many circles.
const MOST: usize = 200_000;

/// Follows the patterns that braces make of one text.
pub(super) struct Walk<'a> {
    tree: &'a dyn Tree,
    base: &'a RepoPath,
    dialect: Dialect,
    text: &'a str,
    excluded: Vec<&'a Exclusion>,
    /// Whether Yarn also compares the folder that a pattern starts in.
    from_base: bool,
    listed: usize,
    has_found: bool,
    /// A folder that Bun before 1.4 finds a second time, and then refuses.
    found_twice: Option<RepoPath>,
}

/// Where the walk is.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else of the way so far")]
struct Here {
    path: RepoPath,
    place: Place,
    /// Whether a part with special characters is behind.
    by_glob: bool,
    /// Whether a `**` comes directly before.
    after_any: bool,
    /// Whether the last folder was entered by the `**` that comes next.
    in_any: bool,
    by_link: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        tree: &'a dyn Tree,
        base: &'a RepoPath,
        dialect: Dialect,
        text: &'a str,
        excluded: Vec<&'a Exclusion>,
        from_base: bool,
    ) -> Self {
        Self { tree, base, dialect, text, excluded, from_base, listed: 0, has_found: false, found_twice: None }
    }

    /// Whether any folder was found, also one that another pattern found before, or that is excluded.
    pub(super) const fn has_found(&self) -> bool {
        self.has_found
    }

    /// Returns a folder that makes Bun before 1.4 refuse: directly in the root, named by a path and found by a glob.
    pub(super) const fn found_twice(&self) -> Option<&RepoPath> {
        self.found_twice.as_ref()
    }

    /// Adds the folders that a pattern names.
    pub(super) fn find(
        &mut self,
        pattern: &Pattern,
        folders: &mut BTreeMap<RepoPath, Match>,
    ) -> Result<(), SplitError> {
        let Some(place) = Place::of(self.tree, self.base)? else { return Ok(()) };
        let here = Here {
            path: self.base.clone(),
            place,
            by_glob: self.from_base && !pattern.is_plain(),
            after_any: false,
            in_any: false,
            by_link: false,
        };
        // Bun opens a plain path; it looks for all others in listings.
        let is_listed = self.dialect.is_old_bun() && !pattern.is_plain();
        self.descend(&here, &pattern.parts, is_listed, folders)?;
        if self.dialect == Dialect::Yarn4 && pattern.ends_with_nothing() {
            let parts = &pattern.parts[..pattern.parts.len() - 1];
            let is_base = parts.iter().all(|part| matches!(part, Part::Plain(_)));
            if self.from_base || !is_base {
                self.descend(&here, parts, is_listed, folders)?;
            }
        }
        Ok(())
    }

    fn descend(
        &mut self,
        here: &Here,
        parts: &[Part],
        is_listed: bool,
        folders: &mut BTreeMap<RepoPath, Match>,
    ) -> Result<(), SplitError> {
        let Some((part, rest)) = parts.split_first() else { return self.reach(here, folders) };
        match part {
            Part::Plain(name) if is_listed && name.starts_with('.') => Ok(()),
            Part::Plain(name) => {
                let next = match here.place.step(self.tree, name)? {
                    Step::To { place, by_link } => here.entered(name, place, by_link),
                    Step::Outside => return self.outside(&here.path.child(name), rest),
                    Step::Endless => return Ok(()),
                };
                if (next.by_link && (is_listed || self.refuses_links(here))) || self.is_pruned(&next) {
                    return Ok(());
                }
                self.descend(&next, rest, is_listed, folders)
            }
            // Yarn compares paths with a pattern, and no path has `..` in it.
            Part::Up if here.by_glob && self.dialect.is_berry() => Ok(()),
            Part::Up => {
                if here.path.is_root() {
                    return Err(wrong(self.text, "path leaves the repository"));
                }
                let path = here.path.parent();
                let Some(place) = Place::of(self.tree, &path)? else { return Ok(()) };
                self.descend(&Here { path, place, ..here.clone() }, rest, is_listed, folders)
            }
            Part::Glob(_) | Part::Other(_) => {
                for (name, kind) in self.entries(here)? {
                    if !part.matches(&name) {
                        continue;
                    }
                    if let Some(next) = self.enter(here, &name, kind, is_listed, rest)? {
                        self.descend(&next, rest, is_listed, folders)?;
                    }
                }
                Ok(())
            }
            Part::Any { least, after_base } => {
                let least = if *after_base && self.from_base { 0 } else { *least };
                self.descend_any(here, least, parts, is_listed, folders)
            }
        }
    }

    fn descend_any(
        &mut self,
        here: &Here,
        least: usize,
        parts: &[Part],
        is_listed: bool,
        folders: &mut BTreeMap<RepoPath, Match>,
    ) -> Result<(), SplitError> {
        let rest = &parts[1..];
        if least == 0 || here.in_any {
            let next = Here { in_any: false, after_any: true, by_glob: true, ..here.clone() };
            self.descend(&next, rest, is_listed, folders)?;
        }
        // Yarn 1 looks into the folder behind a link, and no deeper.
        if self.dialect == Dialect::YarnClassic && here.in_any && here.by_link {
            return Ok(());
        }
        for (name, kind) in self.entries(here)? {
            if name.starts_with('.') || (self.dialect.is_bun() && kind == EntryKind::Link) {
                continue;
            }
            if let Some(next) = self.enter(here, &name, kind, is_listed, rest)? {
                self.descend(&Here { in_any: true, ..next }, parts, is_listed, folders)?;
            }
        }
        Ok(())
    }

    /// Whether no link is followed here: directly after a `**` of Bun.
    fn refuses_links(&self, here: &Here) -> bool {
        self.dialect.is_bun() && here.after_any
    }

    /// Goes into a folder that a listing names.
    fn enter(
        &self,
        here: &Here,
        name: &str,
        kind: EntryKind,
        is_listed: bool,
        rest: &[Part],
    ) -> Result<Option<Here>, SplitError> {
        let next = if kind == EntryKind::Folder {
            here.entered(name, here.place.enter(name), false)
        } else {
            if is_listed || self.refuses_links(here) {
                return Ok(None);
            }
            match here.place.step(self.tree, name)? {
                // The same link a second time leads round in a circle.
                Step::To { place, .. } if has_circle(&place) => return Ok(None),
                Step::To { place, by_link } => here.entered(name, place, by_link),
                Step::Outside => return self.outside(&here.path.child(name), rest).map(|()| None),
                Step::Endless => return Ok(None),
            }
        };
        let is_never = self.dialect.never().contains(&name);
        let next = Here { by_glob: true, ..next };
        Ok(Some(next).filter(|next| !is_never && !self.is_pruned(next)))
    }

    /// Folders and links, by name.
    fn entries(&mut self, here: &Here) -> Result<Vec<(String, EntryKind)>, SplitError> {
        self.listed += 1;
        if self.listed > MOST {
            return Err(wrong(self.text, "it leads through too many folders"));
        }
        let entries = self.tree.list(&here.place.real)?.into_iter();
        let folders = entries.filter(|entry| entry.kind != EntryKind::File);
        Ok(folders.map(|entry| (entry.name, entry.kind)).collect())
    }

    /// Whether Yarn does not enter a folder: what excludes a folder excludes everything in it.
    fn is_pruned(&self, here: &Here) -> bool {
        self.dialect.is_berry()
            && here.by_glob
            && self.excluded.iter().any(|exclusion| exclusion.prunes(self.inner(&here.path), self.dialect))
    }

    fn inner<'p>(&self, path: &'p RepoPath) -> &'p str {
        path.below(self.base).unwrap_or_else(|| path.as_str())
    }

    fn is_excluded(&self, path: &RepoPath) -> bool {
        let is_never = self.dialect.is_berry() && self.dialect.never().contains(&path.file_name());
        is_never || self.excluded.iter().any(|exclusion| exclusion.matches(self.inner(path), self.dialect))
    }

    /// At the end of a pattern.
    fn reach(&mut self, here: &Here, folders: &mut BTreeMap<RepoPath, Match>) -> Result<(), SplitError> {
        if here.path.is_root() || here.path == *self.base {
            return Ok(());
        }
        let manifest = here.place.real.child(MANIFEST);
        if !self.tree.is_file(&manifest)? {
            // A manifest that never ends or answers is no missing one.
            if let Err(error @ TreeError::Refused { .. }) = self.tree.read(&manifest) {
                return Err(error.into());
            }
            return Ok(());
        }
        self.has_found = true;
        if !self.is_excluded(&here.path) {
            let found = Match { place: here.place.clone(), pattern: self.text.to_owned(), by_glob: here.by_glob };
            let first = folders.entry(here.path.clone()).or_insert(found);
            if self.dialect.is_old_bun() && first.by_glob != here.by_glob && here.path.parent().is_root() {
                self.found_twice = Some(here.path.clone());
            }
        }
        Ok(())
    }

    /// At a link out of the repository. It matters if the package manager finds a workspace behind it.
    fn outside(&self, path: &RepoPath, rest: &[Part]) -> Result<(), SplitError> {
        let is_workspace = rest.is_empty() && self.tree.is_file(&path.child(MANIFEST))? && !self.is_excluded(path);
        if !is_workspace {
            return Ok(());
        }
        Err(SplitError::WorkspaceOutside { path: path.clone(), pattern: self.text.to_owned() })
    }
}

/// Whether a path leads through a link twice.
fn has_circle(place: &Place) -> bool {
    place.links.last().is_some_and(|last| place.links[..place.links.len() - 1].contains(last))
}

impl Here {
    fn entered(&self, name: &str, place: Place, by_link: bool) -> Self {
        Self { path: self.path.child(name), place, by_link, in_any: false, after_any: false, ..self.clone() }
    }
}
