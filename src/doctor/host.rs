//! Checks of the computer: its disk, its memory, its proxies, and git.

use std::path::PathBuf;

use super::model::{Entry, Finding};
use crate::{
    fetch::Environment,
    machine::{Computer, Family, Medium},
    nix::settings::Settings,
    secrets,
};

checks! {
    Machine;
    DISK = "disk-space", DiskFull, SlowCi;
    INODES = "inodes", DiskFull;
    KEPT = "kept-builds", DiskFull;
    STORE_DISK = "store-disk", SlowBuilds;
    CASE = "case", HashMismatch;
    MEMORY = "memory", SlowCi, SlowBuilds;
    PROXY = "proxy", CacheMisses, HashMismatch;
    GIT = "git";
}

const GIB: u64 = 1 << 30;
/// With less than this, the next build fails, or Nix cannot even delete old builds.
const NO_SPACE: u64 = 2 * GIB;
/// The files of a large `node_modules` folder.
const FILES: u64 = 200_000;
/// From this many links on, some are probably forgotten.
const MANY_LINKS: usize = 50;
/// The memory of one JavaScript build at least, in bytes.
const OF_ONE_BUILD: u64 = 2 * GIB;

/// What the checks of the computer are made of.
pub struct Facts<'a> {
    /// The computer.
    pub computer: &'a Computer,
    /// The settings of Nix, if it has any.
    pub settings: Option<&'a Settings>,
    /// Whether a daemon builds and downloads.
    pub has_daemon: bool,
    /// Whether names that differ by case name the same file beside the store.
    pub is_case_insensitive: Option<bool>,
    /// How many links keep builds from being deleted.
    pub kept_builds: usize,
    /// The variables of this process.
    pub environment: &'a Environment,
    /// The version of git, or nothing if there is none.
    pub git: Option<String>,
}

/// Makes all checks of the computer.
pub fn check(facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries = vec![space(facts), inodes(facts), kept(facts), store_disk(facts)];
    entries.extend(case(facts));
    entries.push(memory(facts));
    entries.push(proxy(facts));
    entries.push(git(facts));
    entries
}

/// Adds what makes room.
fn with_room(finding: Finding, facts: &Facts<'_>) -> Finding {
    let finding = finding.run("nix-collect-garbage --delete-older-than 14d");
    let finding = match facts.kept_builds {
        0 => finding,
        1 => finding.so("1 link, such as `result`, keeps its build: `nix-store --gc --print-roots` lists it. Delete it if you do not need it"),
        number => finding.so(format!(
            "{number} links, such as `result`, keep their builds: `nix-store --gc --print-roots` lists them. Delete what you do not need"
        )),
    };
    match facts.settings.and_then(|settings| settings.number("min-free")) {
        Some(0) => finding
            .so("Nix deletes nothing by itself (`min-free = 0`): `splitter tune` shows numbers for `min-free` and `max-free`"),
        _ => finding,
    }
}

fn space(facts: &Facts<'_>) -> Entry {
    let store = &facts.computer.store;
    let (Some(free), Some(all)) = (store.free_bytes.get(), store.bytes.get()) else {
        return DISK.unknown(format!("the free space of {} is not known: {}", store.folder, store.free_bytes.source));
    };
    // What `min-free` should be: builds of a monorepo need some gigabytes at once.
    let low = (all / 20).clamp(NO_SPACE, 20 * GIB);
    let what = format!("{} has {} free of {}", store.folder, gigabytes(free), gigabytes(all));
    if free >= low {
        return DISK.fine(what);
    }
    if free < NO_SPACE {
        let why = "The packages of one monorepo take 1 to 5 GB. Builds fail when the disk is full, and Nix then cannot delete old ones \
                   either, because its database needs space.";
        return DISK.found(with_room(Finding::problem(91, what, why), facts));
    }
    let why = "The packages of one monorepo take 1 to 5 GB, and every change of the lockfile adds as much until old builds are deleted.";
    DISK.found(with_room(Finding::advice(50, what, why), facts))
}

fn inodes(facts: &Facts<'_>) -> Entry {
    let store = &facts.computer.store;
    let (Some(free), Some(all)) = (store.free_inodes.get(), store.inodes.get()) else {
        return INODES.unknown(format!("the number of files that {} can hold is not known", store.folder));
    };
    if all == 0 {
        return INODES.fine("the file system has no limit of files");
    }
    if free >= 2 * FILES && free >= all / 20 {
        return INODES.fine(format!("{} can hold {} more files", store.folder, grouped(free)));
    }
    let what = format!("{} can hold only {} more files, whatever space is free", store.folder, grouped(free));
    let why = format!(
        "A large `node_modules` has {} files. At 0, builds fail with \"No space left on device\" although the disk is not full.",
        grouped(FILES)
    );
    let finding = if free < FILES { Finding::problem(88, what, why) } else { Finding::advice(48, what, why) };
    INODES.found(with_room(finding, facts))
}

/// Links that keep builds are normal. Many of them are forgotten ones.
fn kept(facts: &Facts<'_>) -> Entry {
    let number = facts.kept_builds;
    if number < MANY_LINKS {
        let links =
            if number == 1 { "1 link keeps its build".to_owned() } else { format!("{number} links keep their builds") };
        return KEPT.fine(format!("{links} from being deleted"));
    }
    let finding = Finding::advice(
        29,
        format!("{number} links keep their builds from being deleted"),
        "Each `nix build` leaves a link `result`, and each dev shell of direnv one in `.direnv`. What they lead to stays on the disk, with \
         all that it needs.",
    );
    let finding = finding.run("nix-store --gc --print-roots");
    KEPT.found(finding.so("delete the links that you do not need, then run `nix-collect-garbage`"))
}

fn store_disk(facts: &Facts<'_>) -> Entry {
    let store = &facts.computer.store;
    let system = store.file_system.value.as_deref().unwrap_or("unknown");
    if store.medium.get() == Some(Medium::Network) {
        let finding = Finding::problem(
            57,
            format!("{} is on a network file system ({system})", store.folder),
            "Installing 200,000 small files there takes many times as long as on a disk of this machine, and the database of Nix can \
             be damaged.",
        );
        return STORE_DISK.found(finding.so("move /nix to a local disk; until then set `use-sqlite-wal = false`"));
    }
    if store.medium.get() == Some(Medium::Rotating) {
        let finding = Finding::advice(
            46,
            format!("{} is on a rotating disk", store.folder),
            "A `node_modules` folder is up to 200,000 small files, which such a disk writes one after another.",
        );
        return STORE_DISK.found(finding.so("move /nix to a solid-state disk"));
    }
    STORE_DISK.fine(format!("{} is on {system}", store.folder))
}

fn case(facts: &Facts<'_>) -> Option<Entry> {
    if !facts.is_case_insensitive? {
        return Some(CASE.fine("names that differ by case are different files"));
    }
    if facts.settings.and_then(|settings| settings.flag("use-case-hack")) == Some(true) {
        return Some(CASE.fine("names that differ by case are the same file, and Nix renames them (`use-case-hack`)"));
    }
    let finding = Finding::advice(
        37,
        "the file system of the store takes names that differ by case for the same file",
        "Packages with files such as `Readme` and `README` lose one of them, and then have another hash than on Linux.",
    );
    Some(CASE.found(finding.so("make a case-sensitive volume for /nix, as the installer of Nix does")))
}

fn memory(facts: &Facts<'_>) -> Entry {
    let memory = &facts.computer.memory;
    let Some(usable) = memory.usable.get() else { return MEMORY.unknown("the memory is not known") };
    let jobs = facts.settings.and_then(|settings| settings.number("max-jobs")).unwrap_or(1).max(1);
    let limited = memory.present.get().is_some_and(|present| usable < present);
    let of = if limited {
        format!("{} of memory (a limit: {})", gigabytes(usable), memory.usable.source)
    } else {
        format!("{} of memory", gigabytes(usable))
    };
    if usable / jobs >= OF_ONE_BUILD {
        return MEMORY.fine(format!("builds have {of}"));
    }
    let what = if jobs == 1 { format!("builds have only {of}") } else { format!("{jobs} builds at once share {of}") };
    let finding = Finding::advice(
        39,
        what,
        "Bundlers and type checkers take 1 to 4 GB each. Without enough memory the system ends them (exit code 137) or swaps.",
    );
    let finding = if jobs > 1 { finding.so("set `max-jobs` lower") } else { finding };
    MEMORY.found(if limited {
        finding.so("raise the limit of the container")
    } else {
        finding.so("add memory or swap")
    })
}

fn proxy(facts: &Facts<'_>) -> Entry {
    let get = |name: &str| facts.environment.get(name);
    if get("http_proxy").is_none()
        && get("HTTP_PROXY").is_some()
        && get("https_proxy").is_none()
        && get("HTTPS_PROXY").is_none()
    {
        let finding = Finding::problem(
            47,
            "`HTTP_PROXY` is set, which Nix does not read",
            "Nix downloads with curl, which reads `http_proxy` only in small letters. Downloads go past the proxy, and may be blocked.",
        );
        return PROXY.found(finding.so("set `http_proxy` and `https_proxy` too"));
    }
    let names = ["https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"];
    let Some((name, value)) = names.iter().find_map(|name| Some((name, get(name)?))) else {
        return PROXY.fine("no proxy is set");
    };
    let shown = secrets::masked(value);
    if !facts.has_daemon {
        return PROXY.fine(format!("downloads go through {shown} (`{name}`)"));
    }
    let finding = Finding::advice(
        33,
        format!("this shell uses the proxy {shown} (`{name}`), but the Nix daemon may not"),
        "The daemon downloads packages, and sees only its own variables. Without the proxy it may reach no cache and no registry.",
    );
    PROXY.found(match facts.computer.operating_system.family {
        Family::Linux => finding.run("sudo systemctl edit nix-daemon").so(format!(
            "add `[Service]` and `Environment={name}=…` there, then run `sudo systemctl restart nix-daemon`"
        )),
        _ => finding.so(format!("set `{name}` for the daemon too")),
    })
}

fn git(facts: &Facts<'_>) -> Entry {
    if let Some(version) = &facts.git {
        return GIT.fine(format!("git is {version}"));
    }
    let finding = Finding::problem(
        94,
        "git is not installed",
        "Nix copies the files that git tracks, so it needs git. Most commands of splitter do too.",
    );
    GIT.found(finding.so("install git, and add it to PATH"))
}

fn gigabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / GIB;
    if tenths >= 100 { format!("{} GB", tenths / 10) } else { format!("{}.{} GB", tenths / 10, tenths % 10) }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a folder's file system takes names that differ by case for the same file: its own name in other letters leads to it.
pub fn is_case_insensitive(folder: &str) -> Option<bool> {
    let (parent, name) = folder.rsplit_once('/').filter(|(_, name)| !name.is_empty())?;
    let other: String = name
        .chars()
        .map(|letter| if letter.is_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() })
        .collect();
    let own = fs_err::metadata(folder).ok()?;
    Some(fs_err::metadata(format!("{parent}/{other}")).is_ok_and(|found| is_same(&own, &found)))
}

#[cfg(unix)]
fn is_same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}

/// Counts the links that keep builds from being deleted.
pub fn kept_builds(state: &std::path::Path) -> usize {
    let folder: PathBuf = state.join("gcroots/auto");
    fs_err::read_dir(folder).map_or(0, |entries| entries.flatten().filter(|entry| entry.path().exists()).count())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        doctor::model::{Severity, State},
        machine::Recorded,
    };

    const SERVER: &str = include_str!("../machine/fixtures/server.txt");

    struct World {
        root: Recorded,
        settings: Settings,
        variables: Vec<(&'static str, &'static str)>,
        is_case_insensitive: bool,
        kept_builds: usize,
        git: Option<&'static str>,
    }

    /// A computer without a fault: a solid-state disk, and space.
    fn world() -> World {
        let root = Recorded::new(SERVER).with_file("/sys/class/block/sda1/../queue/rotational", "0\n");
        let root = root.with_file("/sys/class/block/sdb1/../queue/rotational", "0\n");
        let settings = Settings::of(&json!({ "min-free": { "value": 0 }, "max-jobs": { "value": 4 } }));
        World { root, settings, variables: Vec::new(), is_case_insensitive: false, kept_builds: 3, git: Some("2.47.3") }
    }

    fn found(world: &World) -> Vec<(&'static str, Severity, String)> {
        let environment = Environment::from_pairs(world.variables.iter().copied());
        let computer = Computer::of(&world.root, "/nix/store");
        let facts = Facts {
            computer: &computer,
            settings: Some(&world.settings),
            has_daemon: true,
            is_case_insensitive: Some(world.is_case_insensitive),
            kept_builds: world.kept_builds,
            environment: &environment,
            git: world.git.map(str::to_owned),
        };
        let found = check(&facts).into_iter().filter_map(|entry| match entry.state {
            State::Found(finding) => Some((
                entry.check.name,
                finding.severity,
                format!("{} {} {:?}", finding.what, finding.why, finding.remedies),
            )),
            _ => None,
        });
        found.collect()
    }

    #[track_caller]
    fn only(world: &World) -> (&'static str, Severity, String) {
        let found = found(world);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    fn with_space(space: &str) -> World {
        let world = world();
        World { root: world.root.clone().with("space", space), ..world }
    }

    #[test]
    fn a_good_computer_has_no_finding() {
        assert_eq!(found(&world()), []);
    }

    #[test]
    fn bytes_and_inodes_are_counted_apart() {
        let (check, severity, text) = only(&with_space("500000000000 1500000000 122071040 100000000"));
        assert_eq!((check, severity), ("disk-space", Severity::Problem));
        assert!(
            text.contains("1.3 GB free of 465 GB") && text.contains("3 links") && text.contains("min-free"),
            "{text}"
        );
        assert_eq!(only(&with_space("500000000000 15000000000 122071040 100000000")).1, Severity::Advice);
        let (check, severity, text) = only(&with_space("500000000000 300000000000 30000000 90000"));
        assert_eq!((check, severity), ("inodes", Severity::Problem));
        assert!(text.contains("only 90,000 more files"), "{text}");
        assert_eq!(only(&with_space("500000000000 300000000000 30000000 1000000")).1, Severity::Advice);
        assert_eq!(found(&with_space("500000000000 300000000000 0 0")), []);
    }

    #[test]
    fn many_links_are_advice() {
        let mut many = world();
        many.kept_builds = 60;
        assert_eq!((only(&many).0, only(&many).1), ("kept-builds", Severity::Advice));
    }

    #[test]
    fn disks_that_are_slow_or_merge_names_are_found() {
        let mut slow = world();
        slow.root = Recorded::new(SERVER);
        assert_eq!(only(&slow).0, "store-disk");
        slow.root =
            world().root.with_file("/proc/self/mountinfo", "28 1 0:44 / / rw,relatime - nfs4 host:/export rw\n");
        let (check, severity, text) = only(&slow);
        assert_eq!((check, severity), ("store-disk", Severity::Problem));
        assert!(text.contains("(nfs4)"), "{text}");
        let mut merging = world();
        merging.is_case_insensitive = true;
        assert_eq!(only(&merging).0, "case");
        merging.settings = Settings::of(&json!({ "use-case-hack": { "value": true } }));
        assert_eq!(found(&merging), []);
        assert_eq!(super::is_case_insensitive("/"), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        fs_err::create_dir(&path).unwrap();
        fs_err::write(folder.path().join("probe"), "").unwrap();
        let expected = folder.path().join("PROBE").exists();
        assert_eq!(super::is_case_insensitive(path.to_str().unwrap()), Some(expected));
    }

    #[test]
    fn a_limit_of_memory_is_compared_with_the_builds_at_once() {
        let mut small = world();
        small.root = small.root.with_file("/sys/fs/cgroup/system.slice/ssh.service/memory.max", "6442450944\n");
        let (check, _, text) = only(&small);
        assert_eq!(check, "memory");
        assert!(
            text.contains("4 builds at once share 6.0 GB of memory (a limit: ") && text.contains("raise the limit"),
            "{text}"
        );
    }

    #[test]
    fn proxies_of_this_shell_and_a_missing_git_are_found() {
        let mut proxied = world();
        proxied.variables = vec![("https_proxy", "http://me:secret@proxy.example:3128")];
        let (check, severity, text) = only(&proxied);
        assert_eq!((check, severity), ("proxy", Severity::Advice));
        assert!(text.contains("proxy.example") && !text.contains("secret"), "{text}");
        proxied.variables = vec![("HTTP_PROXY", "http://proxy.example")];
        assert!(only(&proxied).2.contains("small letters"));
        let mut bare = world();
        bare.git = None;
        assert_eq!(only(&bare).0, "git");
    }
}
