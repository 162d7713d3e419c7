//! Builds traces with Nix.

use std::{collections::BTreeMap, ffi::OsString};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use super::{Bench, Note, Request, TraceError};
use crate::{
    nix::command::{Nix, NixError, Output},
    proof::{ProofError, State, evaluation::nix_value, scratch::Copy},
    split::{System, plan::Id},
};

/// A flake to build traces of.
pub(super) struct Runner {
    nix: Nix,
    flake: &'static str,
    system: System,
    is_full: bool,
    /// The copy, if the state has no folder.
    _copy: Option<Copy>,
}

/// What a traced build noted, and what the same build noted over the whole repository.
pub(super) struct Notes {
    pub(super) note: Note,
    pub(super) full: Option<Note>,
}

/// The outputs of a flake with builds, and what is in them.
const OUTPUTS: [&str; 3] = ["packages", "legacyPackages", "checks"];

impl Runner {
    pub(super) fn new(state: &State, bench: &Bench<'_>, request: &Request<'_>) -> Result<Self, TraceError> {
        let system = linux(state)?;
        let copy = if state.folder.is_some() {
            None
        } else {
            let mut files = state.derivations.files().clone();
            files.retain(|path, _| !bench.untracked.contains(path));
            Some(bench.scratch.copy(bench.name, state.tree.as_ref(), &files, bench.known)?)
        };
        let copied = copy.as_ref().map(Copy::root);
        let folder = state.folder.as_deref().or(copied).unwrap_or(Utf8Path::new("."));
        if !folder.join("flake.nix").is_file() {
            return Err(ProofError::NoFlake.into());
        }
        let options = request.options.iter().map(OsString::from).chain(["--no-write-lock-file".into()]);
        Ok(Self {
            nix: request.nix.clone().with_options(options).in_folder(folder),
            // In a temporary folder that belongs to a git repository, `.` would be that repository.
            flake: if copy.is_some() { "path:." } else { "." },
            system,
            is_full: request.is_full,
            _copy: copy,
        })
    }

    pub(super) fn system(&self) -> System {
        self.system
    }

    /// Evaluates the traces: for each build the output of its trace, and of the one over the whole repository if it is wanted.
    pub(super) fn outputs(&self, ids: &[Id]) -> Result<BTreeMap<Id, Vec<Output>>, TraceError> {
        let mut outputs = BTreeMap::new();
        for place in OUTPUTS {
            let here: Vec<&Id> = ids.iter().filter(|id| place_of(id).0 == place).collect();
            if !here.is_empty() {
                let names: Vec<&str> = here.iter().map(|id| place_of(id).1).collect();
                outputs.extend(here.into_iter().cloned().zip(self.evaluate(place, &names)?));
            }
        }
        let is_lacking = |id: &&Id| outputs.get(*id).is_none_or(Vec::is_empty);
        let lacking: Vec<String> = ids.iter().filter(is_lacking).map(Id::package).collect();
        if lacking.is_empty() { Ok(outputs) } else { Err(TraceError::NoTraces { names: lacking }) }
    }

    /// Builds traces. Returns the notes of each build.
    pub(super) fn build(
        &self,
        ids: &[&Id],
        outputs: &BTreeMap<Id, Vec<Output>>,
        watch: &mut dyn FnMut(&str),
    ) -> Result<Vec<Notes>, TraceError> {
        let wanted: Vec<&Vec<Output>> = ids.iter().filter_map(|id| outputs.get(*id)).collect();
        let all: Vec<Output> = wanted.iter().copied().flatten().cloned().collect();
        let paths = self.nix.build_outputs(&all, watch).map_err(|source| self.failed(source))?;
        let mut paths = paths.iter();
        let read = |path: &Utf8PathBuf| {
            let text = fs::read_to_string(path).map_err(ProofError::from)?;
            Note::parse(&text).ok_or_else(|| TraceError::Note { path: path.clone() })
        };
        let mut notes = Vec::new();
        for number in wanted.iter().map(|outputs| outputs.len()) {
            let of_build = paths.by_ref().take(number).map(read).collect::<Result<Vec<_>, _>>()?;
            let mut of_build = of_build.into_iter();
            let note = of_build.next().unwrap_or_default();
            notes.push(Notes { note, full: of_build.next() });
        }
        Ok(notes)
    }

    /// Returns the derivations of the traces of named builds: the trace, and the one over the whole repository if it is wanted.
    /// Nothing for a build that the flake does not have, or that has no trace.
    fn evaluate(&self, place: &str, names: &[&str]) -> Result<Vec<Vec<Output>>, TraceError> {
        let kinds = if self.is_full { "[ traced traced.full ]" } else { "[ traced ]" };
        // On one line, because it is part of the message if Nix fails.
        let apply = format!(
            "set: let builds = {}; in map (name: let traced = builds.${{name}}.traced; in \
             if builds ? ${{name}}.traced then map (found: found.drvPath) {kinds} else [ ]) {}",
            if place == "legacyPackages" { "set.libraries or { }" } else { "set" },
            nix_value(&Value::from(names))
        );
        let installable = format!("{}#{place}.{}", self.flake, self.system);
        let answer = self.nix.eval_json_applied(&installable, &apply).map_err(|source| self.failed(source))?;
        let output = |path: &Value| Some(Output { derivation: path.as_str()?.to_owned(), name: "out".to_owned() });
        let found = answer.as_array().into_iter().flatten();
        Ok(found.map(|paths| paths.as_array().into_iter().flatten().filter_map(output).collect()).collect())
    }

    fn failed(&self, source: NixError) -> TraceError {
        if System::of_this_machine().is_ok_and(|own| own.os() == "linux") {
            return source.into();
        }
        TraceError::NoLinuxBuilder { system: self.system, source }
    }
}

/// Returns the output of the flake that has a build, and the name of the build in it.
fn place_of(id: &Id) -> (&'static str, &str) {
    match id {
        Id::Library(name) => (OUTPUTS[1], name),
        Id::Check(name) => (OUTPUTS[2], name),
        Id::App(name) | Id::OwnInstall(name) | Id::RuntimeInstall(name, _) => (OUTPUTS[0], name),
        Id::Deps(_) | Id::NodeModules => (OUTPUTS[0], "nodeModules"),
    }
}

/// Returns the system to trace on: this machine's, or else a Linux with the same processor, which needs a builder.
fn linux(state: &State) -> Result<System, TraceError> {
    let own = state.system();
    let mut systems: Vec<System> = state.split.systems.iter().copied().filter(|found| found.os() == "linux").collect();
    systems.sort_by_key(|found| (*found != own, found.cpu() != own.cpu()));
    let names = || state.split.systems.iter().map(|system| system.name().to_owned()).collect();
    systems.first().copied().ok_or_else(|| TraceError::NoLinux { systems: names() })
}
