//! Symbolic links among sources: a build that has a link needs what the link leads to.
//!
//! A target is added alone: the file, or the folder by the rules for sources. Only a link to the whole folder of a workspace is an
//! edge, like `uses`. A link is no dependency to any package manager, and most lead to single files, so an edge for each would
//! rebuild too much.

mod resolve;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

pub(in crate::split) use self::resolve::Trouble;
use self::resolve::{Index, Lead};
use super::{
    owner,
    source_filter::{CHECK_FILTER, Globs, SOURCE_FILTER},
};
use crate::{
    repo::{RepoPath, Tree},
    split::{SplitError, Workspaces, config::Config, manifest_path, workspaces::links::Links},
};

/// What the links among the sources of each workspace lead to, besides its own sources: files, folders and further links.
pub type LinkTargets = BTreeMap<RepoPath, BTreeSet<RepoPath>>;

/// The number of links that a warning names.
const SHOWN: usize = 3;

/// What links lead to.
#[derive(Debug, Default)]
pub(in crate::split) struct Symlinks {
    /// By the workspace that has the link among its sources. An entry may be the folder of a workspace.
    pub(in crate::split) targets: LinkTargets,
    /// For each target the first link that leads there.
    pub(in crate::split) links: BTreeMap<RepoPath, RepoPath>,
    /// Links without a target that a build could have.
    pub(in crate::split) troubles: BTreeMap<RepoPath, (String, Trouble)>,
}

/// Where the search for links goes.
pub(in crate::split) enum LinkSearch<'a> {
    /// Through the whole tree.
    Whole,
    /// Nowhere: an earlier search recorded these. `check` takes milliseconds, and cannot walk all folders.
    Recorded(&'a LinkTargets),
}

/// Finds links, and remembers what it knows of the tree.
pub(in crate::split) struct Follower<'a> {
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    index: Index,
    globs: BTreeMap<&'a RepoPath, (Globs, Globs)>,
    /// The workspaces whose scripts run as checks, which read tests too.
    checked: BTreeSet<&'a RepoPath>,
    pub(in crate::split) found: Symlinks,
}

impl<'a> Follower<'a> {
    /// Follows the links among the sources of all workspaces, and in the folders that they link to in manifests.
    pub(in crate::split) fn of(
        tree: &'a dyn Tree,
        workspaces: &'a Workspaces,
        config: &'a Config,
        links: &Links,
        search: &LinkSearch<'_>,
    ) -> Result<Self, SplitError> {
        let listed = match search {
            LinkSearch::Whole => tree.links()?,
            LinkSearch::Recorded(_) => Vec::new(),
        };
        let globs = config.workspaces.iter();
        let globs = globs.map(|(path, choice)| (path, (Globs::new(&choice.include), Globs::new(&choice.exclude))));
        let is_checked = |path: &&RepoPath| {
            let own = config.workspaces.get(*path).and_then(|choice| choice.checks.as_ref());
            !own.unwrap_or(&config.checks).is_empty()
        };
        let mut follower = Self {
            tree,
            workspaces,
            index: Index::of(listed),
            globs: globs.collect(),
            checked: workspaces.keys().filter(is_checked).collect(),
            found: Symlinks::default(),
        };
        match search {
            LinkSearch::Whole => follower.follow_all(config, links)?,
            LinkSearch::Recorded(targets) => follower.found.targets = (*targets).clone(),
        }
        Ok(follower)
    }

    /// The workspaces to whose whole folders the links of a workspace lead.
    pub(in crate::split) fn edges(&self) -> impl Iterator<Item = (&RepoPath, &RepoPath)> {
        let all = self.found.targets.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)));
        all.filter(|(from, to)| from != to && self.workspaces.contains_key(*to))
    }

    /// The targets of a workspace that are no workspaces.
    pub(in crate::split) fn parts(&self, from: &RepoPath) -> BTreeSet<RepoPath> {
        let targets = self.found.targets.get(from).into_iter().flatten();
        targets.filter(|path| !self.workspaces.contains_key(*path)).cloned().collect()
    }

    /// Adds files that a target reads, such as the TypeScript configuration above it.
    pub(in crate::split) fn add(&mut self, from: &RepoPath, files: BTreeSet<RepoPath>) {
        if !files.is_empty() {
            self.found.targets.entry(from.clone()).or_default().extend(files);
        }
    }

    /// Follows links among root files of a workspace: those that are links, and those in folders.
    pub(in crate::split) fn follow_root_files(
        &mut self,
        from: &RepoPath,
        files: &BTreeSet<RepoPath>,
    ) -> Result<(), SplitError> {
        if self.index.is_empty() {
            return Ok(());
        }
        let mut open = Vec::new();
        for file in files {
            if super::is_glob(file.as_str()) {
                let globs = Globs::new(&[file.as_str().to_owned()]);
                open.extend(self.index.paths().filter(|path| globs.find(path.as_str()).is_some()).cloned());
                continue;
            }
            open.extend(self.index.below(file).filter(|path| *path != file).cloned());
            let Lead::To { passed, end } = self.index.follow(&RepoPath::root(), file.as_str(), self.tree)? else {
                continue;
            };
            for passed in passed.iter().filter(|passed| *passed != file) {
                self.insert(from, passed, file);
            }
            if end != *file {
                self.insert(from, &end, file);
                open.extend(self.links_of_folder(&end));
            }
        }
        self.run(from, open)
    }

    fn follow_all(&mut self, config: &Config, links: &Links) -> Result<(), SplitError> {
        let mut by_owner: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
        for path in self.index.paths() {
            let owner = owner(&path.parent(), |folder| self.workspaces.contains_key(folder));
            by_owner.entry(owner).or_default().push(path.clone());
        }
        let root = RepoPath::root();
        // The root of a monorepo is no source of any build, unless it is an app.
        let has_root = self.workspaces.len() == 1
            || config.workspaces.get(&root).is_some_and(|choice| choice.kind.is_some())
            || links.by_workspace.values().any(|linked| linked.workspaces.contains(&root));
        for (owner, paths) in by_owner.into_iter().filter(|(owner, _)| has_root || !owner.is_root()) {
            let open = paths.into_iter().filter(|path| self.is_source(&owner, path)).collect();
            self.run(&owner, open)?;
        }
        for (from, linked) in &links.by_workspace {
            let in_folder = |folder: &RepoPath| self.links_of_folder(folder);
            self.run(from, linked.folders.iter().flat_map(in_folder).collect())?;
        }
        Ok(())
    }

    /// Whether a file is among the sources of a workspace, as far as that is known before its build is.
    fn is_source(&self, own: &RepoPath, path: &RepoPath) -> bool {
        let inner = path.below(own).unwrap_or_default();
        let (included, excluded) = match self.globs.get(own) {
            Some((include, exclude)) => (include.find(inner).is_some(), exclude.find(inner).is_some()),
            None => (false, false),
        };
        let filter = if self.checked.contains(own) { &CHECK_FILTER } else { &SOURCE_FILTER };
        !excluded && (included || filter.rule(inner).is_none())
    }

    /// The links in a folder that are sources by the rules for folders outside of workspaces.
    fn links_of_folder(&self, folder: &RepoPath) -> Vec<RepoPath> {
        let is_source = |path: &&RepoPath| SOURCE_FILTER.rule(path.below(folder).unwrap_or_default()).is_none();
        self.index.below(folder).filter(is_source).cloned().collect()
    }

    /// Follows links of a workspace, and the links that are found on the way.
    fn run(&mut self, from: &RepoPath, mut open: Vec<RepoPath>) -> Result<(), SplitError> {
        let mut seen: BTreeSet<RepoPath> = open.iter().cloned().collect();
        while let Some(link) = open.pop() {
            let Some(target) = self.index.target(&link).map(str::to_owned) else { continue };
            let (passed, end) = match self.index.follow(&link.parent(), &target, self.tree)? {
                Lead::To { passed, end } => (passed, end),
                // `nix build` leaves links to the store where it is run.
                Lead::Nowhere(Trouble::Absolute) if target.starts_with("/nix/store/") => continue,
                Lead::Nowhere(trouble) => {
                    self.found.troubles.insert(link, (target, trouble));
                    continue;
                }
            };
            if end.parts().any(|part| part == "node_modules") {
                // A build has what is installed there.
                continue;
            }
            if end != *from && from.is_within(&end) {
                self.found.troubles.insert(link, (target, Trouble::Around));
                continue;
            }
            if self.tree.is_ignored(&end)? {
                self.found.troubles.insert(link, (target, Trouble::Ignored { end }));
                continue;
            }
            for passed in passed.into_iter().filter(|passed| *passed != link) {
                self.insert(from, &passed, &link);
            }
            self.insert(from, &end, &link);
            if !self.workspaces.contains_key(&end) {
                open.extend(self.links_of_folder(&end).into_iter().filter(|path| seen.insert(path.clone())));
            }
        }
        Ok(())
    }

    /// Adds a target, unless it is among the sources of the workspace anyway.
    fn insert(&mut self, from: &RepoPath, end: &RepoPath, link: &RepoPath) {
        let owner_of = |path: &RepoPath| owner(path, |folder| self.workspaces.contains_key(folder));
        let owner = owner_of(end);
        let is_own = owner == *from && {
            let is_folder = !self.index.is_link(end) && !self.tree.is_file(end).unwrap_or_default();
            let path = if is_folder { end.child("x") } else { end.clone() };
            self.is_source(from, &path)
        };
        // The root of a monorepo has no sources of its own in the builds of other workspaces.
        // `exclude` for the root removes what is found there.
        let is_excluded =
            owner.is_root() && self.globs.get(&owner).is_some_and(|(_, exclude)| exclude.find(end.as_str()).is_some());
        if is_own || is_excluded || end.is_root() {
            return;
        }
        self.found.links.entry(end.clone()).or_insert_with(|| link.clone());
        let targets = self.found.targets.entry(from.clone()).or_default();
        targets.insert(end.clone());
        if owner != *from && !owner.is_root() && owner != *end {
            // Programs look for the manifest above a file: it says how they read the file.
            targets.insert(manifest_path(&owner));
        }
    }
}

impl Symlinks {
    /// Describes links that lead to nothing that a build could have, by the reason. `is_fine` says whether a build makes the
    /// target of a link of a workspace.
    pub(in crate::split) fn warnings(&self, is_made: impl Fn(&RepoPath, &RepoPath) -> bool) -> Vec<String> {
        let mut by_trouble: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (link, (target, trouble)) in &self.troubles {
            if let Trouble::Ignored { end } = trouble
                && is_made(link, end)
            {
                continue;
            }
            by_trouble.entry(trouble.words()).or_default().push(format!("`{link}` -> `{target}`"));
        }
        let line = |(words, links): (&str, Vec<String>)| {
            let more = match links.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let shown = links.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let subject =
                if links.len() == 1 { "a link leads".to_owned() } else { format!("{} links lead", links.len()) };
            format!("{subject} {words}: {shown}{more}")
        };
        by_trouble.into_iter().map(line).collect()
    }
}

/// Returns the first path of a sorted map from a text on.
fn from_text<'m, V>(map: &'m BTreeMap<RepoPath, V>, text: &str) -> impl Iterator<Item = (&'m RepoPath, &'m V)> {
    map.range::<str, _>((Bound::Included(text), Bound::Unbounded))
}

#[cfg(test)]
mod tests;
