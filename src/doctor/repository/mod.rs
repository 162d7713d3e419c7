//! Checks of a repository: is its record right, does Nix see its files, and what makes it build again.

pub mod facts;
pub mod flake_files;
pub mod flake_lock;
mod last_builds;
pub mod nix_code;
#[cfg(test)]
mod tests;

use self::{
    facts::{Facts, Model, Reads, Unread},
    flake_files::{Broken, Damage, FLAKE},
    nix_code::Kind,
};
use super::model::{Check, Entry, Finding};
use crate::{
    guard::{findings, verdict::Verdict},
    scaffold::{compare::Differences, record::PATH, templates::FOLDER},
    shell,
};

checks! {
    Repository;
    SET_UP = "set-up";
    READABLE = "readable", HashMismatch;
    RECORD = "record", HashMismatch, SlowCi;
    GENERATED = "generated-files", HashMismatch, CacheMisses;
    HOOK = "hook", HashMismatch;
    TRACKED = "tracked-files", HashMismatch, CacheMisses;
    LOCK = "flake-lock", CacheMisses, SlowCi;
    RELEASE = "nixpkgs-release", CacheMisses;
    PIN = "package-manager", HashMismatch;
    DIRTY = "uncommitted-changes", CacheMisses;
    SOURCES = "sources", SlowCi, CacheMisses, SlowBuilds;
    IMPURE = "impure-code", SlowCi, CacheMisses, SlowBuilds;
    LAST_BUILDS = "last-builds", SlowCi, CacheMisses, SlowBuilds;
    FLAKE_SETTINGS = "flake-settings", HashMismatch;
    FLAKE_FILES = "flake-files", SlowCi, CacheMisses, SlowBuilds, HashMismatch;
}

/// The age of nixpkgs, in days, from which on it is old.
const OLD: u64 = 180;
/// The share of the repository, in percent, from which on an app reads nearly all of it.
const MOST_OF_IT: usize = 80;
/// With fewer workspaces, or fewer files, an app may well be nearly all of the repository.
const FEW_WORKSPACES: usize = 4;
const FEW_FILES: usize = 50;
/// The names that a finding lists.
const SHOWN: usize = 3;

/// Makes all checks of a repository. `now` is the time in seconds since 1970.
pub fn check(facts: &Facts, now: u64, is_ci: bool) -> Vec<Entry> {
    let mut entries = vec![set_up(facts)];
    if facts.is_half_written {
        let finding = Finding::problem(
            95,
            "an earlier run of splitter was interrupted while it replaced files",
            "Some files in nix/splitter are new and some are old, so builds fail or build the wrong thing.",
        );
        entries.push(GENERATED.found(finding.run("splitter update-hash")));
    }
    match &facts.verdict {
        Some(Ok(verdict)) => entries.extend(record(verdict)),
        Some(Err(error)) => entries.push(unread(&RECORD, error)),
        None => {}
    }
    match &facts.model {
        Ok(model) => {
            entries.push(READABLE.fine(format!("{} workspaces, {} files", model.workspaces, model.files)));
            entries.push(pin(model));
            entries.extend(sources(facts));
        }
        // The finding of the record has the same reason.
        Err(error) if !matches!(&facts.verdict, Some(Err(_))) => entries.push(unread(&READABLE, error)),
        Err(error) => entries.push(READABLE.unknown(error.message.clone())),
    }
    if facts.has_git {
        entries.extend(tracked(facts));
        // Nobody commits in CI.
        entries.extend(hook(facts).filter(|_| !is_ci));
        entries.extend(dirty(facts));
    }
    entries.extend(broken(facts));
    entries.extend(lock(facts, now));
    entries.extend(impure(facts));
    entries.extend(last_builds::check(facts));
    entries
}

fn set_up(facts: &Facts) -> Entry {
    if facts.is_set_up {
        return SET_UP.fine("splitter is set up here");
    }
    let finding = Finding::advice(
        60,
        "splitter is not set up in this repository",
        "Only checks that need no hashes were made. `splitter scan` shows what splitter would build, and writes nothing.",
    );
    SET_UP.found(finding.run("splitter init"))
}

fn unread(check: &'static Check, error: &Unread) -> Entry {
    let finding = Finding::problem(
        96,
        format!("the repository cannot be read: {}", error.message),
        "splitter can neither check the hashes nor say what is rebuilt until this is mended.",
    );
    if error.hints.is_empty() {
        return check
            .found(finding.so("mend that place; the command shows whether it is read then").run("splitter scan"));
    }
    check.found(error.hints.iter().fold(finding, |finding, hint| finding.so(hint.clone())))
}

/// Turns the findings of `splitter check` into entries.
fn record(verdict: &Verdict) -> Vec<Entry> {
    let commands = findings::commands(verdict);
    let warnings = verdict.warnings.iter().map(|warning| {
        FLAKE_SETTINGS.found(Finding::problem(
            79,
            warning.clone(),
            "Nix builds without these files, so builds fail or lack them.",
        ))
    });
    let mut entries: Vec<Entry> = warnings.collect();
    let differences = &verdict.differences;
    if differences.is_empty() {
        entries.push(RECORD.fine(format!("the hashes match the lockfile ({} packages)", verdict.packages)));
        entries.push(GENERATED.fine("the files in nix/splitter are as splitter wrote them"));
        return entries;
    }
    let with_commands =
        |finding: Finding| commands.iter().fold(finding, |finding, command| finding.run(command.clone()));
    if !differences.templates.is_empty() {
        let number = differences.templates.len();
        let first = &differences.templates[0];
        let words = findings::template_words(verdict, first);
        let what = match number {
            1 => format!("{FOLDER}/{} {words}", first.path),
            _ => format!(
                "{number} files in {FOLDER} were edited, or are from another version of splitter (the first is {})",
                first.path
            ),
        };
        let why = "Builds use these files. Edits are lost with the next update, and a colleague with another version of splitter builds something else.";
        entries.push(GENERATED.found(with_commands(Finding::problem(64, what, why))));
    }
    let about_record = findings::of_verdict(verdict).into_iter().filter(|finding| finding.rule != "templates");
    for (index, finding) in about_record.enumerate() {
        let (weight, what, why) = match finding.rule {
            "stale" => stale(differences),
            "drift" => (
                90,
                format!("{} {}", finding.path, finding.message),
                "`bun install --frozen-lockfile` or `yarn install --immutable` refuses that, so every build fails, here and in CI.",
            ),
            "edited" => (
                62,
                format!("{} {}", finding.path, finding.message),
                "What was edited is lost with the next update. If a hash was edited, the build fails.",
            ),
            _ => (
                61,
                format!("{} {}", finding.path, finding.message),
                "Builds still work, but this version of splitter cannot check all of it.",
            ),
        };
        let finding = Finding::problem(weight, what, why);
        // All findings have the same commands.
        entries.push(RECORD.found(if index == 0 { with_commands(finding) } else { finding }));
    }
    entries
}

/// Returns the weight and the words for a record that does not match.
fn stale(differences: &Differences) -> (u8, String, &'static str) {
    let packages = differences.packages.iter().map(ToString::to_string);
    let files = differences.files.iter().map(ToString::to_string);
    let all: Vec<String> = packages.chain(files).chain(differences.settings.iter().cloned()).collect();
    let more = if all.len() > SHOWN { format!(", and {} more", all.len() - SHOWN) } else { String::new() };
    let shown = all[..all.len().min(SHOWN)].join(", ");
    if differences.packages.is_empty() && differences.files.is_empty() {
        let what = format!("{PATH} describes an older state of the repository: {shown}{more}");
        return (
            87,
            what,
            "Builds fail with an error that names the command, or build what the repository was before.",
        );
    }
    let what = format!("the hashes are stale: {shown}{more}");
    (92, what, "They belong to an older lockfile. Builds fail, here and in CI, with an error that names the command.")
}

fn pin(model: &Model) -> Entry {
    if !model.has_no_pin {
        return PIN.fine(format!("the package manager is {} ({})", model.manager, model.pin));
    }
    let finding = Finding::advice(
        49,
        format!("no file names the version of the package manager, so splitter takes {}", model.manager),
        "Colleagues and CI may install with another version, which can write another lockfile and other packages.",
    );
    PIN.found(finding.so(format!(
        "write `\"packageManager\": \"{}\"` into package.json, with the version that you use",
        model.manager
    )))
}

/// Returns the apps that read nearly all of the repository.
fn sources(facts: &Facts) -> Option<Entry> {
    let model = facts.model.as_ref().ok()?;
    let is_wide = |reads: &&Reads| reads.files * 100 >= model.files * MOST_OF_IT;
    if model.workspaces < FEW_WORKSPACES || model.files < FEW_FILES || model.apps.len() < 2 {
        return Some(SOURCES.fine("the repository is small, or has one app"));
    }
    let mut wide: Vec<&Reads> = model.apps.iter().filter(is_wide).collect();
    wide.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.app.cmp(&b.app)));
    let Some(first) = wide.first() else {
        let most = model.apps.iter().max_by_key(|reads| reads.files);
        let seen = most.map(|reads| {
            format!("no app reads most of the repository (at most {} of {} files)", reads.files, model.files)
        });
        return Some(SOURCES.fine(seen.unwrap_or_default()));
    };
    let others = if wide.len() > 1 { format!(", and so do {} more", wide.len() - 1) } else { String::new() };
    let what =
        format!("the app `{}` reads {} of the {} files of the repository{others}", first.app, first.files, model.files);
    let why = "Nearly every commit builds it again, and no cache can have it.";
    let finding = Finding::advice(52, what, why);
    Some(SOURCES.found(if first.is_root {
        finding.so(
            "it is the root of the repository, which reads all workspaces: move the app into a workspace of its own",
        )
    } else if let Some(most) = &first.most {
        finding.so(format!("most of them come from `{most}`: name only what the build reads in splitter.json"))
    } else {
        finding
            .run(format!("splitter trace {}", shell::word(&first.app)))
            .so("exclude in splitter.json what the build never reads")
    }))
}

/// Returns the files that Nix needs and does not see.
fn tracked(facts: &Facts) -> Vec<Entry> {
    let listed = |names: &[String]| {
        let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
        let more = names.len().saturating_sub(SHOWN);
        if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
    };
    let mut entries = Vec::new();
    if !facts.ignored.is_empty() {
        let what = format!("git ignores files that Nix needs: {}", listed(&facts.ignored));
        let why = "Nix copies only what git tracks, so it does not see them. Builds fail or use an older version.";
        let finding = Finding::problem(89, what, why).so("remove the line that ignores them from .gitignore");
        entries.push(TRACKED.found(finding.run(format!("git add {}", roots(&facts.ignored)))));
    }
    if !facts.untracked.is_empty() {
        let number = facts.untracked.len();
        let what = format!(
            "git does not track {}: {}",
            if number == 1 { "a file that Nix needs".to_owned() } else { format!("{number} files that Nix needs") },
            listed(&facts.untracked)
        );
        let why =
            "Nix copies only what git tracks, so it does not see them: `nix build` fails, or builds without them.";
        entries
            .push(TRACKED.found(Finding::problem(88, what, why).run(format!("git add {}", roots(&facts.untracked)))));
    }
    if entries.is_empty() {
        entries.push(TRACKED.fine("git tracks all files that Nix needs"));
    }
    entries
}

/// Returns what to add: the folder of generated files once, and other files by name.
fn roots(names: &[String]) -> String {
    let mut all: Vec<String> =
        names.iter().map(|name| if name.starts_with(FOLDER) { FOLDER.to_owned() } else { shell::word(name) }).collect();
    all.sort();
    all.dedup();
    all.join(" ")
}

fn hook(facts: &Facts) -> Option<Entry> {
    if !facts.is_set_up {
        return None;
    }
    let hooks = facts.hooks.as_ref()?;
    let why = "A commit with stale hashes is then found by CI, or by the first colleague whose build fails.";
    if let Some(status) = hooks.iter().find(|status| !status.runs()) {
        let is_absent = hooks.iter().all(|status| !status.runs());
        let what = if is_absent {
            "no git hook checks the hashes before a commit".to_owned()
        } else {
            format!("the git hook {} does not run: {}", status.event, status.reason)
        };
        let why = if is_absent { format!("{why} ({})", status.reason) } else { why.to_owned() };
        return Some(HOOK.found(Finding::advice(27, what, why).run("splitter hook install")));
    }
    Some(match facts.hook_is_off {
        Some(reason) => HOOK.found(Finding::problem(51, format!("the git hook checks nothing: {reason}"), why)),
        None => HOOK.fine("the git hook checks the hashes before each commit"),
    })
}

fn dirty(facts: &Facts) -> Option<Entry> {
    let dirty = facts.dirty?;
    if dirty.files == 0 {
        return Some(DIRTY.fine("everything is committed"));
    }
    let files = if dirty.files == 1 { "1 file differs".to_owned() } else { format!("{} files differ", dirty.files) };
    if dirty.rebuilt == 0 {
        return Some(DIRTY.fine(format!("{files} from the last commit, and change no build")));
    }
    let finding = Finding::advice(
        21,
        format!("{files} from the last commit, and {} of {} builds with them", dirty.rebuilt, dirty.all),
        "Caches have the builds of commits. What you build now is built here, until you commit and push it.",
    );
    Some(DIRTY.found(finding.run("splitter explain")))
}

/// Returns the files of the flake that Nix cannot read.
fn broken(facts: &Facts) -> Vec<Entry> {
    if facts.broken.is_empty() {
        let files = if facts.has_lock { "flake.nix and flake.lock" } else { "flake.nix" };
        return facts.flake.iter().map(|_| FLAKE_FILES.fine(format!("Nix can read {files}"))).collect();
    }
    let apps = facts.model.as_ref().map_or(0, |model| model.apps.len());
    let builds = match apps {
        0 => "nothing of this repository can be built".to_owned(),
        1 => "the app of this repository cannot be built".to_owned(),
        apps => format!("none of the {apps} apps of this repository can be built"),
    };
    let one = |broken: &Broken| {
        let file = broken.file;
        let why = format!("Nix reads {file} before anything else, so {builds}, here and in CI.");
        let finding = Finding::problem(94, format!("{file} {}", broken.why), why);
        let finding = match broken.damage {
            Damage::Conflict if file == FLAKE => finding.so("keep one side of each conflict, and remove the markers"),
            Damage::Conflict => finding.run(format!("git checkout HEAD -- {file}")).run("nix flake lock"),
            Damage::Unread => finding.run(format!("mv {file} {file}.old")).run(format!("git checkout HEAD -- {file}")),
            Damage::Text if file == FLAKE => finding.run("nix-instantiate --parse flake.nix"),
            Damage::Text => finding.run(format!("git checkout HEAD -- {file}")),
        };
        FLAKE_FILES.found(match file {
            FLAKE => finding,
            _ => finding.so("if git has no good version, delete it and run `nix flake lock`"),
        })
    };
    facts.broken.iter().map(one).collect()
}

fn lock(facts: &Facts, now: u64) -> Vec<Entry> {
    if facts.flake.is_none() || facts.broken.iter().any(|broken| broken.file == flake_files::LOCK) {
        return Vec::new();
    }
    if !facts.has_lock {
        let what = "flake.lock is missing";
        let builds = match facts.dirty.map_or(0, |dirty| dirty.all) {
            0 => "Builds differ".to_owned(),
            all => format!("All {all} builds differ"),
        };
        let why = format!(
            "Every machine takes the newest nixpkgs of its day. {builds} between machines, and no cache has them."
        );
        return vec![LOCK.found(Finding::problem(80, what, why).run("nix flake lock").run("git add flake.lock"))];
    }
    let Some(nixpkgs) = &facts.nixpkgs else { return vec![LOCK.fine("flake.lock is there, without an input nixpkgs")] };
    let mut entries = Vec::new();
    if let Some((release, days)) = nixpkgs.unsupported(now) {
        let finding = Finding::problem(
            63,
            format!("nixpkgs {release} gets no updates any more: its support ended {}", since(days)),
            "Node.js, OpenSSL and everything else from it keep their known holes.",
        );
        let finding = finding.so("name a supported release in `inputs.nixpkgs.url` of flake.nix, such as `nixos-26.05`, or later `nixos-26.11`");
        entries.push(RELEASE.found(finding.run("nix flake update nixpkgs")));
    } else {
        entries.push(RELEASE.fine(match &nixpkgs.branch {
            Some(branch) => format!("nixpkgs is {branch}"),
            None => "flake.nix names no branch of nixpkgs, and flake.lock pins a commit".to_owned(),
        }));
    }
    entries.push(match nixpkgs.age(now) {
        Some(days) if days >= OLD => {
            let finding = Finding::advice(
                25,
                format!("nixpkgs in flake.lock is {days} days old"),
                "Node.js and other programs of the builds lack half a year of fixes. An update builds everything once.",
            );
            LOCK.found(finding.run("nix flake update nixpkgs"))
        }
        Some(days) => LOCK.fine(format!("flake.lock pins a nixpkgs that is {days} days old")),
        None => LOCK.fine("flake.lock pins nixpkgs"),
    });
    entries
}

fn since(days: u64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days if days < 60 => format!("{days} days ago"),
        days => format!("{} months ago", days / 30),
    }
}

/// Returns Nix code that makes builds differ without a change: one entry for each kind.
fn impure(facts: &Facts) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (kind, weight, why) in [
        (Kind::Clock, 56, "Every evaluation has another time, so what uses it is built again every time."),
        (
            Kind::Variable,
            43,
            "The value differs between machines and is empty in pure evaluations, so no cache has what this machine builds.",
        ),
        (
            Kind::Channel,
            45,
            "Every machine has another version of it, so no cache has what this machine builds. A flake refuses it.",
        ),
        (
            Kind::Revision,
            54,
            "Every commit has another value, so what uses it is built again for every commit, also without a change.",
        ),
        (Kind::WholeRepository, 53, "Every change of any file, a README included, builds it again."),
    ] {
        let found: Vec<_> = facts.causes.iter().filter(|cause| cause.kind == kind).collect();
        let Some(first) = found.first() else { continue };
        let more = if found.len() > 1 { format!(", and {} more", found.len() - 1) } else { String::new() };
        let what = match kind {
            Kind::WholeRepository => {
                format!("a build has the whole repository as its source: `{}` ({}{more})", first.text, first.place)
            }
            _ => format!("Nix code uses `{}` ({}{more})", first.text, first.place),
        };
        let finding = Finding::advice(weight, what, why);
        entries.push(IMPURE.found(match kind {
            Kind::WholeRepository => finding.so("name the files that it reads with `lib.fileset`, or let splitter build it"),
            Kind::Revision => finding.so("put the revision where nothing is built with it, such as a file beside the image or a variable at start"),
            Kind::Clock | Kind::Variable => finding.so("take the value when the program starts, not when it is built"),
            Kind::Channel => finding.so("take it from an input of the flake, which flake.lock pins"),
        }));
    }
    if entries.is_empty() {
        entries.push(IMPURE.fine("no Nix code reads the clock, variables or the commit"));
    }
    entries
}
