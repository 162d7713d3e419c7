//! Reads the plans of images: from files, or from the flake, which Nix builds.

use camino::Utf8PathBuf;

use super::ImagesError;
use crate::{
    cli::{
        arguments::{Global, PlanOptions},
        failure::Failure,
        printer::Printer,
        repository::{state, work_tree},
        text::things,
    },
    closure::ClosureError,
    fetch::Environment,
    image::{Plan, Store, store::STORE_VARIABLE},
    nix::command::Nix,
    proof::ProofError,
    system::System,
};

/// Which images the user chose.
pub(super) struct Choice<'a> {
    pub(super) names: &'a [String],
    pub(super) files: &'a [Utf8PathBuf],
    pub(super) systems: &'a [System],
    pub(super) nix_options: &'a [String],
}

impl<'a> Choice<'a> {
    pub(super) fn of(options: &'a PlanOptions) -> Self {
        let PlanOptions { names, plan_files, systems, nix_options } = options;
        Self { names, files: plan_files, systems, nix_options }
    }
}

/// Returns the store that Nix uses on this machine.
pub(super) fn store() -> Result<Store, ImagesError> {
    match Environment::of_process().get(STORE_VARIABLE) {
        Some(folder) => Store::at(folder).ok_or_else(|| ImagesError::Store(folder.to_owned())),
        None => Ok(Store::default()),
    }
}

/// Reads the chosen plans. Builds them first unless files are given.
pub(super) fn read(
    global: &Global,
    choice: &Choice<'_>,
    store: &Store,
    printer: Printer,
) -> Result<Vec<Plan>, Failure> {
    let built;
    let files = if choice.files.is_empty() {
        built = build(global, choice, printer)?;
        &built
    } else {
        choice.files
    };
    let read =
        |path: &Utf8PathBuf| Plan::read(path, store).map_err(|source| ImagesError::Plan { path: path.clone(), source });
    Ok(files.iter().map(read).collect::<Result<_, _>>()?)
}

fn build(global: &Global, choice: &Choice<'_>, printer: Printer) -> Result<Vec<Utf8PathBuf>, Failure> {
    let nix = Nix::require()?;
    let tree = work_tree(global)?;
    let state = state(&tree)?;
    if !tree.root().join("flake.nix").is_file() {
        return Err(ClosureError::NoFlake { place: state.place }.into());
    }
    // Builds of a stale record fail, and Nix's message is long.
    if !state.is_recorded {
        return Err(ProofError::Stale.into());
    }
    let options = choice.nix_options.iter().cloned().chain(["--no-write-lock-file".to_owned()]);
    let nix = nix.with_options(options).in_folder(tree.root());
    let own = [state.system().linux()];
    let systems = if choice.systems.is_empty() { &own[..] } else { choice.systems };
    let mut installables = Vec::new();
    for system in systems {
        for name in names(&nix, *system, choice.names)? {
            installables.push(format!(".#legacyPackages.{system}.images.\"{name}\".plan"));
        }
    }
    printer.note(format_args!(
        "building the {} of {}",
        if installables.len() == 1 { "plan" } else { "plans" },
        things(installables.len(), "image")
    ));
    let installables: Vec<&str> = installables.iter().map(String::as_str).collect();
    Ok(nix.build_watched(&installables, &mut |line| tracing::debug!("{line}"))?)
}

/// Returns the chosen names, or those of all images of the flake.
fn names(nix: &Nix, system: System, chosen: &[String]) -> Result<Vec<String>, Failure> {
    let answer =
        nix.eval_json_applied(&format!(".#legacyPackages.{system}"), "p: builtins.attrNames (p.images or { })")?;
    let known: Vec<String> = serde_json::from_value(answer).map_err(|_| ImagesError::Answer)?;
    if let Some(name) = chosen.iter().find(|name| !known.contains(name)) {
        return Err(ImagesError::Unknown { name: name.clone(), known }.into());
    }
    if known.is_empty() {
        return Err(ImagesError::NoImages { system: system.to_string() }.into());
    }
    Ok(if chosen.is_empty() { known } else { chosen.to_vec() })
}
