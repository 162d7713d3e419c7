//! Whether settings help: the same work before and after, in turns, in scratch stores on the disk of the cache folder.
//!
//! The work is small and fixed, so that it says something within a minute. It can judge only settings that change how builds and
//! downloads run side by side, and the linking of equal files. See docs/tune.md for what it cannot judge.

mod server;
mod verdict;
mod work;

use std::{
    io,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

pub use self::verdict::{Runs, Verdict};
use self::work::Workshop;
use super::{Advice, Recommendation, State};
use crate::{
    diagnostic::{Category, Diagnose},
    nix::command::{Nix, NixError},
};

/// How much work to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// How many pairs of runs.
    pub pairs: usize,
    /// How many pairs at most, if fewer do not tell.
    pub most_pairs: usize,
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
        Self {
            pairs: 5,
            most_pairs: 11,
            builds: 8,
            steps: 240_000,
            paths: 240,
            files: 6000,
            delay: Duration::from_millis(20),
        }
    }
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
    /// The median with what is advised, as a part of the one with what is set.
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
    // On macOS linking is a danger to the store, and no matter of time.
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Linking || !cfg!(target_os = "macos")) {
        let pairs: Vec<Pair> = kind.settings().iter().filter_map(|name| pair(advice.get(name)?)).collect();
        if pairs.iter().all(|pair| pair.before == pair.after) {
            continue;
        }
        let title = kind.title(amount);
        watch(&title);
        let workshop = Workshop::new(nix, folder, *amount)?;
        let (before, after) = in_turns(&workshop, kind, &pairs, amount)?;
        trials.push(trial(title, pairs, before, after));
    }
    Ok(trials)
}

/// Takes back what did not help, and says so. Fewer builds at once need less memory, which this work does not use, so those stay unless
/// they are slower.
pub fn withdraw(advice: &mut Advice, trials: &[Trial]) {
    for trial in trials.iter().filter(|trial| trial.verdict != Verdict::Helps) {
        if trial.verdict != Verdict::Slower && trial.settings.iter().any(Pair::is_fewer_builds) {
            continue;
        }
        for pair in trial.settings.iter().filter(|pair| pair.before != pair.after) {
            let Pair { before, after, .. } = pair;
            let result = match trial.verdict {
                Verdict::Slower => format!("slower with {after} than with {before}"),
                Verdict::CannotTell => {
                    format!(
                        "cannot tell whether {after} is faster than {before}, because runs of the same differ by more"
                    )
                }
                Verdict::NoGain | Verdict::Helps => format!("no faster with {after} than with {before}"),
            };
            advice.withdraw(&pair.setting, format!("measured ({}): {result}", trial.work));
        }
    }
}

impl Pair {
    fn is_fewer_builds(&self) -> bool {
        let number = |text: &str| text.parse::<u64>().ok();
        self.setting == "max-jobs" && number(&self.after) < number(&self.before)
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

/// Runs both sides in turns, so that a change of the load meets both. If the runs do not tell, more follow.
fn in_turns(
    workshop: &Workshop<'_>,
    kind: Kind,
    pairs: &[Pair],
    amount: &Amount,
) -> Result<(Vec<f64>, Vec<f64>), MeasureError> {
    let before: Vec<(&str, &str)> = pairs.iter().map(|pair| (pair.setting.as_str(), pair.before.as_str())).collect();
    let after: Vec<(&str, &str)> = pairs.iter().map(|pair| (pair.setting.as_str(), pair.after.as_str())).collect();
    let prepared = workshop.prepare(kind)?;
    // The first run pays for files that no later run reads anew, so it does not count.
    workshop.run(&prepared, &before)?;
    let (mut times, mut pairs) = ((Vec::new(), Vec::new()), 0);
    while pairs < amount.pairs.max(1)
        || (pairs < amount.most_pairs && verdict::compare(&times.0, &times.1).1 == Verdict::CannotTell)
    {
        // Every other pair begins with the other side, because a run pays for what the one before left to write.
        if pairs % 2 == 1 {
            times.1.push(timed(|| workshop.run(&prepared, &after))?);
        }
        times.0.push(timed(|| workshop.run(&prepared, &before))?);
        if pairs.is_multiple_of(2) {
            times.1.push(timed(|| workshop.run(&prepared, &after))?);
        }
        pairs += 1;
    }
    Ok(times)
}

/// Returns the time that `work` says it took: making and removing the store does not count.
fn timed(work: impl FnOnce() -> Result<Instant, MeasureError>) -> Result<f64, MeasureError> {
    let start = work()?;
    Ok(start.elapsed().as_secs_f64())
}

fn trial(work: String, settings: Vec<Pair>, before: Vec<f64>, after: Vec<f64>) -> Trial {
    let (ratio, verdict) = verdict::compare(&before, &after);
    Trial { work, settings, before, after, ratio, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::{Profile, Value};

    fn judged(setting: &str, before: [f64; 5], after: [f64; 5]) -> Trial {
        let pair = Pair { setting: setting.to_owned(), before: "8".to_owned(), after: "2".to_owned() };
        trial("work".to_owned(), vec![pair], before.to_vec(), after.to_vec())
    }

    #[test]
    fn what_did_not_help_is_taken_back() {
        let setting = |name: &str| Recommendation {
            setting: name.to_owned(),
            value: Value::Number(2),
            current: Some("8".to_owned()),
            default: Some("0".to_owned()),
            state: State::Change,
            reason: String::new(),
            sureness: crate::machine::Sureness::Certain,
            user_may_set: true,
        };
        let mut advice = Advice {
            profile: Profile::Balanced,
            checked: true,
            settings: vec![setting("cores"), setting("fallback"), setting("max-jobs")],
            withheld: Vec::new(),
            schedule: None,
            notes: Vec::new(),
        };
        let (equal, scattered) = ([1.0; 5], [0.4, 1.2, 0.9, 1.6, 0.7]);
        withdraw(&mut advice, &[judged("cores", equal, [0.6; 5])]);
        assert_eq!(advice.settings.len(), 3);
        let mut same = advice.clone();
        withdraw(&mut same, &[judged("cores", equal, equal)]);
        assert_eq!((same.settings.len(), same.get("cores")), (2, None));
        assert_eq!(same.withheld[0].reason, "measured (work): no faster with 2 than with 8");
        // A gain within the spread does not count.
        let mut unclear = advice.clone();
        withdraw(&mut unclear, &[judged("cores", equal, scattered)]);
        assert_eq!(unclear.get("cores"), None);
        assert!(
            unclear.withheld[0].reason.contains("cannot tell whether 2 is faster than 8"),
            "{:?}",
            unclear.withheld
        );
        // Memory is a reason that this work cannot judge.
        withdraw(&mut advice, &[judged("max-jobs", equal, equal)]);
        assert!(advice.get("max-jobs").is_some());
        withdraw(&mut advice, &[judged("max-jobs", equal, [1.5; 5])]);
        assert_eq!(advice.get("max-jobs"), None);
        assert!(judges("cores") && !judges("fallback"));
    }
}
