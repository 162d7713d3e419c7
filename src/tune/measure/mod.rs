//! Whether settings help: the same work before and after, in turns, in scratch stores on the disk of the cache folder.
//!
//! The work is small and fixed, so that it says something within a minute. It can judge only settings that change how builds and
//! downloads run side by side, and the linking of equal files. See docs/tune.md for what it cannot judge.

mod server;
mod work;

use std::{
    io,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use self::work::Workshop;
use super::{Advice, Recommendation, State};
use crate::{
    diagnostic::{Category, Diagnose},
    nix::command::{Nix, NixError},
};

/// Below this ratio of the times, settings help.
const GAIN: f64 = 0.95;
/// Above this ratio, they harm.
const LOSS: f64 = 1.05;

/// How much work to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// How many pairs of runs.
    pub pairs: usize,
    /// How many builds.
    pub builds: usize,
    /// The steps of a loop in each build. A third of them cannot be shared among cores.
    pub steps: usize,
    /// How many store paths to download.
    pub paths: usize,
    /// How many files a tree like `node_modules` has.
    pub files: usize,
    /// How late the cache answers.
    pub delay: Duration,
}

impl Default for Amount {
    fn default() -> Self {
        Self { pairs: 3, builds: 8, steps: 240_000, paths: 240, files: 6000, delay: Duration::from_millis(20) }
    }
}

/// What settings did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The work took less time.
    Helps,
    /// It took as long.
    NoGain,
    /// It took longer.
    Slower,
}

/// A comparison of settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// What was done.
    pub work: String,
    /// The settings with what is set and what is advised.
    pub settings: Vec<Pair>,
    /// The seconds with what is set.
    pub before: Vec<f64>,
    /// The seconds with what is advised.
    pub after: Vec<f64>,
    /// The fastest run with what is advised, as a part of the fastest one with what is set.
    pub ratio: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// A setting of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Its name.
    pub setting: String,
    /// What is set.
    pub before: String,
    /// What is advised.
    pub after: String,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// Nix failed.
    #[error("could not measure with Nix in a scratch store")]
    Nix(#[from] NixError),
    /// The scratch folder could not be used.
    #[error("could not use the scratch folder `{path}`")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl Diagnose for MeasureError {
    fn category(&self) -> Category {
        Category::Environment
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Nix(error) => {
                let mut hints = error.hints();
                hints.push("run `splitter tune` without `--measure` for the advice alone".to_owned());
                hints
            }
            Self::Folder { .. } => vec!["set SPLITTER_CACHE_DIR to a writable folder".to_owned()],
        }
    }
}

/// Work that judges some settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Builds,
    Downloads,
    Linking,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Builds, Self::Downloads, Self::Linking];

    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Builds => &["max-jobs", "cores"],
            Self::Downloads => &["http-connections", "max-substitution-jobs"],
            Self::Linking => &["auto-optimise-store"],
        }
    }

    fn title(self, amount: &Amount) -> String {
        match self {
            Self::Builds => format!("{} builds that each use up to 4 cores", amount.builds),
            Self::Downloads => {
                format!("{} small paths from a cache that answers after {} ms", amount.paths, amount.delay.as_millis())
            }
            Self::Linking => format!("one path of {} small files from a cache", amount.files),
        }
    }
}

/// Whether a measurement can judge this setting.
pub fn judges(setting: &str) -> bool {
    Kind::ALL.iter().any(|kind| kind.settings().contains(&setting))
}

/// Measures the changes of an advice that can be judged, in a scratch folder below `folder`. `watch` gets what is done next.
pub fn measure(
    nix: &Nix,
    advice: &Advice,
    folder: &Utf8Path,
    amount: &Amount,
    watch: &mut dyn FnMut(&str),
) -> Result<Vec<Trial>, MeasureError> {
    let mut trials = Vec::new();
    for kind in Kind::ALL {
        let pairs: Vec<Pair> = kind.settings().iter().filter_map(|name| pair(advice.get(name)?)).collect();
        if pairs.iter().all(|pair| pair.before == pair.after) {
            continue;
        }
        let title = kind.title(amount);
        watch(&title);
        let workshop = Workshop::new(nix, folder, *amount)?;
        let (before, after) = in_turns(&workshop, kind, &pairs, amount.pairs)?;
        trials.push(trial(title, pairs, &before, &after));
    }
    Ok(trials)
}

/// Takes back what did not help, and says so.
pub fn withdraw(advice: &mut Advice, trials: &[Trial]) {
    for trial in trials.iter().filter(|trial| trial.verdict != Verdict::Helps) {
        let change = if trial.verdict == Verdict::Slower { "slower" } else { "no faster" };
        for pair in trial.settings.iter().filter(|pair| pair.before != pair.after) {
            let reason = format!("measured: {} are {change} with {} than with {}", trial.work, pair.after, pair.before);
            advice.withdraw(&pair.setting, reason);
        }
    }
}

/// Returns a setting with what is set; the advice has it even if nothing changes, because settings work together.
fn pair(recommendation: &Recommendation) -> Option<Pair> {
    let before = recommendation.current.clone()?;
    let after = match recommendation.state {
        State::Change => recommendation.value.to_string(),
        _ => before.clone(),
    };
    Some(Pair { setting: recommendation.setting.clone(), before, after })
}

/// Runs both sides in turns, so that a change of the load meets both.
fn in_turns(
    workshop: &Workshop<'_>,
    kind: Kind,
    pairs: &[Pair],
    count: usize,
) -> Result<(Vec<Duration>, Vec<Duration>), MeasureError> {
    let before: Vec<(&str, &str)> = pairs.iter().map(|pair| (pair.setting.as_str(), pair.before.as_str())).collect();
    let after: Vec<(&str, &str)> = pairs.iter().map(|pair| (pair.setting.as_str(), pair.after.as_str())).collect();
    let prepared = workshop.prepare(kind)?;
    let mut times = (Vec::new(), Vec::new());
    for pair in 0..count.max(1) {
        // Every other pair begins with the other side, because a run pays for what the one before left to write.
        if pair % 2 == 1 {
            times.1.push(timed(|| workshop.run(&prepared, &after))?);
        }
        times.0.push(timed(|| workshop.run(&prepared, &before))?);
        if pair % 2 == 0 {
            times.1.push(timed(|| workshop.run(&prepared, &after))?);
        }
    }
    Ok(times)
}

/// Returns the time that `work` says it took: making and removing the store does not count.
fn timed(work: impl FnOnce() -> Result<Instant, MeasureError>) -> Result<Duration, MeasureError> {
    let start = work()?;
    Ok(start.elapsed())
}

fn trial(work: String, settings: Vec<Pair>, before: &[Duration], after: &[Duration]) -> Trial {
    let seconds = |times: &[Duration]| -> Vec<f64> { times.iter().map(Duration::as_secs_f64).collect() };
    let (before, after) = (seconds(before), seconds(after));
    let ratio = match (fastest(&before), fastest(&after)) {
        (Some(before), Some(after)) => after / before.max(1e-9),
        _ => 1.0,
    };
    let verdict = match ratio {
        ratio if ratio < GAIN => Verdict::Helps,
        ratio if ratio > LOSS => Verdict::Slower,
        _ => Verdict::NoGain,
    };
    Trial { work, settings, before, after, ratio, verdict }
}

/// Other programs only add time, so the fastest run says most.
pub fn fastest(times: &[f64]) -> Option<f64> {
    times.iter().copied().min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::{Profile, Value};

    fn judged(before: &[u64], after: &[u64]) -> Trial {
        let times = |list: &[u64]| list.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        let pair = Pair { setting: "cores".to_owned(), before: "0".to_owned(), after: "2".to_owned() };
        trial("work".to_owned(), vec![pair], &times(before), &times(after))
    }

    #[test]
    fn the_fastest_runs_decide() {
        assert_eq!(judged(&[100, 110, 900], &[80, 90, 950]).verdict, Verdict::Helps);
        assert_eq!(judged(&[100, 130, 120], &[102, 97, 250]).verdict, Verdict::NoGain);
        assert_eq!(judged(&[100, 100, 100], &[150, 120, 190]).verdict, Verdict::Slower);
        assert_eq!(judged(&[], &[]).verdict, Verdict::NoGain);
    }

    #[test]
    fn what_did_not_help_is_taken_back() {
        let setting = |name: &str| Recommendation {
            setting: name.to_owned(),
            value: Value::Number(2),
            current: Some("0".to_owned()),
            default: Some("0".to_owned()),
            state: State::Change,
            reason: String::new(),
            sureness: crate::machine::Sureness::Certain,
            user_may_set: true,
        };
        let mut advice = Advice {
            profile: Profile::Balanced,
            checked: true,
            settings: vec![setting("cores"), setting("fallback")],
            withheld: Vec::new(),
            schedule: None,
            notes: Vec::new(),
        };
        withdraw(&mut advice, &[judged(&[100], &[60])]);
        assert_eq!(advice.settings.len(), 2);
        withdraw(&mut advice, &[judged(&[100], &[100])]);
        assert_eq!((advice.settings.len(), advice.settings[0].setting.as_str()), (1, "fallback"));
        assert_eq!(advice.withheld[0].reason, "measured: work are no faster with 2 than with 0");
        assert!(judges("cores") && !judges("fallback"));
    }
}
