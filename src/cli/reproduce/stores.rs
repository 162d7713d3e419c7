//! The two stores: each has what the builds need, and nothing that they build.

use std::{
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    ReproduceError,
    conditions::{Conditions, PAUSE, on_cores},
};
use crate::{
    cli::{
        build::{Building, Built},
        printer::Printer,
    },
    closure::{base_name, path_info},
    ending::Folder,
    fetch::{Cache, Environment},
    nix::command::{Nix, NixError, Output},
    proof::State,
    repo::WorkTree,
};

/// The start of the names of the folders.
const PREFIX: &str = "splitter-reproduce-";
/// The store of this machine, as a cache. Its paths need no signature, because this user built or fetched them.
const OWN_STORE: &str = "auto?trusted=true";
/// Where a chroot store keeps its store paths.
const INNER: &str = "nix/store";

/// One of the two stores.
#[derive(Debug)]
pub(super) struct Store {
    /// It is removed with this.
    _folder: Folder,
    root: Utf8PathBuf,
}

/// What all calls share.
pub(super) struct Session<'a> {
    pub(super) nix: &'a Nix,
    pub(super) tree: &'a WorkTree,
    pub(super) state: &'a State,
    pub(super) printer: Printer,
    pub(super) is_verbose: bool,
    pub(super) has_sandbox: bool,
}

/// A valid path of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Valid {
    pub(super) hash: String,
    pub(super) size: u64,
}

impl Store {
    /// Creates an empty store. The path of the second one is longer.
    pub(super) fn new(parent: Option<&Utf8Path>, inside: &str) -> Result<Self, ReproduceError> {
        let parent = match parent {
            Some(parent) => camino::absolute_utf8(parent).map_err(ReproduceError::Folder)?,
            // The temporary folder may be in memory, and stores are large.
            None => Cache::default_root(&Environment::of_process())?,
        };
        fs_err::create_dir_all(&parent).map_err(ReproduceError::Folder)?;
        // Nix refuses a store behind a link.
        let parent = parent.canonicalize_utf8().map_err(ReproduceError::Folder)?;
        let folder = Folder::without_leftovers(PREFIX, parent.as_std_path()).map_err(ReproduceError::Folder)?;
        let root = Utf8Path::from_path(folder.path()).unwrap_or(&parent).join(inside);
        fs_err::create_dir_all(&root).map_err(ReproduceError::Folder)?;
        Ok(Self { _folder: folder, root })
    }

    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns where a store path is on the disk.
    pub(super) fn on_disk(&self, path: &str) -> Utf8PathBuf {
        self.folder().join(base_name(path))
    }

    /// Returns the folder of all store paths on the disk.
    pub(super) fn folder(&self) -> Utf8PathBuf {
        self.root.join(INNER)
    }

    /// Returns whether a store path is there, with its hash and size.
    pub(super) fn valid(&self, nix: &Nix, paths: &[&str]) -> Result<Vec<Option<Valid>>, NixError> {
        let mut known = path_info::Items::new();
        for answer in nix.infos(Some(self.root.as_str()), paths)? {
            known.extend(path_info::parse(&answer).unwrap_or_default());
        }
        let valid =
            |path: &&str| known.get(base_name(path)).map(|item| Valid { hash: item.hash.clone(), size: item.size });
        Ok(paths.iter().map(valid).collect())
    }
}

impl Session<'_> {
    /// Gets what the builds need: from `more` stores, from the store of this machine, or from caches. What none has is built.
    pub(super) fn fill(&self, store: &Store, inputs: &[Output], more: Option<&Store>) -> Built {
        let others = more.map(|store| format!("{}?trusted=true ", store.root)).unwrap_or_default();
        let options = ["--extra-substituters".to_owned(), format!("{others}{OWN_STORE}")];
        let nix = self.nix_of(store).with_options(options);
        let outputs: Vec<(String, Output)> = inputs
            .iter()
            .map(|output| (crate::nix::command::log::name_of(&output.derivation).to_owned(), output.clone()))
            .collect();
        self.building(&nix, "the builds need it").outputs(&outputs, &mut |_| {})
    }

    /// Builds in a store. Nothing comes from caches.
    pub(super) fn build(
        &self,
        store: &Store,
        conditions: Conditions,
        outputs: &[(String, Output)],
        because: &'static str,
    ) -> Built {
        let mut options = vec!["--option", "substitute", "false"];
        let cores = conditions.cores.to_string();
        options.extend(["--option", "cores", &cores]);
        if self.has_sandbox {
            options.extend(["--option", "sandbox-build-dir", conditions.folder]);
        }
        let nix = self.nix_of(store).with_options(options);
        let building = self.building(&nix, because);
        on_cores(conditions.cores, || building.outputs(outputs, &mut |_| {}))
    }

    /// Returns the path of an output that was built in a store.
    pub(super) fn path_of(&self, store: &Store, output: &Output) -> Option<String> {
        let nix = self.nix_of(store).with_options(["--option", "substitute", "false"]);
        let paths = nix.build_outputs(std::slice::from_ref(output), &mut |_| {}).ok()?;
        paths.into_iter().next().map(Utf8PathBuf::into_string)
    }

    /// Returns a Nix that works in a store, alone: no other machine builds, no hook sees the results, nothing is collected.
    fn nix_of(&self, store: &Store) -> Nix {
        let alone = ["--option", "builders", "", "--option", "post-build-hook", "", "--option", "min-free", "0"];
        let nix = self.nix.clone().with_options(["--store", store.root.as_str(), "--eval-store", "auto"]);
        nix.with_options(alone)
    }

    fn building<'n>(&'n self, nix: &'n Nix, because: &'static str) -> Building<'n> {
        let Self { tree, state, printer, is_verbose, .. } = self;
        Building {
            nix,
            tree,
            state,
            printer: *printer,
            is_verbose: *is_verbose,
            because: Some(because),
            recorded_as: None,
        }
    }
}

/// Waits until times of the second build differ from those of the first.
pub(super) fn pause(since: Instant) {
    thread::sleep(PAUSE.saturating_sub(since.elapsed()).min(Duration::from_secs(10)));
}
