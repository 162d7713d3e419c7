//! Where settings are ignored, and which usual advice is wrong here.

use serde::Serialize;

use super::{
    Advice, Profile, Situation,
    rules::gib,
    situation::{DAEMON_FILE, DETERMINATE_FILE},
};
use crate::{
    machine::{Family, Sureness},
    nix::settings::{Flavour, Settings, StoreInfo, Warning},
};

/// Something that a user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// What.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Note {
    fn new(text: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self { text: text.into(), hint: hint.into() }
    }
}

/// Returns the file that the settings belong into, on a computer without modules.
pub fn file_of(situation: &Situation<'_>) -> &'static str {
    let version = situation.nix.and_then(|nix| nix.version.as_ref());
    match version.map(|version| version.flavour) {
        Some(Flavour::Determinate) => DETERMINATE_FILE,
        _ => DAEMON_FILE,
    }
}

pub(super) fn notes(situation: &Situation<'_>, advice: &Advice) -> Vec<Note> {
    let mut notes = Vec::new();
    match situation.nix {
        None => notes.push(Note::new(
            "Nix was not found, so nobody checked that it knows these settings",
            "run `splitter tune` again on a computer with Nix".to_owned(),
        )),
        Some(nix) if !advice.checked => notes.push(Note::new(
            format!(
                "Nix ({}) did not list its settings",
                nix.version.as_ref().map_or("unknown version", |version| &version.text)
            ),
            None,
        )),
        Some(nix) => {
            notes.extend(ignored(situation, advice, nix.store.as_ref()));
            notes.extend(nix.warnings.iter().map(warning));
        }
    }
    notes.extend(place(situation));
    notes.extend(limits(situation));
    notes.extend(answers(situation));
    notes
}

/// With a daemon, its own file counts. An untrusted user can set a few names only.
fn ignored(situation: &Situation<'_>, advice: &Advice, store: Option<&StoreInfo>) -> Option<Note> {
    let store = store.filter(|store| store.is_daemon())?;
    if store.trusted == Some(true) {
        return None;
    }
    let names: Vec<&str> =
        advice.written().filter(|setting| !setting.user_may_set).map(|setting| setting.setting.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let who = if store.trusted == Some(false) {
        "the daemon does not trust you"
    } else {
        "the daemon does not say whether it trusts you"
    };
    let file = file_of(situation);
    Some(Note::new(
        format!(
            "{who}: in your own nix.conf, in NIX_CONFIG and in `nixConfig` of a flake it ignores {}",
            names.join(", ")
        ),
        format!(
            "put them into {file}, as root, and restart the daemon; `trusted-users` would give you the rights of root"
        ),
    ))
}

fn warning(warning: &Warning) -> Note {
    match warning {
        Warning::Unknown { setting } => Note::new(
            format!("your configuration sets `{setting}`, which this Nix does not know"),
            "remove it: NixOS and nix-darwin refuse to build a system with it".to_owned(),
        ),
        Warning::Restricted { setting } => {
            Note::new(format!("the daemon ignores your `{setting}`, because it does not trust you"), None)
        }
        Warning::Substituter { url } => Note::new(
            format!("the daemon ignores the cache {url}, because it does not trust you"),
            "root can add it to `trusted-substituters`".to_owned(),
        ),
        Warning::Other { text } => Note::new(format!("Nix says: {text}"), None),
    }
}

/// Who writes `nix.conf`.
fn place(situation: &Situation<'_>) -> Option<Note> {
    let system = &situation.computer.operating_system;
    let flavour = situation.nix.and_then(|nix| nix.version.as_ref()).map(|version| version.flavour);
    if flavour == Some(Flavour::Determinate) {
        let modules = if system.modules.holds() {
            "; nix-darwin must have `nix.enable = false`, so `--darwin` does not fit"
        } else {
            ""
        };
        return Some(Note::new(
            format!("Determinate Nix writes {DAEMON_FILE} itself, and collects garbage itself{modules}"),
            format!("put settings into {DETERMINATE_FILE}"),
        ));
    }
    if !system.modules.holds() {
        return None;
    }
    let (name, option) = if system.family == Family::MacOs { ("nix-darwin", "--darwin") } else { ("NixOS", "--nixos") };
    Some(Note::new(format!("{name} writes {DAEMON_FILE}"), format!("use `splitter tune {option}`")))
}

/// What the facts say that is not a setting.
fn limits(situation: &Situation<'_>) -> Vec<Note> {
    let computer = situation.computer;
    let mut notes = Vec::new();
    let is_daemon = situation.nix.and_then(|nix| nix.store.as_ref()).is_some_and(StoreInfo::is_daemon);
    let is_limited = computer.cores.usable.value < computer.cores.present.value
        || computer.memory.usable.value < computer.memory.present.value;
    if is_limited && is_daemon {
        notes.push(Note::new(
            "this process may use less than the computer has; the daemon, which builds, may have other limits",
            None,
        ));
    }
    let free = computer.store.free_bytes.value;
    if let (Some(least), Some(free)) = (advice_min_free(situation), free)
        && free < least
    {
        notes.push(Note::new(
            format!(
                "only {} are free on the store's disk: with `min-free`, the next build collects garbage first",
                gib(free)
            ),
            "run `nix-collect-garbage --delete-older-than 14d` before".to_owned(),
        ));
    }
    if let (Some(all), Some(free)) = (computer.store.inodes.value, computer.store.free_inodes.value)
        && free < all / 10
    {
        notes.push(Note::new(
            "less than a tenth of the files that the store's file system can hold is left; trees of node_modules need many",
            "run `nix-collect-garbage --delete-older-than 14d`".to_owned(),
        ));
    }
    notes
}

fn advice_min_free(situation: &Situation<'_>) -> Option<u64> {
    let bytes = situation.computer.store.bytes.value.filter(|_| !situation.for_ci)?;
    Some(super::rules::free_of(bytes).0)
}

fn answers(situation: &Situation<'_>) -> Vec<Note> {
    let silent = situation.answers.iter().filter(|answer| answer.milliseconds.is_none());
    let note = |answer: &super::network::Answer| {
        let why = answer.trouble.as_deref().unwrap_or("no answer");
        Note::new(format!("the cache {} does not answer ({why}); every build asks it", answer.url), None)
    };
    silent.map(note).collect()
}

/// Advice that is often given, with what it would do here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The profile in which people recommend it.
    pub profile: Profile,
    /// What they recommend.
    pub claim: &'static str,
    /// What is true about it, on this computer.
    pub truth: String,
}

/// Settings that are recommended and do not exist.
const INVENTED: [&str; 2] = ["parallel-builds", "use-xz-binary-cache-substituter"];

/// Returns the usual advice of a profile that is wrong here.
pub fn claims(situation: &Situation<'_>) -> Vec<Claim> {
    let profile = situation.profile;
    let all = match profile {
        Profile::Conservative => vec![
            ("auto-optimise-store = true", linking(situation)),
            (
                "min-free without max-free",
                "it then deletes everything that no root keeps, in the middle of a build".to_owned(),
            ),
        ],
        Profile::Balanced => vec![
            ("max-jobs = auto, cores = 0", squared(situation)),
            ("auto-optimise-store = true", linking(situation)),
            ("more substituters", "Nix asks every cache for every path, and trusts it with every path".to_owned()),
            ("TMPDIR for the daemon", TMPDIR.to_owned()),
        ],
        Profile::HighPerformance => vec![
            ("max-jobs = auto, cores = 0", squared(situation)),
            ("-O3 -march=native for all packages", FLAGS.to_owned()),
            ("http-connections = 0", "caches refuse (429) and then Nix waits for minutes".to_owned()),
            ("fsync-metadata = false", fsync(situation)),
            ("sandbox = false", "builds then read your files, and results differ between computers".to_owned()),
            ("trusted-users = @wheel", "each of these users can become root".to_owned()),
            ("TMPDIR for the daemon", TMPDIR.to_owned()),
        ],
    };
    let mut claims: Vec<Claim> = all.into_iter().map(|(claim, truth)| Claim { profile, claim, truth }).collect();
    if profile != Profile::Conservative {
        claims.extend(invented(situation.settings()).map(|claim| {
            let truth = "this Nix does not know the setting; NixOS and nix-darwin refuse to build with it".to_owned();
            Claim { profile, claim, truth }
        }));
    }
    claims
}

const TMPDIR: &str =
    "since 2.30 builds are in /nix/var/nix/builds, because a folder that everybody can write to lets a build escape";
const FLAGS: &str = "every package gets another hash, so no cache has any of them, and you build the C library first";

/// Only the installed Nix can say that a setting does not exist.
fn invented(settings: Option<&Settings>) -> impl Iterator<Item = &'static str> {
    INVENTED
        .into_iter()
        .filter(move |name| settings.is_some_and(|settings| !settings.is_empty() && settings.get(name).is_none()))
}

fn squared(situation: &Situation<'_>) -> String {
    let computer = situation.computer;
    match (computer.cores.usable.get(), computer.memory.usable.get()) {
        (Some(cores), Some(memory)) => {
            let each = memory / (cores.max(1) as u64) / (1 << 20);
            format!(
                "{cores} × {cores} are {} processes on {cores} cores, with {each} MiB of memory for each build",
                cores * cores
            )
        }
        _ => "the processes are the square of the cores".to_owned(),
    }
}

fn linking(situation: &Situation<'_>) -> String {
    if situation.computer.operating_system.family == Family::MacOs {
        return "on macOS it damages the store (NixOS/nix#7273), and nix-darwin refuses it".to_owned();
    }
    "each new file is hashed and linked while builds wait; node_modules are 200,000 files. Do it weekly instead"
        .to_owned()
}

fn fsync(situation: &Situation<'_>) -> String {
    let throw_away = &situation.computer.kind.throw_away;
    if throw_away.holds() && throw_away.sureness == Sureness::Certain {
        return "right here alone: the runner is deleted after the job".to_owned();
    }
    "a crash can then damage the database of the store, also on NVMe".to_owned()
}
