//! What a traced build read, as a digest. If it is the same, a trace still tells the truth.

use std::collections::BTreeSet;

use crate::{
    names::NIX_FOLDER,
    repo::{RepoPath, states::FileKind},
    split::plan::{Derivations, Id},
};

/// Files of the flake that every build depends on.
const FLAKE: [&str; 2] = ["flake.nix", "flake.lock"];

/// Returns a digest of the sources of a build, of the builds whose output it gets, and of everything that decides how they are
/// built: the flake, the Nix files and the record. So a change of any dependency counts, which is more than needed.
pub fn digest(derivations: &Derivations, id: &Id) -> String {
    let files = derivations.files();
    let builds = derivations.with_libraries(id);
    let parts = builds.iter().filter_map(|id| derivations.get(id)).flat_map(|found| derivations.source_parts(found));
    let mut paths: BTreeSet<&RepoPath> = parts.flat_map(|part| part.files).collect();
    let is_common = |path: &&RepoPath| {
        FLAKE.contains(&path.as_str())
            || path.as_str().strip_prefix(NIX_FOLDER).is_some_and(|rest| rest.starts_with('/'))
    };
    paths.extend(files.keys().filter(is_common));
    let mut hasher = blake3::Hasher::new();
    for (path, state) in paths.into_iter().filter_map(|path| Some((path, files.get(path)?))) {
        let kind = match state.kind {
            FileKind::Plain => "plain",
            FileKind::Executable => "executable",
            FileKind::Link => "link",
            FileKind::Submodule => "submodule",
        };
        hasher.update(format!("{path}\0{kind}\0{}\0", state.content).as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
