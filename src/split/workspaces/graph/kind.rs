//! What decides whether a workspace is an app or a library.

use crate::{
    repo::RepoPath,
    split::config::{Kind, WorkspaceConfig},
};

/// Folders whose workspaces are apps even where another workspace depends on them (for their types).
const APP_FOLDERS: [&str; 5] = ["apps", "services", "sites", "workers", "functions"];

/// What decides between app and library.
pub(super) struct Facts<'a> {
    pub(super) builds: bool,
    pub(super) starts: bool,
    /// The repository is one package without workspaces.
    pub(super) single: bool,
    pub(super) dependants: &'a [RepoPath],
}

/// Whether a workspace is an app or a library, and why, in words.
pub(super) fn choose_kind(path: &RepoPath, choice: &WorkspaceConfig, facts: &Facts<'_>) -> (Kind, String) {
    if let Some(kind) = choice.kind {
        return (kind, "set in splitter.json".to_owned());
    }
    let what = match (facts.builds, facts.starts) {
        (true, _) => "has a build script",
        (false, true) => "runs a server from source",
        (false, false) => return (Kind::Library, "has no build script and starts no server".to_owned()),
    };
    if path.is_root() && !facts.single {
        return (Kind::Library, "is the workspace root".to_owned());
    }
    if let Some(folder) = path.parts().find(|part| APP_FOLDERS.contains(part)) {
        return (Kind::App, format!("{what} and is in {folder}/"));
    }
    match facts.dependants {
        [] => (Kind::App, format!("{what} and no workspace depends on it")),
        [one] => (Kind::Library, format!("{one} depends on it")),
        [first, rest @ ..] => (Kind::Library, format!("{first} and {} more depend on it", rest.len())),
    }
}
