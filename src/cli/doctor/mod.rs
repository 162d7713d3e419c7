//! `splitter doctor`: finds what slows builds down or makes them fail, on this machine and in this repository.

mod json;
mod show;

use camino::Utf8PathBuf;

use super::{
    arguments::{DoctorOptions, Global},
    failure::{Failure, Outcome},
    printer::Printer,
};
use crate::{
    diagnostic::{Category, Diagnose},
    doctor::{self, Examination, Report, Symptom},
    nix::{command::NIX_VARIABLE, settings::Version},
    repo::{WorkTree, WorkTreeError},
};

/// What was examined, and with which result.
struct Shown {
    report: Report,
    /// The repository, if there is one.
    root: Option<Utf8PathBuf>,
    /// The version of Nix, if it is known.
    nix: Option<Version>,
    symptom: Option<Symptom>,
    /// Whether checks without a finding are listed too.
    lists_all: bool,
}

/// Nix is installed, and gives no answer.
#[derive(Debug, thiserror::Error)]
#[error("nothing is known of the installed Nix: {0}")]
struct Blind(doctor::NoAnswer);

impl Diagnose for Blind {
    fn category(&self) -> Category {
        Category::Environment
    }

    fn hints(&self) -> Vec<String> {
        vec![
            "run `nix --version` and `nix config show` yourself to see what happens".to_owned(),
            format!("or set {NIX_VARIABLE} to the path of another nix"),
        ]
    }
}

pub(super) fn run(global: &Global, options: &DoctorOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = repository(global)?;
    let Examination { mut report, nix, blind } = doctor::examine(tree.as_ref(), options.offline)?;
    let symptom = options.symptom.map(Symptom::from);
    if let Some(symptom) = symptom {
        report.keep(symptom);
    }
    let is_well = !report.has_problems();
    let root = tree.map(|tree| tree.root().to_owned());
    let shown = Shown { report, root, nix, symptom, lists_all: global.verbose > 0 || symptom.is_some() };
    if options.json {
        printer.json(&json::report(&shown));
    } else {
        show::print(&shown, printer);
    }
    match blind {
        Some(reason) => Err(Blind(reason).into()),
        None => Ok(Outcome::verdict(is_well, true)),
    }
}

/// Returns the repository that contains `--repo` or the current folder, if there is one.
fn repository(global: &Global) -> Result<Option<WorkTree>, Failure> {
    match WorkTree::discover(global.repo.as_deref().unwrap_or(".".into())) {
        Ok(tree) => Ok(Some(tree)),
        Err(WorkTreeError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
