//! The place of hooks: what git reports about a repository, and which tool manages its hooks.
//!
//! Hook tools break when another one writes to the same place. One sets `core.hooksPath`, one refuses to run if it is set, one
//! renames existing hooks and forgets them, one overwrites them. So this module first detects the tool by its files. If there is
//! one, splitter's line belongs in the configuration of that tool.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{EVENTS, HookError};
use crate::{reading, repo::Git};

/// The first version of git that runs hooks from its configuration (`hook.<name>.command`).
const CONFIGURED: (u32, u32) = (2, 54);

/// The fields of a manifest that can ask for husky.
const GROUPS: [&str; 2] = ["devDependencies", "dependencies"];

/// What git reports about a repository.
#[derive(Debug, Clone)]
pub struct HookPlace {
    pub(super) git: Git,
    /// The top of the working tree.
    pub top: Utf8PathBuf,
    /// The folder of the repository below the top, or `""`.
    pub root: String,
    /// The folder in which git looks for hooks.
    pub hooks: Utf8PathBuf,
    /// `core.hooksPath`, if set.
    pub hooks_path: Option<String>,
    /// The folder of git's files that all working trees share.
    pub common: Utf8PathBuf,
    /// Whether this git runs hooks from its configuration.
    pub runs_configured: bool,
}

/// What decides which hooks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Git's configuration, which needs no file and disturbs no other tool.
    Configuration,
    /// The hooks folder of this repository.
    Folder,
    /// husky 5 and later: scripts of the repository in `.husky`.
    Husky,
    /// A tool that generates the hook from a configuration of its own.
    Tool(Tool),
    /// A folder outside of this repository, which others may use: from `core.hooksPath`, or through a link.
    Elsewhere,
    /// Nothing: hooks are turned off.
    Nobody,
}

/// A tool that generates hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// <https://lefthook.dev>
    Lefthook,
    /// <https://pre-commit.com>
    PreCommit,
    /// <https://prek.j178.dev>, with pre-commit's configuration
    Prek,
    /// <https://github.com/cachix/git-hooks.nix>, with its configuration in the Nix store
    GitHooksNix,
    /// <https://github.com/toplenboren/simple-git-hooks>
    SimpleGitHooks,
    /// husky 4 and earlier
    OldHusky,
    /// <https://github.com/sds/overcommit>
    Overcommit,
}

impl Tool {
    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lefthook => "lefthook",
            Self::PreCommit => "pre-commit",
            Self::Prek => "prek",
            Self::GitHooksNix => "git-hooks.nix",
            Self::SimpleGitHooks => "simple-git-hooks",
            Self::OldHusky => "husky 4",
            Self::Overcommit => "overcommit",
        }
    }

    /// Returns the files that can contain its configuration, at the top of the working tree.
    pub(super) const fn configurations(self) -> &'static [&'static str] {
        match self {
            Self::Lefthook => &[
                "lefthook.yml",
                "lefthook.yaml",
                "lefthook.toml",
                "lefthook.json",
                "lefthook.jsonc",
                ".lefthook.yml",
                ".lefthook.yaml",
                ".lefthook.toml",
                ".lefthook.json",
                ".lefthook.jsonc",
                ".config/lefthook.yml",
                ".config/lefthook.yaml",
                "lefthook-local.yml",
                "lefthook-local.yaml",
            ],
            Self::PreCommit | Self::GitHooksNix => &[".pre-commit-config.yaml", ".pre-commit-config.yml"],
            Self::Prek => &[".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml"],
            Self::SimpleGitHooks => &[
                "package.json",
                ".simple-git-hooks.json",
                "simple-git-hooks.json",
                ".simple-git-hooks.js",
                "simple-git-hooks.js",
                ".simple-git-hooks.cjs",
                "simple-git-hooks.cjs",
                ".simple-git-hooks.mjs",
                "simple-git-hooks.mjs",
            ],
            Self::OldHusky => &["package.json", ".huskyrc", ".huskyrc.json", ".huskyrc.js"],
            Self::Overcommit => &[".overcommit.yml"],
        }
    }
}

impl HookPlace {
    /// Asks git about the repository at `root`.
    pub fn find(root: &Utf8Path) -> Result<Self, HookError> {
        let git = Git::at(root);
        let version = git.ask(&["version"])?.unwrap_or_default();
        let questions = ["rev-parse", "--show-toplevel", "--git-path", "hooks", "--git-common-dir"];
        let answer = String::from_utf8_lossy(&git.output(&questions)?).into_owned();
        let [top, hooks, common] = answer.lines().collect::<Vec<_>>()[..] else {
            return Err(HookError::Answer);
        };
        let top = canonical(Utf8Path::new(top));
        let below_top = canonical(root).strip_prefix(&top).map(|path| path.as_str().to_owned());
        Ok(Self {
            root: below_top.map_err(|_| HookError::Answer)?,
            hooks: root.join(hooks),
            common: canonical(&root.join(common)),
            hooks_path: git.ask(&["config", "--get", "core.hooksPath"])?.filter(|path| !path.is_empty()),
            runs_configured: numbers(&version) >= CONFIGURED,
            top,
            git,
        })
    }

    /// Returns the path that git runs for an event. The file may be missing.
    pub fn hook(&self, event: &str) -> Utf8PathBuf {
        self.hooks.join(event)
    }

    /// Returns what manages the hooks.
    pub fn owner(&self) -> Owner {
        if self.runs_configured {
            return Owner::Configuration;
        }
        if let Some(tool) = self.made_by() {
            return Owner::Tool(tool);
        }
        if self.has_husky() {
            return if self.is_own(&self.husky()) { Owner::Husky } else { Owner::Elsewhere };
        }
        if !self.is_own(&self.hooks) {
            let is_off = self.hooks.as_str() == "/dev/null" || (self.hooks.exists() && !self.hooks.is_dir());
            return if is_off { Owner::Nobody } else { Owner::Elsewhere };
        }
        Owner::Folder
    }

    /// Returns whether husky runs the hooks of `.husky` through files of its own (9 and later), or will once it is installed.
    pub(super) fn has_husky(&self) -> bool {
        let is_set = self.hooks_path.as_deref().is_some_and(|path| path.trim_end_matches('/').ends_with(".husky/_"));
        is_set || (self.hooks_path.is_none() && self.husky().is_dir() && self.depends_on("husky"))
    }

    /// Returns the folder with husky's scripts.
    pub(super) fn husky(&self) -> Utf8PathBuf {
        match self.hooks.file_name() {
            Some("_") => self.hooks.parent().unwrap_or(&self.hooks).to_owned(),
            _ => self.top.join(".husky"),
        }
    }

    /// Returns the command that installs the hooks in this checkout. Without an argument, husky 5 to 8 do nothing.
    pub(super) fn husky_command(&self) -> &'static str {
        // Only husky 9 and later set this path.
        let is_of_9 = self.hooks_path.is_some();
        if !is_of_9 && self.husky_major().map_or_else(|| self.runs_husky_install(), |major| major < 9) {
            "npx husky install"
        } else {
            "npx husky"
        }
    }

    /// Returns the major version of husky: that of the installed package, or the one that the manifest asks for.
    fn husky_major(&self) -> Option<u64> {
        let installed = text(&self.top.join("node_modules/husky/package.json"));
        let installed = installed.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        let installed = installed.and_then(|manifest| major(manifest.get("version")?.as_str()?));
        installed.or_else(|| {
            let manifest = self.manifest()?;
            let ranges = GROUPS.iter().filter_map(|group| manifest.get(group)?.get("husky")?.as_str());
            ranges.into_iter().find_map(major)
        })
    }

    /// Whether a script of the manifest calls `husky install`, the command before version 9.
    fn runs_husky_install(&self) -> bool {
        let manifest = self.manifest();
        let scripts = manifest.as_ref().and_then(|manifest| manifest.get("scripts")?.as_object());
        let mut scripts = scripts.into_iter().flat_map(|scripts| scripts.values()).filter_map(|script| script.as_str());
        scripts.any(|script| script.contains("husky install"))
    }

    /// Returns the tool that generated the existing hooks, or that will overwrite them.
    pub(super) fn made_by(&self) -> Option<Tool> {
        let hooks: String = EVENTS.iter().filter_map(|event| text(&self.hook(event))).collect();
        let config = Tool::PreCommit.configurations()[0];
        let is_of_nix = fs::read_link(self.top.join(config)).is_ok_and(|target| target.starts_with("/nix/store"));
        if hooks.contains("File generated by pre-commit") || hooks.contains("File generated by prek") {
            let is_prek = hooks.contains("File generated by prek");
            return Some(if is_of_nix {
                Tool::GitHooksNix
            } else if is_prek {
                Tool::Prek
            } else {
                Tool::PreCommit
            });
        }
        if is_of_nix {
            return Some(Tool::GitHooksNix);
        }
        if hooks.contains("call_lefthook") || hooks.contains("\nlefthook run") || self.has_any(Tool::Lefthook) {
            return Some(Tool::Lefthook);
        }
        if hooks.contains("SKIP_SIMPLE_GIT_HOOKS") || self.has_simple_git_hooks() {
            return Some(Tool::SimpleGitHooks);
        }
        if hooks.contains("# husky") && hooks.contains("husky.local.sh") {
            return Some(Tool::OldHusky);
        }
        hooks.contains("OVERCOMMIT_DISABLE").then_some(Tool::Overcommit)
    }

    fn has_any(&self, tool: Tool) -> bool {
        tool.configurations().iter().any(|file| self.top.join(file).is_file())
    }

    fn has_simple_git_hooks(&self) -> bool {
        let files = &Tool::SimpleGitHooks.configurations()[1..];
        files.iter().any(|file| self.top.join(file).is_file())
            || self.manifest().is_some_and(|manifest| manifest.get("simple-git-hooks").is_some())
    }

    fn depends_on(&self, package: &str) -> bool {
        self.manifest().is_some_and(|manifest| {
            GROUPS.iter().any(|group| manifest.get(group).is_some_and(|group| group.get(package).is_some()))
        })
    }

    /// Reads the manifest at the top.
    fn manifest(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&text(&self.top.join("package.json"))?).ok()
    }

    /// Returns whether a folder is in the working tree or in git's folder, with all links resolved.
    pub(super) fn is_own(&self, folder: &Utf8Path) -> bool {
        let folder = canonical(folder);
        folder.starts_with(&self.top) || folder.starts_with(&self.common)
    }

    /// Shortens a path below the top to a relative one.
    pub fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(&self.top).map_or_else(|_| path.to_string(), ToString::to_string)
    }
}

/// Reads a text file. Returns `None` if it is missing or not text.
pub(super) fn text(path: &Utf8Path) -> Option<String> {
    reading::text(path).ok()
}

/// Resolves the links of a path as far as it exists.
fn canonical(path: &Utf8Path) -> Utf8PathBuf {
    match (path.canonicalize_utf8(), path.parent(), path.file_name()) {
        (Ok(path), _, _) => path,
        (Err(_), Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.to_owned(),
    }
}

/// Returns the first number of a version or a range: 8 of `^8.0.3`.
fn major(version: &str) -> Option<u64> {
    let start = version.trim_start_matches(['^', '~', '>', '<', '=', 'v', ' ']);
    let digits = start.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Parses the first two numbers of `git version 2.54.0.windows.1`.
fn numbers(version: &str) -> (u32, u32) {
    let word = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut numbers = word.unwrap_or_default().split('.').map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_follows() {
        assert_eq!(numbers("git version 2.54.0.windows.1"), (2, 54));
        assert_eq!(numbers("git version 2.9.5 (Apple Git-154)"), (2, 9));
        assert_eq!(numbers("hub"), (0, 0));
    }

    #[test]
    fn the_major_version_of_a_range_is_its_first_number() {
        assert_eq!(["8.0.3", "^8.0.3", ">=9 <10", "v6"].map(major), [Some(8), Some(8), Some(9), Some(6)]);
        assert_eq!(["latest", "catalog:", "*", ""].map(major), [None; 4]);
    }
}
