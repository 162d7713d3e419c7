//! What decides whether a workspace is an app or a library.

use super::advice;
use crate::{
    repo::RepoPath,
    split::{
        Manifest,
        config::{Kind, WorkspaceConfig},
        workspaces::detect::{
            Build,
            program::{Product, Purpose},
        },
    },
};

/// Folders of apps. A workspace in one is an app even where another one depends on it (for its types).
pub(super) const APP_FOLDERS: [&str; 5] = ["apps", "services", "sites", "workers", "functions"];

/// What decides between app and library.
pub(super) struct Facts<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) build: Option<&'a Build>,
    pub(super) product: Option<&'a Product>,
    /// The scripts that builds need.
    pub(super) before: &'a [String],
    /// The repository is one package without workspaces.
    pub(super) single: bool,
    /// Whether its manifest names something to import or to run.
    pub(super) has_entry: bool,
    pub(super) dependants: &'a [RepoPath],
}

/// Whether a workspace is an app or a library, and why, in words.
pub(super) fn choose_kind(path: &RepoPath, choice: &WorkspaceConfig, facts: &Facts<'_>) -> (Kind, String) {
    if choice.publish {
        return (Kind::App, "chosen in splitter.json".to_owned());
    }
    if let Some(kind) = choice.kind {
        return (kind, "set in splitter.json".to_owned());
    }
    if let Some(program) = facts.build.and_then(|build| build.foreign.as_ref()) {
        return (Kind::Library, format!("its build runs `{program}`, which builds no JavaScript"));
    }
    if path.is_root() && !facts.single {
        return (Kind::Library, "is the workspace root".to_owned());
    }
    let Some(product) = facts.product else {
        let lacks = advice::lacks(facts.manifest, choice);
        return (
            Kind::Library,
            if facts.before.is_empty() { lacks } else { format!("{lacks}; builds need its scripts") },
        );
    };
    let what = product.reason.as_str();
    if let Some(folder) = path.parent().parts().find(|part| APP_FOLDERS.contains(part)) {
        return (Kind::App, format!("{what} and is in {folder}/"));
    }
    if product.purpose == Purpose::Site && !facts.has_entry && !facts.dependants.is_empty() {
        return (Kind::App, format!("{what} and has nothing to import"));
    }
    match facts.dependants {
        [] => (Kind::App, format!("{what} and no workspace depends on it")),
        [one] => (Kind::Library, format!("{one} depends on it")),
        [first, rest @ ..] => (Kind::Library, format!("{first} and {} more depend on it", rest.len())),
    }
}
