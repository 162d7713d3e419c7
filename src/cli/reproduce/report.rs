//! The result: what became of each derivation that was built twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ReproduceError,
    conditions::Conditions,
    diffoscope,
    images::ImageRow,
    stores::{Session, Store, Valid},
    targets::{Target, Targets, known_globs},
};
use crate::{
    cli::{build::Built, failure::Failure},
    nix::command::Output,
    reproduce::{Difference, compare, known::Known},
    split::System,
};

/// What became of a derivation.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Both builds are the same.
    Same,
    /// They differ.
    Differs,
    /// A build failed: the first, the second or both.
    Failed { which: &'static str, log: Vec<String> },
    /// It needs a build that failed.
    NotBuilt,
}

/// An output in both stores.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) paths: [String; 2],
    pub(super) valid: [Valid; 2],
    /// The files that differ, each with the globs of `splitter.json` that allow it.
    pub(super) differences: Vec<Row>,
    pub(super) more: usize,
    pub(super) files: usize,
}

/// A file that differs.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) difference: Difference,
    pub(super) known: Option<Vec<String>>,
    pub(super) diffoscope: Option<String>,
}

/// A derivation.
#[derive(Debug)]
pub(super) struct Result {
    pub(super) target: Target,
    pub(super) outcome: Outcome,
    pub(super) outputs: Vec<Compared>,
    /// The targets that differ and that it is built from.
    pub(super) follows: Vec<String>,
    /// The globs of `splitter.json` for it that allow nothing.
    pub(super) unused: Vec<String>,
}

impl Result {
    /// Whether both builds are the same, apart from known differences.
    pub(super) fn is_reproducible(&self) -> bool {
        match self.outcome {
            Outcome::Same => true,
            Outcome::Differs => self
                .outputs
                .iter()
                .all(|output| output.more == 0 && output.differences.iter().all(|row| row.known.is_some())),
            Outcome::Failed { .. } | Outcome::NotBuilt => false,
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.outputs.iter().flat_map(|output| &output.differences)
    }
}

/// The whole result.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) system: System,
    pub(super) conditions: [Conditions; 2],
    pub(super) has_sandbox: bool,
    pub(super) results: Vec<Result>,
    pub(super) images: Vec<ImageRow>,
}

impl Report {
    pub(super) fn is_reproducible(&self) -> bool {
        self.results.iter().all(Result::is_reproducible) && self.images.iter().all(ImageRow::is_allowed)
    }
}

/// Compares all targets in both stores.
pub(super) fn results(
    session: &Session<'_>,
    stores: &[Store; 2],
    targets: &Targets,
    built: &[Built; 2],
) -> std::result::Result<Vec<Result>, Failure> {
    let mut results: Vec<Result> = Vec::new();
    for target in &targets.all {
        let (outputs, outcome) = one(session, stores, target, built)?;
        let known = Known::new(known_globs(session.state, &target.name));
        let mut used = BTreeSet::new();
        let mut compared = Vec::new();
        for mut output in outputs {
            for row in &mut output.differences {
                row.known = known.allows(&row.difference).map(|globs| globs.into_iter().map(str::to_owned).collect());
                used.extend(row.known.iter().flatten().cloned());
            }
            compared.push(output);
        }
        let own = session.state.split.config.known_differences.get(&target.name).into_iter().flatten();
        let is_built = matches!(outcome, Outcome::Same | Outcome::Differs);
        let unused = own.filter(|glob| is_built && !used.contains(*glob)).cloned().collect();
        let differs =
            |other: &&Result| matches!(other.outcome, Outcome::Differs) && target.needs.contains(&other.target.name);
        let follows = if matches!(outcome, Outcome::Differs) {
            results.iter().filter(differs).map(|other| other.target.name.clone()).collect()
        } else {
            Vec::new()
        };
        results.push(Result { target: target.clone(), outcome, outputs: compared, follows, unused });
    }
    Ok(results)
}

/// Compares the outputs of a derivation.
fn one(
    session: &Session<'_>,
    stores: &[Store; 2],
    target: &Target,
    built: &[Built; 2],
) -> std::result::Result<(Vec<Compared>, Outcome), Failure> {
    let mut outputs = Vec::new();
    for (name, path) in &target.outputs {
        let Some(paths) = paths(session, stores, target, name, path.as_ref()) else { continue };
        let valid = |number: usize| -> std::result::Result<Option<Valid>, Failure> {
            Ok(stores[number].valid(session.nix, &[&paths[number]])?.into_iter().next().flatten())
        };
        if let (Some(first), Some(second)) = (valid(0)?, valid(1)?) {
            outputs.push(compared(stores, name, paths, [first, second], &target.name)?);
        }
    }
    if outputs.is_empty() {
        return Ok((outputs, failed(target, built)));
    }
    let is_same = outputs.iter().all(|output| output.valid[0].hash == output.valid[1].hash);
    Ok((outputs, if is_same { Outcome::Same } else { Outcome::Differs }))
}

/// Returns the paths of an output in both stores. Only a build tells the path of a content-addressed one.
fn paths(
    session: &Session<'_>,
    stores: &[Store; 2],
    target: &Target,
    name: &str,
    path: Option<&String>,
) -> Option<[String; 2]> {
    if let Some(path) = path {
        return Some([path.clone(), path.clone()]);
    }
    let output = Output { derivation: target.derivation.clone(), name: name.to_owned() };
    let [first, second] = stores.each_ref().map(|store| session.path_of(store, &output));
    Some([first?, second?])
}

fn failed(target: &Target, built: &[Built; 2]) -> Outcome {
    let logs: Vec<Option<&Vec<String>>> = built.iter().map(|built| built.logs.get(&target.derivation)).collect();
    let (which, log) = match logs.as_slice() {
        [Some(log), Some(_)] => ("both", log),
        [Some(log), _] => ("first", log),
        [_, Some(log)] => ("second", log),
        _ => return Outcome::NotBuilt,
    };
    Outcome::Failed { which, log: (*log).clone() }
}

fn compared(
    stores: &[Store; 2],
    name: &str,
    paths: [String; 2],
    valid: [Valid; 2],
    target: &str,
) -> std::result::Result<Compared, ReproduceError> {
    let mut output = Compared { name: name.to_owned(), paths, valid, differences: Vec::new(), more: 0, files: 0 };
    if output.valid[0].hash == output.valid[1].hash {
        return Ok(output);
    }
    let [first, second] = [0, 1].map(|number: usize| stores[number].on_disk(&output.paths[number]));
    let trees = compare(first.as_std_path(), second.as_std_path())
        .map_err(|source| ReproduceError::Compare { name: target.to_owned(), source })?;
    (output.more, output.files) = (trees.more, trees.files);
    let mut reports = diffoscope::Reports::default();
    let row = |difference: Difference| {
        let diffoscope = reports.of(&first, &second, &difference);
        Row { difference, known: None, diffoscope }
    };
    output.differences = trees.differences.into_iter().map(row).collect();
    Ok(output)
}

/// Counts the causes of the differences that are not known, the most frequent first.
pub(super) fn causes(result: &Result) -> Vec<(&'static crate::reproduce::Cause, usize)> {
    let mut counts: BTreeMap<&str, (&'static crate::reproduce::Cause, usize)> = BTreeMap::new();
    for row in result.rows().filter(|row| row.known.is_none()) {
        let causes: BTreeMap<&str, &'static crate::reproduce::Cause> = row
            .difference
            .details
            .iter()
            .filter_map(|detail| detail.cause)
            .chain(row.difference.cause)
            .map(|cause| (cause.id.as_str(), cause))
            .collect();
        for (id, cause) in causes {
            counts.entry(id).or_insert((cause, 0)).1 += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_values().collect();
    counts.sort_by(|a, b| (b.1, &a.0.id).cmp(&(a.1, &b.0.id)));
    counts
}
