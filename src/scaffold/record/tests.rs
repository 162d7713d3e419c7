use super::*;
use crate::{
    lockfile::Algorithm,
    repo::MemoryTree,
    scaffold::compare::{self, compare},
    split::{Choices, Split, lock::fingerprint},
};

const MANIFEST: &str = r#"{"name": "acme", "workspaces": ["apps/*"], "packageManager": "bun@1.4.4"}"#;
const WEB: &str = r#"{"name": "web", "scripts": {"build": "vite build"}, "dependencies": {"react": "1"}}"#;

fn integrity(text: &str) -> Integrity {
    Algorithm::Sha512.digest(text.as_bytes()).into()
}

fn lock(packages: &[(&str, &str)]) -> String {
    let entries: Vec<_> = packages
        .iter()
        .map(|(id, info)| {
            format!(r#"    "{}": ["{id}", "", {info}, "{}"],"#, id.rsplit_once('@').unwrap().0, integrity(id))
        })
        .collect();
    format!(
        "{{\"lockfileVersion\": 1, \"workspaces\": {{\"\": {{\"name\": \"acme\"}}, \"apps/web\": \
         {{\"name\": \"web\", \"dependencies\": {{\"react\": \"1\"}}}}}},\n  \"packages\": {{\n{}\n  }}\n}}",
        entries.join("\n")
    )
}

fn split(manifest: &str, web: &str, lock: &str) -> Split {
    let tree = MemoryTree::new([("package.json", manifest), ("apps/web/package.json", web), ("bun.lock", lock)]);
    Split::read(&tree, &Choices::default()).unwrap()
}

fn record(split: &Split) -> Record {
    let mut known = Known::default();
    for dependency in &split.dependencies {
        known.integrities.insert(dependency.path.clone(), dependency.integrity.clone().unwrap());
    }
    for (part, entries) in parts(&split.dependencies, &BTreeMap::new()) {
        let pairs = entries.iter().map(|entry| (entry.path.as_str(), entry.integrity.as_ref().unwrap()));
        let name = part.to_string();
        let (fingerprint, hash) = (fingerprint::of(pairs), integrity(&name));
        let output = FixedOutput {
            system: part.system,
            shard: part.shard,
            fingerprint,
            hash,
            packages: entries.len(),
            bytes: 1,
        };
        known.outputs.insert(name, output);
    }
    compose(split, known)
}

const PACKAGES: [(&str, &str); 2] = [("react@1.0.0", "{}"), ("native@1.0.0", r#"{"os": "linux", "cpu": "x64"}"#)];

#[test]
fn what_is_written_is_read() {
    let record = record(&split(MANIFEST, WEB, &lock(&PACKAGES)));
    let text = record.render();
    assert_eq!(Record::parse(&text).unwrap(), record);
    assert!(text.contains("\n    {\"path\":\"npm/react/-/react-1.0.0.tgz\",\"integrity\":\"sha512-"));
    assert!(text.contains("\"systems\":[\"x86_64-linux\"]}"));
    assert!(text.contains(
        "\n    {\"path\":\"apps/web\",\"name\":\"web\",\"dependencies\":[],\"rank\":0,\
         \"build\":{\"command\":\"bun run build\",\"outputs\":[\"dist\"]},\"package\":{\"name\":\"web\",\"keeps\":\"files\",\
         \"serves\":\"files\"}}"
    ));
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_choice_of_scripts_is_recorded_and_compared() {
    let chosen = |config: &str| {
        let lock = lock(&PACKAGES);
        let files = [("package.json", MANIFEST), ("apps/web/package.json", WEB), ("bun.lock", &lock)];
        Split::read(&MemoryTree::new(files.into_iter().chain([("splitter.json", config)])), &Choices::default())
            .unwrap()
    };
    let (before, after) = (chosen("{}"), chosen(r#"{"scripts": ["native", "react@1.0.0", "reakt"]}"#));
    assert_eq!(after.warnings, ["splitter.json: `scripts` names `reakt`, which is not in bun.lock"]);
    assert!(!record(&before).render().contains("scripts"));
    let recorded = record(&after);
    assert!(recorded.render().contains("\n  \"scripts\": [\"native\",\"react@1.0.0\",\"reakt\"],\n"));
    assert_eq!(Record::parse(&recorded.render()).unwrap(), recorded);
    assert!(compare(&after, &recorded.clone().into()).is_empty());
    assert_eq!(
        compare(&before, &recorded.clone().into()).settings,
        ["`scripts` in splitter.json changed: removed `native` `react@1.0.0` `reakt`"]
    );
}

#[test]
fn other_formats_say_which_side_is_too_old() {
    let error = |text: &str| Record::parse(text).unwrap_err().to_string();
    assert_eq!(error(r#"{"formatVersion": 4}"#), "expected format version 3, found 4: a newer splitter wrote the file");
    for older in [1, 2] {
        let text = format!(r#"{{"formatVersion": {older}}}"#);
        let expected = format!("expected format version 3, found {older}: an older splitter wrote the file");
        assert_eq!(error(&text), expected);
    }
    assert_eq!(error("{}"), "expected `formatVersion`, found none");
    assert_eq!(error("{\n<<<<<<< HEAD\n"), "merge conflict markers");
}

#[test]
fn a_record_is_fresh_until_what_it_records_changes() {
    let before = split(MANIFEST, WEB, &lock(&PACKAGES));
    let record = record(&before);
    assert!(compare(&before, &record.clone().into()).is_empty());

    let described = WEB.replace("\"scripts\"", "\"description\": \"x\", \"scripts\"");
    assert!(compare(&split(MANIFEST, &described, &lock(&PACKAGES)), &record.clone().into()).is_empty());

    let bumped = [("react@1.0.1", "{}"), PACKAGES[1], ("added@2.0.0", "{}")];
    let differences = compare(&split(MANIFEST, WEB, &lock(&bumped)), &record.clone().into());
    let changes: Vec<_> = differences
        .packages
        .iter()
        .map(|package| format!("{} {:?} {:?} {:?}", package.name, package.from, package.to, package.change))
        .collect();
    assert_eq!(changes, [r#"added [] ["2.0.0"] Added"#, r#"react ["1.0.0"] ["1.0.1"] Changed"#]);
    assert_eq!(differences.files.len(), 1);
    assert_eq!(differences.files[0].path.as_str(), "bun.lock");

    let differences =
        compare(&split(&MANIFEST.replace("1.4.4", "1.3.11"), WEB, &lock(&PACKAGES)), &record.clone().into());
    assert_eq!(differences.settings, ["the package manager changed: `bun 1.4.4` -> `bun 1.3.11`"]);

    let rebuilt = WEB.replace("vite build", "bun build a.ts --outdir out");
    let differences = compare(&split(MANIFEST, &rebuilt, &lock(&PACKAGES)), &record.clone().into());
    let rebuilt_and_served =
        "workspace `apps/web` changed: outputs (added `out`, removed `dist`), how it is served (`files` -> none)";
    assert_eq!(differences.settings, [rebuilt_and_served]);
}

#[test]
fn a_hash_of_another_list_is_stale() {
    let split = split(MANIFEST, WEB, &lock(&PACKAGES));
    let fresh = record(&split);
    let mut merged = fresh.clone();
    merged.deps.get_mut("common").unwrap().fingerprint = "0".repeat(32);
    let output = merged.deps["common"].clone();
    merged.deps.insert("aarch64-linux".to_owned(), output);
    assert_eq!(
        compare(&split, &merged.clone().into()).settings,
        [
            "the hash of deps-aarch64-linux is for a different list of packages",
            "the hash of deps-common is for a different list of packages",
            "the recorded parts of deps do not match the packages",
        ]
    );
    assert!(compare(&split, &fresh.clone().into()).is_empty());
}

#[test]
fn a_package_with_other_bytes_has_changed() {
    let before = split(MANIFEST, WEB, &lock(&PACKAGES));
    let mut recorded = record(&before);
    recorded.dependencies[0].integrity = integrity("other");
    let packages = compare::packages(&before, &recorded.dependencies);
    assert_eq!(packages.len(), 1);
    assert_eq!(
        (packages[0].from.as_slice(), packages[0].change),
        (["1.0.0".to_owned()].as_slice(), compare::Change::Changed)
    );
}

#[test]
fn a_package_whose_registry_moved_has_changed() {
    let moved = |npmrc: &str| {
        let tree = MemoryTree::new([
            ("package.json", MANIFEST),
            ("apps/web/package.json", WEB),
            ("bun.lock", &lock(&[("@s/a@1.0.0", "{}")])),
            (".npmrc", npmrc),
        ]);
        Split::read(&tree, &Choices::default()).unwrap()
    };
    let recorded = record(&moved("omit = dev\n"));
    let packages = compare::packages(&moved("omit = dev\n@s:registry = https://s.example\n"), &recorded.dependencies);
    assert_eq!(packages.len(), 1);
    assert!(compare::packages(&moved("omit = dev\n"), &recorded.dependencies).is_empty());
}

#[test]
fn every_system_shares_what_is_bound_to_none() {
    let split = split(MANIFEST, WEB, &lock(&PACKAGES));
    let parts = parts(&split.dependencies, &BTreeMap::new());
    let names: Vec<_> = parts.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["common", "x86_64-linux"]);
    assert_eq!(parts[&Part::default()][0].path, "npm/react/-/react-1.0.0.tgz");
}

#[test]
fn repositories_have_fields_of_their_own_and_no_user_but_that_of_ssh() {
    let id = "552b355e30e534cc37f59b232ed38fb15dac6358";
    let lock = format!(
        r#"{{"lockfileVersion": 1, "workspaces": {{"": {{"name": "acme"}}}}, "packages": {{
            "a": ["a@git+https://git@host.example/o/a.git#{id}", {{}}, "{id}"],
            "b": ["b@git+ssh://git@host.example:o/b.git#{}", {{}}, ""],
            "c": ["c@github:o/c#552b355", {{}}, "o-c-552b355"]}}}}"#,
        id.replace('5', "6")
    );
    let split = split(r#"{"name": "acme", "packageManager": "bun@1.4.4"}"#, "{}", &lock);
    let mut known = Known::default();
    for dependency in &split.dependencies {
        known.integrities.insert(dependency.path.clone(), integrity("x"));
    }
    let record = compose(&split, known);
    let text = record.render();
    assert_eq!(Record::parse(&text).unwrap(), record);
    for part in [
        format!(r#"{{"path":"git/{id}.tar","git":"https://host.example/o/a.git","integrity":"#),
        r#".tar","git":"ssh://git@host.example/o/b.git","integrity":"#.to_owned(),
        r#"{"path":"github/o/c/552b355.tar","url":"https://github.com/o/c/archive/552b355.tar.gz","unpack":true,"integrity":"#
            .to_owned(),
    ] {
        assert!(text.contains(&part), "{part}\n{text}");
    }
    assert!(compare::packages(&split, &record.dependencies).is_empty());
    let mut moved = record.dependencies;
    moved[0].git = Some("https://elsewhere.example/o/a.git".parse().unwrap());
    assert_eq!(compare::packages(&split, &moved).len(), 1);
}

/// A lock with enough packages to split `deps` into shards.
fn large() -> Split {
    let names: Vec<String> = (0..100).map(|number| format!("package-{number}@1.0.0")).collect();
    let natives: Vec<String> = (0..6).map(|number| format!("native-{number}@1.0.0")).collect();
    let bound = r#"{"os": "linux"}"#;
    let all = names.iter().map(|id| (id.as_str(), "{}")).chain(natives.iter().map(|id| (id.as_str(), bound)));
    split(MANIFEST, WEB, &lock(&all.collect::<Vec<_>>()))
}

#[test]
fn entries_and_parts_say_their_shard_where_deps_is_cut() {
    let split = large();
    let record = record(&split);
    let text = record.render();
    assert_eq!(Record::parse(&text).unwrap(), record);
    assert!(text.contains("\n    \"common-0\": {\"shard\":\"0\",\"fingerprint\":"), "{text}");
    let (name, linux) = record.deps.iter().find(|(_, output)| output.system == Some(System::X8664Linux)).unwrap();
    let shard = serde_json::to_string(&linux.shard).unwrap();
    assert!(!linux.shard.is_whole());
    assert!(
        text.contains(&format!("\n    \"{name}\": {{\"system\":\"x86_64-linux\",\"shard\":{shard},\"fingerprint\":"))
    );
    assert!(text.contains("\",\"systems\":[\"aarch64-linux\",\"x86_64-linux\"],\"shard\":\""));
    for output in record.deps.values() {
        let is_held = |entry: &&DependencyRecord| {
            let systems = entry.systems.as_deref();
            output.shard.holds(&entry.shard)
                && output.system.map_or(systems.is_none(), |own| systems.is_some_and(|systems| systems.contains(&own)))
        };
        assert_eq!(record.dependencies.iter().filter(is_held).count(), output.packages, "{}", output.part());
    }
    // The manifests ask for none of these packages, which is drift.
    assert!(compare(&split, &record.into()).record_is_fresh());
}

#[test]
fn parts_that_are_not_those_of_the_list_are_stale() {
    let split = large();
    let right = record(&split);
    let settings = |record: Record| compare(&split, &record.into()).settings;
    // An entry in the wrong part for its name, with hashes that fit.
    let mut moved = right.clone();
    let entry = moved.dependencies.iter().position(|entry| entry.systems.is_none()).unwrap();
    let other = moved
        .dependencies
        .iter()
        .find(|other| other.systems.is_none() && !moved.dependencies[entry].shard.holds(&other.shard));
    moved.dependencies[entry].shard = other.unwrap().shard.clone();
    for (name, output) in &mut moved.deps {
        let held = moved.dependencies.iter().filter(|entry| entry.systems.is_none() && entry.shard == output.shard);
        if name.starts_with("common") {
            output.fingerprint = fingerprint::of(held.map(|entry| (entry.path.as_str(), &entry.integrity)));
        }
    }
    assert_eq!(settings(moved), ["the recorded parts of deps do not match the packages"]);
    // A part that was lost in a merge.
    let mut lost = right.clone();
    lost.deps.remove("common-1");
    assert_eq!(
        settings(lost),
        [
            "the recorded parts of deps lack a package, or hold one twice",
            "the recorded parts of deps do not match the packages"
        ]
    );
    // A part that claims to be a different one.
    let mut renamed = right;
    let output = renamed.deps.remove("common-1").unwrap();
    renamed.deps.insert("common-11".to_owned(), output);
    assert_eq!(
        settings(renamed),
        [
            "the hash of deps-common-11 is for a different list of packages",
            "the recorded parts of deps do not match the packages"
        ]
    );
}

#[test]
fn of_an_older_record_is_kept_what_an_update_reads() {
    let record = record(&split(MANIFEST, WEB, &lock(&PACKAGES)));
    let text = record.render();
    // What formats 1 and 2 record for a package.
    let package = r#""package":{"name":"web","keeps":"files","serves":"files"}"#;
    assert!(text.contains(package), "{text}");
    let of_format = |number: u64| text.replace("\"formatVersion\": 3", &format!("\"formatVersion\": {number}"));
    for format in [1, 2] {
        let older = of_format(format).replace(package, r#""package":{"name":"web","start":"src/server.ts"}"#);
        // The workspaces of another format may differ.
        let odd = older.replace("\"workspaces\": [", "\"workspaces\": [0, ");
        for older in [older, odd] {
            let kept = Kept::parse(&older).unwrap();
            assert!(kept.is_older(), "{format}");
            assert_eq!((&kept.dependencies, &kept.lock_set), (&record.dependencies, &record.lock_set));
            assert!(matches!(Record::parse(&older), Err(RecordError::TooOld { found }) if found == format));
        }
    }
    assert!(matches!(Kept::parse(&of_format(4)), Err(RecordError::TooNew { found: 4 })));
}

#[test]
fn a_package_with_programs_is_written_read_and_compared() {
    let app = |start: &str| {
        let build = r#""build": "tsc --outDir lib && tsc --outDir types""#;
        let scripts = format!(
            r#"{{"name": "web", "dependencies": {{"react": "1"}}, "scripts": {{{build}, "start": "{start}"}}}}"#
        );
        split(MANIFEST, &scripts, &lock(&PACKAGES))
    };
    let before = app("NODE_ENV=production node --import ./pre.js lib/main.js --port 1");
    let recorded = record(&before);
    let text = recorded.render();
    let package = r#""build":{"command":"bun run build","outputs":["lib","types"]},"package":{"name":"web","keeps":"server","programs":[{"name":"web","runtime":"node","file":"lib/main.js","options":["--import","{workspace}/pre.js"],"arguments":["--port","1"],"env":{"NODE_ENV":"production"}}],"runtime":"production","serves":{"port":3000}}}"#;
    assert!(text.contains(package), "{text}");
    assert_eq!(Record::parse(&text).unwrap(), recorded);
    assert!(compare(&before, &recorded.clone().into()).is_empty());
    let programs = "programs (added `web: node lib/main.js`, removed `web: NODE_ENV=production node --import ./pre.js \
                    lib/main.js --port 1`)";
    assert_eq!(
        compare(&app("node lib/main.js"), &recorded.clone().into()).settings,
        [format!("workspace `apps/web` changed: {programs}")]
    );
    let removed = programs.split_once(", ").unwrap().1;
    assert_eq!(
        compare(&app("x"), &recorded.into()).settings,
        [format!(
            "workspace `apps/web` changed: content of its package (`outputs with packages` -> `outputs`), programs \
             ({removed}, install beside its programs (`production` -> none), how it is served (`port 3000` -> none)"
        )]
    );
}
