//! The values, one function for each part of Nix.
//!
//! Nothing here weakens Nix: no `trusted-users`, no `sandbox = false`, no folder that everybody can write to, and `fsync-metadata =
//! false` only where the computer is thrown away after the job.

use super::{
    Fit, Jobs, Profile, Situation,
    advice::{Advice, Collector, Schedule, Value},
    notes,
};
use crate::machine::{Family, Medium, Sureness};

const GIB: u64 = 1 << 30;

/// The cache of the Nix project.
pub(super) const PUBLIC_CACHE: &str = "cache.nixos.org";

/// An answer that is later than this, in milliseconds, is late: more requests at once make up for it.
const LATE: u64 = 100;

/// Returns the advice.
pub fn advise(situation: &Situation<'_>) -> Advice {
    let mut collector = Collector::new(situation);
    jobs(&mut collector, situation);
    downloads(&mut collector, situation);
    caches(&mut collector, situation);
    disk(&mut collector, situation);
    ci(&mut collector, situation);
    let Collector { settings, withheld, .. } = collector;
    let schedule = schedule(situation);
    let (profile, checked) = (situation.profile, situation.nix.is_some_and(|nix| !nix.settings.is_empty()));
    let mut advice = Advice { profile, checked, settings, withheld, schedule, notes: Vec::new() };
    advice.notes = notes::notes(situation, &advice);
    advice
}

fn jobs(collector: &mut Collector<'_>, situation: &Situation<'_>) {
    let computer = situation.computer;
    if situation.for_ci && !computer.kind.ci.holds() {
        let reason = "the cores of the runner are unknown here; run `splitter tune --ci` in the job";
        collector.withhold("max-jobs", reason);
        return collector.withhold("cores", reason);
    }
    let Some(jobs) = situation.profile.jobs(computer) else {
        let reason = "the number of cores or the memory is unknown";
        collector.withhold("max-jobs", reason);
        return collector.withhold("cores", reason);
    };
    let (cores, memory) = (computer.cores.usable.get().unwrap_or(1), computer.memory.usable.get().unwrap_or(0));
    let each = situation.profile.memory_of_a_build() / GIB;
    let sureness = computer.cores.usable.sureness.min(computer.memory.usable.sureness);
    let reason = format!(
        "{cores} cores and {} GiB of memory, with {each} GiB for each build; a build of JavaScript uses 1 to 4 cores",
        memory / GIB
    );
    if situation.profile == Profile::default()
        && let Some(set) = jobs_that_suit(situation)
    {
        let reason =
            format!("{} × {} are {} processes on {cores} cores, which is right", set.jobs, set.cores, set.processes());
        collector.set("max-jobs", Value::Number(set.jobs), sureness, reason.as_str());
        let is_all = situation.settings().and_then(|settings| settings.number("cores")) == Some(0);
        let reason = if is_all { format!("0 means all {cores}") } else { reason };
        return collector.set("cores", Value::Number(if is_all { 0 } else { set.cores }), sureness, reason);
    }
    collector.set("max-jobs", Value::Number(jobs.jobs), sureness, reason);
    let all_are_set =
        situation.settings().and_then(|settings| settings.get("cores")).is_some_and(|setting| setting.text() == "0");
    if all_are_set && Some(jobs.cores) == computer.cores.present.value.map(|all| all as u64) {
        return collector.set("cores", Value::Number(0), sureness, format!("0 means all {cores}"));
    }
    let reason = format!("{} × {} are {} processes on {cores} cores", jobs.jobs, jobs.cores, jobs.jobs * jobs.cores);
    collector.set("cores", Value::Number(jobs.cores), sureness, reason);
}

/// Returns what is set, if it suits the computer: other numbers would be a matter of taste.
fn jobs_that_suit(situation: &Situation<'_>) -> Option<Jobs> {
    let set = Jobs::set(situation.settings()?, situation.computer)?;
    (set.fit(situation.computer)? == Fit::Suits).then_some(set)
}

fn downloads(collector: &mut Collector<'_>, situation: &Situation<'_>) {
    let (mut connections, mut paths) = situation.profile.downloads(situation.computer);
    let is_late = situation.answers.iter().filter_map(|answer| answer.milliseconds).any(|time| time >= LATE);
    let reason = match (is_late, situation.profile) {
        (true, Profile::Balanced | Profile::HighPerformance) => {
            (connections, paths) = (connections.max(64), paths.max(32));
            format!("a cache answers later than after {LATE} ms; more requests at once make up for it")
        }
        (_, Profile::Conservative) => "the default suits most links".to_owned(),
        _ => "small files wait for answers, not for the link; caches refuse (429) far above this".to_owned(),
    };
    collector.set("http-connections", Value::Number(connections), Sureness::Likely, reason);
    let reason = match situation.computer.store.medium.get() {
        Some(Medium::Rotating) => "the store is on a rotating disk, which unpacks few paths at once best",
        _ if paths > 16 => "closures of JavaScript are many small paths",
        _ => "the default suits this computer",
    };
    collector.set("max-substitution-jobs", Value::Number(paths), Sureness::Likely, reason);
    let reason = "without a limit, a cache that does not answer holds up every build";
    collector.set("connect-timeout", Value::Number(5), Sureness::Certain, reason);
    let has_other_caches = !situation.caches.is_empty()
        || situation
            .settings()
            .and_then(|settings| settings.get("substituters"))
            .is_some_and(|setting| setting.text().split_whitespace().any(|url| !url.contains(PUBLIC_CACHE)));
    if has_other_caches {
        let reason = "a cache that answers 500 or 503 fails the build otherwise; with this, Nix builds the path itself";
        collector.set("fallback", Value::Bool(true), Sureness::Certain, reason);
    }
    let builders = situation.settings().and_then(|settings| settings.get("builders"));
    if builders.is_some_and(|setting| setting.is_changed() && !setting.text().is_empty()) {
        let reason = "the settings name builders; each then downloads from the caches itself";
        collector.set("builders-use-substitutes", Value::Bool(true), Sureness::Certain, reason);
    }
}

/// The caches of splitter.json. A cache without its key is useless, and nobody but the user can say which key it has.
fn caches(collector: &mut Collector<'_>, situation: &Situation<'_>) {
    let (mut urls, mut keys) = (Vec::new(), Vec::new());
    for cache in situation.caches {
        let name = format!("extra-substituters ({})", cache.address);
        let Some(url) = &cache.substituter else {
            collector.withhold(&name, "only the configuration of `attic` knows this server; run `attic use`");
            continue;
        };
        let has_key = cache.keys.iter().any(|key| !situation.has_word("trusted-public-keys", key));
        let is_known =
            situation.has_word("substituters", url) || situation.has_word("substituters", &format!("{url}/"));
        // A comment would begin there, and hide the other caches.
        if std::iter::once(url).chain(&cache.keys).any(|text| text.contains(['#', ' ', '\n'])) {
            collector.withhold(&name, "its address or a key has characters that nix.conf cannot have");
        } else if url.starts_with("ssh") {
            collector.withhold(&name, "the daemon needs a key of ssh, which splitter does not know");
        } else if cache.unsigned {
            collector.withhold(&name, "`trusted=true` makes Nix take paths that nobody signed");
        } else if cache.keys.is_empty() && !is_known {
            collector.withhold(
                &name,
                "its public key is unknown, and Nix ignores what it cannot verify; add `publicKeys` in splitter.json",
            );
        } else {
            urls.push(url.clone());
            if has_key || !is_known || situation.nix.is_none() {
                keys.extend(cache.keys.iter().cloned());
            }
        }
    }
    keys.dedup();
    if !urls.is_empty() {
        let reason = "`caches` in splitter.json. A cache can supply any path: add only caches whose owners you trust";
        collector.set("extra-substituters", Value::Words(urls), Sureness::Certain, reason);
    }
    if !keys.is_empty() {
        let reason = "`publicKeys` in splitter.json; without its key, a cache is ignored";
        collector.set("extra-trusted-public-keys", Value::Words(keys), Sureness::Certain, reason);
    }
}

fn disk(collector: &mut Collector<'_>, situation: &Situation<'_>) {
    let computer = situation.computer;
    let reason = if computer.operating_system.family == Family::MacOs {
        "on macOS it damages the store (NixOS/nix#7273); a timer links equal files instead"
    } else {
        "it hashes and links each new file while builds wait; a timer links equal files instead"
    };
    collector.set("auto-optimise-store", Value::Bool(false), Sureness::Certain, reason);
    free_space(collector, situation);
    if !situation.for_ci && situation.profile != Profile::HighPerformance {
        let reason =
            "the garbage collector keeps what live packages are built from, so an edit rebuilds only what changed";
        collector.set("keep-outputs", Value::Bool(true), Sureness::Certain, reason);
    }
    collector.withhold("build-dir", build_dir(situation));
}

/// The reason why builds stay where they are.
fn build_dir(situation: &Situation<'_>) -> String {
    let memory = situation.computer.memory.usable.get().unwrap_or(0) / GIB;
    if memory < 32 {
        return format!("left at its default: {memory} GiB of memory are too little to build in memory");
    }
    "left at its default: splitter's installs write to `$out` on the store's disk, so building in memory gains little"
        .to_owned()
}

/// When Nix collects garbage in the middle of a build.
fn free_space(collector: &mut Collector<'_>, situation: &Situation<'_>) {
    let names = ["min-free", "max-free"];
    let mut withhold = |reason: &str| names.iter().for_each(|name| collector.withhold(name, reason));
    if situation.is_thrown_away() || (situation.for_ci && !situation.computer.kind.ci.holds()) {
        return withhold("the computer is thrown away after the job");
    }
    if situation.has_word("experimental-features", "ca-derivations") {
        return withhold(
            "`ca-derivations` is on, and this collector deletes outputs of such builds while they are in use; use the timer",
        );
    }
    let Some(bytes) = situation.computer.store.bytes.get() else {
        return withhold("the size of the store's disk is unknown");
    };
    let (least, most) = free_of(bytes);
    let sureness = situation.computer.store.free_bytes.sureness;
    let reason = format!(
        "below {} of free space, Nix collects garbage while it builds; it deletes what no root keeps",
        gib(least)
    );
    collector.set("min-free", Value::Number(least), sureness, reason);
    let reason = format!("it stops at {}; by default it would delete everything that no root keeps", gib(most));
    collector.set("max-free", Value::Number(most), sureness, reason);
}

/// Returns the free space at which the collector starts and stops. It must not start above where it stops.
pub(super) fn free_of(bytes: u64) -> (u64, u64) {
    let least = (bytes / 20).clamp(2 * GIB, 20 * GIB) / GIB * GIB;
    let most = (5 * least).min(bytes / 25 * 3) / GIB * GIB;
    (least, most.max(2 * least))
}

/// Formats a size.
pub(super) fn gib(bytes: u64) -> String {
    format!("{} GiB", bytes / GIB)
}

fn ci(collector: &mut Collector<'_>, situation: &Situation<'_>) {
    if !situation.for_ci {
        return;
    }
    let reason = "Nix remembers for an hour that a cache lacks a path; another job may have pushed it meanwhile";
    collector.set("narinfo-cache-negative-ttl", Value::Number(60), Sureness::Certain, reason);
    let reason = "some packages ask not to be downloaded; a runner has nothing to gain from building them";
    collector.set("always-allow-substitutes", Value::Bool(true), Sureness::Certain, reason);
    let reason = "a build that prints nothing for half an hour hangs; the log then names it";
    collector.set("max-silent-time", Value::Number(1800), Sureness::Certain, reason);
    let reason = "no build takes two hours";
    collector.set("timeout", Value::Number(7200), Sureness::Certain, reason);
    if situation.is_thrown_away() && situation.profile != Profile::Conservative {
        let reason = "the runner is deleted after the job, so its database need not survive a crash";
        collector.set("fsync-metadata", Value::Bool(false), Sureness::Certain, reason);
    }
}

fn schedule(situation: &Situation<'_>) -> Option<Schedule> {
    if situation.for_ci || situation.is_thrown_away() {
        return None;
    }
    // ZFS and btrfs can share equal blocks themselves, which costs no links.
    let optimise = situation.computer.store.file_system.value.as_deref() != Some("zfs");
    Some(Schedule { days_kept: situation.profile.days_kept(), optimise })
}
