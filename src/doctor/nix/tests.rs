//! The checks of Nix over the settings that Nix 2.34.8 prints, and over recorded computers.

use serde_json::{Value, json};

use super::*;
use crate::{
    doctor::model::{Severity, State},
    machine::{Recorded, Root},
    nix::settings::{StoreInfo, Version, Warning},
};

const DEFAULTS: &str = include_str!("../../../tests/nix-settings/nix-2.34.8.json");
const SERVER: &str = include_str!("../../machine/fixtures/server.txt");
const MAC: &str = include_str!("../../machine/fixtures/macos.txt");

/// A Nix with the default settings and these.
fn nix(set: &[(&str, Value)]) -> Installed {
    let mut shown: Value = serde_json::from_str(DEFAULTS).unwrap();
    shown["experimental-features"]["value"] = json!(["flakes", "nix-command"]);
    for (name, value) in set {
        shown[name]["value"] = value.clone();
    }
    Installed {
        program: "/usr/bin/nix".into(),
        version: Ok(Version::parse("nix (Nix) 2.34.8").unwrap()),
        settings: Ok(Settings::of(&shown)),
        shown,
        warnings: Vec::new(),
        store: Ok(StoreInfo { url: "daemon".to_owned(), version: None, trusted: Some(false) }),
        store_warnings: Vec::new(),
    }
}

struct World {
    computer: Computer,
    environment: Environment,
    has_team_caches: bool,
    namespaces: Option<bool>,
    build_dir: Option<(PathBuf, u32)>,
}

impl World {
    fn of(root: &dyn Root) -> Self {
        Self {
            computer: Computer::of(root, "/nix/store"),
            environment: Environment::from_pairs([("HOME", "/none")]),
            has_team_caches: false,
            namespaces: Some(true),
            build_dir: None,
        }
    }

    fn server() -> Self {
        Self::of(&Recorded::new(SERVER))
    }

    fn check(&self, nix: Option<&Installed>) -> Vec<Entry> {
        check(&Facts {
            installed: nix,
            elsewhere: None,
            place: Place::File { path: "/etc/nix/nix.conf".into(), has_daemon: true },
            files: Vec::new(),
            environment: &self.environment,
            computer: &self.computer,
            namespaces: self.namespaces,
            build_dir: self.build_dir.clone(),
            has_team_caches: self.has_team_caches,
        })
    }

    /// Returns the findings: the check, how bad it is, and what is wrong.
    fn found(&self, nix: &Installed) -> Vec<(&'static str, Severity, String)> {
        let entries = self.check(Some(nix)).into_iter();
        let found = entries.filter_map(|entry| match entry.state {
            State::Found(finding) => Some((entry.check.name, finding.severity, finding.what)),
            _ => None,
        });
        found.collect()
    }
}

/// Returns the only finding of the server with these settings.
#[track_caller]
fn only(set: &[(&str, Value)]) -> (&'static str, Severity, String) {
    let set: Vec<(&str, Value)> =
        [("max-jobs", json!(16)), ("cores", json!(2))].into_iter().chain(set.iter().cloned()).collect();
    let found = World::server().found(&nix(&set));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_machine_with_good_settings_has_no_finding() {
    let world = World::server();
    assert_eq!(world.found(&nix(&[("max-jobs", json!(16)), ("cores", json!(2))])), []);
}

#[test]
fn a_missing_nix_is_one_finding_with_the_way_to_install_it() {
    let entries = World::server().check(None);
    let State::Found(finding) = &entries[0].state else { panic!("{entries:?}") };
    assert_eq!((entries.len(), finding.severity), (1, Severity::Problem));
    assert!(format!("{:?}", finding.remedies).contains("https://nixos.org/download"));
}

#[test]
fn each_bad_setting_is_found() {
    for (set, check, severity, words) in [
        (vec![("sandbox", json!(false))], "sandbox", Severity::Problem, "the sandbox is off"),
        (vec![("sandbox", json!("relaxed"))], "sandbox", Severity::Advice, "the sandbox is open"),
        (vec![("substitute", json!(false))], "substitution", Severity::Problem, "downloads from caches are off"),
        (vec![("substituters", json!([]))], "substitution", Severity::Problem, "asks no cache"),
        (vec![("require-sigs", json!(false))], "dangerous-settings", Severity::Problem, "unsigned paths"),
        (vec![("accept-flake-config", json!(true))], "dangerous-settings", Severity::Problem, "every flake may change"),
        (vec![("trusted-users", json!(["root", "*"]))], "dangerous-settings", Severity::Problem, "rights of root"),
        (vec![("auto-optimise-store", json!(true))], "optimise-store", Severity::Advice, "compares every new file"),
        (vec![("experimental-features", json!([]))], "flakes", Severity::Problem, "flakes are not enabled"),
        (
            vec![("max-jobs", json!(0)), ("builders", json!(""))],
            "jobs-and-cores",
            Severity::Problem,
            "nothing may be built",
        ),
    ] {
        let found = only(&set);
        assert_eq!((found.0, found.1), (check, severity), "{set:?}");
        assert!(found.2.contains(words), "{found:?}");
    }
}

#[test]
fn too_many_processes_and_too_few_builds_are_counted_in_cores() {
    let world = World::server();
    let cores = world.computer.cores.usable.get().unwrap() as u64;
    let found = world.found(&nix(&[("max-jobs", json!(cores)), ("cores", json!(0))]));
    assert_eq!(found[0].2, format!("Nix may start {} processes on {cores} cores", cores * cores));
    let found = world.found(&nix(&[]));
    assert_eq!((found[0].0, found[0].1), ("jobs-and-cores", Severity::Advice));
    assert_eq!(found[0].2, format!("Nix builds one thing at a time on {cores} cores"));
}

#[test]
fn the_warnings_of_nix_become_findings_with_the_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nix.conf");
    fs_err::write(&file, "x = 1\nparallel-builds = 4\n").unwrap();
    let mut nix = nix(&[]);
    nix.warnings = vec![Warning::Unknown { setting: "parallel-builds".to_owned() }; 2];
    nix.store_warnings = vec![
        Warning::Restricted { setting: "sandbox".to_owned() },
        Warning::Substituter { url: "https://x.example".to_owned() },
        Warning::Other { text: "other".to_owned() },
    ];
    let world = World::server();
    let facts = Facts {
        installed: Some(&nix),
        elsewhere: None,
        place: Place::Modules,
        files: vec![file.clone()],
        environment: &world.environment,
        computer: &world.computer,
        namespaces: None,
        build_dir: None,
        has_team_caches: false,
    };
    let whats: Vec<String> = check(&facts)
        .into_iter()
        .filter_map(|entry| if let State::Found(finding) = entry.state { Some(finding.what) } else { None })
        .collect();
    assert!(
        whats.contains(&format!("this Nix does not know the setting `parallel-builds` ({}:2)", file.display())),
        "{whats:?}"
    );
    assert!(
        whats.contains(&"the daemon ignores what this user set: `sandbox`, the cache https://x.example".to_owned()),
        "{whats:?}"
    );
}

#[test]
fn a_daemon_that_does_not_answer_blocks_other_checks() {
    let failed = |reason: &str| NoAnswer::Failed { command: "nix store info".to_owned(), reason: reason.to_owned() };
    let mut nix = nix(&[("max-jobs", json!(16)), ("cores", json!(2))]);
    nix.store = Err(failed("cannot connect to socket at '/nix/x': No such file or directory"));
    let found = World::server().found(&nix);
    assert!(found.len() == 1 && found[0].0 == "daemon" && found[0].2.contains("does not answer"), "{found:?}");
    nix.store = Err(failed("cannot connect to socket at '/nix/x': Permission denied"));
    assert!(World::server().found(&nix)[0].2.starts_with("this user may not use Nix"));
    // Settings that cannot be read are the reason for both.
    nix.settings = Err(failed("syntax error in configuration line 'a=b' in \"NIX_CONFIG\""));
    let found = World::server().found(&nix);
    assert!(found.len() == 1 && found[0].0 == "nix-settings", "{found:?}");
}

#[test]
fn a_sandbox_that_the_machine_refuses_is_found_without_a_daemon_only() {
    let mut world = World::server();
    world.namespaces = Some(false);
    let mut nix = nix(&[("max-jobs", json!(16)), ("cores", json!(2))]);
    assert_eq!(world.found(&nix), []);
    nix.store = Ok(StoreInfo { url: "local".to_owned(), version: None, trusted: Some(true) });
    assert_eq!(world.found(&nix)[0].0, "sandbox");
    nix = self::nix(&[("max-jobs", json!(16)), ("cores", json!(2)), ("sandbox-fallback", json!(false))]);
    nix.store = Ok(StoreInfo { url: "local".to_owned(), version: None, trusted: Some(true) });
    assert_eq!(world.found(&nix), []);
}

#[test]
fn a_setting_that_the_daemon_ignores_is_not_held_against_the_daemon() {
    let mut nix =
        nix(&[("max-jobs", json!(16)), ("cores", json!(2)), ("sandbox", json!(false)), ("require-sigs", json!(false))]);
    let ignored = |setting: &str| Warning::Restricted { setting: setting.to_owned() };
    nix.store_warnings = vec![ignored("sandbox"), ignored("require-sigs")];
    let names: Vec<&str> = World::server().found(&nix).iter().map(|found| found.0).collect();
    assert_eq!(names, ["ignored-settings"]);
}

#[test]
fn old_versions_open_folders_and_long_memories_are_found() {
    let mut world = World::server();
    world.build_dir = Some(("/b".into(), 0o41777));
    world.has_team_caches = true;
    let mut nix = nix(&[("max-jobs", json!(16)), ("cores", json!(2))]);
    nix.version = Ok(Version::parse("nix (Nix) 2.17.0").unwrap());
    let names: Vec<&str> = world.found(&nix).iter().map(|found| found.0).collect();
    assert_eq!(names, ["nix-version", "remembered-misses", "build-dir"]);
    nix.version = Ok(Version::parse("nix (Lix, like Nix) 2.93.0").unwrap());
    world.build_dir = Some(("/b".into(), 0o40755));
    let names: Vec<&str> = world.found(&nix).iter().map(|found| found.0).collect();
    assert_eq!(names, ["remembered-misses"]);
}

#[test]
fn on_macos_the_default_sandbox_is_advice_and_optimising_a_problem() {
    let world = World::of(&Recorded::new(MAC));
    let found = world.found(&nix(&[
        ("max-jobs", json!(4)),
        ("cores", json!(2)),
        ("sandbox", json!(false)),
        ("auto-optimise-store", json!(true)),
    ]));
    let kinds: Vec<_> = found.iter().map(|found| (found.0, found.1)).collect();
    assert_eq!(kinds, [("optimise-store", Severity::Problem), ("sandbox", Severity::Advice)]);
}

/// What `doctor` finds wrong, `tune` changes, and nothing else.
#[test]
fn doctor_and_tune_agree_on_jobs_and_cores() {
    use crate::tune::{self, Profile, Situation, State as Change, advise};
    for (cores, memory) in [(1, 1), (2, 4), (2, 25), (4, 16), (8, 16), (8, 4), (12, 32), (32, 128)] {
        let root = Recorded::default()
            .with("parallelism", &cores.to_string())
            .with("space", "512110190592 200000000000 1000 900")
            .with_file("/sys/devices/system/cpu/online", &format!("0-{}", cores - 1))
            .with_file("/proc/meminfo", &format!("MemTotal: {} kB\n", memory << 20));
        let world = World::of(&root);
        for (jobs, each) in
            [1, 2, 3, 4, 8, 12, 32].into_iter().flat_map(|jobs| [0, 1, 2, 4, 8].map(|each| (jobs, each)))
        {
            let nix = nix(&[("max-jobs", json!(jobs)), ("cores", json!(each))]);
            let is_found = world.found(&nix).iter().any(|(check, ..)| *check == "jobs-and-cores");
            let known = tune::Installed {
                version: nix.version.clone().ok(),
                settings: nix.settings.clone().unwrap(),
                warnings: Vec::new(),
                store: nix.store.clone().ok(),
            };
            let profile = Profile::default();
            let (nix, caches, answers) = (Some(&known), &[][..], &[][..]);
            let advice = advise(&Situation { computer: &world.computer, nix, caches, answers, for_ci: false, profile });
            let is_changed = |name: &str| advice.get(name).is_some_and(|setting| setting.state == Change::Change);
            let changes = is_changed("max-jobs") || is_changed("cores");
            assert_eq!(is_found, changes, "{jobs} × {each} on {cores} cores and {memory} GiB");
        }
    }
}
