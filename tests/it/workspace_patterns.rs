//! Workspace patterns, read by splitter and by the real package managers, over generated repositories.
//!
//! Each case is a tree of folders and links, and a list of patterns. `SPLITTER_PATTERN_SEED` sets the first seed and
//! `SPLITTER_PATTERN_CASES` the number of cases; a failure prints the seed of its case.

use std::{
    collections::BTreeSet,
    env, os,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Value, json};
use splitter::{
    repo::WorkTree,
    split::{Choices, Split},
};

use crate::support::{BUN_VERSIONS, Random, TestContext, YARN_VERSIONS, bun, yarn};

#[derive(Debug)]
struct Case {
    folders: BTreeSet<String>,
    links: Vec<(String, String)>,
    /// Workspaces with workspaces of their own.
    inner: Vec<(String, String)>,
    patterns: Vec<String>,
}

const TOPS: [&str; 5] = ["packages", "apps", "a", ".h", "ab"];
const NAMES: [&str; 9] = ["a", "b", "ab", "abc", "legacy", ".h", "a.b", "dist", "a-b"];
const GLOBS: [&str; 25] = [
    "*", "*", "*", "**", "**", "a*", "*b", "?", "a?", "[ab]", "[!a]*", "{a,b}", "{a,ab}", "!(a)", "!(a|b)", "@(a|b)",
    "+(a|b)", "?(a)b", "*(a|b)", ".*", "!(a)*", "a!(b)", "*.b", "@(.h|a)", "!(*b)",
];

fn folder(random: &mut Random) -> String {
    let mut path = random.pick(&TOPS).to_owned();
    for _ in 0..random.below(4) {
        path = format!("{path}/{}", random.pick(&NAMES));
    }
    path
}

fn pattern(random: &mut Random) -> String {
    let mut parts = Vec::new();
    for index in 0..=random.below(3) {
        let plain = random.one_in(if index == 0 { 2 } else { 4 });
        parts.push(match (plain, index) {
            (true, 0) => random.pick(&TOPS),
            (true, _) => random.pick(&NAMES),
            (false, _) => random.pick(&GLOBS),
        });
    }
    let pattern = parts.join("/");
    match random.below(12) {
        0 => format!("./{pattern}"),
        1 => format!("{pattern}/"),
        _ => pattern,
    }
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let folders: BTreeSet<String> = (0..4 + random.below(10)).map(|_| folder(&mut random)).collect();
        let mut links = Vec::new();
        for _ in 0..random.below(3) {
            let (from, to) = (folder(&mut random), folder(&mut random));
            let is_free = |path: &str| !folders.iter().any(|folder| *folder == from || folder.starts_with(path));
            if is_free(&format!("{from}/")) && from.contains('/') {
                let up = "../".repeat(from.matches('/').count());
                links.push((from, format!("{up}{to}")));
            }
        }
        let mut patterns: Vec<String> = (0..=random.below(3)).map(|_| pattern(&mut random)).collect();
        for _ in 0..random.below(3) {
            let at = random.below(patterns.len() + 1);
            let excluded = pattern(&mut random);
            if !excluded.starts_with('!') {
                patterns.insert(at, format!("!{excluded}"));
            }
        }
        let inner = folders.iter().filter(|_| random.one_in(8)).cloned().collect::<Vec<_>>();
        let inner =
            inner.into_iter().map(|folder| (folder, random.pick(&["*", "**", "a", "b/*"]).to_owned())).collect();
        Self { folders, links, inner, patterns }
    }

    fn write(&self, root: &Utf8Path) {
        let manifest = json!({"name": "root", "version": "1.0.0", "private": true, "workspaces": self.patterns});
        fs::create_dir_all(root).unwrap();
        fs::write(root.join("package.json"), manifest.to_string()).unwrap();
        for (number, folder) in self.folders.iter().enumerate() {
            fs::create_dir_all(root.join(folder)).unwrap();
            let mut manifest = json!({"name": format!("w{number}"), "version": "1.0.0"});
            if let Some((_, inner)) = self.inner.iter().find(|(path, _)| path == folder) {
                manifest["workspaces"] = json!([inner]);
            }
            fs::write(root.join(folder).join("package.json"), manifest.to_string()).unwrap();
        }
        for (from, to) in &self.links {
            let place = root.join(from);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            // The folder may be behind another link, and then exist.
            let _ = os::unix::fs::symlink(to, place);
        }
    }
}

/// A package manager that lists workspaces.
#[derive(Clone)]
struct Manager {
    program: Utf8PathBuf,
    version: &'static str,
    is_bun: bool,
}

impl Manager {
    fn yarn(version: &'static str) -> Option<Self> {
        Some(Self { program: yarn(version)?, version, is_bun: false })
    }

    fn bun(version: &'static str) -> Option<Self> {
        Some(Self { program: bun(version)?, version, is_bun: true })
    }

    /// The lockfile that makes splitter choose this package manager.
    fn lockfile(&self) -> (&'static str, &'static str) {
        match self.version {
            _ if self.is_bun => {
                ("bun.lock", r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "root"}}, "packages": {}}"#)
            }
            "1.22.22" => ("yarn.lock", "# yarn lockfile v1\n"),
            "3.8.7" => ("yarn.lock", "__metadata:\n  version: 6\n  cacheKey: 8\n"),
            _ => ("yarn.lock", "__metadata:\n  version: 10\n  cacheKey: 10c0\n"),
        }
    }

    fn command(&self, context: &TestContext, root: &Utf8Path) -> Command {
        let args: &[&str] = match self.version {
            _ if self.is_bun => &["install", "--lockfile-only"],
            "1.22.22" => &["--silent", "workspaces", "info"],
            _ => &["workspaces", "list", "--json"],
        };
        let mut command = if self.is_bun {
            let mut command = context.command(&self.program);
            command.args(args);
            command
        } else {
            context.yarn(&self.program, args)
        };
        command.current_dir(root);
        command
    }

    /// The workspaces, or why it refuses.
    fn workspaces(&self, context: &TestContext, root: &Utf8Path) -> Result<BTreeSet<String>, String> {
        let output = self.command(context, root).output().unwrap();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        if self.is_bun {
            let lockfile = fs::read_to_string(root.join("bun.lock")).unwrap_or_default();
            let _ = fs::remove_file(root.join("bun.lock"));
            if !output.status.success() || stderr.contains("error:") {
                // It also fails if there is nothing to lock.
                return if stderr.contains("No packages!") { Ok(BTreeSet::new()) } else { Err(stderr) };
            }
            let lockfile = lockfile.replace(",\n  }", "\n}").replace(",\n    }", "\n}").replace(",\n      }", "\n}");
            let lockfile: Value = jsonc(&lockfile);
            let workspaces = lockfile["workspaces"].as_object().cloned().unwrap_or_default();
            return Ok(workspaces.into_iter().map(|(path, _)| path).filter(|path| !path.is_empty()).collect());
        }
        if !output.status.success() {
            return Err(format!("{stdout}{stderr}"));
        }
        let locations: Vec<String> = if self.version == "1.22.22" {
            let info: Value = serde_json::from_str(&stdout).unwrap_or_default();
            let info = info.as_object().cloned().unwrap_or_default();
            info.values().map(|workspace| workspace["location"].as_str().unwrap().to_owned()).collect()
        } else {
            let line =
                |line: &str| serde_json::from_str::<Value>(line).unwrap()["location"].as_str().unwrap().to_owned();
            stdout.lines().map(line).collect()
        };
        Ok(locations.into_iter().filter(|path| !path.is_empty() && path != ".").collect())
    }

    /// Compares one case. Returns what differs.
    fn compare(&self, context: &TestContext, seed: u64) -> Option<String> {
        let mut case = Case::new(seed);
        if self.version == "1.2.23" {
            // In a glob, it takes `.h` for `..` and leaves the repository.
            case.patterns.retain(|pattern| {
                !pattern.trim_start_matches(['!', '.', '/']).contains("/.") && !pattern.contains(".h/")
            });
        }
        let root = context.folder(&format!("{}-{seed}", self.version));
        case.write(&root);
        let (file, lockfile) = self.lockfile();
        if !self.is_bun {
            fs::write(root.join(file), if self.version == "1.22.22" { lockfile } else { "" }).unwrap();
        }
        let expected = self.workspaces(context, &root);
        fs::write(root.join(file), lockfile).unwrap();
        let pin = format!("{}@{}", if self.is_bun { "bun" } else { "yarn" }, self.version);
        let manifest = fs::read_to_string(root.join("package.json")).unwrap();
        let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
        manifest["packageManager"] = json!(pin);
        fs::write(root.join("package.json"), manifest.to_string()).unwrap();
        let found = found(&root);
        fs::remove_dir_all(&root).unwrap();
        let is_same = match (&expected, &found) {
            (Ok(expected), Ok(found)) => *expected == found.folders,
            // What the package manager refuses, splitter may accept with a warning, but not the other way round.
            (Err(_), Ok(found)) => !found.warnings.is_empty(),
            (Err(_), Err(_)) => true,
            (Ok(_), Err(_)) => false,
        };
        (!is_same).then(|| format!("seed {seed}, {pin}: {case:#?}\nexpected {expected:?}\n   found {found:?}"))
    }
}

/// What splitter finds.
#[derive(Debug)]
struct Found {
    folders: BTreeSet<String>,
    warnings: Vec<String>,
}

fn found(root: &Utf8Path) -> Result<Found, String> {
    let split = Split::read(&WorkTree::at(root), &Choices::default()).map_err(|error| error.to_string())?;
    let folders = split.manifests.into_keys().filter(|path| !path.is_root());
    Ok(Found { folders: folders.map(|path| path.as_str().to_owned()).collect(), warnings: split.warnings })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a `bun.lock`, with its commas at ends.
fn jsonc(text: &str) -> Value {
    let mut plain = String::new();
    for (index, character) in text.char_indices() {
        let rest = text[index + 1..].trim_start();
        if character != ',' || !(rest.starts_with('}') || rest.starts_with(']')) {
            plain.push(character);
        }
    }
    serde_json::from_str(&plain).unwrap_or_default()
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Compares the cases from a seed on, on two threads.
fn compare(manager: Option<Manager>, cases: u64) {
    let Some(manager) = manager else { return };
    let context = TestContext::new();
    let (first, cases) = (number("SPLITTER_PATTERN_SEED", 1), number("SPLITTER_PATTERN_CASES", cases));
    let next = AtomicU64::new(first);
    let differing: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut differing = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + cases {
                    return differing;
                }
                differing.extend(manager.compare(&context, seed));
            }
        };
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let count = differing.len();
    let shown: Vec<String> = differing.into_iter().take(5).collect();
    assert!(shown.is_empty(), "{count} of {cases} cases differ from seed {first} on:\n{}", shown.join("\n\n"));
}

#[test]
fn patterns_are_read_as_yarn_1_does() {
    compare(Manager::yarn(YARN_VERSIONS[0]), 20);
}

#[test]
fn patterns_are_read_as_yarn_3_does() {
    compare(Manager::yarn(YARN_VERSIONS[1]), 10);
}

#[test]
fn patterns_are_read_as_yarn_4_does() {
    compare(Manager::yarn(YARN_VERSIONS[2]), 20);
}

#[test]
fn patterns_are_read_as_bun_1_2_does() {
    compare(Manager::bun(BUN_VERSIONS[0]), 80);
}

#[test]
fn patterns_are_read_as_bun_1_3_does() {
    compare(Manager::bun(BUN_VERSIONS[1]), 80);
}

#[test]
fn patterns_are_read_as_bun_1_4_does() {
    compare(Manager::bun(BUN_VERSIONS[2]), 80);
}

/// Yarn on this machine takes a `package.json` that a build left for a workspace. Nix does not have the file.
#[test]
fn a_manifest_that_git_ignores_is_no_workspace() {
    let context = TestContext::new();
    context.write("package.json", r#"{"private": true, "packageManager": "yarn@4.18.1", "workspaces": ["apps/**"]}"#);
    context.write("yarn.lock", "__metadata:\n  version: 10\n  cacheKey: 10c0\n");
    context.write(".gitignore", "dist/\n/scratch\n");
    context.write("apps/web/package.json", r#"{"name": "web"}"#);
    context.write("apps/web/dist/package.json", r#"{"name": "web"}"#);
    context.write("apps/web/.next/standalone/package.json", r#"{"name": "web"}"#);
    context.write("scratch/package.json", r#"{"name": "scratch"}"#);
    os::unix::fs::symlink("../scratch", context.repo().join("apps/scratch")).unwrap();
    let split = Split::read(&WorkTree::at(context.repo()), &Choices::default()).unwrap();
    assert_eq!(split.manifests.keys().map(ToString::to_string).collect::<Vec<_>>(), [".", "apps/web"]);
    let ignored = |path: &str| {
        format!(
            "`{path}/package.json` matches the workspace pattern `apps/**`, but git ignores it: Yarn takes it for a workspace on this \
             machine, and Nix does not see it; exclude it from the patterns, or track it"
        )
    };
    assert_eq!(split.warnings, [ignored("apps/scratch"), ignored("apps/web/dist")]);
}

/// A folder that looks like any other workspace, and a workspace that git tracks although a rule names it.
#[test]
fn git_rules_count_for_plain_folders_that_git_does_not_track() {
    let context = TestContext::new();
    context.git_init();
    context
        .write("package.json", r#"{"private": true, "packageManager": "yarn@4.18.1", "workspaces": ["packages/*"]}"#);
    context.write("yarn.lock", "__metadata:\n  version: 10\n  cacheKey: 10c0\n");
    context.write(".gitignore", "/packages/scratch\n/packages/tracked\n");
    context.write("packages/.gitignore", "own/\n");
    for name in ["scratch", "tracked", "own", "new"] {
        context.write(&format!("packages/{name}/package.json"), format!(r#"{{"name": "{name}"}}"#));
    }
    context.git(&["add", "--force", "packages/tracked"]);
    let split = Split::read(&WorkTree::at(context.repo()), &Choices::default()).unwrap();
    assert_eq!(
        split.manifests.keys().map(ToString::to_string).collect::<Vec<_>>(),
        [".", "packages/new", "packages/tracked"]
    );
    let ignored = |path: &str| {
        format!(
            "`{path}/package.json` matches the workspace pattern `packages/*`, but git ignores it: Yarn takes it for a workspace on \
             this machine, and Nix does not see it; exclude it from the patterns, or track it"
        )
    };
    assert_eq!(split.warnings, [ignored("packages/own"), ignored("packages/scratch")]);
}
