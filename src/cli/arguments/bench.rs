//! The arguments of `splitter bench`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum, builder::PossibleValue};

use crate::bench::Scenario;

/// The number of rounds without `--runs`.
const RUNS: usize = 3;

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchOptions {
    /// Build these packages [default: all apps]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    /// Measure a few scenarios once
    #[arg(long)]
    pub(in crate::cli) quick: bool,
    /// Measure each scenario this many times [default: 3, with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(in crate::cli) runs: Option<u8>,
    /// Measure only this scenario (repeatable) [default: all, with --quick four of them]
    #[arg(long = "scenario", value_name = "SCENARIO")]
    pub(in crate::cli) scenarios: Vec<Scenario>,
    /// Write a report to this file; its name ends in .html, .md, .json or .svg (repeatable)
    #[arg(long = "report", value_name = "FILE")]
    pub(in crate::cli) reports: Vec<Utf8PathBuf>,
    /// Measure everything again, also what an interrupted bench has measured
    #[arg(long)]
    pub(in crate::cli) fresh: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}

impl BenchOptions {
    /// Returns what to measure, in the order of the report.
    pub(in crate::cli) fn scenarios(&self) -> Vec<Scenario> {
        let mut chosen = match (self.scenarios.is_empty(), self.quick) {
            (false, _) => self.scenarios.clone(),
            (true, true) => Scenario::QUICK.to_vec(),
            (true, false) => Scenario::ALL.to_vec(),
        };
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// Returns how often to measure it.
    pub(in crate::cli) fn rounds(&self) -> usize {
        self.runs.map_or(if self.quick { 1 } else { RUNS }, usize::from)
    }
}

impl ValueEnum for Scenario {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.meaning()))
    }
}
