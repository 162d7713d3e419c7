//! The JSON of `doctor`.

use serde::Serialize;

use super::Shown;
use crate::doctor::{Group, Remedy, Severity, State, Symptom};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportJson<'a> {
    /// The root of the repository; `null` outside of one.
    repository: Option<&'a str>,
    /// The installed Nix, such as `Nix 2.34.8`; `null` if there is none.
    nix: Option<String>,
    symptom: Option<Symptom>,
    findings: Vec<FindingJson<'a>>,
    fine: Vec<LineJson<'a>>,
    unknown: Vec<LineJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingJson<'a> {
    check: &'a str,
    group: Group,
    severity: Severity,
    weight: u8,
    what: &'a str,
    why: &'a str,
    remedies: &'a [Remedy],
    symptoms: &'a [Symptom],
}

#[derive(Serialize)]
struct LineJson<'a> {
    check: &'a str,
    text: &'a str,
}

pub(super) fn report(shown: &Shown) -> ReportJson<'_> {
    let entries = || shown.report.entries.iter();
    let fine = entries().filter_map(|entry| match &entry.state {
        State::Fine(text) => Some(LineJson { check: entry.check.name, text }),
        _ => None,
    });
    let unknown = entries().filter_map(|entry| match &entry.state {
        State::Unknown(text) => Some(LineJson { check: entry.check.name, text }),
        _ => None,
    });
    let findings = shown.report.findings(None).into_iter().map(|(check, finding)| FindingJson {
        check: check.name,
        group: check.group,
        severity: finding.severity,
        weight: finding.weight,
        what: &finding.what,
        why: &finding.why,
        remedies: &finding.remedies,
        symptoms: check.symptoms,
    });
    ReportJson {
        repository: shown.root.as_ref().map(|root| root.as_str()),
        nix: shown.nix.as_ref().map(|version| format!("{} {}", version.flavour.name(), version.text)),
        symptom: shown.symptom,
        findings: findings.collect(),
        fine: fine.collect(),
        unknown: unknown.collect(),
    }
}
