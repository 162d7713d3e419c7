//! The order of runs: both sides in turns, and the first side changes with each round.

use std::collections::BTreeMap;

use super::{Scenario, Side, statistics::Spread};

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// The number of the round, from 0.
    pub round: usize,
    /// What is measured.
    pub scenario: Scenario,
    /// How it is built.
    pub side: Side,
}

/// Returns all measurements in their order. Both sides of a scenario are neighbours: A B, and B A in the next round.
pub fn runs(scenarios: &[Scenario], rounds: usize) -> Vec<Run> {
    let mut sorted = scenarios.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs = Vec::new();
    for round in 0..rounds {
        let sides = if round.is_multiple_of(2) { [Side::Unsplit, Side::Split] } else { [Side::Split, Side::Unsplit] };
        for scenario in &sorted {
            runs.extend(sides.map(|side| Run { round, scenario: *scenario, side }));
        }
    }
    runs
}

/// Guesses the seconds that the rest takes, from the times so far. Returns nothing while there is no time to guess from.
pub fn left(rest: &[Run], taken: &BTreeMap<Run, f64>) -> Option<f64> {
    let of = |scenario: Scenario, side: Side| {
        Spread::of(taken.iter().filter(|(run, _)| run.scenario == scenario && run.side == side).map(|(_, time)| *time))
    };
    // The usual build does the same work for each edit.
    let guess = |run: &Run| {
        let known = of(run.scenario, run.side).or_else(|| match (run.side, run.scenario) {
            (_, Scenario::Warm | Scenario::NoChange | Scenario::NewMachine | Scenario::Image) => None,
            (Side::Unsplit, _) => of(Scenario::Cold, Side::Unsplit),
            (Side::Split, Scenario::Dependency | Scenario::LockEdit) => of(Scenario::Cold, Side::Split),
            (Side::Split, _) => None,
        });
        known.map_or(5.0, |spread| spread.median)
    };
    if taken.is_empty() { None } else { Some(rest.iter().map(guess).sum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_take_turns() {
        let runs = runs(&[Scenario::AppEdit, Scenario::Cold, Scenario::Cold], 2);
        let text: Vec<String> = runs.iter().map(|run| format!("{} {} {}", run.round, run.scenario, run.side)).collect();
        let expected = [
            "0 cold unsplit",
            "0 cold split",
            "0 app-edit unsplit",
            "0 app-edit split",
            "1 cold split",
            "1 cold unsplit",
            "1 app-edit split",
            "1 app-edit unsplit",
        ];
        assert_eq!(text, expected);
    }

    #[test]
    fn the_rest_is_guessed_from_what_was_measured() {
        let runs = runs(&[Scenario::Cold, Scenario::AppEdit], 1);
        assert_eq!(left(&runs, &BTreeMap::new()), None);
        let taken = BTreeMap::from([(runs[0], 60.0), (runs[1], 50.0)]);
        // The edit of the usual build as long as its cold build, and a few seconds for the other.
        assert_eq!(left(&runs[2..], &taken), Some(65.0));
        assert_eq!(left(&[], &taken), Some(0.0));
    }
}
