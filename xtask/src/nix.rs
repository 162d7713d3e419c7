//! Finds a real Nix, or installs a recent one for the project (on Debian, as root).
//!
//! `nix.json` in the tools folder records the program, and whether builds run in a sandbox on this machine. Tests that need
//! Nix read it, and skip themselves if it is missing.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{Result, paths, process};

/// The programs that the set-up and the tests run, with their Debian packages.
const DEBIAN_PACKAGES: [(&str, &str); 20] = [
    ("busybox", "busybox-static"),
    ("caddy", "caddy"),
    ("curl", "curl"),
    ("docker-registry", "docker-registry"),
    ("fakeroot-sysv", "fakeroot"),
    ("git", "git"),
    ("mariadbd", "mariadb-server"),
    ("nginx", "nginx-light"),
    ("patchelf", "patchelf"),
    ("pg_ctlcluster", "postgresql"),
    ("redis-server", "redis-server"),
    ("runc", "runc"),
    ("shellcheck", "shellcheck"),
    ("skopeo", "skopeo"),
    ("strace", "strace"),
    ("tar", "tar"),
    ("tini-static", "tini"),
    ("umoci", "umoci"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// The programs that install and test Nix.
const NEEDED_FOR_NIX: [&str; 7] = ["curl", "git", "patchelf", "strace", "tar", "xz", "zstd"];

/// The programs of the tests of images.
const FOR_IMAGES: [&str; 8] =
    ["busybox", "caddy", "docker-registry", "fakeroot-sysv", "runc", "skopeo", "tini-static", "umoci"];

/// The services of the tests of `nix run .#dev`.
const SERVICES: [&str; 3] = ["mariadbd", "pg_ctlcluster", "redis-server"];

/// The Nix that tests use.
#[derive(Serialize, Deserialize)]
struct Note {
    /// The program `nix`.
    program: Utf8PathBuf,
    /// Whether builds run in a sandbox on this machine.
    sandbox: bool,
}

/// Finds or installs Nix, and returns whether `nix.json` was written. If Nix cannot be installed, tests that need it are
/// skipped; that is not an error.
pub(crate) fn install_if_missing(tools: &Utf8Path) -> Result<bool> {
    let note = tools.join("nix.json");
    if is_current(&note) {
        return Ok(false);
    }
    let Some(program) = find_or_install(tools)? else { return Ok(false) };
    match probe(&program) {
        Ok(sandbox) => {
            if !sandbox {
                eprintln!("setup: WARNING: Nix cannot use its sandbox on this machine; tests build without a sandbox");
            }
            fs::write(note, serde_json::to_string_pretty(&Note { program, sandbox })?)?;
            Ok(true)
        }
        Err(error) => {
            eprintln!("setup: WARNING: Nix cannot build on this machine; tests that need it are SKIPPED\n{error}");
            Ok(false)
        }
    }
}

/// Installs strace, the tools for images and the services, if this is Debian and the user is root. Without them their tests are
/// skipped; that is not an error.
pub(crate) fn install_programs_of_tests() -> Result<()> {
    let groups: [(&str, &[&str]); 4] =
        [("traces", &["strace"]), ("images", &FOR_IMAGES), ("services", &SERVICES), ("caches", &["nginx"])];
    let missing = |programs: &[&'static str]| programs.iter().any(|program| !process::exists(program));
    if !cfg!(target_os = "linux") || !groups.iter().any(|(_, programs)| missing(programs)) {
        return Ok(());
    }
    if is_debian_root() {
        // At once: each call of apt-get reads its lists again.
        let all: Vec<&str> = groups.iter().flat_map(|(_, programs)| programs.iter().copied()).collect();
        return require_programs(&all);
    }
    for (tests, programs) in groups.iter().filter(|(_, programs)| missing(programs)) {
        eprintln!("setup: WARNING: one of {} not found; tests of {tests} are SKIPPED", programs.join(", "));
    }
    Ok(())
}

/// Returns `NIX_BINARY`, else the Nix in `nix.json`, else the one on `PATH`.
pub(crate) fn program() -> Option<Utf8PathBuf> {
    let chosen = std::env::var("NIX_BINARY").ok().map(Utf8PathBuf::from);
    let noted = || {
        let text = fs::read_to_string(paths::tools_dir().join("nix.json")).ok()?;
        serde_json::from_str::<Note>(&text).ok().map(|note| note.program)
    };
    chosen.or_else(noted).filter(|program| program.is_file()).or_else(on_path)
}

/// Checks that these programs exist. Missing ones are installed if this is Debian and the user is root.
pub(crate) fn require_programs(programs: &[&str]) -> Result<()> {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !process::exists(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_debian_root() {
        return Err(format!("missing programs: {}; install them first", missing.join(", ")).into());
    }
    let packages = DEBIAN_PACKAGES.iter().filter(|(program, _)| missing.contains(program)).map(|(_, package)| *package);
    install_debian_packages(&packages.collect::<Vec<_>>())
}

/// Installs packages of Debian. The user is root.
pub(crate) fn install_debian_packages(packages: &[&str]) -> Result<()> {
    eprintln!("setup: apt-get install {}", packages.join(" "));
    process::run_silently(Command::new("apt-get").args(["-qq", "update"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-y", "--no-install-recommends", "install"]);
    process::run_silently(install.args(packages)).map(drop)
}

fn is_current(note: &Utf8Path) -> bool {
    let text = fs::read_to_string(note).unwrap_or_default();
    serde_json::from_str::<Note>(&text).is_ok_and(|note| note.program.is_file())
}

fn find_or_install(tools: &Utf8Path) -> Result<Option<Utf8PathBuf>> {
    let own = tools.join("nix");
    let program = own.join("usr/bin/nix");
    if program.is_file() {
        return Ok(Some(program));
    }
    if let Some(found) = on_path() {
        return Ok(Some(found));
    }
    if !is_debian_root() {
        eprintln!(
            "setup: WARNING: Nix not found, and cannot be installed (this needs Debian and root); \
             tests that need it are SKIPPED"
        );
        return Ok(None);
    }
    eprintln!("setup: installing nix");
    require_programs(&NEEDED_FOR_NIX)?;
    let script = paths::project().join("xtask/nix/get-nix.sh");
    process::run_silently(Command::new("bash").args([script.as_str(), own.as_str()]))?;
    Ok(Some(program))
}

/// Returns the Nix on `PATH`, if the user is root. Other users cannot choose a sandbox and a store, as the tests do.
fn on_path() -> Option<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(which::which("nix").ok()?).ok().filter(|_| is_root())
}

/// Builds a trivial derivation. Returns whether it worked in a sandbox, or an error if it did not work at all.
fn probe(program: &Utf8Path) -> Result<bool> {
    match probe_build(program, "true") {
        Ok(()) => Ok(true),
        Err(_) => probe_build(program, "false").map(|()| false),
    }
}

fn probe_build(program: &Utf8Path, sandbox: &str) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let scratch = Utf8Path::from_path(scratch.path()).ok_or("the path of the temporary folder is not UTF-8")?;
    let mut build = Command::new(program);
    for (name, folder) in [
        ("NIX_STORE_DIR", "store"),
        ("NIX_STATE_DIR", "state"),
        ("NIX_LOG_DIR", "log"),
        ("NIX_CONF_DIR", "conf"),
        ("HOME", "home"),
        ("XDG_CACHE_HOME", "cache"),
    ] {
        build.env(name, scratch.join(folder));
    }
    build.args(["build", "--no-link", "--impure", "--extra-experimental-features", "nix-command"]);
    build.args(["--option", "sandbox", sandbox, "--option", "sandbox-fallback", "false"]);
    build.args(["--option", "build-users-group", "", "--option", "substituters", ""]);
    build.args(["--option", "sandbox-paths", "/bin /usr /lib /lib64?"]);
    build.args(["--file", paths::project().join("xtask/nix/probe.nix").as_str()]);
    process::run_silently(&mut build).map(drop)
}

fn is_root() -> bool {
    process::run_silently(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// Whether packages of Debian can be installed.
pub(crate) fn is_debian_root() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    release.lines().any(|line| line == "ID=debian") && is_root()
}
