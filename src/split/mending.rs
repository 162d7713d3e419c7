//! What a source set lacks, why, and the line of `splitter.json` that adds it.
//!
//! A trace or a failed build names files of the repository that a build looked for and did not find. This module finds the
//! rule that left each of them out, and the narrowest setting that brings it back: every file more in a source set is a
//! file whose edits rebuild.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    names::MANIFEST,
    repo::RepoPath,
    split::{
        Split,
        sources::{Ownership, is_program},
    },
};

/// A setting of one workspace in `splitter.json`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mending {
    /// The workspace.
    pub workspace: RepoPath,
    /// The setting.
    pub setting: Setting,
}

/// What to set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// Adds a glob to `include`: files of its own folder that a rule leaves out.
    Include(String),
    /// Adds a file, folder or glob to `rootFiles`: files of the root or of another workspace.
    RootFiles(String),
    /// Adds a workspace to `uses`.
    Uses(RepoPath),
    /// Adds a script to `ownScripts`.
    OwnScripts(String),
    /// Adds a script to `rootScripts`.
    RootScripts(String),
    /// Sets `nodeModules` to `copy`.
    CopyNodeModules,
    /// Sets `output`.
    Output(String),
}

impl Setting {
    /// Returns the key in `splitter.json`.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Include(_) => "include",
            Self::RootFiles(_) => "rootFiles",
            Self::Uses(_) => "uses",
            Self::OwnScripts(_) => "ownScripts",
            Self::RootScripts(_) => "rootScripts",
            Self::CopyNodeModules => "nodeModules",
            Self::Output(_) => "output",
        }
    }

    /// Returns the value, or the element that is added to a list.
    pub fn text(&self) -> &str {
        match self {
            Self::Include(text)
            | Self::RootFiles(text)
            | Self::OwnScripts(text)
            | Self::RootScripts(text)
            | Self::Output(text) => text,
            Self::Uses(path) => path.as_str(),
            Self::CopyNodeModules => "copy",
        }
    }

    /// Whether it adds just what a message names. The others may help with something that no message names.
    pub const fn names_what_is_missing(&self) -> bool {
        matches!(self, Self::Include(_) | Self::RootFiles(_) | Self::Uses(_))
    }

    /// Whether it runs a script before the build.
    pub const fn is_script(&self) -> bool {
        matches!(self, Self::OwnScripts(_) | Self::RootScripts(_))
    }

    /// Whether the value is a list, to which an element is added.
    pub const fn is_list(&self) -> bool {
        !matches!(self, Self::CopyNodeModules | Self::Output(_))
    }
}

impl Mending {
    /// Formats it as it is written in `splitter.json`: `"workspaces": { "apps/web": { "include": ["README.md"] } }`.
    pub fn line(&self) -> String {
        let [folder, text] = [self.workspace.to_string().as_str(), self.setting.text()].map(|text| json!(text));
        let value = if self.setting.is_list() { format!("[{text}]") } else { text.to_string() };
        format!("\"workspaces\": {{ {folder}: {{ \"{}\": {value} }} }}", self.setting.key())
    }
}

/// Why a source set lacks a file that git has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// A rule leaves it out of its workspace: a name of tests or documents, or the folder of a build output.
    LeftOut {
        /// The rule, as `scan` shows it.
        rule: String,
    },
    /// `exclude` in `splitter.json` leaves it out, and is stronger than any setting that adds files.
    Excluded {
        /// The glob.
        glob: String,
    },
    /// It belongs to a workspace that the build does not depend on.
    OtherWorkspace {
        /// That workspace.
        workspace: RepoPath,
    },
    /// It belongs to a library that shows others only its output (`exposes`).
    Hidden {
        /// The library.
        workspace: RepoPath,
    },
    /// It belongs to no workspace but the root, and nothing that splitter reads names it.
    OfRoot,
}

impl Lack {
    /// Says why the source set lacks the file, as the end of a sentence that starts with its path.
    pub fn reason(&self) -> String {
        match self {
            Self::LeftOut { rule } => format!("the rule `{rule}` leaves it out"),
            Self::Excluded { glob } => format!("`exclude` in splitter.json leaves it out (`{glob}`): remove that glob"),
            Self::OtherWorkspace { workspace } => {
                format!("it is in `{workspace}`, which this workspace does not depend on")
            }
            Self::Hidden { workspace } => {
                format!("it is in `{workspace}`, which shows others only its output (`exposes`)")
            }
            Self::OfRoot => "it is in no workspace, and nothing that splitter reads names it".to_owned(),
        }
    }
}

/// A file, or a folder with files, that a source set lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its path.
    pub path: RepoPath,
    /// Why the source set lacks it.
    pub lack: Lack,
    /// The line that adds it. `None` where a line of the user must go.
    pub mending: Option<Mending>,
}

/// Finds why the source set of the build in `reader` lacks each of these paths of the repository. Paths that it has are left
/// out. `missing` must be files that git has, or folders of such files: other machines have nothing else.
pub fn for_missing<'a>(
    split: &Split,
    reader: &RepoPath,
    missing: impl IntoIterator<Item = &'a RepoPath>,
) -> Vec<Missing> {
    let ownership = Ownership::of(&split.graph, &split.config);
    let closure = split.graph.closure(reader);
    let paths: BTreeSet<&RepoPath> = missing.into_iter().collect();
    let lacks: Vec<(&RepoPath, Lack)> =
        paths.into_iter().filter_map(|path| Some((path, lack(&ownership, reader, &closure, path)?))).collect();
    let grouped = Folders::of(&lacks);
    let found = |(path, lack): (&RepoPath, Lack)| {
        let setting = setting(reader, path, &lack, &grouped);
        let mending = setting.map(|setting| Mending { workspace: reader.clone(), setting });
        Missing { path: path.clone(), lack, mending }
    };
    lacks.clone().into_iter().map(found).collect()
}

fn lack(ownership: &Ownership<'_>, reader: &RepoPath, closure: &BTreeSet<RepoPath>, path: &RepoPath) -> Option<Lack> {
    let owner = ownership.owner(path);
    if owner.is_root() && !reader.is_root() {
        return Some(Lack::OfRoot);
    }
    if !closure.contains(&owner) {
        return Some(Lack::OtherWorkspace { workspace: owner });
    }
    if owner != *reader && ownership.shows_only_output(&owner) {
        return Some(Lack::Hidden { workspace: owner });
    }
    let inner = ownership.inner(&owner, path);
    if let Some(glob) = ownership.exclude(&owner, inner) {
        return Some(Lack::Excluded { glob });
    }
    ownership.rule(&owner, inner).map(|rule| Lack::LeftOut { rule })
}

fn setting(reader: &RepoPath, path: &RepoPath, lack: &Lack, folders: &Folders) -> Option<Setting> {
    let alone = || Setting::RootFiles(as_glob(path.as_str()));
    Some(match lack {
        Lack::Excluded { .. } => return None,
        Lack::LeftOut { .. } => {
            let wanted = folders.wanted(path);
            match wanted.below(reader) {
                Some(inner) => Setting::Include(as_glob(inner)),
                None => Setting::RootFiles(as_glob(wanted.as_str())),
            }
        }
        // Code imports other code, so it takes the workspace and what it needs. Data stands alone.
        Lack::OtherWorkspace { workspace } if path == workspace || is_code(path) => Setting::Uses(workspace.clone()),
        Lack::OtherWorkspace { .. } | Lack::Hidden { .. } | Lack::OfRoot => alone(),
    })
}

fn is_code(path: &RepoPath) -> bool {
    path.file_name() == MANIFEST || is_program(path.file_name())
}

/// Writes a path as a glob. Names may contain characters that mean something in globs: `app/[id]/page.tsx`.
fn as_glob(path: &str) -> String {
    path.replace(['*', '[', ']', '{', '}', '(', ')', '!', '\\'], "?")
}

/// The folders that rules leave out, with the missing files in each.
struct Folders(BTreeMap<RepoPath, Vec<RepoPath>>);

impl Folders {
    fn of(lacks: &[(&RepoPath, Lack)]) -> Self {
        let mut folders: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
        for (path, lack) in lacks {
            if let Some(folder) = left_out_folder(path, lack) {
                folders.entry(folder).or_default().push((*path).clone());
            }
        }
        Self(folders)
    }

    /// Returns the folder to include for a file that is left out with its folder: one of several, or code, which imports
    /// what is beside it. Else the file.
    fn wanted(&self, path: &RepoPath) -> RepoPath {
        let holds = |(_, files): &(&RepoPath, &Vec<RepoPath>)| files.contains(path);
        match self.0.iter().find(holds) {
            Some((folder, files)) if files.len() > 1 || is_code(path) => folder.clone(),
            _ => path.clone(),
        }
    }
}

/// Returns the folder whose name makes a rule leave a file out, as in `tests/` and `**/__tests__/`.
fn left_out_folder(path: &RepoPath, lack: &Lack) -> Option<RepoPath> {
    let Lack::LeftOut { rule } = lack else { return None };
    let name = rule.strip_suffix('/')?.trim_start_matches("**/");
    let depth = path.parent().parts().collect::<Vec<_>>().iter().rposition(|part| *part == name)?;
    let folder: Vec<&str> = path.parts().take(depth + 1).collect();
    folder.join("/").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::Choices};

    fn split() -> Split {
        let tree = MemoryTree::new([
            ("package.json", r#"{"workspaces": ["apps/*", "packages/*"]}"#),
            ("bun.lock", r#"{"lockfileVersion": 1}"#),
            (
                "splitter.json",
                r#"{"workspaces": {"apps/web": {"exclude": ["notes"]}, "packages/closed": {"exposes": "output"}}}"#,
            ),
            (
                "apps/web/package.json",
                r#"{"name": "web", "scripts": {"build": "vite build"}, "dependencies": {"ui": "*", "closed": "*"}}"#,
            ),
            ("packages/ui/package.json", r#"{"name": "ui"}"#),
            ("packages/closed/package.json", r#"{"name": "closed", "main": "dist/i.js", "scripts": {"build": "tsc"}}"#),
            ("packages/other/package.json", r#"{"name": "other"}"#),
        ]);
        Split::read(&tree, &Choices::default()).unwrap()
    }

    fn lines(missing: &[&str]) -> Vec<String> {
        let paths: Vec<RepoPath> = missing.iter().map(|path| path.parse().unwrap()).collect();
        let found = for_missing(&split(), &"apps/web".parse().unwrap(), &paths);
        let line = |missing: &Missing| {
            let line = missing.mending.as_ref().map_or("no line".to_owned(), Mending::line);
            format!("{}: {}; {line}", missing.path, missing.lack.reason())
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn each_lack_has_the_narrowest_line() {
        insta::assert_snapshot!(
            lines(&[
                "LICENSE",
                "apps/web/README.md",
                "apps/web/app/[id]/a.test.ts",
                "apps/web/notes/a.md",
                "apps/web/src/main.ts",
                "packages/closed/src/i.ts",
                "packages/other/openapi.yaml",
                "packages/ui/README.md",
            ])
            .join("\n"),
            @r#"
        LICENSE: it is in no workspace, and nothing that splitter reads names it; "workspaces": { "apps/web": { "rootFiles": ["LICENSE"] } }
        apps/web/README.md: the rule `README.md` leaves it out; "workspaces": { "apps/web": { "include": ["README.md"] } }
        apps/web/app/[id]/a.test.ts: the rule `**/*.test.ts` leaves it out; "workspaces": { "apps/web": { "include": ["app/?id?/a.test.ts"] } }
        apps/web/notes/a.md: `exclude` in splitter.json leaves it out (`notes`): remove that glob; no line
        packages/closed/src/i.ts: it is in `packages/closed`, which shows others only its output (`exposes`); "workspaces": { "apps/web": { "rootFiles": ["packages/closed/src/i.ts"] } }
        packages/other/openapi.yaml: it is in `packages/other`, which this workspace does not depend on; "workspaces": { "apps/web": { "rootFiles": ["packages/other/openapi.yaml"] } }
        packages/ui/README.md: the rule `README.md` leaves it out; "workspaces": { "apps/web": { "rootFiles": ["packages/ui/README.md"] } }
        "#
        );
    }

    #[test]
    fn code_takes_its_folder_or_its_workspace() {
        let uses = r#""workspaces": { "apps/web": { "uses": ["packages/other"] } }"#;
        for path in ["packages/other", "packages/other/package.json", "packages/other/src/i.tsx"] {
            assert!(lines(&[path])[0].ends_with(uses), "{path}");
        }
        assert!(lines(&["apps/web/tests/a.ts"])[0].ends_with(r#""include": ["tests"] } }"#));
        assert!(lines(&["apps/web/tests/a.json"])[0].ends_with(r#""include": ["tests/a.json"] } }"#));
        let two = lines(&["apps/web/src/__tests__/a.json", "apps/web/src/__tests__/b/b.json"]);
        assert!(two.iter().all(|line| line.ends_with(r#""include": ["src/__tests__"] } }"#)), "{two:?}");
    }
}
