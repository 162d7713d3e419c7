//! `splitter build`: builds packages with Nix, says why each is built, and what to change where a build fails.

mod course;
mod error;
mod estimate;
mod evaluate;
mod failure;
mod fix;
mod json;
mod lines;
mod live;
mod memory;
mod names;
mod outputs;
mod record;
mod report;
mod show;
mod transfers;
mod why;

use self::{
    course::{Course, Step},
    error::BuildError,
    failure::FailedBuild,
    fix::Fixes,
    lines::Lines,
    live::Live,
    memory::Memory,
    report::Report,
    why::Why,
};
pub(super) use self::{
    evaluate::{Product, ids, named, products},
    names::Names,
    outputs::{Building, Built},
};
use super::{
    arguments::{BuildOptions, Global},
    failure::{Failure, Outcome},
    printer::Printer,
    recorder::Recorder,
    repository::{recovered, state, work_tree},
};
use crate::{
    closure::ClosureError,
    nix::command::{Nix, NixError},
    proof::{ProofError, State},
    repo::{Git, WorkTree},
};

/// Rounds of `--fix`. Each adds a line, so a repository that needs more has another fault.
const ROUNDS: usize = 20;

/// A run of the command.
struct Run<'a> {
    nix: Nix,
    tree: WorkTree,
    git: Git,
    options: &'a BuildOptions,
    is_verbose: bool,
    printer: Printer,
}

pub(super) fn run(global: &Global, options: &BuildOptions, printer: Printer) -> Result<Outcome, Failure> {
    let nix = Nix::require()?;
    let tree = if options.fix { recovered(global, printer)? } else { work_tree(global)? };
    let nix_options = options.nix_options.iter().cloned().chain(["--no-write-lock-file".to_owned()]);
    let nix = nix.with_options(nix_options).in_folder(tree.root());
    let git = Git::at(tree.root());
    let run = Run { nix, tree, git, options, is_verbose: global.verbose > 0, printer };
    let mut fixes = Fixes::default();
    let mut rounds = 1;
    let report = loop {
        let mut report = run.round(&mut fixes)?;
        if !options.fix || report.failed.is_empty() || rounds == ROUNDS || !fixes.mend(&run, &mut report)? {
            break report;
        }
        rounds += 1;
    };
    if options.json {
        printer.json(&json::render(&report, &fixes));
    } else {
        show::print(&report, &fixes, &run);
    }
    Ok(if report.is_built() { Outcome::Done } else { Outcome::Difference })
}

/// Returns the state of a repository that Nix can build: with a fresh record, and with files that git tracks.
pub(super) fn buildable_state(tree: &WorkTree) -> Result<State, Failure> {
    let state = state(tree)?;
    if !state.is_recorded {
        return Err(ProofError::Stale.into());
    }
    if !tree.root().join("flake.nix").is_file() {
        return Err(ClosureError::NoFlake { place: state.place }.into());
    }
    let files = super::init::untracked_files(tree.root());
    if files.is_empty() { Ok(state) } else { Err(BuildError::Untracked { files }.into()) }
}

impl Run<'_> {
    /// Builds once.
    fn round(&self, fixes: &mut Fixes) -> Result<Report, Failure> {
        let state = self.recorded_state()?;
        if !self.tree.root().join("flake.nix").is_file() {
            return Err(ClosureError::NoFlake { place: state.place }.into());
        }
        self.refuse_untracked(fixes)?;
        let recorder = Recorder::start("build", &self.tree, &self.git);
        let mut products = products(&self.nix, &state, &self.options.names)?;
        let evaluation = recorder.elapsed();
        // Nix numbers the links in this order.
        products.sort_by(|a, b| a.name.cmp(&b.name));
        let mut memory = Memory::of(self.tree.root());
        let why = Why::of(&state, &memory, &self.git, &products);
        let (course, error) = self.build(&state, &products, &memory, &why);
        for build in course.ended.iter().filter(|build| !build.failed) {
            if let (Some(_), Some(took)) = (&build.id, build.took) {
                memory.took(&build.name, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            }
        }
        let report = Report::of(self, &state, &products, &course, error, &why)?;
        memory.keep(&self.git, &state, report.built().map(|row| row.name.clone()));
        memory.write();
        recorder.add(|run| {
            let run = record::of_course(run, &course, &why);
            record::of_report(run, &report, evaluation, &self.nix)
        });
        Ok(report)
    }

    /// Reads the repository. Nix builds what the record says, so it must be fresh.
    fn recorded_state(&self) -> Result<State, Failure> {
        let found = state(&self.tree)?;
        if found.is_recorded {
            return Ok(found);
        }
        if !self.options.fix || found.has_no_record {
            return Err(ProofError::Stale.into());
        }
        fix::update_record(self)?;
        Ok(state(&self.tree)?)
    }

    /// A flake sees only files that git tracks. Without them Nix says that the flake does not exist.
    fn refuse_untracked(&self, fixes: &mut Fixes) -> Result<(), Failure> {
        let unseen = super::init::untracked_files(self.tree.root());
        if unseen.is_empty() {
            return Ok(());
        }
        if self.options.fix {
            return fixes.track(self, &unseen);
        }
        Err(BuildError::Untracked { files: unseen }.into())
    }

    fn build(&self, state: &State, products: &[Product], memory: &Memory, why: &Why) -> (Course, Option<NixError>) {
        let (tree, printer, is_verbose) = (&self.tree, self.printer, self.is_verbose);
        let building = Building { nix: &self.nix, tree, state, printer, is_verbose, because: None, recorded_as: None };
        let links: &[&str] = if self.options.no_link { &["--no-link"] } else { &[] };
        building.watched(products, memory, why, links, &mut |_| {})
    }
}

/// Shows what happens while it happens.
trait View {
    fn show(&mut self, course: &Course, step: &Step<'_>);
}
