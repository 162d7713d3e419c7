//! Installs Bun, Yarn and Node from the npm registry, with the versions and integrities of `tools.json`.
//!
//! It uses the same registry as npm, from the environment or `.npmrc`, so mirrors work.

use std::{collections::BTreeMap, process::Command, thread};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use npmrc_config_rs::{NpmrcConfig, registry::DEFAULT_REGISTRY};
use serde::Deserialize;
use splitter::lockfile::Integrity;

use crate::{Result, nix, process};

/// The oldest major version of Node that is used from `PATH`.
const OLDEST_NODE: u32 = 20;

/// One tool at one version.
#[derive(Deserialize)]
struct Tool {
    name: String,
    version: String,
    /// Its npm package by platform (`<os>-<cpu>` in Node's words) or `any`.
    packages: BTreeMap<String, Package>,
}

/// An npm package with the integrity of its tarball.
#[derive(Deserialize)]
struct Package {
    package: String,
    integrity: Integrity,
}

impl Tool {
    fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Returns the package for this machine.
    fn package(&self) -> Result<&Package> {
        let platforms = platforms();
        let found = platforms.iter().find_map(|platform| self.packages.get(platform));
        found.ok_or_else(|| format!("{} {} has no package for {}", self.name, self.version, platforms[0]).into())
    }

    fn is_needed(&self) -> bool {
        self.name != "node" || !node_on_path_will_do()
    }
}

/// Installs the tools of `tools.json` that are missing in `dir`, in parallel. Returns their number.
pub(crate) fn install_missing(dir: &Utf8Path) -> Result<usize> {
    let tools: Vec<Tool> = serde_json::from_str(include_str!("../tools.json"))?;
    let mut missing = Vec::new();
    for tool in tools.iter().filter(|tool| tool.is_needed()) {
        let package = tool.package()?;
        if !is_installed(&dir.join(tool.folder()), package) {
            missing.push((tool, package));
        }
    }
    if missing.is_empty() {
        return Ok(0);
    }
    nix::require_programs(&["curl", "tar"])?;
    remove_leftovers(dir)?;
    let registry = registry();
    thread::scope(|scope| {
        let running: Vec<_> =
            missing.iter().map(|(tool, package)| scope.spawn(|| install(dir, tool, package, &registry))).collect();
        for thread in running {
            thread.join().map_err(|_| "a download panicked")??;
        }
        Ok(missing.len())
    })
}

/// Installs the Node of `tools.json` into `dir`, whatever the machine has; returns its folder.
pub(crate) fn install_node(dir: &Utf8Path) -> Result<Utf8PathBuf> {
    let tools: Vec<Tool> = serde_json::from_str(include_str!("../tools.json"))?;
    let node = tools.iter().find(|tool| tool.name == "node").ok_or("tools.json has no Node")?;
    let (package, folder) = (node.package()?, dir.join(node.folder()));
    if !is_installed(&folder, package) {
        fs::create_dir_all(dir)?;
        install(dir, node, package, &registry())?;
    }
    Ok(folder)
}

/// Removes leftovers of interrupted runs. The caller holds the lock, so no other run is active.
fn remove_leftovers(dir: &Utf8Path) -> Result<()> {
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name().starts_with(".tmp") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a tool is installed completely: its folder contains the integrity of its tarball, which is written last.
fn is_installed(folder: &Utf8Path, package: &Package) -> bool {
    fs::read_to_string(folder.join(".integrity")).is_ok_and(|text| text == package.integrity.to_string())
}

fn install(dir: &Utf8Path, tool: &Tool, package: &Package, registry: &str) -> Result<()> {
    eprintln!("setup: installing {} {}", tool.name, tool.version);
    let scratch = tempfile::tempdir_in(dir)?;
    let scratch = Utf8Path::from_path(scratch.path()).ok_or("the path of the tools folder is not UTF-8")?;
    let tarball = scratch.join("package.tgz");
    download_package(registry, &package.package, &tool.version, &package.integrity, &tarball)?;
    let unpacked = scratch.join("unpacked");
    fs::create_dir(&unpacked)?;
    process::run_silently(Command::new("tar").args([
        "-xzf",
        tarball.as_str(),
        "-C",
        unpacked.as_str(),
        "--strip-components=1",
    ]))?;
    fs::write(unpacked.join(".integrity"), package.integrity.to_string())?;
    let folder = dir.join(tool.folder());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::rename(unpacked, folder)?;
    Ok(())
}

/// Downloads the tarball of a package, and checks its integrity.
pub(crate) fn download_package(
    registry: &str,
    name: &str,
    version: &str,
    integrity: &Integrity,
    target: &Utf8Path,
) -> Result<()> {
    let base = name.rsplit('/').next().unwrap_or_default();
    let url = format!("{registry}{name}/-/{base}-{version}.tgz");
    download(&url, target)?;
    let digest = integrity.algorithm().digest(&fs::read(target)?);
    if !integrity.accepts(&digest) {
        return Err(format!("{url}: expected {integrity}, found {digest}").into());
    }
    Ok(())
}

fn download(url: &str, target: &Utf8Path) -> Result<()> {
    let flags = ["--fail", "--silent", "--show-error", "--location", "--retry", "3", "--output", target.as_str()];
    process::run_silently(Command::new("curl").args(flags).arg(url)).map(drop)
}

/// Returns the URL of the npm registry, with a trailing slash.
pub(crate) fn registry() -> String {
    let from_environment =
        ["npm_config_registry", "NPM_CONFIG_REGISTRY"].into_iter().find_map(|name| std::env::var(name).ok());
    let url = from_environment.filter(|url| !url.is_empty()).unwrap_or_else(|| {
        NpmrcConfig::load().map_or_else(|_| DEFAULT_REGISTRY.to_owned(), |config| config.default_registry().to_string())
    });
    if url.ends_with('/') { url } else { format!("{url}/") }
}

/// Returns the keys in `packages` that work on this machine, the best first. Bun's default build for x64 needs AVX2, its
/// `baseline` build does not.
fn platforms() -> Vec<String> {
    let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let usual = format!("{os}-{cpu}");
    let lacks_avx2 = fs::read_to_string("/proc/cpuinfo").is_ok_and(|info| cpu == "x64" && !info.contains(" avx2"));
    let baseline = lacks_avx2.then(|| format!("{usual}-baseline"));
    baseline.into_iter().chain([usual, "any".to_owned()]).collect()
}

fn node_on_path_will_do() -> bool {
    let Ok(version) = process::run_silently(Command::new("node").arg("--version")) else { return false };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= OLDEST_NODE)
}
