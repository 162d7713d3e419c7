//! Is Nix there, does it answer, and does it do what its settings say.

use super::{
    DAEMON, FALLBACK, FLAKES, Facts, IGNORED, INSTALLED, REMEMBERED, SUBSTITUTION, TRUSTED, UNKNOWN, VERSION,
    place::Place,
};
use crate::{
    doctor::model::{Entry, Finding},
    machine::Family,
    nix::{
        command::NIX_VARIABLE,
        installed::{Installed, NoAnswer},
        settings::{Flavour, Settings, StoreInfo, Version, Warning},
    },
};

/// The first version whose flakes read the settings that splitter writes into `flake.nix` for submodules and Git LFS.
const WHOLE: (u32, u32) = (2, 27);
/// The first version that runs everything else.
const OLDEST: (u32, u32) = (2, 18);
/// The time, in seconds, for which Nix may remember that a cache lacks a path, if a team pushes to a cache.
const SHORT_MEMORY: u64 = 60;

/// Returns the entry for a machine without Nix.
pub(super) fn missing(facts: &Facts<'_>) -> Entry {
    if let Some(program) = &facts.elsewhere {
        let finding = Finding::problem(
            100,
            format!("Nix is installed, but not in PATH: {}", program.display()),
            "The shell does not find `nix`, so nothing can be built. The checks of Nix and of caches could not be made.",
        );
        let finding = finding.so("open a new terminal");
        let profile = "/nix/var/nix/profiles/default/etc/profile.d/nix-daemon.sh";
        return INSTALLED.found(finding.run(format!(". {profile}")));
    }
    let finding = Finding::problem(
        100,
        "Nix is not installed",
        "`splitter check` and `splitter update-hash` work without Nix, but nothing can be built on this machine. The checks of \
         Nix and of caches could not be made.",
    );
    INSTALLED.found(finding.so("install Nix from https://nixos.org/download"))
}

/// Returns the entry for a program that is no Nix.
pub(super) fn other(answer: &NoAnswer, facts: &Facts<'_>) -> Entry {
    let why = "Nothing can be built with it. The checks of Nix and of caches could not be made.";
    let finding = Finding::problem(100, answer.to_string(), why);
    INSTALLED.found(if facts.environment.get(NIX_VARIABLE).is_some() {
        finding.so(format!("set {NIX_VARIABLE} to the path of a nix, or remove the variable to use the one in PATH"))
    } else {
        finding.so("remove the program from PATH, or install Nix from https://nixos.org/download")
    })
}

pub(super) fn check(nix: &Installed, facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries = vec![INSTALLED.fine(format!("Nix is {}", nix.program.display()))];
    entries.push(match &nix.version {
        Ok(found) => version(found),
        Err(error) => VERSION.unknown(error.to_string()),
    });
    entries.push(match &nix.store {
        Ok(store) if store.url == "local" => DAEMON.fine("the store belongs to this user, so no daemon is needed"),
        Ok(store) => DAEMON.fine(format!("the store answers ({})", store.url)),
        Err(error) => no_store(error, nix, facts),
    });
    if let Ok(store) = &nix.store {
        entries.extend(trusted(store));
    }
    entries
}

fn version(version: &Version) -> Entry {
    // Lix counts on its own, and its first release is like Nix 2.18.
    if version.flavour == Flavour::Lix || version.number >= WHOLE {
        return VERSION.fine(format!("it is {}", shown(version)));
    }
    let (major, minor) = if version.number < OLDEST { OLDEST } else { WHOLE };
    let (finding, why) = if version.number < OLDEST {
        (Finding::problem as fn(u8, String, String) -> Finding, "The files in nix/splitter need at least Nix 2.18.")
    } else {
        (
            Finding::advice as fn(u8, String, String) -> Finding,
            "Nix before 2.27 does not read `inputs.self.submodules` and `inputs.self.lfs`, which flakes with git submodules or \
             Git LFS need.",
        )
    };
    let finding = finding(53, format!("{} is old", shown(version)), why.to_owned());
    VERSION.found(
        finding.so(format!("install Nix {major}.{minor} or later: run `nix upgrade-nix`, or update your system")),
    )
}

fn shown(version: &Version) -> String {
    format!("{} {}", version.flavour.name(), version.text)
}

fn no_store(error: &NoAnswer, nix: &Installed, facts: &Facts<'_>) -> Entry {
    // The reason is the same, and has a finding of its own.
    if nix.settings.is_err() {
        return DAEMON.unknown(error.to_string());
    }
    let reason = error.reason().map_or_else(|| error.to_string(), str::to_owned);
    if reason.contains("Permission denied") || reason.contains("permission denied") {
        let finding = Finding::problem(
            97,
            format!("this user may not use Nix: {reason}"),
            "Nix can neither build nor download for this user.",
        );
        return DAEMON.found(finding.so(
            "ask an administrator to add this user to `allowed-users` in the settings of Nix, or to the group that owns the \
             daemon's socket",
        ));
    }
    let finding = Finding::problem(
        97,
        format!("the Nix daemon does not answer: {reason}"),
        "The daemon is the program that builds and downloads for all users. Until it runs, every build on this machine fails.",
    );
    let is_container = facts.computer.kind.container.holds();
    DAEMON.found(match facts.computer.operating_system.family {
        Family::MacOs => finding.run("sudo launchctl kickstart -k system/org.nixos.nix-daemon"),
        Family::Linux if is_container => finding.so("run `nix daemon` as root in this container, in the background"),
        Family::Linux => finding.run("sudo systemctl start nix-daemon.socket nix-daemon.service"),
        Family::Other => finding,
    })
}

fn trusted(store: &StoreInfo) -> Option<Entry> {
    Some(match store.trusted? {
        true if store.url == "local" => TRUSTED.fine("the settings of this user count, because there is no daemon"),
        true => TRUSTED.fine("the daemon trusts this user, so settings of this user and of flakes count"),
        false => TRUSTED.fine(
            "the daemon does not trust this user: caches and most settings count only in the system's nix.conf. That is safe",
        ),
    })
}

pub(super) fn of_settings(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Vec<Entry> {
    vec![flakes(settings, nix, facts), unknown(nix, facts), ignored(nix, facts)]
}

fn flakes(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Entry {
    let is_stable = nix.version.as_ref().is_ok_and(|version| version.flavour == Flavour::Determinate);
    if is_stable || settings.words("experimental-features").contains(&"flakes") {
        return FLAKES.fine("flakes are enabled");
    }
    let finding = Finding::problem(
        62,
        "flakes are not enabled in the settings of Nix",
        "splitter enables them for the commands that it runs itself. `nix build .#NAME`, `nix run` and `nix develop` typed by hand \
         fail.",
    );
    FLAKES.found(finding.so(facts.to_set("experimental-features", "nix-command flakes")))
}

/// Returns the settings that Nix does not know.
fn unknown(nix: &Installed, facts: &Facts<'_>) -> Entry {
    let names: Vec<&str> =
        named(&nix.warnings, |warning| if let Warning::Unknown { setting } = warning { Some(setting) } else { None });
    if names.is_empty() {
        return UNKNOWN.fine("this Nix knows all settings that are written");
    }
    let places: Vec<String> = names.iter().map(|name| format!("`{name}`{}", facts.in_file(name))).collect();
    let (them, what) = match names.as_slice() {
        [name] => {
            (format!("the line with `{name}`"), format!("this Nix does not know the setting {}", places.concat()))
        }
        _ => (
            "these lines".to_owned(),
            format!("this Nix does not know {} settings: {}", names.len(), places.join(", ")),
        ),
    };
    let finding = Finding::problem(
        45,
        what,
        "Nix ignores a setting that it does not know, so it has no effect. The name may be misspelt, or belong to another version \
         of Nix.",
    );
    UNKNOWN.found(finding.so(format!("correct or remove {them}")))
}

/// Returns the settings that the daemon does not take from this user.
fn ignored(nix: &Installed, facts: &Facts<'_>) -> Entry {
    let restricted =
        named(
            &nix.store_warnings,
            |warning| {
                if let Warning::Restricted { setting } = warning { Some(setting) } else { None }
            },
        );
    let caches =
        named(&nix.store_warnings, |warning| if let Warning::Substituter { url } = warning { Some(url) } else { None });
    if restricted.is_empty() && caches.is_empty() {
        return IGNORED.fine("Nix uses all settings that this user made");
    }
    let settings = restricted.iter().map(|name| format!("`{name}`{}", facts.in_file(name)));
    let named: Vec<String> = settings.chain(caches.iter().map(|url| format!("the cache {url}"))).collect();
    let why = if caches.is_empty() {
        "Only the system's settings and trusted users may set these. What the lines should do does not happen."
    } else {
        "Only the system's settings and trusted users may set these. What such a cache has is built on this machine."
    };
    let finding = Finding::problem(58, format!("the daemon ignores what this user set: {}", named.join(", ")), why);
    let finding = finding.so(match &facts.place {
        Place::File { path, .. } => format!("let an administrator write the lines into {}", path.display()),
        Place::Modules => "let an administrator add them to `nix.settings` of this system".to_owned(),
    });
    IGNORED.found(finding.so("do not add yourself to `trusted-users` for it: that gives the rights of root"))
}

/// Returns what warnings name, each once.
fn named(warnings: &[Warning], name: impl Fn(&Warning) -> Option<&String>) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for name in warnings.iter().filter_map(name) {
        if !found.contains(&name.as_str()) {
            found.push(name);
        }
    }
    found
}

/// Checks the settings that decide what is downloaded.
pub(super) fn downloads(settings: &Settings, nix: &Installed, facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let caches: Vec<&str> = settings.words("substituters").into_iter().filter(|url| !nix.ignores_cache(url)).collect();
    entries.push(if settings.flag("substitute") == Some(false) {
        let finding = Finding::problem(
            85,
            format!("downloads from caches are off: `substitute = false`{}", facts.in_file("substitute")),
            "Nix builds everything on this machine, compilers included. That takes hours where a download takes minutes.",
        );
        SUBSTITUTION.found(finding.so(facts.to_set("substitute", "true")))
    } else if caches.is_empty() && !settings.words("substituters").is_empty() {
        SUBSTITUTION.unknown("the daemon ignores the caches of this user, and does not say which ones it asks")
    } else if caches.is_empty() {
        let finding = Finding::problem(
            84,
            format!("Nix asks no cache: `substituters` is empty{}", facts.in_file("substituters")),
            "Nix builds everything on this machine, compilers included. That takes hours where a download takes minutes.",
        );
        SUBSTITUTION.found(finding.so(facts.to_set("substituters", "https://cache.nixos.org")))
    } else {
        SUBSTITUTION.fine(format!("Nix asks caches before it builds: {}", caches.join(", ")))
    });
    entries.extend(remembered(settings, facts));
    entries.extend(fallback(settings, facts));
    entries
}

/// Nix remembers that a cache lacks a path. That hurts where others push to the cache all the time.
fn remembered(settings: &Settings, facts: &Facts<'_>) -> Option<Entry> {
    let seconds = settings.number("narinfo-cache-negative-ttl")?;
    if seconds <= SHORT_MEMORY || !facts.has_team_caches {
        return Some(REMEMBERED.fine(format!("Nix asks a cache again after {}", time(seconds))));
    }
    let finding = Finding::advice(
        22,
        format!("Nix remembers for {} that a cache lacks a path", time(seconds)),
        "If CI or a colleague pushes a build in that time, this machine builds it again although the cache has it.",
    );
    Some(REMEMBERED.found(finding.so(facts.to_set("narinfo-cache-negative-ttl", &SHORT_MEMORY.to_string()))))
}

fn fallback(settings: &Settings, facts: &Facts<'_>) -> Option<Entry> {
    let is_on = settings.flag("fallback")?;
    if is_on || !facts.computer.kind.ci.holds() {
        return Some(FALLBACK.fine(if is_on {
            "Nix builds if a download fails"
        } else {
            "`fallback` matters only in CI"
        }));
    }
    let finding = Finding::advice(
        30,
        "a cache that fails during a download stops the CI job",
        "Without `fallback`, Nix tries five times and then fails the build, although it could build the package itself.",
    );
    Some(FALLBACK.found(finding.so(facts.to_set("fallback", "true"))))
}

fn time(seconds: u64) -> String {
    match seconds {
        3600 => "an hour".to_owned(),
        seconds if seconds > 3600 => format!("{} hours", seconds / 3600),
        60 => "a minute".to_owned(),
        seconds if seconds > 60 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}
