//! The search for one workspace: what a path or a name that it mentions leads to.

use std::{collections::BTreeSet, ops::Bound};

use super::{
    Edge, EdgeKind, Found, Purpose,
    aliases::{self, Alias},
    finder::Finder,
    linters, mentions,
    specifiers::{self, Place, Specifiers},
    tables::{NO_INPUTS, OUTPUTS},
    texts,
};
use crate::{
    repo::{Entry, RepoPath},
    split::{
        SplitError, manifest_path,
        sources::source_filter::{SOURCE_FILTER, is_glob},
    },
};

/// The verb of the reason for an edge that is imported by name.
const IMPORTS: &str = "imports ";

/// The most files to follow from one program.
const FOLLOWED: usize = 1000;

/// What mentions a path or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mention {
    /// A program or a configuration.
    Program,
    /// The `include` of a compiler. It reads the programs there, and what these import.
    Compiler,
    /// A script. It copies files, or runs them.
    Script,
}

/// The search for one workspace, with its results.
pub(super) struct Search<'f, 'a> {
    pub(super) finder: &'f mut Finder<'a>,
    pub(super) own: &'f RepoPath,
    pub(super) purpose: Purpose,
    pub(super) found: Found,
    pub(super) aliases: Vec<Alias>,
    /// Programs and modules outside all workspaces whose own imports count too.
    pub(super) outside: BTreeSet<RepoPath>,
    /// Configurations of TypeScript. What they name counts by other rules than the texts of programs.
    pub(super) compiled: BTreeSet<RepoPath>,
    /// Whether a compiler builds the projects that a configuration refers to. Other tools read the configurations alone.
    pub(super) builds_projects: bool,
    /// Whether the build or check compiles what a configuration includes. Bundlers do not read that.
    pub(super) compiles: bool,
    /// The file that mentions what is added.
    pub(super) file: Option<RepoPath>,
}

impl<'f, 'a> Search<'f, 'a> {
    pub(super) fn new(finder: &'f mut Finder<'a>, own: &'f RepoPath, purpose: Purpose) -> Self {
        let (found, aliases, outside, compiled) = Default::default();
        Self {
            finder,
            own,
            purpose,
            found,
            aliases,
            outside,
            compiled,
            builds_projects: false,
            compiles: false,
            file: None,
        }
    }

    /// Adds an existing file or folder, unless git ignores it. Returns whether it is new.
    pub(super) fn insert(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        Ok(!self.finder.is_ignored(path)? && self.found.files.insert(path.clone()))
    }

    /// Adds an edge to a workspace, unless the manifest has it. The first reason counts.
    pub(super) fn add_edge(&mut self, to: &RepoPath, kind: EdgeKind, reason: impl FnOnce() -> String) {
        if to == self.own || to.is_root() || (kind != EdgeKind::Build && self.is_dependency(to)) {
            return;
        }
        match self.found.edges.get_mut(to) {
            Some(edge) if edge.kind >= kind => {}
            _ => {
                let reason = reason();
                let is_package = reason.starts_with(IMPORTS);
                self.found.edges.insert(
                    to.clone(),
                    Edge { kind, reason, is_package, file: self.file.clone(), is_of_another: false },
                );
            }
        }
    }

    /// The program of the workspace that names this, if the search read it.
    pub(super) fn origin_of(&self, text: &str) -> Option<RepoPath> {
        self.finder.origins.get(self.own)?.get(text).cloned()
    }

    pub(super) fn is_dependency(&self, to: &RepoPath) -> bool {
        let workspaces = self.finder.workspaces;
        let name = workspaces.get(to).map_or("", |manifest| manifest.name.as_str());
        workspaces.get(self.own).is_some_and(|manifest| !name.is_empty() && manifest.depends_on(name))
    }

    /// Whether a path belongs to no workspace but the root.
    pub(super) fn is_outside(&self, path: &RepoPath) -> bool {
        self.finder.owner(path).is_none()
    }

    /// Adds the file or folder that `text` names in a file or script of `folder`. Returns it if it is a new file of the root
    /// workspace.
    pub(super) fn add_mention(
        &mut self,
        folder: &RepoPath,
        text: &str,
        by: Mention,
    ) -> Result<Option<RepoPath>, SplitError> {
        let may_lead_outside = text.starts_with("../") || (text.starts_with("./") && self.is_outside(folder));
        if !may_lead_outside {
            return Ok(None);
        }
        let Ok(path) = folder.resolve(text.trim_end_matches('/')) else { return Ok(None) };
        self.add_path(&path, by, &|| text.to_owned())
    }

    /// Adds what a path from the root leads to. Returns it if it is a new file of the root workspace.
    pub(super) fn add_path(
        &mut self,
        path: &RepoPath,
        by: Mention,
        text: &dyn Fn() -> String,
    ) -> Result<Option<RepoPath>, SplitError> {
        if let Some(name) = path.below(self.own).filter(|name| !name.contains('/') && linters::is_setting(name)) {
            self.found.reads.insert(name.to_owned());
        }
        if path.is_root() || path.is_within(self.own) || self.own.is_within(path) {
            return Ok(None);
        }
        if let Some((_, package)) = path.as_str().split_once("node_modules/") {
            self.add_installed(package, text);
            return Ok(None);
        }
        if path.as_str().contains(['*', '{', '?', '[']) {
            self.add_glob(path, by)?;
            return Ok(None);
        }
        match self.finder.owner(path) {
            Some(owner) => {
                self.add_foreign(owner, path, by, text)?;
                Ok(None)
            }
            None => self.add_root_file(path, by),
        }
    }

    /// Adds a file or folder of the root workspace.
    fn add_root_file(&mut self, path: &RepoPath, by: Mention) -> Result<Option<RepoPath>, SplitError> {
        if self.holds_workspaces(path) {
            return Ok(None);
        }
        for candidate in mentions::candidates_with_more_endings(path) {
            if self.finder.is_file(&candidate)? {
                return Ok(self.insert(&candidate)?.then_some(candidate));
            }
        }
        if self.finder.is_folder(path)? && self.insert(path)? && by == Mention::Program {
            self.outside.insert(path.clone());
        }
        Ok(None)
    }

    pub(super) fn holds_workspaces(&self, path: &RepoPath) -> bool {
        let workspaces = self.finder.workspaces;
        let first = |from: &str| {
            workspaces.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next().map(|(path, _)| path)
        };
        path.holds_any(first)
    }

    /// Adds what a path in another workspace leads to: that workspace if its programs are meant, the file alone if it is data,
    /// and its build if that makes it.
    fn add_foreign(
        &mut self,
        owner: &RepoPath,
        path: &RepoPath,
        by: Mention,
        text: &dyn Fn() -> String,
    ) -> Result<(), SplitError> {
        if by == Mention::Compiler && !self.compiles {
            return Ok(());
        }
        let reason = |by: Mention| match by {
            Mention::Program => format!("names {}", text()),
            Mention::Compiler => format!("compiles {}", text()),
            Mention::Script => format!("its script names {}", text()),
        };
        let kind = if by == Mention::Script { EdgeKind::Tool } else { EdgeKind::Import };
        if path == owner {
            self.add_edge(owner, kind, || reason(by));
            return Ok(());
        }
        for candidate in mentions::candidates_with_index(path) {
            if !self.finder.is_file(&candidate)? || self.finder.is_ignored(&candidate)? {
                continue;
            }
            let is_program = mentions::is_program(candidate.as_str());
            if is_program && (candidate == *path || by != Mention::Script) {
                self.add_edge(owner, kind, || reason(by));
                // The sources of that workspace lack it.
                if candidate.below(owner).is_some_and(|inner| SOURCE_FILTER.rule(inner).is_some()) {
                    self.insert(&candidate)?;
                }
            } else {
                self.add_file_of(owner, &candidate)?;
            }
            return Ok(());
        }
        if self.finder.is_folder(path)? && !self.finder.is_ignored(path)? {
            match by {
                Mention::Script => self.add_file_of(owner, path)?,
                Mention::Program | Mention::Compiler => self.add_edge(owner, kind, || reason(by)),
            }
            return Ok(());
        }
        self.add_made(owner, path, by, &reason);
        Ok(())
    }

    /// Adds a file of another workspace. A dependency on that workspace has it already, unless a rule excludes it.
    fn add_file_of(&mut self, owner: &RepoPath, path: &RepoPath) -> Result<(), SplitError> {
        let is_source = path.below(owner).is_some_and(|inner| SOURCE_FILTER.rule(inner).is_none());
        if !(is_source && self.is_dependency(owner)) {
            self.insert(path)?;
        }
        Ok(())
    }

    /// Adds an edge to a workspace whose build makes a file that git lacks.
    fn add_made(&mut self, owner: &RepoPath, path: &RepoPath, by: Mention, reason: &dyn Fn(Mention) -> String) {
        let inner = path.below(owner).unwrap_or_default();
        let first = inner.split('/').next().unwrap_or_default();
        let has_build =
            self.finder.workspaces.get(owner).is_some_and(|manifest| manifest.scripts.contains_key("build"));
        let is_output = OUTPUTS.contains(&first) || first.starts_with('.') || first.starts_with("dist");
        if has_build && (is_output || by == Mention::Script) {
            self.add_edge(owner, EdgeKind::Build, || reason(by));
        } else if by == Mention::Script && self.purpose == Purpose::Build && !self.is_dependency(owner) {
            let own = self.own;
            let text = format!(
                "{own}: its build names {path}, which git does not have and no build script of {owner} makes; if the build \
                 needs files of {owner}, set `\"workspaces\": {{ \"{own}\": {{ \"uses\": [\"{owner}\"] }} }}` in splitter.json"
            );
            self.found.unmade.insert((owner.clone(), text));
        }
    }

    /// Adds the workspace that an install links in `node_modules`: `../../node_modules/@r/ui/dist`.
    fn add_installed(&mut self, package: &str, text: &dyn Fn() -> String) {
        if let Some(target) = self.finder.by_name.get(mentions::package_name(package)).copied() {
            self.add_edge(target, EdgeKind::Import, || format!("names {}", text()));
        }
    }

    /// Adds the files that a glob matches.
    fn add_glob(&mut self, path: &RepoPath, by: Mention) -> Result<(), SplitError> {
        let Some((base, rest)) = mentions::glob_base(path) else { return Ok(()) };
        let is_whole = matches!(rest.as_str(), "**" | "**/*" | "*");
        if base.is_root() && (is_whole || rest.starts_with("**")) {
            return Ok(());
        }
        if let Some(owner) = self.finder.owner(&base) {
            if self.is_dependency(owner) {
                return Ok(());
            }
        } else if is_whole && rest != "*" && !self.holds_workspaces(&base) {
            self.add_root_file(&base, by)?;
            return Ok(());
        }
        if !self.finder.is_folder(&base)? || self.finder.is_ignored(&base)? {
            return Ok(());
        }
        let all = mentions::without_braces(path.as_str()).into_iter();
        let narrowed = |glob: String| if by == Mention::Script { vec![glob] } else { self.narrowed(&base, &glob) };
        let all: Vec<String> = all.flat_map(narrowed).collect();
        for plain in all {
            if let Ok(glob) = plain.parse::<RepoPath>()
                && is_glob(&plain)
            {
                self.found.files.insert(glob);
            }
        }
        Ok(())
    }

    /// Adds what an imported name leads to: by an alias, or by the name of a workspace. Returns a new file of the root
    /// workspace.
    pub(super) fn add_name(&mut self, name: &str) -> Result<Option<RepoPath>, SplitError> {
        let mut meant: Vec<(Vec<String>, RepoPath, (bool, usize))> = self
            .aliases
            .iter()
            .filter_map(|alias| Some((alias.targets_of(name)?, alias.file.clone(), alias.rank())))
            .collect();
        meant.sort_by_key(|(.., rank)| std::cmp::Reverse(*rank));
        for (targets, file, _) in meant {
            for target in targets {
                let Ok(path) = target.parse::<RepoPath>() else { continue };
                if path.is_root() || !self.exists(&path)? {
                    continue;
                }
                let file_name = file.below(self.own).map_or_else(|| file.to_string(), str::to_owned);
                return self.add_alias(name, &path, &file_name);
            }
        }
        let package = mentions::package_name(name);
        if let Some(target) = self.finder.by_name.get(package).copied() {
            self.add_edge(target, EdgeKind::Import, || format!("{IMPORTS}{package}, which its package.json lacks"));
        }
        Ok(None)
    }

    fn add_alias(&mut self, name: &str, path: &RepoPath, file: &str) -> Result<Option<RepoPath>, SplitError> {
        if let Some(owner) = self.finder.owner(path).filter(|owner| !self.is_dependency(owner)) {
            let has_program = |search: &mut Self| -> Result<bool, SplitError> {
                for candidate in mentions::candidates_with_index(path) {
                    if search.finder.is_file(&candidate)? {
                        return Ok(mentions::is_program(candidate.as_str()));
                    }
                }
                Ok(true)
            };
            if has_program(self)? {
                self.add_edge(owner, EdgeKind::Import, || format!("{IMPORTS}{name} (alias in {file})"));
                return Ok(None);
            }
        }
        let found = self.add_path(path, Mention::Program, &|| format!("{name} (alias in {file})"))?;
        if let Some(file) = &found
            && let Some(module) = self.module_of(file)?
        {
            self.found.files.remove(file);
            if self.insert(&module)? {
                self.outside.insert(module);
            }
            return Ok(None);
        }
        Ok(found)
    }

    /// Returns the folder of a module outside all workspaces: the nearest one with a project's configuration. A library of Nx is
    /// one.
    fn module_of(&mut self, file: &RepoPath) -> Result<Option<RepoPath>, SplitError> {
        let mut folder = file.parent();
        while !folder.is_root() && !self.holds_workspaces(&folder) {
            for name in ["project.json", "package.json", "tsconfig.json"] {
                if self.finder.is_file(&folder.child(name))? {
                    return Ok(Some(folder));
                }
            }
            folder = folder.parent();
        }
        Ok(None)
    }

    pub(super) fn exists(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        for candidate in mentions::candidates_with_index(path) {
            if self.finder.is_file(&candidate)? {
                return Ok(true);
            }
        }
        self.finder.is_folder(path)
    }

    /// Adds aliases, without those that stay in the workspace.
    pub(super) fn add_aliases(&mut self, aliases: impl IntoIterator<Item = Alias>) {
        for alias in aliases {
            let is_own = |target: &String| {
                target.strip_prefix(self.own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !alias.targets.iter().all(is_own) && !self.aliases.contains(&alias) {
                self.finder.first_names.insert(alias.start.trim_end_matches('/').to_owned());
                self.aliases.push(alias);
            }
        }
    }

    /// Whether an imported name can lead to a workspace or a file of the repository.
    pub(super) fn is_wanted(&self) -> impl Fn(&str) -> bool + Sync {
        let is_open = |alias: &Alias| alias.end.is_some() && !alias.start.ends_with('/');
        let all = self.aliases.iter().any(is_open);
        let names = &self.finder.first_names;
        move |name: &str| all || is_first_name(names, name)
    }

    /// Adds the files that a program names, and the files that these name.
    pub(super) fn follow(&mut self, file: &RepoPath) -> Result<(), SplitError> {
        let mut open = vec![file.clone()];
        let before = self.file.take();
        for _ in 0..FOLLOWED {
            let Some(file) = open.pop() else { break };
            self.file = Some(file.clone());
            if self.compiled.contains(&file) {
                continue;
            }
            let Some(text) = self.finder.text(&file)? else { continue };
            let folder = file.parent();
            let (aliases, places) = aliases::of_program(&text, &file);
            self.add_aliases(aliases);
            let text = mentions::without(&text, &places);
            let has_texts = texts::has_texts(file.file_name());
            let nested = if has_texts { texts::with_quotes(&text) } else { Vec::new() };
            let text = mentions::without(&text, &nested);
            for mention in mentions::quoted(&text) {
                let found = self.add_mention(&folder, mention, Mention::Program)?;
                open.extend(found.filter(|path| mentions::names_more(path.as_str())));
            }
            let Specifiers { paths, names, .. } =
                specifiers::of(&text, Place::of(self.own, &folder, false), self.is_wanted());
            for path in paths.iter().filter_map(|path| path.parse().ok()) {
                let found = self.add_path(&path, Mention::Program, &|| path.to_string())?;
                open.extend(found.filter(|path| mentions::names_more(path.as_str())));
            }
            for name in names {
                let found = self.add_name(&name)?;
                open.extend(found.filter(|path| mentions::names_more(path.as_str())));
            }
        }
        self.file = before;
        Ok(())
    }

    /// Adds the first file above with one of these names, if the workspace has none.
    pub(super) fn seek_upwards(&mut self, entries: &[Entry], names: &[&str]) -> Result<(), SplitError> {
        let is_one = |entry: &&Entry| names.iter().any(|name| entry.name.starts_with(name));
        if entries.iter().any(|entry| is_one(&entry)) {
            return Ok(());
        }
        for folder in above(self.own) {
            let name = self.finder.list(&folder)?.iter().find(is_one).map(|entry| entry.name.clone());
            if let Some(name) = name {
                let path = folder.child(&name);
                return if self.insert(&path)? { self.follow(&path) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Adds an input of a task, if it is a root file or a folder.
    pub(super) fn add_input(&mut self, input: &str) -> Result<(), SplitError> {
        let plain = input.trim_start_matches("./").trim_end_matches('*').trim_end_matches('/');
        if plain.is_empty() || plain.contains('*') || NO_INPUTS.contains(&plain) {
            return Ok(());
        }
        let Ok(path) = plain.parse::<RepoPath>() else { return Ok(()) };
        if self.is_outside(&path) {
            self.add_path(&path, Mention::Script, &|| plain.to_owned())?;
        }
        Ok(())
    }

    /// Adds the root's manifest, whole.
    pub(super) fn add_root_manifest(&mut self) {
        self.found.files.insert(manifest_path(&RepoPath::root()));
    }
}

/// Whether a name starts with one of these names: `@r/lib` for `@r/lib/x`.
pub(super) fn is_first_name(names: &BTreeSet<String>, name: &str) -> bool {
    let mut end = name.len();
    loop {
        if names.contains(&name[..end]) {
            return true;
        }
        match name[..end].rfind('/') {
            Some(0) | None => return false,
            Some(shorter) => end = shorter,
        }
    }
}

/// Returns the folders above a path, from the nearest one to the root.
pub(super) fn above(path: &RepoPath) -> Vec<RepoPath> {
    let mut folders = Vec::new();
    let mut folder = path.clone();
    while !folder.is_root() {
        folder = folder.parent();
        folders.push(folder.clone());
    }
    folders
}
