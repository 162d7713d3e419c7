//! Generates the inputs: a monorepo of realistic size, its tarballs, and larger repositories.
//!
//! All inputs are computed from numbers, so they are the same on every machine. The shape is that of a real monorepo with 39
//! workspaces: a lockfile of 700 kB with 2,800 entries for 2,000 tarballs of 20 kB to 1 MB. The other 800 entries are second
//! places of the same tarballs. One package in eight is for a single platform.

use std::{fmt::Write as _, io::Write as _, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use splitter::lockfile::{Algorithm, Hasher, Integrity};
use tempfile::TempDir;

use super::server::Server;
use crate::{Result, paths, process};

const TARBALLS: usize = 2000;
const ENTRIES: usize = 2800;
const WORKSPACES: usize = 39;
const MANY_WORKSPACES: usize = 1000;
const APPS: usize = 6;
/// The number of files in the monorepo, on which the time of `git status` depends.
const FILES: usize = 2500;
const MANY_FILES: usize = 100_000;
/// Sizes of tarballs in sixteenths of the mean size. Their mean is 16.
const SIZES: [usize; 8] = [1, 2, 4, 8, 16, 16, 32, 49];
const MEAN_SIZE: usize = 375_000;

/// The inputs on disk, and the server for the tarballs.
pub(super) struct Inputs {
    /// A git repository with 39 workspaces and a fresh record.
    pub(super) monorepo: Utf8PathBuf,
    /// A git repository with 39 workspaces and 100,000 files, without a record.
    pub(super) large: Utf8PathBuf,
    /// A git repository with 1,000 workspaces and a fresh record.
    pub(super) wide: Utf8PathBuf,
    /// The tarballs, with the paths of a registry: `<name>/-/<name>-1.0.0.tgz`.
    pub(super) tarballs: Utf8PathBuf,
    /// A cache with all tarballs.
    pub(super) cache: Utf8PathBuf,
    /// A folder for files that rows write.
    pub(super) scratch: Utf8PathBuf,
    /// The lockfile with a different version of one package, which is in the cache too.
    pub(super) other_lock: String,
    /// The server for the tarballs.
    pub(super) server: Server,
    _folder: Option<TempDir>,
}

impl Inputs {
    /// Generates the inputs in `chosen` or in a temporary folder.
    pub(super) fn make(chosen: Option<&Utf8Path>, splitter: &Utf8Path) -> Result<Self> {
        let (root, folder) = place(chosen)?;
        eprintln!("bench: inputs in {root}");
        let at = |name: &str| root.join(name);
        for stale in ["monorepo", "large", "wide", "cache", "scratch"] {
            let _ = fs::remove_dir_all(at(stale));
            fs::create_dir_all(at(stale))?;
        }
        let integrities = tarballs(&at("tarballs"))?;
        let server = Server::start(&at("tarballs"))?;
        let (lock, other_lock) = (lock(&integrities, "1.0.0", WORKSPACES), lock(&integrities, "2.0.0", WORKSPACES));
        for (folder, files) in [("monorepo", FILES), ("large", MANY_FILES)] {
            repository(&at(folder), &lock, files, WORKSPACES)?;
        }
        repository(
            &at("wide"),
            &self::lock(&integrities, "1.0.0", MANY_WORKSPACES),
            4 * MANY_WORKSPACES,
            MANY_WORKSPACES,
        )?;
        let inputs = Self {
            monorepo: at("monorepo"),
            large: at("large"),
            wide: at("wide"),
            tarballs: at("tarballs"),
            cache: at("cache"),
            scratch: at("scratch"),
            other_lock,
            server,
            _folder: folder,
        };
        // One run with each lockfile, so that the cache has all tarballs.
        inputs.write_lock(&inputs.other_lock)?;
        process::run_silently(&mut inputs.splitter(splitter, "init"))?;
        inputs.write_lock(&lock)?;
        process::run_silently(&mut inputs.splitter(splitter, "update-hash"))?;
        commit(&inputs.monorepo)?;
        process::run_silently(inputs.splitter(splitter, "init").current_dir(&inputs.wide))?;
        commit(&inputs.wide)?;
        Ok(inputs)
    }

    /// Returns a `splitter` command in the monorepo, with this cache and server.
    pub(super) fn splitter(&self, program: &Utf8Path, verb: &str) -> Command {
        let mut command = Command::new(program);
        command.arg(verb).current_dir(&self.monorepo);
        command.env("SPLITTER_CACHE_DIR", &self.cache).env("npm_config_registry", &self.server.url);
        command
    }

    /// Replaces the lockfile of the monorepo.
    pub(super) fn write_lock(&self, text: &str) -> Result<()> {
        Ok(fs::write(self.monorepo.join("bun.lock"), text)?)
    }

    /// Returns the lockfile of the monorepo.
    pub(super) fn lock(&self) -> Result<String> {
        Ok(fs::read_to_string(self.monorepo.join("bun.lock"))?)
    }
}

pub(super) fn place(chosen: Option<&Utf8Path>) -> Result<(Utf8PathBuf, Option<TempDir>)> {
    if let Some(chosen) = chosen {
        fs::create_dir_all(chosen)?;
        return Ok((chosen.canonicalize_utf8()?, None));
    }
    // The system's temporary folder is often in memory, unlike a user's cache.
    let below = paths::project().join("target");
    fs::create_dir_all(&below)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(below)?;
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).map_err(|_| "the target folder is not UTF-8")?;
    Ok((root, Some(folder)))
}

fn name(number: usize) -> String {
    match number % 3 {
        0 => format!("@scope-{}/package-{number:04}", number % 40),
        _ => format!("package-{number:04}"),
    }
}

/// Writes missing tarballs and a second version of package 0. Returns their integrities in order, the second version last.
/// The contents are noise, because nothing unpacks them.
fn tarballs(folder: &Utf8Path) -> Result<Vec<Integrity>> {
    let mut integrities = Vec::new();
    for number in 0..=TARBALLS {
        let (name, version) = if number == TARBALLS { (name(0), "2.0.0") } else { (name(number), "1.0.0") };
        let base = name.rsplit('/').next().unwrap_or_default().to_owned();
        let path = folder.join(&name).join("-").join(format!("{base}-{version}.tgz"));
        let bytes = noise(number as u64, MEAN_SIZE * SIZES[number % SIZES.len()] / 16);
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(&bytes);
        integrities.push(hasher.finish().into());
        if !path.is_file() {
            fs::create_dir_all(path.parent().ok_or("a tarball without a folder")?)?;
            fs::write(&path, &bytes)?;
        }
    }
    Ok(integrities)
}

/// Returns bytes that do not repeat (xorshift64).
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Returns a lockfile in Bun's format, with package 0 at `version`.
fn lock(integrities: &[Integrity], version: &str, workspaces: usize) -> String {
    let mut text = "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\n".to_owned();
    for index in 0..workspaces {
        let (path, fields) = workspace(index, workspaces);
        let _ = writeln!(text, "    \"{path}\": {},", fields.join(", "));
    }
    text.push_str("  },\n  \"packages\": {\n");
    for entry in 0..ENTRIES {
        let _ = writeln!(text, "    {},\n", entry_line(entry, integrities, version));
    }
    text.push_str("  }\n}\n");
    text
}

fn entry_line(entry: usize, integrities: &[Integrity], version: &str) -> String {
    let number = entry % TARBALLS;
    let name = name(number);
    // A package that cannot be hoisted has a second place below its dependent.
    let key = if entry < TARBALLS { name.clone() } else { format!("{}/{name}", self::name(entry - TARBALLS)) };
    let (version, integrity) = match (number, version) {
        (0, "2.0.0") => ("2.0.0", &integrities[TARBALLS]),
        _ => ("1.0.0", &integrities[number]),
    };
    let platform = match number % 16 {
        7 => r#", "os": "linux", "cpu": "x64""#,
        15 => r#", "os": "darwin", "cpu": "arm64""#,
        _ => "",
    };
    let dependencies: Vec<String> = (1..=1 + number % 3)
        .map(|step| format!("\"{}\": \"^1.0.0\"", self::name((number * 7 + step) % TARBALLS)))
        .collect();
    let info = format!("{{ \"dependencies\": {{ {} }}{platform} }}", dependencies.join(", "));
    format!("\"{key}\": [\"{name}@{version}\", \"\", {info}, \"{integrity}\"]")
}

/// Returns the folder of a workspace and its manifest as one text. Workspace 0 is the root.
fn workspace(index: usize, workspaces: usize) -> (String, [String; 1]) {
    let (path, name) = match index {
        0 => (String::new(), "acme".to_owned()),
        _ if index <= APPS => (format!("apps/app-{index}"), format!("@acme/app-{index}")),
        _ => (format!("packages/library-{index}"), format!("@acme/library-{index}")),
    };
    let mut dependencies: Vec<String> = if index == 0 { 0..5 } else { index * 15..index * 15 + 15 }
        .map(|number| format!("\"{}\": \"^1.0.0\"", self::name(number % TARBALLS)))
        .collect();
    if (1..=APPS).contains(&index) {
        dependencies
            .extend((APPS + 1..workspaces).step_by(index).map(|i| format!("\"@acme/library-{i}\": \"workspace:*\"")));
    }
    (path, [format!("{{ \"name\": \"{name}\", \"dependencies\": {{ {} }} }}", dependencies.join(", "))])
}

/// Creates a git repository with this lockfile and about this number of files, all committed.
fn repository(root: &Utf8Path, lock: &str, files: usize, workspaces: usize) -> Result<()> {
    fs::write(root.join("bun.lock"), lock)?;
    fs::write(root.join(".gitignore"), "node_modules\ndist\n")?;
    for index in 0..workspaces {
        let (path, [fields]) = workspace(index, workspaces);
        let folder = root.join(&path);
        for number in 0..files / workspaces {
            let folder = folder.join(format!("src/part-{}", number / 20));
            if number % 20 == 0 {
                fs::create_dir_all(&folder)?;
            }
            writeln!(fs::File::create(folder.join(format!("file-{number}.ts")))?, "export const value = {number};")?;
        }
        let more = match index {
            0 => r#""workspaces": ["apps/*", "packages/*"], "packageManager": "bun@1.4.4","#,
            _ => r#""scripts": { "build": "vite build", "test": "vitest" },"#,
        };
        fs::write(folder.join("package.json"), fields.replacen('{', &format!("{{ {more}"), 1))?;
    }
    git_repository(root)
}

/// Creates a git repository in a folder, and commits all files.
pub(super) fn git_repository(root: &Utf8Path) -> Result<()> {
    process::run_silently(Command::new("git").args(["init", "--quiet"]).current_dir(root))?;
    commit(root)
}

pub(super) fn commit(root: &Utf8Path) -> Result<()> {
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]);
        process::run_silently(git.args(args).current_dir(root))
    };
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--no-verify", "--message", "bench"]).map(drop)
}
