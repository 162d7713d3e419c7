//! What the last builds say: did caches have what was needed, and do builds become slower?

use std::time::Duration;

use super::{Facts, LAST_BUILDS};
use crate::{
    doctor::model::{Entry, Finding},
    history::summary::Summary,
};

/// With fewer runs, chance decides.
const FEWEST_RUNS: usize = 5;
/// The share of store paths from caches, in percent, below which caches do not do their work.
const FEW_HITS: u64 = 50;
/// Runs that are this many times slower than before are worth a look.
const SLOWER: f64 = 1.5;

pub(super) fn check(facts: &Facts) -> Option<Entry> {
    let builds = facts.last_builds.as_ref().filter(|builds| builds.runs >= FEWEST_RUNS)?;
    let has_caches = facts.model.as_ref().is_ok_and(|model| !model.caches.is_empty());
    Some(misses(builds, has_caches).or_else(|| slower(builds)).unwrap_or_else(|| {
        let percent = percent(builds).map(|percent| format!(", and caches had {percent} % of what they lacked"));
        let time = seconds(builds.took.median().unwrap_or_default());
        LAST_BUILDS.fine(format!("the last {} runs took {time} (median){}", builds.runs, percent.unwrap_or_default()))
    }))
}

fn misses(builds: &Summary, has_caches: bool) -> Option<Entry> {
    let percent = percent(builds).filter(|percent| has_caches && *percent < FEW_HITS)?;
    let time = seconds(builds.builds.iter().map(|row| row.times.sum()).sum());
    let finding = Finding::advice(
        46,
        format!("caches had only {percent} % of what the last {} runs lacked", builds.runs),
        format!("The other {} were built here, which took {time} in all.", builds.built),
    );
    Some(LAST_BUILDS.found(finding.run("splitter cache status").run("splitter stats")))
}

fn slower(builds: &Summary) -> Option<Entry> {
    let trend = builds.took.trend().filter(|trend| *trend >= SLOWER)?;
    let latest = seconds(builds.took.latest().unwrap_or_default());
    let finding = Finding::advice(
        32,
        format!("builds became {trend:.1} times slower within the last {} runs", builds.runs),
        format!(
            "The last one took {latest}. `splitter stats` shows which derivations, and which files cause their builds."
        ),
    );
    Some(LAST_BUILDS.found(finding.run("splitter stats")))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
fn percent(builds: &Summary) -> Option<u64> {
    builds.hit_rate().map(|rate| (rate * 100.0) as u64)
}

fn seconds(milliseconds: u64) -> String {
    format!("{:.1} s", Duration::from_millis(milliseconds).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        caches::CacheChoice,
        doctor::model::State,
        history::{Build, Fetched, Run},
    };

    fn said(took: impl Fn(u64) -> u64, from_cache: u64, has_cache: bool) -> String {
        let run = |at| Run {
            at,
            took: took(at),
            is_success: true,
            builds: vec![Build { took: 2000, ..Build::default() }],
            fetched: vec![Fetched { paths: from_cache, ..Fetched::default() }],
            ..Run::default()
        };
        let mut facts = super::super::tests::good();
        facts.last_builds = Some(Summary::of(&(0..8).map(run).collect::<Vec<_>>()));
        let address = "cachix:acme".parse().unwrap();
        if let (true, Ok(model)) = (has_cache, &mut facts.model) {
            model.caches = vec![CacheChoice::of(address)];
        }
        match check(&facts).unwrap().state {
            State::Found(finding) => format!("{}: {}", finding.what, finding.why),
            State::Fine(text) | State::Unknown(text) => text,
        }
    }

    #[test]
    fn caches_that_lack_much_and_builds_that_become_slower_are_found() {
        assert_eq!(
            said(|_| 3000, 3, true),
            "the last 8 runs took 3.0 s (median), and caches had 75 % of what they lacked"
        );
        assert_eq!(
            said(|_| 3000, 0, true),
            "caches had only 0 % of what the last 8 runs lacked: The other 8 were built here, which took 16.0 s in all."
        );
        assert!(said(|_| 3000, 0, false).starts_with("the last 8 runs took"));
        let slower = said(|at| 1000 + at * 1000, 3, true);
        assert!(
            slower.starts_with("builds became 2.6 times slower within the last 8 runs: The last one took 8.0 s."),
            "{slower}"
        );
    }

    #[test]
    fn few_runs_say_nothing() {
        let mut facts = super::super::tests::good();
        assert!(check(&facts).is_none());
        facts.last_builds = Some(Summary { runs: 4, ..Summary::default() });
        assert!(check(&facts).is_none());
    }
}
