//! Drift, as splitter finds it and as `bun install --frozen-lockfile` of the real Bun does, over random edits.
//!
//! Each case is a monorepo with a lockfile that the real Bun wrote, in steps. Then manifests, settings or the lockfile are edited, and
//! the verdicts are compared. `SPLITTER_FROZEN_SEED` sets the first seed and `SPLITTER_FROZEN_CASES` the number of cases; a
//! failure prints the seed of its case.
//!
//! Deliberate differences, in which splitter reports drift although Bun accepts:
//! - Only the registry knows what a new tag (`latest`) means.
//! - Only the registry knows what an optional or peer dependency on a workspace out of its range gets.
//! - Bun 1.4 accepts some manifests that lost a dependency.
//! - A package in two groups of a manifest, of which Bun warns: any change of it is drift.
//! - If the root has a workspace in `optionalDependencies`, Bun 1.2 and 1.3 replace that workspace. Any change is drift.
//! - Bun 1.2 and 1.3 install a locked version that is out of the range of its manifest.

use std::{
    collections::BTreeMap,
    env,
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Map, Value, json};
use splitter::{
    repo::WorkTree,
    split::{Choices, Split, lock::drift::Drift},
};

use crate::support::{BUN_VERSIONS, Package, Random, Registry, TestContext, bun};

const PACKAGES: [&str; 7] = ["one", "two", "three", "four", "@s/five", "six", "seven"];
const GROUPS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
const RANGES: [&str; 14] = [
    "^1.0.0", "^1.0.0", "^1.0.0", "^1.1.0", "~1.0.0", "~1.1.0", "1.0.0", "1.1.0", "^2.0.0", "^2.0.0", ">=1.0.0", "*",
    "1.x", "^1 || ^2",
];
const SIBLINGS: [&str; 3] = ["a", "b", "c"];
const SIBLING_RANGES: [&str; 8] =
    ["workspace:*", "workspace:^", "^1.0.0", "^1.1.0", "*", "workspace:^1.0.0", "1.0.0", "^2.0.0"];
const VERSIONS: [&str; 5] = ["1.0.0", "1.1.0", "1.2.0", "2.0.0", "1.1.0-beta.1"];

fn registry() -> Registry {
    let mut packages = Vec::new();
    for version in ["1.0.0", "1.0.1", "1.1.0", "1.2.0", "2.0.0", "2.1.0"] {
        let two = if version.starts_with('1') { "^1.0.0" } else { "^2.0.0" };
        packages.extend([
            Package::new("one", version),
            Package::new("two", version).dependency("one", two),
            Package::new("three", version).peer("one", ">=1.0.0"),
            Package::new("four", version).bin("four").dependency("two", "^1.0.0"),
            Package::new("@s/five", version).optional_peer("two", two),
            Package::new("six", version).dependency("three", two).optional("one", "^1.0.0"),
            Package::new("seven", version).peer("six", two).dependency("@s/five", "*"),
        ]);
    }
    Registry::start(packages)
}

/// The files of a repository.
type Files = BTreeMap<String, Value>;

const ROOT: &str = "package.json";

/// Bun 1.2 waits for ever for some peer dependencies. Such a case says nothing.
const LIMIT: Duration = Duration::from_secs(5);
const HANGS: &str = "it hangs";

fn manifests(files: &Files) -> Vec<String> {
    files.keys().filter(|path| path.ends_with("package.json")).cloned().collect()
}

fn manifest_of<'f>(random: &mut Random, files: &'f mut Files) -> &'f mut Value {
    let paths = manifests(files);
    let path = paths[random.below(paths.len())].clone();
    files.get_mut(&path).unwrap()
}

fn object<'v>(value: &'v mut Value, field: &str) -> &'v mut Map<String, Value> {
    if !value[field].is_object() {
        value[field] = json!({});
    }
    value[field].as_object_mut().unwrap()
}

fn base(random: &mut Random) -> Files {
    let mut files = Files::new();
    files.insert(ROOT.to_owned(), json!({"name": "root", "private": true, "workspaces": {"packages": ["packages/*"]}}));
    for name in SIBLINGS {
        files.insert(format!("packages/{name}/package.json"), json!({"name": name, "version": "1.0.0"}));
    }
    for _ in 0..4 + random.below(6) {
        add_dependency(random, &mut files);
    }
    if random.one_in(3) {
        edit_override(random, &mut files);
    }
    if random.one_in(3) {
        edit_catalog(random, &mut files);
    }
    files
}

fn add_dependency(random: &mut Random, files: &mut Files) {
    let group =
        random.pick(&["dependencies", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]);
    let catalogs = files[ROOT]["workspaces"].clone();
    let manifest = manifest_of(random, files);
    if random.one_in(4) {
        let sibling = random.pick(&SIBLINGS);
        if manifest["name"] != *sibling {
            object(manifest, group).insert(sibling.to_owned(), random.pick(&SIBLING_RANGES).into());
        }
        return;
    }
    let package = random.pick(&PACKAGES);
    let mut range = random.pick(&RANGES).to_owned();
    if random.one_in(5) {
        if catalogs["catalog"][package].is_string() {
            "catalog:".clone_into(&mut range);
        } else if catalogs["catalogs"]["x"][package].is_string() {
            "catalog:x".clone_into(&mut range);
        }
    }
    let (name, range) = match random.below(24) {
        0 => ("alias", format!("npm:{package}@{range}")),
        1 => (package, "latest".to_owned()),
        _ => (package, range),
    };
    if range.contains("@catalog") {
        return;
    }
    object(manifest, group).insert(name.to_owned(), range.into());
    if group == "peerDependencies" && random.one_in(2) {
        object(manifest, "peerDependenciesMeta").insert(name.to_owned(), json!({"optional": true}));
    }
}

fn edit_override(random: &mut Random, files: &mut Files) {
    let package = random.pick(&PACKAGES);
    let range = random.pick(&RANGES);
    let field = if random.one_in(5) { "resolutions" } else { "overrides" };
    let overrides = object(files.get_mut(ROOT).unwrap(), field);
    if random.one_in(3) && !overrides.is_empty() {
        let name = overrides.keys().next().unwrap().clone();
        overrides.remove(&name);
    } else {
        overrides.insert(package.to_owned(), range.into());
    }
}

fn edit_catalog(random: &mut Random, files: &mut Files) {
    let root = files.get_mut(ROOT).unwrap();
    let package = random.pick(&PACKAGES);
    let range = random.pick(&RANGES);
    let catalog = if random.one_in(2) {
        object(&mut root["workspaces"], "catalog")
    } else {
        let catalogs = object(&mut root["workspaces"], "catalogs");
        catalogs.entry("x").or_insert_with(|| json!({})).as_object_mut().unwrap()
    };
    if random.one_in(4) && !catalog.is_empty() {
        let name = catalog.keys().next().unwrap().clone();
        catalog.remove(&name);
    } else {
        catalog.insert(package.to_owned(), range.into());
    }
}

/// One of the dependencies in a manifest: its group and its name.
fn dependency_of(random: &mut Random, manifest: &Value) -> Option<(&'static str, String)> {
    let mut all = Vec::new();
    for group in GROUPS {
        all.extend(manifest[group].as_object().into_iter().flatten().map(|(name, _)| (group, name.clone())));
    }
    if all.is_empty() { None } else { Some(all.swap_remove(random.below(all.len()))) }
}

fn edit(random: &mut Random, files: &mut Files) {
    match random.below(20) {
        0..=2 => add_dependency(random, files),
        3..=6 => {
            let manifest = manifest_of(random, files);
            let Some((group, name)) = dependency_of(random, manifest) else { return };
            let is_sibling = SIBLINGS.contains(&name.as_str());
            let range = if is_sibling { random.pick(&SIBLING_RANGES) } else { random.pick(&RANGES) };
            manifest[group][&name] = range.into();
        }
        7..=8 => {
            let manifest = manifest_of(random, files);
            let Some((group, name)) = dependency_of(random, manifest) else { return };
            manifest[group].as_object_mut().unwrap().remove(&name);
        }
        9 => {
            let manifest = manifest_of(random, files);
            let Some((group, name)) = dependency_of(random, manifest) else { return };
            let range = manifest[group].as_object_mut().unwrap().remove(&name).unwrap();
            object(manifest, random.pick(&GROUPS)).insert(name, range);
        }
        10 => {
            let manifest = manifest_of(random, files);
            let package = random.pick(&PACKAGES);
            let meta = object(manifest, "peerDependenciesMeta");
            if meta.remove(package).is_none() {
                meta.insert(package.to_owned(), json!({"optional": true}));
            }
        }
        11 | 12 => {
            let manifest = manifest_of(random, files);
            manifest["version"] = random.pick(&VERSIONS).into();
        }
        13 => {
            // A release: the version and the ranges by which others ask for it.
            let sibling = random.pick(&SIBLINGS);
            for path in manifests(files) {
                let manifest = files.get_mut(&path).unwrap();
                if manifest["name"] == sibling {
                    manifest["version"] = "2.0.0".into();
                }
                for group in GROUPS {
                    if manifest[group][sibling].as_str().is_some_and(|range| !range.starts_with("workspace:")) {
                        manifest[group][sibling] = "^2.0.0".into();
                    }
                }
            }
        }
        14 => edit_override(random, files),
        15 | 16 => edit_catalog(random, files),
        17 => {
            let trusted = json!([random.pick(&PACKAGES)]);
            files.get_mut(ROOT).unwrap()["trustedDependencies"] = trusted;
        }
        18 => {
            let manifest = manifest_of(random, files);
            manifest["bin"] = "cli.js".into();
            manifest["scripts"] = json!({"build": "x", "postinstall": "y"});
        }
        _ => match random.below(4) {
            0 => {
                files.remove(&format!("packages/{}/package.json", random.pick(&SIBLINGS)));
            }
            1 => {
                files.insert("packages/d/package.json".to_owned(), json!({"name": "d", "version": "1.0.0"}));
            }
            2 => {
                let manifest = manifest_of(random, files);
                manifest["name"] = "renamed".into();
            }
            _ => {
                let name = random.pick(&SIBLINGS);
                if let Some(manifest) = files.remove(&format!("packages/{name}/package.json")) {
                    files.insert(format!("packages/moved-{name}/package.json"), manifest);
                }
            }
        },
    }
}

struct Bun<'c> {
    context: &'c TestContext,
    program: Utf8PathBuf,
    version: &'static str,
}

impl Bun<'_> {
    fn write(root: &Utf8Path, files: &Files, lockfile: &str) {
        let _ = fs::remove_dir_all(root);
        fs::create_dir_all(root).unwrap();
        for (path, manifest) in files {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, format!("{manifest:#}\n")).unwrap();
        }
        if !lockfile.is_empty() {
            fs::write(root.join("bun.lock"), lockfile).unwrap();
        }
    }

    fn install(&self, root: &Utf8Path, args: &[&str]) -> Result<(), String> {
        let mut command = self.context.command(&self.program);
        command.current_dir(root).args(["install", "--ignore-scripts", "--no-progress"]).args(args);
        command.env("BUN_INSTALL_CACHE_DIR", self.context.folder(&format!("cache-{}", self.version)));
        let stderr = Utf8PathBuf::from(format!("{root}.stderr"));
        command.stdout(Stdio::null()).stderr(fs::File::create(&stderr).unwrap().into_parts().0);
        let mut child = command.spawn().unwrap();
        let end = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(HANGS.to_owned());
            }
            thread::sleep(Duration::from_millis(2));
        };
        if status.success() { Ok(()) } else { Err(fs::read_to_string(&stderr).unwrap()) }
    }

    /// A repository whose lockfile Bun wrote in several steps.
    fn aged(&self, root: &Utf8Path, random: &mut Random) -> Option<(Files, String)> {
        let mut files = base(random);
        let mut lockfile = String::new();
        for step in 0..=random.below(3) {
            let before = files.clone();
            for _ in 0..step.min(1) * 2 {
                edit(random, &mut files);
            }
            Self::write(root, &files, &lockfile);
            if self.install(root, &["--lockfile-only"]).is_ok() {
                lockfile = fs::read_to_string(root.join("bun.lock")).unwrap_or_default();
            } else {
                files = before;
            }
        }
        (!lockfile.is_empty()).then_some((files, lockfile))
    }

    /// Compares one case. Returns what differs.
    fn compare(&self, seed: u64) -> Option<String> {
        let mut random = Random::new(seed);
        let root = self.context.folder(&format!("{}-{seed}", self.version));
        let (before, lockfile) = self.aged(&root, &mut random)?;
        let mut files = before.clone();
        for _ in 0..random.below(3) {
            edit(&mut random, &mut files);
        }
        Self::write(&root, &files, &lockfile);
        let found = self.found(&root);
        let accepted = self.install(&root, &["--frozen-lockfile"]);
        if accepted.as_ref().is_err_and(|error| error == HANGS) {
            return None;
        }
        let is_same = match (&found, &accepted) {
            (Ok(drift), Ok(())) => {
                let replaces = |name: &&str| files[ROOT]["optionalDependencies"].get(*name).is_some();
                drift.iter().all(|drift| is_deliberate(drift, &files)) || SIBLINGS.iter().any(replaces)
            }
            (Ok(drift), Err(_)) => !drift.is_empty(),
            (Err(_), _) => accepted.is_err(),
        };
        let unchanged: Vec<_> = files.iter().filter(|(path, it)| before.get(*path) == Some(it)).collect();
        let edits = format!("{}\nunchanged: {}", differences(&before, &files), json!(unchanged));
        fs::remove_dir_all(&root).unwrap();
        (!is_same).then(|| {
            let lock = lockfile.lines().map(|line| line.split(", \"sha512").next().unwrap_or_default());
            let lock: Vec<_> = lock.filter(|line| !line.is_empty()).collect();
            format!(
                "seed {seed}, Bun {}:\n{edits}\n{}\n   bun {accepted:?}\n found {found:?}",
                self.version,
                lock.join("\n")
            )
        })
    }

    fn found(&self, root: &Utf8Path) -> Result<Vec<Drift>, String> {
        fs::write(root.join(".bun-version"), self.version).unwrap();
        let split = Split::read(&WorkTree::at(root), &Choices::default()).map_err(|error| error.to_string())?;
        Ok(split.drift)
    }
}

/// Whether splitter reports this although Bun accepts, on purpose: see the module.
fn is_deliberate(drift: &Drift, files: &Files) -> bool {
    match drift {
        Drift::Added { manifest, package, specifier }
        | Drift::Changed { manifest, package, specifier, .. }
        | Drift::Unresolved { manifest, package, specifier } => {
            let groups = GROUPS[..3].iter().filter(|group| files[manifest.as_str()][**group].get(package).is_some());
            specifier == "latest" || groups.count() > 1
        }
        Drift::WorkspaceAdded { workspace } => {
            let name = &files[&format!("{workspace}/package.json")]["name"];
            files[ROOT]["optionalDependencies"].get(name.as_str().unwrap_or_default()).is_some()
        }
        Drift::LockedOutOfRange { .. } | Drift::Removed { .. } => true,
        Drift::WorkspaceOutOfRange { manifest, package, .. } => {
            let groups = ["optionalDependencies", "peerDependencies"];
            groups.iter().any(|group| files[manifest.as_str()][*group].get(package).is_some())
        }
        _ => false,
    }
}

fn differences(before: &Files, after: &Files) -> String {
    let mut texts = Vec::new();
    for path in before.keys().chain(after.keys().filter(|path| !before.contains_key(*path))) {
        if before.get(path) != after.get(path) {
            let text = |files: &Files| files.get(path).map_or("nothing".to_owned(), ToString::to_string);
            texts.push(format!("{path}:\n  - {}\n  + {}", text(before), text(after)));
        }
    }
    texts.join("\n")
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Compares the cases from a seed on, on two threads.
fn compare(version: &'static str, cases: u64) {
    let Some(program) = bun(version) else { return };
    let registry = registry();
    let mut context = TestContext::new();
    context.use_registry(&registry);
    let (first, cases) = (number("SPLITTER_FROZEN_SEED", 1), number("SPLITTER_FROZEN_CASES", cases));
    let next = AtomicU64::new(first);
    let bun = Bun { context: &context, program, version };
    let differing: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut differing = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + cases {
                    return differing;
                }
                differing.extend(bun.compare(seed));
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
fn drift_is_what_bun_1_2_refuses() {
    compare(BUN_VERSIONS[0], 25);
}

#[test]
fn drift_is_what_bun_1_3_refuses() {
    compare(BUN_VERSIONS[1], 50);
}

#[test]
fn drift_is_what_bun_1_4_refuses() {
    compare(BUN_VERSIONS[2], 50);
}
