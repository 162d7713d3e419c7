//! Tests with recorded computers and an invented Nix. The end-to-end test gives the advice to a real one.

use serde_json::{Value as Json, json};

use super::{
    notes::{Note, claims},
    render::{Format, diff, file, nix_config},
    *,
};
use crate::{
    fetch::test_server::{Reply, Server},
    machine::{Computer, Recorded, STORE},
    nix::settings::{Settings, StoreInfo, Version, Warning},
};

const GIB: u64 = 1 << 30;

fn computer(name: &str) -> Computer {
    let text = match name {
        "mac" => include_str!("../machine/fixtures/macos.txt"),
        "nixos" => include_str!("../machine/fixtures/nixos.txt"),
        "server" => include_str!("../machine/fixtures/server.txt"),
        "runner" => include_str!("../machine/fixtures/runner.txt"),
        _ => include_str!("../machine/fixtures/cgroup-v2.txt"),
    };
    Computer::of(&Recorded::new(text), STORE)
}

/// A computer with so many cores and so much memory.
fn sized(cores: usize, gibibytes: u64) -> Computer {
    let kibibytes = gibibytes << 20;
    let root = Recorded::default()
        .with("parallelism", &cores.to_string())
        .with("space", "512110190592 200000000000 1000 900")
        .with_file("/sys/devices/system/cpu/online", &format!("0-{}", cores - 1))
        .with_file("/proc/meminfo", &format!("MemTotal: {kibibytes} kB\n"));
    Computer::of(&root, STORE)
}

/// Settings of Nix 2.34 with other values in `changed`.
fn shown(changed: &Json) -> Settings {
    let mut all = json!({});
    let defaults = json!({
        "max-jobs": 1, "cores": 0, "http-connections": 25, "max-substitution-jobs": 16, "connect-timeout": 15, "fallback": false,
        "min-free": 0, "max-free": 9_223_372_036_854_775_807_u64, "auto-optimise-store": false, "keep-outputs": false,
        "substituters": ["https://cache.nixos.org/"], "trusted-public-keys": ["cache.nixos.org-1:key"],
        "narinfo-cache-negative-ttl": 3600, "always-allow-substitutes": false, "max-silent-time": 0, "timeout": 0,
        "fsync-metadata": true, "builders": "@/etc/nix/machines", "builders-use-substitutes": false,
        "experimental-features": []
    });
    for (name, value) in defaults.as_object().unwrap() {
        let set = changed.get(name).unwrap_or(value);
        all[name] = json!({ "value": set, "defaultValue": value, "aliases": [] });
    }
    Settings::of(&all)
}

fn installed(changed: &Json) -> Installed {
    Installed {
        version: Version::parse("nix (Nix) 2.34.8"),
        settings: shown(changed),
        warnings: Vec::new(),
        store: Some(StoreInfo { url: "daemon".to_owned(), version: None, trusted: Some(true) }),
    }
}

fn situation<'a>(computer: &'a Computer, nix: Option<&'a Installed>) -> Situation<'a> {
    Situation { computer, nix, caches: &[], answers: &[], for_ci: computer.kind.ci.holds(), profile: Profile::Balanced }
}

fn numbers(advice: &Advice, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| advice.get(name).map_or("-".to_owned(), |setting| setting.value.to_string())).collect()
}

#[test]
fn the_numbers_follow_from_cores_and_memory() {
    let nix = installed(&json!({}));
    let names = ["max-jobs", "cores", "http-connections", "max-substitution-jobs"];
    let of = |cores, memory, profile| {
        let computer = sized(cores, memory);
        numbers(&advise(&Situation { profile, ..situation(&computer, Some(&nix)) }), &names).join(" ")
    };
    let balanced = [(1, 1), (2, 7), (4, 16), (8, 16), (12, 32), (32, 128), (64, 8), (128, 1024)];
    assert_eq!(
        balanced.map(|(cores, memory)| of(cores, memory, Profile::Balanced)),
        ["1 0 50 16", "1 0 50 16", "2 2 50 32", "4 2 50 32", "6 2 64 32", "16 2 128 64", "2 32 128 64", "16 8 128 64"]
    );
    assert_eq!(of(8, 16, Profile::Conservative), "2 2 25 16");
    assert_eq!(of(8, 16, Profile::HighPerformance), "8 2 128 64");
    assert_eq!(of(1, 1, Profile::HighPerformance), "1 0 128 64");
}

#[test]
fn builds_never_have_the_square_of_the_cores() {
    for cores in 1..=256 {
        for memory in [1, 2, 4, 8, 16, 64, 512] {
            for profile in Profile::ALL {
                let jobs = profile.jobs(&sized(cores, memory)).unwrap();
                assert!(jobs.jobs >= 1 && jobs.cores >= 1, "{cores} {memory} {profile:?}");
                let most = if profile == Profile::HighPerformance { 2 * cores } else { cores + cores / 2 + 1 };
                assert!(jobs.jobs * jobs.cores <= most as u64, "{cores} {memory} {profile:?} {jobs:?}");
            }
        }
    }
}

#[test]
fn the_collector_stops_above_where_it_starts() {
    let free = |bytes| {
        let (least, most) = rules::free_of(bytes);
        (least / GIB, most / GIB)
    };
    assert_eq!(
        [14, 50, 500, 1000, 2000].map(|size| free(size * GIB)),
        [(2, 4), (2, 6), (20, 60), (20, 100), (20, 100)]
    );
    for bytes in (0..4000).map(|size| size * GIB) {
        let (least, most) = rules::free_of(bytes);
        assert!(least > 0 && most >= 2 * least, "{bytes}");
    }
}

#[test]
fn only_settings_that_the_installed_nix_knows_come_out() {
    let computer = computer("nixos");
    let mut nix = installed(&json!({}));
    nix.settings = Settings::of(&json!({ "cores": { "value": 0, "defaultValue": 0 } }));
    let advice = advise(&situation(&computer, Some(&nix)));
    assert_eq!(advice.settings.len(), 1);
    assert!(
        advice
            .withheld
            .iter()
            .any(|withheld| withheld.setting == "max-jobs" && withheld.reason.contains("does not know"))
    );
    assert!(advice.checked);
    let advice = advise(&situation(&computer, None));
    assert!(!advice.checked && advice.get("max-jobs").is_some_and(|setting| setting.state == State::Unknown));
    assert!(advice.notes[0].text.contains("Nix was not found"), "{:?}", advice.notes);
    assert!(file(&advice, Format::NixConf).contains("# Nix was not asked"));
}

#[test]
fn nothing_dangerous_comes_out() {
    let nix = installed(&json!({ "sandbox": false }));
    for name in ["mac", "nixos", "server", "runner", "container"] {
        for profile in Profile::ALL {
            let computer = computer(name);
            let advice = advise(&Situation { profile, ..situation(&computer, Some(&nix)) });
            let dangerous =
                ["trusted-users", "sandbox", "build-dir", "require-sigs", "accept-flake-config", "allowed-users"];
            assert!(dangerous.iter().all(|setting| advice.get(setting).is_none()), "{name}");
            let keeps_metadata = advice.get("fsync-metadata").is_none();
            assert_eq!(keeps_metadata, name != "runner" || profile == Profile::Conservative, "{name} {profile:?}");
        }
    }
}

#[test]
fn a_runner_that_is_thrown_away_collects_no_garbage() {
    let (computer, nix) = (computer("runner"), installed(&json!({})));
    let advice = advise(&situation(&computer, Some(&nix)));
    assert_eq!((advice.get("min-free"), advice.schedule), (None, None));
    assert_eq!(advice.get("keep-outputs"), None);
    insta::assert_snapshot!("runner_nix_config", nix_config(&advice));
}

#[test]
fn ci_settings_made_elsewhere_have_no_cores() {
    let (computer, nix) = (computer("nixos"), installed(&json!({})));
    let advice = advise(&Situation { for_ci: true, ..situation(&computer, Some(&nix)) });
    assert_eq!((advice.get("max-jobs"), advice.get("cores"), advice.get("fsync-metadata")), (None, None, None));
    assert!(advice.get("timeout").is_some());
}

#[test]
fn what_is_set_already_is_no_change() {
    let computer = computer("nixos");
    let nix = installed(&json!({ "max-jobs": 6, "auto-optimise-store": true }));
    let advice = advise(&situation(&computer, Some(&nix)));
    let state = |name: &str| advice.get(name).map(|setting| setting.state);
    assert_eq!(state("max-jobs"), Some(State::Set));
    assert_eq!(state("auto-optimise-store"), Some(State::Change));
    insta::assert_snapshot!("diff", diff(&advice));
}

#[test]
fn caches_come_with_their_keys_or_not_at_all() {
    let cache = |address: &str, substituter: Option<&str>, keys: &[&str], unsigned| TeamCache {
        address: address.to_owned(),
        substituter: substituter.map(str::to_owned),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        unsigned,
    };
    let caches = [
        cache("cachix:acme", Some("https://acme.cachix.org"), &["acme.cachix.org-1:key"], false),
        cache("cachix:other", Some("https://other.cachix.org"), &[], false),
        cache("attic:home/cache", None, &["home-1:key"], false),
        cache("http://x?trusted=true", Some("http://x?trusted=true"), &[], true),
        cache("ssh-ng://builder", Some("ssh-ng://builder"), &["b:key"], false),
    ];
    let (computer, nix) = (computer("nixos"), installed(&json!({})));
    let with_caches = Situation { caches: &caches, ..situation(&computer, Some(&nix)) };
    let advice = advise(&with_caches);
    assert_eq!(
        numbers(&advice, &["extra-substituters", "extra-trusted-public-keys", "fallback"]),
        ["https://acme.cachix.org", "acme.cachix.org-1:key", "true"]
    );
    assert_eq!(advice.withheld.iter().filter(|withheld| withheld.setting.starts_with("extra-")).count(), 4);
    insta::assert_snapshot!("nix_conf", file(&advice, Format::NixConf));
    insta::assert_snapshot!("nixos", file(&advice, Format::NixOs));
    insta::assert_snapshot!(
        "darwin",
        file(&advise(&Situation { profile: Profile::Conservative, ..with_caches }), Format::Darwin)
    );
    let has = json!({ "substituters": ["https://acme.cachix.org/"], "trusted-public-keys": ["acme.cachix.org-1:key"] });
    let nix = installed(&has);
    let advice = advise(&Situation { caches: &caches[..1], ..situation(&computer, Some(&nix)) });
    assert_eq!(advice.get("extra-substituters").map(|setting| setting.state), Some(State::Set));
    assert_eq!(advice.get("extra-trusted-public-keys"), None);
}

fn texts(notes: &[Note]) -> String {
    notes.iter().map(|note| format!("{} | {}\n", note.text, note.hint.as_deref().unwrap_or("-"))).collect()
}

#[test]
fn the_advice_says_where_settings_are_ignored() {
    let computer = computer("container");
    let mut nix = installed(&json!({}));
    nix.store = Some(StoreInfo { url: "daemon".to_owned(), version: None, trusted: Some(false) });
    nix.warnings = vec![
        Warning::Unknown { setting: "parallel-builds".to_owned() },
        Warning::Restricted { setting: "sandbox".to_owned() },
        Warning::Substituter { url: "https://x.example".to_owned() },
    ];
    insta::assert_snapshot!("notes_of_an_untrusted_user", texts(&advise(&situation(&computer, Some(&nix))).notes));
    nix.version = Version::parse("nix (Determinate Nix 3.15.2) 2.33.1");
    nix.warnings.clear();
    let computer = self::computer("mac");
    insta::assert_snapshot!("notes_of_determinate_nix", texts(&advise(&situation(&computer, Some(&nix))).notes));
}

#[test]
fn content_addressed_builds_get_no_collector() {
    let nix = installed(&json!({ "experimental-features": ["ca-derivations", "flakes"] }));
    let computer = computer("nixos");
    let advice = advise(&situation(&computer, Some(&nix)));
    assert_eq!((advice.get("min-free"), advice.get("max-free")), (None, None));
}

#[test]
fn usual_advice_is_answered_with_the_numbers_of_this_computer() {
    let (computer, nix) = (computer("nixos"), installed(&json!({})));
    let of = |profile| {
        let claims = claims(&Situation { profile, ..situation(&computer, Some(&nix)) });
        claims.iter().map(|claim| format!("{}: {}\n", claim.claim, claim.truth)).collect::<String>()
    };
    insta::assert_snapshot!(
        "claims",
        Profile::ALL.map(|profile| format!("{}\n{}", profile.name(), of(profile))).join("\n")
    );
}

#[test]
fn a_late_cache_gets_more_requests_at_once() {
    let (computer, nix) = (computer("container"), installed(&json!({})));
    let answer = |milliseconds| network::Answer { url: "https://x/".to_owned(), milliseconds, trouble: None };
    let answers = [answer(Some(180)), answer(None)];
    let advice = advise(&Situation { answers: &answers, ..situation(&computer, Some(&nix)) });
    assert_eq!(numbers(&advice, &["http-connections", "max-substitution-jobs"]), ["64", "32"]);
    assert!(advice.notes.iter().any(|note| note.text.contains("does not answer")));
}

#[test]
fn caches_are_timed_all_at_once() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/good/nix-cache-info" => Reply::ok(b"StoreDir: /nix/store\n"),
        _ => Reply::status(503),
    });
    let base = server.url.to_string();
    let urls = [format!("{base}good"), format!("{base}bad"), "file:///srv".to_owned(), "no url".to_owned()];
    let answers = network::ask(&urls).unwrap();
    assert_eq!(answers.len(), 2);
    assert!(answers[0].milliseconds.is_some() && answers[0].trouble.is_none(), "{answers:?}");
    assert!(answers[1].trouble.as_deref().is_some_and(|trouble| trouble.contains("503")), "{answers:?}");
}

#[test]
fn a_setting_without_a_gain_is_withdrawn() {
    let (computer, nix) = (computer("nixos"), installed(&json!({})));
    let mut advice = advise(&situation(&computer, Some(&nix)));
    advice.withdraw("http-connections", "no gain".to_owned());
    advice.withdraw("no-such-setting", "no gain".to_owned());
    assert_eq!(advice.get("http-connections"), None);
    assert_eq!(advice.withheld.iter().filter(|withheld| withheld.reason == "no gain").count(), 1);
}
