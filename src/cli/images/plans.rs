//! Reads the plans of images: from files, or from the flake of a state of the repository, which Nix builds.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::ImagesError;
use crate::{
    cli::{
        arguments::{Global, PlanOptions},
        failure::Failure,
        printer::Printer,
        recorder::Recorder,
        repository::{state, work_tree},
        text::things,
    },
    closure::ClosureError,
    fetch::Environment,
    history::{self, Run},
    image::{Plan, Store, plan::Layer, store::STORE_VARIABLE},
    nix::command::{Nix, NixError},
    proof::{Place, ProofError, State, scratch::Scratch},
    repo::Git,
    split::plan::Id,
    system::System,
};

/// Which images the user chose.
pub(super) struct Choice<'a> {
    pub(super) names: &'a [String],
    pub(super) files: &'a [Utf8PathBuf],
    pub(super) systems: &'a [System],
    pub(super) nix_options: &'a [String],
    /// The command that they are for. Without names, an image of its name makes it ambiguous.
    pub(super) command: Option<&'static str>,
}

impl<'a> Choice<'a> {
    /// Returns what a push sends.
    pub(super) fn of_push(options: &'a PlanOptions) -> Self {
        let PlanOptions { names, plan_files, systems, nix_options } = options;
        Self { names, files: plan_files, systems, nix_options, command: Some("push") }
    }
}

/// A plan, and what the repository says of it.
pub(super) struct Image {
    pub(super) plan: Plan,
    /// The name in the flake. A plan from a file has none.
    pub(super) name: Option<String>,
    /// The largest size that `splitter.json` allows, in bytes.
    pub(super) budget: Option<u64>,
}

/// Returns the plans without the rest.
pub(super) fn plans(images: &[Image]) -> Vec<Plan> {
    images.iter().map(|image| image.plan.clone()).collect()
}

/// Returns the store that Nix uses on this machine.
pub(super) fn store() -> Result<Store, ImagesError> {
    match Environment::of_process().get(STORE_VARIABLE) {
        Some(folder) => Store::at(folder).ok_or_else(|| ImagesError::Store(folder.to_owned())),
        None => Ok(Store::default()),
    }
}

/// Reads the chosen images. Builds their plans in the working tree first, unless files are given.
pub(super) fn read(
    global: &Global,
    choice: &Choice<'_>,
    store: &Store,
    printer: Printer,
) -> Result<Vec<Image>, Failure> {
    if !choice.files.is_empty() {
        let image = |path| Ok(Image { plan: read_plan(path, store)?, name: None, budget: None });
        return choice.files.iter().map(image).collect();
    }
    let builder = Builder::new(choice, store, printer)?;
    let tree = work_tree(global)?;
    let (git, state) = (Git::at(tree.root()), state(&tree)?);
    let source = Source::work_tree(&state, tree.root())?;
    let names = builder.names(&[&source])?;
    let is_command = |name: &str| choice.names.is_empty() && choice.command == Some(name);
    if let Some((_, name)) = names.iter().find(|(_, name)| is_command(name)) {
        return Err(ImagesError::NamedAsCommand(name.clone()).into());
    }
    let recorder = Recorder::start("images", &tree, &git);
    let images = builder.build(&source, &names)?;
    recorder.add(|run| Run { images: images.iter().map(recorded).collect(), is_success: true, ..run });
    Ok(images)
}

/// What the history keeps of an image.
fn recorded(image: &Image) -> history::Image {
    let layer = |layer: &Layer| history::Layer { name: layer.name.clone(), size: layer.size() };
    let Plan { name, platform, layers, .. } = &image.plan;
    history::Image { name: name.clone(), platform: platform.to_string(), layers: layers.iter().map(layer).collect() }
}

fn read_plan(path: &Utf8PathBuf, store: &Store) -> Result<Plan, Failure> {
    Ok(Plan::read(path, store).map_err(|source| ImagesError::Plan { path: path.clone(), source })?)
}

/// A state of the repository in a folder, where Nix builds it.
pub(super) struct Source<'a> {
    state: &'a State,
    folder: Utf8PathBuf,
    /// How Nix names the flake in the folder.
    flake: &'static str,
}

impl<'a> Source<'a> {
    pub(super) fn work_tree(state: &'a State, folder: &Utf8Path) -> Result<Self, Failure> {
        Self { state, folder: folder.to_owned(), flake: "." }.checked()
    }

    /// Copies a state to a folder. Files that are the same in `known` are linked to it.
    pub(super) fn copied(
        state: &'a State,
        scratch: &Scratch,
        name: &str,
        known: Option<(&Utf8Path, &State)>,
    ) -> Result<Self, Failure> {
        let known = known.map(|(folder, state)| (folder, state.derivations.files()));
        let copy = scratch.copy(name, state.tree.as_ref(), state.derivations.files(), known)?;
        // In a temporary folder that belongs to a git repository, `.` would be that repository.
        Self { state, folder: copy.root().to_owned(), flake: "path:." }.checked()
    }

    fn checked(self) -> Result<Self, Failure> {
        let place = &self.state.place;
        if !self.folder.join("flake.nix").is_file() {
            return Err(ClosureError::NoFlake { place: place.clone() }.into());
        }
        // Builds of a stale record fail, and Nix's message is long.
        match place {
            _ if self.state.is_recorded => Ok(self),
            Place::WorkTree => Err(ProofError::Stale.into()),
            place => Err(ImagesError::StaleCommit(place.clone()).into()),
        }
    }

    fn failed(&self, source: NixError) -> Failure {
        match &self.state.place {
            Place::WorkTree => source.into(),
            place => ClosureError::Nix { place: place.clone(), source: Box::new(source) }.into(),
        }
    }
}

/// Builds plans.
pub(super) struct Builder<'a> {
    nix: Nix,
    choice: &'a Choice<'a>,
    store: &'a Store,
    printer: Printer,
}

impl<'a> Builder<'a> {
    pub(super) fn new(choice: &'a Choice<'a>, store: &'a Store, printer: Printer) -> Result<Self, Failure> {
        let options = choice.nix_options.iter().cloned().chain(["--no-write-lock-file".to_owned()]);
        Ok(Self { nix: Nix::require()?.with_options(options), choice, store, printer })
    }

    /// Returns the chosen images, which at least one of these states must have.
    pub(super) fn names(&self, sources: &[&Source<'_>]) -> Result<BTreeSet<(System, String)>, Failure> {
        let own: Vec<System> = sources.iter().take(1).map(|source| source.state.system().linux()).collect();
        let systems = if self.choice.systems.is_empty() { &own[..] } else { self.choice.systems };
        let mut chosen = BTreeSet::new();
        for system in systems {
            let mut known = BTreeSet::new();
            for source in sources {
                known.extend(self.known(source, *system)?);
            }
            if let Some(name) = self.choice.names.iter().find(|name| !known.contains(*name)) {
                let known = known.into_iter().collect();
                return Err(ImagesError::Unknown { name: name.clone(), known }.into());
            }
            if known.is_empty() {
                return Err(ImagesError::NoImages { system: system.to_string() }.into());
            }
            let is_chosen = |name: &String| self.choice.names.is_empty() || self.choice.names.contains(name);
            chosen.extend(known.into_iter().filter(is_chosen).map(|name| (*system, name)));
        }
        Ok(chosen)
    }

    fn known(&self, source: &Source<'_>, system: System) -> Result<BTreeSet<String>, Failure> {
        let place = format!("{}#legacyPackages.{system}", source.flake);
        let nix = self.nix.clone().in_folder(&source.folder);
        let answer = nix.eval_json_applied(&place, "p: builtins.attrNames (p.images or { })");
        let answer = answer.map_err(|error| source.failed(error))?;
        Ok(serde_json::from_value(answer).map_err(|_| ImagesError::Answer)?)
    }

    /// Builds the plans of those images that the state has.
    pub(super) fn build(
        &self,
        source: &Source<'_>,
        chosen: &BTreeSet<(System, String)>,
    ) -> Result<Vec<Image>, Failure> {
        let mut names = Vec::new();
        for system in chosen.iter().map(|(system, _)| *system).collect::<BTreeSet<_>>() {
            let known = self.known(source, system)?;
            names.extend(chosen.iter().filter(|(of, name)| *of == system && known.contains(name)));
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let installable = |(system, name): &&(System, String)| {
            format!("{}#legacyPackages.{system}.images.\"{name}\".plan", source.flake)
        };
        let installables: Vec<String> = names.iter().map(installable).collect();
        let installables: Vec<&str> = installables.iter().map(String::as_str).collect();
        let plans = if names.len() == 1 { "plan" } else { "plans" };
        let place = match &source.state.place {
            Place::WorkTree => String::new(),
            place => format!(" in {place}"),
        };
        self.printer.note(format_args!("building the {plans} of {}{place}", things(names.len(), "image")));
        let nix = self.nix.clone().in_folder(&source.folder);
        let files = nix.build_watched(&installables, &mut |line| tracing::debug!("{line}"));
        let files = files.map_err(|error| source.failed(error))?;
        if files.len() != names.len() {
            return Err(ImagesError::Answer.into());
        }
        let image = |((_, name), file): (&(System, String), &Utf8PathBuf)| {
            let workspace = source.state.derivations.get(&Id::App(name.clone())).and_then(|app| app.workspace.as_ref());
            let budget = source.state.split.config.image_budget_of(workspace);
            Ok(Image { plan: read_plan(file, self.store)?, name: Some(name.clone()), budget })
        };
        names.into_iter().zip(&files).map(image).collect()
    }
}
