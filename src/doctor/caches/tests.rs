//! The checks of caches over their answers, and answers of servers on the loopback.

use serde_json::{Value, json};

use super::*;
use crate::{
    caches::{CacheChoice, machine::Machine, query::Asking},
    doctor::model::{Severity, State},
    fetch::{
        Environment,
        test_server::{Reply, Request, Server},
    },
    nix::command::Nix,
};

const GOLDEN: &str = include_str!("../../../tests/narinfo/golden.txt");
const KEY: &str = "golden-1:3x829q0hWOErax+oWUSWb/x5wjevbXuLJFX937mr2ys=";
const A: &str = "vfdj1g50j0iax7b3s2952v08c8mlvwm3-a";

fn settings(set: &[(&str, Value)]) -> Settings {
    let mut shown: Value = serde_json::from_str(include_str!("../../../tests/nix-settings/nix-2.34.8.json")).unwrap();
    for (name, value) in set {
        shown[name]["value"] = value.clone();
    }
    Settings::of(&shown)
}

fn asked(address: &str) -> Asked {
    let choice = CacheChoice::of(address.parse().unwrap());
    Asked { shown: choice.address.to_string(), choice, team_keys: Vec::new(), by_nix: true, by_team: false }
}

fn answers(trusts: Vec<Trust>, milliseconds: u64) -> Seen {
    Seen::Answers { took: Some(Duration::from_millis(milliseconds)), date: None, trusts, asked: 40 }
}

struct Case {
    set: Vec<(&'static str, Value)>,
    is_trusted: bool,
    flake: Option<&'static str>,
}

impl Case {
    fn new() -> Self {
        Self { set: Vec::new(), is_trusted: false, flake: None }
    }

    fn entries(&self, probes: &[Probe]) -> Vec<Entry> {
        let settings = settings(&self.set);
        let facts = Facts {
            probes,
            settings: &settings,
            place: &Place::Modules,
            is_trusted: self.is_trusted,
            flake: self.flake,
            is_offline: false,
        };
        check(&facts)
    }

    /// Returns the findings: the check, how bad it is, and its whole text.
    fn found(&self, probes: &[Probe]) -> Vec<(&'static str, Severity, String)> {
        let entries = self.entries(probes).into_iter();
        let found = entries.filter_map(|entry| match entry.state {
            State::Found(finding) => Some((
                entry.check.name,
                finding.severity,
                format!("{} {} {:?}", finding.what, finding.why, finding.remedies),
            )),
            _ => None,
        });
        found.collect()
    }
}

#[track_caller]
fn only(probe: Probe) -> (&'static str, Severity, String) {
    let found = Case::new().found(&[probe]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_cache_that_answers_and_is_trusted_is_fine() {
    let probe = Probe { asked: asked("https://a.example"), seen: answers(vec![Trust::Signed("k".to_owned())], 20) };
    assert_eq!(Case::new().found(&[probe]), []);
}

#[test]
fn a_key_that_nobody_trusts_is_found_with_its_name() {
    let foreign = Trust::Foreign(vec!["acme-1".to_owned()]);
    let probe = Probe { asked: asked("https://a.example"), seen: answers(vec![foreign.clone(); 3], 20) };
    let (check, severity, text) = only(probe);
    assert_eq!((check, severity), ("cache-keys", Severity::Problem));
    assert!(text.contains("all 3 paths") && text.contains("`acme-1`"), "{text}");
    // A cache that also has paths of others.
    let some = answers(vec![Trust::Signed("k".to_owned()), foreign], 20);
    assert_eq!(only(Probe { asked: asked("https://a.example"), seen: some }).1, Severity::Advice);
    // With a key in splitter.json, that key is what to add.
    let own = Asked { team_keys: vec![KEY.parse().unwrap()], by_team: true, ..asked("https://a.example") };
    let (_, _, text) = only(Probe { asked: own.clone(), seen: answers(vec![Trust::Unsigned], 20) });
    assert!(text.contains(KEY), "{text}");
    let (check, _, text) = only(Probe { asked: own, seen: answers(Vec::new(), 20) });
    assert!(check == "cache-keys" && text.contains(KEY), "{text}");
}

#[test]
fn each_trouble_says_what_nix_does_then() {
    for (trouble, words) in [
        (Trouble::Denied { status: 401, has_credentials: false }, "wants credentials (status 401)"),
        (Trouble::Denied { status: 407, has_credentials: true }, "refuses the credentials"),
        (Trouble::Status(503), "fails the build"),
        (Trouble::Certificate("expired".to_owned()), "certificate"),
        (Trouble::NoCache("it answered 404".to_owned()), "is no binary cache: it answered 404"),
        (Trouble::Store { found: "/other".to_owned(), expected: "/nix/store".to_owned() }, "another store: /other"),
        (Trouble::Connect("refused".to_owned()), "Nix waits up to 15 s"),
    ] {
        let (check, severity, text) = only(Probe { asked: asked("https://a.example"), seen: Seen::Away(trouble) });
        assert_eq!((check, severity), ("cache-answers", Severity::Problem));
        assert!(text.contains(words), "{text}");
    }
    let (check, severity, text) = only(Probe { asked: asked("https://a.example"), seen: answers(Vec::new(), 900) });
    assert_eq!((check, severity), ("cache-speed", Severity::Advice));
    assert!(text.contains("900 ms") && text.contains("is 18 s"), "{text}");
}

#[test]
fn several_dead_caches_are_one_finding() {
    let probes =
        ["https://a.example", "https://b.example"].map(|address| Probe { asked: asked(address), seen: Seen::Late });
    let found = Case::new().found(&probes);
    assert!(found.len() == 1 && found[0].2.starts_with("none of 2 caches can be reached"), "{found:?}");
    let mixed = [probes[0].clone(), Probe { asked: asked("https://c.example"), seen: answers(Vec::new(), 20) }];
    assert_eq!(Case::new().found(&mixed).len(), 1);
}

#[test]
fn a_cache_of_the_team_must_be_one_that_nix_asks() {
    let team = Asked { by_nix: false, by_team: true, ..asked("cachix:acme") };
    let probe = [Probe { asked: team, seen: answers(Vec::new(), 20) }];
    let mut case = Case::new();
    let found = case.found(&probe);
    assert_eq!((found[0].0, found[0].1), ("team-caches", Severity::Problem));
    assert!(found[0].2.contains("extra-substituters = \\\"https://acme.cachix.org\\\""), "{found:?}");
    // A flake may name it, if the daemon listens to this user.
    case.flake = Some("nixConfig.extra-substituters = [ \"https://acme.cachix.org\" ];");
    assert!(case.found(&probe)[0].2.contains("does not trust this user"));
    case.is_trusted = true;
    assert_eq!(case.found(&probe), []);
    (case.is_trusted, case.set) = (false, vec![("trusted-substituters", json!(["https://acme.cachix.org/"]))]);
    assert_eq!(case.found(&probe), []);
}

#[test]
fn caches_of_both_lists_are_asked_once() {
    let settings = json!({ "substituters": { "value": ["https://acme.cachix.org", "https://cache.nixos.org/"] } });
    let machine = Machine::of(&settings, &Environment::default());
    let team =
        CacheChoice { public_keys: vec![KEY.parse().unwrap()], ..CacheChoice::of("cachix:acme".parse().unwrap()) };
    let all = probe::list(&machine, &[team, CacheChoice::of("file:///x".parse().unwrap())]);
    let shown: Vec<_> = all.iter().map(|asked| (asked.shown.as_str(), asked.by_nix, asked.by_team)).collect();
    assert_eq!(
        shown,
        [("https://acme.cachix.org", true, true), ("https://cache.nixos.org", true, false), ("file:///x", false, true)]
    );
    assert_eq!(all[0].team_keys.len(), 1);
}

fn as_cache(request: &Request) -> Reply {
    let file = request.path.rsplit('/').next().unwrap_or_default();
    match file {
        "nix-cache-info" => Reply::ok(b"StoreDir: /nix/store\n").with("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        _ if file.strip_suffix(".narinfo") == Some(&A[..32]) => {
            let text = GOLDEN.split("\n\n").find(|text| text.contains(&format!("StorePath: /nix/store/{A}\n")));
            Reply::ok(text.unwrap_or_default().as_bytes())
        }
        _ => Reply::status(404),
    }
}

/// Asks a server with these keys trusted.
fn probed(url: &str, keys: &[&str], limit: Duration) -> Seen {
    let machine = Machine::of(&json!({ "trusted-public-keys": { "value": keys } }), &Environment::default());
    let nix = Nix::at("/nowhere/nix");
    let asking = Asking { stall: limit, attempts: 1, ..Asking::new(&machine, &nix, "/nix/store") };
    let sample = [A.parse().unwrap(), "8z3wjas3v8r3l97274kb79bz2v91mya3-gone".parse().unwrap()];
    probe::ask(vec![asked(url)], &asking, &sample, limit).unwrap().remove(0).seen
}

#[test]
fn a_server_is_asked_for_its_signatures_and_its_clock() {
    let server = Server::start(|_, request| as_cache(request));
    let minute = Duration::from_mins(1);
    let Seen::Answers { took, date, trusts, asked } = probed(server.url.as_str(), &[KEY], minute) else { panic!() };
    assert_eq!((trusts, asked), (vec![Trust::Signed("golden-1".to_owned())], 2));
    assert!(took.is_some() && date.as_deref() == Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let Seen::Answers { trusts, .. } = probed(server.url.as_str(), &[], minute) else { panic!() };
    assert_eq!(trusts, [Trust::Foreign(vec!["golden-1".to_owned()])]);
    let refusing = Server::start(|_, _| Reply::status(407));
    assert_eq!(
        probed(refusing.url.as_str(), &[], minute),
        Seen::Away(Trouble::Denied { status: 407, has_credentials: false })
    );
    // One question is enough for a server with a fault.
    let broken = Server::start(|_, _| Reply::status(503));
    assert_eq!(probed(broken.url.as_str(), &[], minute), Seen::Away(Trouble::Status(503)));
    assert_eq!(broken.requests().len(), 1);
}

#[test]
fn a_silent_server_costs_only_the_limit() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let start = std::time::Instant::now();
    let seen = probed(&url, &[], Duration::from_millis(300));
    assert!(matches!(seen, Seen::Late | Seen::Away(Trouble::Stalled)), "{seen:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}
