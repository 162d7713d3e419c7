//! The rows of the benchmark: one function for each target of the project.

use std::{fmt::Write as _, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{
    Programs, caches,
    inputs::Inputs,
    measure::{Row, Target, alone, pairs},
    server::Server,
};
use crate::{Result, paths, process};

type Measure = fn(&Programs, &Inputs, usize) -> Result<Row>;

/// All rows, in the order of the table.
pub(super) const ALL: [(&str, Measure); 14] = [
    ("check, 2,800 entries and 39 workspaces", check),
    ("check, the same for the first time", check_first),
    ("check, 1,000 workspaces", check_wide),
    ("check --staged, nothing that matters staged", staged_source),
    ("check --staged, the lockfile staged", staged_lock),
    ("check --staged, the lockfile staged, 1,000 workspaces", staged_wide),
    ("scan, 100,000 files", scan),
    ("update-hash, nothing changed", update_unchanged),
    ("update-hash, one package changed, 750 MB", update_one),
    ("update-hash, empty cache, 750 MB in 2,000 files", update_cold),
    ("NAR hash of a folder, 750 MB in 2,000 files", nar_hash),
    ("nix eval of all apps, 2,000 packages", nix_eval),
    ("lint, 1,000 Nix files", lint),
    ("cache status, 2,000 paths with references, signatures and archives", cache_status),
];

fn check(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let ours = &mut || Ok(inputs.splitter(&programs.splitter, "check"));
    let theirs = &mut || Ok(in_folder("git", &["status"], &inputs.monorepo));
    compared(runs, ours, theirs, "git status", vec![Target::Milliseconds(15.0), Target::Ratio(1.0)])
}

/// Without the remembered results of earlier checks.
fn check_first(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let ours = &mut || {
        let _ = fs::remove_dir_all(inputs.cache.join("checked"));
        Ok(inputs.splitter(&programs.splitter, "check"))
    };
    let theirs = &mut || Ok(in_folder("git", &["status"], &inputs.monorepo));
    compared(runs, ours, theirs, "git status", vec![Target::Milliseconds(15.0)])
}

fn check_wide(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let ours = &mut || {
        let mut check = inputs.splitter(&programs.splitter, "check");
        check.current_dir(&inputs.wide);
        Ok(check)
    };
    let theirs = &mut || Ok(in_folder("git", &["status"], &inputs.wide));
    compared(runs, ours, theirs, "git status", vec![Target::Ratio(1.0)])
}

fn staged_source(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let file = ("apps/app-1/src/part-0/file-0.ts", "export const value = 7;\n");
    staged(programs, inputs, runs, &inputs.monorepo, file, vec![Target::Milliseconds(25.0)])
}

/// The staged lockfile differs only in its layout, so `check` reads everything and finds it fresh.
fn staged_lock(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    staged_layout(programs, inputs, runs, &inputs.monorepo, vec![Target::Milliseconds(25.0)])
}

fn staged_wide(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    staged_layout(programs, inputs, runs, &inputs.wide, Vec::new())
}

fn staged_layout(
    programs: &Programs,
    inputs: &Inputs,
    runs: usize,
    folder: &Utf8Path,
    targets: Vec<Target>,
) -> Result<Row> {
    let lock = format!("// another layout\n{}", fs::read_to_string(folder.join("bun.lock"))?);
    staged(programs, inputs, runs, folder, ("bun.lock", &lock), targets)
}

fn staged(
    programs: &Programs,
    inputs: &Inputs,
    runs: usize,
    folder: &Utf8Path,
    (path, text): (&str, &str),
    targets: Vec<Target>,
) -> Result<Row> {
    fs::write(folder.join(path), text)?;
    process::run_silently(&mut in_folder("git", &["add", path], folder))?;
    let ours = &mut || {
        let mut check = inputs.splitter(&programs.splitter, "check");
        check.arg("--staged").current_dir(folder);
        Ok(check)
    };
    let theirs = &mut || Ok(in_folder("git", &["status"], folder));
    let result = compared(runs, ours, theirs, "git status", targets);
    process::run_silently(&mut in_folder("git", &["reset", "--quiet", "--hard"], folder))?;
    result
}

fn scan(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    require("rg")?;
    let ours = &mut || Ok(in_folder(programs.splitter.as_str(), &["scan"], &inputs.large));
    let theirs = &mut || Ok(in_folder("rg", &["--files"], &inputs.large));
    compared(runs, ours, theirs, "rg --files", vec![Target::Ratio(1.2)])
}

fn update_unchanged(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let (ours, memory) = alone(runs, &mut || Ok(inputs.splitter(&programs.splitter, "update-hash")))?;
    Ok(row(ours, Vec::new(), "", memory, vec![Target::Milliseconds(50.0)]))
}

/// One package changes to its other version and back, run by run.
fn update_one(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let locks = [inputs.lock()?, inputs.other_lock.clone()];
    let mut run = 0;
    let result = alone(runs / 3 + 1, &mut || {
        run += 1;
        inputs.write_lock(&locks[run % 2])?;
        Ok(inputs.splitter(&programs.splitter, "update-hash"))
    });
    inputs.write_lock(&locks[0])?;
    process::run_silently(&mut inputs.splitter(&programs.splitter, "update-hash"))?;
    let (ours, memory) = result?;
    Ok(row(ours, Vec::new(), "", memory, vec![Target::Milliseconds(1500.0)]))
}

/// Both start with an empty folder. Without a record, splitter downloads and hashes everything.
fn update_cold(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    require("curl")?;
    let (cache, downloads) = (inputs.scratch.join("cache"), inputs.scratch.join("downloads"));
    let config = inputs.scratch.join("curl.conf");
    fs::write(&config, curl_config(inputs, &downloads)?)?;
    let ours = &mut || {
        empty(&cache)?;
        empty(&downloads)?;
        let _ = fs::remove_file(inputs.monorepo.join("nix/splitter/splitter.lock.json"));
        let mut command = inputs.splitter(&programs.splitter, "update-hash");
        command.env("SPLITTER_CACHE_DIR", &cache);
        Ok(command)
    };
    let theirs = &mut || {
        empty(&cache)?;
        empty(&downloads)?;
        let flags = ["--parallel", "--parallel-max", "64", "--silent", "--fail", "--create-dirs", "--config"];
        let mut curl = Command::new("curl");
        curl.args(flags).arg(&config);
        Ok(curl)
    };
    let targets = vec![Target::Ratio(1.25), Target::Megabytes(200.0)];
    let result = compared(runs / 3 + 1, ours, theirs, "curl --parallel-max 64", targets);
    process::run_silently(&mut inputs.splitter(&programs.splitter, "update-hash"))?;
    empty(&cache)?;
    empty(&downloads)?;
    result
}

/// Returns a configuration for curl that downloads every tarball of the lockfile.
fn curl_config(inputs: &Inputs, downloads: &Utf8Path) -> Result<String> {
    let mut config = String::new();
    let record = fs::read_to_string(inputs.monorepo.join("nix/splitter/splitter.lock.json"))?;
    let record = splitter::scaffold::record::Record::parse(&record)?;
    for entry in &record.dependencies {
        let path = entry.path.trim_start_matches("npm/");
        let _ = writeln!(config, "url = \"{}{path}\"\noutput = \"{downloads}/{path}\"", inputs.server.url);
    }
    Ok(config)
}

fn nar_hash(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let nix = nix(programs)?;
    let ours = &mut || Ok(in_folder(programs.xtask.as_str(), &["nar-hash", inputs.tarballs.as_str()], &inputs.scratch));
    let theirs =
        &mut || Ok(nix_command(nix, &inputs.scratch, &["hash", "path", inputs.tarballs.as_str()], &inputs.scratch));
    compared(runs / 3 + 1, ours, theirs, "nix hash path", vec![Target::Ratio(1.0 / 1.5)])
}

/// The files are copies of splitter's own, which are of usual size.
fn lint(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let folder = inputs.scratch.join("nix-files");
    empty(&folder)?;
    let mut texts = Vec::new();
    for entry in paths::project().join("nix-templates").read_dir_utf8()? {
        let path = entry?.into_path();
        if path.extension() == Some("nix") {
            texts.push(fs::read_to_string(path)?);
        }
    }
    for number in 0..1000 {
        // Files that say that a program wrote them are not read.
        let text = texts[number % texts.len()].replace("Generated by splitter: do not edit.", "");
        fs::write(folder.join(format!("file-{number}.nix")), text)?;
    }
    // Without a repository of its own, the folder belongs to the project.
    process::run_silently(Command::new("git").args(["init", "--quiet"]).current_dir(&folder))?;
    let (ours, memory) = alone(runs, &mut || Ok(in_folder(programs.splitter.as_str(), &["lint"], &folder)))?;
    Ok(row(ours, Vec::new(), "", memory, vec![Target::Milliseconds(100.0)]))
}

/// Without the evaluation, which the row of `nix eval` has. curl sends as many requests.
fn cache_status(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    require("curl")?;
    let (folder, downloads) = (inputs.scratch.join("binary-cache"), inputs.scratch.join("narinfos"));
    caches::make(&folder)?;
    let server = Server::start(&folder)?;
    let config = inputs.scratch.join("caches.conf");
    fs::write(&config, caches::curl_config(&server.url, &downloads))?;
    let ours = &mut || Ok(in_folder(programs.xtask.as_str(), &["cache-survey", &server.url], &inputs.scratch));
    let theirs = &mut || {
        let flags = ["--parallel", "--parallel-max", "64", "--silent", "--fail", "--create-dirs", "--config"];
        Ok(in_folder("curl", &[&flags[..], &[config.as_str()]].concat(), &inputs.scratch))
    };
    compared(runs / 3 + 1, ours, theirs, "curl --parallel-max 64", vec![Target::Ratio(1.1)])
}

/// Uses the tests' stand-ins for nixpkgs and flake-parts, so that only splitter's Nix files are measured.
fn nix_eval(programs: &Programs, inputs: &Inputs, runs: usize) -> Result<Row> {
    let nix = nix(programs)?;
    let args = nix_eval_arguments("packages");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (ours, memory) = alone(runs / 3 + 1, &mut || Ok(nix_command(nix, &inputs.monorepo, &args, &inputs.scratch)))?;
    Ok(row(ours, Vec::new(), "", memory, vec![Target::Milliseconds(300.0)]))
}

/// Returns arguments for `nix` that print the paths of all derivations in an output of a flake.
pub(super) fn nix_eval_arguments(output: &str) -> Vec<String> {
    let stand_in = |name: &str| format!("path:{}/tests/nix-stand-in/{name}", paths::project());
    let attribute = format!(".#{output}.{}-linux", std::env::consts::ARCH);
    let paths = "builtins.mapAttrs (_: package: package.drvPath)";
    let args = ["eval", "--json", &attribute, "--apply", paths, "--no-write-lock-file", "--no-eval-cache"];
    let (nixpkgs, flake_parts) = (stand_in("nixpkgs"), stand_in("flake-parts"));
    let inputs = ["--override-input", "nixpkgs", &nixpkgs, "--override-input", "flake-parts", &flake_parts];
    args.into_iter().chain(inputs).map(str::to_owned).collect()
}

/// Returns a `nix` command with its own store in `scratch`.
pub(super) fn nix_command(nix: &Utf8Path, folder: &Utf8Path, args: &[&str], scratch: &Utf8Path) -> Command {
    let mut command = in_folder(nix.as_str(), args, folder);
    for (variable, name) in [
        ("NIX_STORE_DIR", "store"),
        ("NIX_STATE_DIR", "state"),
        ("NIX_LOG_DIR", "log"),
        ("NIX_CONF_DIR", "conf"),
        ("XDG_CACHE_HOME", "cache"),
        ("HOME", "home"),
    ] {
        command.env(variable, scratch.join("nix").join(name));
    }
    // The state is thrown away, so it need not be synced to disk.
    let settings = "experimental-features = nix-command flakes\nbuild-users-group =\nsubstituters =\n\
                    flake-registry =\nwarn-dirty = false\nfsync-metadata = false\n";
    command.env("NIX_CONFIG", settings).env("NIX_REMOTE", "");
    command
}

fn nix(programs: &Programs) -> Result<&Utf8PathBuf> {
    programs.nix.as_ref().ok_or_else(|| "Nix not found; run `cargo xtask setup` to install it".into())
}

fn compared(
    runs: usize,
    ours: &mut dyn FnMut() -> Result<Command>,
    theirs: &mut dyn FnMut() -> Result<Command>,
    rival: &'static str,
    targets: Vec<Target>,
) -> Result<Row> {
    let (ours, theirs, memory) = pairs(runs, ours, theirs)?;
    Ok(row(ours, theirs, rival, memory, targets))
}

fn row(
    ours: Vec<std::time::Duration>,
    theirs: Vec<std::time::Duration>,
    rival: &'static str,
    memory: Option<u64>,
    targets: Vec<Target>,
) -> Row {
    Row { name: "", targets, rival, ours, theirs, memory }
}

fn in_folder(program: &str, args: &[&str], folder: &Utf8Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder);
    command
}

fn require(program: &str) -> Result<()> {
    if process::exists(program) { Ok(()) } else { Err(format!("`{program}` not found").into()) }
}

fn empty(folder: &Utf8Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    Ok(fs::create_dir_all(folder)?)
}
