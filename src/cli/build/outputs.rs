//! Builds outputs for other commands, with the progress of `splitter build`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Course, Lines, Live, Memory, Step, View, Why,
    evaluate::{Product, ids},
    names::Names,
    record,
};
use crate::{
    cli::{printer::Printer, recorder::Recorder},
    closure::Evaluated,
    history::Run,
    nix::command::{Nix, NixError, Output},
    proof::State,
    repo::{Git, WorkTree},
};

/// What is built, and how.
pub(in crate::cli) struct Building<'a> {
    pub(in crate::cli) nix: &'a Nix,
    pub(in crate::cli) tree: &'a WorkTree,
    pub(in crate::cli) state: &'a State,
    pub(in crate::cli) printer: Printer,
    pub(in crate::cli) is_verbose: bool,
    /// Why everything is built, instead of what changed since the last build.
    pub(in crate::cli) because: Option<&'static str>,
    /// The command that the history of builds gets, if what is built here is to be in it.
    pub(in crate::cli) recorded_as: Option<&'static str>,
}

/// What was built.
#[derive(Debug, Default)]
pub(in crate::cli) struct Built {
    /// The names of the builds that succeeded.
    pub(in crate::cli) names: Vec<String>,
    /// The names of the builds that failed, with the last lines of their logs.
    pub(in crate::cli) failed: Vec<(String, Vec<String>)>,
    /// The last lines of the log of each build that failed, by derivation.
    pub(in crate::cli) logs: BTreeMap<String, Vec<String>>,
    /// The store paths that came from caches.
    pub(in crate::cli) fetched: usize,
    /// The error of Nix, if there was one.
    pub(in crate::cli) error: Option<NixError>,
}

/// The number of lines of the log of a failed build.
const LINES: usize = 10;

impl Building<'_> {
    /// Builds outputs, each with the name of its package, and goes on when one fails. Passes the derivation of each build that
    /// succeeded to `ended` while others run.
    pub(in crate::cli) fn outputs(&self, outputs: &[(String, Output)], ended: &mut dyn FnMut(&str)) -> Built {
        let ids = ids(self.state);
        let product = |(name, output): &(String, Output)| Product {
            name: name.clone(),
            id: ids.get(name).cloned(),
            evaluated: Evaluated { output: output.clone(), path: "".into() },
        };
        let products: Vec<Product> = outputs.iter().map(product).collect();
        let git = Git::at(self.tree.root());
        let memory = Memory::of(self.tree.root());
        let why = self.because.map_or_else(|| Why::of(self.state, &memory, &git, &products), Why::said);
        let recorder = self.recorded_as.map(|command| Recorder::start(command, self.tree, &git));
        let (course, error) = self.watched(&products, &memory, &why, &["--no-link"], ended);
        if let Some(recorder) = recorder {
            recorder.add(|run| Run { is_success: error.is_none(), ..record::of_course(run, &course, &why) });
        }
        let last = |log: &std::collections::VecDeque<String>| {
            log.iter().skip(log.len().saturating_sub(LINES)).cloned().collect()
        };
        let (failed, built): (Vec<_>, Vec<_>) = course.ended.iter().partition(|build| build.failed);
        let logs = failed.iter().map(|build| (build.derivation.clone(), last(&build.log))).collect();
        Built {
            logs,
            names: built.into_iter().filter(|build| !build.stopped).map(|build| build.name.clone()).collect(),
            failed: failed.into_iter().map(|build| (build.name.clone(), last(&build.log))).collect(),
            fetched: course.fetched.values().map(BTreeSet::len).sum(),
            error,
        }
    }

    /// Builds products and shows what happens.
    pub(super) fn watched(
        &self,
        products: &[Product],
        memory: &Memory,
        why: &Why,
        links: &[&str],
        ended: &mut dyn FnMut(&str),
    ) -> (Course, Option<NixError>) {
        let mut names = Names::of(&self.state.split, &self.state.derivations);
        for product in products {
            if let Some(id) = &product.id {
                names.add(&product.evaluated.output.derivation, id.clone());
            }
        }
        let mut course = Course::new(names);
        let wanted: BTreeSet<_> = products.iter().filter_map(|product| product.id.clone()).collect();
        let mut view: Box<dyn View> = if self.printer.draws_progress() && !self.is_verbose {
            Box::new(Live::new(self.printer, why, memory, &self.state.derivations, wanted))
        } else {
            Box::new(Lines::new(self.printer, why, self.is_verbose))
        };
        let outputs: Vec<_> = products.iter().map(|product| product.evaluated.output.clone()).collect();
        let links: Vec<String> = links.iter().map(|&link| link.to_owned()).collect();
        let mut show = |course: &Course, step: Step<'_>| {
            if let Step::Ended(build) = &step
                && !build.failed
                && !build.stopped
            {
                ended(&build.derivation);
            }
            view.show(course, &step);
        };
        let result = self.nix.build_products(&outputs, &links, &mut |event| course.take(event, &mut show));
        drop(view);
        course.settle(result.is_ok());
        (course, result.err())
    }
}
