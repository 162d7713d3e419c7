//! What the times of two sides say, on a computer that other programs use too.

use serde::Serialize;

/// Below this ratio of the medians, settings help.
const GAIN: f64 = 0.95;
/// Above this ratio, they harm.
const LOSS: f64 = 1.05;
/// If the middle half of the runs of a side is wider than this part of its median, equal medians say little.
const WIDE: f64 = 0.1;

/// What settings did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The work took less time, by more than runs of one side differ.
    Helps,
    /// It took as long.
    NoGain,
    /// It took longer, by more than runs of one side differ.
    Slower,
    /// Runs of one side differ by more than both sides do.
    CannotTell,
}

/// Several runs of the same work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Runs {
    /// The fastest one, in seconds.
    pub least: f64,
    /// The one in the middle.
    pub median: f64,
    /// The slowest one.
    pub most: f64,
    /// Where the middle half begins and ends. A quarter of the runs on each side may be odd.
    middle: (f64, f64),
}

impl Runs {
    /// Sorts the seconds of some runs.
    pub fn of(seconds: &[f64]) -> Option<Self> {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (fastest, slowest) = (*sorted.first()?, *sorted.last()?);
        let (half, quarter, end) = (sorted.len() / 2, sorted.len() / 4, sorted.len() - 1);
        let median = f64::midpoint(sorted[half], sorted[end - half]);
        Some(Self { least: fastest, median, most: slowest, middle: (sorted[quarter], sorted[end - quarter]) })
    }

    fn is_wide(self) -> bool {
        self.middle.1 - self.middle.0 > WIDE * self.median
    }
}

/// Returns the median after as a part of the one before, and what follows.
pub(super) fn compare(before: &[f64], after: &[f64]) -> (f64, Verdict) {
    let (Some(before), Some(after)) = (Runs::of(before), Runs::of(after)) else { return (1.0, Verdict::CannotTell) };
    let ratio = after.median / before.median.max(1e-9);
    let verdict = if ratio < GAIN && after.middle.1 < before.middle.0 {
        Verdict::Helps
    } else if ratio > LOSS && after.middle.0 > before.middle.1 {
        Verdict::Slower
    } else if (GAIN..=LOSS).contains(&ratio) && !before.is_wide() && !after.is_wide() {
        Verdict::NoGain
    } else {
        Verdict::CannotTell
    };
    (ratio, verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(before: &[f64], after: &[f64]) -> Verdict {
        compare(before, after).1
    }

    #[test]
    fn a_gain_within_the_spread_is_no_gain() {
        // The fastest run and the median are a tenth lower, but runs of each side differ by more.
        let (before, after) = ([1.0, 1.3, 1.1, 0.95, 1.25], [0.85, 1.2, 0.99, 1.1, 0.9]);
        assert_eq!(judged(&before, &after), Verdict::CannotTell);
        assert_eq!(judged(&after, &before), Verdict::CannotTell);
    }

    #[test]
    fn a_gain_beyond_the_spread_helps_and_one_odd_run_changes_nothing() {
        let (before, after) = ([1.0, 1.02, 0.99, 1.01, 1.0], [0.8, 0.81, 5.0, 0.79, 0.8]);
        assert_eq!(judged(&before, &after), Verdict::Helps);
        assert_eq!(judged(&after, &before), Verdict::Slower);
        assert_eq!(judged(&before, &[1.01, 0.98, 1.0, 1.02, 3.0]), Verdict::NoGain);
        // Far less than a twentieth is no gain, however steady.
        assert_eq!(judged(&[1.0; 5], &[0.98; 5]), Verdict::NoGain);
    }

    #[test]
    fn equal_medians_of_scattered_runs_say_nothing() {
        assert_eq!(judged(&[1.0, 2.0, 0.5, 1.5, 0.7], &[1.0, 0.4, 1.9, 0.8, 1.3]), Verdict::CannotTell);
        assert_eq!(judged(&[], &[]), Verdict::CannotTell);
        assert_eq!(judged(&[0.0; 5], &[0.0; 5]), Verdict::CannotTell);
    }

    #[test]
    fn runs_have_a_median_and_ends() {
        let runs = Runs::of(&[3.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!((runs.least, runs.median, runs.most), (1.0, 2.5, 10.0));
        let one = Runs::of(&[4.0]).unwrap();
        assert_eq!((one.least, one.median, one.most), (4.0, 4.0, 4.0));
        assert_eq!(Runs::of(&[]), None);
    }
}
