//! The report: data with a version, which JSON writes as it is, and which the other files show.

mod html;
mod markdown;
mod svg;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::{
    html::html,
    markdown::markdown,
    svg::svg,
    words::{date, table},
};
use super::{
    Scenario, Side,
    log::{Sample, Work},
    plan::Run,
    statistics::Spread,
};

/// Changes with the form of the JSON.
const VERSION: u8 = 1;

/// Everything that a bench found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form.
    pub version: u8,
    /// The repository.
    pub repository: Repository,
    /// The machine.
    pub machine: Machine,
    /// The command that repeats this.
    pub command: String,
    /// The day, such as `2026-11-30`.
    pub date: String,
    /// The number of rounds.
    pub runs: usize,
    /// One row for each scenario.
    pub rows: Vec<Row>,
    /// What a reader must know to judge the numbers.
    pub notes: Vec<String>,
}

/// The repository that was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    /// The name of its folder, or of its root package.
    pub name: String,
    /// The package manager with its version.
    pub package_manager: String,
    /// The number of packages in the lockfile.
    pub packages: usize,
    /// The number of workspaces.
    pub workspaces: usize,
    /// The number of files that git tracks.
    pub files: usize,
    /// The packages of the flake that were built.
    pub built: Vec<String>,
}

/// The machine that measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The system, as Nix names it.
    pub system: String,
    /// The processor.
    pub processor: String,
    /// The number of processors that this program may use.
    pub cores: usize,
    /// The memory in bytes.
    pub memory: u64,
    /// The version of Nix.
    pub nix: String,
    /// The version of splitter.
    pub splitter: String,
}

/// A scenario with both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What was measured.
    pub scenario: Scenario,
    /// The edited file, if one was edited.
    pub edited: Option<String>,
    /// Why it was not measured.
    pub skipped: Option<String>,
    /// The usual build.
    pub unsplit: Option<Measured>,
    /// The build by splitter.
    pub split: Option<Measured>,
    /// How many times as long the usual build takes. For an image: how many times as many bytes it sends.
    pub factor: Option<Spread>,
}

/// One side of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// The time in seconds.
    pub seconds: Spread,
    /// The times of all rounds, in their order.
    pub all: Vec<f64>,
    /// Where the time went in the run of the median, in seconds.
    pub work: BTreeMap<Work, f64>,
    /// The derivations that were built in that run.
    pub built: Vec<String>,
    /// The store paths that came from the cache in that run.
    pub fetched: Vec<String>,
    /// What was downloaded or sent, in bytes.
    pub bytes: u64,
}

impl Report {
    /// Returns the version of the JSON.
    pub const fn version() -> u8 {
        VERSION
    }

    /// Returns the rows that have numbers.
    fn measured(&self) -> impl Iterator<Item = (&Row, &Measured, &Measured)> {
        self.rows.iter().filter_map(|row| Some((row, row.unsplit.as_ref()?, row.split.as_ref()?)))
    }

    /// Returns the rows without numbers, each with the reason.
    fn skipped(&self) -> impl Iterator<Item = (&Row, &str)> {
        let is_skipped = |row: &&Row| row.unsplit.is_none() || row.split.is_none();
        self.rows.iter().filter(is_skipped).map(|row| (row, row.skipped.as_deref().unwrap_or("not measured")))
    }

    /// Returns the row of a scenario.
    pub fn row(&self, scenario: Scenario) -> Option<&Row> {
        self.rows.iter().find(|row| row.scenario == scenario)
    }
}

impl Row {
    /// Makes a row of the samples of a scenario.
    pub fn of(
        scenario: Scenario,
        samples: &BTreeMap<Run, Sample>,
        edited: Option<String>,
        skipped: Option<String>,
    ) -> Self {
        let of_side = |side: Side| -> Vec<(usize, &Sample)> {
            let runs = samples.iter().filter(|(run, _)| run.scenario == scenario && run.side == side);
            runs.map(|(run, sample)| (run.round, sample)).collect()
        };
        let (unsplit, split) = (of_side(Side::Unsplit), of_side(Side::Split));
        let pairs = unsplit.iter().filter_map(|(round, before)| {
            let (_, after) = split.iter().find(|(other, _)| other == round)?;
            Some((value(scenario, before), value(scenario, after)))
        });
        let factor = Spread::of_ratios(pairs);
        let skipped = skipped.filter(|_| unsplit.is_empty() || split.is_empty());
        Self { scenario, edited, skipped, unsplit: Measured::of(&unsplit), split: Measured::of(&split), factor }
    }
}

/// Returns what counts for a scenario: the time, or the bytes of an image.
fn value(scenario: Scenario, sample: &Sample) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    let bytes = sample.bytes as f64;
    if scenario == Scenario::Image { bytes } else { sample.seconds }
}

impl Measured {
    fn of(samples: &[(usize, &Sample)]) -> Option<Self> {
        let all: Vec<f64> = samples.iter().map(|(_, sample)| sample.seconds).collect();
        let seconds = Spread::of(all.iter().copied())?;
        let far = |sample: &Sample| (sample.seconds - seconds.median).abs();
        let (_, middle) = samples.iter().min_by(|a, b| far(a.1).total_cmp(&far(b.1)))?;
        Some(Self {
            seconds,
            all,
            work: middle.work.clone(),
            built: middle.built.clone(),
            fetched: middle.fetched.clone(),
            bytes: middle.bytes,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A report with a number in every place.
    pub(in crate::bench) fn sample() -> Report {
        let mut samples = BTreeMap::new();
        let mut add = |scenario, side, round, seconds: f64, built: &[&str], bytes| {
            let work = BTreeMap::from([
                (Work::Evaluate, 0.5),
                (Work::Install, seconds * 0.5),
                (Work::Build, seconds * 0.5 - 0.5),
            ]);
            let built = built.iter().map(|name| (*name).to_owned()).collect();
            let fetched = if bytes > 0 { vec!["web-1".to_owned()] } else { Vec::new() };
            samples.insert(Run { round, scenario, side }, Sample { seconds, work, built, fetched, bytes });
        };
        for round in 0..3 {
            let more = f64::from(u8::try_from(round).unwrap());
            add(Scenario::Cold, Side::Unsplit, round, 60.0 + more, &["unsplit-web"], 0);
            add(Scenario::Cold, Side::Split, round, 62.0 - more, &["node-modules", "web"], 0);
            add(Scenario::AppEdit, Side::Unsplit, round, 60.0 + more, &["unsplit-web"], 0);
            add(Scenario::AppEdit, Side::Split, round, 4.0 + more, &["web"], 0);
            add(Scenario::NewMachine, Side::Unsplit, round, 2.0, &[], 12_000_000);
            add(Scenario::NewMachine, Side::Split, round, 2.5, &[], 12_300_000);
        }
        let edited = |scenario| (scenario == Scenario::AppEdit).then(|| "apps/web/src/a<b>.ts".to_owned());
        let skipped = |scenario| (scenario == Scenario::Image).then(|| "the flake has no images".to_owned());
        let scenarios = [Scenario::Cold, Scenario::AppEdit, Scenario::NewMachine, Scenario::Image];
        Report {
            version: VERSION,
            repository: Repository {
                name: "acme".to_owned(),
                package_manager: "bun 1.4.4".to_owned(),
                packages: 1234,
                workspaces: 12,
                files: 2500,
                built: vec!["api".to_owned(), "web".to_owned()],
            },
            machine: Machine {
                system: "x86_64-linux".to_owned(),
                processor: "A processor".to_owned(),
                cores: 8,
                memory: 16_000_000_000,
                nix: "nix (Nix) 2.34.8".to_owned(),
                splitter: "0.1.0".to_owned(),
            },
            command: "splitter bench web --runs 3".to_owned(),
            date: "2026-11-30".to_owned(),
            runs: 3,
            rows: scenarios.map(|scenario| Row::of(scenario, &samples, edited(scenario), skipped(scenario))).into(),
            notes: vec!["The network is left out on both sides.".to_owned()],
        }
    }

    #[test]
    fn factors_are_of_neighbours() {
        let report = sample();
        let row = report.row(Scenario::AppEdit).unwrap();
        assert_eq!(row.factor, Some(Spread { median: 61.0 / 5.0, low: 62.0 / 6.0, high: 15.0 }));
        let split = row.split.as_ref().unwrap();
        assert_eq!((split.seconds, split.all.len()), (Spread { median: 5.0, low: 4.0, high: 6.0 }, 3));
        assert_eq!(split.built, ["web"]);
        let image = report.row(Scenario::Image).unwrap();
        assert_eq!((image.factor, image.skipped.as_deref()), (None, Some("the flake has no images")));
    }

    #[test]
    fn the_json_has_a_version_and_names() {
        let json = serde_json::to_value(sample()).unwrap();
        assert_eq!((&json["version"], &json["rows"][1]["scenario"]), (&1.into(), &"app-edit".into()));
        assert_eq!(json["rows"][1]["split"]["work"]["install"], 2.5);
        assert_eq!(json["repository"]["packageManager"], "bun 1.4.4");
    }
}
