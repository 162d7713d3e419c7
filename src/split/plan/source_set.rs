//! The files of the repository that a build gets, and where each comes from.

use std::collections::BTreeSet;

use super::{Derivation, Derivations, Id, Input};
use crate::repo::{RepoPath, states::FileStates};

/// Files of a source set that it has for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePart<'a> {
    /// The reason.
    pub origin: Origin<'a>,
    /// The files, sorted.
    pub files: Vec<&'a RepoPath>,
}

/// Why files are in a source set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// They are in the workspace that is built.
    Own,
    /// They are in this workspace or linked folder, which it depends on.
    Folder(&'a RepoPath),
    /// A setting or a configuration names this file, folder or glob. `is_shared` if every build has it.
    RootFile {
        /// The file, folder or glob.
        path: &'a RepoPath,
        /// Whether every build has it.
        is_shared: bool,
    },
    /// They are files of tests, or root files, that a check reads.
    OfCheck,
}

impl Derivations {
    /// Returns the parts of the source set of a build. An install has none.
    pub fn source_parts<'a>(&'a self, derivation: &'a Derivation) -> Vec<SourcePart<'a>> {
        let Some(own) = &derivation.workspace else { return Vec::new() };
        let part = |origin, files: Option<&'a FileStates>| {
            let files = files.into_iter().flat_map(FileStates::keys).collect();
            SourcePart { origin, files }
        };
        let folders = derivation.parts.ones().filter_map(|number| self.parts.folders.get(number)).map(|folder| {
            let is_own = folder.path == *own;
            let files = if folder.is_closed && !is_own { &self.shown } else { &self.sources };
            let origin = if is_own { Origin::Own } else { Origin::Folder(&folder.path) };
            part(origin, files.get(&folder.path))
        });
        let root_files = derivation.root_files.ones().filter_map(|number| self.parts.root_files.get(number));
        let root_files = root_files.map(|file| {
            part(Origin::RootFile { path: &file.path, is_shared: file.is_shared }, self.root_files.get(&file.path))
        });
        let of_check = derivation.inputs.keys().filter_map(|input| match input {
            Input::File(path) => Some(path),
            _ => None,
        });
        let of_check = SourcePart { origin: Origin::OfCheck, files: of_check.collect() };
        folders.chain(root_files).chain([of_check]).filter(|part| !part.files.is_empty()).collect()
    }

    /// Returns the builds whose output this one gets, itself included.
    pub fn with_libraries(&self, id: &Id) -> BTreeSet<&Id> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Id> = self.all.get_key_value(id).map(|(id, _)| id).into_iter().collect();
        while let Some(id) = open.pop() {
            let Some(derivation) = self.all.get(id).filter(|_| found.insert(id)) else { continue };
            let libraries = derivation.libraries.ones().filter_map(|number| self.parts.libraries.get(number));
            open.extend(libraries.map(|library| &library.id));
        }
        found
    }
}
