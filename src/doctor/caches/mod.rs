//! Checks of binary caches: those that Nix asks, and those that `splitter.json` names.

pub mod probe;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::probe::{Asked, Probe, Seen};
use super::{
    model::{Entry, Finding},
    nix::place::Place,
};
use crate::{
    caches::{Address, Trouble, narinfo::Trust},
    nix::settings::Settings,
};

checks! {
    Caches;
    ANSWERS = "cache-answers", SlowCi, CacheMisses;
    SPEED = "cache-speed", SlowCi, SlowBuilds;
    KEYS = "cache-keys", SlowCi, CacheMisses;
    TEAM = "team-caches", SlowCi, CacheMisses;
}

/// The time of one request from which on a cache is slow.
const SLOW: Duration = Duration::from_millis(300);
/// The store paths that an app of medium size needs, compilers and Node.js included.
const PATHS: u32 = 500;
/// What Nix asks at once unless the settings say otherwise.
const CONNECTIONS: u64 = 25;

/// What the checks of caches are made of.
pub struct Facts<'a> {
    /// The caches, with their answers. Nothing if none may be asked.
    pub probes: &'a [Probe],
    /// The settings of Nix.
    pub settings: &'a Settings,
    /// Where settings belong.
    pub place: &'a Place,
    /// Whether the settings of this user count.
    pub is_trusted: bool,
    /// The text of `flake.nix`.
    pub flake: Option<&'a str>,
    /// Whether the network may be used.
    pub is_offline: bool,
}

/// Makes all checks of caches.
pub fn check(facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = facts.probes.iter().filter_map(|probe| team(&probe.asked, facts)).collect();
    let is_dead =
        |probe: &&Probe| matches!(&probe.seen, Seen::Late | Seen::Away(Trouble::Connect(_) | Trouble::Stalled));
    let asked: Vec<&Probe> =
        facts.probes.iter().filter(|probe| !matches!(probe.asked.choice.address, Address::File { .. })).collect();
    if facts.is_offline {
        entries.push(ANSWERS.unknown("`--offline` asks no cache"));
    } else if asked.len() > 1 && asked.iter().all(is_dead) {
        entries.push(no_network(&asked, facts));
    }
    let is_single = !entries.iter().any(|entry| entry.check == &ANSWERS);
    for probe in facts.probes {
        if is_single || !is_dead(&probe) {
            entries.extend(answers(probe, facts));
        }
    }
    entries
}

fn no_network(asked: &[&Probe], facts: &Facts<'_>) -> Entry {
    let names: Vec<&str> = asked.iter().map(|probe| probe.asked.shown.as_str()).collect();
    let finding = Finding::problem(
        74,
        format!("none of {} caches can be reached: {}", asked.len(), names.join(", ")),
        format!(
            "This machine may have no network. Nix waits up to {} for each connection before it builds.",
            patience(facts)
        ),
    );
    let finding = finding.so("check the network, and the proxy if there is one");
    ANSWERS.found(finding.so("without a network, add `--offline` to commands of Nix: they then do not wait"))
}

fn patience(facts: &Facts<'_>) -> String {
    match facts.settings.number("connect-timeout") {
        Some(seconds) if seconds > 0 => format!("{seconds} s"),
        _ => "some minutes".to_owned(),
    }
}

fn answers(probe: &Probe, facts: &Facts<'_>) -> Vec<Entry> {
    let shown = &probe.asked.shown;
    match &probe.seen {
        Seen::Unasked => Vec::new(),
        Seen::ByNix(None) => vec![ANSWERS.fine(format!("{shown} answers Nix"))],
        Seen::ByNix(Some(reason)) => {
            let finding = Finding::problem(72, format!("{shown} does not answer: {reason}"), unreachable(facts));
            vec![ANSWERS.found(finding.so(format!("check that this machine reaches {shown}, and its credentials")))]
        }
        Seen::Late => {
            let finding = Finding::problem(72, format!("{shown} gives no answer in time"), unreachable(facts));
            vec![ANSWERS.found(finding.so(format!("check that this machine reaches {shown}")))]
        }
        Seen::Away(trouble) => vec![away(probe, trouble, facts)],
        Seen::Answers { took, trusts, asked, .. } => {
            let mut entries = vec![speed(shown, *took, facts)];
            entries.extend(keys(&probe.asked, trusts, *asked, facts));
            entries
        }
    }
}

fn unreachable(facts: &Facts<'_>) -> String {
    format!("Nix waits up to {} for it, and builds what only this cache has.", patience(facts))
}

fn away(probe: &Probe, trouble: &Trouble, facts: &Facts<'_>) -> Entry {
    let shown = &probe.asked.shown;
    let has_fallback = facts.settings.flag("fallback") == Some(true);
    let (weight, what, why) = match trouble {
        Trouble::Denied { status, has_credentials } => {
            let with = if *has_credentials { "refuses the credentials of this machine" } else { "wants credentials" };
            (
                75,
                format!("{shown} {with} (status {status})"),
                "Nix treats that as \"not there\", without a word, and builds everything that the cache has."
                    .to_owned(),
            )
        }
        Trouble::Status(_) | Trouble::Throttled { .. } if !has_fallback => (
            73,
            format!("{shown} has a fault: {trouble}"),
            "For such an answer Nix tries five times, and then fails the build.".to_owned(),
        ),
        Trouble::Store { found, .. } => (
            64,
            format!("{shown} is for another store: {found}"),
            "Nothing in it can be used on this machine, but Nix asks it for every path.".to_owned(),
        ),
        Trouble::NoCache(reason) => (
            71,
            format!("{shown} is no binary cache: {reason}"),
            "Nix asks it in vain, and builds what it should have.".to_owned(),
        ),
        Trouble::Certificate(_) => (
            74,
            format!("{shown} has a certificate that this machine does not trust"),
            "Nix does not use the cache. A wrong clock is a common cause.".to_owned(),
        ),
        _ => (72, format!("{shown} does not answer: {trouble}"), unreachable(facts)),
    };
    let finding = Finding::problem(weight, what, why);
    ANSWERS.found(match trouble.hint(shown) {
        Some(hint) => finding.so(hint),
        None => finding,
    })
}

fn speed(shown: &str, took: Option<Duration>, facts: &Facts<'_>) -> Entry {
    let Some(took) = took else { return ANSWERS.fine(format!("{shown} is there")) };
    let milliseconds = took.as_millis();
    if took < SLOW {
        return SPEED.fine(format!("{shown} answers in {milliseconds} ms"));
    }
    let connections = match facts.settings.number("http-connections") {
        Some(0) => u64::from(PATHS),
        Some(number) => number,
        None => CONNECTIONS,
    };
    let all = took * PATHS / u32::try_from(connections).unwrap_or(u32::MAX).max(1);
    let finding = Finding::advice(
        38,
        format!("{shown} takes {milliseconds} ms for each answer"),
        format!(
            "Nix asks every cache for every path that it lacks. For an app with {PATHS} paths, {connections} at once, that is {} s \
             before anything is downloaded.",
            all.as_secs().max(1)
        ),
    );
    let finding = finding.so("remove the cache from `substituters` if builds do not need it");
    SPEED.found(finding.so(facts.place.to_set("http-connections", "128")))
}

/// Checks who signed what a cache has.
fn keys(asked: &Asked, trusts: &[Trust], number: usize, facts: &Facts<'_>) -> Option<Entry> {
    let shown = &asked.shown;
    if !asked.by_nix {
        // What Nix does not ask is in a finding of its own.
        return None;
    }
    if asked.choice.address.is_trusted() {
        return Some(KEYS.fine(format!("{shown} needs no key, because its address says so")));
    }
    let bad: Vec<&Trust> = trusts.iter().filter(|trust| !trust.is_enough()).collect();
    if let Some(first) = bad.first() {
        let which = if bad.len() == trusts.len() {
            format!("all {} paths", trusts.len())
        } else {
            format!("{} of {} paths", bad.len(), trusts.len())
        };
        let what = format!("Nix does not trust {shown}: {which} that were looked at: {first}");
        let why = "Nix ignores such a path and builds it. In the log that looks as if the cache did not have it.";
        let finding =
            if bad.len() == trusts.len() { Finding::problem(78, what, why) } else { Finding::advice(43, what, why) };
        return Some(KEYS.found(to_trust(finding, asked, first, facts)));
    }
    if let Some(first) = trusts.first() {
        return Some(KEYS.fine(format!("Nix takes what {shown} has: {first}")));
    }
    let missing = asked.team_keys.iter().find(|key| !has_key(facts.settings, &key.to_string()));
    if let Some(key) = missing {
        let what = format!("Nix does not trust the key of {shown}, `{}`", key.name());
        let why =
            "splitter.json names the key, but the settings of Nix do not. Nix ignores what it signed, and builds it.";
        return Some(KEYS.found(
            Finding::problem(78, what, why).so(facts.place.to_set("extra-trusted-public-keys", &key.to_string())),
        ));
    }
    Some(
        KEYS.unknown(format!(
            "{shown} has none of {number} store paths of this machine, so no signature could be checked"
        )),
    )
}

fn has_key(settings: &Settings, key: &str) -> bool {
    settings.words("trusted-public-keys").contains(&key)
}

fn to_trust(finding: Finding, asked: &Asked, trust: &Trust, facts: &Facts<'_>) -> Finding {
    if let Some(key) = asked.team_keys.iter().find(|key| !has_key(facts.settings, &key.to_string())) {
        return finding.so(facts.place.to_set("extra-trusted-public-keys", &key.to_string()));
    }
    match trust {
        Trust::Foreign(keys) => {
            let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            let finding = finding.so(format!(
                "if you trust the owner of the cache, ask for the public key {} and add it to `extra-trusted-public-keys`",
                names.join(" or ")
            ));
            finding.so("otherwise remove the cache from `substituters`")
        }
        Trust::Unsigned => finding.so("sign what is pushed: set SPLITTER_CACHE_KEY_FILE for `splitter cache push`"),
        _ => finding.so(format!("tell the owner of {}: its content and its signatures do not fit", asked.shown)),
    }
}

/// Checks that Nix asks a cache of `splitter.json`.
fn team(asked: &Asked, facts: &Facts<'_>) -> Option<Entry> {
    if !asked.by_team {
        return None;
    }
    let shown = &asked.shown;
    if asked.by_nix {
        return Some(TEAM.fine(format!("Nix asks {shown}")));
    }
    let Some(url) = asked.choice.address.substituter() else {
        return Some(TEAM.unknown(format!("only the configuration of attic knows the address of {shown}")));
    };
    let bare = url.split('?').next().unwrap_or(&url).trim_end_matches('/');
    let is_in_flake = facts.flake.is_some_and(|text| text.contains(bare));
    let is_allowed = facts.settings.words("trusted-substituters").iter().any(|text| text.trim_end_matches('/') == bare);
    if is_in_flake && (facts.is_trusted || is_allowed) {
        return Some(TEAM.fine(format!("flake.nix names {shown}, and Nix takes that from this user")));
    }
    let why = if is_in_flake {
        "flake.nix names it, but the daemon does not trust this user and ignores that. What CI and colleagues pushed there is built \
         here again."
    } else {
        "splitter.json names it, but the settings of Nix do not. What CI and colleagues pushed there is built here again."
    };
    let finding = Finding::problem(70, format!("Nix does not ask the cache {shown}"), why);
    let finding = finding.so(facts.place.to_set("extra-substituters", &url));
    Some(TEAM.found(match asked.team_keys.first() {
        Some(key) => finding.so(facts.place.to_set("extra-trusted-public-keys", &key.to_string())),
        None => finding,
    }))
}
