//! The tools that `cargo xtask setup` installs. If a tool is missing, the test returns early. It says so on stderr, past
//! libtest's capture, and in the file from which `cargo xtask test` counts skipped tests.

use std::{env, io::Write, panic::Location, process::Command, sync::LazyLock, thread};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::Package;

/// The Bun versions of `xtask/tools.json`: the last 1.2, a 1.3, and the current one.
pub(crate) const BUN_VERSIONS: [&str; 3] = ["1.2.23", "1.3.11", "1.4.4"];

/// Another Bun of `xtask/tools.json`. Its `bun build --compile` grows the first writable segment of the program.
pub(crate) const BUN_1_3_14: &str = "1.3.14";

/// The Yarn versions of `xtask/tools.json`: classic, the last 3, and the current one.
pub(crate) const YARN_VERSIONS: [&str; 3] = ["1.22.22", "3.8.7", "4.18.1"];

/// The real Nix on this machine.
#[derive(Debug, Clone)]
pub(crate) struct NixProgram {
    pub(crate) program: Utf8PathBuf,
    /// Whether builds run in a sandbox on this machine.
    pub(crate) sandbox: bool,
}

/// Returns Bun at this version, or records a skip.
#[track_caller]
pub(crate) fn bun(version: &str) -> Option<Utf8PathBuf> {
    installed(&format!("bun-{version}/bin/bun"))
}

/// Returns the script of Yarn at this version, or records a skip. Node runs the script.
#[track_caller]
pub(crate) fn yarn(version: &str) -> Option<Utf8PathBuf> {
    if !has_node() {
        return skip("no Node");
    }
    installed(&format!("yarn-{version}/bin/yarn.js"))
}

/// Returns Nix, or records a skip.
#[track_caller]
pub(crate) fn nix() -> Option<NixProgram> {
    let Ok(text) = fs::read_to_string(tools_dir().join("nix.json")) else {
        return skip("no Nix");
    };
    let note: serde_json::Value = serde_json::from_str(&text).unwrap();
    Some(NixProgram { program: note["program"].as_str().unwrap().into(), sandbox: note["sandbox"].as_bool().unwrap() })
}

/// Returns a program for images, which `cargo xtask setup` installs on Debian, or records a skip.
#[track_caller]
pub(crate) fn oci(name: &str) -> Option<Utf8PathBuf> {
    let folders = format!("{}:/usr/sbin:/sbin", search_path());
    match which::which_in(name, Some(folders), env::current_dir().unwrap()) {
        Ok(found) => Utf8PathBuf::from_path_buf(found).ok(),
        Err(_) => skip(&format!("no {name}")),
    }
}

/// Returns the real packages of `xtask/packages.json`: Fastify, and all that it needs. Records a skip if one is missing.
#[track_caller]
pub(crate) fn real_packages() -> Option<Vec<Package>> {
    let list: Vec<serde_json::Value> = serde_json::from_str(include_str!("../../../xtask/packages.json")).unwrap();
    let file = |package: &serde_json::Value| {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        format!("packages/{}-{}.tgz", text("name").replace('/', "+"), text("version"))
    };
    let files: Option<Vec<_>> = list.iter().map(|package| installed(&file(package))).collect();
    Some(files?.into_iter().map(|file| Package::of_tarball(fs::read(file).unwrap())).collect())
}

/// Returns the folder of `PostgreSQL`'s programs. Debian has one for each release, and none of them in `PATH`.
pub(crate) fn postgresql() -> Option<Utf8PathBuf> {
    let releases = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let folders = releases.filter_map(|release| Utf8PathBuf::from_path_buf(release.path().join("bin")).ok());
    folders.filter(|folder| folder.join("postgres").is_file()).max()
}

/// Returns the folder of `PostgreSQL`'s programs, or records a skip.
#[track_caller]
pub(crate) fn services() -> Option<Utf8PathBuf> {
    postgresql().or_else(|| skip("no PostgreSQL"))
}

/// Returns the folder of the programs that check workflows, or records a skip.
#[track_caller]
pub(crate) fn linters() -> Option<Utf8PathBuf> {
    let folder = tools_dir().join("linters/bin");
    if folder.join("zizmor").is_file() { Some(folder) } else { skip("no linters") }
}

/// Records that the running test is skipped. Always returns `None`, which callers can return in turn.
#[track_caller]
pub(crate) fn skip<T>(reason: &str) -> Option<T> {
    let place = Location::caller();
    // With a single test thread, threads have no names.
    let name = match thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", place.file(), place.line()),
    };
    // One write, so that the lines of parallel tests do not mix.
    let line = format!("\nSKIPPED e2e {name}: {reason} (run `cargo xtask setup`)\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(notes) = env::var_os("SPLITTER_SKIPPED") {
        let mut notes = fs::OpenOptions::new().append(true).create(true).open(notes.to_str().unwrap()).unwrap();
        notes.write_all(format!("{name}: {reason}\n").as_bytes()).unwrap();
    }
    None
}

/// Returns the `PATH` for programs under test. If the machine has no suitable Node, the project's own comes first.
pub(crate) fn search_path() -> String {
    let path = env::var("PATH").unwrap_or_default();
    own_node().map_or_else(|| path.clone(), |folder| format!("{folder}:{path}"))
}

/// Returns the path of a program on this machine, with symbolic links resolved.
pub(crate) fn program(name: &str) -> Option<Utf8PathBuf> {
    let found = which::which_in(name, Some(search_path()), env::current_dir().unwrap()).ok()?;
    Utf8PathBuf::from_path_buf(fs::canonicalize(found).ok()?).ok()
}

/// Returns folders of programs outside of the system's own folders, which the sandbox must show to builds.
pub(crate) fn folders_of_programs() -> String {
    let programs = program("node").into_iter();
    let elsewhere = programs.filter(|program| !program.starts_with("/usr"));
    // The program is <folder>/bin/node, and npm is in <folder>/lib.
    let folders = elsewhere.filter_map(|program| Some(program.parent()?.parent()?.to_string()));
    folders.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn installed(path: &str) -> Option<Utf8PathBuf> {
    let program = tools_dir().join(path);
    if program.is_file() { Some(program) } else { skip(&format!("no {path}")) }
}

fn tools_dir() -> Utf8PathBuf {
    let chosen = env::var("SPLITTER_TOOLS_DIR").map_or_else(|_| "target/tools".into(), Utf8PathBuf::from);
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(chosen)
}

fn own_node() -> Option<Utf8PathBuf> {
    let folders = tools_dir().read_dir_utf8().ok()?.filter_map(Result::ok);
    let node = folders.into_iter().find(|entry| entry.file_name().starts_with("node-"))?;
    Some(node.path().join("bin"))
}

fn has_node() -> bool {
    node_version().is_some()
}

/// Returns the version of Node on this machine, if it has one. It runs once.
pub(crate) fn node_version() -> Option<&'static str> {
    static VERSION: LazyLock<Option<String>> = LazyLock::new(|| {
        let output = Command::new(program("node")?).arg("--version").output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| version.trim().trim_start_matches('v').to_owned())
    });
    VERSION.as_deref()
}
