//! The model of a check: [`Check`], what it found ([`State`]), and the report of all checks.

use serde::Serialize;

/// What people complain about. Each check says which of them it explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symptom {
    /// CI takes long.
    SlowCi,
    /// Nix builds what a cache should have, without a change.
    CacheMisses,
    /// Builds on this machine take long.
    SlowBuilds,
    /// The disk is full, or soon will be.
    DiskFull,
    /// Nix reports a hash mismatch, or `check` reports stale hashes.
    HashMismatch,
}

impl Symptom {
    /// All symptoms.
    pub const ALL: [Self; 5] = [Self::SlowCi, Self::CacheMisses, Self::SlowBuilds, Self::DiskFull, Self::HashMismatch];

    /// Returns the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowCi => "slow-ci",
            Self::CacheMisses => "cache-misses",
            Self::SlowBuilds => "slow-builds",
            Self::DiskFull => "disk-full",
            Self::HashMismatch => "hash-mismatch",
        }
    }
}

/// Where the checked thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Group {
    /// The installed Nix and its settings.
    Nix,
    /// Binary caches.
    Caches,
    /// The computer.
    Machine,
    /// The repository.
    Repository,
}

impl Group {
    /// All groups, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Nix, Self::Caches, Self::Machine, Self::Repository];

    /// Returns the title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nix => "Nix",
            Self::Caches => "binary caches",
            Self::Machine => "this machine",
            Self::Repository => "this repository",
        }
    }
}

/// A check.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, in the documentation and in JSON.
    pub name: &'static str,
    /// Its group.
    pub group: Group,
    /// What people complain about if it fails.
    pub symptoms: &'static [Symptom],
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// It should be mended. The exit code is 1.
    Problem,
    /// It may be meant so.
    Advice,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Remedy {
    /// A command to run.
    Run(String),
    /// A sentence in the imperative.
    Do(String),
}

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// How much it matters, up to 100. Findings of one severity are sorted by it.
    pub weight: u8,
    /// What is wrong, as a sentence without a period.
    pub what: String,
    /// Why it matters here, in sentences.
    pub why: String,
    /// What mends it, in order.
    pub remedies: Vec<Remedy>,
}

impl Finding {
    /// Returns a finding that should be mended.
    pub fn problem(weight: u8, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, weight, what: what.into(), why: why.into(), remedies: Vec::new() }
    }

    /// Returns a finding that may be meant so.
    pub fn advice(weight: u8, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { severity: Severity::Advice, ..Self::problem(weight, what, why) }
    }

    /// Adds a command that mends it.
    #[must_use]
    pub fn run(mut self, command: impl Into<String>) -> Self {
        self.remedies.push(Remedy::Run(command.into()));
        self
    }

    /// Adds a sentence that says what mends it.
    #[must_use]
    pub fn so(mut self, sentence: impl Into<String>) -> Self {
        self.remedies.push(Remedy::Do(sentence.into()));
        self
    }
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing to mend, with what was seen.
    Fine(String),
    /// Something to mend.
    Found(Finding),
    /// It could not be made, with the reason.
    Unknown(String),
}

/// A check and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The check.
    pub check: &'static Check,
    /// The result.
    pub state: State,
}

impl Check {
    /// Returns an entry without a finding.
    pub fn fine(&'static self, seen: impl Into<String>) -> Entry {
        Entry { check: self, state: State::Fine(seen.into()) }
    }

    /// Returns an entry with a finding.
    pub fn found(&'static self, finding: Finding) -> Entry {
        Entry { check: self, state: State::Found(finding) }
    }

    /// Returns the entry of a check that could not be made.
    pub fn unknown(&'static self, why: impl Into<String>) -> Entry {
        Entry { check: self, state: State::Unknown(why.into()) }
    }
}

/// The results of all checks.
#[derive(Debug, Default)]
pub struct Report {
    /// The results.
    pub entries: Vec<Entry>,
}

impl Report {
    /// Keeps the checks that concern a symptom, and those that found why other checks could not be made.
    pub fn keep(&mut self, symptom: Symptom) {
        self.entries.retain(|entry| entry.check.symptoms.contains(&symptom) || entry.blocks_others());
    }

    /// Returns the findings of a group, the worst first.
    pub fn findings(&self, group: Option<Group>) -> Vec<(&'static Check, &Finding)> {
        let chosen = self.entries.iter().filter(|entry| group.is_none_or(|group| entry.check.group == group));
        let mut found: Vec<_> = chosen
            .filter_map(|entry| match &entry.state {
                State::Found(finding) => Some((entry.check, finding)),
                State::Fine(_) | State::Unknown(_) => None,
            })
            .collect();
        found.sort_by_key(|(_, finding)| (finding.severity, std::cmp::Reverse(finding.weight)));
        found
    }

    /// Returns whether something should be mended.
    pub fn has_problems(&self) -> bool {
        self.findings(None).iter().any(|(_, finding)| finding.severity == Severity::Problem)
    }
}

/// Findings of this weight or more keep other checks from being made.
const BLOCKING: u8 = 95;

impl Entry {
    fn blocks_others(&self) -> bool {
        matches!(&self.state, State::Found(finding) if finding.weight >= BLOCKING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE: Check = Check { name: "one", group: Group::Nix, symptoms: &[Symptom::SlowCi] };
    static TWO: Check = Check { name: "two", group: Group::Machine, symptoms: &[Symptom::DiskFull] };

    fn report() -> Report {
        let entries = vec![
            ONE.found(Finding::advice(90, "a", "b")),
            ONE.found(Finding::problem(10, "c", "d").run("x")),
            ONE.fine("e"),
            TWO.found(Finding::problem(20, "f", "g")),
            TWO.unknown("h"),
        ];
        Report { entries }
    }

    #[test]
    fn problems_come_before_advice_and_heavy_before_light() {
        let report = report();
        let order: Vec<&str> = report.findings(None).iter().map(|(_, finding)| finding.what.as_str()).collect();
        assert_eq!(order, ["f", "c", "a"]);
        assert_eq!(report.findings(Some(Group::Nix)).len(), 2);
        assert!(report.has_problems());
    }

    #[test]
    fn a_symptom_keeps_its_checks_and_what_blocks_them() {
        let mut kept = report();
        kept.keep(Symptom::SlowCi);
        assert!(kept.entries.iter().all(|entry| entry.check.name == "one"));
        let mut blocked = report();
        blocked.entries.push(TWO.found(Finding::problem(97, "no daemon", "i")));
        blocked.keep(Symptom::SlowCi);
        assert_eq!(blocked.findings(None)[0].1.what, "no daemon");
    }
}
