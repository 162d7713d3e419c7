//! Globs in the keys of `workspaces` and in `uses`, turned into the workspaces that they match.

use std::collections::{BTreeMap, BTreeSet};

use super::{BuildChoice, Config, Kind, WorkspaceConfig, globs::written_out};
use crate::{
    repo::RepoPath,
    split::{SplitError, Workspaces, sources::source_filter::Globs},
};

impl Config {
    /// Moves the choices for globs to the workspaces that match. A choice for a workspace itself goes before.
    ///
    /// # Errors
    ///
    /// A glob that matches no workspace, and two globs that make different choices for one workspace.
    pub(in crate::split) fn resolve(&mut self, workspaces: &Workspaces) -> Result<(), SplitError> {
        let mut chosen: BTreeMap<RepoPath, Vec<(String, WorkspaceConfig)>> = BTreeMap::new();
        for (glob, choice) in std::mem::take(&mut self.globs) {
            for path in matching(&glob, workspaces)? {
                chosen.entry(path).or_default().push((glob.clone(), choice.clone()));
            }
        }
        for (path, choices) in chosen {
            let own = self.workspaces.entry(path.clone()).or_default();
            refuse_two_choices(&path, own, &choices)?;
            for (_, choice) in &choices {
                own.fill_in(choice);
            }
        }
        for (path, choice) in &mut self.workspaces {
            for glob in std::mem::take(&mut choice.uses_globs) {
                match glob.strip_prefix('!') {
                    Some(negated) => choice.not_uses.extend(matching(negated, workspaces)?),
                    None => choice.uses.extend(matching(&glob, workspaces)?.into_iter().filter(|used| used != path)),
                }
            }
            // The root as an app uses all but these.
            let is_for_root = path.is_root() && choice.kind == Some(Kind::App) && choice.build != BuildChoice::None;
            if is_for_root && choice.uses.is_empty() && !choice.not_uses.is_empty() {
                choice.uses = workspaces.keys().filter(|path| !path.is_root()).cloned().collect();
            }
            choice.uses.retain(|used| !choice.not_uses.contains(used));
        }
        Ok(())
    }

    /// Whether a workspace is the root as an app, whose build reads the sources of all workspaces. `uses` narrows them.
    pub(in crate::split) fn uses_all(&self, path: &RepoPath) -> bool {
        path.is_root()
            && self.workspaces.get(path).is_some_and(|choice| {
                choice.kind == Some(Kind::App) && choice.build != BuildChoice::None && !choice.keys.contains("uses")
            })
    }
}

/// The workspaces whose folder a glob matches, without the root.
fn matching(glob: &str, workspaces: &Workspaces) -> Result<BTreeSet<RepoPath>, SplitError> {
    let wrong = |reason: String| SplitError::Config { reason };
    let globs = Globs::of_folders(&written_out(glob).map_err(wrong)?);
    let found: BTreeSet<RepoPath> =
        workspaces.keys().filter(|path| !path.is_root() && globs.find(path.as_str()).is_some()).cloned().collect();
    if found.is_empty() {
        return Err(wrong(format!("there is no workspace whose folder matches `{glob}`")));
    }
    Ok(found)
}

fn refuse_two_choices(
    path: &RepoPath,
    own: &WorkspaceConfig,
    choices: &[(String, WorkspaceConfig)],
) -> Result<(), SplitError> {
    let mut seen: BTreeMap<&str, (&str, &WorkspaceConfig)> = BTreeMap::new();
    for (glob, choice) in choices {
        for key in choice.keys.iter().filter(|key| !own.keys.contains(*key)) {
            let Some((first, other)) = seen.insert(key, (glob, choice)) else { continue };
            let only = |choice: &WorkspaceConfig| {
                let mut alone = WorkspaceConfig::default();
                alone.take(key, choice);
                alone
            };
            if only(other) != only(choice) {
                return Err(SplitError::Config {
                    reason: format!(
                        "`{first}` and `{glob}` set `{key}` of `{path}` to different values; set it for `{path}` itself"
                    ),
                });
            }
        }
    }
    Ok(())
}

impl WorkspaceConfig {
    /// Takes the choices that are not made here from another.
    fn fill_in(&mut self, other: &Self) {
        for key in &other.keys {
            if self.keys.insert(key.clone()) {
                self.take(key, other);
            }
        }
    }

    fn take(&mut self, key: &str, other: &Self) {
        let other = other.clone();
        match key {
            "kind" => self.kind = other.kind,
            "app" => self.app = other.app,
            "build" => self.build = other.build,
            "output" => self.output = other.output,
            "start" => self.start = other.start,
            "runtime" => self.runtime = other.runtime,
            "publish" => self.publish = other.publish,
            "uses" => (self.uses, self.uses_globs) = (other.uses, other.uses_globs),
            "nodeModules" => self.node_modules = other.node_modules,
            "install" => self.install = other.install,
            "exposes" => self.exposes = other.exposes,
            "checks" => self.checks = other.checks,
            "ownScripts" => self.own_scripts = other.own_scripts,
            "rootScripts" => self.root_scripts = other.root_scripts,
            "rootFiles" => self.root_files = other.root_files,
            "include" => self.include = other.include,
            "exclude" => self.exclude = other.exclude,
            "sizeBudget" => self.size_budget = other.size_budget,
            "imageBudget" => self.image_budget = other.image_budget,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::config, split::workspaces};

    fn resolved(text: &str) -> Result<Config, String> {
        let tree = MemoryTree::new([
            ("package.json", r#"{"workspaces": ["apps/*", "packages/*"]}"#),
            ("apps/web/package.json", r#"{"name": "web"}"#),
            ("apps/api/package.json", r#"{"name": "api"}"#),
            ("packages/a/package.json", r#"{"name": "a"}"#),
            ("packages/b/package.json", r#"{"name": "b"}"#),
        ]);
        let mut config = config::parse(text).map_err(|error| error.to_string())?;
        config.resolve(&workspaces::read(&tree).unwrap()).map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_key_can_be_a_glob_and_an_exact_key_wins() {
        let config = resolved(
            r#"{"workspaces": {"apps/*": {"output": "out", "nodeModules": "copy"}, "apps/web": {"output": "dist"}}}"#,
        )
        .unwrap();
        let web = &config.workspaces["apps/web"];
        assert_eq!(
            (web.output.as_slice(), web.node_modules),
            (["dist".to_owned()].as_slice(), Some(config::NodeModules::Copy))
        );
        assert_eq!(config.workspaces["apps/api"].output, ["out"]);
        assert!(!config.workspaces.contains_key("packages/a"));
    }

    #[test]
    fn uses_takes_globs() {
        let config = resolved(r#"{"workspaces": {"apps/*": {"uses": ["packages/*", "apps/api"]}}}"#).unwrap();
        let uses: Vec<_> = config.workspaces["apps/web"].uses.iter().map(RepoPath::as_str).collect();
        assert_eq!(uses, ["apps/api", "packages/a", "packages/b"]);
        let config = resolved(r#"{"workspaces": {"apps/web": {"uses": ["{apps,packages}/[aw]*"]}}}"#).unwrap();
        let uses: Vec<_> = config.workspaces["apps/web"].uses.iter().map(RepoPath::as_str).collect();
        assert_eq!(uses, ["apps/api", "packages/a"]);
    }

    #[test]
    fn uses_turns_off_what_was_found() {
        let of = |choice: &str, path: &str| {
            let config = resolved(&format!(r#"{{"workspaces": {{"{path}": {choice}}}}}"#)).unwrap();
            let choice = &config.workspaces[path.trim_start_matches('.')];
            let names = |set: &BTreeSet<RepoPath>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            (names(&choice.uses), names(&choice.not_uses))
        };
        let expected = |uses: &str, not_uses: &str| (uses.to_owned(), not_uses.to_owned());
        assert_eq!(of(r#"{"uses": ["!packages/b"]}"#, "apps/web"), expected("", "packages/b"));
        assert_eq!(of(r#"{"uses": ["packages/*", "!*/b"]}"#, "apps/web"), expected("packages/a", "packages/b"));
        let root = of(r#"{"kind": "app", "build": "make", "uses": ["!packages/*"]}"#, ".");
        assert_eq!(root, expected("apps/api apps/web", "packages/a packages/b"));
        assert_eq!(
            resolved(r#"{"workspaces": {"apps/web": {"uses": ["!packages/x"]}}}"#).unwrap_err(),
            "there is no workspace whose folder matches `packages/x`"
        );
    }

    #[test]
    fn a_glob_that_matches_nothing_or_contradicts_another_is_refused() {
        assert_eq!(
            resolved(r#"{"workspaces": {"services/*": {}}}"#).unwrap_err(),
            "there is no workspace whose folder matches `services/*`"
        );
        assert_eq!(
            resolved(r#"{"workspaces": {"apps/web": {"uses": ["libs/*"]}}}"#).unwrap_err(),
            "there is no workspace whose folder matches `libs/*`"
        );
        assert_eq!(
            resolved(r#"{"workspaces": {"apps/*": {"output": "a"}, "*/web": {"output": "b"}}}"#).unwrap_err(),
            "`apps/*` and `*/web` set `output` of `apps/web` to different values; set it for `apps/web` itself"
        );
        assert!(resolved(r#"{"workspaces": {"apps/*": {"output": "a"}, "*/web": {"output": "a"}}}"#).is_ok());
        assert!(resolved(r#"{"workspaces": {"!(apps)/*": {}}}"#).unwrap_err().contains("`!(…)` is not supported"));
    }

    #[test]
    fn the_root_as_an_app_uses_all_unless_it_names_some() {
        let uses_all = |choice: &str| {
            let config = resolved(&format!(r#"{{"workspaces": {{".": {choice}}}}}"#)).unwrap();
            config.uses_all(&RepoPath::root())
        };
        assert!(uses_all(r#"{"kind": "app", "build": "make"}"#));
        assert!(!uses_all(r#"{"kind": "app", "uses": ["packages/a"]}"#) && !uses_all(r#"{"kind": "app", "uses": []}"#));
        assert!(!uses_all("{}") && !uses_all(r#"{"kind": "app", "build": null}"#));
    }
}
