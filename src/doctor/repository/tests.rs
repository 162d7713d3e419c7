//! The checks of a repository over what is known of it.

use super::{
    facts::{Dirty, Model},
    flake_lock::Nixpkgs,
    nix_code::Cause,
    *,
};
use crate::{
    doctor::model::{Severity, State},
    guard::hook::Status,
};

/// 2026-11-30, in seconds.
const NOW: u64 = 1_796_000_000;
const DAY: u64 = 86_400;

fn reads(app: &str, files: usize) -> Reads {
    Reads { app: app.to_owned(), files, is_root: false, most: None }
}

/// A repository without a fault.
pub(super) fn good() -> Facts {
    let runs = |event| Status { event, from: Some("git's configuration".to_owned()), reason: String::new() };
    Facts {
        is_set_up: true,
        is_half_written: false,
        verdict: Some(Ok(Verdict::remembered(22, 5))),
        has_git: true,
        hooks: Some(vec![runs("pre-commit"), runs("pre-merge-commit")]),
        hook_is_off: None,
        untracked: Vec::new(),
        ignored: Vec::new(),
        flake: Some("{ }".to_owned()),
        has_lock: true,
        broken: Vec::new(),
        nixpkgs: Some(Nixpkgs { branch: Some("nixos-26.05".to_owned()), pinned: Some(NOW - 10 * DAY) }),
        model: Ok(Model {
            manager: "bun@1.4.4".to_owned(),
            pin: "packageManager in package.json",
            files: 1000,
            workspaces: 10,
            apps: vec![reads("web", 300), reads("api", 100)],
            ..Model::default()
        }),
        dirty: Some(Dirty { files: 0, rebuilt: 0, all: 9 }),
        causes: Vec::new(),
        last_builds: None,
    }
}

fn found(facts: &Facts, now: u64) -> Vec<(&'static str, Severity, String)> {
    let found = check(facts, now, false).into_iter().filter_map(|entry| match entry.state {
        State::Found(finding) => Some((
            entry.check.name,
            finding.severity,
            format!("{} {} {:?}", finding.what, finding.why, finding.remedies),
        )),
        _ => None,
    });
    found.collect()
}

/// Returns the only finding of a repository with one fault.
#[track_caller]
fn only(fault: impl FnOnce(&mut Facts)) -> (&'static str, Severity, String) {
    let mut facts = good();
    fault(&mut facts);
    let found = found(&facts, NOW);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_good_repository_has_no_finding() {
    assert_eq!(found(&good(), NOW), []);
}

/// What makes a repository bad, the check that finds it, and words of the finding.
type Fault = (fn(&mut Facts), &'static str, Severity, &'static str);

#[test]
fn each_fault_is_found_with_what_mends_it() {
    let cases: [Fault; 13] = [
        (|facts| facts.is_half_written = true, "generated-files", Severity::Problem, "splitter update-hash"),
        (|facts| facts.has_lock = false, "flake-lock", Severity::Problem, "nix flake lock"),
        (
            |facts| facts.untracked = vec!["flake.nix".to_owned()],
            "tracked-files",
            Severity::Problem,
            "git add flake.nix",
        ),
        (
            |facts| facts.untracked = (0..89).map(|number| format!("nix/splitter/{number}.nix")).collect(),
            "tracked-files",
            Severity::Problem,
            "git add nix/splitter\"",
        ),
        (|facts| facts.ignored = vec!["flake.lock".to_owned()], "tracked-files", Severity::Problem, ".gitignore"),
        (|facts| facts.hook_is_off = Some("no splitter"), "hook", Severity::Problem, "checks nothing: no splitter"),
        (
            |facts| facts.dirty = Some(Dirty { files: 3, rebuilt: 2, all: 9 }),
            "uncommitted-changes",
            Severity::Advice,
            "2 of 9 builds",
        ),
        (
            |facts| facts.nixpkgs = Some(Nixpkgs { branch: Some("nixos-25.11".to_owned()), pinned: Some(NOW - DAY) }),
            "nixpkgs-release",
            Severity::Problem,
            "nixpkgs 25.11 gets no updates any more: its support ended 5 months ago",
        ),
        (
            |facts| facts.nixpkgs = Some(Nixpkgs { branch: None, pinned: Some(NOW - 200 * DAY) }),
            "flake-lock",
            Severity::Advice,
            "200 days old",
        ),
        (
            |facts| facts.model.as_mut().unwrap().has_no_pin = true,
            "package-manager",
            Severity::Advice,
            "packageManager",
        ),
        (
            |facts| facts.model.as_mut().unwrap().apps.push(reads("all", 990)),
            "sources",
            Severity::Advice,
            "the app `all` reads 990 of the 1000 files",
        ),
        (
            |facts| {
                facts.causes =
                    vec![
                        Cause { kind: Kind::Revision, text: "self.rev".to_owned(), place: "flake.nix:3".to_owned() };
                        2
                    ];
            },
            "impure-code",
            Severity::Advice,
            "`self.rev` (flake.nix:3, and 1 more)",
        ),
        (
            |facts| facts.hooks.as_mut().unwrap().iter_mut().for_each(|status| status.from = None),
            "hook",
            Severity::Advice,
            "splitter hook install",
        ),
    ];
    for (fault, check, severity, words) in cases {
        let found = only(fault);
        assert_eq!((found.0, found.1), (check, severity), "{found:?}");
        assert!(found.2.contains(words), "{words}: {found:?}");
    }
}

#[test]
fn a_repository_that_cannot_be_read_is_one_finding() {
    let error =
        || Unread { message: "bun.lock:3:1: expected a value".to_owned(), hints: vec!["run `bun install`".to_owned()] };
    let (check, severity, text) = only(|facts| {
        facts.verdict = Some(Err(error()));
        facts.model = Err(error());
        facts.dirty = None;
    });
    assert_eq!((check, severity), ("record", Severity::Problem));
    assert!(text.contains("bun.lock:3:1") && text.contains("run `bun install`"), "{text}");
    let (check, ..) = only(|facts| {
        facts.model = Err(error());
        facts.dirty = None;
    });
    assert_eq!(check, "readable");
}

#[test]
fn without_splitter_and_without_git_less_is_checked() {
    let (check, severity, _) = only(|facts| {
        facts.is_set_up = false;
        facts.verdict = None;
        facts.hooks.as_mut().unwrap()[0].from = None;
    });
    assert_eq!((check, severity), ("set-up", Severity::Advice));
    let facts = Facts { has_git: false, untracked: vec!["flake.nix".to_owned()], ..good() };
    assert_eq!(found(&facts, NOW), []);
    let facts = Facts { flake: None, has_lock: false, nixpkgs: None, ..good() };
    assert_eq!(found(&facts, NOW), []);
}

#[test]
fn in_ci_no_hook_is_missed() {
    let mut facts = good();
    facts.hooks.as_mut().unwrap()[0].from = None;
    let named = |is_ci| check(&facts, NOW, is_ci).iter().filter(|entry| entry.check.name == "hook").count();
    assert_eq!((named(false), named(true)), (1, 0));
}

#[test]
fn an_app_may_be_all_of_a_small_repository() {
    let mut facts = good();
    facts.model =
        Ok(Model { files: 20, workspaces: 2, apps: vec![reads("web", 20), reads("api", 20)], ..Model::default() });
    assert_eq!(found(&facts, NOW), []);
    let root = Reads { is_root: true, ..reads("root", 1000) };
    let (_, _, text) = only(|facts| facts.model.as_mut().unwrap().apps = vec![root, reads("api", 9)]);
    assert!(text.contains("move the app into a workspace"), "{text}");
    let by_glob = Reads { most: Some("docs/**".to_owned()), ..reads("web", 1000) };
    let (_, _, text) = only(|facts| facts.model.as_mut().unwrap().apps = vec![by_glob, reads("api", 9)]);
    assert!(text.contains("`docs/**`"), "{text}");
}

#[test]
fn a_broken_lock_is_named_with_what_it_stops() {
    let lock = |damage| Broken { file: "flake.lock", why: "is not JSON (line 3)".to_owned(), damage };
    let (check, severity, text) = only(|facts| facts.broken = vec![lock(Damage::Text)]);
    assert_eq!((check, severity), ("flake-files", Severity::Problem));
    assert!(text.contains("none of the 2 apps") && text.contains("git checkout HEAD -- flake.lock"), "{text}");
    let (_, _, text) = only(|facts| facts.broken = vec![lock(Damage::Conflict)]);
    assert!(text.contains("nix flake lock"), "{text}");
    let flake = Broken { file: "flake.nix", why: "is a folder".to_owned(), damage: Damage::Unread };
    let (_, _, text) = only(|facts| facts.broken = vec![flake]);
    assert!(text.contains("mv flake.nix flake.nix.old"), "{text}");
}
